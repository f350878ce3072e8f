"""The branch that a command stands on: only it is built, since building the whole tree takes longer than a command."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import typer
from typer.core import TyperGroup
from typer.main import get_command_name, get_group
from typer.models import CommandInfo


def tree_for(app: typer.Typer, arguments: Sequence[str]) -> TyperGroup:
    """The command line as far as `arguments` need it; all of it for help, and where a word is none of ours."""
    return get_group(_pruned(app, arguments))


def _pruned(app: typer.Typer, arguments: Sequence[str]) -> typer.Typer:
    word = arguments[0] if arguments else ""
    commands = [each for each in app.registered_commands if _name(each) == word]
    groups = [copy.copy(each) for each in app.registered_groups if each.name == word]
    if not commands and not groups:
        return app
    for group in groups:
        assert group.typer_instance is not None
        group.typer_instance = _pruned(group.typer_instance, arguments[1:])
    branch = copy.copy(app)
    branch.registered_commands, branch.registered_groups = commands, groups
    return branch


def _name(command: CommandInfo) -> str:
    assert command.callback is not None
    return command.name or get_command_name(command.callback.__name__)
