"""Cards: the only moves they may make, checked twice, and intentions that never become two cards."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError

from domain import cards, clocks, executions
from domain.cards import MOVES, IllegalMove
from domain.db import Database, Tx
from tests import build
from tests.hand_clock import HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def _at(tx: Tx, state: str) -> UUID:
    """A card laid straight into a state, however it would have got there."""
    made = build.card(tx, dedupe_key=str(tx.clock.uuid()))
    tx.run("DELETE FROM kanban_cards WHERE id = :id", id=made.id)
    tx.run(
        """INSERT INTO kanban_cards (tenant_id, id, type, state, engine, title, subject_type, subject_id, dedupe_key,
               due_at, not_before, latest_at, created_at, state_changed_at, owner, executing_until, reserved_at)
           VALUES (:t, :id, 'follow_up', :state, 'engagement', 'x', 'contact', 'x', :key, :now, :now, :now, :now, :now,
                   'w', :now, CASE WHEN :state = 'uncertain' THEN CAST(:now AS timestamptz) END)""",
        t=tx.tenant_id, id=made.id, state=state, key=made.dedupe_key, now=tx.now,
    )  # fmt: skip
    return made.id


def _also(to: str) -> str:
    """What else must change with the state, for the table's own checks."""
    return ", reserved_at = :now" if to == "uncertain" else ""


