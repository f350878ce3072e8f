"""Undo: each action type says whether it can be taken back, and what can be is taken back once, or refused with why."""

from __future__ import annotations

import threading
from uuid import UUID

import pytest

from domain import audit, cards, cases, executions, settings, tasks, undo
from domain.db import Database, Tx
from engines.contract import Context
from engines.registry import ENGINES
from tests import build

QUOTE = "Can you call me Thursday?"


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def _done(tx: Tx, kind: str = "create_task") -> cards.Card:
    """A task or a case that the agent really made, with what its handler left to be taken back."""
    payload = {"title": "Call Bill", "message_id": str(tx.clock.uuid()), "quote": QUOTE, "kind": "complaint",
               "basis": "client_request"}  # fmt: skip
    card = build.card(tx, build.contact(tx), state="queued", kind=kind, payload=payload, engine="requests")
    mine = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=15, idempotency_key=None)
    handler = next(engine.handlers[kind] for engine in ENGINES if kind in engine.handlers)
    outcome = handler(Context(tx, settings.of(tx)), mine)
    assert outcome.undo is not None
    return executions.settle(tx, mine, "done", outcome={**outcome.facts, "undo": outcome.undo})


def _take_back(tx: Tx, card: cards.Card) -> cards.Card:
    return undo.undo(tx, card.id, by="Ana", reason="it was a joke")


def test_every_action_type_declares_whether_it_can_be_undone() -> None:
    assert set(undo.BY_TYPE) == cards.TYPES
    assert all(declared.how for declared in undo.BY_TYPE.values())


def test_nothing_that_leaves_the_house_claims_to_be_undoable() -> None:
    from domain.switches import OUTWARD

    assert not [kind for kind in OUTWARD if undo.BY_TYPE[kind].possible]


def test_what_the_handlers_leave_is_carried_out_by_a_known_verb(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for kind in ("create_task", "open_case"):
            assert _done(tx, kind).outcome["undo"]["verb"] in undo.VERBS


def test_a_task_is_cancelled_and_a_case_closed_each_with_its_event_and_audit_line(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        for kind in ("create_task", "open_case"):
            card = _done(tx, kind)
            assert undo.of(card).possible
            undone = _take_back(tx, card)
            assert (undone.state, undone.outcome["undone"]["by"]) == ("done", "Ana")
            assert not undo.of(undone).possible
            told = tx.row("SELECT data FROM warehouse_events WHERE type = 'card.undone' AND subject_id = :id",
                          id=str(card.id))  # fmt: skip
            assert told is not None
            line = audit.read(tx, limit=1)[0]
            assert (line.action, line.subject, line.reason) == ("card.undo", str(card.id), "it was a joke")
        assert [task.state for task in tasks.listed(tx, state="cancelled")] == ["cancelled"]
        assert [case.evidence["outcome"] for case in cases.listed(tx, state="closed")] == ["undone"]
        assert not cases.listed(tx)
        assert not tasks.listed(tx)


def test_taking_back_twice_changes_nothing_the_second_time(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = _done(tx)
        first = _take_back(tx, card)
        assert undo.undo(tx, card.id, by="Bob", reason="again").outcome == first.outcome
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'card.undone'") == 1


def test_it_is_refused_when_the_record_has_changed_since_and_nothing_is_half_done(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = _done(tx)
        tasks.finish(tx, UUID(card.outcome["task_id"]), state="done")
    with pytest.raises(undo.ChangedSince, match="no longer open"), clone.tenant(acme) as tx:
        _take_back(tx, card)
    with clone.tenant(acme) as tx:
        now = cards.get(tx, card.id)
        assert now is not None
        assert "undone" not in now.outcome
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'card.undone'") == 0


def test_several_steps_are_taken_back_last_first_or_not_at_all(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card, other = _done(tx), _done(tx, "open_case")
        both = {"undo": {"steps": [card.outcome["undo"], other.outcome["undo"]]}}
        tx.run("UPDATE kanban_cards SET outcome = :both WHERE id = :id", both=both, id=card.id)
        tasks.finish(tx, UUID(card.outcome["task_id"]))
    with pytest.raises(undo.ChangedSince), clone.tenant(acme) as tx:
        _take_back(tx, card)
    with clone.tenant(acme) as tx:
        assert len(cases.listed(tx)) == 1


def test_what_cannot_be_taken_back_says_why(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        waiting = build.card(tx, build.contact(tx), kind="create_task", dedupe_key="waiting")
        mail = build.card(tx, build.contact(tx))
        empty = _done(tx)
        tx.run("UPDATE kanban_cards SET outcome = '{}' WHERE id = :id", id=empty.id)
        for card_id, told in ((waiting.id, "is proposed"), (mail.id, "called back"), (empty.id, "changed nothing")):
            with pytest.raises(undo.NotUndoable, match=told):
                undo.undo(tx, card_id, by="Ana", reason="x")
        with pytest.raises(undo.UnknownCard):
            undo.undo(tx, tx.clock.uuid(), by="Ana", reason="x")


def test_a_card_of_another_tenant_does_not_exist(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = _done(tx)
    with pytest.raises(undo.UnknownCard), clone.tenant(build.globex(clone)) as tx:
        _take_back(tx, card)


def test_two_who_take_the_same_card_back_at_once_do_it_once(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        card = _done(tx)

    def take_back() -> None:
        with clone.tenant(acme) as tx:
            _take_back(tx, card)

    threads = [threading.Thread(target=take_back) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'card.undone'") == 1
