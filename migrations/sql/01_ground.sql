-- Tenants, their people and settings, the global tables, and the fleet's schedule.

-- The one clock for leases and deadlines that span hosts; a simulator overrides it per connection.
CREATE FUNCTION hourhand.db_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('app.now', true), '')::timestamptz, statement_timestamp()) $$;

-- Into a tenant's walls for the rest of the transaction, and the settings that nearly all of them ask for next; nothing
-- when its lock is no longer held under `fence`. One statement, since every transaction begins with it. A fence that
-- holds is locked until the commit, so that a successor's first write waits for our last.
CREATE FUNCTION hourhand.enter(tenant uuid, held_fence bigint, virtual_now text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.tenant_id', tenant::text, true);
    IF virtual_now IS NOT NULL THEN
        PERFORM set_config('app.now', virtual_now, true);
    END IF;
    IF held_fence IS NOT NULL THEN
        PERFORM FROM hourhand.agent_tenant_locks l WHERE l.tenant_id = enter.tenant AND l.fence = held_fence FOR SHARE;
        IF NOT found THEN
            RETURN NULL;
        END IF;
    END IF;
    RETURN coalesce((SELECT t.settings::text FROM hourhand.tenants t WHERE t.tenant_id = enter.tenant), '{}');
END $$;

CREATE TABLE hourhand.tenants (
    tenant_id uuid PRIMARY KEY,
    slug text NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9][a-z0-9-]{0,62}$'),
    name text NOT NULL CHECK (name <> ''),
    agent_enabled boolean NOT NULL DEFAULT true,
    settings jsonb NOT NULL DEFAULT '{}',
    policy_version int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);

-- Global: switches and settings of the whole house; the app role reads, control writes.
CREATE TABLE hourhand.system_config (
    key text PRIMARY KEY,
    value jsonb NOT NULL,
    reason text,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL
);
INSERT INTO hourhand.system_config VALUES ('global_enabled', 'true', NULL, 'installation', 'epoch');

-- Global: who is due when. The dispatcher sees all rows, a tenant its own.
CREATE TABLE hourhand.tenant_schedule (
    tenant_id uuid PRIMARY KEY REFERENCES hourhand.tenants ON DELETE CASCADE,
    lock_id int GENERATED ALWAYS AS IDENTITY UNIQUE,
    slot_offset_seconds int NOT NULL CHECK (slot_offset_seconds BETWEEN 0 AND 3599),
    enabled boolean NOT NULL DEFAULT true,
    sync_enabled boolean NOT NULL DEFAULT false,
    next_due_at timestamptz NOT NULL,          -- next hourly slot
    work_due_at timestamptz,                   -- the earliest moment at which anything is due; null: nothing is
    extra_due_at timestamptz,                  -- something came in between that should not wait for the slot
    gmail_due_at timestamptz,
    last_slot_at timestamptz,
    last_cycle_at timestamptz,
    idle_hours int NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0
);
CREATE INDEX tenant_schedule_due ON hourhand.tenant_schedule (next_due_at) WHERE enabled;
CREATE INDEX tenant_schedule_extra ON hourhand.tenant_schedule (extra_due_at) WHERE enabled AND extra_due_at IS NOT NULL;
CREATE INDEX tenant_schedule_gmail ON hourhand.tenant_schedule (gmail_due_at) WHERE sync_enabled AND gmail_due_at IS NOT NULL;

-- Something will be due at `moment`: the tenant's next look is no later. Even where its line says so already it is held
-- until the commit: a cycle that begins or ends meanwhile must not overwrite it without having seen what this transaction
-- has yet to commit. Two statements, for the second must see what the first has waited for.
CREATE FUNCTION hourhand.bring_forward(tenant uuid, moment timestamptz, extra boolean) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM hourhand.tenant_schedule s WHERE s.tenant_id = tenant FOR KEY SHARE;
    UPDATE hourhand.tenant_schedule s SET work_due_at = least(s.work_due_at, moment),
           extra_due_at = CASE WHEN extra THEN least(s.extra_due_at, moment) ELSE s.extra_due_at END
    WHERE s.tenant_id = tenant AND (s.work_due_at IS NULL OR s.work_due_at > moment
                                    OR extra AND (s.extra_due_at IS NULL OR s.extra_due_at > moment));
