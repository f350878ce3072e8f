"""Every use of a language model: a typed question with its prompt, its answer's shape, and what rules say to it."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from brain import answers, by_rules, checks
from brain.given import Hour, Letter, Message
from domain.models import Prompt

PROMPTS = Path(__file__).parent / "prompts"

Given = TypeVar("Given", Message, Letter, Hour)
Told = TypeVar("Told", bound=BaseModel)


class Unusable(Exception):
    """An answer does not fit its question."""


@dataclass(frozen=True, slots=True)
class Question(Generic[Given, Told]):
    """One typed question. Its prompt is a file; a changed word makes another version."""

    name: str
    kind: Literal["reader", "writer", "teller"]
    answer: type[Told]
    by_rules: Callable[[Given], Told]
    check: Callable[[Given, Told], Told]
    """The answer as it may be used. Raises ValueError for one that says what can't be so."""
    max_tokens: int

    @property
    def version(self) -> str:
        """The first letters of the hash of the whole prompt."""
        return hashlib.sha256(self.system.encode()).hexdigest()[:10]

    @property
    def system(self) -> str:
        """The stable part of the prompt, the same for every tenant and every call.

        It ends with the shape of the answer: a server that knows nothing of schemas is told by it what is wanted.
        """
        return f"{_system(self.name, self.kind)}\nThe schema of the answer:\n{_compact(self.answer)}\n"

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the answer."""
        return _schema(self.answer)

    def prompt(self, given: Given) -> Prompt:
        """The question about something."""
        return Prompt(self.name, self.version, self.system, given.facts, self.schema, self.max_tokens)

    def read(self, given: Given, text: str) -> Told:
        """An answer's text as the type it must be, its quotes found where they were taken from. Raises Unusable."""
        try:
            told = self.answer.model_validate_json(_bare(text))
            return self.check(given, told)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            raise Unusable(f"{where}: {first['msg']}") from error
        except ValueError as error:
            raise Unusable(str(error)) from error


CLASSIFY = Question("classify", "reader", answers.Classified, by_rules.classify, checks.classified, 300)
SENTIMENT = Question("sentiment", "reader", answers.Sentiment, by_rules.sentiment, checks.sentiment, 250)
TASK_REQUEST = Question("task_request", "reader", answers.TaskEvidence, by_rules.task_request, checks.task, 300)
RETURN_DATE = Question("return_date", "reader", answers.ReturnDay, by_rules.return_date, checks.return_day, 250)
SIGNALS = Question("signals", "reader", answers.Signals, by_rules.signals, checks.signals, 600)
QUOTE_ITEMS = Question("quote_items", "reader", answers.QuoteItems, by_rules.quote_items, checks.quote_items, 1_500)


def _writer(name: str) -> Question[Letter, answers.Letter]:
    return Question(name, "writer", answers.Letter, by_rules.letter, checks.letter, 700)


FIRST_TOUCH = _writer("first_touch")
FOLLOW_UP = _writer("follow_up")
FEEDBACK_REQUEST = _writer("feedback_request")
SERVICE_RECOVERY = _writer("service_recovery")
QUOTE_COVER = _writer("quote_cover")
COMPLIANCE_REMINDER = _writer("compliance_reminder")
REFLECTION = Question("reflection", "teller", answers.Prose, by_rules.hour, checks.prose, 900)

READERS: tuple[Question[Message, Any], ...] = (CLASSIFY, SENTIMENT, TASK_REQUEST, RETURN_DATE, SIGNALS, QUOTE_ITEMS)
WRITERS: tuple[Question[Letter, answers.Letter], ...] = (
    FIRST_TOUCH, FOLLOW_UP, FEEDBACK_REQUEST, SERVICE_RECOVERY, QUOTE_COVER, COMPLIANCE_REMINDER,
)  # fmt: skip
_ALL: tuple[Question[Any, Any], ...] = (*READERS, *WRITERS, REFLECTION)
QUESTIONS: Mapping[str, Question[Any, Any]] = {each.name: each for each in _ALL}
"""Every question by its name."""

TONES = ("gentle", "helpful", "open", "closing")
"""How the first, second, third and every later follow-up sounds."""

_BY_TEMPLATE: tuple[tuple[re.Pattern[str], Question[Letter, answers.Letter]], ...] = (
    (re.compile(r"first_touch"), FIRST_TOUCH),
    (re.compile(r"follow_up"), FOLLOW_UP),
    (re.compile(r"recover|apolog"), SERVICE_RECOVERY),
    (re.compile(r"feedback_re(?:quest|minder)"), FEEDBACK_REQUEST),
    (re.compile(r"quote|bid"), QUOTE_COVER),
    (re.compile(r"compliance"), COMPLIANCE_REMINDER),
)


def writer_for(template: str) -> Question[Letter, answers.Letter] | None:
    """The question that writes what a template writes; None where no model is asked."""
    return next((question for pattern, question in _BY_TEMPLATE if pattern.search(template)), None)


def letter_for(template: str, language: str, slots: Mapping[str, Any], *, page: bool = False) -> Letter:
    """The facts of one mail, with the tone that its attempt calls for."""
    told = re.search(r"follow_up_(\d+)|feedback_reminder", template)
    attempt = int(told[1] or 1) if told else 0
    tone = TONES[min(attempt, len(TONES)) - 1] if attempt else ""
    return Letter(template, language, slots, attempt, tone, page=page)


def _bare(text: str) -> str:
    """JSON without the fence that some models put around it."""
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?```\s*", text, re.DOTALL)
    return fenced[1] if fenced else text


@functools.cache
def _system(name: str, kind: str) -> str:
    shared = "" if kind == "teller" else (PROMPTS / f"_{kind}.txt").read_text(encoding="utf-8") + "\n"
    return shared + (PROMPTS / f"{name}.txt").read_text(encoding="utf-8")


@functools.cache
def _compact(answer: type[BaseModel]) -> str:
    return json.dumps(dict(_schema(answer)), separators=(",", ":"))


@functools.cache
def _schema(answer: type[BaseModel]) -> Mapping[str, Any]:
    closed: Mapping[str, Any] = _closed(answer.model_json_schema())
    return closed


_DISPENSABLE = ("title", "default", "description")
"""What pydantic adds for people."""
_BY_NAME = ("properties", "$defs")


def _closed(schema: Any) -> Any:
    """A schema in which every field must be there: what providers ask of structured answers."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {name: _closed(value) for name, value in schema.items() if name not in (*_DISPENSABLE, *_BY_NAME)}
    # here the keys are names of our own, whatever they are called
    for names in _BY_NAME:
        if names in schema:
            kept[names] = {name: _closed(value) for name, value in schema[names].items()}
    if kept.get("type") == "object":
        kept |= {"required": list(kept.get("properties", {})), "additionalProperties": False}
    return kept
