-- Deals: a tenant's stages, its deals, where each has been and for how long, and what happened around it.

CREATE TABLE hourhand.deal_stage_config (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    key text NOT NULL CHECK (key <> '' AND key <> 'won' AND key <> 'lost'),
    name text NOT NULL CHECK (name <> ''),
    position int NOT NULL CHECK (position > 0),
    win_probability numeric(5, 4) NOT NULL DEFAULT 0 CHECK (win_probability BETWEEN 0 AND 1),
    stall_days int NOT NULL CHECK (stall_days BETWEEN 1 AND 3650),
    follow_up_days int NOT NULL CHECK (follow_up_days BETWEEN 1 AND 3650),
    shown_by text[] NOT NULL DEFAULT '{}',      -- the kinds of evidence that a deal has come here
    PRIMARY KEY (tenant_id, key),
    UNIQUE (tenant_id, position) DEFERRABLE INITIALLY DEFERRED
);

CREATE TABLE hourhand.deals (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    external_id text,
    client_id uuid NOT NULL,
    contact_id uuid,                            -- whom follow-ups go to
    title text NOT NULL CHECK (title <> ''),
    value numeric NOT NULL DEFAULT 0 CHECK (value >= 0 AND value < 1e14 AND scale(value) <= 4),
    currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    stage text NOT NULL,                        -- of a closed deal: the last one
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'won', 'lost')),
    reason text,                                -- why it was won or lost
    expected_close_on date,
    owner_id uuid,
    automation boolean NOT NULL DEFAULT true,   -- false: the agent leaves this deal to people
    automation_reason text,
    next_step text,
    next_step_at timestamptz,
    next_step_evidence jsonb,                   -- {kind, who, what, at}
    thread_id uuid,                             -- the conversation that follow-ups hang below
    opened_at timestamptz NOT NULL,
    stage_entered_at timestamptz NOT NULL,
    last_activity_at timestamptz NOT NULL,
    last_heard_at timestamptz,
    our_turn_since timestamptz,                 -- they asked something, and nobody of ours has written since
    follow_ups int NOT NULL DEFAULT 0,          -- unanswered ones of the agent
    follow_up_due_at timestamptz,               -- null: none any more, until something happens
    stalls_at timestamptz NOT NULL,
    stalled_at timestamptz,                     -- since when it has stood still
    stall_answered_at timestamptz,              -- when its stall was last made a next step
    -- what a held message moved: planning reads it instead
    shadow_follow_ups int,
    shadow_follow_up_due_at timestamptz,
    planned_at timestamptz GENERATED ALWAYS AS (
        CASE WHEN state = 'open' AND automation THEN
            CASE WHEN shadow_follow_ups IS NULL THEN follow_up_due_at ELSE shadow_follow_up_due_at END END) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    closed_at timestamptz,
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (contact_id),
    FOREIGN KEY (tenant_id, owner_id) REFERENCES hourhand.users (tenant_id, id) ON DELETE SET NULL (owner_id),
    FOREIGN KEY (tenant_id, stage) REFERENCES hourhand.deal_stage_config (tenant_id, key) ON UPDATE CASCADE
        DEFERRABLE INITIALLY DEFERRED,
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK (next_step IS NULL OR next_step_evidence ?& ARRAY['kind', 'who', 'what', 'at'])
);
CREATE INDEX deals_planned ON hourhand.deals (tenant_id, planned_at)
    WHERE planned_at IS NOT NULL AND rests_until IS NULL;
CREATE INDEX deals_overdue ON hourhand.deals (tenant_id, follow_up_due_at)
    WHERE state = 'open' AND automation AND shadow_follow_ups IS NOT NULL AND rests_until IS NULL;
CREATE INDEX deals_stalling ON hourhand.deals (tenant_id, stalls_at) WHERE state = 'open' AND stalled_at IS NULL;
CREATE INDEX deals_stalled ON hourhand.deals (tenant_id, stalled_at)
    WHERE state = 'open' AND automation AND stalled_at IS NOT NULL AND stall_answered_at IS NULL
      AND rests_until IS NULL;
CREATE INDEX deals_client ON hourhand.deals (tenant_id, client_id, state);
CREATE INDEX deals_running ON hourhand.deals (tenant_id, contact_id)
    WHERE state = 'open' AND automation AND follow_ups > 0 AND follow_up_due_at IS NOT NULL AND thread_id IS NOT NULL;
CREATE INDEX deals_contact ON hourhand.deals (tenant_id, contact_id);
CREATE INDEX deals_thread ON hourhand.deals (tenant_id, thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX deals_book ON hourhand.deals (tenant_id, currency, stage) INCLUDE (value, stalled_at, automation)
    WHERE state = 'open';
CREATE INDEX deals_closed ON hourhand.deals (tenant_id, closed_at) INCLUDE (state) WHERE state <> 'open';

-- Where each deal has been, won and lost included; nothing enters a stage without evidence.
CREATE TABLE hourhand.deal_stage_history (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    deal_id uuid NOT NULL,
    stage text NOT NULL,
    from_stage text,
    by text NOT NULL,
    evidence_kind text NOT NULL CHECK (evidence_kind <> ''),
    evidence_who text NOT NULL CHECK (evidence_who <> ''),
    evidence_what text NOT NULL CHECK (evidence_what <> ''),
    evidence_at timestamptz NOT NULL,
    card_id uuid,
    entered_at timestamptz NOT NULL,
    left_at timestamptz CHECK (left_at >= entered_at),
    duration interval GENERATED ALWAYS AS (left_at - entered_at) STORED,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, deal_id) REFERENCES hourhand.deals (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX deal_stage_history_present ON hourhand.deal_stage_history (tenant_id, deal_id)
    WHERE left_at IS NULL;
CREATE INDEX deal_stage_history_deal ON hourhand.deal_stage_history (tenant_id, deal_id, entered_at);
CREATE INDEX deal_stage_history_left ON hourhand.deal_stage_history (tenant_id, left_at) INCLUDE (stage, duration)
    WHERE left_at IS NOT NULL;

CREATE TABLE hourhand.deal_activities (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    deal_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('mail_in', 'mail_out', 'follow_up', 'call', 'meeting', 'note')),
    at timestamptz NOT NULL,
    by text NOT NULL,                           -- agent, contact, or the user who did it
    link text NOT NULL,                         -- how it is known to be about this deal: thread, contact, account …
    attempt int,                                -- of a follow-up
    answered_at timestamptz,                    -- of a follow-up: when somebody answered it
    message_id uuid,
    card_id uuid,
    voided_at timestamptz,                      -- the mail never arrived
    words text,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, deal_id) REFERENCES hourhand.deals (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX deal_activities_message ON hourhand.deal_activities (tenant_id, deal_id, message_id)
    WHERE message_id IS NOT NULL;
CREATE UNIQUE INDEX deal_activities_card ON hourhand.deal_activities (tenant_id, card_id) WHERE card_id IS NOT NULL;
CREATE INDEX deal_activities_deal ON hourhand.deal_activities (tenant_id, deal_id, at DESC, id DESC);
CREATE INDEX deal_activities_follow_ups ON hourhand.deal_activities (tenant_id, at) INCLUDE (answered_at)
    WHERE kind = 'follow_up' AND voided_at IS NULL;
