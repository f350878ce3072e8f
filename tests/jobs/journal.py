"""A tenant's days told in full: what people got, which cards moved, what happened, and what the ledger says of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from domain import ledger, reflections
from simulator.emulators.resend import ResendEmulator
from tests.hand_clock import HandClock
from tests.jobs.letters import Post


@dataclass(frozen=True)
class Day:
    """Everything that has come about since the day before was told."""

    mails: list[str] = field(default_factory=list)
    """Whom the provider took a mail for, and its subject."""
    cards: list[str] = field(default_factory=list)
    """Type and state of every card that is not where it was."""
    events: list[str] = field(default_factory=list)
    """What happened to records of the kinds that are listened for, in its order."""
    ledger: list[str] = field(default_factory=list)
    """Each obligation of the day's hour: its kind, what became of it, and the rule that decided."""


QUIET = Day()


class Desk(Protocol):
    """Whatever lets an hour of its tenant pass."""

    clock: HandClock

    def hour(self) -> UUID:
        """An hour passes; the run."""


@dataclass
class Journal:
    """Reads a tenant's day from what was stored and from what the provider took."""

    post: Post
    resend: ResendEmulator
    key: str
    kinds: tuple[str, ...]
    """The kinds of records whose events are listened for."""
    _mails: int = 0
    _cards: dict[UUID, str] = field(default_factory=dict)
    _events: UUID = field(default=UUID(int=0))

    def day(self, run_id: UUID) -> Day:
        """The day whose hour this run was."""
        mails = self.resend.sent(self.key)[self._mails :]
        self._mails += len(mails)
        with self.post.database.tenant(self.post.tenant_id) as tx:
            cards = tx.rows("SELECT id, type, state FROM kanban_cards WHERE tenant_id = :t ORDER BY id", t=tx.tenant_id)
            events = tx.rows(
                """SELECT id, type FROM warehouse_events
                   WHERE tenant_id = :t AND id > :after AND split_part(type, '.', 1) = ANY(:kinds) ORDER BY id""",
                t=tx.tenant_id, after=self._events, kinds=list(self.kinds),
            )  # fmt: skip
            lines = ledger.lines(tx, run_id)
        moved = [f"{row['type']} {row['state']}" for row in cards if self._cards.get(row["id"]) != row["state"]]
        self._cards = {row["id"]: row["state"] for row in cards}
        self._events = events[-1]["id"] if events else self._events
        return Day(
            [f"{mail['to'][0]}: {mail['subject']}" for mail in mails],
            sorted(moved),
            [row["type"] for row in events],
            sorted(" ".join(filter(None, (each["kind"], each["disposition"], each["rule"]))) for each in lines),
        )

    def next_day(self, desk: Desk) -> Day:
        """An hour of the desk, told; then it is the same hour of the day after."""
        told = self.day(desk.hour())
        desk.clock.advance(hours=23)
        return told

    def figures(self, engine: str) -> dict[str, Any]:
        """The numbers of one engine in the latest reflection."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            told = reflections.last(tx)
        assert told is not None
        return {name.partition(".")[2]: value for name, value in told["facts"]["metrics"].items()
                if name.startswith(f"{engine}.")}  # fmt: skip
