"""One branch of the command line alone says what the whole tree says, for every command and every slip."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_group

from worker.cli import app, branches

SLIPS = [("tenat", "list"), ("tenant", "lsit"), ("--json", "status"), ("status", "--jsn"), ("why",), ("tenant",), ()]


def test_every_command_stands_alone_and_says_what_it_says_in_the_whole_tree(capsys: pytest.CaptureFixture[str]) -> None:
    whole = get_group(app)
    paths = list(_paths(whole))
    assert len(paths) > 80
    for path in paths:
        asked = (*path, "--help")
        branch = branches.tree_for(app, asked)
        assert list(_paths(branch)) == [path]
        assert _said(branch, asked, capsys) == _said(whole, asked, capsys)


@pytest.mark.parametrize("slip", SLIPS, ids=" ".join)
def test_a_slip_is_told_as_in_the_whole_tree(slip: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    told = _said(branches.tree_for(app, slip), slip, capsys)
    assert told == _said(get_group(app), slip, capsys)
    assert any(told)


def _paths(group: TyperGroup, *before: str) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _paths(command, *before, name)
        else:
            yield (*before, name)


def _said(tree: TyperGroup, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    complaint = ""
    try:
        tree(list(arguments), standalone_mode=False, prog_name="hourhand")
    except TyperException as error:
        complaint = error.format_message()
    return capsys.readouterr().out, complaint
