"""The two doors: the only places from which mail can leave, found in the code rather than promised."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from tests.architecture.source import Source, rooms

# The executor performs cards; operator notices (alerts, escalations, sign-in) have a named door of their own.
DOORS = ("jobs/execute.py", "jobs/notices.py")
# What became of a mail is asked of the same provider that took it: these may borrow a sender, and never send.
ASKERS = ("jobs/resolve.py", "jobs/reconcile_restore.py")
# Webhooks leave by the second door too: nobody else may take the means to post from the house.
HOOK_HOLDERS = ("jobs/notices.py", "worker/assembly.py", "domain/house.py", "domain/ports.py", "providers/hooks.py")
POSTERS = {"HookPoster", "WebhookPoster"}
# Who may name a way out without using it: its shape, the bundle it travels in, the makers, the composition roots.
HOLDERS = ("domain/ports.py", "domain/house.py", "providers/", "worker/assembly.py", "worker/hands.py", "simulator/")
# Emulators are the outside world: what they send are webhooks, to us.
OUTSIDE = ("providers/", "simulator/emulators/")
PORTS = {"MailSender"}
LENDERS = {"sender"}


def sending_classes(everything: Iterable[Source]) -> set[str]:
    """Every class outside the simulator that can send: the port, and whatever implements it."""
    found = set(PORTS)
    for source in everything:
        if source.room != "providers":
            continue
        for node in source.nodes:
            if isinstance(node, ast.ClassDef):
                methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
                if {"send", "find"} <= methods:
                    found.add(node.name)
    return found


def second_doors(source: Source, senders: set[str]) -> Iterator[str]:
    """Every way in which a file sends, borrows a sender, or gets hold of the means to."""
    if source.room not in rooms() or source.path in DOORS:
        return
    for node in source.nodes:
        if not source.path.startswith(OUTSIDE):
            yield from _sends(node)
        if not source.path.startswith((*OUTSIDE, *ASKERS)):
            yield from _borrows(node)
        if not source.path.startswith((*HOLDERS, *ASKERS)):
            yield from _holds(node, senders)
        if source.path not in HOOK_HOLDERS:
            yield from _posts(node)


def _sends(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr == "send":
        yield f"line {node.lineno}: .send"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("getattr", "methodcaller"):
        named = {part.value for part in node.args if isinstance(part, ast.Constant) and isinstance(part.value, str)}
        for word in sorted(named & {"send", *LENDERS}):
            yield f"line {node.lineno}: reaches for {word} by its name"


def _borrows(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in LENDERS and isinstance(node.value, ast.Attribute):
        if node.value.attr == "hands":
            yield f"line {node.lineno}: borrows a way out with .{node.attr}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LENDERS:
        yield f"line {node.lineno}: borrows a way out with .{node.func.attr}()"


def _posts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr == "hooks" and _called(node.value).endswith("house"):
        yield f"line {node.lineno}: takes the means to post to a webhook"
    if isinstance(node, ast.ImportFrom):
        for name in node.names:
            if name.name in POSTERS:
                yield f"line {node.lineno}: imports {name.name}"


def _called(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _holds(node: ast.AST, senders: set[str]) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom):
        for name in node.names:
            if name.name in senders:
                yield f"line {node.lineno}: imports {name.name}"
    if isinstance(node, ast.Attribute) and node.attr in senders:
        yield f"line {node.lineno}: takes {node.attr}"
