-- Operations: which alerts are silenced, what was told of them by webhook, and the alerts of the whole house.

-- Until then nobody is told of alerts of this kind; they open and end all the same.
CREATE TABLE hourhand.alert_mutes (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    kind text NOT NULL,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    muted_by text NOT NULL,
    muted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind)
);

-- What goes to the tenant's own webhook: frozen when it is put down, tried again with back-off, given up in the open.
CREATE TABLE hourhand.alert_deliveries (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    alert_id uuid NOT NULL,
    event text NOT NULL CHECK (event IN ('opened', 'resolved')),
    body text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead')),
    tries int NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,
    last_error text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, alert_id, event),
    FOREIGN KEY (tenant_id, alert_id) REFERENCES hourhand.agent_alerts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX alert_deliveries_due ON hourhand.alert_deliveries (next_try_at) WHERE state = 'waiting';

-- What is wrong with all of it at once, and with no tenant alone.
CREATE TABLE control.alerts (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('warning', 'critical')),
    message text NOT NULL,
    cause jsonb NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'acknowledged', 'resolved')),
    opened_at timestamptz NOT NULL,
    acknowledged_by text,
    acknowledged_at timestamptz,
    resolved_by text,
    resolved_at timestamptz
);
CREATE UNIQUE INDEX control_alerts_open ON control.alerts (kind) WHERE state <> 'resolved';

CREATE TABLE control.alert_mutes (
    kind text PRIMARY KEY,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    muted_by text NOT NULL,
    muted_at timestamptz NOT NULL
);

CREATE TABLE control.alert_deliveries (
    id uuid PRIMARY KEY,
    alert_id uuid NOT NULL REFERENCES control.alerts ON DELETE CASCADE,
    event text NOT NULL CHECK (event IN ('opened', 'resolved')),
    body text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dead')),
    tries int NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL,
    last_error text,
    created_at timestamptz NOT NULL,
    ended_at timestamptz,
    UNIQUE (alert_id, event)
);
CREATE INDEX control_alert_deliveries_due ON control.alert_deliveries (next_try_at) WHERE state = 'waiting';
