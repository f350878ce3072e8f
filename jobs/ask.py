"""Asking a model: chosen in order, behind the switches and the budget, checked, logged; else the rulebook answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

import structlog
from pydantic import BaseModel

from brain import prices
from brain.masking import Mask
from brain.questions import Question, Unusable
from domain import alerts, gate, model_budgets, model_calls, models, switches
from domain.db import Tx
from domain.gate import GateClosed
from domain.house import House
from domain.model_calls import About, Ending, Open
from domain.models import RULEBOOK, Completion, ModelFailed, ModelProvider, Prompt, Usage
from domain.ports import NeverWill
from domain.settings import TenantSettings
from policy import letters, numbers

log = structlog.get_logger(__name__)

Told = TypeVar("Told", bound=BaseModel)

AT_ONCE = 4
"""How many questions of one cycle are under way at once: a stop waits for the slowest of them, and no longer."""
SAME_INPUT = 3
"""How often the very same question is worth asking within a day."""
SAME_ANSWER = 5
"""A writer who gave so many equal answers in a row to different questions repeats itself."""
SHORTEST_SECONDS = 0.5
AFTERMATH = timedelta(seconds=60)
"""How long past its deadline an open call still counts as under way."""


@dataclass(frozen=True, slots=True)
class Desk:
    """Where questions are asked from: one tenant, and the run that they belong to."""

    house: House
    tenant_id: UUID
    lock_id: int
    settings: TenantSettings
    run_id: UUID | None = None

    def order(self, question: str) -> tuple[str, ...]:
        """The models to ask, in order; empty where the rulebook comes first or is all there is."""
        return models.order(self.house.models, self.settings, question)


@dataclass(frozen=True, slots=True)
class Wish(Generic[Told]):
    """One question about one thing."""

    given: Any
    card_id: UUID | None = None
    message_id: UUID | None = None
    names: tuple[str, ...] = ()
    """Names to mask, where the tenant wants masks."""
    refuses: Callable[[Told], str | None] = field(default=lambda _: None)
    """What speaks against an answer that fits the question: the policy's word."""


@dataclass(frozen=True, slots=True)
class Reply(Generic[Told]):
    """An answer, and who gave it."""

    answer: Told
    by: str
    call_id: UUID | None = None
    deferred_until: datetime | None = None
    """When a model may be asked again, where the day's budget was the reason that none was."""


class _NotNow(Exception):
    """No model may be asked at this moment."""

    def __init__(self, outcome: str, until: datetime | None = None) -> None:
        super().__init__(outcome)
        self.until = until


@dataclass(frozen=True, slots=True)
class _Opened:
    call: Open
    provider: ModelProvider


def ask_each(desk: Desk, question: Question[Any, Told], wishes: Sequence[Wish[Told]]) -> list[Reply[Told]]:
    """Ask about several things, a few at once and with no transaction open; an answer to each, whoever gave it."""
    if len(wishes) < 2 or not desk.order(question.name):
        return [ask(desk, question, wish) for wish in wishes]
    with ThreadPoolExecutor(min(AT_ONCE, len(wishes)), thread_name_prefix="ask") as pool:
        # each with the log's own words of tenant and run
        under_way = [pool.submit(copy_context().run, ask, desk, question, wish) for wish in wishes]
        return [each.result() for each in under_way]


def ask(desk: Desk, question: Question[Any, Told], wish: Wish[Told]) -> Reply[Told]:
    """Ask one question; the answer of the first model that gives a usable one, else the rulebook's.

    Raises TemplateFailed where the rulebook can't answer either.
    """
    put_off: datetime | None = None
    ends = desk.house.clock.monotonic() + (desk.house.models.deadline_seconds if desk.house.models else 0)
    for model in desk.order(question.name):
        left = ends - desk.house.clock.monotonic()
        # a process that is to end waits for the question under way, and asks nobody anything more
        if left < SHORTEST_SECONDS or desk.house.leaving.is_set():
            break
        try:
            reply = _ask_one(desk, question, wish, model, left)
        except _NotNow as not_now:
            put_off = not_now.until
            break
        if reply is not None:
            return reply
    return Reply(question.by_rules(wish.given), RULEBOOK, deferred_until=put_off)


def _ask_one(
    desk: Desk, question: Question[Any, Told], wish: Wish[Told], model: str, seconds: float
) -> Reply[Told] | None:  # fmt: skip
    """One model's answer, or None where it gave no usable one. Raises _NotNow."""
    house = desk.house
    mask = Mask(wish.names, is_identity=_is_identity) if desk.settings.mask_personal_data else None
    prompt = _prompt(question, wish.given, mask)
    try:
        # a stop waits until the answer is here, and nothing is asked once it has returned
        with house.gate.passing(desk.lock_id):
            opened = _open(desk, question, wish, prompt, model, seconds, masked=mask is not None)
            return _put(desk, question, wish, prompt, opened, seconds, mask) if opened is not None else None
    except GateClosed as closed:
        raise _NotNow("stopped") from closed


