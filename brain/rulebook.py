"""The writer that needs no model: mails from templates, and the hour told from its computed facts."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateNotFound
from jinja2.loaders import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

LANGUAGES = ("en", "es", "pt")
TEMPLATES = Path(__file__).parent / "templates"

SLOT_CHARACTERS = 200
SUBJECT_CHARACTERS = 150

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


class TemplateFailed(Exception):
    """There is no such template in this language, or a slot that it needs is missing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail in words."""

    subject: str
    text: str


def write(template: str, language: str, slots: Mapping[str, Any]) -> Draft:
    """Write a mail. Slots are data: they are cleaned, cut to `SLOT_CHARACTERS`, and nothing in them is executed.

    Raises TemplateFailed.
    """
    if language not in LANGUAGES or not _NAME.fullmatch(template):
        raise TemplateFailed(f"there is no template {template!r} in {language!r}")
    name = f"{language}/{template}.txt"
    environment = _environment()
    try:
        rendered = environment.get_template(name).render({key: _clean(value) for key, value in slots.items()})
    except TemplateNotFound as error:
        raise TemplateFailed(f"there is no template {template!r} in {language!r}") from error
    except TemplateError as error:
        raise TemplateFailed(f"template {name}: {error}") from error
    head, _, body = rendered.strip().partition("\n")
    marker, _, subject = head.partition("Subject:")
    if marker or not subject.strip() or not body.strip():
        raise TemplateFailed(f"template {name} must begin with a line `Subject: …` and go on with a text")
    return Draft(" ".join(subject.split())[:SUBJECT_CHARACTERS], _paragraphs(body))


def reflect(facts: Mapping[str, Any], language: str = "en") -> str:
    """Tell an hour from its computed facts.

    These are run, period, mail_in, mail_out, did (by engine), ledger, moved, refused, failures and next.

    Every number in it is one of the facts: `unsupported_numbers` finds none. Raises TemplateFailed.
    """
    chosen = language if language in LANGUAGES else "en"
    try:
        told = _environment().get_template(f"{chosen}/_reflection.txt").render(_view(facts, chosen))
    except TemplateError as error:
        raise TemplateFailed(f"reflection in {chosen}: {error}") from error
    return _paragraphs(told)


def unsupported_numbers(text: str, facts: Mapping[str, Any]) -> list[str]:
    """The numbers of a text that the facts don't hold: as such, as a share in per cent, as a count of a list."""
    known = set(_numbers(facts))
    return [told for told in _NUMBER.findall(text) if float(told.replace(",", ".")) not in known]


def templates(language: str) -> list[str]:
    """The names of the templates that there are in a language."""
    return sorted(path.stem for path in (TEMPLATES / language).glob("[a-z]*.txt"))


@functools.cache
def _environment() -> SandboxedEnvironment:
    # plain text: nothing to escape; a missing slot must fail, never leave a hole in a mail
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["counted"] = _counted
    return environment


def _clean(value: Any) -> Any:
    """A slot as one line of plain text: no line ends, no control or direction marks, nothing that looks like a mark."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return value
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    if not isinstance(value, str):
        raise TemplateFailed(f"a slot holds text, numbers or lists of them, not {type(value).__name__}")
    one_line = " ".join(value.split())
    visible = "".join(each for each in one_line if not unicodedata.category(each).startswith("C"))
    while _MARKS.search(visible):
        visible = _MARKS.sub("", visible)
    return visible.strip()[:SLOT_CHARACTERS]


def _paragraphs(body: str) -> str:
    """The text with single blank lines between paragraphs and one line end at its end."""
    lines = "\n".join(line.rstrip() for line in body.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _view(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The facts in the shape in which the templates tell them."""
    run, period, after = (facts.get(name) or {} for name in ("run", "period", "next"))
    told = functools.partial(_moment, now=period.get("to"))
    counted = {name: _counts(facts.get(name)) for name in ("mail_in", "mail_out", "ledger")}
    moved = [_move(name, change, language) for name, change in sorted((facts.get("moved") or {}).items())]
    did = [(engine, _counts(done)) for engine, done in sorted((facts.get("did") or {}).items())]
    refused = [
        {"count": (each["disposition"], each["n"]), "rule": _rule(each.get("rule")), "next": told(each.get("next")),
         "asked": each["disposition"] == "awaiting_approval"}
        for each in facts.get("refused") or []
    ]  # fmt: skip
    failures = [
        {"type": _words(each["type"]), "state": each["state"], "reason": str(_clean(each.get("reason"))).rstrip(". ")}
        for each in facts.get("failures") or []
    ]
    errors = len(facts.get("errors") or [])
    return {
        **counted, "did": did, "moved": moved, "refused": refused, "failures": failures, "errors": errors,
        "quiet": not any((*counted.values(), did, moved, refused, failures, errors)),
        "number": run.get("number", 1), "idle_hours": run.get("idle_hours", 0),
        "day": _day(period.get("to")), "began": told(period.get("from")) or "?", "ended": told(period.get("to")) or "?",
        "awaiting": after.get("awaiting_approval", 0), "deferred": after.get("deferred", 0),
        "queued": after.get("queued", 0), "next_at": told(after.get("next_at")),
    }  # fmt: skip


def _counts(found: Mapping[str, int] | None) -> list[tuple[str, int]]:
    """Most frequent first; what did not happen is not told."""
    return sorted(((name, n) for name, n in (found or {}).items() if n), key=lambda each: (-each[1], each[0]))


def _move(name: str, change: Mapping[str, Any], language: str) -> dict[str, Any]:
    before, after = change["before"], change["after"]
    return {
        "name": name, "words": _words(name.partition(".")[2] or name).capitalize(), "rose": after > before,
        "before": _figure(name, before, language), "after": _figure(name, after, language),
    }  # fmt: skip


def _figure(name: str, value: float, language: str) -> str:
    share = name.endswith("rate")
    figure = round(value * 100, 1) if share else round(value, 2)
    told = str(int(figure) if figure == int(figure) else figure)
    return (told if language == "en" else told.replace(".", ",")) + (" %" if share else "")


def _counted(item: tuple[str, int], words: Mapping[str, Sequence[str]]) -> str:
    name, n = item
    one, many = words.get(name, (_words(name), _words(name)))
    return f"{n} {one if n == 1 else many}"


def _words(identifier: str | None) -> str:
    """An identifier as a person says it."""
    return str(_clean(identifier)).rpartition(".")[2].replace("_", " ")


def _rule(rule_id: str | None) -> str:
    """A rule as a person says it: several families have one of the same name."""
    return str(_clean(rule_id)).replace(".", ": ").replace("_", " ")


def _day(moment: str | None) -> str:
    return f"{_utc(moment):%Y-%m-%d}" if moment else "?"


def _moment(moment: str | None, now: str | None) -> str:
    if not moment:
        return ""
    today = now is not None and _utc(now).date() == _utc(moment).date()
    return f"{_utc(moment):%H:%M}" if today else f"{_utc(moment):%Y-%m-%d %H:%M}"


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)


def _numbers(fact: Any) -> Iterator[float]:
    match fact:
        case bool() | None:
            return
        case int() | float():
            yield from (float(fact), round(float(fact), 2), round(fact * 100, 1))
        case str():
            yield from (float(told.replace(",", ".")) for told in _NUMBER.findall(fact))
            yield from (float(told) for told in re.findall(r"\d+", fact))
        case Mapping():
            for each in fact.values():
                yield from _numbers(each)
        case list() | tuple():
            yield float(len(fact))
            for each in fact:
                yield from _numbers(each)
