"""Reading again: messages of which rules are unsure are put to a model, one at a time, before engines hear of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from brain import answers, unsure
from brain.given import Message as Given
from brain.questions import Question
from domain import clocks, deliveries, events, inbox, model_calls, models, schedule, settings, vouching
from domain.db import FenceLost, Tx
from domain.events import Event
from domain.house import Leaving
from domain.inbox import Message
from domain.vault import Vault
from jobs import ask
from jobs.ask import Desk, Reply, Wish
from jobs.hour import Cycle, DeadlinePassed, Stopped

BATCH = 50

Asked = tuple[Message, Question[Any, Any]]


def reread(cycle: Cycle, waiting: Sequence[Event]) -> None:
    """Put the messages behind some events to a model where rules are unsure of them."""
    _reread(cycle, [UUID(event.subject_id) for event in waiting if event.type == "mail.received"])


def take_up_deferred(cycle: Cycle) -> bool:
    """Messages whose reading had to wait for a new day's budget; engines hear of them once more. False: none."""
    with cycle.transaction() as tx:
        due = model_calls.deferred(tx, limit=BATCH)
    if not due:
        return False
    message_ids = list(dict.fromkeys(about for about in due.values() if about is not None))
    try:
        _reread(cycle, message_ids)
    except (FenceLost, Stopped, DeadlinePassed, Leaving):
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run; the rules' reading stands
        cycle.note("reread", error)
    # only now: what ends the cycle before this leaves them due
    with cycle.transaction() as tx:
        model_calls.made_up(tx, due)
        for message_id in message_ids:
            events.tell_again(tx, "mail.received", "message", str(message_id))
    return bool(message_ids)


def _reread(cycle: Cycle, message_ids: Sequence[UUID]) -> None:
    if not message_ids:
        return
    with cycle.transaction() as tx:
        chosen = settings.of(tx)
        found = inbox.several(tx, message_ids)
    unclear = [message for message in found if _questions(message)]
    desk = Desk(cycle.house, cycle.held.tenant_id, cycle.held.lock_id, chosen, cycle.run.id)
    # kept a few at a time, so that what ends the cycle meanwhile has none of them read and paid for twice
    for start in range(0, len(unclear), ask.AT_ONCE):
        few = unclear[start : start + ask.AT_ONCE]
        replies = _ask(cycle, desk, [(message, question) for message in few for question in _questions(message)])
        # what it turned out to be may call for more
        more = [(message, question) for message in few for question in _called_for(message, replies[message.id])]
        for message_id, told in _ask(cycle, desk, more).items():
            replies[message_id] |= told
        with cycle.transaction() as tx:
            for message in few:
                _keep(tx, cycle.house.vault, message, replies[message.id])


def _ask(cycle: Cycle, desk: Desk, wished: Sequence[Asked]) -> Mapping[UUID, dict[str, Reply[Any]]]:
    """The answers about each message, by question."""
    replies: dict[UUID, dict[str, Reply[Any]]] = defaultdict(dict)
    for question, some in _by_question(wished):
        cycle.breathe()
        for message, reply in zip(some, ask.ask_each(desk, question, [_wish(each) for each in some]), strict=True):
            replies[message.id][question.name] = reply
    return replies


def _questions(message: Message, cls: str | None = None) -> tuple[Question[Any, Any], ...]:
    """What to ask about a message of its class, or of the one that it turned out to be of."""
    if message.direction != "in":
        return ()
    return unsure.asked(cls or message.cls, message.reading, by_person=message.by_person)


def _called_for(message: Message, replies: Mapping[str, Reply[Any]]) -> list[Question[Any, Any]]:
    told = {name: reply.answer for name, reply in replies.items() if reply.by != models.RULEBOOK}
    cls, _, _ = unsure.settled(message.cls, message.flags, told, {})
    return [question for question in _questions(message, cls) if cls != message.cls and question.name not in replies]


def _by_question(wished: Sequence[Asked]) -> list[tuple[Question[Any, Any], list[Message]]]:
    groups: dict[str, tuple[Question[Any, Any], list[Message]]] = {}
    for message, question in wished:
        groups.setdefault(question.name, (question, []))[1].append(message)
    return list(groups.values())


def _wish(message: Message) -> Wish[Any]:
    sent = (message.sent_at or message.received_at).astimezone(UTC)
    given = Given(
        subject=message.subject or "",
        text=str(message.reading.get("reply") or ""),
        sent_on=min(sent, message.received_at.astimezone(UTC)).date(),
        is_reply=bool(message.in_reply_to),
    )
    return Wish(given, message_id=message.id, names=(message.from_name or "",))


def _keep(tx: Tx, vault: Vault, message: Message, replies: dict[str, Reply[Any]]) -> None:
    """Do at once what concerns the writer's own peace, and store what a model read once all of it is there."""
    told = {name: reply.answer for name, reply in replies.items() if reply.by != models.RULEBOOK}
    _heed(tx, vault, message, told)
    put_off = [reply.deferred_until for reply in replies.values() if reply.deferred_until is not None]
    if put_off:
        # the rules' reading stands until then
        schedule.bring_forward(tx, min(put_off), extra=True)
        return
    if not told:
        return
    by = {name: replies[name].by for name in told}
    cls, flags, kept = unsure.settled(message.cls, message.flags, told, by)
    inbox.reread(tx, message.id, cls=cls, flags=flags, model=kept)


def _heed(tx: Tx, vault: Vault, message: Message, told: Mapping[str, Any]) -> None:
    """A wish to be left alone and an absence count as soon as they are read, whatever else is still to be asked."""
    first, back = told.get("classify"), told.get("return_date")
    if isinstance(first, answers.Classified) and first.wants_unsubscribe:
        _leave_alone(tx, vault, message)
    if (isinstance(back, answers.ReturnDay) and back.back_on is not None and message.contact_id is not None
            and vouching.by_account(message)):  # fmt: skip
        until = datetime.combine(back.back_on, time.min, UTC) + timedelta(days=1)
        clocks.pause(tx, message.contact_id, min(until, tx.now + LONGEST_ABSENCE))


LONGEST_ABSENCE = timedelta(days=120)


def _leave_alone(tx: Tx, vault: Vault, message: Message) -> None:
    """A wish to be left alone counts when the writer is who they say: nobody opts others out by a forged mail."""
    aligned = (message.reading.get("authentication") or {}).get("aligned")
    counts = vouching.may_opt_out(message.word_of, aligned=aligned, knows_mail=message.reply_to_card_id is not None,
                                  is_known=message.contact_id is not None)  # fmt: skip
    if message.from_address and counts:
        deliveries.opted_out(tx, vault, message.from_address, source="mail", message_id=str(message.id))