class NotAsked(Exception):
    """A model may not be asked now: stopped, without a key, or with no room in the day's budget."""


def examine(desk: Desk, question: Question[Any, Told], given: Any, model: str) -> Completion:
    """One model's own words about a case: behind the switches, within the budget and logged, however often it is asked.

    Raises NotAsked, ModelFailed.
    """
    assert desk.house.models is not None, "the process's house has models, whoever has their keys"
    prompt, seconds = question.prompt(given), desk.house.models.deadline_seconds
    try:
        with desk.house.gate.passing(desk.lock_id):
            opened = _open(desk, question, Wish(given), prompt, model, seconds, masked=False, repeats=True)
            if opened is None:
                raise NotAsked(f"{model}: there is no key")
            return _listen(desk, prompt, opened, seconds)
    except (_NotNow, GateClosed) as not_now:
        raise NotAsked(f"{model}: {not_now}") from not_now


def _listen(desk: Desk, prompt: Prompt, opened: _Opened, seconds: float) -> Completion:
    began = desk.house.clock.monotonic()
    usage: Usage | None = None
    outcome, text = "abandoned", ""
    try:
        completion = opened.provider.ask(prompt, opened.call.model.partition("/")[2], deadline_seconds=seconds)
        outcome, usage, text = "answered", completion.usage, completion.text
    except ModelFailed as error:
        outcome, usage = error.wrong, error.usage
        raise
    finally:
        cost = _cost(opened.call, usage)
        latency = int((desk.house.clock.monotonic() - began) * 1000)
        _settle(desk, opened.call, Ending(outcome, usage, cost, latency), prompt, text)
    return completion


def _prompt(question: Question[Any, Told], given: Any, mask: Mask | None) -> Prompt:
    prompt = question.prompt(given)
    if mask is None:
        return prompt
    return Prompt(prompt.question, prompt.version, prompt.system, mask.hide(prompt.user), prompt.schema,
                  prompt.max_tokens)  # fmt: skip


def _is_identity(piece: str) -> bool:
    return bool(numbers.found(letters.plain(piece)))


def _open(
    desk: Desk, question: Question[Any, Told], wish: Wish[Told], prompt: Prompt, model: str, seconds: float, *,
    masked: bool, repeats: bool = False,
) -> _Opened | None:  # fmt: skip
    """Set aside the worst that the call can cost, unless a switch, a loop or the budget forbids it. Raises _NotNow."""
    about = About(question.name, prompt.version, _hash(prompt.system, prompt.user, model), desk.run_id, wish.card_id,
                  wish.message_id)  # fmt: skip
    refused: _NotNow | None = None
    opened: _Opened | None = None
    with desk.house.database.tenant(desk.tenant_id, run_id=desk.run_id) as tx:
        gate.bind(tx, desk.lock_id)
        if desk.house.brakes.stopped() or any(level == "all" for _scope, level, _name in switches.closed(tx)):
            raise _NotNow("stopped")
        model_calls.abandon_overdue(tx)
        standing = model_budgets.hold(tx, desk.settings)
        chosen = _affordable(desk, standing, prompt, model)
        if loop := None if repeats else _loop(tx, desk, question, about):
            model_calls.not_made(tx, about, model=model, day=standing.day, outcome="looping", reason=loop)
            refused = _NotNow("looping")
        elif chosen is None:
            until = model_budgets.renewed_at(standing.day, desk.settings)
            model_calls.not_made(tx, about, model=model, day=standing.day, outcome="deferred",
                                 reason="the day's budget for models has no room for it", until=until)  # fmt: skip
            refused = _NotNow("deferred", until)
        else:
            opened = _reserve(tx, desk, about, prompt, chosen, standing, seconds, masked=masked)
    if refused is not None:
        log.warning(f"model.{refused}", question=question.name, model=model)
        raise refused
    return opened


def _affordable(desk: Desk, standing: model_budgets.Standing, prompt: Prompt, model: str) -> str | None:
    """The model, or the cheaper one from 80 % of the budget on; None when there is room for neither."""
    cheaper = desk.settings.model_cheaper
    saves = cheaper != RULEBOOK and _price(standing, cheaper).output < _price(standing, model).output
    wished = [cheaper, model] if saves and standing.is_tight else [model, cheaper] if saves else [model]
    return next((each for each in wished if standing.has_room(*_price(standing, each).worst(prompt))), None)


