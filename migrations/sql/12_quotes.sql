-- Quotes: what was offered to whom at which price, in which revision, and what happened around it.

-- The last number that a tenant gave to a quote.
CREATE TABLE hourhand.quote_numbers (
    tenant_id uuid PRIMARY KEY REFERENCES hourhand.tenants ON DELETE CASCADE,
    last int NOT NULL CHECK (last > 0)
);

-- The moves a quote may make; `domain.quote_book.MOVES` says the same and a test compares them.
CREATE FUNCTION hourhand.quote_moves(status text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE status
        WHEN 'draft' THEN '{sent,withdrawn}'
        WHEN 'sent' THEN '{viewed,accepted,rejected,expired,draft,withdrawn}'
        WHEN 'viewed' THEN '{accepted,rejected,expired,draft,withdrawn}'
        WHEN 'expired' THEN '{draft}'
        ELSE '{}' END::text[]
$$;

CREATE TABLE hourhand.quotes (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    number text NOT NULL CHECK (number <> ''),
    client_id uuid NOT NULL,
    contact_id uuid,
    deal_id uuid,
    title text,
    status text NOT NULL DEFAULT 'draft' CHECK (status IN (
        'draft', 'sent', 'viewed', 'accepted', 'rejected', 'expired', 'withdrawn')),
    revision int NOT NULL DEFAULT 1 CHECK (revision > 0),
    source text NOT NULL,                       -- person, api, mail
    currency text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    discount_percent numeric(5, 2) NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    subtotal numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(subtotal) AND subtotal >= 0),
    discount_amount numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(discount_amount) AND discount_amount BETWEEN 0 AND subtotal),
    tax_amount numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(tax_amount) AND tax_amount >= 0),
    total numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(total)),
    unpriced int NOT NULL DEFAULT 0,            -- lines without a price; one is enough to keep it from going out
    validity_days int CHECK (validity_days BETWEEN 1 AND 365),   -- null: the tenant's own
    valid_until timestamptz,                    -- set when it is about to be sent
    terms text,                                 -- what else the client agrees to
    evidence jsonb NOT NULL DEFAULT '{}',       -- where a mail asked for it: {message_id, quote}
    message_id uuid,                            -- the mail that asked for it
    thread_id uuid,                             -- the conversation it is spoken of in
    offered_at timestamptz,                     -- since when the draft is meant to be sent
    sent_at timestamptz,
    first_viewed_at timestamptz,
    answered_at timestamptz,
    answered_by text,
    reason text,
    visits int NOT NULL DEFAULT 0,              -- by what looked like a person
    scans int NOT NULL DEFAULT 0,               -- by what looked like a machine
    follow_ups int NOT NULL DEFAULT 0,
    follow_up_due_at timestamptz,               -- null: none any more
    -- what a held message moved: planning reads it instead
    shadow_sent_at timestamptz,
    shadow_follow_ups int,
    shadow_follow_up_due_at timestamptz,
    planned_at timestamptz GENERATED ALWAYS AS (
        CASE WHEN status IN ('sent', 'viewed') AND shadow_follow_ups IS NULL THEN follow_up_due_at
             WHEN status IN ('draft', 'sent', 'viewed') THEN shadow_follow_up_due_at END) STORED,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, number),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (contact_id),
    FOREIGN KEY (tenant_id, deal_id) REFERENCES hourhand.deals (tenant_id, id) ON DELETE SET NULL (deal_id),
    CHECK (total = subtotal - discount_amount + tax_amount),
    CHECK (status IN ('draft', 'withdrawn') OR sent_at IS NOT NULL AND valid_until IS NOT NULL AND unpriced = 0),
    CHECK (status <> 'viewed' OR first_viewed_at IS NOT NULL),
    CHECK ((status IN ('accepted', 'rejected')) = (answered_at IS NOT NULL)),
    CHECK (status <> 'rejected' OR reason <> '')
);
CREATE UNIQUE INDEX quotes_message ON hourhand.quotes (tenant_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX quotes_planned ON hourhand.quotes (tenant_id, planned_at)
    WHERE planned_at IS NOT NULL AND rests_until IS NULL;
CREATE INDEX quotes_overdue ON hourhand.quotes (tenant_id, follow_up_due_at)
    WHERE status IN ('sent', 'viewed') AND shadow_follow_ups IS NOT NULL AND rests_until IS NULL;
CREATE INDEX quotes_expiring ON hourhand.quotes (tenant_id, valid_until) WHERE status IN ('sent', 'viewed');
CREATE INDEX quotes_drafts ON hourhand.quotes (tenant_id, id)
    WHERE status = 'draft' AND (offered_at IS NOT NULL OR message_id IS NOT NULL);
CREATE INDEX quotes_awake ON hourhand.quotes (tenant_id, id)
    WHERE status = 'draft' AND (offered_at IS NOT NULL OR message_id IS NOT NULL) AND rests_until IS NULL;
CREATE INDEX quotes_shadows ON hourhand.quotes (tenant_id)
    WHERE shadow_sent_at IS NOT NULL OR shadow_follow_ups IS NOT NULL;
CREATE INDEX quotes_client ON hourhand.quotes (tenant_id, client_id, id DESC);
CREATE INDEX quotes_open ON hourhand.quotes (tenant_id, client_id) INCLUDE (contact_id, currency, total, status)
    WHERE status IN ('sent', 'viewed');
CREATE INDEX quotes_contact ON hourhand.quotes (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX quotes_deal ON hourhand.quotes (tenant_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX quotes_thread ON hourhand.quotes (tenant_id, thread_id) WHERE thread_id IS NOT NULL;
-- statistics count a period's quotes off the indexes alone
CREATE INDEX quotes_sent ON hourhand.quotes (tenant_id, sent_at) INCLUDE (status, answered_at, first_viewed_at)
    WHERE sent_at IS NOT NULL;

CREATE FUNCTION hourhand.check_quote_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IS DISTINCT FROM OLD.status AND NEW.status <> ALL (hourhand.quote_moves(OLD.status)) THEN
        RAISE EXCEPTION 'quote % cannot move from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    -- what a client may have seen is never offered again under the same link
    IF OLD.status <> 'draft' AND NEW.status = 'draft' AND NEW.revision <> OLD.revision + 1 THEN
        RAISE EXCEPTION 'quote %: a new draft is a new revision', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    -- nothing of an offer changes under the client's eyes
    IF OLD.status <> 'draft' AND NEW.status <> 'draft' AND (
        NEW.total, NEW.currency, NEW.revision, NEW.number, NEW.valid_until, NEW.client_id)
        IS DISTINCT FROM (OLD.total, OLD.currency, OLD.revision, OLD.number, OLD.valid_until, OLD.client_id) THEN
        RAISE EXCEPTION 'quote %: an offer is changed as a new draft', OLD.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER quote_moves BEFORE UPDATE ON hourhand.quotes
    FOR EACH ROW EXECUTE FUNCTION hourhand.check_quote_move();

CREATE TABLE hourhand.quote_lines (
    tenant_id uuid NOT NULL,
    quote_id uuid NOT NULL,
    position int NOT NULL CHECK (position > 0),
    product_id uuid,
    code text,
    description text NOT NULL CHECK (description <> ''),
    quantity numeric(12, 3) NOT NULL CHECK (quantity > 0),
    unit_price numeric CHECK (hourhand.is_amount(unit_price) AND unit_price >= 0),  -- null: nobody has said what it costs
    discount_percent numeric(5, 2) NOT NULL DEFAULT 0 CHECK (discount_percent BETWEEN 0 AND 100),
    tax_percent numeric(5, 2) NOT NULL DEFAULT 0 CHECK (tax_percent BETWEEN 0 AND 100),
    amount numeric CHECK (hourhand.is_amount(amount) AND (amount IS NULL) = (unit_price IS NULL)),  -- after its own discount, before tax
    unmatched boolean NOT NULL DEFAULT false,   -- a mail asked for it, and the catalogue knows nothing of the kind
    PRIMARY KEY (tenant_id, quote_id, position),
    FOREIGN KEY (tenant_id, quote_id) REFERENCES hourhand.quotes (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, product_id) REFERENCES hourhand.products (tenant_id, id)
);
CREATE INDEX quote_lines_product ON hourhand.quote_lines (tenant_id, product_id) WHERE product_id IS NOT NULL;

CREATE TABLE hourhand.quote_activities (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    quote_id uuid NOT NULL,
    revision int NOT NULL,
    kind text NOT NULL CHECK (kind IN (
        'created', 'changed', 'offered', 'sent', 'visit', 'scan', 'viewed', 'follow_up', 'replied', 'bounced',
        'revised', 'accepted', 'rejected', 'expired', 'withdrawn')),
    at timestamptz NOT NULL,
    by text NOT NULL,
    card_id uuid,
    message_id uuid,
    data jsonb NOT NULL DEFAULT '{}',           -- of a revision: what was offered before; of a visit: what it looked like
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, quote_id) REFERENCES hourhand.quotes (tenant_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX quote_activities_card ON hourhand.quote_activities (tenant_id, card_id, kind)
    WHERE card_id IS NOT NULL;
CREATE UNIQUE INDEX quote_activities_message ON hourhand.quote_activities (tenant_id, quote_id, message_id)
    WHERE message_id IS NOT NULL;
CREATE INDEX quote_activities_quote ON hourhand.quote_activities (tenant_id, quote_id, at DESC, id DESC);

-- What a client agreed to becomes an order once: by its quote, or where there was none, by its deal.
ALTER TABLE hourhand.orders ADD COLUMN deal_id uuid, ADD COLUMN quote_id uuid,
    ADD FOREIGN KEY (tenant_id, deal_id) REFERENCES hourhand.deals (tenant_id, id) ON DELETE SET NULL (deal_id),
    ADD FOREIGN KEY (tenant_id, quote_id) REFERENCES hourhand.quotes (tenant_id, id) ON DELETE SET NULL (quote_id);
CREATE UNIQUE INDEX orders_quote ON hourhand.orders (tenant_id, quote_id)
    WHERE quote_id IS NOT NULL AND status <> 'cancelled';
CREATE UNIQUE INDEX orders_won ON hourhand.orders (tenant_id, deal_id)
    WHERE deal_id IS NOT NULL AND quote_id IS NULL AND status <> 'cancelled';
CREATE INDEX orders_deal ON hourhand.orders (tenant_id, deal_id) WHERE deal_id IS NOT NULL;
CREATE INDEX orders_quoted ON hourhand.orders (tenant_id, quote_id) WHERE quote_id IS NOT NULL;
