"""The shapes of answers: closed lists, numbers, dates and short quotes for readers, one text for writers."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Class = Literal[
    "reply", "new_request", "quote_request", "order", "order_update", "feedback_answer", "complaint", "unsubscribe",
    "task_request", "other",
]  # fmt: skip
"""What a person's message can be; what machines write is never a model's to say."""

Feeling = Literal["negative", "neutral", "positive"]
SignalKind = Literal["complaint", "urgency", "upsell", "renewal", "referral"]

Span = Annotated[str, Field(max_length=500)]
"""Words of the message itself; whoever uses them checks that they stand there."""


class Answer(BaseModel):
    """Nothing but what is asked for; an unknown field makes the whole answer worthless."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Classified(Answer):
    """What kind of message it is."""

    cls: Class
    span: Span
    wants_unsubscribe: bool
    complains: bool
    asks_call: bool


class Sentiment(Answer):
    """How the writer feels about the work."""

    feeling: Feeling
    span: Span


class TaskEvidence(Answer):
    """Whether a person is explicitly asked to do something, and by when."""

    asks: bool
    span: Span
    due: date | None


class ReturnDay(Answer):
    """When somebody who is away is back."""

    back_on: date | None
    span: Span


class Signal(Answer):
    """One opportunity or risk, with the words that show it."""

    kind: SignalKind
    span: Span


class Signals(Answer):
    """What a message shows beside what it says."""

    signals: Annotated[tuple[Signal, ...], Field(max_length=5)]


class WantedItem(Answer):
    """One line of a request for prices."""

    description: Annotated[str, Field(min_length=1, max_length=200)]
    quantity: Annotated[float, Field(gt=0, le=1_000_000_000)] | None
    unit: Annotated[str, Field(max_length=30)]
    span: Span


class QuoteItems(Answer):
    """What somebody wants priced."""

    items: Annotated[tuple[WantedItem, ...], Field(max_length=20)]


class Letter(Answer):
    """The body of a mail, in plain text; everything else of the mail is not a model's to write."""

    body: Annotated[str, Field(min_length=1, max_length=6_000)]


class Prose(Answer):
    """An hour, told."""

    text: Annotated[str, Field(min_length=1, max_length=6_000)]
