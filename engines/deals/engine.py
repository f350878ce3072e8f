"""The deals engine proper: it follows deals up, notices which stand still, and moves them by what shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from domain import cards as board
from domain import deal_activity, deal_stages, deals, outbound, pipeline, rests, schedule
from domain.cards import Card, Proposal
from domain.deal_activity import FollowUp
from domain.deals import Evidence, IllegalDealMove
from domain.events import Event
from engines import room, timing
from engines.contract import Context, Handler, Outcome, Plan
from engines.deals import due as reading
from engines.deals import letter, news
from engines.deals.due import Stall
from engines.deals.selection import Pick, select_follow_ups


class DealsEngine:
    """Brings every open deal to an end that somebody can see coming (see docs/deals.md)."""

    name = news.NAME
    present = "EXISTS (SELECT FROM deals WHERE tenant_id = :t)"
    ripens = """EXISTS (SELECT FROM deals WHERE tenant_id = :t AND state = 'open' AND stalled_at IS NULL
                        AND stalls_at <= :now)"""
    handlers: Mapping[str, Handler]

    def __init__(self) -> None:
        self.handlers = {"update_deal": update_deal}

    def ripen(self, ctx: Context) -> None:
        """Deals to which nothing happens stand still after a while."""
        deal_activity.detect_stalled(ctx.tx)

    def plan(self, ctx: Context) -> Plan:
        """Account for every follow-up due and every stall, and propose the most pressing; a handful of statements."""
        resting = rests.counted(ctx.tx, "deal")
        found, stalls = reading.follow_ups_due(ctx), reading.stalls(ctx)
        if not found and not stalls:
            return Plan(resting=resting)
        keys = [each.key for each in found] + [each.key for each in stalls]
        people = {each.contact_id: each.client_id for each in found if each.contact_id is not None}
        there = room.look(ctx, keys, people)
        selection = select_follow_ups(found, stalls, room=there)
        if selection.unwanted:
            deal_activity.answer_stalls(ctx.tx, selection.unwanted)
        proposals = [_follow_up(ctx, pick) for pick in selection.picks]
        proposals += [_answer(ctx, stall) for stall in selection.stalls]
        return Plan(tuple(selection.obligations), tuple(proposals), resting)

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        """Follow-ups that went out are activities and wind on; those that were held wind the shadow on."""
        mails = [card for card in cards if "attempt" in card.payload]
        done = [card for card in mails if card.state == "done"]
        threads = outbound.threads_of(ctx.tx, [card.id for card in done if card.thread_id is None])
        deal_activity.follow_ups_sent(ctx.tx, [_sent(ctx, card, threads) for card in done])
        deal_activity.follow_ups_held(ctx.tx, [_sent(ctx, card, {}) for card in mails if card.state == "held"])

    def react(self, ctx: Context, event: Event) -> None:
        """Propose what a mail or a quote shows; what a mail does to the clocks of deals was done when it came in."""
        if event.type == "mail.received" and event.client_id is not None:
            proposals = list(news.from_mail(ctx, event))
        elif event.type in news.CLOSES or event.type in news.SHOWS:
            proposals = list(news.from_quote(ctx, event))
        else:
            return
        if board.propose(ctx.tx, proposals, reconsider_hours=ctx.settings.reconsider_hours):
            schedule.bring_forward(ctx.tx, ctx.now)

    def stats(self, ctx: Context) -> Mapping[str, float]:
        """How the pipeline stands; amounts by currency, exact in `domain.pipeline` and rounded here."""
        told = pipeline.stats(ctx.tx)
        return {
            "open": told.open,
            "stalled": told.stalled,
            "left_to_people": told.left_to_people,
            "won": told.won,
            "lost": told.lost,
            "win_rate": round(told.win_rate, 4),
            "follow_ups": told.follow_ups,
            "follow_up_yield": round(told.follow_up_yield, 4),
            **{f"weighted_{currency.lower()}": float(value) for currency, value in told.weighted.items()},
            **{f"days_in_{stage}": round(days, 2) for stage, days in told.days_in_stage.items()},
        }

    def next_due(self, ctx: Context) -> datetime | None:
        """The earliest follow-up or stall, read off the indexes."""
        return reading.next_due(ctx)


def update_deal(ctx: Context, card: Card) -> Outcome:
    """Move, close or note what the card says, while the deal has come no further than that."""
    told = card.payload
    deal = deals.get(ctx.tx, UUID(told["deal_id"]))
    if deal is None or deal.state != "open" or not _lies_ahead(ctx, deal.stage, told):
        return Outcome({"unchanged": "the deal has moved on since"})
    before = deals.snapshot(deal)
    evidence = Evidence(card.evidence["kind"], card.evidence["who"], card.evidence["what"],
                        datetime.fromisoformat(card.evidence["at"]))  # fmt: skip
    try:
        _carry_out(ctx, deal.id, told, evidence, card.id)
    except IllegalDealMove as refused:
        return Outcome({"unchanged": str(refused)})
    now = deals.get(ctx.tx, deal.id)
    assert now is not None
    after = deals.snapshot(now)
    changed = sorted(name for name, value in after.items() if before[name] != value)
    undo = {"verb": "deals.restore", "deal_id": str(deal.id), "to": before, "seen": after} if changed else None
    return Outcome({"deal_id": str(deal.id), "changed": changed}, undo=undo)


def _lies_ahead(ctx: Context, stage: str, told: Mapping[str, str]) -> bool:
    """Whether what a card says of a deal is still to come from where it stands now.

    News of one hour come in one by one: a quote that is opened and answered at once moves its deal, and then ends it.
    """
    if "to_state" in told or stage == told["from_stage"]:
        return True
    way = [each.key for each in deal_stages.of(ctx.tx)]
    if not {told.get("to_stage"), told["from_stage"]} <= set(way):
        return False
    return way.index(told["from_stage"]) < way.index(stage) < way.index(told["to_stage"])


def _carry_out(ctx: Context, deal_id: UUID, told: Mapping[str, str], evidence: Evidence, card_id: UUID) -> None:
    if told.get("to_state") == "won":
        deals.win(ctx.tx, deal_id, evidence=evidence, reason=told["reason"], card_id=card_id)
    elif told.get("to_state") == "lost":
        deals.lose(ctx.tx, deal_id, evidence=evidence, reason=told["reason"], card_id=card_id)
    if to := told.get("to_stage"):
        deals.advance(ctx.tx, deal_id, to, evidence=evidence, card_id=card_id)
    if step := told.get("next_step"):
        deals.set_next_step(ctx.tx, deal_id, step, evidence=evidence)
    if told.get("stalled_at"):
        deal_activity.answer_stalls(ctx.tx, [deal_id])


def _follow_up(ctx: Context, pick: Pick) -> Proposal:
    due, now = pick.due, ctx.now
    return Proposal(
        # the first mail since they were last heard follows nothing that is still open
        type="send_email" if due.attempt == 1 else "follow_up",
        engine=DealsEngine.name,
        title=f"Follow-up {due.attempt}: {due.title} ({due.client_name})",
        subject_type="deal",
        subject_id=str(due.deal_id),
        dedupe_key=due.key,
        due_at=due.due_at,
        # a card made on a Friday night must live to see Monday
        latest_at=max(due.due_at, timing.first_chance(now, due.timezone, ctx.settings))
        + timedelta(hours=ctx.settings.latest_hours),
        client_id=due.client_id,
        contact_id=due.contact_id,
        thread_id=due.thread_id,
        payload=letter.payload(due, ctx.settings),
        evidence={
            "stage": due.stage,
            "last_activity_at": due.last_activity_at.isoformat(),
            "stalled_at": due.stalled_at.isoformat() if due.stalled_at else None,
            "unanswered": due.follow_ups,
            "urgency": pick.level,
            "score": pick.score.told(),
        },
        priority=pick.score.total,
    )


def _answer(ctx: Context, stall: Stall) -> Proposal:
    """A deal that stands still gets a next step: whatever is still meant to be done, or a decision."""
    since = f"nothing has happened since {stall.last_activity_at:%Y-%m-%d}"
    if stall.our_turn_since is not None:
        step = f"Answer their mail of {stall.our_turn_since:%Y-%m-%d}: it waits for us"
    elif stall.follow_up_due_at is not None:
        step = "See what keeps the agent from following it up, or write"
    else:
        step = f"Decide: call or close it; {stall.follow_ups} follow-ups brought no answer"
    evidence = Evidence("silence", f"account {stall.client_id}", since, stall.stalled_at)
    payload = {"next_step": step, "stalled_at": stall.stalled_at.isoformat()}
    return news.proposal(ctx, stall, f"Deal stalled in {stall.stage_name}: {stall.title}", payload, evidence, stall.key)


def _sent(ctx: Context, card: Card, threads: Mapping[UUID, UUID]) -> FollowUp:
    attempt = int(card.payload["attempt"])
    return FollowUp(
        UUID(card.payload["deal_id"]), card.id, attempt, is_last=attempt >= ctx.settings.max_follow_ups,
        thread_id=card.thread_id or threads.get(card.id), sent_at=card.reserved_at,
    )  # fmt: skip
