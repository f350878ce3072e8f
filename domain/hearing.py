"""Somebody at an account said something, by mail or on a page of ours: what runs to the account stops for it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain import clients, clocks, compliance_life, deal_activity, feedback_life, quote_life
from domain.db import Tx


def heard(
    tx: Tx, client_id: UUID, *, contact_id: UUID | None, thread_id: UUID | None, message_id: UUID | None,
    at: datetime, asks: bool = False,
) -> None:  # fmt: skip
    """The account's deals note it, and nobody there is followed up, reminded or asked again for now."""
    deal_activity.heard(tx, client_id, contact_id=contact_id, thread_id=thread_id, message_id=message_id, at=at,
                        asks=asks)  # fmt: skip
    quote_life.silence(tx, client_id, message_id=message_id, thread_id=thread_id if message_id else None)
    feedback_life.silence(tx, client_id)
    compliance_life.heard(tx, client_id, at=at)


def hushed(tx: Tx, client_id: UUID, *, at: datetime) -> None:
    """Somebody wrote who may be of the account: nobody there is pressed on for now, and no record says they wrote."""
    deal_activity.hushed(tx, client_id, at=at)
    quote_life.silence(tx, client_id)
    feedback_life.silence(tx, client_id)
    compliance_life.heard(tx, client_id, at=at, believed=False)


def stop(tx: Tx, client_id: UUID, at: datetime, *, how: str, believed: bool = True) -> None:
    """Every sequence to the account stops, once however much was said; `how`: in what they said it.

    What may be anybody's, which is not `believed`, is no reply: no conversation begins with it, so whatever else falls
    due to the account is due as it was.
    """
    if believed:
        clients.replied(tx, client_id, at)
    clocks.stop_sequences(tx, client_id, reason=f"{how} of {at:%Y-%m-%d} from the account")
