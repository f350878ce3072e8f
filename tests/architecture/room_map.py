"""The README's generated parts: the map of rooms from the modules' captions, the settings from their descriptions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tests.architecture.source import ROOT, Source, rooms, sources
from worker import settings

README = ROOT / "README.md"


def room_map(everything: Iterable[Source]) -> str:
    """Markdown: a line per room, and below it a line per module."""
    by_path = {source.path: source for source in everything if source.room in rooms()}
    lines: list[str] = []
    for room in rooms():
        lines += ["", f"**`{room}/`** {by_path[f'{room}/__init__.py'].caption}", ""]
        for path in sorted(by_path):
            inside = path.removeprefix(f"{room}/").removesuffix("/__init__.py")
            # what lies deeper is told by the folder it lies in
            if path.startswith(f"{room}/") and path != f"{room}/__init__.py" and "/" not in inside:
                lines.append(f"- `{inside}` {by_path[path].caption}")
    return "\n".join(lines[1:]) + "\n"


def settings_table() -> str:
    """Markdown: a row per setting that the process reads, in the order of their page."""
    rows = [
        f"| `{one.name}` | {f'`{one.default}`' if one.default else ''} | {one.description} |"
        for one in settings.describe()
    ]
    return "\n".join(["| setting | default | meaning |", "|---|---|---|", *rows]) + "\n"


def with_section(readme: str, name: str, new: str) -> str:
    """The README with one generated part replaced. Raises ValueError where its markers are missing."""
    section = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
    if not section.search(readme):
        raise ValueError(f"README.md has no section between <!-- {name} --> and <!-- /{name} -->")
    return section.sub(lambda _: new, readme, count=1)


def renewed(readme: str) -> str:
    """The README with every generated part as it should be."""
    readme = with_section(readme, "map", room_map(sources()))
    return with_section(readme, "settings", settings_table())


if __name__ == "__main__":
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"README.md carries the map of {len(rooms())} rooms and {len(settings.describe())} settings")
