"""The one door: a card is claimed, judged, reserved, performed and settled; nothing leaves the house any other way."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from sqlalchemy.exc import OperationalError

from domain import cards, clocks, executions, gate, limits, outbound, runs, schedule, settings, storable, threads
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

log = structlog.get_logger(__name__)

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
    caps: tuple[limits.Cap, ...]
    begin_by: float
    """On the house's monotonic clock: begun later, the try might outlast the claim."""


Answer = Accepted | ProviderError


def execute(work: Work, card_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Carry queued cards through, side by side; the state in which each stands afterwards.

    No two of them may be about one account, for none is judged by what another of them did. Holds the house's and the
    tenant's stop lock from the switch check until the provider answered, so that a stop which has returned has nothing
    in flight. Raises FenceLost when the tenant was taken over.
    """
    try:
        with work.house.gate.passing(work.held.lock_id):
            ended, reserved = _begin(work, card_ids)
            if not reserved:
                return ended
            answers = perform(work, reserved)
            work.house.fault("execute.performed")
            ended |= settle(work, reserved, answers)
    except GateClosed:
        # a switch is being flipped this very moment: the cards stay where they are
        return dict.fromkeys(card_ids, "queued")
    work.house.fault("execute.settled")
    return ended


def _begin(work: Work, card_ids: Sequence[UUID]) -> tuple[dict[UUID, str], list[Reserved]]:
    """Claim, judge and reserve in one commit: no reservation without its record, no record without its verdicts."""
    house = work.house
    with house.database.tenant(work.held.tenant_id, run_id=work.run_id, fence=work.held.fence) as tx:
        # the gate's own connection may be lost before the reservations are there for a stop to see
        gate.bind(tx, work.held.lock_id)
        claimed = executions.lock_each(tx, card_ids, states=("queued",))
        house.fault("execute.claimed")
        tenant_settings = settings.of(tx)
        judged = judge.look(house, tx, claimed, tenant_settings)
        judge.store(tx, "execute", judged)
        house.fault("execute.judged")
        ended, willing = _turn_away(work, tx, judged, tenant_settings)
        reserved = _reserve(work, tx, [each for each in willing if each.card.type in OUTWARD], tenant_settings)
        for each in willing:
            if each.card.type not in OUTWARD:
                ended[each.card.id] = _handle(work, tx, each.card, tenant_settings)
    if reserved:
        house.fault("execute.reserved")
    return dict.fromkeys(card_ids, "elsewhere") | ended, reserved


SAID = {"hold": "held", "expire": "expired", "block": "blocked", "defer": "deferred",
        "needs_approval": "awaiting_approval", "renew": "cancelled"}  # fmt: skip
"""The state to which each refusal brings a card."""


def _turn_away(
    work: Work, tx: Tx, judged: Sequence[judge.Judged], tenant_settings: TenantSettings
) -> tuple[dict[UUID, str], list[judge.Judged]]:
    """Move the cards that may not run, by a rule or because a cap is full; their states, and the cards that may."""
    refused = [each for each in judged if each.judgement.decision != "allow"]
    allowed = [each for each in judged if each.judgement.decision == "allow"]
    full = limits.take_each(tx, [each.limits for each in allowed])
    late = {each.card.id: cap for each, cap in zip(allowed, full, strict=True) if cap is not None}
    # what the others took first is a fact by now, and the rules say what follows from it
    again = judge.look(work.house, tx, [each.card for each in allowed if each.card.id in late], tenant_settings)
    judge.store(tx, "execute", again)
    refused += [each for each in again if each.judgement.decision != "allow"]
    decided = judge.turn_away(tx, work.engines, refused, tenant_settings)
    left = [judge.used_up(each.card, late[each.card.id]) for each in again if each.card.id not in decided]
    cards.move_each(tx, left, "deferred")
    ended = {card_id: SAID[decision] for card_id, decision in decided.items()}
    ended |= {step.card_id: "deferred" for step in left}
    return ended, [each for each in allowed if each.card.id not in late]


def _reserve(
    work: Work, tx: Tx, willing: Sequence[judge.Judged], tenant_settings: TenantSettings
) -> list[Reserved]:  # fmt: skip
    """Freeze the bytes and bind the cards to them."""
    if not willing:
        return []
    house = work.house
    begin_by = house.clock.monotonic() + house.lease_seconds - house.provider_deadline_seconds
    hand = house.hands.sender(tx, tenant_settings.provider)
    threads_by_card = judge.threads_of(tx, willing)
    mails = {each.card.id: each.mail for each in willing if each.mail is not None}
    claimed = executions.reserve_each(
        tx, {card_id: mail.idempotency_key for card_id, mail in mails.items()}, owner=house.holder,
        fence=work.held.fence, lease_seconds=house.lease_seconds,
    )  # fmt: skip
    outbound.record_each(
        tx, [judge.frozen(each, claimed[each.card.id], threads_by_card) for each in willing],
        state="reserved", provider=hand.name,
    )  # fmt: skip
    threads.add_keys(tx, [(threads.key(mails[card_id].message_id), each) for card_id, each in threads_by_card.items()])
    return [Reserved(claimed[each.card.id], mails[each.card.id], hand, each.limits, begin_by) for each in willing]


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
    judge.settled(tx, work.engines, [done], tenant_settings)
    return "done"


def perform(work: Work, reserved: Sequence[Reserved]) -> list[Answer]:
    """Hand the frozen bytes to the provider, all at once and with no transaction open; what it answered to each."""
    if len(reserved) == 1:
        return [_hand_over(work, reserved[0])]
    with ThreadPoolExecutor(len(reserved), thread_name_prefix="send") as pool:
        return list(pool.map(lambda each: _hand_over(work, each), reserved))


def _hand_over(work: Work, each: Reserved) -> Answer:
    if work.house.clock.monotonic() > each.begin_by:
        # somebody else may have begun to resolve it: what is not begun in time is not begun at all
        return NothingHappened("this process was held up past the time of its claim")
    try:
        return each.hand.send(each.mail, deadline_seconds=work.house.provider_deadline_seconds)
    except ProviderError as error:
        return error
    except Exception as error:  # noqa: BLE001 - an undeclared failure says nothing about what the provider did
        return MaybeHappened(f"{type(error).__name__}: {error}")


def settle(work: Work, reserved: Sequence[Reserved], answers: Sequence[Answer]) -> dict[UUID, str]:
    """Write down what became of each, by compare-and-set on our own claims; the states they came to.

    An answer that can't be stored is noted on the run and keeps back no other; its card stays `executing`, to be
    resolved. Raises OperationalError when the database stays away.
    """
    answered = list(zip(reserved, answers, strict=True))
    try:
        return _settle_in_time(work, answered)
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        if len(answered) > 1:
            return {card_id: state for one in answered
                    for card_id, state in settle(work, [one[0]], [one[1]]).items()}  # fmt: skip
        _note(work, answered[0][0].card, error)
        return {answered[0][0].card.id: "executing"}


def _note(work: Work, card: Card, error: Exception) -> None:
    house, traceback_id = work.house, work.house.clock.uuid().hex
    log.error("execute.unsettled", card=str(card.id), traceback_id=traceback_id, error=type(error).__name__,
              traceback="".join(traceback.format_exception(error)))  # fmt: skip
    with house.database.tenant(work.held.tenant_id, run_id=work.run_id) as tx:
        runs.note_error(tx, work.run_id, where=f"settle card {card.id}", error=f"{type(error).__name__}: {error}",
                        traceback_id=traceback_id)  # fmt: skip


def _settle_in_time(work: Work, answered: Sequence[tuple[Reserved, Answer]]) -> dict[UUID, str]:
    house = work.house
    deadline = house.clock.monotonic() + house.lease_seconds
    while True:
        try:
            with house.database.tenant(work.held.tenant_id, run_id=work.run_id) as tx:
                return _settle(work, tx, answered)
        except OperationalError:
            # the answers are known here alone: as long as the claim lasts, a database that restarts is waited for
            if house.clock.monotonic() >= deadline or house.clock.wait(SETTLE_AGAIN_SECONDS, house.leaving):
                raise


def _settle(work: Work, tx: Tx, answered: Sequence[tuple[Reserved, Answer]]) -> dict[UUID, str]:
    tenant_settings = settings.of(tx)
    outbound.lock(tx, [each.card.id for each, _ in answered])
    accepted = [(each, answer) for each, answer in answered if isinstance(answer, Accepted)]
    done = executions.finish_each(
        tx, [(each.card, storable.text(answer.provider_id, 200)) for each, answer in accepted],
        outcome={"provider": answered[0][0].hand.name},
    )  # fmt: skip
    went_out(tx, work.engines, done, tenant_settings)
    states = {card.id: "done" for card in done}
    for each, answer in answered:
        if not isinstance(answer, Accepted):
            states[each.card.id] = _settle_unsent(work, tx, each, answer, tenant_settings)
        elif each.card.id not in states:
            states[each.card.id] = _overtaken(tx, each)
    return states


def _overtaken(tx: Tx, each: Reserved) -> str:
    """Somebody resolved it while we were away: their word stands, ours is noted."""
    outbound.failure(tx, provider=each.hand.name, kind="maybe_happened", card_id=each.card.id,
                     detail="settled by somebody else while the provider answered")  # fmt: skip
    return "elsewhere"


def _settle_unsent(
    work: Work, tx: Tx, each: Reserved, answer: ProviderError, tenant_settings: TenantSettings
) -> str:  # fmt: skip
    """Settle a card whose mail was not accepted: it rests, has failed, or nobody knows."""
    try:
        with tx.savepoint():
            return _record(work, tx, each, answer, tenant_settings)
    except IllegalMove:
        return _overtaken(tx, each)


def _record(work: Work, tx: Tx, each: Reserved, answer: ProviderError, tenant_settings: TenantSettings) -> str:
    card, provider, told = each.card, each.hand.name, storable.text(str(answer), 500)
    match answer:
        case NothingHappened():
            outbound.failure(tx, provider=provider, kind="nothing_happened", detail=told, card_id=card.id)
            rest = answer.retry_after_seconds or RETRY_MINUTES * 60 * min(2 ** max(card.attempts - 1, 0), 12)
            outbound.release(tx, card.id)
            limits.give_back(tx, each.caps)
            executions.settle(tx, card, "deferred", reason=f"{provider}: {told}", rule="provider.nothing_happened",
                         not_before=tx.now + timedelta(seconds=rest), released=True)  # fmt: skip
            schedule.bring_forward(tx, tx.now + timedelta(seconds=rest), extra=True)
            return "deferred"
        case NeverWill():
            outbound.failure(tx, provider=provider, kind="never_will", detail=told, card_id=card.id)
            outbound.ended(tx, card.id, "failed")
            failed = executions.settle(tx, card, "failed", reason=f"{provider}: {told}", rule="provider.never_will")
            judge.settled(tx, work.engines, [failed], tenant_settings)
            return "failed"
        case _:
            outbound.failure(tx, provider=provider, kind="maybe_happened", detail=told, card_id=card.id)
            outbound.ended(tx, card.id, "uncertain")
            look_at = tx.now + timedelta(seconds=RESOLVE_SECONDS)
            executions.settle(tx, card, "uncertain", reason=f"{provider}: {told}", rule="provider.maybe_happened",
                         resolve_after=look_at)  # fmt: skip
            schedule.bring_forward(tx, look_at, extra=True)
            return "uncertain"


def went_out(tx: Tx, engines: Sequence[Engine], done: Sequence[Card], tenant_settings: TenantSettings) -> None:
    """What follows once mails are known to have gone out: their records, the touches, the engines' own steps.

    A card has no `provider_id` where a person knows it, and not the provider's name for it.
    """
    outbound.accepted_each(tx, {card.id: card.provider_id for card in done})
    clocks.mailed(tx, {
        card.id: card.contact_id for card in done if card.contact_id is not None and card.type != "broadcast_email"
    })  # fmt: skip
    judge.settled(tx, engines, done, tenant_settings)
