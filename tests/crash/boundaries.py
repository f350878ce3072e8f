"""The step boundaries of the house, read from its code: where a process can end between two effects."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("domain", "brain", "policy", "providers", "engines", "jobs", "admin_api", "worker")


def of_the_house() -> list[str]:
    """Every boundary that any room passes, sorted. Raises ValueError at one whose name can't be read."""
    codes = (path.read_text() for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return sorted({step for code in codes if ".fault(" in code for step in read(code)})


def read(code: str) -> Iterator[str]:
    """The boundaries of one module: `fault("plan.judged")`, and `fault(f"cycle.{phase}")` for each of its `PHASES`."""
    tree = ast.parse(code)
    passed_on = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "fault"
                 for inner in ast.walk(node)}  # fmt: skip
    for node in ast.walk(tree):
        if id(node) in passed_on or not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr != "fault":
            continue
        match node.args:
            case [ast.Constant(str(step))]:
                yield step
            case [ast.JoinedStr([ast.Constant(str(start)), ast.FormattedValue(ast.Name(name))])]:
                yield from (f"{start}{each}" for each in _names(tree, f"{name.upper()}S"))
            case _:
                raise ValueError(f"line {node.lineno}: a boundary whose name can't be read from the code")


def _names(tree: ast.Module, constant: str) -> list[str]:
    """The words of a module's tuple, or the first of each of its pairs."""
    for node in tree.body:
        named = (
            node.targets[0]
            if isinstance(node, ast.Assign)
            else node.target
            if isinstance(node, ast.AnnAssign)
            else None
        )
        if isinstance(named, ast.Name) and named.id == constant and isinstance(node.value, ast.Tuple):  # type: ignore[attr-defined]
            each = [one.elts[0] if isinstance(one, ast.Tuple) else one for one in node.value.elts]  # type: ignore[attr-defined]
            return [one.value for one in each if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    raise ValueError(f"the boundaries of {constant} can't be read from the code")
