"""Judging cards: render, gather facts, ask every rule, and move each card to where its verdict sends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain import approval, cards, limits, outbound, threads, violations
from domain.cards import Card
from domain.db import Tx
from domain.house import House
from domain.ports import OutboundMail
from domain.settings import TenantSettings
from engines.contract import Context, Engine
from jobs import compose
from policy import facts as policy_facts
from policy.judge import content_hash, judge
from policy.verdicts import Judgement, Verdict

DEFER_HOURS = 1.0
"""How long a deferral lasts whose rule names no moment."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A card with its mail, if it is one, and what the rules say."""

    card: Card
    mail: OutboundMail | None
    judgement: Judgement
    mode: str
    policy_version: int


def look(
    house: House, tx: Tx, some: Sequence[Card], settings: TenantSettings, *,
    frozen: Mapping[UUID, OutboundMail] | None = None,
) -> list[Judged]:  # fmt: skip
    """Judge cards with fresh facts, changing nothing.

    With `frozen`, these very mails are judged: what is sent once more is not what would be written today.
    """
    mails, unsendable = (frozen, {}) if frozen is not None else compose.compose(house, tx, some, settings)
    facts = policy_facts.gather(
        tx, some, mails=mails, vault=house.vault, brakes=house.brakes, settings=settings, public_url=house.public_url
    )
    judged = []
    for card in some:
        judgement = judge(facts[card.id])
        if card.id in unsendable:
            missing = Verdict("compose", "block", str(unsendable[card.id]))
            judgement = Judgement((*judgement.verdicts, missing), judgement.limits)
        version = facts[card.id].policy_version
        judged.append(Judged(card, mails.get(card.id), judgement, facts[card.id].mode.name, version))
    return judged


def triage(
    house: House, tx: Tx, engines: Sequence[Engine], some: Sequence[Card], settings: TenantSettings
) -> dict[str, int]:
    """Judge waiting cards and move them all; how many came to each decision. What is allowed is queued."""
    counts: dict[str, int] = {}
    judged = look(house, tx, some, settings)
    store(tx, "plan", judged)
    allowed = [each.card.id for each in judged if each.judgement.decision == "allow" and each.card.state != "queued"]
    cards.move(tx, allowed, "queued")
    for each in judged:
        decision: str = each.judgement.decision
        if decision != "allow":
            decision = turn_away(tx, engines, each, settings)
        counts[decision] = counts.get(decision, 0) + 1
    return counts


def store(tx: Tx, stage: str, judged: Sequence[Judged]) -> None:
    """Keep the verdicts, so that "why?" has an answer for every card at every stage."""
    if not judged:
        return
    violations.store(
        tx,
        stage,
        judged[0].policy_version,
        [
            violations.Judged(each.card, each.judgement.decision, [v.stored() for v in each.judgement.verdicts])
            for each in judged
        ],
    )


def turn_away(tx: Tx, engines: Sequence[Engine], each: Judged, settings: TenantSettings) -> str:
    """Move a card that may not run now to where its verdict sends it; the decision that was carried out."""
    card, verdict = each.card, each.judgement.deciding
    match verdict.decision:
        case "expire":
            cards.move(tx, [card.id], "expired", reason=verdict.reason, rule=verdict.rule)
        case "block":
            cards.move(tx, [card.id], "blocked", reason=verdict.reason, rule=verdict.rule)
        case "defer":
            _defer(tx, card, verdict)
        case "needs_approval":
            _ask(tx, each, verdict, settings)
        case "hold":
            return _hold(tx, engines, each, verdict, settings)
    return verdict.decision


def _defer(tx: Tx, card: Card, verdict: Verdict) -> None:
    until = verdict.until or tx.now + timedelta(hours=DEFER_HOURS)
    cards.move(tx, [card.id], "deferred", frm=("proposed", "queued", "deferred"), reason=verdict.reason,
               rule=verdict.rule, not_before=until)  # fmt: skip


def _ask(tx: Tx, each: Judged, verdict: Verdict, settings: TenantSettings) -> None:
    card = each.card
    expires = tx.now + timedelta(hours=settings.approval_hours)
    seen = seen_hash(each)
    asked = approval.wait_for_approval(
        tx, card.id, seen=seen, rule=verdict.rule, reason=verdict.reason, expires_at=expires
    )
    # a person needs time: the card's latest time is at least the end of its approval
    approval.allow_until(tx, asked.id, expires)


def _hold(tx: Tx, engines: Sequence[Engine], each: Judged, verdict: Verdict, settings: TenantSettings) -> str:
    """Record a message exactly as it would have gone out; it never goes out later."""
    card = each.card
    if full := limits.take(tx, each.judgement.limits):
        _defer(tx, card, Verdict("limits", "defer", f"{full.key} is used up", until=full.window_end))
        return "defer"
    [held] = cards.move(tx, [card.id], "held", reason=verdict.reason, rule=verdict.rule)
    if each.mail is not None:
        thread_id = card.thread_id or threads.open(
            tx, subject=each.mail.subject, client_id=card.client_id, contact_id=card.contact_id, engine=card.engine
        )
        outbound.record(
            tx, held, each.mail, state="held", mode=each.mode, provider=settings.provider, thread_id=thread_id
        )
    settled(tx, engines, held, settings)
    return "hold"


def settled(tx: Tx, engines: Sequence[Engine], card: Card, settings: TenantSettings) -> None:
    """Tell the engine that proposed a card how it ended."""
    for engine in engines:
        if engine.name == card.engine:
            engine.settled(Context(tx, settings), card)


def seen_hash(each: Judged) -> bytes:
    """What a person approves: the rendered message, its thread, the policy version; for other actions the payload."""
    return content_hash(each.mail, each.card.thread_id, each.policy_version, each.card.payload)


def thread_of(tx: Tx, each: Judged) -> UUID | None:
    """The thread that a card's mail belongs to, opened when it is the first."""
    if each.mail is None or each.card.thread_id is not None:
        return each.card.thread_id
    return threads.open(tx, subject=each.mail.subject, client_id=each.card.client_id, contact_id=each.card.contact_id,
                        engine=each.card.engine)  # fmt: skip
