"""What is still to be done about orders that have exceptions: a correction, one question for all gaps, or a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards, order_exceptions, orders, outbound, rests, schedule
from domain import order_queue as queue
from domain.cards import Card, Proposal
from domain.db import Row, Tx
from domain.order_exceptions import OrderException
from domain.switches import OUTWARD
from engines.contract import Context, Obligation
from engines.orders import letter

NAME, SUBJECT = "orders", "order"
LATEST_DAYS = 7
"""A question about an order is better asked late than never: it outlives a weekend and the gap between two mails."""

PRIORITY: Mapping[str, int] = {"validate_order": 1100, "fix_order": 1090, "request_order_info": 1080}
"""Orders come before everybody who is merely due (at most 1000), after people who wait (from 1200)."""


@dataclass(frozen=True, slots=True)
class Open:
    """An order of the open queue, as planning reads it."""

    order_id: UUID
    seen: str
    """The version of its place in the queue that this is."""
    state: str
    due_at: datetime | None
    round: int
    entered_at: datetime
    checked_at: datetime | None
    revision: int
    called: str
    client_id: UUID | None
    thread_id: UUID | None
    currency: str
    contact_id: UUID | None
    """Who is asked: the order's own contact, else whoever of the account was heard from last."""
    contact_name: str
    languages: tuple[str | None, ...]
    client_name: str
    company: str
    thread_subject: str


def open_orders(tx: Tx, only: UUID | None = None) -> list[Open]:
    """What in the queue still has to become something and does not rest, oldest first; or `only` that, resting or not.

    One statement, which reads these alone.
    """
    rows = tx.rows(
        """SELECT q.order_id, q.xmin::text AS seen, q.state, q.due_at, q.round, q.entered_at, q.checked_at, o.revision,
                  o.client_id, o.thread_id, o.currency,
                  coalesce(o.number, o.external_id, upper(right(o.id::text, 8))) AS called,
                  coalesce(own.id, c.id) AS contact_id, coalesce(own.name, c.name, '') AS contact_name,
                  CASE WHEN own.id IS NULL THEN c.language ELSE own.language END AS language,
                  l.language AS client_language, coalesce(l.name, '') AS client_name, n.name AS company,
                  coalesce(h.subject, '') AS thread_subject
           FROM order_processing_queue q
           -- fences: one look-up for each that is open, however few a planner believes there are in all
           JOIN LATERAL (SELECT * FROM orders o WHERE o.tenant_id = :t AND o.id = q.order_id OFFSET 0) o ON true
           JOIN tenants n ON n.tenant_id = :t
           LEFT JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = o.client_id OFFSET 0) l ON true
           LEFT JOIN LATERAL (SELECT subject FROM mail_threads h
                              WHERE h.tenant_id = :t AND h.id = o.thread_id OFFSET 0) h ON true
           -- nobody is asked about an order that is yet to be checked, nor colleagues where its own contact can be
           LEFT JOIN LATERAL (
               SELECT c.id, c.name, c.language FROM contacts c
               WHERE q.state <> 'waiting' AND c.tenant_id = :t AND c.id = o.contact_id AND c.client_id = o.client_id
                 AND c.email IS NOT NULL OFFSET 0) AS own ON true
           LEFT JOIN LATERAL (
               SELECT c.id, c.name, c.language FROM contacts c
               LEFT JOIN engagement_clocks k ON k.tenant_id = :t AND k.contact_id = c.id
               WHERE q.state <> 'waiting' AND own.id IS NULL AND c.tenant_id = :t AND c.client_id = o.client_id
                 AND c.email IS NOT NULL
               ORDER BY k.last_reply_at DESC NULLS LAST, c.id LIMIT 1) AS c ON true
           WHERE q.tenant_id = :t AND q.state IN ('waiting', 'exceptions', 'asked')
             AND """ + ("q.rests_until IS NULL" if only is None else "q.order_id = :only") + """
           ORDER BY q.entered_at, q.order_id""",
        t=tx.tenant_id, only=only,
    )  # fmt: skip
    return [_open(row) for row in rows]


def answers(
    ctx: Context, each: Open, standing: Sequence[OrderException]
) -> tuple[Obligation, Proposal | None]:  # fmt: skip
    """What is due about one order, and what the agent would do about it, if anything."""
    to_fix = [one for one in standing if one.handling == "fix"]
    to_ask = [one for one in standing if one.handling == "ask" and one.asked_at is None]
    if each.state == "waiting":
        proposal = _proposal(ctx, each, "validate_order", f"validate:{each.order_id}:{each.round}", {})
        return _due("order_waiting", each, each.due_at or ctx.now, proposal), proposal
    if to_fix:
        fields = sorted({one.field for one in to_fix})
        key = f"fix:{each.order_id}:{each.revision}"
        proposal = _proposal(ctx, each, "fix_order", key, {"fields": fields}, because=to_fix)
        return _due("order_exception", each, to_fix[0].opened_at, proposal), proposal
    if to_ask and each.contact_id is not None:
        proposal = _question(ctx, each, to_ask)
        return _due("order_incomplete", each, to_ask[0].opened_at, proposal), proposal
    return _nothing_to_do(ctx, each, standing), None


