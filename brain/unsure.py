"""Where rules are unsure of a message: which questions about it are worth a model, and how its answers are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from brain import answers, questions
from brain.questions import Question
from brain.reading.model import EXPLICIT

SHORTEST = 12
"""Fewer characters say nothing that a rule misses."""
LIKELY_SIGNALS = 60

WEAK = frozenset({"other", "reply", "new_request"})
"""Classes that say no more than that a person wrote: a reader may name a better one."""

FLAGS: Mapping[str, str] = {
    "wants_unsubscribe": "wants_unsubscribe",
    "complains": "complains",
    "asks_call": "asks_call",
}


def asked(cls: str, reading: Mapping[str, Any], *, by_person: bool) -> tuple[Question[Any, Any], ...]:
    """The questions about one message; none where rules are sure, or a model was asked already."""
    text = str(reading.get("reply") or "")
    if "model" in reading or len(text.strip()) < SHORTEST:
        return ()
    if cls == "out_of_office":
        return () if reading.get("return_date") else (questions.RETURN_DATE,)
    if not by_person:
        return ()
    wished: list[Question[Any, Any]] = []
    if cls in WEAK:
        wished.append(questions.CLASSIFY)
    request = reading.get("task_request")
    if isinstance(request, Mapping) and float(request.get("confidence") or 0) < EXPLICIT:
        wished.append(questions.TASK_REQUEST)
    if cls in ("feedback_answer", "complaint"):
        wished.append(questions.SENTIMENT)
    if cls == "quote_request" and not reading.get("items"):
        wished.append(questions.QUOTE_ITEMS)
    if cls in ("reply", "feedback_answer") and len(text) >= LIKELY_SIGNALS:
        wished.append(questions.SIGNALS)
    return tuple(wished)


def settled(
    cls: str, flags: Sequence[str], told: Mapping[str, answers.Answer], by: Mapping[str, str]
) -> tuple[str, tuple[str, ...], dict[str, Any]]:  # fmt: skip
    """Class, flags and what is kept beside the reading, once answers are in.

    A reader may name a class where rules found an ordinary one, and add what a writer wants; it takes nothing away.
    """
    kept: dict[str, Any] = {name: each.model_dump(mode="json") for name, each in told.items()}
    more = set(flags)
    first = told.get("classify")
    if isinstance(first, answers.Classified):
        more |= {flag for name, flag in FLAGS.items() if getattr(first, name)}
        if cls in WEAK and first.cls not in WEAK:
            cls = first.cls
        # who wants to be left alone and who complains come before everything else that a message may be
        cls = "unsubscribe" if first.wants_unsubscribe else "complaint" if first.complains and cls in WEAK else cls
    return cls, tuple(sorted(more)), {**kept, "by": dict(by)}
