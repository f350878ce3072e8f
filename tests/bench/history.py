"""Years of stored history, laid down at once: what a tenant has behind it, and nothing of it due."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import psycopg

from tests import gears

APART = "2 hours"
"""Between one item and the one before it: more history reaches further back, and is no denser."""

ITEM = "('01900000-0000-7000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid"
WHO = ITEM.format(n="n %% %(people)s")
ID = ITEM.format(n="n")
AT = f"%(now)s - (n + 8) * interval '{APART}'"

HISTORY = (
    f"""INSERT INTO clients (tenant_id, id, name, domain, country, timezone, created_at, updated_at)
        SELECT %(t)s, {ID}, 'Client ' || n, 'client-' || n || '.example', 'US', 'America/New_York', {AT}, {AT}
        FROM generate_series(0, %(people)s - 1) n""",
    f"""INSERT INTO contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
        SELECT %(t)s, {ID}, {ID}, 'p' || n || '@client-' || n || '.example', 'P', {AT}, {AT}
        FROM generate_series(0, %(people)s - 1) n""",
    f"""INSERT INTO contact_addresses (tenant_id, address, contact_id, source, created_at)
        SELECT %(t)s, 'p' || n || '@client-' || n || '.example', {ID}, 'import', {AT}
        FROM generate_series(0, %(people)s - 1) n""",
    f"""INSERT INTO engagement_clocks (tenant_id, contact_id, client_id, last_touch_at, last_touch_type, last_touch_by,
            first_due_at, due_at, sequence_step)
        SELECT %(t)s, {ID}, {ID}, {AT}, 'email', 'agent', {AT}, %(now)s + interval '20 days', 5
        FROM generate_series(0, %(people)s - 1) n""",
    f"""INSERT INTO suppressions (tenant_id, address_hash, reason, source, created_by, created_at)
        SELECT %(t)s, sha256(n::text::bytea), 'bounced', 'webhook', 'webhook', {AT}
        FROM generate_series(0, %(people)s - 1) n""",
    f"""INSERT INTO mail_threads (tenant_id, id, subject, client_id, contact_id, engine, last_outbound_at, created_at)
        SELECT %(t)s, {ID}, 'Hello', {WHO}, {WHO}, 'engagement', {AT}, {AT}
        FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO thread_keys (tenant_id, key, thread_id)
        SELECT %(t)s, '<' || n || '@acme.example>', {ID} FROM generate_series(1, %(items)s) n""",
    """INSERT INTO mailboxes (tenant_id, id, provider, address, created_at)
        VALUES (%(t)s, %(t)s, 'gmail', 'ana@acme.example', %(now)s)""",
    f"""INSERT INTO blobs (tenant_id, sha256, size, bytes, created_at)
        SELECT %(t)s, sha256(n::text::bytea), 4, 'mail', {AT} FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO gmail_messages (tenant_id, id, mailbox_id, gmail_message_id, thread_id, rfc_message_id, direction,
            from_address, subject, received_at, class, client_id, contact_id, raw_sha256, raw_size, stored_at)
        SELECT %(t)s, {ID}, %(t)s, n::text, {ID}, '<in-' || n || '@client.example>', 'in',
            'p' || n %% %(people)s || '@client.example', 'Re: Hello', {AT}, 'reply', {WHO}, {WHO},
            sha256(n::text::bytea), 4, {AT}
        FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO agent_autonomous_runs (tenant_id, id, cycle_number, kind, slot_at, phase, outcome, fence, holder,
            mode, model, started_at, deadline_at, finished_at)
        SELECT %(t)s, {ID}, %(items)s - n + 1, 'scheduled', {AT}, 'finished', 'completed', 1, 'h', 'live', 'rulebook',
            {AT}, {AT}, {AT} FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO run_obligations (tenant_id, run_id, kind, subject_type, subject_id, due_at, disposition)
        SELECT %(t)s, {ID}, 'first_touch', 'contact', {WHO}, {AT}, 'acted' FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO agent_hourly_reflections (tenant_id, id, run_id, period_start, period_end, facts, text, phrased_by,
            created_at)
        SELECT %(t)s, {ID}, {ID}, {AT}, {AT}, '{{"metrics": {{}}}}', 'An hour', 'rulebook', {AT}
        FROM generate_series(1, %(items)s) n""",
    """INSERT INTO tenant_rollup (tenant_id, hour)
        SELECT %(t)s, date_trunc('hour', %(now)s) - n * interval '1 hour' FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO kanban_cards (tenant_id, id, type, state, engine, run_id, title, client_id, contact_id, thread_id,
            subject_type, subject_id, payload, dedupe_key, due_at, not_before, latest_at, reserved_at, idempotency_key,
            provider_id, created_at, state_changed_at)
        SELECT %(t)s, {ID}, 'follow_up', (ARRAY['done', 'done', 'held', 'blocked', 'expired'])[n %% 5 + 1],
            'engagement', {ID}, 'Touch', {WHO}, {WHO}, {ID}, 'contact', {WHO},
            '{{"subject": "Hello", "text": "How are you?"}}', 'old:' || n, {AT}, {AT}, {AT}, {AT}, 'key-' || n,
            're-' || n, {AT}, {AT}
        FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO card_verdicts (tenant_id, id, card_id, run_id, stage, decision, policy_version, verdicts, at)
        SELECT %(t)s, {ITEM.format(n="2 * n + m")}, {ID}, {ID}, (ARRAY['plan', 'execute'])[m + 1], 'allow', 1,
            jsonb_build_array(repeat('a rule and its reason ', 40)), {AT}
        FROM generate_series(1, %(items)s) n, generate_series(0, 1) m""",
    f"""INSERT INTO outbound_messages (tenant_id, card_id, idempotency_key, rfc_message_id, state, mode, provider,
            provider_id, thread_id, client_id, contact_id, sender, recipients, mail, content_hash, reserved_at,
            accepted_at)
        SELECT %(t)s, {ID}, 'key-' || n, '<' || n || '@acme.example>', 'delivered', 'live', 'resend', 're-' || n, {ID},
            {WHO}, {WHO}, 'ana@acme.example', ARRAY['p@client.example'], jsonb_build_object('text', repeat('x', 600)),
            'x', {AT}, {AT} FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO touches (tenant_id, id, contact_id, client_id, type, at, by, card_id)
        SELECT %(t)s, {ID}, {WHO}, {WHO}, 'email', {AT}, 'agent', {ID} FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO agent_policy_violations (tenant_id, id, card_id, rule, reason, blocked, action, facts, at)
        SELECT %(t)s, {ID}, {ID}, 'quiet_hours', 'late', false, '{{}}', '{{}}', {AT}
        FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO agent_rate_limits (tenant_id, key, window_start, used)
        SELECT %(t)s, 'mail:hour', {AT}, 1 FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO webhook_deliveries (tenant_id, provider, event_id, type, body, received_at, processed_at)
        SELECT %(t)s, 'resend', n::text, 'delivered', '{{}}', {AT}, {AT} FROM generate_series(1, %(items)s) n""",
    f"""INSERT INTO agent_alerts (tenant_id, id, kind, severity, message, state, opened_at, resolved_at)
        SELECT %(t)s, {ID}, 'mailbox', 'warning', 'It rests.', 'resolved', {AT}, {AT}
        FROM generate_series(1, %(items)s / 10) n""",
    f"""INSERT INTO warehouse_events (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id,
            contact_id)
        SELECT %(t)s, {ITEM.format(n="5 * n + m")}, {AT},
            (ARRAY['card.proposed', 'card.queued', 'card.executing', 'card.done', 'mail.received'])[m + 1], 'card',
            {ID}, 'agent', {ID}, {WHO}, {WHO}
        FROM generate_series(1, %(items)s) n, generate_series(0, 4) m""",
)


def lay_down(cloned: gears.Clone, tenants: list[UUID], now: datetime, *, items: int, people: int) -> int:
    """Give each tenant so many cards, mails, runs and their like, and so many people; how many rows there are then."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        # history refers to history: what it refers to need not be looked up row by row
        connection.execute("SET session_replication_role = replica")
        connection.execute("SET search_path = hourhand")
        for tenant in tenants:
            for statement in HISTORY:
                connection.execute(statement, {"t": tenant, "now": now, "items": items, "people": people})
        connection.execute("VACUUM ANALYZE")
        found = connection.execute("SELECT sum(reltuples)::bigint FROM pg_class WHERE relkind = 'r' AND reltuples > 0")
        row = found.fetchone()
    assert row is not None
    return int(row[0])
