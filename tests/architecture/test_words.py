"""The page of words is true: every name it gives is in the code, every route is served, every command exists."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import typer

from admin_api import routes
from tests.architecture.source import ROOT
from worker.cli import app

PAGE = ROOT / "docs" / "words.md"
NOBODY = "–"


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Word, code, API and command of every row."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] not in ("word", "---"):
            word, code, api, command = cells
            yield word, code, api, command


def names(path: str) -> set[str]:
    """What a file defines: functions and classes of a module, tables of a schema."""
    text = (ROOT / path).read_text()
    if path.endswith(".sql"):
        return set(re.findall(r"CREATE TABLE hourhand\.(\w+)", text))
    defined = (ast.FunctionDef, ast.ClassDef)
    return {node.name for node in ast.walk(ast.parse(text)) if isinstance(node, defined)}


def served() -> set[str]:
    """Every route as `METHOD /path`."""
    modules = (
        importlib.import_module(f"admin_api.routes.{each.name}") for each in pkgutil.iter_modules(routes.__path__)
    )
    return {f"{method} {route.path}" for module in modules if hasattr(module, "router")
            for route in module.router.routes for method in route.methods}  # fmt: skip


def commands() -> set[str]:
    """Every command by its path."""
    found: set[str] = set()

    def walk(group: Any, path: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, (*path, name))
            else:
                found.add(" ".join((*path, name)))

    walk(typer.main.get_command(app), ())
    return found


def test_every_word_leads_to_a_name_a_route_and_a_command_that_there_are() -> None:
    paths, lines = served(), commands()
    seen = 0
    for word, code, api, command in rows():
        path, *defined = re.findall(r"`([^`]+)`", code)
        assert set(defined) <= names(path), word
        assert defined, word
        assert api == NOBODY or set(re.findall(r"`([^`]+)`", api)) <= paths, (word, api)
        assert command == NOBODY or set(re.findall(r"`([^`]+)`", command)) <= lines, (word, command)
        seen += 1
    assert seen >= 40
