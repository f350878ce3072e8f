"""Clean-up: what nobody can ask about any more goes, tenant by tenant; one that fails holds up no other."""

from __future__ import annotations

import psycopg
import pytest

from domain import alerts, imports, quarantine
from domain.db import Database
from domain.house import Leaving
from jobs import cleanup, import_file
from jobs.import_sources import InMemory
from tests import build, gears, houses
from tests.hand_clock import HandClock


def test_what_is_past_its_time_goes_and_the_rest_stays(clone: Database, clock: HandClock) -> None:
    acme, globex = build.tenant(clone, "acme", {}), build.tenant(clone, "globex", {})
    for tenant in (acme, globex):
        with clone.tenant(tenant) as tx:
            quarantine.note(tx, "event", "old", "it came twice")
            quarantine.taken_in(tx, "event", ["old"])
            quarantine.note(tx, "event", "waiting", "nobody looked at it yet")
    clock.advance(days=91)
    with clone.tenant(globex) as tx:
        quarantine.note(tx, "event", "young", "it came twice")
        quarantine.taken_in(tx, "event", ["young"])
    with houses.house(clone) as house:
        gone = cleanup.run(house)
    assert gone["quarantine"] == 2
    for tenant in (acme, globex):
        with clone.tenant(tenant) as tx:
            assert [item.source for item in quarantine.listed(tx)] == ["waiting"]
            kept = {row["source"] for row in tx.rows("SELECT source FROM quarantine WHERE tenant_id = :t", t=tenant)}
        assert kept == {"waiting"} | ({"young"} if tenant == globex else set())


def test_a_file_that_was_cut_short_and_left_lying_is_given_up_with_its_mend(clone: Database, clock: HandClock) -> None:
    acme = build.tenant(clone, "acme", {})
    wish = import_file.Wish("contacts", "people.csv")

    def die(rows: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file.run(clone, build.VAULT, acme, InMemory(b"email\na@initech.example\nb@initech.example\n"), wish,
                        by="root", chunk_rows=1, progress=die)  # fmt: skip
    with houses.house(clone) as house:
        for days, given_up in ((6, 0), (2, 1), (1, 0)):
            clock.advance(days=days)
            assert cleanup.run(house)["imports_given_up"] == given_up
    with clone.tenant(acme) as tx:
        [batch] = imports.listed(tx)
        assert (batch.state, batch.rows) == ("failed", 1)
        assert "import the file again" in str(batch.failure)


def test_a_tenant_that_fails_holds_up_no_other(cloned: gears.Clone, clone: Database, clock: HandClock) -> None:
    acme, globex = build.tenant(clone, "acme", {}), build.tenant(clone, "globex", {})
    for tenant in (acme, globex):
        with clone.tenant(tenant) as tx:
            quarantine.note(tx, "event", "old", "it came twice")
            quarantine.taken_in(tx, "event", ["old"])
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            f"""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF OLD.tenant_id = '{acme}' THEN RAISE 'no'; END IF; RETURN OLD; END $$;
                CREATE TRIGGER refuse BEFORE DELETE ON hourhand.quarantine
                FOR EACH ROW EXECUTE FUNCTION refuse()"""
        )
    clock.advance(days=91)
    with houses.house(clone) as house:
        gone = cleanup.run(house)
    assert (gone["quarantine"], gone["failed"]) == (1, 1)


def test_an_alert_of_a_moment_ends_by_itself_and_one_of_what_lasts_does_not(clone: Database, clock: HandClock) -> None:
    acme = build.tenant(clone, "acme", {})
    for _ in range(2):
        with clone.tenant(acme) as tx:
            assert alerts.open(tx, "model_repeats:first_touch", "A model repeats itself.") is not None
            alerts.open(tx, "gmail_quota:one", "The quota is spent.")
        with houses.house(clone) as house:
            assert cleanup.run(house)["alerts_passed"] == 0
            clock.advance(hours=21)
            assert cleanup.run(house)["alerts_passed"] == 1
    with clone.tenant(acme) as tx:
        assert [alert.kind for alert in alerts.listed(tx)] == ["gmail_quota:one"]


def test_every_tenant_is_swept_page_by_page(clone: Database, clock: HandClock) -> None:
    for number in range(7):
        with clone.tenant(build.tenant(clone, f"tenant-{number}", {})) as tx:
            quarantine.note(tx, "event", "old", "it came twice")
            quarantine.taken_in(tx, "event", ["old"])
    clock.advance(days=91)
    with houses.house(clone) as house:
        assert cleanup.run(house, tenants_per_page=3)["quarantine"] == 7


def test_it_ends_between_two_tenants_when_the_process_leaves(clone: Database) -> None:
    build.tenant(clone, "acme", {})
    with houses.house(clone) as house:
        house.leaving.set()
        with pytest.raises(Leaving):
            cleanup.run(house)


def test_old_failed_jobs_and_dead_workers_go_from_the_queue(cloned: gears.Clone, clone: Database) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("SET search_path = queue")
        connection.execute(
            """INSERT INTO procrastinate_jobs (queue_name, task_name, status) VALUES
               ('house', 'clean_up', 'failed'), ('cycles', 'cycle', 'todo'), ('house', 'clean_up', 'failed')"""
        )
        connection.execute("UPDATE procrastinate_events SET at = '2020-01-01' WHERE job_id = 1")
        connection.execute("UPDATE procrastinate_events SET at = '2026-03-01' WHERE job_id = 3")
        connection.execute("INSERT INTO procrastinate_events (job_id, type, at) VALUES (3, 'failed', '2026-03-01')")
        connection.execute("INSERT INTO procrastinate_workers (last_heartbeat) VALUES ('2020-01-01'), ('2026-03-02')")
    with houses.house(clone) as house:
        gone = cleanup.run(house)
    assert (gone["queue.jobs"], gone["queue.workers"]) == (1, 1)


def test_the_houses_answered_requests_go_after_a_day(clone: Database, clock: HandClock) -> None:
    with clone.wearing("control") as tx:
        tx.run(
            """INSERT INTO control.idempotent_requests (key, route, request_hash, created_at)
               VALUES ('k', 'r', '\\x00', :now)""",
            now=tx.now,
        )
    with houses.house(clone) as house:
        assert cleanup.run(house)["control.idempotent_requests"] == 0
        clock.advance(hours=25)
        assert cleanup.run(house)["control.idempotent_requests"] == 1
