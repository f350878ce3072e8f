"""The writer that needs no model: mails from templates, and the hour told from its computed facts."""

from __future__ import annotations

import functools
import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, TemplateError
from jinja2.loaders import FileSystemLoader
from jinja2.sandbox import SandboxedEnvironment

LANGUAGES = ("en", "es", "pt")
TEMPLATES = Path(__file__).parent / "templates"

SLOT_CHARACTERS = 200
SUBJECT_CHARACTERS = 150

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")


class TemplateFailed(Exception):
    """There is no such template in this language, or a slot that it needs is missing."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A mail in words."""

    subject: str
    text: str
    template_version: str
    """Changes with every change of the template."""


def write(template: str, language: str, slots: Mapping[str, Any]) -> Draft:
    """Write a mail. Slots are data: they are cleaned, cut to `SLOT_CHARACTERS`, and nothing in them is executed.

    Raises TemplateFailed.
    """
    if language not in LANGUAGES or not _NAME.fullmatch(template):
        raise TemplateFailed(f"there is no template {template!r} in {language!r}")
    name = f"{language}/{template}.txt"
    environment = _environment()
    try:
        version = hashlib.sha256((TEMPLATES / name).read_bytes()).hexdigest()[:12]
        rendered = environment.get_template(name).render({key: _clean(value) for key, value in slots.items()})
    except FileNotFoundError as error:
        raise TemplateFailed(f"there is no template {template!r} in {language!r}") from error
    except TemplateError as error:
        raise TemplateFailed(f"template {name}: {error}") from error
    head, _, body = rendered.strip().partition("\n")
    marker, _, subject = head.partition("Subject:")
    if marker or not subject.strip() or not body.strip():
        raise TemplateFailed(f"template {name} must begin with a line `Subject: …` and go on with a text")
    return Draft(" ".join(subject.split())[:SUBJECT_CHARACTERS], _paragraphs(body), version)


def templates(language: str) -> list[str]:
    """The names of the templates that there are in a language."""
    return sorted(path.stem for path in (TEMPLATES / language).glob("*.txt"))


@functools.cache
def _environment() -> SandboxedEnvironment:
    # plain text: nothing to escape; a missing slot must fail, never leave a hole in a mail
    return SandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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
