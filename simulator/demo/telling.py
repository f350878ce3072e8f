"""How the demonstration speaks: a line per hour while it runs, then what was done, refused, held and concluded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from simulator.demo.findings import Findings, Ledger
from simulator.demo.story import Hour

WIDTH = 80
SHOWN = 6
"""How many of a list are shown; the rest are counted."""


@dataclass
class Teller:
    """Speaks on a console, or keeps quiet until it can say everything in JSON."""

    console: Console
    as_json: bool = False
    hours: list[dict[str, Any]] = field(default_factory=list)

    def say(self, text: str = "") -> None:
        """A line for people; a long one is left to the terminal, so that it can be copied whole."""
        if not self.as_json:
            self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        """Something drawn, for people."""
        if not self.as_json:
            self.console.print(what)

    def heard(self, told: Hour | tuple[datetime, str]) -> None:
        """A cycle, or something that a person did."""
        if isinstance(told, tuple):
            at, sentence = told
            self.hours.append({"at": at.isoformat(), "deed": sentence})
            self.show(Text(f"{at:%a %d %b %H:%M}  {sentence}", style="italic"))
            return
        self.hours.append({
            "at": told.at.isoformat(), "tenant": told.slug, "cycle": told.number, "outcome": told.outcome,
            "executed": told.executed, "held": told.held, "blocked": told.blocked, "deferred": told.deferred,
            "failed": told.failed, "mail_in": told.mail["messages"],
        })  # fmt: skip
        self.show(_line(told))


def console() -> Console:
    """As wide as the terminal, and no narrower than 80 columns where there is none."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=max(WIDTH, made.width))


def report(found: Findings) -> RenderableType:
    """What one company has to show."""
    parts: list[RenderableType] = [_facts(found), _refused(found)]
    if found.held:
        parts.append(_held(found))
    parts.append(_ledger(found.ledger, found))
    for title, words in (("the fullest hour", found.fullest), ("the last hour", found.reflection)):
        parts.append(Panel(words.strip(), title=f"{title}, in its own words", title_align="left", width=WIDTH))
    heading = Text(f"{found.name} ({found.slug}, {found.mode})", style="bold")
    return Group(Text(), heading, *(Padding(part, (1, 0, 0, 0)) for part in parts))


def as_data(found: Findings) -> dict[str, Any]:
    """The same for programs."""
    told = asdict(found)
    return {**told, "why": str(found.why) if found.why else None}


def _line(hour: Hour) -> Text:
    told = [
        f"{count} {what}"
        for count, what in (
            (hour.mail["messages"], "mail in" if hour.mail["messages"] == 1 else "mails in"),
            (hour.executed, "done"), (hour.held, "held"),
            (hour.blocked, "blocked"), (hour.deferred, "put off"), (hour.failed, "failed"), (hour.expired, "expired"),
        )
        if count
    ]  # fmt: skip
    line = Text(f"{hour.at:%a %d %b %H:%M}  ")
    line.append(f"{hour.slug:<12}", style="bold")
    line.append(f"hour {hour.number:>2}  ")
    line.append(", ".join(told) or "nothing was due", style="" if told else "dim")
    return line


