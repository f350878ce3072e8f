"""Engagement clocks: wound by touches, put back by bounces, and never moved by anything else."""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from domain import cards, clocks, contacts, promises, settings
from domain.clocks import Advance
from domain.db import Database, Row, Tx
from tests import build
from tests.hand_clock import A_MONDAY, HandClock

DAY = timedelta(days=1)


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


@pytest.fixture
def ana(clone: Database, acme: UUID) -> UUID:
    """A contact whose first touch is due at once."""
    with clone.tenant(acme) as tx:
        return build.contact(tx, email="ana@initech.example")


def row(tx: Tx, contact: UUID) -> Row:
    found = tx.row(
        "SELECT * FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c", t=tx.tenant_id, c=contact
    )
    assert found is not None
    return found


def told(tx: Tx) -> list[str]:
    """The clock's and the sequence's events, in order."""
    return [each["type"] for each in tx.rows(
        """SELECT type FROM warehouse_events WHERE tenant_id = :t
           AND split_part(type, '.', 1) IN ('clock', 'sequence', 'touch') ORDER BY id""", t=tx.tenant_id)]  # fmt: skip


def client_of(tx: Tx, contact: UUID) -> UUID:
    found = contacts.get(tx, contact)
    assert found is not None
    return found.client_id


def test_an_import_is_spread_evenly_over_the_days_of_the_promise(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        ids = [build.contact(tx, client, f"p{at}@initech.example") for at in range(210)]
        tx.run("DELETE FROM engagement_clocks")
        assert clocks.start(tx, ids, spread_days=21) == 210
        days = Counter((row(tx, each)["due_at"] - A_MONDAY).days for each in ids)
        assert set(days) == set(range(21))
        assert 8 <= min(days.values()) <= max(days.values()) <= 12
        # neighbours in the list, who are colleagues, don't fall due together
        assert all(abs(row(tx, a)["due_at"] - row(tx, b)["due_at"]) > DAY for a, b in itertools.pairwise(ids[:20]))


def test_contacts_imported_one_at_a_time_are_spread_as_well(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        ids = [build.contact(tx, client, f"p{at}@initech.example", spread=True) for at in range(60)]
        assert len({(row(tx, each)["due_at"] - A_MONDAY).days for each in ids}) > 15


def test_starting_a_clock_twice_changes_nothing(clone: Database, acme: UUID, ana: UUID, clock: HandClock) -> None:
    clock.advance(days=3)
    with clone.tenant(acme) as tx:
        assert clocks.start(tx, [ana]) == 0
        assert row(tx, ana)["due_at"] == A_MONDAY


def test_a_contact_without_an_address_is_exempt_until_it_has_one(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        nobody = build.contact(tx, email=None, name="No Address")
        assert (row(tx, nobody)["status"], row(tx, nobody)["exempt_reason"]) == ("exempt", "no_address")
        contacts.upsert(tx, build.VAULT, contact_id=nobody, email="now@initech.example")
        assert row(tx, nobody)["status"] == "active"


def test_a_touch_promises_the_next_in_21_days_and_tells_so(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    clock.advance(days=2)
    with clone.tenant(acme) as tx:
        assert clocks.touch(tx, ana, "call", by="user:boss")
        now = row(tx, ana)
        assert (now["due_at"], now["last_touch_type"], now["last_touch_by"]) == (tx.now + 21 * DAY, "call", "user:boss")
        assert told(tx) == ["clock.started", "clock.touched"]


def test_the_same_message_touches_once(clone: Database, acme: UUID, ana: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        message = clock.uuid()
        assert clocks.touch(tx, ana, "reply", by="contact", message_id=message)
        assert not clocks.touch(tx, ana, "reply", by="contact", message_id=message)
        assert tx.value("SELECT count(*) FROM touches") == 1


def test_an_old_touch_neither_moves_a_newer_one_nor_the_first_due_date(
    clone: Database, acme: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        spread = build.contact(tx, email="spread@initech.example")
        tx.run("UPDATE engagement_clocks SET first_due_at = :d, due_at = :d", d=tx.now + 10 * DAY)
        clocks.touch(tx, spread, "reply", by="contact", at=tx.now - 400 * DAY, message_id=clock.uuid())
        assert row(tx, spread)["due_at"] == A_MONDAY + 10 * DAY
        clocks.touch(tx, spread, "meeting", by="user:boss", at=tx.now)
        clocks.touch(tx, spread, "call", by="user:boss", at=tx.now - 3 * DAY)
        assert (row(tx, spread)["due_at"], row(tx, spread)["last_touch_type"]) == (A_MONDAY + 21 * DAY, "meeting")


def test_a_touch_from_the_future_counts_as_now(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        clocks.touch(tx, ana, "reply", by="contact", at=tx.now + 300 * DAY)
        assert row(tx, ana)["due_at"] == A_MONDAY + 21 * DAY


def test_a_void_touch_puts_the_clock_back_to_the_latest_that_counts(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        clocks.touch(tx, ana, "call", by="user:boss")
    clock.advance(days=5)
    with clone.tenant(acme) as tx:
        card = clock.uuid()
        clocks.mailed(tx, {card: ana})
        clocks.advance_sequences(tx, [Advance(ana, 1, tx.now + 4 * DAY)])
        assert clocks.void_touch(tx, card, "no such mailbox") == 1
        assert clocks.void_touch(tx, card, "no such mailbox") == 0
        back = row(tx, ana)
        assert (back["due_at"], back["last_touch_type"], back["last_touch_at"]) == (
            A_MONDAY + 21 * DAY,
            "call",
            A_MONDAY,
        )
        assert (back["sequence_step"], back["follow_up_due_at"]) == (0, None)


def test_a_mail_that_bounced_before_its_touch_was_recorded_touches_nobody(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        card = build.card(tx, ana)
        tx.run(
            """INSERT INTO outbound_messages (tenant_id, card_id, idempotency_key, rfc_message_id, state, mode,
                   provider, sender, recipients, mail, content_hash, reserved_at)
               VALUES (:t, :c, 'k', '<m@acme.example>', 'bounced', 'live', 'resend', 'a@acme.example', '{}', '{}', '',
                       :now)""",
            t=tx.tenant_id, c=card.id, now=tx.now,
        )  # fmt: skip
        clocks.mailed(tx, {card.id: ana})
        assert row(tx, ana)["due_at"] == A_MONDAY


def test_the_longer_of_two_absences_counts_and_a_reply_ends_it(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        assert clocks.pause(tx, ana, tx.now + 9 * DAY)
        assert not clocks.pause(tx, ana, tx.now + 5 * DAY)
        assert not clocks.pause(tx, ana, tx.now - DAY)
        assert row(tx, ana)["paused_until"] == row(tx, ana)["planned_at"] == A_MONDAY + 9 * DAY
        clocks.touch(tx, ana, "reply", by="contact", at=tx.now - 20 * DAY, message_id=clock.uuid())
        assert row(tx, ana)["status"] == "paused"
        clocks.touch(tx, ana, "reply", by="contact", message_id=clock.uuid())
        assert (row(tx, ana)["status"], row(tx, ana)["paused_until"]) == ("active", None)


def test_pauses_end_by_themselves_and_by_hand(clone: Database, acme: UUID, ana: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        clocks.pause(tx, ana, tx.now + 2 * DAY)
        assert clocks.refresh_compliance(tx) == 0
        assert clocks.resume(tx, ana)
        assert not clocks.resume(tx, ana)
        clocks.pause(tx, ana, tx.now + 2 * DAY)
    clock.advance(days=2)
    with clone.tenant(acme) as tx:
        assert clocks.refresh_compliance(tx) == 1
        assert row(tx, ana)["planned_at"] == A_MONDAY
        assert told(tx)[-4:] == ["clock.paused", "clock.resumed", "clock.paused", "clock.resumed"]


def test_stopping_an_account_cancels_what_waits_and_leaves_other_accounts_alone(
    clone: Database, acme: UUID, ana: UUID
) -> None:
    with clone.tenant(acme) as tx:
        bob = build.contact(tx, client_of(tx, ana), "bob@initech.example")
        other = build.contact(tx, build.client(tx, name="Hooli"), "cy@hooli.example")
        for each in (ana, bob, other):
            clocks.advance_sequences(tx, [Advance(each, 1, tx.now + 4 * DAY)])
        waiting, elsewhere = build.card(tx, bob), build.card(tx, other)
        assert clocks.stop_sequences(tx, client_of(tx, ana), reason="a reply") == 2
        assert clocks.stop_sequences(tx, client_of(tx, ana), reason="a reply") == 0
        assert [row(tx, each)["follow_up_due_at"] is None for each in (ana, bob, other)] == [True, True, False]
        states = [card.state for each in (waiting, elsewhere) if (card := cards.get(tx, each.id)) is not None]
        assert states == ["cancelled", "proposed"]


def test_a_reply_older_than_the_sequence_does_not_stop_it(
    clone: Database, acme: UUID, ana: UUID, clock: HandClock
) -> None:
    with clone.tenant(acme) as tx:
        clocks.mailed(tx, {clock.uuid(): ana})
        clocks.advance_sequences(tx, [Advance(ana, 1, tx.now + 4 * DAY)])
        clocks.touch(tx, ana, "reply", by="contact", at=tx.now - DAY, message_id=clock.uuid())
        assert row(tx, ana)["sequence_step"] == 1


def test_an_exempt_contact_starts_no_sequence(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert clocks.exempt(tx, [ana], "opted_out") == 1
        assert clocks.exempt(tx, [ana], "opted_out") == 0
        assert not clocks.advance_sequences(tx, [Advance(ana, 1, tx.now)])
        assert not clocks.shadow_advances(tx, [Advance(ana, 1, tx.now)])
        assert clocks.reinstate(tx, ana)
        assert row(tx, ana)["due_at"] == A_MONDAY


def test_the_shadow_moves_planning_and_not_the_promise(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        clocks.shadow_advances(tx, [Advance(ana, 1, tx.now + 4 * DAY)])
        moved = row(tx, ana)
        assert (moved["planned_at"], moved["shadow_due_at"]) == (A_MONDAY + 4 * DAY, A_MONDAY + 21 * DAY)
        assert (moved["due_at"], moved["sequence_step"], moved["last_touch_at"]) == (A_MONDAY, 0, None)
        assert len(promises.violations(tx)) == 1
        clocks.mailed(tx, {tx.clock.uuid(): ana})
        clocks.advance_sequences(tx, [Advance(ana, 1, None)])
        assert (row(tx, ana)["shadow_due_at"], row(tx, ana)["shadow_step"]) == (None, None)


def test_a_tenants_next_look_comes_forward_and_never_goes_back(clone: Database, acme: UUID, ana: UUID) -> None:
    looks = "SELECT work_due_at FROM tenant_schedule WHERE tenant_id = :t"
    with clone.tenant(acme) as tx:
        tx.run("UPDATE tenant_schedule SET work_due_at = :at WHERE tenant_id = :t", at=tx.now + 9 * DAY, t=acme)
        clocks.touch(tx, ana, "call", by="user:boss")
        assert tx.value(looks, t=acme) == A_MONDAY + 9 * DAY
        clocks.advance_sequences(tx, [Advance(ana, 1, tx.now + 4 * DAY)])
        assert tx.value(looks, t=acme) == A_MONDAY + 4 * DAY


@pytest.mark.parametrize(
    ("fields", "status", "days"),
    [
        ({"due_at": A_MONDAY + 4 * DAY}, "compliant", 0),
        ({"due_at": A_MONDAY + 3 * DAY}, "due_soon", 0),
        ({"due_at": A_MONDAY}, "overdue", 0),
        ({"due_at": A_MONDAY - 50 * DAY}, "overdue", 50),
        ({"due_at": A_MONDAY - 50 * DAY, "status": "exempt"}, "exempt", 0),
        ({"due_at": A_MONDAY - 50 * DAY, "status": "paused", "paused_until": A_MONDAY + 9 * DAY}, "compliant", 0),
        ({"due_at": A_MONDAY - 50 * DAY, "status": "paused", "paused_until": A_MONDAY - DAY}, "overdue", 1),
    ],
)
def test_how_a_clock_stands(fields: dict[str, Any], status: str, days: int) -> None:
    clock_row = {"status": "active", "paused_until": None, **fields}
    assert promises.status(clock_row, A_MONDAY, settings.TenantSettings()) == promises.Standing(status, days)  # type: ignore[arg-type]


def test_an_accounts_clock_is_its_latest_contacts(clone: Database, acme: UUID, ana: UUID) -> None:
    with clone.tenant(acme) as tx:
        bob = build.contact(tx, client_of(tx, ana), "bob@initech.example")
        build.contact(tx, build.client(tx, name="Hooli"), "cy@hooli.example")
        clocks.touch(tx, bob, "meeting", by="user:boss")
        stats = promises.stats(tx, due_soon_days=3)
        assert (stats.accounts, stats.accounts_overdue) == (2, 1)
        assert (stats.compliant, stats.due_soon, stats.overdue, stats.exempt) == (1, 0, 2, 0)
        assert stats.rate == pytest.approx(1 / 3)


def test_a_neighbours_clock_cannot_be_touched(clone: Database, acme: UUID, ana: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(globex) as tx:
        assert not clocks.touch(tx, ana, "call", by="user:boss")
        assert clocks.exempt(tx, [ana], "opted_out") == 0
        assert clocks.start(tx, [ana]) == 0
    with clone.tenant(acme) as tx:
        assert row(tx, ana)["due_at"] == A_MONDAY


HOURS_AGO = st.integers(0, 60 * 24)
HISTORY = st.lists(
    st.tuples(st.sampled_from(["email", "person", "reply", "call", "meeting"]), HOURS_AGO)
    | st.tuples(st.sampled_from(["void", "pause", "resume", "exempt", "reinstate"]), HOURS_AGO)
    | st.tuples(st.sampled_from(["advance", "shadow", "stop"]), HOURS_AGO),
    max_size=12,
)


@given(HISTORY)
@examples(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happened_the_promise_counts_from_the_latest_touch_that_counts(
    clone: Database, history: list[tuple[str, int]]
) -> None:
    slug = f"t{clone.clock.uuid().hex}"
    with clone.tenant(build.tenant(clone, slug, dict(build.ACME))) as tx:
        contact = build.contact(tx)
        touches: dict[UUID, Any] = {}
        for what, hours_ago in history:
            _happen(tx, contact, what, tx.now - timedelta(hours=hours_ago), touches)
            now = row(tx, contact)
            latest = max(touches.values(), default=None)
            assert now["last_touch_at"] == latest
            assert now["due_at"] == (A_MONDAY if latest is None else max(A_MONDAY, latest + 21 * DAY))
            assert now["status"] != "exempt" or now["follow_up_due_at"] is None
            assert (now["paused_until"] is not None) == (now["status"] == "paused")
            assert (now["sequence_step"] == 0) <= (now["follow_up_due_at"] is None)


def _happen(tx: Tx, contact: UUID, what: str, at: Any, touches: dict[UUID, Any]) -> None:
    name, later = tx.clock.uuid(), tx.now + 4 * DAY
    match what:
        case "email":
            clocks.mailed(tx, {name: contact}, at=at)
            touches[name] = at
        case "person":
            clocks.touch(tx, contact, "email", by="person", at=at, message_id=name)
            touches[name] = at
        case "reply" | "call" | "meeting":
            clocks.touch(tx, contact, what, by="contact", at=at, message_id=name)
            touches[name] = at
        case "void":
            for card in list(touches)[-1:]:
                if clocks.void_touch(tx, card, "bounced"):
                    del touches[card]
        case "pause":
            clocks.pause(tx, contact, later)
        case "resume":
            clocks.resume(tx, contact)
        case "exempt":
            clocks.exempt(tx, [contact], "opted_out")
        case "reinstate":
            clocks.reinstate(tx, contact)
        case "advance":
            clocks.advance_sequences(tx, [Advance(contact, 1, later)])
        case "shadow":
            clocks.shadow_advances(tx, [Advance(contact, 1, later)])
        case "stop":
            clocks.stop_sequences(tx, client_of(tx, contact), reason="a reply")
