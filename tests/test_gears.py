"""The gears turn: clones are separate, migrated and restricted, and nothing reaches the network."""

from __future__ import annotations

import socket
import sys
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from domain import switches
from domain.db import Database
from domain.switches import Switch
from tests import build, gears
from tests.conftest import GUARD
from tests.hand_clock import A_MONDAY, HandClock
from tests.reused import MOST_ROWS, Reused


def test_a_clone_is_migrated_and_entered_by_the_restricted_role(cloned: gears.Clone) -> None:
    with psycopg.connect(cloned.url()) as connection:
        who = connection.execute(
            "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
        )
        assert who.fetchone() == ("hourhand_app", False, False, False)
    with psycopg.connect(cloned.admin_url) as connection:
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'hourhand'").fetchone()
        assert tables is not None
        assert tables[0] > 0


def test_the_database_keeps_the_tests_own_time(clone: Database, clock: HandClock) -> None:
    clock.advance(days=400)
    with clone.wearing("control") as tx:
        assert tx.now == clock.now() == A_MONDAY + timedelta(days=400)
        assert tx.value("SELECT current_setting('app.now')::timestamptz") == clock.now()


def test_clones_share_nothing_but_the_server(cluster: gears.Cluster) -> None:
    first, second = cluster.clone(), cluster.clone()
    with psycopg.connect(first.admin_url) as connection:
        connection.execute("CREATE TABLE public.only_here (id int)")
    with psycopg.connect(second.admin_url) as connection:
        found = connection.execute("SELECT to_regclass('public.only_here')").fetchone()
    cluster.retire(first)
    cluster.retire(second)
    assert found == (None,)


def test_a_database_is_lent_again_as_the_migrations_leave_it(cluster: gears.Cluster) -> None:
    lender = Reused(cluster)
    with lender.lend(HandClock()) as first:
        tenant_id = build.acme(first)
        with first.tenant(tenant_id) as tx:
            build.card(tx, build.contact(tx), state="queued")
        switches.stop(first, Switch(None, "all"), by="test", reason="test")
        assert _rows(cluster, first) != {"hourhand.system_config": 1, "hourhand.alembic_version": 1}
    with lender.lend(HandClock()) as second:
        assert second is first
        assert _rows(cluster, second) == {"hourhand.system_config": 1, "hourhand.alembic_version": 1}
        with second.tenant(build.acme(second)) as tx:
            assert tx.value("SELECT lock_id FROM tenant_schedule WHERE tenant_id = :t", t=tx.tenant_id) == 1
            assert not switches.closed(tx)
    lender.close()


def test_what_was_laid_out_outlives_what_tests_did_with_it(cluster: gears.Cluster) -> None:
    def lay_out(database: Database, clock: HandClock) -> UUID:
        clock.advance(days=3)
        tenant_id = build.acme(database)
        with database.tenant(tenant_id) as tx:
            build.contact(tx)
        return tenant_id

    lender, made = Reused(cluster), []
    for _ in range(3):
        clock = HandClock()
        with lender.lend_laid_out(clock, lay_out) as (database, tenant_id), database.tenant(tenant_id) as tx:
            told = tx.rows("SELECT id, email, planned_at FROM contacts JOIN engagement_clocks ON contact_id = id")
            made.append((told, tx.value("SELECT lock_id FROM tenant_schedule"), build.deal(tx), clock.now()))
            tx.run("DELETE FROM engagement_clocks")
    assert len(made[0][0]) == 1
    assert made[0] == made[1] == made[2]
    with lender.lend(HandClock()) as bare:
        assert _rows(cluster, bare) == {"hourhand.system_config": 1, "hourhand.alembic_version": 1}
    lender.close()


def test_a_database_full_of_rows_is_dropped_instead_of_emptied(cluster: gears.Cluster) -> None:
    lender = Reused(cluster)
    with lender.lend(HandClock()) as first, first.tenant(build.acme(first)) as tx:
        tx.run("""INSERT INTO blobs (tenant_id, sha256, size, bytes, created_at)
                  SELECT :t, sha256(n::text::bytea), 1, '', :now FROM generate_series(0, :most) n""",
               t=tx.tenant_id, now=tx.now, most=MOST_ROWS)  # fmt: skip
    with lender.lend(HandClock()) as second:
        assert second.url != first.url
    lender.close()


def test_a_database_in_which_somebody_stayed_is_not_lent_again(cluster: gears.Cluster) -> None:
    lender = Reused(cluster)
    with lender.lend(HandClock()) as first:
        stayed = psycopg.connect(first.url)
    with lender.lend(HandClock()) as second, lender.lend(HandClock()) as beside:
        assert len({first.url, second.url, beside.url}) == 3
    stayed.close()
    lender.close()


def _rows(cluster: gears.Cluster, database: Database) -> dict[str, int]:
    """How many rows each table has that has any."""
    with psycopg.connect(cluster.server.url("postgres", database.url.split("/")[-1].split("?")[0])) as connection:
        tables = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname IN ('hourhand', 'control', 'queue')"
        ).fetchall()
        counted = {str(name): connection.execute(f"SELECT count(*) FROM {name}").fetchone() for (name,) in tables}
    return {name: row[0] for name, row in counted.items() if row and row[0]}


@pytest.mark.parametrize("host", ["192.0.2.1", "example.test", "0.0.0.0", "2001:db8::1"])
def test_a_socket_that_leaves_the_machine_is_refused(host: str) -> None:
    with pytest.raises(gears.OffLoopback):
        socket.create_connection((host, 80), timeout=1)
    assert GUARD.attempts
    GUARD.attempts.clear()


def test_loopback_stays_open() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


def test_a_refusal_that_the_code_swallows_still_fails_the_test(pytester_folder: Path) -> None:
    outcome = _run(
        pytester_folder,
        """
        import socket
        def test_sneaky():
            try:
                socket.create_connection(("192.0.2.1", 80), timeout=1)
            except Exception:
                pass
        """,
        ci=False,
    )
    assert "1 passed, 1 error" in outcome


def test_ci_fails_on_a_skipped_test(pytester_folder: Path) -> None:
    source = """
        import pytest
        def test_skipped():
            pytest.skip("no browser here")
        """
    assert "exit 0" in _run(pytester_folder, source, ci=False)
    assert "exit 1" in _run(pytester_folder, source, ci=True)


@pytest.fixture
def pytester_folder(tmp_path: Path) -> Path:
    """An empty test folder that keeps this suite's rules."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import _no_network, pytest_sessionfinish\n")
    return tmp_path


def _run(folder: Path, source: str, *, ci: bool) -> str:
    import os
    import subprocess
    import textwrap

    (folder / "test_inner.py").write_text(textwrap.dedent(source))
    environment = {key: value for key, value in os.environ.items() if key != "CI" and not key.startswith("PYTEST")}
    environment |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(Path(__file__).parents[1])} | (
        {"CI": "true"} if ci else {}
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(folder), str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return f"{done.stdout}\nexit {done.returncode}"