def _price(standing: model_budgets.Standing, model: str) -> prices.Price:
    return prices.of(model, standing.day)


def _loop(tx: Tx, desk: Desk, question: Question[Any, Told], about: About) -> str | None:
    """Why asking on would be a loop and no work."""
    habits = model_calls.habits(tx, about, answers=SAME_ANSWER)
    if habits.same_input >= SAME_INPUT:
        return f"the same was asked {habits.same_input} times within a day"
    if habits.last_hour >= desk.settings.max_model_calls_per_hour:
        told = f"{habits.last_hour} calls within an hour are as many as the tenant allows"
        alerts.open(tx, "model_calls", f"Models rest for this tenant: {told}.")
        return told
    if question.kind == "writer" and len(habits.answers) >= SAME_ANSWER and len(set(habits.answers)) == 1:
        told = f"the last {SAME_ANSWER} answers were the same"
        alerts.open(tx, f"model_repeats:{question.name}", f"A model repeats itself and rests for a day: {told}.")
        return told
    return None


def _reserve(
    tx: Tx, desk: Desk, about: About, prompt: Prompt, model: str, standing: model_budgets.Standing, seconds: float, *,
    masked: bool,
) -> _Opened | None:  # fmt: skip
    assert desk.house.models is not None, "there is an order, so there are models"
    try:
        provider = desk.house.models.provider(tx, model.partition("/")[0])
    except NeverWill as error:
        log.warning("model.without_key", question=about.question, model=model, error=str(error))
        return None
    usd, tokens = _price(standing, model).worst(prompt)
    call = model_calls.begin(tx, about, model=model, day=standing.day, usd=usd, tokens=tokens, masked=masked,
                             until=tx.now + timedelta(seconds=seconds) + AFTERMATH)  # fmt: skip
    return _Opened(call, provider)


def _put(
    desk: Desk, question: Question[Any, Told], wish: Wish[Told], prompt: Prompt, opened: _Opened, seconds: float,
    mask: Mask | None,
) -> Reply[Told] | None:  # fmt: skip
    """Ask, check and write down what came of it."""
    clock = desk.house.clock
    began = clock.monotonic()
    answer: Told | None = None
    reason: str | None = None
    usage: Usage | None = None
    text = ""
    try:
        completion = opened.provider.ask(prompt, opened.call.model.partition("/")[2], deadline_seconds=seconds)
        usage, text = completion.usage, completion.text
        answer = question.read(wish.given, mask.show_in_json(text) if mask else text)
        reason = wish.refuses(answer)
        outcome: str = "rejected" if reason else "answered"
    except Unusable as error:
        outcome, reason = "malformed", str(error)
    except ModelFailed as error:
        outcome, reason, usage = error.wrong, str(error), error.usage
    ending = Ending(
        outcome=outcome,
        usage=usage,
        cost_usd=opened.call.reserved_usd
        if usage is None
        else prices.of(opened.call.model, opened.call.day).cost(usage),
        latency_ms=int((clock.monotonic() - began) * 1000),
        reason=reason,
        answer_hash=_hash(answer.model_dump_json()) if answer else None,
    )
    _settle(desk, opened.call, ending, prompt, text)
    _tell(question, opened.call.model, ending)
    return Reply(answer, opened.call.model, opened.call.id) if answer is not None and outcome == "answered" else None


def _cost(call: Open, usage: Usage | None) -> Decimal:
    return call.reserved_usd if usage is None else prices.of(call.model, call.day).cost(usage)


def _settle(desk: Desk, call: Open, ending: Ending, prompt: Prompt, text: str) -> None:
    with desk.house.database.tenant(desk.tenant_id, run_id=desk.run_id) as tx:
        model_calls.end(tx, call, ending)
        if desk.settings.keep_model_contents:
            model_calls.keep_contents(tx, call.id, prompt=f"{prompt.system}\n\n{prompt.user}", answer=text,
                                      days=desk.settings.model_contents_days)  # fmt: skip


def _tell(question: Question[Any, Told], model: str, ending: Ending) -> None:
    usage = ending.usage or Usage()
    say = log.info if ending.outcome == "answered" else log.warning
    say(f"model.{ending.outcome}", question=question.name, model=model, latency_ms=ending.latency_ms,
        tokens_in=usage.tokens_in, tokens_cached=usage.tokens_cached, tokens_out=usage.tokens_out,
        cost_usd=str(ending.cost_usd))  # fmt: skip


def _hash(*said: str) -> bytes:
    return hashlib.sha256("\x00".join(said).encode()).digest()
