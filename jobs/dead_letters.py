"""Dead letters: whatever was given up after five tries, in one list with its reason, and one verb that puts it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import audit, cards, deliveries, events, executions, quarantine, schedule
from domain.cards import Card, Proposal
from domain.db import Row, Tx
from jobs import rescue

Kind = Literal["message", "webhook", "event", "job", "card"]


class UnknownLetter(LookupError):
    """There is no dead letter under this id: it was never one, or it was put back already."""


class NotReplayable(Exception):
    """This can't be put back from here."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that is not tried again by itself."""

    id: UUID
    kind: Kind
    source: str
    """What names it where it came from: mailbox and message id, event id, job, a card's title."""
    reason: str
    tries: int
    since: datetime


# A card that failed by our own fault, unless its intention has had another card since.
_CARDS = """SELECT c.id, 'card' AS kind, c.title AS source, coalesce(c.reason, '') AS reason, c.attempts AS tries,
                   c.state_changed_at AS since
            FROM kanban_cards c
            WHERE c.tenant_id = :t AND c.state = 'failed' AND c.rule = :rule AND NOT EXISTS (
                SELECT FROM kanban_cards later
                WHERE later.tenant_id = :t AND later.dedupe_key = c.dedupe_key AND later.id > c.id)"""
# A row of a file is not among them: it is mended in its file by whoever wrote it, and nobody tries it again.
_ITEMS = """SELECT id, kind, source, reason, attempts AS tries, created_at AS since FROM quarantine
            WHERE tenant_id = :t AND replayed_at IS NULL AND attempts >= :dead AND kind <> 'csv_row'"""


def listed(tx: Tx, *, before: tuple[datetime, UUID] | None = None, limit: int = 100) -> Sequence[Letter]:
    """The tenant's dead letters, the newest first, those that stand behind `before` (since, id)."""
    since, tie = before or (None, None)
    rows = tx.rows(
        f"""SELECT id, kind, source, reason, tries, since FROM ({_ITEMS} UNION ALL {_CARDS}) AS letters
            WHERE CAST(:tie AS uuid) IS NULL OR (since, id) < (CAST(:since AS timestamptz), :tie)
            ORDER BY since DESC, id DESC LIMIT :limit""",
        t=tx.tenant_id, since=since, tie=tie, rule=executions.STUMBLED, dead=quarantine.TRIES, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def replay(tx: Tx, letter_id: UUID) -> Letter:
    """Put one back, to be tried from the start; once, however often and by however many it is asked for.

    Raises UnknownLetter, NotReplayable.
    """
    schedule.lock(tx)
    row = tx.row(
        f"SELECT id, kind, source, reason, tries, since FROM ({_ITEMS} UNION ALL {_CARDS}) AS letters WHERE id = :id",
        t=tx.tenant_id, rule=executions.STUMBLED, dead=quarantine.TRIES, id=letter_id,
    )  # fmt: skip
    if row is None:
        raise UnknownLetter(f"there is no dead letter {letter_id}")
    letter = _load(row)
    _PUT_BACK[letter.kind](tx, letter)
    if letter.kind != "card":
        quarantine.put_back(tx, letter_id, still_waits=letter.kind == "message")
    audit.record(tx, "dead_letter.replay", str(letter_id), kind=letter.kind, source=letter.source)
    return letter


def _message(tx: Tx, _letter: Letter) -> None:
    """Its mailbox takes it in again, at the next poll."""
    schedule.poll_now(tx)


def _webhook(tx: Tx, letter: Letter) -> None:
    provider, _, event_id = letter.source.partition("/")
    if not deliveries.again(tx, provider, event_id):
        raise NotReplayable("its body was never understood: have the provider send it again")
    schedule.bring_forward(tx, tx.now, extra=True)


def _event(tx: Tx, letter: Letter) -> None:
    if not events.react_again(tx, letter.source):
        raise NotReplayable("the event is no longer kept")
    schedule.bring_forward(tx, tx.now, extra=True)


def _job(tx: Tx, letter: Letter) -> None:
    rescue.enqueue(tx, letter.source.split(":", 1)[0], tx.tenant_id)


def _card(tx: Tx, letter: Letter) -> None:
    """The same intention as a new card, judged from the start: a card's own end is never undone."""
    dead = cards.get(tx, letter.id)
    assert dead is not None
    cards.propose(tx, [_once_more(tx, dead)], reconsider_hours=0)
    schedule.bring_forward(tx, tx.now, extra=True)


def _once_more(tx: Tx, dead: Card) -> Proposal:
    return Proposal(
        type=dead.type, engine=dead.engine, title=dead.title, subject_type=dead.subject_type,
        subject_id=dead.subject_id, dedupe_key=dead.dedupe_key, due_at=tx.now,
        latest_at=tx.now + (dead.latest_at - dead.due_at), client_id=dead.client_id, contact_id=dead.contact_id,
        thread_id=dead.thread_id, payload=dead.payload, evidence=dead.evidence, priority=dead.priority,
    )  # fmt: skip


_PUT_BACK: Mapping[Kind, Callable[[Tx, Letter], None]] = {
    "message": _message,
    "webhook": _webhook,
    "event": _event,
    "job": _job,
    "card": _card,
}


def _load(row: Row) -> Letter:
    return Letter(**{name: row[name] for name in Letter.__slots__})