def test_the_database_knows_the_same_moves(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        told = {state: frozenset(tx.value("SELECT hourhand.card_moves(:state)", state=state)) for state in MOVES}
    assert told == MOVES
    assert {target for targets in MOVES.values() for target in targets} <= set(MOVES)
    assert cards.LIVE | {"done", "failed", "held", "blocked", "rejected", "cancelled", "expired"} == set(MOVES)


@pytest.mark.parametrize("frm", sorted(MOVES))
def test_the_database_itself_refuses_every_illegal_move(clone: Database, acme: UUID, frm: str) -> None:
    with clone.tenant(acme) as tx:
        for to in sorted(set(MOVES) - {frm}):
            card_id = _at(tx, frm)
            refused = False
            try:
                with tx.savepoint():
                    tx.run(f"UPDATE kanban_cards SET state = :to{_also(to)} WHERE id = :id",
                           to=to, id=card_id, now=tx.now)  # fmt: skip
            except IntegrityError as error:
                refused = "cannot move" in str(error.orig)
            assert refused == (to not in MOVES[frm]), f"{frm} to {to}"


@pytest.mark.parametrize("frm", sorted(MOVES))
def test_the_verb_makes_only_legal_moves_and_each_leaves_its_event(clone: Database, acme: UUID, frm: str) -> None:
    with clone.tenant(acme) as tx:
        for to in sorted(set(MOVES) - {frm}):
            card_id = _at(tx, frm)
            moved = cards.move(tx, [card_id], to, rule="test.rule", extra=_also(to).lstrip(", "))
            told = tx.rows(
                "SELECT FROM warehouse_events WHERE subject_id = :id AND type = :type AND data->>'rule' = 'test.rule'",
                id=str(card_id), type=f"card.{to}",
            )  # fmt: skip
            assert bool(moved) == bool(told) == (to in MOVES[frm]), f"{frm} to {to}"


def test_a_card_with_a_reservation_is_never_restarted(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = build.card(tx, build.contact(tx), state="queued")
        executions.reserve(tx, card, owner="w1", fence=1, lease_seconds=15, idempotency_key="k")
        for to in ("queued", "deferred"):
            with pytest.raises(IntegrityError, match="never restarted"), tx.savepoint():
                tx.run("UPDATE kanban_cards SET state = :to WHERE id = :id", to=to, id=card.id)


@pytest.mark.parametrize("state", sorted(MOVES))
def test_an_intention_has_one_card(clone: Database, acme: UUID, clock: HandClock, state: str) -> None:
    again = {"held", "cancelled"}
    rests = {"blocked", "rejected", "failed", "expired"}
    with clone.tenant(acme) as tx:
        card_id = _at(tx, state)
        key = tx.value("SELECT dedupe_key FROM kanban_cards WHERE id = :id", id=card_id)
        made = cards.propose(tx, [build.proposal(tx, dedupe_key=key)] * 2)
        assert len(made) == (1 if state in again else 0)
    clock.advance(hours=24, seconds=1)
    with clone.tenant(acme) as tx:
        made = cards.propose(tx, [build.proposal(tx, dedupe_key=key)])
        assert len(made) == (1 if state in rests else 0)


def test_two_who_propose_the_same_at_once_make_one_card(clone: Database, acme: UUID) -> None:
    made: list[cards.Card] = []
    start = threading.Barrier(4)

    def propose() -> None:
        start.wait()
        with clone.tenant(acme) as tx:
            made.extend(cards.propose(tx, [build.proposal(tx, dedupe_key="same")]))

    _together(propose, 4)
    assert len(made) == 1


def test_two_who_take_the_same_card_at_once_are_one(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = build.card(tx, state="queued")
    taken: list[str] = []
    start = threading.Barrier(4)

    def take() -> None:
        start.wait()
        try:
            with clone.tenant(acme) as tx:
                executions.reserve(tx, card, owner="w", fence=1, lease_seconds=15, idempotency_key="k")
            taken.append("w")
        except IllegalMove:
            return

    _together(take, 4)
    assert taken == ["w"]


def test_only_whoever_executes_a_card_settles_it_and_only_once(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        queued = build.card(tx, state="queued")
        mine = executions.reserve(tx, queued, owner="w1", fence=1, lease_seconds=15, idempotency_key="k")
        with pytest.raises(IllegalMove):
            executions.settle(tx, queued, "done")
        assert executions.settle(tx, mine, "done", provider_id="p-1").provider_id == "p-1"
        with pytest.raises(IllegalMove):
            executions.settle(tx, mine, "failed")


def test_what_is_due_comes_most_urgent_first_and_only_in_its_time(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        late = build.card(tx, dedupe_key="a", priority=1)
        urgent = build.card(tx, dedupe_key="b", priority=9)
        build.card(tx, dedupe_key="c", not_before=tx.now + timedelta(minutes=1))
        over = build.card(tx, dedupe_key="d", not_before=tx.now + timedelta(hours=1), latest_at=tx.now)
        assert [each.id for each in cards.due(tx, limit=10)] == [urgent.id, late.id, over.id]


def test_stopping_an_account_cancels_what_waits_for_it_and_nothing_else(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        ours = build.card(tx, build.contact(tx, client), dedupe_key="a")
        build.card(tx, build.contact(tx, client, "milton@initech.example"), dedupe_key="b", kind="open_case")
        build.card(tx, build.contact(tx, build.client(tx, "Chotchkie"), "joanna@chotchkie.example"), dedupe_key="c")
        clocks.stop_sequences(tx, client, reason="a reply")
        states = {row["dedupe_key"]: row["state"] for row in tx.rows("SELECT dedupe_key, state FROM kanban_cards")}
        assert states == {"a": "cancelled", "b": "proposed", "c": "proposed"}
        assert cards.get(tx, ours.id) is not None


def _together(work: object, many: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(many)]  # type: ignore[arg-type]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)


def test_an_event_names_no_address_that_a_provider_or_a_person_wrote_into_a_reason(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = build.card(tx, build.contact(tx))
        told = "resend: <Bill@Initech.example>, bill+x@sub.initech.example; says no (550 5.1.1)"
        moved = cards.move_one(tx, card.id, "blocked", reason=told)
        assert moved.reason == told
        data = tx.value("SELECT data FROM warehouse_events WHERE type = 'card.blocked'")
        assert data["reason"] == "resend: <<address>>, <address>; says no (550 5.1.1)"
