-- Products, accounts' credit, orders with their lines, the processing queue with its exceptions, and goals.

-- an amount as it was told: currencies have no decimals, two, three or four (ISO 4217)
CREATE FUNCTION hourhand.is_amount(told numeric) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT abs(told) < 1e12 AND scale(told) <= 4
$$;

CREATE TABLE hourhand.products (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    external_id text,
    code text NOT NULL CHECK (code <> ''),      -- upper case, as orders name it
    name text NOT NULL CHECK (name <> ''),
    kind text NOT NULL DEFAULT 'goods' CHECK (kind IN ('goods', 'property', 'inspection')),
    currency text NOT NULL DEFAULT 'USD',
    price numeric NOT NULL CHECK (hourhand.is_amount(price) AND price >= 0),   -- of one unit
    tech_fee numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(tech_fee) AND tech_fee >= 0),   -- of an order with this product
    tolerance_percent numeric(5, 2) CHECK (tolerance_percent BETWEEN 0 AND 100),    -- null: the tenant's own
    requirements text[],                        -- null: those of its kind
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    UNIQUE (tenant_id, code)
);

-- What an account may owe: only accounts that may order on bill need a line here.
CREATE TABLE hourhand.client_credit (
    tenant_id uuid NOT NULL,
    client_id uuid NOT NULL,
    terms text NOT NULL DEFAULT 'prepaid' CHECK (terms IN ('prepaid', 'bill')),
    net_days int CHECK (net_days BETWEEN 0 AND 365),
    currency text NOT NULL DEFAULT 'USD',
    credit_limit numeric CHECK (hourhand.is_amount(credit_limit) AND credit_limit >= 0),      -- null: nobody has set one
    outstanding_balance numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(outstanding_balance)),      -- below zero: the account has paid ahead
    reserved numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(reserved) AND reserved >= 0),   -- accepted orders on bill, not yet delivered
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, client_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE
);

