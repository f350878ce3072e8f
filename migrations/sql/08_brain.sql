-- The brain: what each call of a language model cost and came to, and how much of a day's budget is used.

CREATE TABLE hourhand.model_budgets (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    day date NOT NULL,                          -- the tenant's own
    spent_usd numeric(14, 6) NOT NULL DEFAULT 0 CHECK (spent_usd >= 0),
    reserved_usd numeric(14, 6) NOT NULL DEFAULT 0 CHECK (reserved_usd >= 0),
    spent_tokens bigint NOT NULL DEFAULT 0 CHECK (spent_tokens >= 0),
    reserved_tokens bigint NOT NULL DEFAULT 0 CHECK (reserved_tokens >= 0),
    PRIMARY KEY (tenant_id, day)
);

CREATE TABLE hourhand.model_calls (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    run_id uuid,
    card_id uuid,
    message_id uuid,
    question text NOT NULL,
    prompt_version text NOT NULL,
    model text NOT NULL,                        -- provider/name
    outcome text NOT NULL CHECK (outcome IN (
        'open', 'answered', 'rejected', 'malformed', 'refused', 'truncated', 'throttled', 'overloaded', 'timeout',
        'unreachable', 'unauthorised', 'invalid', 'abandoned', 'deferred', 'looping', 'stopped')),
    reason text,
    day date NOT NULL,
    reserved_usd numeric(12, 6) NOT NULL DEFAULT 0,
    reserved_tokens int NOT NULL DEFAULT 0,
    tokens_in int NOT NULL DEFAULT 0,           -- at the full price
    tokens_cached int NOT NULL DEFAULT 0,       -- read from the provider's cache
    tokens_written int NOT NULL DEFAULT 0,      -- written into it
    tokens_out int NOT NULL DEFAULT 0,
    cost_usd numeric(12, 6) NOT NULL DEFAULT 0,
    latency_ms int,
    input_hash bytea NOT NULL,
    answer_hash bytea,
    masked boolean NOT NULL DEFAULT false,
    started_at timestamptz NOT NULL,
    open_until timestamptz,
    finished_at timestamptz,
    deferred_until timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX model_calls_run ON hourhand.model_calls (tenant_id, run_id) WHERE run_id IS NOT NULL;
CREATE INDEX model_calls_open ON hourhand.model_calls (tenant_id, open_until) WHERE outcome = 'open';
CREATE INDEX model_calls_deferred ON hourhand.model_calls (tenant_id, deferred_until) WHERE outcome = 'deferred';
CREATE INDEX model_calls_input ON hourhand.model_calls (tenant_id, input_hash, started_at);
CREATE INDEX model_calls_question ON hourhand.model_calls (tenant_id, question, started_at DESC);

-- What was said: kept only where the tenant allows it, apart from the figures, and not for long.
CREATE TABLE hourhand.model_call_contents (
    tenant_id uuid NOT NULL,
    call_id uuid NOT NULL,
    prompt text NOT NULL,
    answer text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, call_id),
    FOREIGN KEY (tenant_id, call_id) REFERENCES hourhand.model_calls (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX model_call_contents_expiry ON hourhand.model_call_contents (tenant_id, expires_at);
