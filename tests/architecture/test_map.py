"""The README's map says what the modules say of themselves."""

from __future__ import annotations

import pytest

from tests.architecture import room_map
from tests.architecture.source import Source, rooms, sources


def test_the_readme_carries_the_map_of_the_modules() -> None:
    readme = room_map.README.read_text(encoding="utf-8")
    assert room_map.with_map(readme, room_map.room_map(sources())) == readme, "run `make map`"


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
        room_map.with_map("# Hourhand\n", "new")
