-- Cycles, their ledger and reflections, tenant locks, alerts.

CREATE TABLE hourhand.agent_autonomous_runs (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    cycle_number int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('scheduled', 'extra', 'manual')),
    slot_at timestamptz,
    phase text NOT NULL CHECK (phase IN ('plan', 'act', 'react', 'reflect', 'finished')),
    work_blocks jsonb NOT NULL DEFAULT '[]',    -- [{phase, started_at, ended_at, counts}]
    outcome text CHECK (outcome IN ('completed', 'completed_with_errors', 'stopped', 'deadline', 'failed', 'abandoned')),
    fence bigint NOT NULL,
    holder text NOT NULL,
    mode text NOT NULL,
    model text NOT NULL,
    idle_hours int NOT NULL DEFAULT 0,
    started_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL,
    finished_at timestamptz,
    duration_ms int,
    planned int NOT NULL DEFAULT 0,
    executed int NOT NULL DEFAULT 0,
    blocked int NOT NULL DEFAULT 0,
    deferred int NOT NULL DEFAULT 0,
    failed int NOT NULL DEFAULT 0,
    held int NOT NULL DEFAULT 0,
    tokens_in int NOT NULL DEFAULT 0,
    tokens_out int NOT NULL DEFAULT 0,
    cost_usd numeric(12, 6) NOT NULL DEFAULT 0,
    errors jsonb NOT NULL DEFAULT '[]',         -- [{traceback_id, where, error}]
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, cycle_number)
);
CREATE UNIQUE INDEX agent_autonomous_runs_slot ON hourhand.agent_autonomous_runs (tenant_id, slot_at)
    WHERE kind = 'scheduled';
CREATE UNIQUE INDEX agent_autonomous_runs_open ON hourhand.agent_autonomous_runs (tenant_id)
    WHERE finished_at IS NULL;
CREATE INDEX agent_autonomous_runs_started ON hourhand.agent_autonomous_runs (tenant_id, started_at DESC);

-- P2.11: every obligation due, and what became of it this hour.
CREATE TABLE hourhand.run_obligations (
    tenant_id uuid NOT NULL,
    run_id uuid NOT NULL,
    kind text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    due_at timestamptz NOT NULL,
    disposition text NOT NULL CHECK (disposition IN (
        'acted', 'blocked', 'deferred', 'held', 'awaiting_approval', 'in_flight', 'failed', 'uncertain', 'expired')),
    rule text,
    reason text,
    until timestamptz,
    card_id uuid,
    count int NOT NULL DEFAULT 1 CHECK (count > 0),
    of_many boolean NOT NULL DEFAULT false,  -- stands for all that rest for one reason, not looked at one by one
    PRIMARY KEY (tenant_id, run_id, kind, subject_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES hourhand.agent_autonomous_runs (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE hourhand.agent_hourly_reflections (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    run_id uuid NOT NULL,
    period_start timestamptz NOT NULL,
    period_end timestamptz NOT NULL,
    facts jsonb NOT NULL,
    text text NOT NULL,
    hints jsonb NOT NULL DEFAULT '[]',
    phrased_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, run_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES hourhand.agent_autonomous_runs (tenant_id, id) ON DELETE CASCADE
);

-- The readable mirror of the advisory lock.
CREATE TABLE hourhand.agent_tenant_locks (
    tenant_id uuid PRIMARY KEY REFERENCES hourhand.tenants ON DELETE CASCADE,
    holder text NOT NULL,
    fence bigint NOT NULL,
    since timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

CREATE TABLE hourhand.agent_alerts (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
    message text NOT NULL,
    cause jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
    opened_at timestamptz NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    resolved_by text,
    resolved_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX agent_alerts_open ON hourhand.agent_alerts (tenant_id, kind) WHERE state <> 'resolved';
