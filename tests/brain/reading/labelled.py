"""Labelled messages of our own writing, as mail: what no public corpus has."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

CASES = Path(__file__).resolve().parents[2] / "data" / "reading" / "cases.jsonl"

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
