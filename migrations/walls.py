"""Row-level security: which tables belong to a tenant, who else may look where, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

TENANT_MATCH = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)"

# Every table of schema `hourhand` is either here or in GLOBAL_TABLES; the wall prover checks it.
TENANT_TABLES: dict[str, str] = {
    "tenants": "SELECT, UPDATE (name, agent_enabled, settings, policy_version, updated_at)",
    "tenant_switches": "SELECT, INSERT, UPDATE",
    "users": "SELECT, INSERT, UPDATE, DELETE",
    "api_keys": "SELECT, INSERT, UPDATE",
    "tenant_credentials": "SELECT, INSERT, UPDATE, DELETE",
    "audit_log": "SELECT, INSERT",
    "warehouse_events": "SELECT, INSERT",
    "reactions_due": "SELECT, INSERT, UPDATE, DELETE",
    "idempotent_requests": "SELECT, INSERT, UPDATE, DELETE",
    "clients": "SELECT, INSERT, UPDATE, DELETE",
    "contacts": "SELECT, INSERT, UPDATE, DELETE",
    "contact_addresses": "SELECT, INSERT, UPDATE, DELETE",
    "suppressions": "SELECT, INSERT, UPDATE",
    "engagement_clocks": "SELECT, INSERT, UPDATE, DELETE",
    "touches": "SELECT, INSERT, UPDATE, DELETE",
    "cases": "SELECT, INSERT, UPDATE, DELETE",
    "tasks": "SELECT, INSERT, UPDATE, DELETE",
    "products": "SELECT, INSERT, UPDATE, DELETE",
    "client_credit": "SELECT, INSERT, UPDATE, DELETE",
    "orders": "SELECT, INSERT, UPDATE, DELETE",
    "order_lines": "SELECT, INSERT, UPDATE, DELETE",
    "order_processing_queue": "SELECT, INSERT, UPDATE, DELETE",
    "order_processing_exceptions": "SELECT, INSERT, UPDATE, DELETE",
    "goals": "SELECT, INSERT, UPDATE, DELETE",
    "blobs": "SELECT, INSERT, DELETE",
    "mailboxes": "SELECT, INSERT, UPDATE, DELETE",
    "mailbox_consents": "SELECT, INSERT, UPDATE, DELETE",
    "mail_threads": "SELECT, INSERT, UPDATE, DELETE",
    "thread_keys": "SELECT, INSERT, DELETE",
    "gmail_messages": "SELECT, INSERT, UPDATE, DELETE",
    "attachments": "SELECT, INSERT, DELETE",
    "quarantine": "SELECT, INSERT, UPDATE, DELETE",
    "webhook_deliveries": "SELECT, INSERT, UPDATE, DELETE",
    "email_provider_failures": "SELECT, INSERT, DELETE",
    "kanban_cards": "SELECT, INSERT, UPDATE, DELETE",
    "card_verdicts": "SELECT, INSERT, DELETE",
    "outbound_messages": "SELECT, INSERT, UPDATE, DELETE",
    "agent_policy_violations": "SELECT, INSERT, DELETE",
    "agent_rate_limits": "SELECT, INSERT, UPDATE, DELETE",
    "operator_notices": "SELECT, INSERT, UPDATE, DELETE",
    "agent_autonomous_runs": "SELECT, INSERT, UPDATE, DELETE",
    "run_obligations": "SELECT, INSERT, UPDATE, DELETE",
    "agent_hourly_reflections": "SELECT, INSERT, DELETE",
    "agent_tenant_locks": "SELECT, INSERT, UPDATE, DELETE",
    "agent_alerts": "SELECT, INSERT, UPDATE, DELETE",
    "deal_stage_config": "SELECT, INSERT, UPDATE, DELETE",
    "deals": "SELECT, INSERT, UPDATE, DELETE",
    "deal_stage_history": "SELECT, INSERT, UPDATE, DELETE",
    "deal_activities": "SELECT, INSERT, UPDATE, DELETE",
    "feedback_requests": "SELECT, INSERT, UPDATE, DELETE",
    "feedback_answers": "SELECT, INSERT, UPDATE, DELETE",
    "quote_numbers": "SELECT, INSERT, UPDATE",
    "quotes": "SELECT, INSERT, UPDATE, DELETE",
    "quote_lines": "SELECT, INSERT, UPDATE, DELETE",
    "quote_activities": "SELECT, INSERT, UPDATE, DELETE",
    "compliance_schedule": "SELECT, INSERT, UPDATE, DELETE",
    "compliance_checks": "SELECT, INSERT, UPDATE, DELETE",
    "rest_counts": "SELECT, INSERT, UPDATE, DELETE",
    "rest_changes": "SELECT, INSERT, DELETE",
    "rest_news": "SELECT, INSERT, UPDATE, DELETE",
    "alert_mutes": "SELECT, INSERT, UPDATE, DELETE",
    "alert_deliveries": "SELECT, INSERT, UPDATE, DELETE",
    "imports": "SELECT, INSERT, UPDATE, DELETE",
    "import_rows": "SELECT, INSERT, UPDATE, DELETE",
    "import_first_lines": "SELECT, INSERT, DELETE",
    "uploads": "SELECT, INSERT, UPDATE, DELETE",
    "upload_pieces": "SELECT, INSERT, DELETE",
    "exports": "SELECT, INSERT, UPDATE, DELETE",
    "erasures": "SELECT, INSERT, UPDATE",
    "model_budgets": "SELECT, INSERT, UPDATE",
    "model_calls": "SELECT, INSERT, UPDATE",
    "model_call_contents": "SELECT, INSERT, DELETE, UPDATE (prompt, answer)",
    # a tenant sees its own line of these two; the fleet's roles see the rest by the policies below
    "tenant_schedule": "SELECT, UPDATE (enabled, sync_enabled, next_due_at, work_due_at, extra_due_at, gmail_due_at, "
    "last_slot_at, last_cycle_at, idle_hours, fence)",
    "tenant_rollup": "SELECT, INSERT, UPDATE",
}

# Tables without a tenant: (grants to hourhand_app, grants to hourhand_control).
GLOBAL_TABLES: dict[str, tuple[str, str]] = {
    "system_config": ("SELECT", "SELECT, INSERT, UPDATE"),
    "alembic_version": ("SELECT", "SELECT"),
}

# Tables of schema `control`, with what hourhand_control may do; nobody else may anything.
CONTROL_TABLES: dict[str, str] = {
    "admin_keys": "SELECT, INSERT, UPDATE, DELETE",
    "audit_log": "SELECT, INSERT",
    "idempotent_requests": "SELECT, INSERT, UPDATE, DELETE",
    "alerts": "SELECT, INSERT, UPDATE, DELETE",
    "alert_mutes": "SELECT, INSERT, UPDATE, DELETE",
    "alert_deliveries": "SELECT, INSERT, UPDATE, DELETE",
}

# The few doors in the walls, each for one role that no tenant transaction wears.
# (table, role, grants, command, USING)
DOORS: tuple[tuple[str, str, str, str, str], ...] = (
    ("tenants", "hourhand_control", "SELECT, INSERT", "ALL", "true"),
    ("tenant_schedule", "hourhand_control", "SELECT, INSERT", "ALL", "true"),
    # FOR ALL: under a SELECT-only policy FOR UPDATE silently returns nothing
    (
        "tenant_schedule",
        "hourhand_dispatcher",
        "SELECT, UPDATE (next_due_at, work_due_at, extra_due_at, gmail_due_at, last_slot_at, idle_hours)",
        "ALL",
        "true",
    ),
    ("tenant_schedule", "hourhand_fleet", "SELECT", "SELECT", "true"),
    ("tenant_rollup", "hourhand_fleet", "SELECT", "SELECT", "true"),
    # whoever watches the fleet must see which tenants have what wrong, and not what is said of it
    ("agent_alerts", "hourhand_fleet", "SELECT (tenant_id, kind, severity, state)", "SELECT", "state <> 'resolved'"),
    ("agent_tenant_locks", "hourhand_fleet", "SELECT (tenant_id, since, expires_at)", "SELECT", "true"),
    (
        "alert_deliveries",
        "hourhand_fleet",
        "SELECT (tenant_id, state, next_try_at)",
        "SELECT",
        "state = 'waiting'",
    ),
    # whoever stops the house must see what is still in flight, and no more of it than this
    (
        "kanban_cards",
        "hourhand_control",
        "SELECT (tenant_id, id, type, state, executing_until)",
        "SELECT",
        "state = 'executing'",
    ),
    # who erases a person may change what is otherwise only added to, and sees no more than the tenant itself
    *((table, "hourhand_eraser", "SELECT, UPDATE, DELETE", "ALL", TENANT_MATCH) for table in TENANT_TABLES),
    # and what it touches rests no more, which is counted
    ("rest_changes", "hourhand_eraser", "INSERT", "ALL", TENANT_MATCH),
)


def statements() -> Iterator[str]:
    """Every statement that raises the walls, in order; safe to run again."""
    for table, grants in TENANT_TABLES.items():
        yield from wall(table, grants)
    for table, (app, control) in GLOBAL_TABLES.items():
        yield f"GRANT {app} ON hourhand.{table} TO hourhand_app"
        yield f"GRANT {control} ON hourhand.{table} TO hourhand_control"
    for table, role, grants, command, using in DOORS:
        name = f"door_{role}"
        yield f"DROP POLICY IF EXISTS {name} ON hourhand.{table}"
        yield f"GRANT {grants} ON hourhand.{table} TO {role}"
        check = f" WITH CHECK ({using})" if command == "ALL" else ""
        yield f"CREATE POLICY {name} ON hourhand.{table} FOR {command} TO {role} USING ({using}){check}"
    for table, grants in CONTROL_TABLES.items():
        yield f"GRANT {grants} ON control.{table} TO hourhand_control"


def wall(table: str, grants: str) -> Iterator[str]:
    """The statements that wall one tenant table in."""
    yield f"ALTER TABLE hourhand.{table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE hourhand.{table} FORCE ROW LEVEL SECURITY"
    yield f"DROP POLICY IF EXISTS tenant_wall ON hourhand.{table}"
    yield (
        f"CREATE POLICY tenant_wall ON hourhand.{table} TO hourhand_app "
        f"USING ({TENANT_MATCH}) WITH CHECK ({TENANT_MATCH})"
    )
    yield f"GRANT {grants} ON hourhand.{table} TO hourhand_app"
