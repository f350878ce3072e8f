"""Business of every kind that the agent writes about by itself, each falling due with one contact at a given moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import contacts, quotes
from domain.db import Tx
from domain.quote_lines import Line
from tests import build


def fall_due(tx: Tx, person: UUID, kind: str, at: datetime) -> None:
    """Something of this kind (of `KINDS`) is to be written to somebody from then on."""
    found = contacts.get(tx, person)
    assert found is not None
    KINDS[kind](tx, {"t": tx.tenant_id, "p": person, "c": found.client_id, "at": at, "now": tx.now})


def _deal(tx: Tx, about: Mapping[str, Any]) -> None:
    deal = build.deal(tx, about["p"], f"Shelves {tx.clock.uuid().hex}")
    tx.run("UPDATE deals SET follow_up_due_at = :at WHERE tenant_id = :t AND id = :id", id=deal, t=about["t"],
           at=about["at"])  # fmt: skip


def _offer(tx: Tx, about: Mapping[str, Any]) -> None:
    lines = [Line("Shelves", unit_price="5")]
    made = quotes.draft(tx, client_id=about["c"], contact_id=about["p"], lines=lines)
    quotes.offer(tx, made.id)


def _quote(tx: Tx, about: Mapping[str, Any]) -> None:
    tx.run(
        """INSERT INTO quotes (tenant_id, id, number, client_id, contact_id, status, source, subtotal, total, sent_at,
                               valid_until, follow_up_due_at, created_at, updated_at)
           VALUES (:t, :id, :number, :c, :p, 'sent', 'api', 100, 100, :sent, :until, :at, :now, :now)""",
        id=tx.clock.uuid(), number=f"S-{tx.clock.uuid().hex}", sent=about["at"] - timedelta(days=3),
        until=about["at"] + timedelta(days=30), **about,
    )  # fmt: skip


def _order(tx: Tx, about: Mapping[str, Any], status: str) -> UUID:
    order = tx.clock.uuid()
    tx.run(
        """INSERT INTO orders (tenant_id, id, client_id, contact_id, status, source, fee, tech_fee, total_amount,
                               ordered_at, delivered_at, created_at, updated_at)
           VALUES (:t, :id, :c, :p, :status, 'api', 100, 0, 100, :then, CASE :status WHEN 'delivered' THEN
                   CAST(:then AS timestamptz) END, :now, :now)""",
        id=order, status=status, then=about["at"] - timedelta(days=7), **{k: about[k] for k in ("t", "c", "p", "now")},
    )  # fmt: skip
    return order


def _feedback(tx: Tx, about: Mapping[str, Any]) -> None:
    tx.run(
        """INSERT INTO feedback_requests (tenant_id, id, order_id, client_id, contact_id, state, due_at, latest_at,
                                          created_at, updated_at)
           VALUES (:t, :id, :order, :c, :p, 'queued', :at, :until, :now, :now)""",
        id=tx.clock.uuid(), order=_order(tx, about, "delivered"), until=about["at"] + timedelta(days=21), **about,
    )  # fmt: skip


def _question(tx: Tx, about: Mapping[str, Any]) -> None:
    about = {**about, "order": _order(tx, about, "new")}
    tx.run(
        """WITH q AS (INSERT INTO order_processing_queue (tenant_id, order_id, client_id, state, entered_at, checked_at)
                      VALUES (:t, :order, :c, 'exceptions', :at, :at))
           INSERT INTO order_processing_exceptions (tenant_id, id, order_id, code, field, handling, message, opened_at)
           VALUES (:t, :id, :order, 'PROPERTY_ADDRESS_MISSING', 'property_address', 'ask', 'It needs one.', :now)""",
        id=tx.clock.uuid(), **{k: about[k] for k in ("t", "order", "c", "now", "at")},
    )  # fmt: skip


def _check(tx: Tx, about: Mapping[str, Any]) -> None:
    made = build.check(tx, about["c"], due_days=20, required=("contact_title",))
    # of everybody else nothing is asked
    tx.run("""UPDATE compliance_checks SET remind_at = CASE WHEN id = :id THEN CAST(:at AS timestamptz) END
              WHERE tenant_id = :t AND schedule_id = :schedule""",
           id=made.id, schedule=made.schedule_id, t=about["t"], at=about["at"])  # fmt: skip


def _promise(tx: Tx, about: Mapping[str, Any]) -> None:
    tx.run("UPDATE engagement_clocks SET due_at = :at WHERE tenant_id = :t AND contact_id = :p",
           **{k: about[k] for k in ("t", "p", "at")})  # fmt: skip


KINDS: Mapping[str, Callable[[Tx, Mapping[str, Any]], None]] = {
    "deal": _deal, "offer": _offer, "quote": _quote, "feedback": _feedback, "question": _question, "check": _check,
    "promise": _promise,
}  # fmt: skip
"""By what each is about; an offer and a question go out as soon as they can."""
