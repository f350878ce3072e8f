-- Action cards with their lifecycle, verdicts, frozen outbound bytes, violations and limits.

-- The moves a card may make; `domain.cards.MOVES` says the same and a test compares them.
CREATE FUNCTION hourhand.card_moves(state text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE state
        WHEN 'proposed' THEN '{queued,awaiting_approval,blocked,deferred,held,cancelled,expired}'
        WHEN 'queued' THEN '{executing,awaiting_approval,blocked,deferred,held,cancelled,expired}'
        WHEN 'deferred' THEN '{queued,awaiting_approval,blocked,held,cancelled,expired}'
        WHEN 'awaiting_approval' THEN '{queued,rejected,blocked,cancelled,expired}'
        WHEN 'executing' THEN '{done,failed,uncertain,queued,deferred}'
        WHEN 'uncertain' THEN '{executing,done,failed}'
        ELSE '{}' END::text[]
$$;

CREATE TABLE hourhand.kanban_cards (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    type text NOT NULL CHECK (type IN (
        'send_email', 'follow_up', 'send_quote', 'request_feedback', 'broadcast_email', 'compliance_reminder',
        'escalate_compliance', 'create_task', 'open_case', 'research', 'discover_contacts', 'enrich_contact',
        'validate_order', 'fix_order', 'request_order_info', 'update_deal', 'run_script')),
    state text NOT NULL DEFAULT 'proposed' CHECK (state IN (
        'proposed', 'queued', 'executing', 'done', 'failed', 'uncertain', 'held', 'blocked', 'deferred',
        'awaiting_approval', 'rejected', 'cancelled', 'expired')),
    engine text NOT NULL,
    run_id uuid,
    title text NOT NULL,
    client_id uuid,
    contact_id uuid,
    thread_id uuid,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    payload jsonb NOT NULL DEFAULT '{}',
    evidence jsonb NOT NULL DEFAULT '{}',
    priority int NOT NULL DEFAULT 0,
    dedupe_key text NOT NULL,
    due_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    latest_at timestamptz NOT NULL,
    -- why it stands where it stands
    reason text,
    rule text,
    outcome jsonb NOT NULL DEFAULT '{}',
    -- execution
    attempts int NOT NULL DEFAULT 0,
    owner text,
    fence bigint,
    executing_until timestamptz,
    reserved_at timestamptz,
    idempotency_key text,
    provider_id text,
    resolve_after timestamptz,
    -- approval, bound to what was seen
    approval_hash bytea,
    approval_expires_at timestamptz,
    approved_by text,
    approved_at timestamptz,
    created_at timestamptz NOT NULL,
    state_changed_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE,
    CHECK (state <> 'executing' OR (owner IS NOT NULL AND executing_until IS NOT NULL)),
    CHECK (state <> 'uncertain' OR reserved_at IS NOT NULL)
);
-- One live card per intention; an intention that was carried out is not carried out again.
CREATE UNIQUE INDEX kanban_cards_dedupe ON hourhand.kanban_cards (tenant_id, dedupe_key)
    WHERE state IN ('proposed', 'queued', 'executing', 'deferred', 'awaiting_approval', 'uncertain', 'done');
CREATE INDEX kanban_cards_due ON hourhand.kanban_cards (tenant_id, priority DESC, id)
    INCLUDE (not_before) WHERE state IN ('proposed', 'queued', 'deferred', 'awaiting_approval');
CREATE INDEX kanban_cards_executing ON hourhand.kanban_cards (executing_until) WHERE state = 'executing';
CREATE INDEX kanban_cards_open ON hourhand.kanban_cards (tenant_id, state) WHERE state IN ('executing', 'uncertain');
CREATE INDEX kanban_cards_key ON hourhand.kanban_cards (tenant_id, dedupe_key, state_changed_at DESC);
CREATE INDEX kanban_cards_contact ON hourhand.kanban_cards (tenant_id, contact_id, id DESC);
CREATE INDEX kanban_cards_client ON hourhand.kanban_cards (tenant_id, client_id, state);
CREATE INDEX kanban_cards_changed ON hourhand.kanban_cards (tenant_id, state_changed_at);

CREATE FUNCTION hourhand.check_card_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state AND NEW.state <> ALL (hourhand.card_moves(OLD.state)) THEN
        RAISE EXCEPTION 'card % cannot move from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state = 'executing' AND NEW.state IN ('queued', 'deferred') AND NEW.reserved_at IS NOT NULL THEN
        RAISE EXCEPTION 'card % holds a reservation: it is resolved, never restarted', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER card_moves BEFORE UPDATE OF state ON hourhand.kanban_cards
    FOR EACH ROW EXECUTE FUNCTION hourhand.check_card_move();

CREATE TABLE hourhand.card_verdicts (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    card_id uuid NOT NULL,
    run_id uuid,
    stage text NOT NULL CHECK (stage IN ('plan', 'execute', 'approve', 'resolve')),
    decision text NOT NULL CHECK (decision IN ('allow', 'block', 'defer', 'needs_approval', 'hold', 'renew', 'expire')),
    policy_version int NOT NULL,
    verdicts jsonb NOT NULL,                    -- for every rule its name, or {rule, decision, reason, until, facts}
    facts jsonb,                                -- what it takes to judge it again under other settings
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, card_id) REFERENCES hourhand.kanban_cards (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX card_verdicts_card ON hourhand.card_verdicts (tenant_id, card_id, at);

-- The bytes as reserved; never rendered again under the same key.
CREATE TABLE hourhand.outbound_messages (
    tenant_id uuid NOT NULL,
    card_id uuid NOT NULL,
    idempotency_key text NOT NULL,
    rfc_message_id text NOT NULL,
    state text NOT NULL CHECK (state IN (
        'reserved', 'held', 'accepted', 'delivered', 'bounced', 'complained', 'failed', 'uncertain')),
    mode text NOT NULL,
    provider text NOT NULL,
    provider_id text,
    carried_message_id text,                    -- where the provider put a Message-ID of its own in place of ours
    thread_id uuid,
    client_id uuid,
    contact_id uuid,
    sender text NOT NULL,
    recipients text[] NOT NULL,                 -- To, Cc and Bcc, normalised
    mail jsonb NOT NULL,                        -- the whole OutboundMail
    content_hash bytea NOT NULL,
    reserved_at timestamptz NOT NULL,
    first_try_at timestamptz,
    last_try_at timestamptz,
    tries int NOT NULL DEFAULT 0,
    accepted_at timestamptz,
    delivered_at timestamptz,
    bounced_at timestamptz,
    complained_at timestamptz,
    opened_at timestamptz,
    clicked_at timestamptz,
    PRIMARY KEY (tenant_id, card_id),
    UNIQUE (tenant_id, idempotency_key),
    UNIQUE (tenant_id, rfc_message_id),
    FOREIGN KEY (tenant_id, card_id) REFERENCES hourhand.kanban_cards (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX outbound_messages_provider ON hourhand.outbound_messages (tenant_id, provider_id);
CREATE INDEX outbound_messages_carried ON hourhand.outbound_messages (tenant_id, carried_message_id)
    WHERE carried_message_id IS NOT NULL;
CREATE INDEX outbound_messages_contact ON hourhand.outbound_messages (tenant_id, contact_id, reserved_at DESC);
CREATE INDEX outbound_messages_reserved ON hourhand.outbound_messages (tenant_id, reserved_at);
CREATE INDEX outbound_messages_bounced ON hourhand.outbound_messages (tenant_id, bounced_at) WHERE bounced_at IS NOT NULL;
CREATE INDEX outbound_messages_complained ON hourhand.outbound_messages (tenant_id, complained_at) WHERE complained_at IS NOT NULL;

CREATE TABLE hourhand.agent_policy_violations (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    card_id uuid NOT NULL,
    run_id uuid,
    rule text NOT NULL,
    reason text NOT NULL,
    blocked boolean NOT NULL,
    action jsonb NOT NULL,
    facts jsonb NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, card_id) REFERENCES hourhand.kanban_cards (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX agent_policy_violations_at ON hourhand.agent_policy_violations (tenant_id, at);

CREATE TABLE hourhand.agent_rate_limits (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    key text NOT NULL,
    window_start timestamptz NOT NULL,
    used int NOT NULL,
    PRIMARY KEY (tenant_id, key, window_start)
);

-- The second, named door: what was told to the tenant's own people.
CREATE TABLE hourhand.operator_notices (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    template text NOT NULL,
    user_id uuid NOT NULL,
    dedupe_key text NOT NULL,
    slots jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('reserved', 'sent', 'failed', 'uncertain')),
    provider_id text,
    created_at timestamptz NOT NULL,
    sent_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, dedupe_key),
    FOREIGN KEY (tenant_id, user_id) REFERENCES hourhand.users (tenant_id, id) ON DELETE CASCADE
);
