"""The one door: a card is claimed, judged, reserved, performed and settled; nothing leaves the house any other way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import OperationalError

from domain import cards, clocks, executions, limits, outbound, schedule, settings, threads
from domain.cards import Card, IllegalMove
from domain.db import Tx
from domain.gate import GateClosed
from domain.house import House
from domain.locks import Held
from domain.ports import Accepted, MailSender, MaybeHappened, NeverWill, NothingHappened, OutboundMail, ProviderError
from domain.settings import TenantSettings
from domain.switches import OUTWARD
from engines.contract import Context, Engine, Outcome
from jobs import judge
from policy.verdicts import Limit, Verdict

STEPS = ("claimed", "judged", "reserved", "performed", "settled")
"""The step boundaries of one execution, in order; the crash laboratory stops at each of them."""

RETRY_MINUTES = 5.0
"""How long a card rests after the provider certainly did nothing and named no time itself."""

RESOLVE_SECONDS = 60.0
"""How soon an unknown outcome is first looked up."""


SETTLE_AGAIN_SECONDS = 0.5
"""How often an answer is tried to be stored while the database is away."""


@dataclass(frozen=True, slots=True)
class Work:
    """What executing one card needs: the house, the tenant's lock, the engines and the run."""

    house: House
    engines: Sequence[Engine]
    held: Held
    run_id: UUID


@dataclass(frozen=True, slots=True)
class Reserved:
    """A card that is ours alone for one try, with its frozen mail and the hand that is lent for it."""

    card: Card
    mail: OutboundMail
    hand: MailSender
    caps: tuple[Limit, ...]


def execute(work: Work, card_id: UUID) -> str:
    """Carry one queued card through; the state in which it stands afterwards.

    Holds the house's and the tenant's stop lock from the switch check until the provider answered, so that a stop which
    has returned has nothing in flight. Raises FenceLost when the tenant was taken over.
    """
    try:
        with work.house.gate.passing(work.held.lock_id):
            begun = _begin(work, card_id)
            if not isinstance(begun, Reserved):
                return begun
            answer = perform(work, begun)
            work.house.fault("execute.performed")
            state = settle(work, begun, answer)
    except GateClosed:
        # a switch is being flipped this very moment: the card stays where it is
        return "queued"
    work.house.fault("execute.settled")
    return state


def _begin(work: Work, card_id: UUID) -> Reserved | str:
    """Claim, judge and reserve in one commit: no reservation without its record, no record without its verdicts."""
    house = work.house
    with house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        card = executions.lock(tx, card_id, states=("queued",))
        if card is None:
            return "elsewhere"
        house.fault("execute.claimed")
        tenant_settings = settings.of(tx)
        [judged] = judge.look(house, tx, [card], tenant_settings)
        judge.store(tx, "execute", [judged])
        house.fault("execute.judged")
        if judged.judgement.decision != "allow":
            decision = judge.turn_away(tx, work.engines, judged, tenant_settings)
            return {"hold": "held", "expire": "expired", "block": "blocked", "defer": "deferred"}.get(
                decision, "awaiting_approval"
            )
        if full := limits.take(tx, judged.judgement.limits):
            late = Verdict("limits", "defer", f"{full.key} is used up for now", until=full.window_end)
            cards.move(tx, [card.id], "deferred", reason=late.reason, rule=late.rule, not_before=late.until)
            return "deferred"
        if card.type in OUTWARD:
            reserved = _reserve(work, tx, judged, tenant_settings)
        else:
            return _handle(work, tx, card, tenant_settings)
    house.fault("execute.reserved")
    return reserved


def _reserve(work: Work, tx: Tx, judged: judge.Judged, tenant_settings: TenantSettings) -> Reserved:
    """Freeze the bytes and bind the card to them."""
    house, mail = work.house, judged.mail
    assert mail is not None, "an outward card that may run has a mail"
    hand = house.hands.sender(tx, tenant_settings.provider)
    thread_id = judge.thread_of(tx, judged)
    card = executions.reserve(
        tx, judged.card, owner=house.holder, fence=work.held.fence, lease_seconds=house.lease_seconds,
        idempotency_key=mail.idempotency_key,
    )  # fmt: skip
    outbound.record(tx, card, mail, state="reserved", mode=judged.mode, provider=hand.name, thread_id=thread_id)
    if thread_id is not None:
        threads.add_key(tx, thread_id, mail.message_id)
    return Reserved(card, mail, hand, judged.judgement.limits)


