"""Unknown outcomes: asked of the provider, tried again only with the same key and bytes, else left for a person."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from domain import alerts, audit, cards, contacts, credentials, deliveries, executions, gate, outbound, settings
from domain.cards import Card, IllegalMove
from domain.db import FenceLost, Row, Tx
from domain.gate import GateClosed
from domain.ports import FoundMail, MailSender, NeverWill, NothingHappened, OutboundMail, ProviderError
from engines.contract import Engine
from jobs import judge
from jobs.execute import Reserved, Work, perform, settle, went_out
from policy.verdicts import deciding

SAME_KEY_HOURS = 23.0
"""Resend remembers a key for 24 hours; past this nothing is sent again."""

GIVE_UP_DAYS = 7.0
"""Past this the provider is not asked any more; the card stays uncertain until a person or a webhook settles it."""

LOOK_AGAIN_MINUTES = (1.0, 5.0, 15.0, 60.0, 240.0)

RETRYABLE = frozenset({"allow", "needs_approval"})
"""What the rules must say for a second try; an approval given for these bytes still stands for them."""

ALERT = "card.uncertain"

TAKEN_ALREADY = frozenset({
    "no_spam.hourly_cap", "no_spam.account_cap", "no_spam.campaign_cap", "no_spam.minimum_gap", "no_spam.follow_ups",
    "modes.limited_live", "modes.limited_live_new_contacts", "limits.type", "limits.research", "limits.sandbox",
})  # fmt: skip
"""Room that the first try took and still holds; the rules would count this very mail against itself."""


def resolve(work: Work, *, breathe: Callable[[], None]) -> dict[str, int]:
    """Look at every card whose execution was cut short or whose outcome is unknown; what they came to.

    A card on which the house stumbles stops no other. Raises ExceptionGroup at the end, and what `breathe` raises.
    """
    counts: dict[str, int] = {}
    errors: list[Exception] = []
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        left = executions.unsettled(tx)
        if not left:
            _be_calm(tx)
            return counts
    for card in left:
        breathe()
        try:
            state = _look_at(work, card)
        except FenceLost:
            raise
        except Exception as error:  # noqa: BLE001 - raised once every card was looked at
            errors.append(error)
            continue
        counts[state] = counts.get(state, 0) + 1
        work.house.fault("resolve.settled")
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        _be_calm(tx)
    if errors:
        raise ExceptionGroup("cards whose outcome could not be looked up", errors)
    return counts


def say(tx: Tx, engines: Sequence[Engine], card_id: UUID, *, arrived: bool, by: str, reason: str) -> Card:
    """A person has found out whether an uncertain card's mail went out, and that settles it. Raises IllegalMove."""
    how = {"frm": ("uncertain",), "reason": f"{by}: {reason}", "rule": "resolved.by_person"}
    card = cards.move_one(tx, card_id, "done" if arrived else "failed", extra="resolve_after = NULL", **how)
    audit.record(tx, "card.resolve", str(card_id), reason=reason, arrived=arrived)
    if arrived:
        went_out(tx, engines, [card], settings.readable(tx))
    else:
        outbound.ended(tx, card_id, "failed")
        judge.settled(tx, engines, [card], settings.readable(tx))
    _be_calm(tx)
    return card


def _be_calm(tx: Tx) -> None:
    """Once nothing is uncertain any more, the alert about it is over; the next one opens a new one."""
    if not cards.listed(tx, state="uncertain", limit=1):
        alerts.resolve(tx, ALERT, by="resolve")


def _look_at(work: Work, card: Card) -> str:
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        uncertain = _abandoned(tx, card)
    work.house.fault("resolve.noticed")
    return _resolve_one(work, uncertain) if uncertain is not None else "queued"


def _abandoned(tx: Tx, card: Card) -> Card | None:
    """A card left executing past its deadline: requeued when it held no reservation, else uncertain."""
    if card.state != "executing":
        return card
    if card.reserved_at is None:
        executions.settle(tx, card, "queued", reason="the worker that held it stopped before it reserved anything")
        return None
    outbound.ended(tx, card.id, "uncertain")
    return executions.settle(
        tx, card, "uncertain", rule="provider.maybe_happened", resolve_after=tx.now,
        reason="the worker that held it stopped before the provider's answer was stored",
    )  # fmt: skip


