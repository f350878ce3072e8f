"""A new operator follows the page of operations, every command as printed, to a tenant in `internal_only`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from domain.clock import SystemClock
from simulator.emulators.resend import ResendEmulator
from tests.worker.line import Line

PAGE = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
SECRETS = {"resend_api_key": "re_acme\n"}


def block(name: str, end: str) -> list[str]:
    """The lines of one marked block of the page."""
    found = re.search(rf"<!-- {re.escape(name)} -->\n```\n(.*?)```\n<!-- /{end} -->", PAGE, re.DOTALL)
    assert found, name
    return found[1].splitlines()


@pytest.fixture
def resend(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResendEmulator]:
    """Resend on loopback, and no other vendor, so that the clock may be moved."""
    with ResendEmulator(clock=SystemClock()) as emulator:
        for name in ("RESEND_API_URL", "GMAIL_API_URL", "GOOGLE_TOKEN_URL", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL",
                     "GEMINI_API_URL"):  # fmt: skip
            monkeypatch.setenv(name, emulator.url)
        emulator.account("re_acme")
        yield emulator


def test_every_command_as_printed_leads_to_internal_only(
    hh: Line, resend: ResendEmulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("people.csv").write_text("\n".join(block("people.csv", "people.csv")) + "\n", encoding="utf-8")
    move_clock(monkeypatch, weeks=0)
    said = [follow(hh, line) for line in block("newcomer: first", "newcomer")]
    assert "2" in said[5]
    assert "✗" not in said[-1]
    # the first touches of an import are spread over three weeks
    move_clock(monkeypatch, weeks=4)
    told = {line: follow(hh, line) for line in block("newcomer: later", "newcomer")}
    assert told["hourhand cards --state held"].count("send_email") == 2
    [tried] = [answer for line, answer in told.items() if "whatif" in line]
    assert "1 would newly be done" in tried
    # of two people one is the tenant's own, whose mail went out; the other was held a moment ago, and rests
    assert [mail["to"] for mail in resend.sent("re_acme")] == [["ana.test@acme.example"]]
    assert sorted(card["state"] for card in hh("cards")) == ["deferred", "done", "held", "held"]
    assert hh("status")["tenants"][0]["mode"] == "internal_only"


def follow(hh: Line, line: str) -> str:
    """Run one line as it is printed; what it said. It must not complain."""
    program, *arguments = shlex.split(line, comments=True)
    assert program == "hourhand"
    secret = SECRETS.get(arguments[-1], "") if arguments[:2] == ["credential", "set"] else ""
    code, said, complained = hh.plain(*arguments, stdin=secret)
    assert code == 0, f"{line}: {said}{complained}"
    return said


def move_clock(monkeypatch: pytest.MonkeyPatch, *, weeks: int) -> None:
    """Mid-morning in New York on a Tuesday without a holiday, some weeks from now."""
    now = SystemClock().now()
    day = datetime(now.year + 1, 3, 2, 15, tzinfo=UTC)
    day += timedelta(days=(1 - day.weekday()) % 7, weeks=weeks)
    monkeypatch.setenv("HOURHAND_CLOCK_SHIFT_SECONDS", str(int((day - now).total_seconds())))
