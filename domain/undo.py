"""Undo: what of each action type can be taken back, and the verbs that take it back, one card at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import audit, cards, cases, compliance_checks, compliance_life, deals, events, order_fixes, tasks
from domain.cards import Card
from domain.db import Tx


class UnknownCard(LookupError):
    """The tenant has no such card."""


class NotUndoable(Exception):
    """This action can't be taken back."""


class ChangedSince(Exception):
    """The record was changed after the action: taking the action back would undo somebody else's work."""


@dataclass(frozen=True, slots=True)
class Declared:
    """Whether an action type can be taken back, and how; or why not."""

    possible: bool
    how: str


MAIL = Declared(False, "a mail that went out can't be called back")
LOOKS = Declared(False, "it only adds to what is known, and changes no record")

BY_TYPE: Mapping[str, Declared] = {
    "send_email": MAIL,
    "follow_up": MAIL,
    "send_quote": MAIL,
    "request_feedback": MAIL,
    "broadcast_email": MAIL,
    "compliance_reminder": MAIL,
    "request_order_info": MAIL,
    "escalate_compliance": Declared(True, "the manager's task is cancelled; what they were told can't be called back"),
    "create_task": Declared(True, "the task is cancelled, while nobody has finished it"),
    "open_case": Declared(True, "the case is closed, while it is open"),
    "research": LOOKS,
    "discover_contacts": LOOKS,
    "validate_order": LOOKS,
    "enrich_contact": Declared(True, "each field gets its former value, while nobody has changed it since"),
    "fix_order": Declared(True, "each figure gets its former value, while nobody has changed it since"),
    "update_deal": Declared(True, "the deal gets its former values, while nobody has moved it since"),
    "run_script": Declared(False, "a script changes no record: delete its document instead"),
}
"""Every action type says so, one by one; a test finds the one that does not."""

Reversal = Callable[[Tx, Mapping[str, Any]], None]
"""A verb that takes one change back, given what the action left for it. Raises ChangedSince."""


def _cancel_task(tx: Tx, told: Mapping[str, Any]) -> None:
    try:
        tasks.finish(tx, UUID(told["task_id"]), state="cancelled")
    except tasks.UnknownTask as error:
        raise ChangedSince("the task is no longer open") from error


def _close_case(tx: Tx, told: Mapping[str, Any]) -> None:
    try:
        cases.close(tx, UUID(told["case_id"]), outcome=str(told.get("outcome", "undone")))
    except cases.UnknownCase as error:
        raise ChangedSince("the case is no longer open") from error


def _restore_deal(tx: Tx, told: Mapping[str, Any]) -> None:
    try:
        deals.restore(tx, UUID(told["deal_id"]), to=told["to"], seen=told["seen"])
    except (deals.IllegalDealMove, deals.UnknownDeal) as error:
        raise ChangedSince(str(error)) from error


def _restore_order(tx: Tx, told: Mapping[str, Any]) -> None:
    try:
        order_fixes.restore(tx, UUID(told["order_id"]), told["changes"])
    except order_fixes.FixRefused as error:
        raise ChangedSince(str(error)) from error


def _take_escalation_back(tx: Tx, told: Mapping[str, Any]) -> None:
    try:
        compliance_life.take_back(tx, UUID(told["check_id"]))
    except (compliance_checks.IllegalCheckMove, compliance_checks.UnknownCheck) as error:
        raise ChangedSince(str(error)) from error


VERBS: Mapping[str, Reversal] = {
    "orders.restore": _restore_order,
    "tasks.finish": _cancel_task,
    "cases.close": _close_case,
    "deals.restore": _restore_deal,
    "compliance.take_back": _take_escalation_back,
}
"""Every reversing verb, by the name under which a handler's `Outcome.undo` asks for it."""


def of(card: Card) -> Declared:
    """Whether this very card can be taken back now, and how; or why not."""
    declared = BY_TYPE[card.type]
    if not declared.possible:
        return declared
    if card.state != "done":
        return Declared(False, f"it is {card.state.replace('_', ' ')}: there is nothing to take back")
    if undone := card.outcome.get("undone"):
        return Declared(False, f"{undone['by']} took it back already")
    if not _data(card):
        return Declared(False, "it changed nothing that could be put back")
    return declared


def undo(tx: Tx, card_id: UUID, *, by: str, reason: str) -> Card:
    """Take back what a card did, in one transaction with its event and its audit line; the card as it stands then.

    A card that was taken back already stays as it is: repeating changes nothing. Raises UnknownCard,
    NotUndoable, ChangedSince.
    """
    if not tx.run("SELECT 1 FROM kanban_cards WHERE tenant_id = :t AND id = :id FOR UPDATE",
                  t=tx.tenant_id, id=card_id):  # fmt: skip
        raise UnknownCard(f"no card {card_id}")
    card = cards.get(tx, card_id)
    assert card is not None
    if card.outcome.get("undone"):
        return card
    if not (able := of(card)).possible:
        raise NotUndoable(f"{card.type}: {able.how}")
    steps = _data(card)
    # the last change is the first to be taken back
    for step in reversed(steps):
        if step["verb"] not in VERBS:
            raise NotUndoable(f"{card.type}: nothing here knows how to take {step['verb']!r} back any more")
        VERBS[step["verb"]](tx, step)
    return _note(tx, card, by=by, reason=reason, verbs=[str(step["verb"]) for step in steps])


def _data(card: Card) -> list[Mapping[str, Any]]:
    """What the action left to be taken back: one step, or several in the order in which they were done."""
    told = card.outcome.get("undo")
    if isinstance(told, Mapping):
        return list(told["steps"]) if "steps" in told else [told]
    return []


def _note(tx: Tx, card: Card, *, by: str, reason: str, verbs: list[str]) -> Card:
    row = tx.row(
        f"""UPDATE kanban_cards SET outcome = outcome || :undone WHERE tenant_id = :t AND id = :id
            RETURNING {cards.COLUMNS}""",
        undone={"undone": {"by": by, "reason": reason, "at": tx.now.isoformat()}}, t=tx.tenant_id, id=card.id,
    )  # fmt: skip
    assert row is not None
    events.record(tx, "card.undone", "card", card.id, client_id=card.client_id, contact_id=card.contact_id,
                  type=card.type, engine=card.engine, by=by, verbs=verbs)  # fmt: skip
    audit.record(tx, "card.undo", str(card.id), reason=reason, type=card.type, by=by)
    return cards.load(row)
