"""The project's own source, read once: what the rules of the house are applied to."""

from __future__ import annotations

import ast
import functools
import subprocess
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Source:
    """One Python file: its path inside the project, and its text."""

    path: str
    text: str

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, filename=self.path)

    @functools.cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """The whole tree, walked once for all the rules: walking takes longer than most of them."""
        return tuple(ast.walk(self.tree))

    @property
    def room(self) -> str:
        """The top-level folder, or the file itself at the top."""
        return self.path.split("/", 1)[0]

    @property
    def caption(self) -> str:
        """The first paragraph of the module's docstring."""
        return (ast.get_docstring(self.tree) or "").split("\n\n", 1)[0]


@functools.cache
def rooms() -> tuple[str, ...]:
    """The packages that are the product, as pyproject.toml lists them, from top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return tuple(settings["tool"]["importlinter"]["root_packages"])


@functools.cache
def tracked() -> tuple[str, ...]:
    """Every file that is or may become part of the repository; in an unpacked archive, every file but the ignored."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode == 0:
        names = set(filter(None, listed.stdout.split("\0")))
    else:
        ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()}
        found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
        names = {str(path) for path in found if not ignored & set(path.parts) and ".git" not in path.parts}
    return tuple(sorted(name for name in names if (ROOT / name).is_file()))


@functools.cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the project, tests included."""
    return tuple(Source(name, (ROOT / name).read_text(encoding="utf-8")) for name in tracked() if name.endswith(".py"))
