"""Judging cards: render, gather facts, ask every rule, and move each card to where its verdict sends it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import approval, cards, limits, outbound, schedule, threads, violations
from domain.cards import Card, Step
from domain.db import Tx
from domain.house import House
from domain.limits import Cap
from domain.outbound import Frozen
from domain.ports import OutboundMail
from domain.settings import TenantSettings
from domain.threads import Opening
from engines.contract import Context, Engine
from jobs.compose import Composed, compose
from policy import facts as policy_facts
from policy import hindsight
from policy.caps import limits_for
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
    kept: Mapping[str, Any]
    """What of its facts it takes to judge it again under other settings."""
    limits: tuple[Cap, ...] = ()
    """The caps that it takes from when it runs or is held; none where it may do neither."""


def look(
    house: House, tx: Tx, some: Sequence[Card], settings: TenantSettings, *,
    frozen: Mapping[UUID, OutboundMail] | None = None,
) -> list[Judged]:  # fmt: skip
    """Judge cards with fresh facts, changing nothing.

    With `frozen`, these very mails are judged: what is sent once more is not what would be written today.
    """
    written = Composed(dict(frozen), {}, {}) if frozen is not None else compose(house, tx, some, settings)
    mails, unsendable, outdated = written
    facts = policy_facts.gather(
        tx, some, mails=mails, vault=house.vault, brakes=house.brakes, settings=settings, public_url=house.public_url,
        outdated=outdated,
    )  # fmt: skip
    judged = []
    for card in some:
        its = facts[card.id]
        judgement = judge(its)
        if card.id in unsendable:
            missing = Verdict("compose", "block", str(unsendable[card.id]))
            judgement = Judgement((*judgement.verdicts, missing))
        takes = limits_for(its) if judgement.decision in ("allow", "hold") else ()
        mail, kept = mails.get(card.id), hindsight.keep(its)
        judged.append(Judged(card, mail, judgement, its.mode.name, its.policy_version, kept, takes))
    return judged


def triage(
    house: House, tx: Tx, engines: Sequence[Engine], some: Sequence[Card], settings: TenantSettings
) -> Counter[str]:
    """Judge waiting cards and move them all; how many came to each decision. What is allowed is queued."""
    judged = look(house, tx, some, settings)
    store(tx, "plan", judged)
    allowed = [each.card for each in judged if each.judgement.decision == "allow"]
    cards.move(tx, [card.id for card in allowed if card.state != "queued"], "queued")
    refused = [each for each in judged if each.judgement.decision != "allow"]
    return Counter({"allow": len(allowed)}) + Counter(turn_away(tx, engines, refused, settings).values())


def store(tx: Tx, stage: str, judged: Sequence[Judged]) -> None:
    """Keep the verdicts, so that "why?" has an answer for every card at every stage."""
    if not judged:
        return
    violations.store(
        tx,
        stage,
        judged[0].policy_version,
        [
            violations.Judged(
                each.card, each.judgement.decision, [v.stored() for v in each.judgement.verdicts], each.kept
            )
            for each in judged
        ],
    )


def turn_away(
    tx: Tx, engines: Sequence[Engine], refused: Sequence[Judged], settings: TenantSettings
) -> dict[UUID, str]:  # fmt: skip
    """Move cards that may not run now to where their verdicts send them; the decision carried out on each."""
    decisions: dict[UUID, str] = {each.card.id: each.judgement.deciding.decision for each in refused}
    by = {decision: [each for each in refused if decisions[each.card.id] == decision] for decision in AWAY}
    cards.move_each(tx, [_step(each) for each in by["expire"]], "expired")
    cards.move_each(tx, [_step(each) for each in by["block"]], "blocked")
    if cards.move_each(tx, [_step(each) for each in by["renew"]], "cancelled"):
        # its engine proposes it anew as soon as it is asked
        schedule.bring_forward(tx, tx.now, extra=True)
    for each in by["needs_approval"]:
        _ask(tx, each, settings)
    full = _hold(tx, engines, by["hold"], settings)
    decisions.update(dict.fromkeys((step.card_id for step in full), "defer"))
    _defer(tx, [*(_step(each) for each in by["defer"]), *full])
    return decisions


AWAY = ("expire", "block", "renew", "needs_approval", "hold", "defer")
"""The decisions that keep a card from running now."""


def _step(each: Judged) -> Step:
    verdict = each.judgement.deciding
    return Step(each.card.id, verdict.reason, verdict.rule, verdict.until)


def _defer(tx: Tx, steps: Sequence[Step]) -> None:
    later = tx.now + timedelta(hours=DEFER_HOURS)
    cards.move_each(tx, [replace(step, not_before=step.not_before or later) for step in steps], "deferred",
                    frm=("proposed", "queued", "deferred"))  # fmt: skip


def used_up(card: Card, full: limits.Cap) -> Step:
    """The deferral of a card for which a cap has no room left."""
    return Step(card.id, f"{full.key} is used up", "limits", full.window_end)


def _ask(tx: Tx, each: Judged, settings: TenantSettings) -> None:
    card, verdict = each.card, each.judgement.deciding
    expires = tx.now + timedelta(hours=settings.approval_hours)
    seen = seen_hash(each)
    asked = approval.wait_for_approval(
        tx, card.id, seen=seen, rule=verdict.rule, reason=verdict.reason, expires_at=expires
    )
    # a person needs time: the card's latest time is at least the end of its approval
    approval.allow_until(tx, asked.id, expires)


def _hold(tx: Tx, engines: Sequence[Engine], some: Sequence[Judged], settings: TenantSettings) -> list[Step]:
    """Record messages exactly as they would have gone out, which they never will; the deferrals of those left over."""
    full = limits.take_each(tx, [each.limits for each in some])
    room = [each for each, cap in zip(some, full, strict=True) if cap is None]
    # an internal card that is held has no message
    mails = [each for each in room if each.mail is not None]
    threads = threads_of(tx, mails)
    held = {card.id: card for card in cards.move_each(tx, [_step(each) for each in room], "held")}
    outbound.record_each(
        tx, [frozen(each, held[each.card.id], threads) for each in mails if each.card.id in held],
        state="held", provider=settings.provider,
    )  # fmt: skip
    settled(tx, engines, list(held.values()), settings)
    return [used_up(each.card, cap) for each, cap in zip(some, full, strict=True) if cap is not None]


def settled(tx: Tx, engines: Sequence[Engine], some: Sequence[Card], settings: TenantSettings) -> None:
    """Tell the engines how the cards that they proposed ended."""
    for engine in engines:
        if own := [card for card in some if card.engine == engine.name]:
            engine.settled(Context(tx, settings), own)


def seen_hash(each: Judged) -> bytes:
    """What a person approves: the rendered message, its thread, the policy version; for other actions the payload."""
    return content_hash(each.mail, each.card.thread_id, each.policy_version, each.card.payload)


def threads_of(tx: Tx, some: Sequence[Judged]) -> dict[UUID, UUID]:
    """The conversation that each card's mail belongs to, by card; those that a mail begins are opened."""
    new = [each for each in some if each.card.thread_id is None]
    opened = threads.open_each(
        tx, [Opening(each.mail.subject if each.mail else "", each.card.client_id, each.card.contact_id,
                     each.card.engine) for each in new]
    )  # fmt: skip
    known = {each.card.id: each.card.thread_id for each in some if each.card.thread_id is not None}
    return known | {each.card.id: thread_id for each, thread_id in zip(new, opened, strict=True)}


def frozen(each: Judged, card: Card, threads: Mapping[UUID, UUID]) -> Frozen:
    """The mail that was judged, as it is recorded with the card as it stands now."""
    assert each.mail is not None, "only mail is recorded"
    return Frozen(card, each.mail, each.mode, threads.get(card.id))
