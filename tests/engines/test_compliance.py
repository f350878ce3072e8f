"""The compliance engine: planning costs what is due, and a sweep over many records is spread over the hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import event as sa_event

from domain import compliance_checks as checks
from domain import compliance_schedules as schedules
from domain import settings
from domain.db import Database, Tx
from engines.compliance.engine import ComplianceEngine
from engines.contract import Context, Plan
from tests import build, gears
from tests.engines.test_engagement import _rows_read

ENGINE = ComplianceEngine()
DUE = 40


def test_planning_reads_what_is_due_however_many_checks_are_stored(
    clone: Database, cloned: gears.Clone, figures: Any
) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        made = schedules.create(tx, name="Details", frequency="annual", applies_to="contact",
                                anchor_on=(tx.now + timedelta(days=300)).date(), required_fields=["phone"])  # fmt: skip
    costs = []
    for count in (1_500, 13_500):
        _lay_down(cloned, acme, made.id, count, clone)
        with clone.tenant(acme) as tx:
            asked, plan = _statements(tx)
            costs.append((len(asked), sum(_rows_read(tx, statement, values) for statement, values in asked)))
            assert len(plan.obligations) == DUE
            assert len(plan.proposals) == DUE
            tx.roll_back()
    (few, read_at_1), (many, read_at_10) = costs
    figures("compliance.planning", due=DUE, statements=many, rows_at_1_500=read_at_1, rows_at_15_000=read_at_10)
    assert few == many <= 10
    assert read_at_1 <= 5 * DUE
    assert read_at_10 <= 5 * DUE


def test_checks_of_many_records_are_made_a_bounded_number_an_hour(
    clone: Database, cloned: gears.Clone, figures: Any
) -> None:
    acme = build.acme(clone, compliance_checks_per_cycle=500)
    with clone.tenant(acme) as tx:
        schedules.create(tx, name="Countries", frequency="monthly", applies_to="client",
                         anchor_on=(tx.now + timedelta(days=7)).date(), required_fields=["country"])  # fmt: skip
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute(
            """INSERT INTO hourhand.clients (tenant_id, id, name, country, created_at, updated_at)
               SELECT %s, gen_random_uuid(), 'c' || n, CASE WHEN n %% 100 > 0 THEN 'PT' END, now(), now()
               FROM generate_series(1, 1200) n""",
            (acme,),
        )
    made = []
    for _ in range(4):
        with clone.tenant(acme) as tx:
            asked, _plan = _statements(tx)
            assert len(asked) <= 20
            made.append(tx.value("SELECT count(*) FROM compliance_checks WHERE tenant_id = :t", t=acme))
            assert (ENGINE.next_due(Context(tx, settings.of(tx))) or tx.now) <= tx.now + timedelta(days=40)
    assert made == [500, 1_000, 1_200, 1_200]
    with clone.tenant(acme) as tx:
        told = ENGINE.stats(Context(tx, settings.of(tx)))
        assert (told["due"], told["completed_90_days"], told["on_time_rate"]) == (12, 1_188, 1.0)
        assert {each.state for each in checks.listed(tx, limit=2_000)} == {"completed", "pending"}


def _lay_down(cloned: gears.Clone, acme: UUID, schedule: UUID, count: int, database: Database) -> None:
    """Contacts with a check each, long completed or not due for weeks; of the first ones it is due to be asked."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        given = {"t": acme, "s": schedule, "count": count, "due": DUE, "now": database.clock.now()}
        admin.execute(
            """WITH people AS (
                   INSERT INTO hourhand.clients (tenant_id, id, name, created_at, updated_at)
                   SELECT %(t)s, gen_random_uuid(), 'c' || n, %(now)s, %(now)s FROM generate_series(1, %(count)s) n
                   RETURNING id),
               made AS (
                   INSERT INTO hourhand.contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
                   SELECT %(t)s, gen_random_uuid(), id, id || '@bulk.example', 'Some Body', %(now)s, %(now)s FROM people
                   RETURNING id, client_id),
               clocks AS (
                   INSERT INTO hourhand.engagement_clocks (tenant_id, contact_id, client_id, first_due_at, due_at)
                   SELECT %(t)s, id, client_id, %(now)s, %(now)s FROM made),
               counted AS (SELECT *, row_number() OVER () AS n, (SELECT count(*) FROM hourhand.compliance_checks
                           WHERE tenant_id = %(t)s) AS stood FROM made)
               INSERT INTO hourhand.compliance_checks (tenant_id, id, schedule_id, entity_id, client_id, contact_id,
                   period, due_on, due_at, state, required, missing, validated_at, remind_at, escalate_at, closed_at,
                   closed_by, created_at, updated_at)
               SELECT %(t)s, gen_random_uuid(), %(s)s, id, client_id, id, date %(now)s, date %(now)s,
                      %(now)s + interval '9 days', CASE WHEN n %% 2 = 0 AND (stood > 0 OR n > %(due)s) THEN 'completed'
                      ELSE 'pending' END, '{phone}',
                      CASE WHEN n %% 2 = 0 AND (stood > 0 OR n > %(due)s) THEN '{}' ELSE '{phone}' END::text[],
                      %(now)s, CASE WHEN stood = 0 AND n <= %(due)s THEN %(now)s ELSE %(now)s + interval '4 days' END,
                      %(now)s + interval '16 days',
                      CASE WHEN n %% 2 = 0 AND (stood > 0 OR n > %(due)s) THEN %(now)s - interval '200 days' END,
                      CASE WHEN n %% 2 = 0 AND (stood > 0 OR n > %(due)s) THEN 'agent' END, %(now)s, %(now)s
               FROM counted""".replace("date %(now)s", "CAST(%(now)s AS date)"),
            given,
        )
        admin.execute("VACUUM ANALYZE hourhand.clients, hourhand.contacts, hourhand.engagement_clocks, "
                      "hourhand.compliance_checks, hourhand.compliance_schedule")  # fmt: skip


def _statements(tx: Tx) -> tuple[list[tuple[str, Any]], Plan]:
    """What an hour asks of the database for compliance, and what the engine says."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values))

    given = Context(tx, settings.of(tx))
    sa_event.listen(tx._connection, "before_cursor_execute", note)
    plan = ENGINE.plan(given)
    ENGINE.next_due(given)
    sa_event.remove(tx._connection, "before_cursor_execute", note)
    return asked, plan
