"""Pages by keyset: whatever happens while one turns them, nothing is shown twice and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from domain import alerts, audit, cases, events, quarantine, suppressions, tasks, tenants
from domain.db import Tx
from tests import build
from tests.admin_api.desk import Desk

Make = Callable[[Desk, Tx, int], object]

MESSAGE = {"message_id": "m", "quote": "q"}
LISTS: dict[str, Make] = {
    "clients": lambda _desk, tx, n: build.client(tx, f"Client {n}"),
    "contacts": lambda _desk, tx, n: build.contact(tx, email=f"p{n}@initech.example"),
    "cards": lambda _desk, tx, n: build.card(tx, build.contact(tx), dedupe_key=f"k{n}"),
    "alerts": lambda _desk, tx, n: alerts.open(tx, f"kind {n}", "message"),
    "cases": lambda _desk, tx, n: cases.open(tx, kind="complaint", title=f"Case {n}", evidence=MESSAGE),
    "tasks": lambda _desk, tx, n: tasks.create(tx, title=f"Task {n}", basis="client_request", evidence=MESSAGE,
                                               due_at=tx.now if n % 2 else None),
    "suppressions": lambda desk, tx, n: suppressions.suppress(
        tx, desk.house.vault, f"s{n}@x.example", reason="manual", source="test"),
    "quarantine": lambda _desk, tx, n: quarantine.note(tx, "webhook", f"resend/{n}", "broken"),
    "dead-letters": lambda _desk, tx, n: quarantine.put(tx, kind="job", source=f"cycle:{n}", reason="broken"),
    "audit": lambda _desk, tx, n: audit.record(tx, "test", f"line {n}"),
}  # fmt: skip


def turn(desk: Desk, path: str, limit: int, who: str = "acme.admin") -> Iterator[list[dict[str, Any]]]:
    """The pages of a list, one after the other."""
    cursor = ""
    while True:
        page = desk.get(f"/v1/{path}?limit={limit}{cursor}", who)
        yield page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"


@pytest.mark.parametrize("path", sorted(LISTS))
def test_pages_neither_repeat_nor_skip_while_rows_are_added(desk: Desk, path: str) -> None:
    """All rows are made at one moment: a list that is ordered by moments alone would lose some."""
    make = LISTS[path]
    with desk.inside() as tx:
        for number in range(7):
            make(desk, tx, number)
    whole = [str(row) for row in desk.get(f"/v1/{path}?limit=200")["items"]]
    assert len(whole) >= 7
    seen: list[str] = []
    for at, page in enumerate(turn(desk, path, 2)):
        assert len(page) <= 2
        seen += [str(row) for row in page]
        if at < 3:
            with desk.inside() as tx:
                make(desk, tx, 100 + at)
    assert len(seen) == len(set(seen))
    assert [row for row in seen if row in whole] == whole
    assert desk.get(f"/v1/{path}", "globex.admin")["items"] == [] or path == "audit"


def test_tenants_are_turned_by_their_slugs(desk: Desk) -> None:
    for number in range(4):
        tenants.found(desk.database, slug=f"t-{number}", name="T", by="test")
    seen = [row["slug"] for page in turn(desk, "tenants", 1, "house.analyst") for row in page]
    assert seen == ["acme", "globex", "t-0", "t-1", "t-2", "t-3"]


@pytest.mark.parametrize("limit", [0, 201, -1, "many"])
def test_a_page_has_bounds(shared: Desk, limit: Any) -> None:
    assert shared.ask("GET", f"/v1/cards?limit={limit}").status_code == 422


def test_the_last_page_says_so(desk: Desk) -> None:
    with desk.inside() as tx:
        events.record(tx, "test", "test", "x")
        for number in range(2):
            build.client(tx, f"Client {number}")
    assert desk.get("/v1/clients?limit=2")["next"] is None
    assert desk.get("/v1/clients?limit=1")["next"] is not None
