"""The audit log: append-only, and whoever changes a line behind its back is found."""

from __future__ import annotations

import threading
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import ProgrammingError

from domain import audit
from domain.db import Database
from tests import build
from tests.gears import Clone

SIMPLE = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(
    st.characters(codec="utf-8", exclude_characters="\x00"), max_size=8
) | st.floats(allow_nan=False, allow_infinity=False)  # fmt: skip


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant whose log holds five lines after its founding."""
    tenant = build.acme(clone, send_mode="dry_run")
    with clone.tenant(tenant, actor="root") as tx:
        for number in range(5):
            audit.record(tx, "test", f"s{number}", reason="why", number=number)
    return tenant


def test_an_untouched_log_is_whole(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert audit.broken_at(tx) is None
        assert [line.seq for line in audit.read(tx)] == [6, 5, 4, 3, 2, 1]
        assert [line.seq for line in audit.read(tx, before=3)] == [2, 1]
        assert audit.read(tx, limit=1)[0].detail == {"number": 4}


@pytest.mark.parametrize(
    ("tampering", "found"),
    [
        ("UPDATE hourhand.audit_log SET reason = 'another' WHERE seq = 3", 3),
        ("UPDATE hourhand.audit_log SET actor = 'somebody' WHERE seq = 4", 4),
        ("UPDATE hourhand.audit_log SET at = at + interval '1 second' WHERE seq = 2", 2),
        ("UPDATE hourhand.audit_log SET detail = '{}' WHERE seq = 6", 6),
        ("DELETE FROM hourhand.audit_log WHERE seq = 3", 4),
        ("UPDATE hourhand.audit_log SET seq = seq + 10 WHERE seq = 3", 4),
        ("DELETE FROM hourhand.audit_log WHERE seq = 1", 2),
    ],
)
def test_a_changed_line_is_found(clone: Database, cloned: Clone, acme: UUID, tampering: str, found: int) -> None:
    with psycopg.connect(cloned.admin_url) as admin:
        admin.execute(tampering)
    with clone.tenant(acme) as tx:
        assert audit.broken_at(tx) == found


def test_a_log_copied_from_another_tenant_is_found(clone: Database, cloned: Clone, acme: UUID) -> None:
    globex = build.globex(clone, send_mode="dry_run")
    with psycopg.connect(cloned.admin_url) as admin:
        admin.execute("DELETE FROM hourhand.audit_log WHERE tenant_id = %s", (globex,))
        admin.execute(
            """INSERT INTO hourhand.audit_log SELECT %s, seq, at, actor, action, subject, reason, detail, previous_hash,
               hash FROM hourhand.audit_log WHERE tenant_id = %s""",
            (globex, acme),
        )
    with clone.tenant(globex) as tx:
        assert audit.broken_at(tx) == 1


@pytest.mark.parametrize("statement", ["UPDATE audit_log SET reason = 'x'", "DELETE FROM audit_log"])
def test_the_process_may_only_append(clone: Database, acme: UUID, statement: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), clone.tenant(acme) as tx:
        tx.run(statement)


def test_the_house_keeps_a_chain_of_its_own(clone: Database, cloned: Clone, acme: UUID) -> None:
    with clone.wearing("control", actor="root") as tx:
        audit.record_control(tx, "test", "s")
        assert audit.broken_at(tx, control=True) is None
    with psycopg.connect(cloned.admin_url) as admin:
        admin.execute("UPDATE control.audit_log SET subject = 'another' WHERE seq = 1")
    with clone.wearing("control") as tx:
        assert audit.broken_at(tx, control=True) == 1


def test_lines_written_at_once_stand_one_behind_the_other(clone: Database, acme: UUID) -> None:
    def write() -> None:
        for _ in range(10):
            with clone.tenant(acme) as tx:
                audit.record(tx, "test", "s")

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with clone.tenant(acme) as tx:
        assert audit.read(tx, limit=1)[0].seq == 46
        assert audit.broken_at(tx) is None


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), SIMPLE | st.lists(SIMPLE, max_size=3), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_a_line_holds_its_hash_can_be_made_again(clone: Database, acme: UUID, detail: dict[str, Any]) -> None:
    with clone.tenant(acme) as tx:
        audit.record(tx, "test", "s", **detail)
        assert audit.broken_at(tx) is None
