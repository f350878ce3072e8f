"""What several checks ask of one person is asked once: in one mail, by the request that waits, or by the last one."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain.compliance_checks import Check
from domain.compliance_validation import Lately, Standing
from domain.intentions import Board
from domain.intentions import Standing as Card
from domain.settings import TenantSettings
from engines.compliance import letter
from engines.compliance.selection import Selection, crowded, remind_key, select
from engines.room import Room
from tests.engines.test_compliance_choice import BILL, CHECK, DUE, NOW

CHOSEN = TenantSettings(compliance_reminders_per_cycle=1)
ACCOUNT = UUID(int=3)


def lacks(which: int, *gaps: str, of_account: bool = False, **changes: Any) -> Standing:
    """Another schedule's check of Bill's record, or of his account's, which lacks these."""
    of: dict[str, Any] = {"contact_id": None, "entity_id": ACCOUNT} if of_account else {}
    check: Check = replace(CHECK, id=UUID(int=which), schedule_id=UUID(int=50 + which), **of)
    return replace(DUE, check=check, lacks=gaps, **changes)


def chosen(*found: Standing, cards: dict[str, Card] | None = None, riding: dict[UUID, str] | None = None) -> Selection:
    return select(found, room=Room(Board(cards or {}), CHOSEN, NOW), riding=riding or {})


def test_two_schedules_ask_for_what_both_require_in_one_mail() -> None:
    first, second = lacks(11, "phone", "title"), lacks(12, "phone", "language")
    told = chosen(first, second)
    [request] = told.requests
    assert (request.due, request.gaps, request.also) == (first, ("phone", "title", "language"), (second,))
    # both are accounted for by that one mail, which takes the place of one in the hour's budget
    assert [(owed.dedupe_key, owed.disposition) for owed in told.obligations] == [(remind_key(first), None)] * 2
    said = letter.payload(request, CHOSEN, NOW)
    assert (said["gaps"], said["slots"]["gaps"]) == (["phone", "title", "language"],) * 2
    assert (said["check_id"], said["attempt"], said["also"]) == (str(first.check.id), 1, {str(second.check.id): 1})
    assert "also" not in letter.payload(chosen(first).requests[0], CHOSEN, NOW)
    assert crowded([first, second]) == [ACCOUNT]
    assert crowded([first, replace(second, asked=None)]) == []


def test_a_request_that_waits_speaks_for_whoever_it_asks_for_as_well() -> None:
    first, second = lacks(11, "phone", "title"), lacks(12, "phone", "language", reminders=1)
    key = remind_key(first)
    for state in ("awaiting_approval", "deferred", "executing", "uncertain"):
        waiting = {key: Card(state, NOW + timedelta(hours=1), NOW)}
        told = chosen(first, second, cards=waiting, riding={second.check.id: key})
        assert (told.requests, {owed.dedupe_key for owed in told.obligations}) == ([], {key}), state
    # asked without the second, the rest of that is asked for, and the telephone isn't
    told = chosen(first, second, cards=waiting)
    assert [(each.due, each.gaps) for each in told.requests] == [(second, ("language",))]
    # all that it lacks is asked for already
    told = chosen(first, lacks(12, "phone", reminders=1), cards=waiting)
    assert (told.requests, {owed.dedupe_key for owed in told.obligations}) == ([], {key})
    # once it is refused, another may ask
    assert len(chosen(first, second, cards={key: Card("blocked", NOW, NOW)}).requests) == 1


def test_what_they_were_asked_for_lately_is_left_until_that_request_has_had_its_time() -> None:
    soon, later = NOW + timedelta(days=3), NOW + timedelta(days=4)
    asked = (Lately(CHECK.contact_id, ("phone",), later), Lately(CHECK.contact_id, ("phone", "email"), soon))
    told = chosen(lacks(12, "phone", lately=asked))
    [owed] = told.obligations
    assert (owed.disposition, owed.rule, owed.until) == ("deferred", "compliance.asked_already", later)
    assert owed.rests_until is not None
    assert NOW < owed.rests_until <= NOW + timedelta(days=1)
    assert [each.gaps for each in chosen(lacks(12, "phone", "title", lately=asked)).requests] == [("title",)]
    # nothing of it is asked along with another's request either; a person may insist
    asks, covered = lacks(11, "title"), lacks(12, "phone", lately=asked)
    told = chosen(asks, covered)
    assert [(each.due, each.also) for each in told.requests] == [(asks, ())]
    insisted = replace(covered, check=replace(covered.check, insisted=True))
    assert [each.gaps for each in chosen(insisted).requests] == [("phone",)]


def test_an_account_and_its_person_are_not_both_asked_for_the_number_of_the_same_person() -> None:
    own, of_account = lacks(11, "phone", "title"), lacks(12, "contact_phone", of_account=True)
    told = chosen(own, of_account)
    assert [each.due for each in told.requests] == [own]
    assert [owed.dedupe_key for owed in told.obligations] == [remind_key(own)] * 2
    # another record is another mail, and what it lacks besides is asked for there
    told = select([own, replace(of_account, lacks=("contact_phone", "domain"))],
                  room=Room(Board(), TenantSettings(), NOW))  # fmt: skip
    assert [(each.due.check.id, each.gaps) for each in told.requests] == [
        (own.check.id, ("phone", "title")), (of_account.check.id, ("domain",))]  # fmt: skip
    asked = (Lately(None, ("contact_phone",), NOW + timedelta(days=1)),)
    assert chosen(lacks(11, "phone", lately=asked)).requests == []
    # somebody else's number is another number
    of_samir = replace(own, check=replace(own.check, contact_id=UUID(int=9), entity_id=UUID(int=9)), lately=asked)
    assert [each.gaps for each in chosen(of_samir).requests] == [("phone", "title")]
    assert own.asked == BILL
