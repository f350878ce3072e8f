"""Lists by keyset: a page ends with the cursor of the next, and new rows never shift what was read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel, Field

from admin_api.fields import EARLIEST, LATEST
from admin_api.problems import Problem

Item = TypeVar("Item")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="Rows on a page")]
Cursor = Annotated[str | None, Query(max_length=400, description="`next` of the page before")]


class Page(BaseModel, Generic[Item]):
    """Some rows, and where to go on."""

    items: list[Item]
    next: str | None = Field(description="The cursor of the next page; null on the last")


def of(
    rows: Sequence[Row], limit: int, place: Callable[[Row], object], show: Callable[[Row], Item]
) -> Page[Item]:  # fmt: skip
    """A page of `rows`, read with one row more than `limit`; `place` is what the list is ordered by."""
    kept = rows[:limit]
    more = len(rows) > limit
    return Page(items=[show(row) for row in kept], next=_encode(place(kept[-1])) if more else None)


def whole(items: Sequence[Item]) -> Page[Item]:
    """A list that is short by nature, as one page."""
    return Page(items=list(items), next=None)


def uuid_after(cursor: str | None) -> UUID | None:
    """Where an id-ordered page begins. Raises Problem 400 for a cursor that is none of ours."""
    told = _decode(cursor)
    return None if told is None else _uuid(told)


def number_after(cursor: str | None) -> int | None:
    """Where a number-ordered page begins. Raises Problem 400 for a cursor that is none of ours."""
    told = _decode(cursor)
    if told is None:
        return None
    if not isinstance(told, int) or isinstance(told, bool) or abs(told) >= 1 << 31:
        raise not_ours()
    return told


def text_after(cursor: str | None) -> str:
    """Where a name-ordered page begins; empty at the start. Raises Problem 400 for a cursor that is none of ours."""
    told = _decode(cursor)
    if told is None:
        return ""
    if not isinstance(told, str) or "\x00" in told or not told.isascii():
        raise not_ours()
    return told


def moment_after(cursor: str | None) -> tuple[datetime, str] | None:
    """Where a page begins that is ordered by a moment and, within it, by an id. Raises Problem 400."""
    told = _decode(cursor)
    if told is None:
        return None
    match told:
        case [str(moment), str(tie)] if tie.isascii():
            try:
                at = datetime.fromisoformat(moment)
            except ValueError as error:
                raise not_ours() from error
            if at.tzinfo is not None and EARLIEST <= at < LATEST:
                return at, tie
    raise not_ours()


def moment_and_uuid_after(cursor: str | None) -> tuple[datetime, UUID] | None:
    """The same, where the id is a UUID. Raises Problem 400."""
    told = moment_after(cursor)
    return None if told is None else (told[0], _uuid(told[1]))


def _encode(place: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(_plain(place)).encode()).rstrip(b"=").decode()


def _plain(place: object) -> Any:
    if isinstance(place, tuple):
        return [_plain(each) for each in place]
    if isinstance(place, datetime):
        return place.isoformat()
    return place if isinstance(place, int) else str(place)


def _decode(cursor: str | None) -> object:
    if cursor is None:
        return None
    try:
        told: object = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, RecursionError) as error:
        raise not_ours() from error
    if told is None:
        raise not_ours()
    return told


def _uuid(told: object) -> UUID:
    try:
        return UUID(str(told))
    except ValueError as error:
        raise not_ours() from error


def not_ours() -> Problem:
    """What a cursor is answered that was made up."""
    return Problem(400, "This cursor is not one of ours.", "cursor: pass `next` of the page before as it came.")