def _facts(found: Findings) -> Table:
    drawn = _table(None, None)
    waiting = found.cards.get("awaiting_approval", 0)
    rows: Mapping[str, str] = {
        "people": f"{found.contacts} contacts of {found.clients} accounts in {found.countries} countries",
        "mail in": f"{found.mailbox} messages in the mailbox, {found.stored} stored with their raw bytes, "
                   f"{found.attachments} attachments, {found.malformed} malformed: "
                   + ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.classes.items()),
        "mail out": f"{found.sent} taken by the provider in {len(found.posted)} requests, {found.doubled} twice"
                    if found.sent else f"none; {len(found.held)} held by {found.mode}",
        "cards": ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.cards.items()),
        "orders": ", ".join(f"{n} {name.replace('_', ' ')}" for name, n in found.orders.items()) or "none",
        "engines": ", ".join(f"{name} did {n}" for name, n in found.done.items())
                   + f"; numbers that moved: {', '.join(found.moved)}",
        "deals": ", ".join(f"{n} {name}" for name, n in found.deals.items()) or "none",
        "quotes": ", ".join(f"{n} {name}" for name, n in found.quotes.items()) or "none",
        "found wrong": ", ".join(name.replace("_", " ") + (f" ×{n}" if n > 1 else "")
                                 for name, n in found.exceptions.items()) or "nothing",
        "feedback": ", ".join(f"{n} {name}" for name, n in found.feedback.items()) or "nobody was asked",
        "records": ", ".join(f"{n} check{'s' if n > 1 else ''} {name}" for name, n in found.checks.items())
                   or "nothing is required",
        "for people": "; ".join([*found.tasks, *found.cases]) or "nothing",
        "waiting": f"{waiting} for somebody's yes or no" if waiting else "nothing",
        "suppressed": ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.suppressed.items()) or "nobody",
    }  # fmt: skip
    for name, text in rows.items():
        drawn.add_row(Text(name, style="dim"), text)
    return drawn


def _refused(found: Findings) -> RenderableType:
    drawn = _table("refused", "by which rule, and why", ("", 3))
    for each in found.refusals:
        told = Text(each.rule, style="bold")
        told.append(f"\n{each.sentence}", style="dim")
        told.append(f"\n{each.example}: {each.reason}")
        drawn.add_row(Text(each.decision.replace("_", " ")), told, str(each.cards))
    return drawn


def _held(found: Findings) -> RenderableType:
    drawn = _table("held by dry_run", "would have gone out as")
    for each in found.held[:SHOWN]:
        drawn.add_row(each["name"], each["subject"])
    if len(found.held) > SHOWN:
        drawn.add_row("…", f"and {len(found.held) - SHOWN} more")
    return drawn


def _ledger(told: Ledger, found: Findings) -> RenderableType:
    line = Text(f"Ledger of the last hour ({told.number}): {_sum(told)}", style="bold")
    line.append(f"\nLedger of the busiest hour ({found.busiest.number}): {_sum(found.busiest)}")
    every = "every one adds up" if found.ledgers_add_up else "NOT every one adds up"
    line.append(f"\nLedgers of all {found.cycles} hours: {every}; errors in runs: {len(found.errors)}.", style="dim")
    return line


def _sum(told: Ledger) -> str:
    sum_of = " + ".join(f"{n} {name.replace('_', ' ')}" for name, n in sorted(told.dispositions.items())) or "nothing"
    return f"{told.due} due = {sum_of}: {'adds up' if told.adds_up else 'DOES NOT ADD UP'}."


def _table(first: str | None, second: str | None, *more: tuple[str, int]) -> Table:
    drawn = Table(box=None, pad_edge=False, show_header=first is not None, header_style="bold", width=WIDTH)
    drawn.add_column(first or "", width=17 if first else 10, overflow="fold")
    drawn.add_column(second or "", ratio=1, overflow="fold")
    for name, width in more:
        drawn.add_column(name, width=width, justify="right")
    return drawn


def wire(calls: Mapping[str, int]) -> RenderableType:
    """What came to our own doors from outside, with the status that each was answered."""
    told = ", ".join(f"{name} ×{n}" for name, n in sorted(calls.items()))
    return Padding(Text(f"At our own doors (webhooks, unsubscribe): {told}", style="dim"), (1, 0, 0, 0))


def commands(command: str, address: str, key: str, live: Findings, other: Findings) -> Sequence[str]:
    """Three things to try, to be copied as they are."""
    card = live.why
    return (
        f"{command} why {other.why} --tenant {other.slug}",
        f"curl -s -H 'Authorization: Bearer {key}' {address}/v1/cards/{card}/why",
        f"{command} kill --tenant {live.slug} --reason 'just trying'",
    )
