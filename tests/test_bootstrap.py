"""The bootstrap: what make offers, what it refuses, and when it has nothing to do."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.source import ROOT

INPUTS = ("requirements-dev.lock", "pyproject.toml", "bootstrap.py")


@pytest.fixture
def elsewhere(tmp_path: Path) -> ModuleType:
    """The bootstrap of a clone in an empty folder, loaded but not run."""
    return _loaded(tmp_path)


def _loaded(folder: Path) -> ModuleType:
    for name in INPUTS:
        shutil.copy(ROOT / name, folder / name)
    spec = importlib.util.spec_from_file_location("bootstrap_elsewhere", folder / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _bootstrap(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "bootstrap.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_make_offers_exactly_the_verbs_of_the_bootstrap(elsewhere: ModuleType) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z ]+):$", makefile, re.MULTILINE)
    assert targets == [" ".join(elsewhere.VERBS)]
    assert re.search(r"^\.PHONY: " + targets[0] + "$", makefile, re.MULTILINE)


def test_help_lists_every_verb_with_what_it_does(elsewhere: ModuleType) -> None:
    shown = _bootstrap("help").stdout
    assert all(name in shown and verb.__doc__ in shown for name, verb in elsewhere.VERBS.items())
    assert _bootstrap().stdout == shown


def test_an_unknown_verb_is_refused_with_the_way_to_the_known_ones() -> None:
    refused = _bootstrap("deploy")
    assert refused.returncode == 2
    assert "'deploy'" in refused.stderr
    assert "help" in refused.stderr


def test_it_needs_nothing_but_pythons_own_library() -> None:
    tree = ast.parse((ROOT / "bootstrap.py").read_text(encoding="utf-8"))
    imported = {
        name.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names
    }
    imported |= {
        node.module.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported <= set(sys.stdlib_module_names)


@pytest.mark.parametrize("changed", INPUTS)
def test_a_changed_lock_or_project_is_set_up_anew_and_an_unchanged_one_is_not(
    elsewhere: ModuleType, changed: str
) -> None:
    wanted = elsewhere._fingerprint()
    assert not elsewhere._is_set_up(wanted)
    (elsewhere.VENV / "bin").mkdir(parents=True)
    (elsewhere.VENV / "bin" / "python").touch()
    elsewhere.STAMP.write_text(wanted)
    assert elsewhere._is_set_up(elsewhere._fingerprint())
    with (elsewhere.ROOT / changed).open("a") as file:
        file.write("\n")
    assert not elsewhere._is_set_up(elsewhere._fingerprint())


def test_a_clone_that_was_moved_is_set_up_anew(elsewhere: ModuleType, tmp_path: Path) -> None:
    """An environment knows its own path: moved, it would still run the old place's code."""
    moved = tmp_path / "moved"
    moved.mkdir()
    assert _loaded(moved)._fingerprint() != elsewhere._fingerprint()


def test_caches_go_beside_the_project_where_no_home_can_be_written(
    elsewhere: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    environment = elsewhere._environment()
    assert Path(environment["UV_CACHE_DIR"]).is_relative_to(elsewhere.ROOT)
    assert environment["UV_PYTHON_DOWNLOADS"] == "never"


def test_bytecode_is_kept_whatever_the_container_says(elsewhere: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it each of a run's many processes would compile the same packages anew, for seconds."""
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in elsewhere._environment()
    assert all(importlib.util.find_spec(name) for name in elsewhere.STARTED)
