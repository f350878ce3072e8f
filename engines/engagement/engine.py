"""The engagement engine proper: it plans touches, winds sequences on, and counts how the promise is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import clocks, outbound, promises, rests, schedule
from domain.cards import Card, Proposal
from domain.events import Event
from engines import room, timing
from engines.contract import Context, Handler, Plan
from engines.engagement import due as reading
from engines.engagement import letter, sequence
from engines.engagement.selection import Pick, select_next_contacts_to_touch


class EngagementEngine:
    """Keeps every contact inside the engagement promise (see docs/engagement.md)."""

    name = "engagement"
    present = "EXISTS (SELECT FROM engagement_clocks WHERE tenant_id = :t)"
    ripens = """EXISTS (SELECT FROM engagement_clocks WHERE tenant_id = :t AND status = 'paused'
                        AND paused_until <= :now)
             OR EXISTS (SELECT FROM engagement_clocks WHERE tenant_id = :t AND status = 'active' AND due_at <= :now
                        AND follow_up_due_at IS NOT NULL)"""
    handlers: Mapping[str, Handler] = {}

    def ripen(self, ctx: Context) -> None:
        """Pauses end, and so do the sequences that a promise has overtaken."""
        clocks.refresh_compliance(ctx.tx)

    def plan(self, ctx: Context) -> Plan:
        """Account for every overdue contact and follow-up due, and propose the most urgent; a handful of statements."""
        resting = rests.counted(ctx.tx, "contact")
        found = reading.due(ctx)
        if not found:
            return Plan(resting=resting)
        people = {each.contact_id: each.client_id for each in found}
        there = room.look(ctx, [each.key(ctx.now) for each in found], people)
        selection = select_next_contacts_to_touch(found, room=there)
        return Plan(tuple(selection.obligations), tuple(_proposal(ctx, pick) for pick in selection.picks), resting)

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Mails that went out wind their sequences on; those that were held wind the shadow on; else nothing moves."""
        steps = [card for card in cards if card.contact_id is not None and "step" in card.payload]
        done = [card for card in steps if card.state == "done"]
        threads = outbound.threads_of(ctx.tx, [card.id for card in done if card.thread_id is None])
        clocks.advance_sequences(ctx.tx, _advances(ctx, done, threads))
        clocks.shadow_advances(ctx.tx, _advances(ctx, [card for card in steps if card.state == "held"], {}))

    def react(self, ctx: Context, event: Event) -> None:
        """What a mail or its delivery does to a clock was done when it came in; here the next look is set anew."""
        if event.type == "mail.received" or event.type.startswith("delivery."):
            soonest = self.next_due(ctx)
            if soonest is not None:
                schedule.bring_forward(ctx.tx, soonest)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """How the promise stands: contacts by status, the rate among those who count, and accounts."""
        book = promises.stats(ctx.tx, due_soon_days=ctx.settings.due_soon_days)
        return {
            "compliance_rate": round(book.rate, 4),
            "contacts_active": book.active,
            "contacts_compliant": book.compliant + book.due_soon,
            "contacts_due_soon": book.due_soon,
            "contacts_overdue": book.overdue,
            "contacts_exempt": book.exempt,
            "contacts_paused": book.paused,
            "accounts": book.accounts,
            "accounts_overdue": book.accounts_overdue,
        }

    def next_due(self, ctx: Context) -> datetime | None:
        """The earliest clock, or the end of the first rest, read off the indexes."""
        soonest: datetime | None = ctx.tx.value(
            """SELECT least((SELECT min(planned_at) FROM engagement_clocks
                             WHERE tenant_id = :t AND status <> 'exempt' AND rests_until IS NULL),
                            (SELECT min(rests_until) FROM engagement_clocks
                             WHERE tenant_id = :t AND rests_until IS NOT NULL))""",
            t=ctx.tenant_id,
        )  # fmt: skip
        return soonest


def _proposal(ctx: Context, pick: Pick) -> Proposal:
    due, now = pick.due, ctx.now
    step, due_at = due.next_step(now), due.due_at(now)
    first = step == sequence.FIRST_TOUCH
    what = "First touch" if first else f"Follow-up {step - sequence.FIRST_TOUCH}"
    return Proposal(
        type="send_email" if first else "follow_up",
        engine=EngagementEngine.name,
        title=f"{what}: {due.name} ({due.client_name})",
        subject_type="contact",
        subject_id=str(due.contact_id),
        dedupe_key=due.key(now),
        due_at=due_at,
        # a card made on a Friday night must live to see Monday
        latest_at=max(due_at, timing.first_chance(now, due.timezone, ctx.settings))
        + timedelta(hours=ctx.settings.latest_hours),
        client_id=due.client_id,
        contact_id=due.contact_id,
        thread_id=None if first else due.thread_id,
        payload=letter.payload(due, step, ctx.settings),
        evidence={
            "due_at": due_at.isoformat(),
            "last_touch_at": due.last_touch_at.isoformat() if due.last_touch_at else None,
            "score": pick.score.told(),
        },
        priority=pick.score.total,
    )


def _advances(ctx: Context, cards: Sequence[Card], threads: Mapping[UUID, UUID]) -> list[clocks.Advance]:
    return [
        clocks.Advance(
            card.contact_id, step := int(card.payload["step"]), sequence.follow_up_due(ctx.settings, step, ctx.now),
            thread_id=card.thread_id or threads.get(card.id), sent_at=card.reserved_at,
        )
        for card in cards if card.contact_id is not None
    ]  # fmt: skip