def _resolve_one(work: Work, card: Card) -> str:
    house = work.house
    with house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        kept = outbound.frozen(tx, card.id)
        if kept is None:
            reader = contacts.get(tx, card.contact_id) if card.contact_id else None
            erased = reader is not None and reader.erased_at is not None
            return _leave(tx, card, None, "its reader was erased, and its message with them; it is not sent again"
                          if erased else "its frozen message is missing")  # fmt: skip
        mail, row = kept
        hand = house.hands.sender(tx, row["provider"]) if row["provider_id"] is None else None
        moved = credentials.changed_since(tx, row["first_try_at"])
    if hand is None:
        # a notification that came before its worker's end was noticed: the provider did take it
        known: Literal["failed", "accepted"] = "failed" if row["state"] == "failed" else "accepted"
        return _found(work, card, FoundMail(row["provider_id"], known, at=None))
    found, why_not = _ask(work, hand, mail)
    house.fault("resolve.found")
    if found is not None:
        return _found(work, card, found)
    # the same key makes a second try harmless whether or not the listing could be read
    if hand.keeps_keys and not moved and _age(house.clock.now(), row) < timedelta(hours=SAME_KEY_HOURS):
        return _try_again(work, card, mail, hand, row)
    if moved:
        why_not = "the tenant's secrets have changed since, and another account would not know the key"
    return _look_later(work, card, row, f"{why_not}, and it is not sent again blindly")


def _ask(work: Work, hand: MailSender, mail: OutboundMail) -> tuple[FoundMail | None, str]:
    """What the provider's own listing says of a mail, or why it says nothing."""
    try:
        return hand.find(mail, deadline_seconds=work.house.provider_deadline_seconds), f"{hand.name} does not list it"
    except ProviderError as error:
        return None, f"{hand.name} could not be asked ({error})"


def _found(work: Work, card: Card, found: FoundMail) -> str:
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        if executions.lock(tx, card.id, states=("uncertain",)) is None:
            return "elsewhere"
        done = cards.move_one(
            tx, card.id, "done", frm=("uncertain",), reason="the provider knows it",
            provider_id=found.provider_id, extra="provider_id = :provider_id, resolve_after = NULL",
        )  # fmt: skip
        went_out(tx, work.engines, [done], settings.of(tx))
        mail = deliveries.mail_by_card(tx, card.id)
        if found.state == "failed" and mail is not None:
            deliveries.refused(tx, mail, "failed", source="listing")
    return "done"


def _try_again(work: Work, card: Card, mail: OutboundMail, hand: MailSender, row: Row) -> str:
    """Send the same bytes under the same key once more, behind every brake: it may be the first delivery."""
    house = work.house
    try:
        with house.gate.passing(work.held.lock_id):
            begin_by = house.clock.monotonic() + house.lease_seconds - house.provider_deadline_seconds
            with house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
                gate.bind(tx, work.held.lock_id)
                locked = executions.lock(tx, card.id, states=("uncertain",))
                if locked is None:
                    return "elsewhere"
                [judged] = judge.look(house, tx, [locked], settings.of(tx), frozen={card.id: mail})
                judge.store(tx, "resolve", [judged])
                refusal = deciding([v for v in judged.judgement.verdicts if v.rule not in TAKEN_ALREADY])
                if refusal.decision not in RETRYABLE:
                    return _leave(tx, locked, row, f"not tried again: {refusal.reason}")
                claimed = executions.reserve(tx, locked, owner=house.holder, fence=work.held.fence,
                                        lease_seconds=house.lease_seconds, idempotency_key=None)  # fmt: skip
                outbound.tried_again(tx, card.id)
            again = Reserved(claimed, mail, hand, (), begin_by)
            house.fault("resolve.reserved")
            [answer] = perform(work, [again])
            if isinstance(answer, NothingHappened | NeverWill):
                # this try did nothing, but the first one may have: its reservation stays
                return _back_to_uncertain(work, claimed, row, str(answer))
            house.fault("resolve.performed")
            return settle(work, [again], [answer])[card.id]
    except GateClosed:
        return "uncertain"


def _back_to_uncertain(work: Work, claimed: Card, row: Row, why: str) -> str:
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id) as tx:
        try:
            executions.settle(tx, claimed, "uncertain", reason=why, rule="provider.maybe_happened",
                         resolve_after=_next_look(tx.now, row))  # fmt: skip
        except IllegalMove:
            return "elsewhere"
    return "uncertain"


def _look_later(work: Work, card: Card, row: Row, why: str) -> str:
    with work.house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        return _leave(tx, card, row, why)


def _leave(tx: Tx, card: Card, row: Row | None, why: str) -> str:
    """Keep a card uncertain and visible; a person is told."""
    look_at = _next_look(tx.now, row)
    executions.look_again(tx, card.id, why=why, at=look_at)
    alerts.open(tx, ALERT, f"Nobody knows whether a mail went out: {why}", card_id=str(card.id))
    return "uncertain"


def _next_look(now: datetime, row: Row | None) -> datetime | None:
    if row is None or _age(now, row) >= timedelta(days=GIVE_UP_DAYS):
        return None
    age_minutes = _age(now, row).total_seconds() / 60
    return now + timedelta(minutes=next((m for m in LOOK_AGAIN_MINUTES if age_minutes < 4 * m), LOOK_AGAIN_MINUTES[-1]))


def _age(now: datetime, row: Row) -> timedelta:
    first: datetime = row["first_try_at"]
    return now - first