def propose(ctx: Context, order_id: UUID) -> list[Card]:
    """Make the card of what is to be done next about one order; what no longer has to be asked is not.

    A question is left to the next plan, where it takes its turn among all that is to be written to the contact.
    """
    found = open_orders(ctx.tx, only=order_id)
    standing = order_exceptions.of(ctx.tx, [order_id]).get(order_id, [])
    withdraw(ctx, order_id, standing)
    proposals = [proposal for each in found if (proposal := answers(ctx, each, standing)[1]) is not None]
    if any(proposal.type in OUTWARD for proposal in proposals):
        schedule.bring_forward(ctx.tx, ctx.now, extra=True)
    proposals = [proposal for proposal in proposals if proposal.type not in OUTWARD]
    return cards.propose(ctx.tx, proposals, reconsider_hours=ctx.settings.reconsider_hours)


def withdraw(ctx: Context, order_id: UUID, standing: Iterable[OrderException]) -> None:
    """Cancel a question that still waits and whose gaps are no longer those that there are."""
    order = orders.get(ctx.tx, order_id)
    if order is None or order.client_id is None:
        return
    open_now = {f"{one.code}:{one.field}" for one in standing if one.handling == "ask" and one.asked_at is None}
    rows = ctx.tx.rows(
        """SELECT id, payload -> 'gaps' AS gaps FROM kanban_cards WHERE tenant_id = :t AND client_id = :client
             AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
             AND type = 'request_order_info' AND subject_id = :order""",
        t=ctx.tenant_id, client=order.client_id, order=str(order_id),
    )  # fmt: skip
    stale = [row["id"] for row in rows if set(row["gaps"] or ()) != open_now]
    cards.move(ctx.tx, stale, "cancelled", reason="what was to be asked has changed", rule="orders.answered")


def went(ctx: Context, card: Card) -> None:
    """A question ended: asked, or held back as though it had been, or impossible to ask."""
    order_id, fields = UUID(card.subject_id), list(card.payload["fields"])
    held = ctx.tx.value(
        "SELECT mode FROM outbound_messages WHERE tenant_id = :t AND card_id = :id", t=ctx.tenant_id, id=card.id
    )
    queue.asked(ctx.tx, order_id, card.id, fields, held_mode=held if card.state == "held" else None)
    if card.state == "failed":
        order_exceptions.hand_over(ctx.tx, [order_id], "the question could not be sent")
        queue.checked(ctx.tx, order_id, "exceptions")
        return
    queue.wait_until(ctx.tx, order_id, queue.patience(ctx.now, ctx.settings.order_answer_days))
    thread = outbound.threads_of(ctx.tx, [card.id]).get(card.id)
    if thread is not None and card.state != "held":
        ctx.tx.run(
            "UPDATE orders SET thread_id = coalesce(thread_id, :thread) WHERE tenant_id = :t AND id = :id",
            thread=thread, t=ctx.tenant_id, id=order_id,
        )  # fmt: skip


def _question(ctx: Context, each: Open, gaps: Sequence[OrderException]) -> Proposal:
    told = sorted(f"{one.code}:{one.field}" for one in gaps)
    # the same gaps are one intention however often they are planned: what was asked once is not asked again
    mark = hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]
    payload = {"fields": [one.field for one in gaps], "gaps": told, **letter.payload(each, gaps, ctx.settings)}
    return _proposal(ctx, each, "request_order_info", f"ask:{each.order_id}:{mark}", payload, because=gaps)


def _proposal(
    ctx: Context, each: Open, kind: str, key: str, payload: Mapping[str, Any], because: Sequence[OrderException] = ()
) -> Proposal:  # fmt: skip
    outward = kind == "request_order_info"
    what = {"validate_order": "Check", "fix_order": "Correct", "request_order_info": "Ask about"}[kind]
    return Proposal(
        type=kind, engine=NAME, title=f"{what} order {each.called}", subject_type="order",
        subject_id=str(each.order_id), dedupe_key=f"{NAME}:{key}", due_at=each.due_at or ctx.now, not_before=ctx.now,
        latest_at=ctx.now + timedelta(days=LATEST_DAYS), client_id=each.client_id,
        contact_id=each.contact_id if outward else None, thread_id=each.thread_id if outward else None,
        payload={"order_id": str(each.order_id), **payload},
        evidence={"exceptions": [{"code": one.code, "field": one.field, "message": one.message} for one in because]},
        priority=PRIORITY[kind],
    )  # fmt: skip


def _due(kind: str, each: Open, due_at: datetime, proposal: Proposal) -> Obligation:
    return Obligation(kind, "order", str(each.order_id), due_at, dedupe_key=proposal.dedupe_key)


def _nothing_to_do(ctx: Context, each: Open, standing: Sequence[OrderException]) -> Obligation:
    """The client is to answer, or a person to decide."""
    if each.state == "asked":
        return Obligation("order_incomplete", "order", str(each.order_id), each.entered_at, disposition="deferred",
                          rule="orders.waiting_for_answer", reason="the client was asked",
                          until=each.due_at)  # fmt: skip
    codes = sorted({one.code for one in standing}) or ["CONTACT_MISSING"]
    if any(one.handling == "ask" and one.asked_at is None for one in standing):
        codes = [*codes, "CONTACT_MISSING"]
    return Obligation("order_exception", "order", str(each.order_id), each.checked_at or each.entered_at,
                      disposition="blocked", rule="orders.needs_a_person", reason=", ".join(codes))  # fmt: skip


def at_rest(ctx: Context, each: Open, due: Obligation) -> Obligation:
    """The same, resting where nothing can be done about it in the next hour."""
    if due.disposition is None:
        return due
    return replace(due, rests_until=rests.until(ctx.now, each.order_id, due.until), seen=each.seen)


def _open(row: Row) -> Open:
    same = {name: row[name] for name in Open.__slots__ if name != "languages"}
    return Open(**same, languages=(row["language"], row["client_language"]))
