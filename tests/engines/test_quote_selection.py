"""Which quotes are written about in an hour: what stands in the way is named, and the rest is picked by pressure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.intentions import Board, Standing
from domain.rest_news import STALLS_PER_CYCLE
from domain.settings import TenantSettings
from engines.deals.due import Stall
from engines.deals.selection import select_follow_ups
from engines.quotes import selection
from engines.quotes.due import Due
from engines.room import Room
from tests.hand_clock import A_MONDAY

NOW = A_MONDAY
DUE = Due(
    quote_id=UUID(int=1), number="Q-0001", revision=1, source="person", currency="USD", total=Decimal(100), unpriced=0,
    validity_days=None, valid_until=NOW + timedelta(days=20), offered_at=NOW, created_at=NOW, attempt=0, due_at=NOW,
    shadowed=False, message_id=None, thread_id=None, thread_subject=None, client_id=UUID(int=2), client_name="Initech",
    client_status="active", contact_id=UUID(int=3), name="Bill", reachable=True, clock=None, exempt_reason=None,
    paused_until=None, languages=(None, None), timezone=None, company="Acme", planned_at=None, seen="1",
)  # fmt: skip
AWAY = {"attempt": 1, "clock": "paused", "paused_until": NOW + timedelta(days=3)}


def selected(*found: Due, standing: Mapping[str, Standing] | None = None, **settings: Any) -> selection.Selection:
    return selection.select(found, room=Room(Board(standing or {}), TenantSettings(**settings), NOW))


@pytest.mark.parametrize(
    ("about", "rule"),
    [
        ({}, None),
        ({"unpriced": 1}, "quotes.unpriced"),
        ({"total": Decimal("0.00")}, "quotes.for_nothing"),
        ({"contact_id": None}, "quotes.named_contact"),
        ({"offered_at": None}, "quotes.not_offered"),
        ({"client_status": "inactive"}, "quotes.active_account"),
        ({"reachable": False}, "quotes.reachable"),
        ({"attempt": 2, "clock": "exempt", "exempt_reason": "opted_out"}, "quotes.reachable"),
        # whoever asked has their quote, and is followed up, though nobody keeps in touch with them
        ({"attempt": 2, "clock": "exempt", "exempt_reason": "discovered"}, None),
        ({"clock": "exempt", "exempt_reason": "opted_out"}, None),
        (AWAY, "quotes.away"),
        ({**AWAY, "attempt": 0}, None),
        ({**AWAY, "paused_until": NOW}, None),
    ],
)
def test_whatever_keeps_a_quote_from_being_written_about_is_named(about: dict[str, Any], rule: str | None) -> None:
    made = selected(replace(DUE, **about))
    [due] = made.obligations
    assert (due.rule, len(made.picks)) == (rule, 0 if rule else 1)
    assert due.until == (AWAY["paused_until"] if rule == "quotes.away" else None)


def test_an_hour_writes_about_the_most_pressing_quotes_and_accounts_for_the_rest() -> None:
    some = [replace(DUE, quote_id=UUID(int=10 + at), attempt=at, offered_at=None) for at in (1, 4, 2, 3)]
    made = selected(*some, quotes_per_cycle=2)
    assert [each.attempt for each in made.picks] == [4, 3]
    assert [each.rule for each in made.obligations] == [None, None, "quotes.budget", "quotes.budget"]
    assert selection.priority(DUE) > selection.priority(some[1]) > selection.priority(some[3])
    # what is under way takes from the budget
    under_way = Standing("queued", NOW, NOW)
    made = selected(*some, standing={some[1].key: under_way}, quotes_per_cycle=2)
    assert [each.attempt for each in made.picks] == [3]


def test_a_sending_that_a_person_rejected_is_taken_back() -> None:
    made = selected(DUE, standing={DUE.key: Standing("rejected", NOW, NOW)})
    assert (made.unwanted, made.picks) == ([DUE.quote_id], [])
    assert [each.rule for each in made.obligations] == ["quotes.not_wanted"]


def test_an_hour_answers_so_many_stalls_and_puts_the_rest_off() -> None:
    stall = Stall(UUID(int=1), "Shelves", "new", "New", Decimal(10), NOW, NOW, 4, None, None, UUID(int=2), None, "1")
    some = [replace(stall, id=UUID(int=at + 1)) for at in range(STALLS_PER_CYCLE + 1)]
    made = select_follow_ups([], some, room=Room(Board(), TenantSettings(), NOW))
    assert (len(made.stalls), made.obligations[-1].rule) == (STALLS_PER_CYCLE, "deals.budget")
