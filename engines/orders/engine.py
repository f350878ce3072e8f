"""The orders engine proper: it plans checks, corrections and questions, and takes in what mail and people say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import goals, intentions, order_exceptions, order_fixes, orders, rests, runs
from domain import order_queue as queue
from domain.cards import Card, Proposal
from domain.events import Event
from engines import timing
from engines.contract import Context, Handler, Obligation, Outcome, Plan
from engines.orders import agreements, asking, checking, mails, pricing
from engines.orders.codes import CREDIT

DAY = timedelta(days=1)

OF_ORDERS = frozenset({
    "order.changed", "order.exception_resolved", "order.exception_waived", "order.new", "order.credit_failed",
})  # fmt: skip
"""What happens to an order that may change what is to be done about it."""


class OrdersEngine:
    """Brings every order that comes in to be right, or before a person (see docs/orders.md)."""

    name = asking.NAME
    present = """EXISTS (SELECT FROM order_processing_queue WHERE tenant_id = :t)
              OR EXISTS (SELECT FROM goals WHERE tenant_id = :t)"""
    ripens = """EXISTS (SELECT FROM order_processing_queue WHERE tenant_id = :t AND state = 'asked' AND due_at <= :now)
             OR EXISTS (SELECT FROM order_processing_queue WHERE tenant_id = :t AND held_mode IS NOT NULL)"""
    handlers: Mapping[str, Handler]

    def __init__(self) -> None:
        self.handlers = {"validate_order": validate_order, "fix_order": fix_order}

    def ripen(self, ctx: Context) -> None:
        """Where no answer came in time a person sees to it; what was asked under another mode was never asked."""
        queue.stop_waiting(ctx.tx)
        queue.forget_held(ctx.tx, runs.mode(ctx.tx) or ctx.settings.send_mode)

    def plan(self, ctx: Context) -> Plan:
        """Account for every order in the open queue, and propose what comes next for each; a handful of statements."""
        tx = ctx.tx
        resting = rests.counted(tx, asking.SUBJECT)
        found = asking.open_orders(tx)
        if not found:
            return Plan(resting=resting)
        standing = order_exceptions.of(tx, [each.order_id for each in found if each.state != "waiting"])
        wished = [(each, *asking.answers(ctx, each, standing.get(each.order_id, ()))) for each in found]
        spoken_for = _spoken_for(ctx, [proposal for _, _, proposal in wished if proposal is not None])
        obligations: list[Obligation] = []
        proposals: list[Proposal] = []
        left = ctx.settings.orders_per_cycle
        for each, due, proposal in wished:
            # what stands on the board, and waits, keeps no other order back
            fresh = proposal is not None and proposal.dedupe_key not in spoken_for
            if fresh and left <= 0:
                due = _later(ctx, due, -left)
            elif proposal is not None:
                proposals.append(proposal)
            left -= fresh
            obligations.append(asking.at_rest(ctx, each, due))
        unsettled = {str(each.order_id) for each in found
                     if each.state == "exceptions" and each.due_at is not None and each.due_at <= ctx.now}  # fmt: skip
        queue.looked_at(tx, [UUID(each.subject_id) for each in proposals if each.subject_id in unsettled],
                        again_at=ctx.now + timedelta(hours=ctx.settings.reconsider_hours))  # fmt: skip
        return Plan(tuple(obligations), tuple(each for each in proposals if each.dedupe_key not in spoken_for), resting)

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """A question that went out is waited for; one that was held is waited for in the shadow."""
        for card in cards:
            if card.type == "request_order_info" and card.state in ("done", "held", "failed"):
                asking.went(ctx, card)

    def react(self, ctx: Context, event: Event) -> None:
        """What came in by mail, what people decided, and what changed of an order or of its account's credit."""
        if event.type == "mail.received":
            touched = mails.taken_in(ctx, event)
        elif event.type in agreements.NEWS:
            touched = agreements.taken_in(ctx, event)
        elif event.type == "credit.changed":
            touched = queue.enter_again(ctx.tx, codes=sorted(CREDIT), client_id=UUID(event.subject_id))
        elif event.type in OF_ORDERS:
            touched = [UUID(event.subject_id)]
            order = orders.get(ctx.tx, touched[0])
            # an accepted order has exceptions too, such as a client's wish to change it, and is not checked for them
            if event.type.startswith("order.exception") and order is not None and order.status in orders.UNCHECKED:
                queue.enter(ctx.tx, touched[0])
        else:
            return
        queue.look_again(ctx.tx, touched)
        for order_id in touched:
            asking.propose(ctx, order_id)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """What stands in the queue, what a day brought, and how the running goals stand."""
        day = queue.figures(ctx.tx, since=ctx.now - DAY)
        told = {
            "orders_open": day["open"], "orders_waiting": day["waiting"], "orders_asked": day["asked"],
            "orders_with_exceptions": day["with_exceptions"], "valid_today": day["valid"],
            "auto_fixed_today": day["fixed"], "hours_to_valid": round(float(day["hours"]), 2),
        }  # fmt: skip
        standings = goals.standings(ctx.tx, ctx.settings.zone)
        if standings:
            told["goals_behind"] = sum(each.behind for each in standings)
            told["goals_thin"] = sum(each.thin for each in standings)
        return told

    def next_due(self, ctx: Context) -> datetime | None:
        """The earliest order to be looked at, read off the index."""
        return queue.next_due(ctx.tx)


def validate_order(ctx: Context, card: Card) -> Outcome:
    """Check the order, and propose what follows from it at once."""
    order_id = UUID(card.payload["order_id"])
    facts = checking.check(ctx, order_id)
    asking.propose(ctx, order_id)
    return Outcome(facts)


def fix_order(ctx: Context, card: Card) -> Outcome:
    """Correct the figures that are wrong and safe to correct, as they stand now, and have the order checked anew."""
    order_id = UUID(card.payload["order_id"])
    order = orders.get(ctx.tx, order_id, lock=True)
    standing = order_exceptions.of(ctx.tx, [order_id]).get(order_id, [])
    fields = frozenset(each.field for each in standing if each.handling == "fix") & frozenset(card.payload["fields"])
    if order is None or not fields or order.status not in orders.UNCHECKED:
        return Outcome({"changes": {}})
    changes = pricing.corrections(checking.read(ctx, order).priced, fields)
    if changes:
        order_fixes.fix(ctx.tx, order_id, changes, card_id=card.id)
    else:
        queue.enter(ctx.tx, order_id)
    asking.propose(ctx, order_id)
    undo = {"verb": "orders.restore", "order_id": str(order_id), "changes": dict(changes)}
    return Outcome({"changes": dict(changes)}, undo=undo if changes else None)


def _spoken_for(ctx: Context, wished: Sequence[Proposal]) -> set[str]:
    """The intentions for which a card stands already that speaks for them."""
    standing = intentions.standing(ctx.tx, [each.dedupe_key for each in wished])
    return {key for key, card in standing.items() if card.speaks(ctx.now, ctx.settings.reconsider_hours)}


def _later(ctx: Context, due: Obligation, ahead: int) -> Obligation:
    return Obligation(due.kind, due.subject_type, due.subject_id, due.due_at, disposition="deferred",
                      rule="orders.budget", reason=f"{ctx.settings.orders_per_cycle} older orders come first",
                      until=timing.turn(ctx.now, ahead, ctx.settings.orders_per_cycle), in_turn=True)  # fmt: skip
