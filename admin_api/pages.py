"""Lists by keyset: a page ends with the cursor of the next, and new rows never shift what was read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from admin_api.problems import Problem

Item = TypeVar("Item")

Limit = Annotated[int, Query(ge=1, le=200, description="Rows on a page")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before")]


class Page(BaseModel, Generic[Item]):
    """Some rows, and where to go on; `next` is null on the last page."""

    items: list[Item]
    next: str | None


def of(rows: Sequence[Item], limit: int, place: Callable[[Item], object]) -> dict[str, Any]:
    """A page of `rows`, read with one row more than `limit`; `place` is what the list is ordered by."""
    items = list(rows[:limit])
    more = len(rows) > limit and bool(items)
    return {"items": items, "next": _encode(place(items[-1])) if more else None}


def uuid_after(cursor: str | None) -> UUID | None:
    """Where an id-ordered page begins. Raises Problem 400 for a cursor that is none of ours."""
    told = _decode(cursor)
    try:
        return UUID(str(told)) if told is not None else None
    except ValueError as error:
        raise _not_ours() from error


def number_after(cursor: str | None) -> int | None:
    """Where a number-ordered page begins. Raises Problem 400 for a cursor that is none of ours."""
    told = _decode(cursor)
    if told is None:
        return None
    if not isinstance(told, int) or isinstance(told, bool) or abs(told) >= 1 << 31:
        raise _not_ours()
    return told


def _encode(place: object) -> str:
    told = place if isinstance(place, int) else str(place)
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def _decode(cursor: str | None) -> object:
    if cursor is None:
        return None
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError as error:
        raise _not_ours() from error


def _not_ours() -> Problem:
    return Problem(400, "This cursor is not one of ours.", "cursor: pass `next` of the page before as it came.")
