"""What the demonstration prints can be read in eighty columns, and it does not praise itself for broken promises."""

from __future__ import annotations

import io
from dataclasses import replace
from uuid import UUID

import pytest
from rich.console import Console

from simulator import demo
from simulator.demo import telling
from simulator.demo.findings import Findings, Ledger, Refusal

LEDGER = Ledger(7, 3, {"acted": 1, "deferred": 2}, adds_up=True)
GOOD = Findings(
    slug="acme", name="Acme", mode="live", contacts=40, clients=20, countries=9, mailbox=60, stored=60,
    classes={"reply": 12, "out_of_office": 3}, attachments=7, malformed=1, cards={"done": 1, "awaiting_approval": 1},
    sent=1, posted=[{"key": "k1", "to": "bill@initech.example", "subject": "Hello"}], doubled=0, unrecorded=0,
    held=[{"name": f"Somebody {n}", "subject": "A long subject " * 5} for n in range(9)],
    refusals=[Refusal("no_spam.send_window", "Mail goes out by day. " * 4, 3, "deferred", "Touch: Bill", "it is late")],
    suppressed={"opted_out": 1}, tasks=["Call Bill"], cases=[], orders={"accepted": 2},
    done={"engagement": 1}, moved=["engagement"], quotes={"sent": 1}, deals={"open": 2},
    exceptions={"total_missing fixed": 2}, feedback={"queued": 1}, checks={"completed": 2}, cycles=9,
    ledgers_add_up=True, ledger=LEDGER,
    busiest=LEDGER, reflection="Hour 7.\n\nA quiet one.", fullest="Hour 3.\n\nA full one.", errors=[], why=UUID(int=1),
)  # fmt: skip


def test_a_report_fits_into_eighty_columns() -> None:
    written = io.StringIO()
    Console(file=written, width=80).print(telling.report(GOOD))
    assert max(len(line) for line in written.getvalue().splitlines()) <= 80
    assert "and 3 more" in written.getvalue()
    assert "3 due = 1 acted + 2 deferred: adds up" in " ".join(written.getvalue().split())


def test_commands_are_printed_whole_so_that_they_can_be_copied() -> None:
    written = io.StringIO()
    teller = telling.Teller(Console(file=written, width=80))
    commands = telling.commands("HOURHAND_DATA_DIR=/x hourhand", "http://127.0.0.1:1", "hh_" + "k" * 90, GOOD, GOOD)
    for command in commands:
        teller.say(command)
    assert written.getvalue().splitlines() == list(commands)


@pytest.mark.parametrize(
    "wrong",
    [replace(GOOD, doubled=1), replace(GOOD, unrecorded=1), replace(GOOD, posted=GOOD.posted * 2),
     replace(GOOD, mode="dry_run"), replace(GOOD, ledgers_add_up=False), replace(GOOD, errors=["hour 3, act: X"])],
)  # fmt: skip
def test_a_broken_promise_is_told(wrong: Findings) -> None:
    demo.check({"acme": GOOD})
    with pytest.raises(demo.BrokenPromise, match="acme"):
        demo.check({"acme": wrong})
