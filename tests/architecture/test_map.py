"""The README's map and settings say what the code says of itself."""

from __future__ import annotations

import re

import pytest

from tests.architecture import room_map
from tests.architecture.source import ROOT, Source, rooms, sources


def test_the_readme_carries_the_present_map_and_settings() -> None:
    readme = room_map.README.read_text(encoding="utf-8")
    assert room_map.renewed(readme) == readme, "run `make map`"


def test_a_changed_caption_changes_the_map() -> None:
    before = room_map.room_map(sources())
    new = Source("domain/pigeons.py", '"""Birds that carry mail."""\n')
    assert "- `pigeons.py` Birds that carry mail." in room_map.room_map([*sources(), new])
    assert "pigeons" not in before


def test_every_room_is_on_the_map() -> None:
    drawn = room_map.room_map(sources())
    assert all(f"**`{room}/`**" in drawn for room in rooms())


def test_a_readme_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="map"):
        room_map.with_section("# Hourhand\n", "map", "new")


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = re.findall(r"^([a-z ]+):$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[0].split()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", room_map.README.read_text(encoding="utf-8"), re.MULTILINE))
    assert named
    assert named <= set(targets)
