"""Approvals: what a person sees is what they approve, and what they approved is what goes out."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import approval, audit, cards, executions, settings
from domain.cards import Card
from domain.db import Tx
from domain.house import House
from jobs import judge


class NotWaiting(Exception):
    """The card is not waiting for approval."""


class ApprovalExpired(Exception):
    """The time for approving the card is over: it is proposed again when it is still worth doing."""


class ApprovalVoid(Exception):
    """What would go out is no longer what was shown: look at the card again and approve what it says now."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as a person is to see it; `seen` is the hash that binds an approval to exactly this."""

    card: Card
    seen: str
    to: tuple[str, ...]
    subject: str
    text: str
    reason: str
    outdated: str = ""
    """What it was written from and is another by now, in words: nobody can approve it any more."""


def show(house: House, tx: Tx, card_id: UUID) -> Shown:
    """Render a waiting card as it would go out now, and bind its approval to that. Raises NotWaiting."""
    card = executions.lock(tx, card_id, states=("awaiting_approval",))
    if card is None:
        raise NotWaiting(f"card {card_id} is not waiting for approval")
    [judged] = judge.look(house, tx, [card], settings.of(tx))
    seen = judge.seen_hash(judged)
    if card.approval_hash is None or bytes(card.approval_hash) != seen:
        approval.show_again(tx, card.id, seen=seen)
    mail = judged.mail
    outdated = next((each.reason for each in judged.judgement.verdicts if each.decision == "renew"), "")
    return Shown(card, seen.hex(), mail.to if mail else (), mail.subject if mail else card.title,
                 mail.text if mail else "", outdated or card.reason or "", outdated)  # fmt: skip


def approve(house: House, tx: Tx, card_id: UUID, *, seen: str, by: str) -> Card:
    """Approve what was shown under `seen`. Raises NotWaiting, ApprovalExpired, ApprovalVoid."""
    shown = show(house, tx, card_id)
    if shown.card.approval_expires_at is not None and shown.card.approval_expires_at <= tx.now:
        raise ApprovalExpired(f"card {card_id} could be approved until {shown.card.approval_expires_at.isoformat()}")
    if shown.outdated:
        raise ApprovalVoid(f"{shown.outdated}: card {card_id} gives way to a new one, which is asked about again")
    if not hmac.compare_digest(shown.seen, seen):
        raise ApprovalVoid(f"card {card_id} has changed since it was shown: its content is now {shown.seen}")
    approved = approval.approve(tx, card_id, by=by)
    audit.record(tx, "card.approve", str(card_id), seen=seen)
    return approved


def reject(tx: Tx, card_id: UUID, *, by: str, reason: str) -> Card:
    """Refuse a card with a reason. Raises IllegalMove."""
    rejected = approval.reject(tx, card_id, by=by, reason=reason)
    audit.record(tx, "card.reject", str(card_id), reason=reason)
    return rejected


def snooze(tx: Tx, card_id: UUID, *, until: datetime) -> Card:
    """Leave a card waiting, unseen before `until`, at most 30 days from now. Raises IllegalMove, ValueError."""
    if not tx.now < until <= tx.now + timedelta(days=30):
        raise cards.IllegalMove("until: a card is snoozed to a moment within the next 30 days")
    snoozed = approval.snooze(tx, card_id, until=until)
    audit.record(tx, "card.snooze", str(card_id), until=until.isoformat())
    return snoozed


def edit(house: House, tx: Tx, card_id: UUID, *, changes: Mapping[str, Any], by: str) -> Shown:
    """Change a waiting card's subject or text; it is shown and asked anew. Raises NotWaiting, ValueError."""
    if unknown := set(changes) - {"subject", "text"}:
        raise ValueError(f"only subject and text of a card can be edited, not {', '.join(sorted(unknown))}")
    if executions.lock(tx, card_id, states=("awaiting_approval",)) is None:
        raise NotWaiting(f"card {card_id} is not waiting for approval")
    approval.edit(tx, card_id, payload={**changes, "edited_by": by})
    audit.record(tx, "card.edit", str(card_id), fields=sorted(changes))
    return show(house, tx, card_id)
