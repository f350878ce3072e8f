"""Readings: what is measured of a tenant to say whether something is wrong, and whom the fleet's numbers point at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from domain.db import Database, Row, Tx

FIGURES = """
    recent AS (
        SELECT tenant_id, sum(cycles_completed) AS cycles, sum(cycles_failed) AS cycles_failed,
               sum(actions_blocked) FILTER (WHERE hour >= :last_hour) AS blocked, sum(emails_sent) AS mails,
               -- the newest measurement without a sort for each tenant: arrays compare by their first element
               max(ARRAY[extract(epoch FROM hour)::bigint, contacts_compliant, contacts_clocked])
                   FILTER (WHERE contacts_clocked > 0) AS measured,
               sum(orders_processed) AS processed, sum(orders_exceptions) AS exceptions,
               sum(provider_failures) FILTER (WHERE hour >= :last_hour) AS failures,
               sum(lock_contentions) FILTER (WHERE hour >= :last_hour) AS contentions
        FROM hourhand.tenant_rollup WHERE hour >= :since GROUP BY tenant_id
    ), held AS (
        SELECT tenant_id, true AS locked FROM hourhand.agent_tenant_locks
        WHERE since < hourhand.db_now() - CAST(:long AS interval) AND expires_at > hourhand.db_now()
    ), known AS (
        SELECT tenant_id, array_agg(kind) AS kinds FROM hourhand.agent_alerts
        WHERE state <> 'resolved' AND kind = ANY(:kinds) GROUP BY tenant_id
    ), figures AS (
        SELECT tenant_id, coalesce(cycles, 0) AS cycles, coalesce(cycles_failed, 0) AS cycles_failed,
               coalesce(blocked, 0) AS blocked, coalesce(mails, 0) AS mails,
               coalesce(measured[2], 0) AS kept, coalesce(measured[3], 0) AS clocked,
               coalesce(processed, 0) AS processed,
               coalesce(exceptions, 0) AS exceptions, coalesce(failures, 0) AS failures,
               coalesce(contentions, 0) AS contentions, coalesce(locked, false) AS locked,
               coalesce(kinds, '{}') AS kinds
        FROM recent FULL JOIN held USING (tenant_id) FULL JOIN known USING (tenant_id)
    )"""
"""What the fleet's role may see of each tenant that did anything of late, is held, or has an alert."""


@dataclass(frozen=True, slots=True)
class Look:
    """One tenant that is to be entered, with the alarms that may have gone off or be over."""

    tenant_id: UUID
    suspected: frozenset[str]
    calm: frozenset[str]


def suspects(
    database: Database, conditions: Mapping[str, tuple[str, str]], *, hours: int, locked_minutes: int, limit: int
) -> list[Look]:  # fmt: skip
    """The tenants for which an alarm may have gone off that is not open, or may be over that is; one statement.

    `conditions` are, by the alarm's kind, what of FIGURES makes it likely that it went off, and that it is over.
    """
    suspected = ", ".join(f"CASE WHEN {off} THEN '{kind}' END" for kind, (off, _) in conditions.items())
    calm = ", ".join(f"CASE WHEN {over} THEN '{kind}' END" for kind, (_, over) in conditions.items())
    with database.wearing("fleet") as tx:
        hour = tx.now.replace(minute=0, second=0, microsecond=0)
        rows = tx.rows(
            f"""WITH {FIGURES}, judged AS (
                    SELECT tenant_id, kinds, array_remove(ARRAY[{suspected}], NULL) AS suspected,
                           array_remove(ARRAY[{calm}], NULL) AS calm FROM figures)
                SELECT * FROM judged WHERE NOT suspected <@ kinds OR calm && kinds
                ORDER BY hashtext(tenant_id::text || :turn) LIMIT :limit""",
            since=hour - timedelta(hours=hours - 1), last_hour=hour - timedelta(hours=1),
            long=timedelta(minutes=locked_minutes), kinds=list(conditions), limit=limit, turn=tx.now.isoformat(),
        )  # fmt: skip
    return [
        Look(row["tenant_id"], frozenset(row["suspected"]) - frozenset(row["kinds"]),
             frozenset(row["calm"]) & frozenset(row["kinds"]))
        for row in rows
    ]  # fmt: skip


def minutes_held(tx: Tx) -> int:
    """For how many minutes one process has held the tenant."""
    minutes = tx.value(
        """SELECT extract(epoch FROM hourhand.db_now() - since) / 60 FROM agent_tenant_locks
           WHERE tenant_id = :t AND expires_at > hourhand.db_now()""",
        t=tx.tenant_id,
    )
    return round(float(minutes or 0))


def cards_blocked(tx: Tx, *, hours: int) -> int:
    """How many cards a rule blocked of late."""
    return int(tx.value(
        """SELECT count(DISTINCT card_id) FROM agent_policy_violations
           WHERE tenant_id = :t AND blocked AND at > :since""",
        t=tx.tenant_id, since=tx.now - timedelta(hours=hours),
    ))  # fmt: skip


def promises(tx: Tx) -> Row:
    """How many promises there were when they were last counted (`clocked`), and how many were `kept`."""
    return tx.row(
        """SELECT contacts_compliant AS kept, contacts_clocked AS clocked FROM tenant_rollup
           WHERE tenant_id = :t AND contacts_clocked > 0 ORDER BY hour DESC LIMIT 1""",
        t=tx.tenant_id,
    ) or {"kept": 0, "clocked": 0}  # fmt: skip


def provider_failures(tx: Tx, *, minutes: int) -> int:
    """How often the mail provider failed of late."""
    return int(tx.value("SELECT count(*) FROM email_provider_failures WHERE tenant_id = :t AND at > :since",
                        t=tx.tenant_id, since=tx.now - timedelta(minutes=minutes)))  # fmt: skip


def sums(tx: Tx, columns: Sequence[str], *, hours: int) -> list[int]:
    """Columns of the tenant's rollup added up over the last hours."""
    told = ", ".join(f"coalesce(sum({name}), 0) AS {name}" for name in columns)
    row = tx.row(f"SELECT {told} FROM tenant_rollup WHERE tenant_id = :t AND hour > :since",
                 t=tx.tenant_id, since=tx.now - timedelta(hours=hours))  # fmt: skip
    assert row is not None
    return [int(row[name]) for name in columns]
