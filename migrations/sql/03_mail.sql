-- Mail in and mail out: blobs, mailboxes, threads, messages, attachments, frozen outbound bytes, webhooks.

CREATE TABLE hourhand.blobs (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    sha256 bytea NOT NULL CHECK (length(sha256) = 32),
    size bigint NOT NULL,
    bytes bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, sha256)
);

CREATE TABLE hourhand.mailboxes (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    provider text NOT NULL CHECK (provider IN ('gmail', 'folder', 'imap')),
    address text,
    source text NOT NULL DEFAULT '',            -- a folder's path, an IMAP account without its password; empty for Gmail
    status text NOT NULL DEFAULT 'not_configured'
        CHECK (status IN ('connected', 'token_expired', 'revoked', 'not_configured')),
    status_cause text,
    token_ciphertext bytea,
    token_key_id text,
    cursor text,
    full_sync_started_at timestamptz,
    last_sync_at timestamptz,
    last_reconciled_at timestamptz,
    failures int NOT NULL DEFAULT 0,
    back_off_until timestamptz,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, provider, source, address)
);

-- A person was sent to Google to consent: at most one is open for a mailbox, and it is gone once used.
CREATE TABLE hourhand.mailbox_consents (
    tenant_id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    state_hash bytea NOT NULL,
    verifier_ciphertext bytea NOT NULL,
    verifier_key_id text NOT NULL,
    redirect_uri text NOT NULL,
    asked_by text NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, mailbox_id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES hourhand.mailboxes (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE hourhand.mail_threads (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    subject text NOT NULL DEFAULT '',
    client_id uuid,
    contact_id uuid,
    engine text,                                -- the engine that owns the conversation
    last_inbound_at timestamptz,
    last_outbound_at timestamptz,               -- by the agent
    person_wrote_at timestamptz,                -- by a person of the tenant
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX mail_threads_contact ON hourhand.mail_threads (tenant_id, contact_id);

-- Message-IDs and provider thread ids that name a thread, in any mailbox.
CREATE TABLE hourhand.thread_keys (
    tenant_id uuid NOT NULL,
    key text NOT NULL,                          -- '<message-id>' or 'gmail:<mailbox>:<thread id>'
    thread_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, key),
    FOREIGN KEY (tenant_id, thread_id) REFERENCES hourhand.mail_threads (tenant_id, id) ON DELETE CASCADE
);

CREATE TABLE hourhand.gmail_messages (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    mailbox_id uuid NOT NULL,
    gmail_message_id text NOT NULL,
    thread_id uuid,
    rfc_message_id text,
    in_reply_to text,
    direction text NOT NULL CHECK (direction IN ('in', 'out')),
    labels text[] NOT NULL DEFAULT '{}',
    from_address text,
    from_name text,
    recipients jsonb NOT NULL DEFAULT '{}',     -- {to: [...], cc: [...]}
    subject text,
    snippet text,                               -- the visible reply's first words
    sent_at timestamptz,
    received_at timestamptz NOT NULL,
    class text NOT NULL,
    flags text[] NOT NULL DEFAULT '{}',
    reading jsonb NOT NULL DEFAULT '{}',        -- bounces, return date, evidence … as read
    client_id uuid,
    contact_id uuid,
    -- whose word it counts as; of what the tenant's own people wrote nobody asks
    word_of text CHECK (word_of IN ('contact', 'account', 'doubtful', 'stranger', 'forged')),
    reply_to_card_id uuid,
    links jsonb NOT NULL DEFAULT '[]',          -- [{to, id, reason}]
    raw_sha256 bytea NOT NULL,
    raw_size bigint NOT NULL,
    quarantined text,
    stored_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, mailbox_id, gmail_message_id),
    FOREIGN KEY (tenant_id, mailbox_id) REFERENCES hourhand.mailboxes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, thread_id) REFERENCES hourhand.mail_threads (tenant_id, id),
    FOREIGN KEY (tenant_id, raw_sha256) REFERENCES hourhand.blobs (tenant_id, sha256)
);
CREATE INDEX gmail_messages_rfc ON hourhand.gmail_messages (tenant_id, rfc_message_id);
CREATE INDEX gmail_messages_contact ON hourhand.gmail_messages (tenant_id, contact_id, received_at DESC);
CREATE INDEX gmail_messages_stored ON hourhand.gmail_messages (tenant_id, stored_at);
CREATE INDEX gmail_messages_received ON hourhand.gmail_messages (tenant_id, received_at);
CREATE INDEX gmail_messages_from ON hourhand.gmail_messages (tenant_id, from_address, received_at);
CREATE INDEX gmail_messages_thread ON hourhand.gmail_messages (tenant_id, thread_id, received_at);

CREATE TABLE hourhand.attachments (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    position int NOT NULL,
    filename text,
    content_type text NOT NULL,
    size bigint NOT NULL,
    sha256 bytea NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, message_id, position),
    FOREIGN KEY (tenant_id, message_id) REFERENCES hourhand.gmail_messages (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, sha256) REFERENCES hourhand.blobs (tenant_id, sha256)
);

-- What could not be taken in, with its reason; replayed by command.
CREATE TABLE hourhand.quarantine (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('message', 'webhook', 'event', 'csv_row', 'job')),
    source text NOT NULL,
    reason text NOT NULL,
    field text,
    blob_sha256 bytea,
    attempts int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    replayed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, kind, source)
);

CREATE TABLE hourhand.webhook_deliveries (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    provider text NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    body jsonb NOT NULL,
    received_at timestamptz NOT NULL,
    processed_at timestamptz,
    PRIMARY KEY (tenant_id, provider, event_id)
);
CREATE INDEX webhook_deliveries_waiting ON hourhand.webhook_deliveries (tenant_id, received_at) WHERE processed_at IS NULL;

CREATE TABLE hourhand.email_provider_failures (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    provider text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('nothing_happened', 'maybe_happened', 'never_will')),
    detail text NOT NULL,
    card_id uuid,
    at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX email_provider_failures_at ON hourhand.email_provider_failures (tenant_id, at);