def _handle(work: Work, tx: Tx, card: Card, tenant_settings: TenantSettings) -> str:
    """Carry out an internal action and settle it, in the transaction that claimed it."""
    handler = next((engine.handlers[card.type] for engine in work.engines if card.type in engine.handlers), None)
    claimed = executions.reserve(tx, card, owner=work.house.holder, fence=work.held.fence,
                            lease_seconds=work.house.lease_seconds, idempotency_key=None)  # fmt: skip
    if handler is None:
        executions.settle(tx, claimed, "failed", reason=f"no engine carries out {card.type}")
        return "failed"
    outcome: Outcome = handler(Context(tx, tenant_settings), claimed)
    done = executions.settle(
        tx, claimed, "done", outcome={**outcome.facts, **({"undo": outcome.undo} if outcome.undo else {})}
    )
    judge.settled(tx, work.engines, done, tenant_settings)
    return "done"


def perform(work: Work, reserved: Reserved) -> Accepted | ProviderError:
    """Hand the frozen bytes to the provider, with no transaction open; what it answered."""
    try:
        return reserved.hand.send(reserved.mail, deadline_seconds=work.house.provider_deadline_seconds)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - an undeclared failure says nothing about what the provider did
        return MaybeHappened(f"{type(error).__name__}: {error}")


def settle(work: Work, reserved: Reserved, answer: Accepted | ProviderError) -> str:
    """Write down what became of it, by compare-and-set on our own claim; the state it came to."""
    house = work.house
    deadline = house.clock.monotonic() + house.lease_seconds
    while True:
        try:
            return _settle(work, reserved, answer)
        except OperationalError:
            # the answer is known here alone: as long as the claim lasts, a database that restarts is waited for
            if house.clock.monotonic() >= deadline or house.clock.wait(SETTLE_AGAIN_SECONDS, house.leaving):
                raise


def _settle(work: Work, reserved: Reserved, answer: Accepted | ProviderError) -> str:
    house, card = work.house, reserved.card
    with house.database.tenant(work.held.tenant_id, run_id=work.run_id) as tx:
        try:
            with tx.savepoint():
                return record(work, tx, reserved, answer)
        except IllegalMove:
            # somebody resolved it while we were away: their word stands, ours is noted
            outbound.failure(tx, provider=reserved.hand.name, kind="maybe_happened", card_id=card.id,
                             detail="settled by somebody else while the provider answered")  # fmt: skip
            return "elsewhere"


def record(work: Work, tx: Tx, reserved: Reserved, answer: Accepted | ProviderError) -> str:
    """Settle a card by the provider's answer. Raises IllegalMove when it is no longer ours."""
    card, provider = reserved.card, reserved.hand.name
    tenant_settings = settings.of(tx)
    match answer:
        case Accepted(provider_id):
            done = executions.settle(tx, card, "done", provider_id=provider_id, outcome={"provider": provider})
            went_out(tx, work.engines, done, tenant_settings, provider_id=provider_id)
        case NothingHappened():
            outbound.failure(tx, provider=provider, kind="nothing_happened", detail=str(answer), card_id=card.id)
            rest = answer.retry_after_seconds or RETRY_MINUTES * 60 * min(2 ** max(card.attempts - 1, 0), 12)
            outbound.release(tx, card.id)
            limits.give_back(tx, reserved.caps)
            executions.settle(tx, card, "deferred", reason=f"{provider}: {answer}", rule="provider.nothing_happened",
                         not_before=tx.now + timedelta(seconds=rest), released=True)  # fmt: skip
            schedule.bring_forward(tx, tx.now + timedelta(seconds=rest), extra=True)
            return "deferred"
        case NeverWill():
            outbound.failure(tx, provider=provider, kind="never_will", detail=str(answer), card_id=card.id)
            outbound.ended(tx, card.id, "failed")
            failed = executions.settle(tx, card, "failed", reason=f"{provider}: {answer}", rule="provider.never_will")
            judge.settled(tx, work.engines, failed, tenant_settings)
            return "failed"
        case _:
            outbound.failure(tx, provider=provider, kind="maybe_happened", detail=str(answer), card_id=card.id)
            outbound.ended(tx, card.id, "uncertain")
            look_at = tx.now + timedelta(seconds=RESOLVE_SECONDS)
            executions.settle(tx, card, "uncertain", reason=f"{provider}: {answer}", rule="provider.maybe_happened",
                         resolve_after=look_at)  # fmt: skip
            schedule.bring_forward(tx, look_at, extra=True)
            return "uncertain"
    return "done"


def went_out(
    tx: Tx, engines: Sequence[Engine], done: Card, tenant_settings: TenantSettings, *, provider_id: str | None
) -> None:  # fmt: skip
    """What follows once a mail is known to have gone out: its record, the touch, the engine's own step.

    `provider_id` is None where a person knows it, and not the provider's name for it.
    """
    outbound.accepted(tx, done.id, provider_id=provider_id)
    if done.contact_id is not None and done.type != "broadcast_email":
        clocks.touch(tx, done.contact_id, "email", at=tx.now, by="agent", card_id=done.id)
    judge.settled(tx, engines, done, tenant_settings)
