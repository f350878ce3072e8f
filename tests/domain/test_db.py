"""Transactions: each sees one tenant, or what its guise may see, and says what time it is."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy.exc import IntegrityError, ProgrammingError

from domain import clients, events, schedule, settings
from domain.db import Database, json_list
from domain.settings import InvalidSetting
from tests import build
from tests.hand_clock import HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_a_transaction_without_a_tenant_sees_and_writes_nobodys_rows(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.client(tx)
    with pytest.raises(ProgrammingError, match="permission denied"), clone.wearing("control") as tx:
        tx.rows("SELECT * FROM hourhand.clients")
    with clone.wearing("fleet") as tx, pytest.raises(LookupError):
        build.client(tx)


def test_the_tenant_of_one_transaction_is_forgotten_in_the_next(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        build.client(tx)
    for _ in range(20):  # the same pooled connection serves both
        with clone.tenant(globex) as tx:
            assert clients.listed(tx) == []
            assert tx.value("SELECT count(*) FROM tenants") == 1


def _make_and_fail(clone: Database, tenant: UUID) -> None:
    with clone.tenant(tenant) as tx:
        build.client(tx)
        raise RuntimeError


def test_nothing_of_a_block_that_raises_stays(clone: Database, acme: UUID) -> None:
    with pytest.raises(RuntimeError):
        _make_and_fail(clone, acme)
    with clone.tenant(acme) as tx:
        assert clients.listed(tx) == []
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'client.created'") == 0


def test_a_savepoint_undoes_itself_alone(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        build.client(tx)
        with pytest.raises(IntegrityError), tx.savepoint():
            tx.run("INSERT INTO clients (tenant_id, id, name, created_at, updated_at) VALUES (:t, :id, '', :now, :now)",
                   t=acme, id=tx.clock.uuid(), now=tx.now)  # fmt: skip
        assert len(clients.listed(tx)) == 1


def test_the_database_is_told_the_virtual_time(clone: Database, acme: UUID, clock: HandClock) -> None:
    clock.advance(days=400)
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT hourhand.db_now()") == clock.now() == tx.now


def test_values_travel_in_their_own_kinds(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        row = tx.row("SELECT CAST(:array AS text[]) AS array, :json AS json, :list AS list",
                     array=["a", "b"], json={"a": [1, None]}, list=json_list([{"b": 2}]))  # fmt: skip
        assert dict(row or {}) == {"array": ["a", "b"], "json": {"a": [1, None]}, "list": [{"b": 2}]}


@pytest.mark.parametrize("some", [
    ["a,b", "{c}", 'd"e', "f\\g", "", "NULL", "null", None, " h ", "ñ\n\t\u2028", "%s :t"], [None], [""], ["\\"],
    ['"'], [],
])  # fmt: skip
def test_lists_of_texts_arrive_as_they_were_sent(clone: Database, acme: UUID, some: list[str | None]) -> None:
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT CAST(:some AS text[])", some=some) == some


def test_an_event_waits_for_its_reaction_until_it_is_struck_off(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        events.record(tx, "quiet", "test", "1")
        loud = events.record(tx, "loud", "test", "2", react=True, number=7)
        ((event, tries),) = events.due(tx, limit=10)
        assert (event.id, event.type, event.data, tries) == (loud, "loud", {"number": 7}, 0)
        assert events.reaction_failed(tx, loud, "broken", retry_seconds=60) == 1
        assert events.due(tx, limit=10) == []
    clock.advance(seconds=60)
    with clone.tenant(acme) as tx:
        assert [tries for _, tries in events.due(tx, limit=10)] == [1]
        events.reacted(tx, [loud])
        assert events.due(tx, limit=10) == []
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'loud'") == 1


@pytest.mark.parametrize("statement", ["UPDATE warehouse_events SET type = 'x'", "DELETE FROM warehouse_events"])
def test_what_happened_cannot_be_changed(clone: Database, acme: UUID, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), clone.tenant(acme) as tx:
        tx.run(statement)


def test_work_is_only_ever_brought_forward(clone: Database, clock: HandClock) -> None:
    soon, later = clock.now().replace(hour=10), clock.now().replace(hour=12)
    idle = build.tenant(clone, "idle", {})
    with clone.tenant(idle) as tx:
        for at, extra, expected in ((later, False, (later, None)), (soon, False, (soon, None)),
                                    (later, True, (soon, later)), (soon, True, (soon, soon)),
                                    (later, True, (soon, soon))):  # fmt: skip
            schedule.bring_forward(tx, at, extra=extra)
            line = tx.row("SELECT work_due_at, extra_due_at FROM tenant_schedule")
            assert line is not None
            assert (line["work_due_at"], line["extra_due_at"]) == expected


def test_a_changed_setting_makes_a_new_policy_and_a_line_in_the_log(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="root") as tx:
        before = settings.policy_version(tx)
        settings.change(tx, {"max_emails_per_hour": 3}, reason="quieter")
        assert settings.of(tx).max_emails_per_hour == 3
        assert settings.of(tx).sender_name == "Ana Diaz"
        assert settings.policy_version(tx) == before + 1
        assert tx.value("SELECT reason FROM audit_log ORDER BY seq DESC LIMIT 1") == "quieter"


@pytest.mark.parametrize(
    ("field", "value"), [("max_emails_per_hour", -1), ("send_mode", "loud"), ("colour", "red"), ("country", "usa")]
)
def test_a_wrong_setting_is_named_and_changes_nothing(clone: Database, acme: UUID, field: str, value: object) -> None:
    with clone.tenant(acme) as tx:
        before = settings.of(tx)
        with pytest.raises(InvalidSetting, match=f"^{field}"):
            settings.change(tx, {field: value})
        assert settings.of(tx) == before


def test_the_values_of_a_failed_statement_are_not_part_of_its_error(clone: Database, acme: UUID) -> None:
    with pytest.raises(ProgrammingError) as failed, clone.tenant(acme) as tx:
        tx.run("UPDATE no_such_table SET text = :text", text="the words of a mail")
    assert "the words of a mail" not in str(failed.value)
