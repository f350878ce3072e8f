"""PF2: cycles with five due contacts in dry_run, against a script that only writes the same rows, one commit each."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

from domain.clock import Clock
from domain.db import Database
from domain.house import House
from jobs import cycle
from simulator.clock import ShiftedClock
from tests import gears, houses
from tests.bench import crowd
from tests.bench.rivals import ROUNDS, in_turn

CONTACTS = 5
CYCLES = 20
"""In each round, each of a tenant of its own."""

TABLES = (
    "agent_autonomous_runs", "kanban_cards", "card_verdicts", "mail_threads", "outbound_messages", "run_obligations",
    "agent_hourly_reflections", "warehouse_events", "agent_rate_limits", "tenant_rollup",
)  # fmt: skip
"""Where a cycle leaves rows, in an order that keeps the foreign keys."""


def test_pf2_cycles(cloned: gears.Clone, figures: Callable[..., None]) -> None:
    """Measure, and tell the ratio of rates."""
    database = Database(cloned.url(), ShiftedClock.starting(crowd.MONDAY))
    count = CYCLES * (ROUNDS + 1)
    with houses.house(database) as house:
        tenants = [crowd.with_contacts_due(database, f"t{at}", CONTACTS, "dry_run") for at in range(2 * count + 1)]
        model = tenants.pop()
        cycle.run(house, model, kind="manual")
        script = Script(cloned, database.clock, model, tenants[count:])
        ours = iter(tenants[:count])
        crowd.analyse(cloned)
        rivals = in_turn(
            lambda _: run_cycles(house, [next(ours) for _ in range(CYCLES)]), lambda _: script.play(CYCLES)
        )
    database.dispose()
    figures("PF2", bar={"rate_ratio": 0.4}, **rivals.told(CYCLES))


def run_cycles(house: House, tenants: list[UUID]) -> None:
    """A whole cycle of each."""
    for tenant_id in tenants:
        assert cycle.run(house, tenant_id, kind="manual") is not None


class Script:
    """Writes for other tenants what one tenant's cycle has written, all of it prepared beforehand."""

    def __init__(self, cloned: gears.Clone, clock: Clock, model: UUID, tenants: list[UUID]) -> None:
        self.connection = psycopg.connect(cloned.url(), row_factory=dict_row, options="-c search_path=hourhand")
        with self.connection.transaction():
            self._enter(model)
            rows = {table: self._rows(table) for table in TABLES}
            people = self._people()
        self.plays = iter([self._for(clock, each, model, rows, people) for each in tenants])

    def play(self, cycles: int) -> None:
        """So many cycles: read who is due, write everything, commit."""
        for _ in range(cycles):
            tenant_id, rows = next(self.plays)
            with self.connection.transaction(), self.connection.pipeline():
                self._enter(tenant_id)
                due = self.connection.execute(
                    """SELECT k.contact_id, c.email, c.name FROM engagement_clocks k
                       JOIN contacts c ON c.tenant_id = k.tenant_id AND c.id = k.contact_id
                       WHERE k.tenant_id = %s AND k.planned_at <= statement_timestamp() + interval '1000 days'""",
                    (tenant_id,),
                )
                self.connection.execute(
                    "UPDATE tenant_schedule SET fence = fence + 1, idle_hours = 0 WHERE tenant_id = %s",
                    (tenant_id,),
                )
                for table, told in rows.items():
                    self.connection.execute(
                        f"INSERT INTO {table} SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s)", (told,)
                    )
                self.connection.execute("UPDATE kanban_cards SET state = 'held' WHERE tenant_id = %s", (tenant_id,))
                self.connection.execute(
                    """UPDATE engagement_clocks SET shadow_step = 1,
                           shadow_due_at = hourhand.db_now() + interval '21 d',
                           shadow_follow_up_due_at = hourhand.db_now() + interval '4 d' WHERE tenant_id = %s""",
                    (tenant_id,),
                )
                assert len(due.fetchall()) == CONTACTS

    def _for(
        self, clock: Clock, tenant_id: UUID, model: UUID, rows: dict[str, list[dict[str, Any]]], people: list[str]
    ) -> tuple[UUID, dict[str, str]]:
        with self.connection.transaction():
            self._enter(tenant_id)
            own = self._people()
        told = json.dumps(rows)
        names = {str(model): str(tenant_id), **dict(zip(people, own, strict=True))}
        made = {row[key] for some in rows.values() for row in some for key in ("id", "thread_id") if row.get(key)}
        names |= {each: str(clock.uuid()) for each in made}
        for old, new in names.items():
            told = told.replace(old, new).replace(old.replace("-", ""), new.replace("-", ""))
        return tenant_id, {table: json.dumps(some) for table, some in json.loads(told).items()}

    def _enter(self, tenant_id: UUID) -> None:
        self.connection.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant_id),))

    def _rows(self, table: str) -> list[dict[str, Any]]:
        found = self.connection.execute(f"SELECT to_jsonb(r) AS row FROM {table} r").fetchall()
        rows = [each["row"] for each in found]
        return [{**row, "state": "proposed"} for row in rows] if table == "kanban_cards" else rows

    def _people(self) -> list[str]:
        found = self.connection.execute("SELECT id::text, client_id::text FROM contacts ORDER BY email").fetchall()
        return [value for row in found for value in row.values()]