END $$;

-- Global: numbers only, for fleet pages, alerts and metrics.
CREATE TABLE hourhand.tenant_rollup (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    hour timestamptz NOT NULL,
    cycles_completed int NOT NULL DEFAULT 0,
    cycles_failed int NOT NULL DEFAULT 0,
    actions_planned int NOT NULL DEFAULT 0,
    actions_executed int NOT NULL DEFAULT 0,
    actions_blocked int NOT NULL DEFAULT 0,
    actions_deferred int NOT NULL DEFAULT 0,
    actions_failed int NOT NULL DEFAULT 0,
    actions_held int NOT NULL DEFAULT 0,
    emails_sent int NOT NULL DEFAULT 0,
    messages_processed int NOT NULL DEFAULT 0,
    gmail_cards_created int NOT NULL DEFAULT 0,
    contacts_compliant int NOT NULL DEFAULT 0,
    contacts_clocked int NOT NULL DEFAULT 0,
    orders_processed int NOT NULL DEFAULT 0,
    orders_exceptions int NOT NULL DEFAULT 0,
    provider_failures int NOT NULL DEFAULT 0,
    gmail_quota_errors int NOT NULL DEFAULT 0,
    lock_contentions int NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, hour)
);
CREATE INDEX tenant_rollup_hour ON hourhand.tenant_rollup (hour);

CREATE TABLE hourhand.tenant_switches (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    level text NOT NULL CHECK (level IN ('mail', 'engine', 'action')),
    name text NOT NULL DEFAULT '',
    stopped boolean NOT NULL,
    reason text,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, level, name)
);

CREATE TABLE hourhand.users (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'analyst', 'manager')),
    verified_at timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, email)
);

CREATE TABLE hourhand.api_keys (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id text NOT NULL,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'analyst')),
    secret_hash bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);

-- Provider keys and webhook secrets, encrypted with a key per tenant.
CREATE TABLE hourhand.tenant_credentials (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    name text NOT NULL,
    ciphertext bytea NOT NULL,
    key_id text NOT NULL,
    updated_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, name)
);

CREATE TABLE hourhand.audit_log (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}',
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    PRIMARY KEY (tenant_id, seq)
);

-- Append-only event store: every change leaves its event in the same transaction.
CREATE TABLE hourhand.warehouse_events (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    type text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    actor text NOT NULL,
    run_id uuid,
    client_id uuid,
    contact_id uuid,
    data jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX warehouse_events_at ON hourhand.warehouse_events (tenant_id, at, type);
CREATE INDEX warehouse_events_subject ON hourhand.warehouse_events (tenant_id, subject_type, subject_id, at);

-- Events that an engine still has to take in: written with the event, deleted with the reaction.
CREATE TABLE hourhand.reactions_due (
    tenant_id uuid NOT NULL,
    event_id uuid NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    not_before timestamptz NOT NULL,
    last_error text,
    PRIMARY KEY (tenant_id, event_id),
    FOREIGN KEY (tenant_id, event_id) REFERENCES hourhand.warehouse_events ON DELETE CASCADE
);
CREATE INDEX reactions_due_order ON hourhand.reactions_due (tenant_id, not_before, event_id);

CREATE TABLE hourhand.idempotent_requests (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    key text NOT NULL,
    route text NOT NULL,
    request_hash bytea NOT NULL,
    status int,
    response jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, route, key)
);

-- The control room: keys and audit of the house's own admins.
CREATE TABLE control.admin_keys (
    id text PRIMARY KEY,
    name text NOT NULL,
    role text NOT NULL CHECK (role IN ('admin', 'operator', 'analyst')),
    secret_hash bytea NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE TABLE control.audit_log (
    seq bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    subject text NOT NULL,
    reason text,
    detail jsonb NOT NULL DEFAULT '{}',
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL
);
CREATE TABLE control.idempotent_requests (
    key text NOT NULL,
    route text NOT NULL,
    request_hash bytea NOT NULL,
    status int,
    response jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (route, key)
);
