"""Arbitration: of all that engines would write to one contact, one thing is written, and the rest gives way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain import cards, sequences, settings
from domain.cards import Proposal, Step
from domain.db import Tx
from domain.house import LocalBrakes
from domain.sequences import KEEPS_IN_TOUCH, Live, Standing
from domain.settings import Mode, TenantSettings
from domain.switches import OUTWARD
from engines.contract import Engine, Obligation, Plan

AWAITED = frozenset({"compliance_reminder", "request_order_info", "send_quote"})
"""What has its day, or is waited for, waits for the gap alone, and not for another conversation to end."""

BACK = frozenset({"proposed", "queued", "deferred"})
"""What nobody was asked about yet and is not on its way can be taken back."""

RULE = "engines.gave_way"
"""By what the ledger says that something else went first."""


@dataclass(frozen=True, slots=True)
class GaveWay:
    """A proposal that is not made now: to what it gave way, and until when."""

    to: str
    until: datetime


def arbitrate(brakes: LocalBrakes, tx: Tx, plans: Sequence[tuple[Engine, Plan]]) -> list[tuple[Engine, Plan]]:
    """The same plans without the mails that give way to another, each of which the ledger then shows as put off.

    By priority among what is proposed and what waits already; what a person agreed to or what is on its way stays,
    and so does a conversation under way, unless it only keeps in touch. Two statements, and none where nothing is
    proposed. The rules that are asked at the instant of sending hold whatever is decided here.
    """
    wished = _mails(plans)
    if not wished:
        return list(plans)
    chosen = settings.of(tx)
    contacts = Counter(each.contact_id for each in wished if each.contact_id is not None)
    standing = sequences.standing(
        tx, contacts, since=tx.now - timedelta(hours=max(chosen.minimum_gap_hours, chosen.conversation_gap_hours)),
        holding=min(brakes.send_mode, chosen.mode) in (Mode.dry_run, Mode.internal_only),
    )  # fmt: skip
    lost: dict[str, GaveWay] = {}
    won: dict[UUID, Proposal] = {}
    for proposal in wished:
        assert proposal.contact_id is not None
        here = standing[proposal.contact_id]
        gave_way = _gives_way(proposal, here, won.get(proposal.contact_id), chosen, tx.now)
        if gave_way is None:
            won[proposal.contact_id] = proposal
        else:
            lost[proposal.dedupe_key] = gave_way
    _make_room(tx, won, standing)
    return [(engine, _without(plan, lost)) for engine, plan in plans]


def _mails(plans: Sequence[tuple[Engine, Plan]]) -> list[Proposal]:
    """What would be written to people unasked, the most pressing first; an answer waits for nobody."""
    found = [
        proposal for _, plan in plans for proposal in plan.proposals
        if proposal.type in OUTWARD and proposal.contact_id is not None
        and not proposal.payload.get("answers_message_id")
    ]  # fmt: skip
    return sorted(found, key=lambda each: (-each.priority, each.dedupe_key))


def _gives_way(
    proposal: Proposal, here: Standing, won: Proposal | None, chosen: TenantSettings, now: datetime
) -> GaveWay | None:
    """To what a proposal gives way, if to anything."""
    gap = _gap(here, chosen, now)
    if won is not None:
        return GaveWay(_said(won.engine, won.title), now + gap)
    wrote = here.wrote
    # an engine's own intervals are its own business, and the rules'
    others = wrote is not None and (wrote.engine, wrote.subject_id) != (proposal.engine, proposal.subject_id)
    if wrote is not None and others and now < wrote.at + gap:
        return GaveWay(f"{_said(wrote.engine, wrote.title)}, sent {wrote.at:%Y-%m-%d}", wrote.at + gap)
    for live in here.live:
        if _in_the_way(live, proposal, now + gap):
            return GaveWay(_said(live.engine, live.title), max(live.not_before, now) + gap)
    if proposal.type in AWAITED or any(each.thread_id == proposal.thread_id for each in here.running):
        # of two sequences that run already neither waits for the other's end: the gap and what presses more decide
        return None
    for sequence in here.running:
        if sequence.engine != KEEPS_IN_TOUCH or proposal.engine == KEEPS_IN_TOUCH:
            what = f"{sequence.engine}, which is following up in another conversation"
            return GaveWay(what, max(sequence.next_at, now + timedelta(hours=1)))
    return None


def _in_the_way(live: Live, proposal: Proposal, gap_over: datetime) -> bool:
    """Whether a mail that is meant already goes before one that is proposed.

    Not where the gap is over before it goes, as after a person has put it off; nor where its outcome is not known, for
    then it counts as written; nor where a person was asked and has not agreed, if it matters less.
    """
    if live.dedupe_key == proposal.dedupe_key or live.state == "uncertain":
        return False
    if live.not_before >= gap_over and live.state != "executing":
        return False
    return live.settled_on or live.priority >= proposal.priority


def _gap(here: Standing, chosen: TenantSettings, now: datetime) -> timedelta:
    """How long after a mail the contact may hear from us again: shorter while they are talking to us."""
    ordinary = timedelta(hours=chosen.minimum_gap_hours)
    heard, wrote = here.heard_at, here.wrote
    live = heard is not None and (now - heard <= ordinary or wrote is None or heard > wrote.at)
    return timedelta(hours=chosen.conversation_gap_hours) if live else ordinary


def _make_room(tx: Tx, won: Mapping[UUID, Proposal], standing: Mapping[UUID, Standing]) -> None:
    """Take back what waits for the same contacts and matters less, and end their sequences that keep in touch."""
    steps = [
        Step(live.card_id, f"gave way to {_said(proposal.engine, proposal.title)}", RULE)
        for contact, proposal in won.items()
        for live in standing[contact].live
        if _can_be_taken_back(live, proposal)
    ]
    cards.move_each(tx, steps, "cancelled")
    taken_over = [
        contact for contact, proposal in won.items()
        if proposal.engine != KEEPS_IN_TOUCH and any(r.engine == KEEPS_IN_TOUCH for r in standing[contact].running)
    ]  # fmt: skip
    sequences.give_way(tx, taken_over, reason="another engine has business with the contact")


def _can_be_taken_back(live: Live, proposal: Proposal) -> bool:
    return (live.state in BACK and not live.approved and live.priority < proposal.priority
            and live.dedupe_key != proposal.dedupe_key)  # fmt: skip


def _without(plan: Plan, lost: Mapping[str, GaveWay]) -> Plan:
    if not any(proposal.dedupe_key in lost for proposal in plan.proposals):
        return plan
    return replace(
        plan,
        obligations=tuple(_told(due, lost) for due in plan.obligations),
        proposals=tuple(each for each in plan.proposals if each.dedupe_key not in lost),
    )


def _told(due: Obligation, lost: Mapping[str, GaveWay]) -> Obligation:
    gave_way = lost.get(due.dedupe_key or "")
    if gave_way is None:
        return due
    return replace(due, dedupe_key=None, disposition="deferred", rule=RULE, reason=f"gave way to {gave_way.to}",
                   until=gave_way.until)  # fmt: skip


def _said(engine: str, title: str) -> str:
    return f"{engine}: {title}"
