"""A crowd that is due and blocked in every engine: what the hour costs that reads it, and the hours after it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import psycopg
import pytest

from domain.db import Database, Tx
from jobs import cycle
from tests import build, gears, houses, volume
from tests.bench.bench_growth import Ground, told
from tests.bench.crowd import analyse
from tests.hand_clock import HandClock
from tests.volume import Size

CROWD = 20_000
RESTING = {"compliance_check": "compliance_checks", "feedback_request": "feedback_requests", "quote": "quotes",
           "deal": "deals", "order": "order_processing_queue", "contact": "engagement_clocks"}  # fmt: skip
_OTHER = "CAST(lpad(to_hex(15 * 10000000000 + n), 32, 'f') AS uuid)"

BLOCKED = (
    # nobody is written to at an inactive account, nor is anything asked of its record
    "UPDATE hourhand.clients SET status = 'inactive' WHERE tenant_id = %(t)s",
    # orders wait for a person
    """UPDATE hourhand.order_processing_queue SET state = 'exceptions', due_at = NULL
       WHERE tenant_id = %(t)s AND state = 'waiting'""",
    """INSERT INTO hourhand.order_processing_exceptions (tenant_id, id, order_id, code, handling, message, opened_at)
       SELECT tenant_id, gen_random_uuid(), order_id, 'FEE_MISSING', 'person', 'It has none.', %(now)s
       FROM hourhand.order_processing_queue WHERE tenant_id = %(t)s AND state = 'exceptions'""",
    "DELETE FROM hourhand.order_processing_exceptions WHERE tenant_id = %(t)s AND handling = 'ask'",
    # whoever would be asked what they think is at an account with an open case
    f"""INSERT INTO hourhand.clients (tenant_id, id, name, created_at, updated_at)
        SELECT %(t)s, {_OTHER}, 'Other ' || n, %(now)s, %(now)s FROM generate_series(0, 1999) n""",
    f"""INSERT INTO hourhand.contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
        SELECT %(t)s, {_OTHER}, {_OTHER}, 'o' || n || '@other.example', 'Some Body', %(now)s, %(now)s
        FROM generate_series(0, 1999) n""",
    f"""INSERT INTO hourhand.cases (tenant_id, id, client_id, kind, title, opened_by, opened_at)
        SELECT %(t)s, gen_random_uuid(), {_OTHER}, 'complaint', 'Late', 'ana', %(now)s
        FROM generate_series(0, 1999) n""",
    f"""WITH them AS (SELECT id, order_id, row_number() OVER (ORDER BY id) %% 2000 AS n FROM hourhand.feedback_requests
                      WHERE tenant_id = %(t)s AND state = 'queued'),
             orders AS (UPDATE hourhand.orders o SET client_id = {_OTHER}, contact_id = {_OTHER} FROM them
                        WHERE o.tenant_id = %(t)s AND o.id = them.order_id)
        UPDATE hourhand.feedback_requests f SET client_id = {_OTHER}, contact_id = {_OTHER} FROM them
        WHERE f.tenant_id = %(t)s AND f.id = them.id""",
)


@pytest.mark.parametrize("times", [1, 10])
def test_what_is_blocked_is_read_once_and_costs_the_hours_after_nothing(
    cluster: gears.Cluster, clock: HandClock, figures: Callable[..., None], times: int
) -> None:
    clock.advance(hours=6)
    with _ground(cluster, clock, Size(220_000 * times, 50_000 * times, 45_000 * times)) as each:
        first, seconds, _ = _hour(each, clock)
        resting = _resting(each)
        figures(
            "blocked: the hour that reads it", resting=resting, seconds=seconds, rows_read=first.total(), times=times
        )
        assert min(resting.values()) >= CROWD - 200
        # as autovacuum would by then
        analyse(each.cloned)
        later = [_hour(each, clock) for _ in range(3)]
        figures("blocked: the hours after", seconds=[took for _, took, _ in later],
                rows_read=[read.total() for read, _, _ in later], lines=[lines for _, _, lines in later],
                dearest=later[-1][0].most_common(6), times=times)  # fmt: skip
        # as an hour reads of which nothing is due, however many rest
        assert all(lines < 100 for _, _, lines in later)
        assert later[-1][0].total() < 2_000
        if times == 1:
            day = [_hour(each, clock, counting=False)[1:] for _ in range(24)]
            most = max(lines for _, lines in day)
            figures("blocked: the day after", most_lines=most, dearest_hour_seconds=max(took for took, _ in day),
                    lines=[lines for _, lines in day])  # fmt: skip
            assert most < 6 * CROWD / 6


@contextmanager
def _ground(cluster: gears.Cluster, clock: HandClock, size: Size) -> Iterator[Ground]:
    cloned = cluster.clone()
    database = Database(cloned.url(), clock, pool_size=2)
    tenant = build.tenant(database, "acme", {**build.ACME, "send_mode": "dry_run", "figures_rows_per_hour": 100})
    crowd = dict.fromkeys(("orders", "deals", "stalls", "quotes", "feedback", "checks", "contacts"), CROWD)
    _lay_down(cloned, tenant, size, clock.now(), {**crowd, "stalls": 0})
    with houses.house(database) as house:
        yield Ground(cloned, house, tenant, 0)
    database.dispose()
    cluster.retire(cloned)


def _lay_down(
    cloned: gears.Clone, tenant: UUID, size: Size, now: datetime, each: Mapping[str, int]
) -> None:  # fmt: skip
    volume.lay_down(cloned, tenant, size, now, running=False, each=each)
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        for statement in BLOCKED:
            admin.execute(statement, {"t": tenant, "now": now})
        admin.execute("VACUUM ANALYZE")


def _hour(each: Ground, clock: HandClock, *, counting: bool = True) -> tuple[Counter[str], float, int]:
    """The rows of each table that the next hour reads, its seconds, and the lines of its ledger."""
    clock.advance(minutes=61)
    before = told(each) if counting else Counter[str]()
    began = time.perf_counter()
    assert cycle.run(each.house, each.tenant_id, kind="manual") is not None
    took = round(time.perf_counter() - began, 2)
    after = told(each) if counting else Counter[str]()
    with each.house.database.tenant(each.tenant_id) as tx:
        run = tx.row("SELECT id, errors FROM agent_autonomous_runs WHERE tenant_id = :t ORDER BY cycle_number DESC "
                     "LIMIT 1", t=tx.tenant_id)  # fmt: skip
        assert run is not None
        assert run["errors"] == []
        lines = _lines(tx, run["id"])
    return Counter({name: count - before[name] for name, count in after.items() if count > before[name]}), took, lines


def _lines(tx: Tx, run_id: UUID) -> int:
    return int(tx.value("SELECT count(*) FROM run_obligations WHERE tenant_id = :t AND run_id = :r", t=tx.tenant_id,
                        r=run_id))  # fmt: skip


def _resting(each: Ground) -> dict[str, int]:
    with each.house.database.tenant(each.tenant_id) as tx:
        return {what: int(tx.value(f"SELECT count(*) FROM {table} WHERE tenant_id = :t AND rests_until IS NOT NULL",
                                   t=tx.tenant_id)) for what, table in RESTING.items()}  # fmt: skip
