"""Evaluation: cases of every question put to a model, to recorded answers or to the rulebook, held to thresholds."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from brain import prices, questions
from brain.given import Hour, Letter, Message
from brain.questions import QUESTIONS, Question, Unusable
from brain.rulebook import LANGUAGES, TemplateFailed, templates
from domain import schedule, settings
from domain.db import Tx
from domain.house import House
from domain.models import RULEBOOK, ModelFailed, Usage
from jobs import ask
from jobs.ask import Desk
from policy import drafts

CASES = Path(questions.__file__).parent / "cases"
NAMES = tuple(QUESTIONS)

THRESHOLDS: Mapping[str, tuple[float, float]] = {
    "classify": (0.8, 0.85), "sentiment": (0.8, 0.85), "task_request": (0.8, 0.85), "return_date": (0.8, 0.85),
    "signals": (0.8, 0.8), "quote_items": (0.6, 0.8),
}  # fmt: skip
"""The share of cases that must pass, for the rulebook and for a model; all of them where nothing is named."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question about one thing, and what must hold of the answer."""

    question: str
    id: str
    language: str
    given: Any
    expect: Mapping[str, Any]


@dataclass
class Figures:
    """How one question's cases went."""

    question: str
    by: str
    threshold: float
    cases: int = 0
    passed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: Decimal = Decimal(0)
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Of the cases, those that passed."""
        return self.passed / self.cases if self.cases else 0.0

    @property
    def is_enough(self) -> bool:
        """Whether the threshold is kept."""
        return self.share >= self.threshold

    @property
    def figures(self) -> dict[str, Any]:
        """One line of the table."""
        return {"question": self.question, "by": self.by, "cases": self.cases, "passed": self.passed,
                "share": round(self.share, 3), "threshold": self.threshold, "tokens_in": self.tokens_in,
                "tokens_out": self.tokens_out, "cost_usd": str(self.cost_usd),
                "failed": [case for case, _ in self.failed]}  # fmt: skip


Answering = Callable[[Question[Any, Any], Case], tuple[Any, Usage] | None]
"""An answer, or the text of one that is still to be read, and what it consumed; None for what is no case of its."""


def by_rulebook(question: str | None = None) -> list[Figures]:
    """What rules and templates come to; for a mail that has a template in no language there is no case."""
    return _held(question, RULEBOOK, 0, _by_rules)


def _by_rules(asked: Question[Any, Any], case: Case) -> tuple[Any, Usage] | None:
    if isinstance(case.given, Letter) and not any(case.given.template in templates(each) for each in LANGUAGES):
        return None
    return asked.by_rules(case.given), Usage()


def desk(house: House, tx: Tx) -> Desk:
    """Where a tenant's evaluation is asked from: no cheaper model may stand in for the one that is tried."""
    alone = settings.of(tx).model_copy(update={"model_cheaper": RULEBOOK})
    return Desk(house, tx.tenant_id, schedule.lock_id(tx), alone)


def by_model(
    at: Desk, model: str, question: str | None = None, *, record: dict[str, str] | None = None
) -> list[Figures]:  # fmt: skip
    """What a model comes to, every case asked once; its answers are kept in `record`. Raises NotAsked."""

    def answer(asked: Question[Any, Any], case: Case) -> tuple[Any, Usage]:
        completion = ask.examine(at, asked, case.given, model)
        if record is not None:
            record[f"{case.question}/{case.id}"] = completion.text
        return completion.text, completion.usage

    return _held(question, model, 1, answer, at.house.clock.now().date())


def by_record(recorded: Mapping[str, str], question: str | None = None) -> list[Figures]:
    """What answers that were kept come to, by `question/case`; a case without one does not count."""

    def answer(asked: Question[Any, Any], case: Case) -> tuple[Any, Usage] | None:
        if f"{case.question}/{case.id}" not in recorded:
            return None
        return recorded[f"{case.question}/{case.id}"], Usage()

    return _held(question, "recorded", 1, answer)


def _held(only: str | None, by: str, column: int, answer: Answering, on: date | None = None) -> list[Figures]:
    found = []
    for name in NAMES if only is None else (only,):
        figures = Figures(name, by, THRESHOLDS.get(name, (1.0, 1.0))[column])
        for case in cases(name):
            _try(figures, QUESTIONS[name], case, answer, on)
        if figures.cases:
            found.append(figures)
    return found


def _try(
    figures: Figures, question: Question[Any, Any], case: Case, answer: Answering, on: date | None = None
) -> None:  # fmt: skip
    try:
        found = answer(question, case)
        if found is None:
            return
        told, usage = found
        _charge(figures, usage, on)
        read = question.read(case.given, told) if isinstance(told, str) else told
        wrong = next(_objections(case, read.model_dump(mode="json")), None)
    except (Unusable, ModelFailed, TemplateFailed) as error:
        wrong = str(error)
        if isinstance(error, ModelFailed) and error.usage is not None:
            _charge(figures, error.usage, on)
    figures.cases += 1
    if wrong is None:
        figures.passed += 1
    else:
        figures.failed.append((case.id, wrong))


def _charge(figures: Figures, usage: Usage, on: date | None) -> None:
    """Count what was consumed; what is no fit answer is charged too."""
    figures.tokens_in += usage.tokens_in + usage.tokens_cached + usage.tokens_written
    figures.tokens_out += usage.tokens_out
    if figures.by not in (RULEBOOK, "recorded"):
        figures.cost_usd += prices.of(figures.by, on).cost(usage)


def _objections(case: Case, told: Mapping[str, Any]) -> Iterator[str]:
    """What of a case's expectation does not hold."""
    text = str(told.get("body") or told.get("text") or "")
    if isinstance(case.given, Letter) and (
        refused := drafts.wrong(text, language=case.language, slots=case.given.slots, page=case.given.page)
    ):
        yield f"the gate refuses it: {refused}"
    for name, wanted in case.expect.items():
        match name:
            case "holds":
                yield from (f"it does not hold {each!r}" for each in wanted if each not in text)
            case "most_words":
                if len(text.split()) > wanted:
                    yield f"it has {len(text.split())} words, over {wanted}"
            case "span_holds":
                if wanted not in told["span"]:
                    yield f"its quote is {told['span']!r}"
            case "feeling_not":
                if told["feeling"] == wanted:
                    yield f"its feeling is {wanted}"
            case "signals":
                kinds = sorted(each["kind"] for each in told["signals"])
                if not set(wanted) <= set(kinds) or (not wanted and kinds):
                    yield f"its signals are {kinds}"
            case "items":
                if len(told["items"]) != wanted:
                    yield f"it has {len(told['items'])} items"
            case "quantities":
                if [each["quantity"] for each in told["items"]] != wanted:
                    yield f"its quantities are {[each['quantity'] for each in told['items']]}"
            case _:
                if told[name] != wanted:
                    yield f"its {name} is {told[name]!r}, and not {wanted!r}"


@functools.cache
def cases(question: str) -> tuple[Case, ...]:
    """The cases of one question, from its file."""
    told = json.loads((CASES / f"{question}.json").read_text(encoding="utf-8"))
    return tuple(
        Case(question, each["id"], each["language"], _given(QUESTIONS[question].kind, each["given"]), each["expect"])
        for each in told["cases"]
    )


def _given(kind: str, told: Mapping[str, Any]) -> Message | Letter | Hour:
    if kind == "reader":
        return Message(**{**told, "sent_on": date.fromisoformat(told["sent_on"])})
    if kind == "writer":
        return questions.letter_for(told["template"], told["language"], told["slots"], page=told.get("page", False))
    return Hour(**told)
