"""The rules of style that a program can judge: each takes one file and yields what is wrong with it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator

from tests.architecture.source import Source, rooms

FILE_LINES = 400
FUNCTION_LINES = 70
CAPTION_CHARACTERS = 118

VAGUE_WORDS = {"manager", "service", "helper", "util", "utils", "common", "misc", "base2"}
TIME_AND_IDENTITY = {
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "uuid": {"uuid1", "uuid4"},
    "time": {"sleep", "time", "time_ns"},
}
SQL_TIME = re.compile(
    r"\b(?:now|clock_timestamp|statement_timestamp|transaction_timestamp|gen_random_uuid|uuidv[47])\s*\(\s*\)"
    r"|\b(?:current_timestamp|current_date|current_time|localtimestamp|localtime)\b(?!\s*=)",
    re.IGNORECASE,
)
CLOCKS = ("domain/clock.py", "migrations/")
ENGINES_AND_CLIENTS = {
    "Anthropic", "AnthropicBedrock", "BackgroundScheduler", "BlockingScheduler", "Client", "ConnectionPool", "Database",
    "FastAPI", "PsycopgConnector", "Session", "Settings", "build", "create_engine", "sessionmaker",
}  # fmt: skip
ASYNC_ROOMS = ("admin_api/", "worker/")


def file_length(source: Source) -> Iterator[str]:
    """A file fits in a reader's head: 400 lines at most."""
    lines = source.text.count("\n")
    if lines > FILE_LINES:
        yield f"{lines} lines, over {FILE_LINES}"


def function_length(source: Source) -> Iterator[str]:
    """A function fits on a screen: 70 lines at most."""
    for node in source.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"{node.name} has {lines} lines, over {FUNCTION_LINES}"


def telling_names(source: Source) -> Iterator[str]:
    """Files and folders are named for what they hold."""
    for word in re.split(r"[/_.]", source.path.lower()):
        if word.removesuffix("s") in VAGUE_WORDS or word in VAGUE_WORDS:
            yield f"the word {word!r} says nothing"


def captions(source: Source) -> Iterator[str]:
    """Each module starts with one sentence that is its caption."""
    caption = source.caption
    if not caption:
        yield "no docstring"
    elif "\n" in caption or len(caption) > CAPTION_CHARACTERS:
        yield f"its caption is longer than one line of {CAPTION_CHARACTERS} characters"
    elif not caption.endswith((".", "?")):
        yield "its caption is not a sentence"


def time_is_an_argument(source: Source) -> Iterator[str]:
    """Time and identity come from a Clock, never from the air."""
    if source.path.startswith(CLOCKS):
        return
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and node.attr in TIME_AND_IDENTITY.get(_last_name(node.value), set()):
            yield f"line {node.lineno}: {_last_name(node.value)}.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module in ("uuid", "time"):
            for name in node.names:
                if name.name in TIME_AND_IDENTITY[node.module]:
                    yield f"line {node.lineno}: from {node.module} import {name.name}"


def database_time_is_ours(source: Source) -> Iterator[str]:
    """No SQL asks the database what time it is or for an id: the simulator could not answer for it."""
    if source.path.startswith(CLOCKS) or source.room not in rooms():
        return
    docstrings = _docstrings(source.tree)
    for node in source.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            for found in SQL_TIME.finditer(node.value):
                yield f"line {node.lineno}: {found.group()} in SQL"


def nothing_at_module_level(source: Source) -> Iterator[str]:
    """No module holds an engine, a client or settings: what a function uses is handed to it."""
    if source.room not in rooms():
        return
    for node in source.tree.body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign | ast.Expr) else None
        if isinstance(value, ast.Call) and _last_name(value.func) in ENGINES_AND_CLIENTS:
            yield f"line {node.lineno}: a module-level {_last_name(value.func)}"


def no_unfinished_marks(source: Source) -> Iterator[str]:
    """Nothing is put off in the code: what isn't there isn't called."""
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "raise NotImplemented" + "Error", "pragma: no " + "cover")
    for number, line in enumerate(source.text.splitlines(), 1):
        for word in words:
            if re.search(rf"\b{re.escape(word)}\b", line):
                yield f"line {number}: {word}"


def synchronous(source: Source) -> Iterator[str]:
    """Threads, not coroutines; async only where a stream or the queue's worker needs it."""
    if source.room not in rooms() or source.path.startswith(ASYNC_ROOMS):
        return
    for node in source.nodes:
        if isinstance(node, ast.AsyncFunctionDef):
            yield f"line {node.lineno}: async def {node.name}"


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _docstrings(tree: ast.Module) -> set[int]:
    """The bare strings that explain: of modules, classes, functions and, after an assignment, of attributes."""
    return {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


Rule = Callable[[Source], Iterator[str]]

RULES: tuple[Rule, ...] = (
    file_length, function_length, telling_names, captions, time_is_an_argument, database_time_is_ours,
    nothing_at_module_level, no_unfinished_marks, synchronous,
)  # fmt: skip
