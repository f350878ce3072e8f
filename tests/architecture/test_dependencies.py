"""What is imported is declared, and what is installed is locked by its hash."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata

import pytest

from tests.architecture.source import ROOT, Source, rooms, sources

OURS = {*rooms(), "tests", "bootstrap"}
BROUGHT_BY = metadata.packages_distributions()


def _declared(*, with_tests: bool) -> set[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*settings["project"]["dependencies"], *(settings["dependency-groups"]["dev"] if with_tests else [])]
    return {_plain(re.split(r"[\[<>=!~ ;]", each, maxsplit=1)[0]) for each in wanted}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _undeclared(source: Source, declared: set[str]) -> Iterator[str]:
    for node in source.nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
        for top in {name.split(".")[0] for name in names} - OURS - set(sys.stdlib_module_names):
            if not declared & {_plain(each) for each in BROUGHT_BY.get(top, [])}:
                yield f"{source.path}:{node.lineno}: {top}"


def test_every_library_imported_is_declared() -> None:
    product, everything = _declared(with_tests=False), _declared(with_tests=True)
    found = [
        finding
        for source in sources()
        for finding in _undeclared(source, product if source.room in rooms() else everything)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("statement", ["import attrs", "from pytest import fixture", "import nowhere_to_be_found"])
def test_a_library_that_came_along_with_another_is_noticed(statement: str) -> None:
    assert list(_undeclared(Source("domain/x.py", statement), _declared(with_tests=False)))


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-tools.lock"])
def test_every_locked_package_has_a_version_and_hashes(lock: str) -> None:
    text = re.sub(r"\\\n\s+", " ", (ROOT / lock).read_text(encoding="utf-8"))
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9.\[\],-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_what_runs_in_an_image_is_what_the_tests_ran_with() -> None:
    pins = {
        lock: set(re.findall(r"^([a-z0-9.-]+==[\w.]+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in ("requirements.lock", "requirements-dev.lock")
    }
    assert pins["requirements.lock"] <= pins["requirements-dev.lock"]


def test_everything_declared_is_locked() -> None:
    for lock, with_tests in (("requirements.lock", False), ("requirements-dev.lock", True)):
        locked = {_plain(name) for name in re.findall(r"^([a-z0-9.-]+)==", (ROOT / lock).read_text(), re.MULTILINE)}
        assert _declared(with_tests=with_tests) <= locked
