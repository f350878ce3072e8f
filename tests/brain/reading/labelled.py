"""Labelled messages of our own writing, as mail: what no public corpus has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "data" / "reading"
CASES = DATA / "cases.jsonl"
NO_BOUNCES = DATA / "no_bounces.jsonl"
BOUNCES = DATA / "bounces.jsonl"
REPLIES = DATA / "replies.jsonl"
ANSWERS = DATA / "answers.jsonl"

# A message that asks nothing special may be any of these.
PLAIN = {"other", "reply", "new_request"}


@dataclass(frozen=True)
class Case:
    """One message and what a careful colleague would make of it."""

    id: str
    language: str
    cls: str
    raw: bytes = field(repr=False)
    expected: dict[str, Any] = field(repr=False, default_factory=dict)


def load() -> list[Case]:
    """Every labelled message."""
    return [_case(json.loads(line)) for line in CASES.read_text("utf-8").splitlines() if line.strip()]


def no_bounces() -> dict[str, bytes]:
    """Mail that speaks of mail that failed, or is headed like a report, and is none; by what it is."""
    return {each["id"]: _plain(each["headers"], each["body"]) for each in _lines(NO_BOUNCES)}


def bounces() -> dict[str, tuple[bytes, list[tuple[str, bool, bool]]]]:
    """Reports of mail systems in their own words alone, with who failed, whether for good, and whether to suppress."""
    return {
        each["id"]: (_plain(each["headers"], each["body"]), [tuple(one) for one in each["failed"]])
        for each in _lines(BOUNCES)
    }


def replies() -> dict[str, tuple[str, str]]:
    """Bodies as mail programs make them, with what their writer wrote this time."""
    return {each["id"]: (each["body"], each["reply"]) for each in _lines(REPLIES)}


def answers(*, suppress: bool) -> list[str]:
    """What mail servers say of a mailbox that is gone for good, or of everything else."""
    return [str(each["said"]) for each in _lines(ANSWERS) if each["suppress"] is suppress]


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _plain(headers: dict[str, str], body: str) -> bytes:
    head = {"To": "office@acme.example", "Date": "Mon, 06 Jul 2026 09:00:00 +0200", **headers}
    return "".join(f"{name}: {value}\n" for name, value in head.items()).encode() + b"\n" + body.encode()


def _case(data: dict[str, Any]) -> Case:
    message = EmailMessage()
    message["From"] = "Kim Client <kim@globex.example>"
    message["To"] = "Office <office@acme.example>"
    message["Date"] = "Mon, 06 Jul 2026 09:00:00 +0200"
    message["Message-ID"] = f"<{data['id']}@globex.example>"
    message["Subject"] = data["subject"]
    for name, value in data.get("headers", {}).items():
        message[name] = value
    message.set_content(data["body"])
    return Case(data["id"], data["language"], data["class"], message.as_bytes(), data)
