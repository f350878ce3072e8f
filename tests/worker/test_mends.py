"""What we tell people to type: every command that is printed anywhere exists and takes what is printed with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.core import TyperGroup

from domain import cards, mailboxes, undo
from worker.cli import app

ROOT = Path(__file__).parents[2]
ROOMS = ("worker", "admin_api", "jobs", "engines", "domain", "policy", "providers", "simulator")
COMMAND = re.compile(r"`(hourhand [^`]+)`")
EXACT = ("worker/doctor.py", "worker/readiness.py")
"""Here every command is a mend, which runs as it is printed once what stands in <> is filled in."""

FILLED = {"<letter>": "01a1ffbe-a9ed-771b-aafd-ffde827037ed", "<folder>": str(ROOT), "<address>": "ana@acme.example"}
HOUSE = typer.main.get_command(app)


def printed(text: str) -> Iterator[list[str]]:
    """The commands that stand in a source or a page, as words; what is put in later is filled in."""
    joined = re.sub(r'"\s*\n\s*f?"', "", text)
    for found in COMMAND.finditer(joined):
        told = found[1].replace("\n", " ").split(" #")[0]
        for name, value in FILLED.items():
            told = told.replace(name, value)
        # an f-string's own field, or words that a person puts in
        told = re.sub(r"\{(?:alert|dead\[0\])\.id\}", FILLED["<letter>"], told)
        told = re.sub(r"\{' '\.join[^}]*\}[^}]*\}|\{flag\}", "", told)
        yield re.sub(r"<[^>]+>|\{[^}]+\}", "word", told).split()[1:]


def find(words: list[str]) -> tuple[Any, list[str]]:
    """The command that the words name, and what is left of them. Raises KeyError where there is none."""
    command, rest = HOUSE, [*words]
    while isinstance(command, TyperGroup) and rest:
        command = command.commands[rest.pop(0).strip(",;.:")]
    return command, rest


@pytest.mark.parametrize("path", EXACT)
def test_a_mend_of_the_doctor_runs_as_it_is_printed(path: str) -> None:
    mends = list(printed((ROOT / path).read_text(encoding="utf-8")))
    assert mends
    for words in mends:
        command, rest = find(words)
        # the tenant is named for each that is about one
        assert command.make_context("hourhand", rest), words


def test_a_mend_of_a_mailbox_runs_as_it_is_printed() -> None:
    for told in (*mailboxes.MENDS.values(), *mailboxes.MENDS_OF_IMAP.values()):
        for words in printed(told.replace("{address}", "ana@acme.example")):
            command, rest = find([*words, "--tenant", "acme"])
            assert command.make_context("hourhand", rest), words


def test_every_command_that_is_named_anywhere_exists_with_its_options() -> None:
    pages = [*(ROOT / "docs").glob("*.md"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))]
    count = 0
    for path in pages:
        for words in printed(path.read_text(encoding="utf-8")):
            command, rest = find(words)
            known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)} | {"-h", "--help"}
            options = {word.split("=")[0].strip(",;.") for word in rest if word.startswith("--")}
            assert options <= known, (path.name, words)
            count += 1
    assert count > 100


def test_the_page_of_operations_says_of_every_card_type_whether_it_can_be_taken_back() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    told = {name: (word, how) for names, word, how in re.findall(r"\| ((?:`\w+`(?:, )?)+) \| (yes|no): (.+) \|", page)
            for name in re.findall(r"`(\w+)`", names)}  # fmt: skip
    declared = {name: ("yes" if each.possible else "no", each.how) for name, each in undo.BY_TYPE.items()}
    assert told == declared
    assert set(declared) == cards.TYPES
