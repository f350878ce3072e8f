"""Dead letters put back: what was given up after five tries is tried again from the start, once a person says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from uuid import UUID

from domain import audit, cards, deliveries, events, given_up, quarantine, schedule
from domain.cards import Card, Proposal
from domain.db import Tx
from domain.given_up import Kind, Letter
from jobs import rescue


class NotReplayable(Exception):
    """This can't be put back from here."""


def replay(tx: Tx, letter_id: UUID) -> Letter:
    """Put one back, to be tried from the start; once, however often and by however many it is asked for.

    Raises UnknownLetter, NotReplayable.
    """
    schedule.lock(tx)
    letter = given_up.get(tx, letter_id)
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
