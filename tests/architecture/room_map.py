"""The README's map of rooms and modules, built from the captions that the modules carry themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.architecture.source import ROOT, Source, rooms, sources

README = ROOT / "README.md"
SECTION = re.compile(r"(?<=<!-- map -->\n).*?(?=<!-- /map -->)", re.DOTALL)


def room_map(everything: Iterable[Source]) -> str:
    """Markdown: a heading line per room, a line per module."""
    by_path = {source.path: source for source in everything if source.room in rooms()}
    lines: list[str] = []
    for room in rooms():
        lines += ["", f"**`{room}/`** {by_path[f'{room}/__init__.py'].caption}", ""]
        for path in sorted(by_path):
            inside = path.removeprefix(f"{room}/")
            if inside != path and path != f"{room}/__init__.py" and not inside.startswith("versions/"):
                lines.append(f"- `{inside.removesuffix('/__init__.py')}` {by_path[path].caption}")
    return "\n".join(line for line in lines[1:]) + "\n"


def with_map(readme: str, new: str) -> str:
    """The README with its map replaced. Raises ValueError where the markers are missing."""
    if not SECTION.search(readme):
        raise ValueError("README.md has no section between <!-- map --> and <!-- /map -->")
    return SECTION.sub(lambda _: new, readme, count=1)


if __name__ == "__main__":
    README.write_text(with_map(README.read_text(encoding="utf-8"), room_map(sources())), encoding="utf-8")
    print("README.md carries the map of", len(rooms()), "rooms")