-- The moves an order may make; `domain.orders.MOVES` says the same and a test compares them.
CREATE FUNCTION hourhand.order_moves(status text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE status
        WHEN 'draft' THEN '{new,accepted,in_progress,delivered,closed,cancelled}'
        WHEN 'new' THEN '{accepted,in_progress,delivered,closed,cancelled}'
        WHEN 'accepted' THEN '{new,in_progress,delivered,closed,cancelled}'
        WHEN 'in_progress' THEN '{delivered,closed,cancelled}'
        WHEN 'delivered' THEN '{closed}'
        ELSE '{}' END::text[]
$$;

CREATE TABLE hourhand.orders (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    external_id text,                           -- by which another system knows it
    number text,                                -- as people write it, upper case
    client_id uuid,
    contact_id uuid,
    status text NOT NULL CHECK (status IN (
        'draft', 'new', 'accepted', 'in_progress', 'delivered', 'closed', 'cancelled')),
    source text NOT NULL,                       -- person, import, api, mail
    billing text NOT NULL DEFAULT 'prepaid' CHECK (billing IN ('prepaid', 'bill')),
    currency text NOT NULL DEFAULT 'USD',
    fee numeric CHECK (hourhand.is_amount(fee)),
    tech_fee numeric CHECK (hourhand.is_amount(tech_fee)),
    total_amount numeric CHECK (hourhand.is_amount(total_amount)),
    credit_reserved numeric NOT NULL DEFAULT 0.00 CHECK (hourhand.is_amount(credit_reserved) AND credit_reserved >= 0),
    details jsonb NOT NULL DEFAULT '{}',        -- property_address, borrower_name … as text
    evidence jsonb NOT NULL DEFAULT '{}',       -- field → {message_id, quote} where a mail brought it
    told jsonb NOT NULL DEFAULT '{}',           -- what its own system told last, so that repeating it is no news
    thread_id uuid,                             -- the conversation it is spoken of in
    message_id uuid,                            -- the mail that ordered it
    revision int NOT NULL DEFAULT 1,
    ordered_at timestamptz NOT NULL,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, external_id),
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (contact_id),
    -- a mail from nobody known may be an order, but nothing becomes of it until somebody says whose it is
    CHECK (client_id IS NOT NULL OR status IN ('draft', 'cancelled'))
);
CREATE UNIQUE INDEX orders_message ON hourhand.orders (tenant_id, message_id) WHERE message_id IS NOT NULL;
CREATE INDEX orders_number ON hourhand.orders (tenant_id, number) WHERE number IS NOT NULL;
CREATE INDEX orders_client ON hourhand.orders (tenant_id, client_id, id DESC);
CREATE INDEX orders_contact ON hourhand.orders (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE INDEX orders_thread ON hourhand.orders (tenant_id, thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX orders_delivered ON hourhand.orders (tenant_id, delivered_at) WHERE delivered_at IS NOT NULL;
-- goals count a period's orders off the index alone
CREATE INDEX orders_counted ON hourhand.orders (tenant_id, ordered_at) INCLUDE (currency, total_amount)
    WHERE status IN ('accepted', 'in_progress', 'delivered', 'closed');

CREATE FUNCTION hourhand.check_order_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.status IS DISTINCT FROM OLD.status AND NEW.status <> ALL (hourhand.order_moves(OLD.status)) THEN
        RAISE EXCEPTION 'order % cannot move from % to %', OLD.id, OLD.status, NEW.status
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER order_moves BEFORE UPDATE OF status ON hourhand.orders
    FOR EACH ROW EXECUTE FUNCTION hourhand.check_order_move();

CREATE TABLE hourhand.order_lines (
    tenant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    position int NOT NULL,
    product_id uuid,
    code text,
    description text NOT NULL,
    quantity numeric(12, 3) NOT NULL CHECK (quantity > 0),
    unit_price numeric CHECK (hourhand.is_amount(unit_price)),
    PRIMARY KEY (tenant_id, order_id, position),
    FOREIGN KEY (tenant_id, order_id) REFERENCES hourhand.orders (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, product_id) REFERENCES hourhand.products (tenant_id, id)
);
CREATE INDEX order_lines_product ON hourhand.order_lines (tenant_id, product_id) WHERE product_id IS NOT NULL;

-- One line for each order that was to be checked: where its checking stands, and when it is looked at next.
CREATE TABLE hourhand.order_processing_queue (
    tenant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'exceptions', 'asked', 'valid', 'closed')),
    due_at timestamptz,                         -- null: nothing until something comes in
    round int NOT NULL DEFAULT 1,               -- rises each time it is to be checked anew
    entered_at timestamptz NOT NULL,
    checked_at timestamptz,
    valid_at timestamptz,
    asked_at timestamptz,                       -- when the client was last asked, or would have been
    held_mode text,                             -- the mode that kept the last question inside
    client_id uuid,                             -- whose order it is
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    PRIMARY KEY (tenant_id, order_id),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    FOREIGN KEY (tenant_id, order_id) REFERENCES hourhand.orders (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX order_processing_queue_open ON hourhand.order_processing_queue (tenant_id, due_at)
    WHERE state IN ('waiting', 'exceptions', 'asked');
CREATE INDEX order_processing_queue_awake ON hourhand.order_processing_queue (tenant_id, entered_at, order_id)
    WHERE state IN ('waiting', 'exceptions', 'asked') AND rests_until IS NULL;
CREATE INDEX order_processing_queue_client ON hourhand.order_processing_queue (tenant_id, client_id)
    WHERE state IN ('waiting', 'exceptions', 'asked');
CREATE INDEX order_processing_queue_asked ON hourhand.order_processing_queue (tenant_id, due_at) WHERE state = 'asked';
CREATE INDEX order_processing_queue_held ON hourhand.order_processing_queue (tenant_id) WHERE held_mode IS NOT NULL;
CREATE INDEX order_processing_queue_valid ON hourhand.order_processing_queue (tenant_id, valid_at) INCLUDE (entered_at)
    WHERE valid_at IS NOT NULL;
CREATE INDEX order_processing_queue_checked ON hourhand.order_processing_queue (tenant_id, checked_at)
    WHERE checked_at IS NOT NULL;

CREATE TABLE hourhand.order_processing_exceptions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    code text NOT NULL,
    field text NOT NULL DEFAULT '',
    handling text NOT NULL CHECK (handling IN ('fix', 'ask', 'person')),
    message text NOT NULL,
    facts jsonb NOT NULL DEFAULT '{}',
    product_code text GENERATED ALWAYS AS (facts ->> 'code') STORED,    -- of the product that it is about, if any
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'fixed', 'resolved', 'waived')),
    asked_at timestamptz,
    asked_card_id uuid,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by text,
    reason text,                                -- why it was resolved or waived, in a person's words
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES hourhand.orders (tenant_id, id) ON DELETE CASCADE,
    CHECK ((state = 'open') = (closed_at IS NULL)),
    CHECK (state <> 'waived' OR reason IS NOT NULL)
);
CREATE UNIQUE INDEX order_processing_exceptions_open ON hourhand.order_processing_exceptions
    (tenant_id, order_id, code, field) WHERE state = 'open';
CREATE INDEX order_processing_exceptions_product ON hourhand.order_processing_exceptions (tenant_id, product_code)
    WHERE state = 'open' AND product_code IS NOT NULL;
CREATE INDEX order_processing_exceptions_order ON hourhand.order_processing_exceptions (tenant_id, order_id);
CREATE INDEX order_processing_exceptions_opened ON hourhand.order_processing_exceptions (tenant_id, opened_at);
CREATE INDEX order_processing_exceptions_fixed ON hourhand.order_processing_exceptions (tenant_id, closed_at)
    WHERE state = 'fixed';

CREATE TABLE hourhand.goals (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    metric text NOT NULL CHECK (metric IN ('orders', 'revenue')),
    starts_on date NOT NULL,
    ends_on date NOT NULL,                      -- the last day that counts
    target numeric(16, 2) NOT NULL CHECK (target > 0),
    currency text NOT NULL DEFAULT '',          -- of revenue; empty for orders
    set_by text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, metric, starts_on, ends_on, currency),
    CHECK (ends_on >= starts_on),
    CHECK ((metric = 'revenue') = (currency <> ''))
);
CREATE INDEX goals_running ON hourhand.goals (tenant_id, ends_on);
