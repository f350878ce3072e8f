-- Clients (accounts), contacts and their addresses, suppressions, clocks and touches.

CREATE TABLE hourhand.clients (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    external_id text,
    name text NOT NULL CHECK (name <> ''),
    domain text,                                -- lower case, without www
    country text,                               -- ISO 3166-1 alpha-2
    timezone text,                              -- IANA name
    language text,                              -- ISO 639-1
    relationship text NOT NULL DEFAULT 'client' CHECK (relationship IN ('client', 'prospect')),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'inactive')),
    annual_value numeric(16, 2) NOT NULL DEFAULT 0,
    currency text NOT NULL DEFAULT 'USD',
    manager_id uuid,
    last_reply_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    FOREIGN KEY (tenant_id, manager_id) REFERENCES hourhand.users (tenant_id, id)
);
CREATE INDEX clients_domain ON hourhand.clients (tenant_id, domain);
CREATE INDEX clients_name ON hourhand.clients (tenant_id, name);

CREATE TABLE hourhand.contacts (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    external_id text,
    email text,                                 -- normalised; null: cannot be reached
    name text NOT NULL,
    title text,
    phone text,                                 -- E.164
    language text,
    timezone text,
    country text,
    source text NOT NULL DEFAULT 'person',      -- person, import, api, mail
    broadcast_consent boolean NOT NULL DEFAULT false,
    provenance jsonb NOT NULL DEFAULT '{}',     -- field → {source, confidence, message_id, at}
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    erased_at timestamptz,                      -- the person was forgotten: this is a blank record, and stays one
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contacts_client ON hourhand.contacts (tenant_id, client_id);

-- Every address a contact is known by; the first is the contact's own, others are aliases.
CREATE TABLE hourhand.contact_addresses (
    tenant_id uuid NOT NULL,
    address text NOT NULL,
    contact_id uuid NOT NULL,
    source text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, address),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX contact_addresses_contact ON hourhand.contact_addresses (tenant_id, contact_id);

-- Who must never get mail. The hash outlives an erased person.
CREATE TABLE hourhand.suppressions (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    address_hash bytea NOT NULL,
    address text,
    reason text NOT NULL CHECK (reason IN ('bounced', 'complained', 'opted_out', 'manual', 'erased')),
    source text NOT NULL,
    detail jsonb NOT NULL DEFAULT '{}',
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, address_hash)
);

CREATE TABLE hourhand.engagement_clocks (
    tenant_id uuid NOT NULL,
    contact_id uuid NOT NULL,
    client_id uuid NOT NULL,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'paused', 'exempt')),
    exempt_reason text,
    paused_until timestamptz,
    last_touch_at timestamptz,
    last_touch_type text,
    last_touch_by text,
    last_reply_at timestamptz,
    first_due_at timestamptz NOT NULL,          -- as the clock was started: no later touch makes it earlier
    due_at timestamptz NOT NULL,                -- the 21-day promise
    voided_touches int NOT NULL DEFAULT 0,      -- rises with each bounce, so that the same due date is a new intention
    sequence_step int NOT NULL DEFAULT 0,       -- 0 none, 1 first touch sent, 2 to 5 follow-ups sent
    sequence_thread_id uuid,
    follow_up_due_at timestamptz,
    -- what a held message moved: planning reads it instead, sending and promises never do
    shadow_due_at timestamptz,
    shadow_step int,
    shadow_follow_up_due_at timestamptz,
    planned_at timestamptz GENERATED ALWAYS AS (greatest(
        least(coalesce(shadow_due_at, due_at),
              CASE WHEN shadow_step IS NULL THEN follow_up_due_at ELSE shadow_follow_up_due_at END),
        CASE WHEN status = 'paused' THEN paused_until END)) STORED,
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    PRIMARY KEY (tenant_id, contact_id),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX engagement_clocks_planned ON hourhand.engagement_clocks (tenant_id, planned_at)
    WHERE status <> 'exempt' AND rests_until IS NULL;
CREATE INDEX engagement_clocks_paused ON hourhand.engagement_clocks (tenant_id, paused_until) WHERE status = 'paused';
-- who is away or out of reach: few, and asked of everybody about whom something is due
CREATE INDEX engagement_clocks_hindered ON hourhand.engagement_clocks (tenant_id, contact_id) WHERE status <> 'active';
CREATE INDEX engagement_clocks_client ON hourhand.engagement_clocks (tenant_id, client_id);
CREATE INDEX engagement_clocks_shadowed ON hourhand.engagement_clocks (tenant_id, due_at)
    WHERE status <> 'exempt' AND shadow_due_at IS NOT NULL AND rests_until IS NULL;
-- a changed send mode forgets them all
CREATE INDEX engagement_clocks_shadows ON hourhand.engagement_clocks (tenant_id)
    WHERE shadow_due_at IS NOT NULL OR shadow_step IS NOT NULL;
CREATE INDEX engagement_clocks_lapsing ON hourhand.engagement_clocks (tenant_id, due_at)
    WHERE status = 'active' AND follow_up_due_at IS NOT NULL;
-- whose sequence runs: few, and asked of everybody who is about to be written to
CREATE INDEX engagement_clocks_running ON hourhand.engagement_clocks (tenant_id, contact_id)
    WHERE follow_up_due_at IS NOT NULL AND sequence_thread_id IS NOT NULL;
CREATE INDEX engagement_clocks_due ON hourhand.engagement_clocks (tenant_id, due_at) WHERE status <> 'exempt';

CREATE TABLE hourhand.touches (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    contact_id uuid NOT NULL,
    client_id uuid NOT NULL,
    type text NOT NULL CHECK (type IN ('email', 'reply', 'call', 'meeting')),
    at timestamptz NOT NULL,
    by text NOT NULL,                           -- agent, contact, or the user who logged it
    card_id uuid,
    message_id uuid,
    voided_at timestamptz,                      -- the mail bounced: it never touched anybody
    void_reason text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX touches_contact ON hourhand.touches (tenant_id, contact_id, at DESC) WHERE voided_at IS NULL;
CREATE INDEX touches_client ON hourhand.touches (tenant_id, client_id, at DESC) WHERE voided_at IS NULL;
CREATE INDEX touches_card ON hourhand.touches (tenant_id, card_id) WHERE card_id IS NOT NULL;

CREATE TABLE hourhand.cases (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    client_id uuid,
    contact_id uuid,
    kind text NOT NULL,
    title text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
    evidence jsonb NOT NULL DEFAULT '{}',
    card_id uuid,
    opened_by text NOT NULL,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE hourhand.tasks (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    client_id uuid,
    contact_id uuid,
    title text NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'cancelled')),
    basis text NOT NULL CHECK (basis IN ('client_request', 'compliance_deadline', 'safety_escalation')),
    evidence jsonb NOT NULL,                    -- {message_id, quote} or {check_id} or {trigger, message_id, quote}
    assignee_id uuid,
    due_at timestamptz,
    card_id uuid,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, assignee_id) REFERENCES hourhand.users (tenant_id, id)
);
