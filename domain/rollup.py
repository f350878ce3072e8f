"""Numbers per tenant and hour, and nothing but numbers: what fleet pages, alerts and metrics may see of everybody."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from domain.db import Database, Row, Tx

COUNTED = (
    "cycles_completed", "cycles_failed", "actions_planned", "actions_executed", "actions_blocked", "actions_deferred",
    "actions_failed", "actions_held", "emails_sent", "messages_processed", "gmail_cards_created", "orders_processed",
    "orders_exceptions", "provider_failures", "gmail_quota_errors", "lock_contentions",
)  # fmt: skip
"""Added up within the hour."""

MEASURED = ("contacts_compliant", "contacts_clocked")
"""The last measurement of the hour counts."""


def add(tx: Tx, **numbers: int) -> None:
    """Count numbers into the tenant's present hour. Raises KeyError for a number that has no column."""
    unknown = set(numbers) - {*COUNTED, *MEASURED}
    if unknown:
        raise KeyError(f"the rollup counts no {', '.join(sorted(unknown))}")
    told = {name: value for name, value in numbers.items() if value or name in MEASURED}
    if not told:
        return
    names = ", ".join(told)
    values = ", ".join(f":{name}" for name in told)
    sums = ", ".join(
        f"{name} = excluded.{name}" if name in MEASURED else f"{name} = r.{name} + excluded.{name}" for name in told
    )
    tx.run(
        f"""INSERT INTO tenant_rollup AS r (tenant_id, hour, {names}) VALUES (:t, :hour, {values})
            ON CONFLICT (tenant_id, hour) DO UPDATE SET {sums}""",
        t=tx.tenant_id, hour=tx.now.replace(minute=0, second=0, microsecond=0), **told,
    )  # fmt: skip


def counted(database: Database, *, since: datetime, until: datetime) -> dict[str, int]:
    """The whole fleet's sums of what is counted, over the hours in [since, until); off the index of hours."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in COUNTED)
    with database.wearing("fleet") as tx:
        row = tx.row(f"SELECT {sums} FROM hourhand.tenant_rollup WHERE hour >= :since AND hour < :until",
                     since=since, until=until)  # fmt: skip
    return {name: int(count) for name, count in (row or {}).items()}


def totals(database: Database, *, since: datetime, until: datetime) -> Row:
    """The whole fleet's sums over the hours in [since, until)."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::bigint AS {name}" for name in COUNTED)
    latest = ", ".join(f"coalesce(sum({name}) FILTER (WHERE newest), 0)::bigint AS {name}" for name in MEASURED)
    measured = " OR ".join(f"{name} > 0" for name in MEASURED)
    with database.wearing("fleet") as tx:
        row = tx.row(
            f"""SELECT count(DISTINCT tenant_id) AS tenants, {sums}, {latest} FROM (
                  SELECT *, hour = max(hour) FILTER (WHERE {measured}) OVER (PARTITION BY tenant_id) AS newest
                  FROM hourhand.tenant_rollup WHERE hour >= :since AND hour < :until) AS r""",
            since=since, until=until,
        )  # fmt: skip
    assert row is not None
    return row


def cycles(database: Database, *, since: datetime) -> tuple[int, int]:
    """How many of the whole fleet's cycles failed in the hours that began after `since`, and how many there were."""
    with database.wearing("fleet") as tx:
        row = tx.row(
            """SELECT coalesce(sum(cycles_failed), 0) AS failed, coalesce(sum(cycles_failed + cycles_completed), 0) AS n
               FROM hourhand.tenant_rollup WHERE hour > :since""",
            since=since,
        )
    assert row is not None
    return int(row["failed"]), int(row["n"])


def own(tx: Tx, *, since: datetime, until: datetime) -> Sequence[Row]:
    """The tenant's own hours in [since, until), oldest first."""
    return tx.rows(
        "SELECT * FROM tenant_rollup WHERE tenant_id = :t AND hour >= :since AND hour < :until ORDER BY hour",
        t=tx.tenant_id, since=since, until=until,
    )  # fmt: skip
