"""Figures per class on our own labelled messages, in five languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache

from brain.reading import Reading, language, read
from tests.brain.reading.labelled import PLAIN, Case, load

CLASSES = ("order", "quote_request", "complaint", "unsubscribe", "out_of_office", "order_update")


@cache
def _read() -> tuple[tuple[Case, Reading], ...]:
    return tuple((case, read(case.raw, region="US" if case.language == "en" else "ES")) for case in load())


def _is_right(case: Case, got: str) -> bool:
    return got == case.cls or (case.cls == "other" and got in PLAIN)


def _figures() -> dict[str, tuple[float, float, int]]:
    """Precision, recall and number of messages of each class."""
    right: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for case, reading in _read():
        if _is_right(case, reading.cls):
            right[case.cls] += 1
        else:
            missed[case.cls] += 1
            wrong[reading.cls] += 1
    return {
        name: (
            right[name] / max(1, right[name] + wrong[name]),
            right[name] / max(1, right[name] + missed[name]),
            right[name] + missed[name],
        )
        for name in sorted(right | missed)
    }


def test_there_are_at_least_three_hundred_messages_in_five_languages() -> None:
    assert len(load()) >= 300
    assert {case.language for case in load()} == {"en", "es", "pt", "de", "fr"}
    assert len({case.raw for case in load()}) == len(load())


def test_every_class_is_recognised_with_few_mistakes(figures: Callable[..., None]) -> None:
    found = _figures()
    figures("reading", **{name: [round(share, 3) for share in found[name]] for name in CLASSES})
    for name in CLASSES:
        precision, recall, count = found[name]
        assert count >= 10, f"{name}: only {count} messages"
        assert precision >= 0.95, f"{name}: precision {precision:.2f}"
        assert recall >= 0.93, f"{name}: recall {recall:.2f}"


def test_the_day_of_return_is_read() -> None:
    dated = [(case, reading) for case, reading in _read() if "return_date" in case.expected]
    right = sum(str(reading.return_date or None) == str(case.expected["return_date"]) for case, reading in dated)
    assert len(dated) >= 50
    assert right / len(dated) >= 0.94


def test_items_and_reference_numbers_are_read() -> None:
    items = [(case, reading) for case, reading in _read() if "items" in case.expected and reading.cls == case.cls]
    references = [(case, reading) for case, reading in _read() if "references" in case.expected]
    assert sum(len(reading.items) == case.expected["items"] for case, reading in items) / len(items) >= 0.9
    assert all(set(case.expected["references"]) <= set(reading.reference_numbers) for case, reading in references)


def test_a_wish_for_a_call_is_flagged() -> None:
    for case, reading in _read():
        if case.expected.get("asks_call"):
            assert "asks_call" in reading.flags, case.id
            assert reading.task_request is not None
            assert reading.task_request.is_explicit


def test_what_was_understood_is_shown_by_the_words_themselves() -> None:
    for case, reading in _read():
        if reading.cls in ("order", "complaint", "unsubscribe", "quote_request"):
            said = reading.evidence[reading.cls]
            assert " ".join(said.split()) in " ".join(f"{reading.subject} {reading.text}".split()), case.id


def test_languages_are_told_apart() -> None:
    right = sum(reading.language == case.language for case, reading in _read())
    assert right / len(_read()) >= 0.9


def test_a_short_sentence_is_read_in_its_own_language() -> None:
    english = ["Let's discuss a bit more.", "I expect an answer by early next week.", "Larry, go get 'em.",
               "Just send me a quick e-mail, I am in until Monday."]  # fmt: skip
    assert [language.guess(sentence) for sentence in english] == ["en"] * 4
    assert language.guess("Todo ha llegado, un saludo.") == "es"
    assert language.guess("Agradecia que me enviassem um orçamento.") == "pt"
    assert language.guess("Wo bleibt meine Bestellung?") == "de"
    assert language.guess("Je voudrais me désinscrire.") == "fr"
