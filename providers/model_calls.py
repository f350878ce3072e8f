"""Calls to providers of models: one total deadline, retries that heed Retry-After, and what each refusal means."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential
from tenacity.nap import sleep

from domain.models import PASSING, Completion, ModelFailed, Usage, Wrong
from domain.ports import NothingHappened
from providers.circuit import Circuit
from providers.deadlines import Deadline
from providers.wire import Answer, Unanswered, Unsent, Wire

MOST_TRIES = 3
PAUSES = wait_random_exponential(multiplier=0.4, max=4)
LEFT_FOR_A_TRY_SECONDS = 0.5
"""No try is begun with less time than this."""


def in_time(
    once: Callable[[Deadline], Completion], circuit: Circuit | None, *, deadline_seconds: float
) -> Completion:  # fmt: skip
    """Try until it succeeds, fails for good or the time is over, behind the provider's circuit. Raises ModelFailed."""
    deadline = Deadline(deadline_seconds)
    if circuit is not None:
        try:
            circuit.admit()
        except NothingHappened as error:
            raise ModelFailed("unreachable", str(error), retry_after_seconds=error.retry_after_seconds) from error

    def hopeless(state: RetryCallState) -> bool:
        return (
            state.attempt_number >= MOST_TRIES
            or state.upcoming_sleep + LEFT_FOR_A_TRY_SECONDS >= deadline.seconds_left()
        )  # fmt: skip

    tries = Retrying(retry=retry_if_exception(_passes), stop=hopeless, wait=_pause, sleep=sleep, reraise=True)
    try:
        completion: Completion = tries(once, deadline)
    except ModelFailed as error:
        if circuit is not None:
            # what it refused, it answered
            (circuit.failed if error.wrong in ("overloaded", "timeout", "unreachable") else circuit.succeeded)()
        raise
    if circuit is not None:
        circuit.succeeded()
    return completion


def post(wire: Wire, url: str, told: Mapping[str, Any], headers: Mapping[str, str], deadline: Deadline) -> Any:
    """One JSON request; the JSON of the answer. Raises ModelFailed."""
    body = json.dumps(told, ensure_ascii=False).encode()
    try:
        answer = wire.request("POST", url, headers={**headers, "Content-Type": "application/json"}, body=body,
                              deadline=deadline)  # fmt: skip
    except (Unsent, Unanswered) as error:
        raise meaning_of_silence(error) from error
    if answer.status != 200:
        raise meaning_of_status(answer.status, _message(answer), _retry_after(answer.headers))
    try:
        return json.loads(answer.body)
    except ValueError as error:
        raise ModelFailed("malformed", "the provider's answer was not JSON") from error


def meaning_of_silence(error: Unsent | Unanswered) -> ModelFailed:
    """No answer: what never left was not charged, and what left may have been."""
    if isinstance(error, Unsent):
        return ModelFailed("unreachable", "the provider could not be reached")
    return ModelFailed("timeout", "the provider took the question and gave no whole answer in time")


def meaning_of_status(status: int, message: str, retry_after_seconds: float | None = None) -> ModelFailed:
    """What a status other than 200 means."""
    wrong: Wrong = "invalid"
    if status in (401, 402, 403):
        wrong = "unauthorised"
    elif status == 429:
        wrong = "throttled"
    elif status == 529 or status >= 500:
        wrong = "overloaded"
    elif status == 408:
        wrong = "timeout"
    # what a provider says of a request may repeat the request: its first words must do
    return ModelFailed(
        wrong, f"the provider answered {status}: {message[:80]}", retry_after_seconds=retry_after_seconds
    )


def retry_after(told: str | None) -> float | None:
    """Seconds of a Retry-After header; its other form, a date, is not worth a clock."""
    try:
        return max(0.0, float(told)) if told else None
    except ValueError:
        return None


def counted(told: Any, name: str) -> int:
    """A number of tokens from an answer; what is no number counts as none."""
    value = told.get(name) if isinstance(told, Mapping) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def usage_of(total_in: int, cached: int, out: int) -> Usage | None:
    """Usage where the provider counts what came from its cache among what it read; None where it counted nothing."""
    if not total_in and not out:
        return None
    return Usage(tokens_in=max(0, total_in - cached), tokens_cached=min(cached, total_in), tokens_out=out)


def _passes(error: BaseException) -> bool:
    return isinstance(error, ModelFailed) and error.wrong in PASSING


def _pause(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked_for = getattr(error, "retry_after_seconds", None) or 0.0
    return max(float(asked_for), float(PAUSES(state)))


def _retry_after(headers: Mapping[str, str] | Any) -> float | None:
    return retry_after(headers.get("Retry-After"))


def _message(answer: Answer) -> str:
    try:
        told = json.loads(answer.body)
    except ValueError:
        return ""
    error = told.get("error") if isinstance(told, dict) else None
    kind = error.get("type") or error.get("status") or error.get("code") if isinstance(error, dict) else error
    return str(kind or "")
