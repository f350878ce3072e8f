"""What is thrown away at night: things that nobody can ask about any more, and never a record of what was done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from domain import events, forgetting, settings
from domain.db import Tx

KEPT: Mapping[str, timedelta] = {
    "idempotent_requests": timedelta(hours=24),
    "agent_rate_limits": timedelta(days=2),
    "agent_tenant_locks": timedelta(0),
    "webhook_deliveries": timedelta(days=30),
    "email_provider_failures": timedelta(days=90),
    "run_obligations": timedelta(days=90),
    "quarantine": timedelta(days=90),
    "mailbox_consents": timedelta(0),
    "uploads": timedelta(days=7),
    "exports": timedelta(days=90),
    "model_call_contents": timedelta(0),
    "alert_mutes": timedelta(0),
    "alert_deliveries": timedelta(days=90),
}
"""How long the lines of each table are kept once they are of no further use."""

_USELESS: Mapping[str, str] = {
    "idempotent_requests": "created_at < :before",
    "agent_rate_limits": "window_start < :before",
    # leases are measured by the database's own clock
    "agent_tenant_locks": "expires_at < hourhand.db_now()",
    "webhook_deliveries": "processed_at < :before",
    "email_provider_failures": "at < :before",
    "run_obligations": """run_id IN (SELECT id FROM agent_autonomous_runs
                                     WHERE tenant_id = :t AND finished_at < :before)""",
    "quarantine": "replayed_at < :before",
    "mailbox_consents": "expires_at < :before",
    "uploads": """begun_at < :before AND NOT EXISTS (
        SELECT FROM imports i WHERE i.tenant_id = :t AND i.upload_id = uploads.id AND i.state = 'running')""",
    "exports": "expires_at < :before",
    "model_call_contents": "expires_at < :before",
    "alert_mutes": "until < :before",
    "alert_deliveries": "ended_at < :before",
}


def sweep(tx: Tx) -> dict[str, int]:
    """Throw away the tenant's useless lines; how many of each table, those that had any."""
    gone = {}
    for table, useless in _USELESS.items():
        values = {"before": tx.now - KEPT[table]} if ":before" in useless else {}
        lines = tx.run(f"DELETE FROM {table} WHERE tenant_id = :t AND {useless}", t=tx.tenant_id, **values)
        if lines:
            gone[table] = lines
    if gone:
        events.record(tx, "retention.swept", "tenant", tx.tenant_id, gone=gone)
    return gone


BATCH = 500
"""So much goes in one transaction: nobody waits for the rest."""


def empty_mails(tx: Tx) -> int:
    """Take the contents from some mails that are older than the tenant wants to keep them; how many."""
    days = settings.readable(tx).keep_message_days
    if not days:
        return 0
    rows = tx.rows(
        """SELECT id FROM gmail_messages WHERE tenant_id = :t AND received_at < :before AND raw_size > 0
           ORDER BY received_at LIMIT :limit""",
        t=tx.tenant_id, before=tx.now - timedelta(days=days), limit=BATCH,
    )  # fmt: skip
    forgetting.empty(tx, [row["id"] for row in rows])
    return len(rows)


def drop_records(tx: Tx) -> dict[str, int]:
    """Throw away some verdicts, hours and events that are older than the tenant wants to keep them; worn by the eraser.

    An event that an engine has still to take in stays, and so does an hour that is not over.
    """
    kept = settings.readable(tx)
    wished = {
        "card_verdicts": (kept.keep_verdict_days, "at < :before"),
        "agent_autonomous_runs": (kept.keep_run_days, "finished_at < :before"),
        "warehouse_events": (kept.keep_event_days, """at < :before AND NOT EXISTS (
            SELECT FROM reactions_due d WHERE d.tenant_id = x.tenant_id AND d.event_id = x.id)"""),
    }  # fmt: skip
    gone = {}
    for table, (days, old) in wished.items():
        if days:
            gone[table] = tx.run(
                f"""DELETE FROM {table} WHERE tenant_id = :t AND id IN (
                    SELECT id FROM {table} x WHERE tenant_id = :t AND {old} ORDER BY id LIMIT :limit)""",
                t=tx.tenant_id, before=tx.now - timedelta(days=days), limit=BATCH,
            )  # fmt: skip
    return {table: lines for table, lines in gone.items() if lines}


def sweep_house(tx: Tx) -> int:
    """Throw away the house's own answered requests, in a transaction that wears control; how many."""
    return tx.run(
        "DELETE FROM control.idempotent_requests WHERE created_at < :before",
        before=tx.now - KEPT["idempotent_requests"],
    )
