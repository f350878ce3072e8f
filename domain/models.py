"""What a language model is asked and what it answers: one shape for every provider of models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from domain.db import Tx
from domain.settings import TenantSettings

RULEBOOK = "rulebook"
"""The name under which rules and templates answer: no provider's, always there, free of charge."""

Wrong = Literal[
    "throttled", "overloaded", "timeout", "unreachable", "unauthorised", "invalid", "malformed", "refused", "truncated",
]  # fmt: skip
"""In what way a call brought no usable answer."""

PASSING: frozenset[Wrong] = frozenset({"throttled", "overloaded", "unreachable"})
"""What may be well a moment later, and was certainly not charged."""


THOUGHT_TOKENS = 2_000
"""Room for what a model thinks before it answers; one that can't be told not to would have its answer cut off."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question, ready to be asked. It never holds tools: a model only ever answers."""

    question: str
    version: str
    system: str
    """The same bytes for every call of this question, so that a provider may keep it in its cache."""
    user: str
    schema: Mapping[str, Any]
    """JSON schema of the answer."""
    max_tokens: int
    """The longest answer."""

    @property
    def most_tokens(self) -> int:
        """The most that may be written: the answer, and what a model thinks before it."""
        return self.max_tokens + THOUGHT_TOKENS


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call consumed, in tokens."""

    tokens_in: int = 0
    """Read at the full price; what came from the cache or went into it is not among them."""
    tokens_out: int = 0
    tokens_cached: int = 0
    tokens_written: int = 0

    @property
    def total(self) -> int:
        """All tokens, whatever each of them cost."""
        return self.tokens_in + self.tokens_out + self.tokens_cached + self.tokens_written


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model answered, in its own words: not yet checked by anybody."""

    text: str
    usage: Usage


class ModelFailed(Exception):
    """A model gave no usable answer. `usage` is None where nobody knows what was charged."""

    def __init__(
        self, wrong: Wrong, message: str, *, usage: Usage | None = None, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message)
        self.wrong: Wrong = wrong
        self.usage = Usage() if usage is None and wrong in FREE else usage
        self.retry_after_seconds = retry_after_seconds


FREE: frozenset[Wrong] = PASSING | {"unauthorised", "invalid"}
"""Failures for which no provider charges."""


class ModelProvider(Protocol):
    """A provider of models, with one tenant's key."""

    name: str

    def ask(self, prompt: Prompt, model: str, *, deadline_seconds: float) -> Completion:
        """Ask one of its models, all tries within `deadline_seconds`. Raises ModelFailed."""
        ...


class Models(Protocol):
    """Where providers of models come from."""

    order: tuple[str, ...]
    """Models in the order in which tenants ask them that have set no order of their own."""
    deadline_seconds: float
    """How long one question may take, whoever answers it in the end."""

    def provider(self, tx: Tx, name: str) -> ModelProvider:
        """A provider with the tenant's own key, or the house's. Raises NeverWill when there is none."""
        ...


def order(models: Models | None, settings: TenantSettings, question: str = "") -> tuple[str, ...]:
    """The models that a tenant asks, in order, up to the rulebook; empty where rules and templates do all the work."""
    if models is None:
        return ()
    wished = settings.model_order_by_question.get(question) or settings.model_order or models.order
    return wished[: wished.index(RULEBOOK)] if RULEBOOK in wished else wished


def first(models: Models | None, settings: TenantSettings) -> str:
    """What a run says that it thinks with."""
    return next(iter(order(models, settings)), RULEBOOK)
