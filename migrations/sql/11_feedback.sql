-- Feedback: of which order a client is asked, whom, what they said, and what was done about it.

-- The moves a request may make; `domain.feedback_book.MOVES` says the same and a test compares them.
CREATE FUNCTION hourhand.feedback_moves(state text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE state
        WHEN 'queued' THEN '{sent,skipped,answered}'
        WHEN 'sent' THEN '{answered,lapsed,skipped}'
        WHEN 'lapsed' THEN '{answered}'
        WHEN 'skipped' THEN '{queued,answered}'
        ELSE '{}' END::text[]
$$;

CREATE TABLE hourhand.feedback_requests (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    client_id uuid NOT NULL,
    contact_id uuid,                            -- who was asked; until then whom a person named
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'answered', 'lapsed', 'skipped')),
    due_at timestamptz NOT NULL,                -- when it is to be asked
    latest_at timestamptz NOT NULL,             -- past it nobody is asked any more
    reason text,                                -- why it was skipped
    insisted boolean NOT NULL DEFAULT false,    -- a person had it asked although it had been skipped
    sent_at timestamptz,
    lapses_at timestamptz,                      -- so long it is waited for an answer
    reminders int NOT NULL DEFAULT 0 CHECK (reminders BETWEEN 0 AND 1),
    remind_at timestamptz,                      -- null: no reminder (any more)
    shadow_sent_at timestamptz,                 -- a held message moved it: planning goes by that
    card_id uuid,                               -- of the mail that asked
    thread_id uuid,
    visits int NOT NULL DEFAULT 0,              -- of its page, by what looked like a person
    scans int NOT NULL DEFAULT 0,               -- by what looked like a machine
    answered_at timestamptz,
    rating int CHECK (rating BETWEEN 1 AND 5),
    sentiment text CHECK (sentiment IN ('negative', 'neutral', 'positive')),
    case_id uuid,                               -- opened because of the answer
    recovery_card_id uuid,                      -- the mail that makes good
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    planned_at timestamptz GENERATED ALWAYS AS (
        CASE WHEN state = 'queued' THEN coalesce(rests_until, due_at)
             WHEN state = 'sent' AND remind_at IS NOT NULL THEN coalesce(rests_until, remind_at) END) STORED,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, order_id),
    FOREIGN KEY (tenant_id, order_id) REFERENCES hourhand.orders (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (contact_id),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    CHECK (state NOT IN ('sent', 'lapsed') OR sent_at IS NOT NULL AND lapses_at IS NOT NULL),
    CHECK (state <> 'skipped' OR reason <> ''),
    CHECK ((state = 'answered') = (answered_at IS NOT NULL)),
    CHECK (state = 'answered' OR rating IS NULL AND sentiment IS NULL)
);
CREATE INDEX feedback_requests_due ON hourhand.feedback_requests (tenant_id, due_at) WHERE state = 'queued';
CREATE INDEX feedback_requests_planned ON hourhand.feedback_requests (tenant_id, planned_at)
    WHERE planned_at IS NOT NULL;
CREATE INDEX feedback_requests_lapsing ON hourhand.feedback_requests (tenant_id, lapses_at) WHERE state = 'sent';
CREATE INDEX feedback_requests_open ON hourhand.feedback_requests (tenant_id, state) WHERE state IN ('queued', 'sent');
CREATE INDEX feedback_requests_open_client ON hourhand.feedback_requests (tenant_id, client_id)
    WHERE state IN ('queued', 'sent');
CREATE INDEX feedback_requests_shadows ON hourhand.feedback_requests (tenant_id, contact_id)
    WHERE shadow_sent_at IS NOT NULL;
CREATE INDEX feedback_requests_client ON hourhand.feedback_requests (tenant_id, client_id, id DESC);
-- whether somebody was asked lately
CREATE INDEX feedback_requests_contact ON hourhand.feedback_requests (tenant_id, contact_id, sent_at DESC)
    WHERE contact_id IS NOT NULL;
CREATE INDEX feedback_requests_thread ON hourhand.feedback_requests (tenant_id, thread_id) WHERE thread_id IS NOT NULL;
CREATE INDEX feedback_requests_card ON hourhand.feedback_requests (tenant_id, card_id) WHERE card_id IS NOT NULL;
-- statistics count a period's requests off the indexes alone
CREATE INDEX feedback_requests_sent ON hourhand.feedback_requests (tenant_id, sent_at)
    INCLUDE (state, answered_at) WHERE sent_at IS NOT NULL;
CREATE INDEX feedback_requests_answered ON hourhand.feedback_requests (tenant_id, answered_at)
    INCLUDE (rating, sentiment, case_id) WHERE answered_at IS NOT NULL;

-- mails that were to make good and came to nothing
CREATE INDEX kanban_cards_feedback_lost ON hourhand.kanban_cards (tenant_id, state_changed_at)
    WHERE engine = 'feedback' AND type = 'send_email' AND state IN ('expired', 'cancelled');

CREATE FUNCTION hourhand.check_feedback_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state AND NEW.state <> ALL (hourhand.feedback_moves(OLD.state)) THEN
        RAISE EXCEPTION 'feedback request % cannot move from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER feedback_moves BEFORE UPDATE ON hourhand.feedback_requests
    FOR EACH ROW EXECUTE FUNCTION hourhand.check_feedback_move();

-- What was said, each time it was said; which of it counts stands with the request.
CREATE TABLE hourhand.feedback_answers (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    client_id uuid NOT NULL,
    contact_id uuid,                            -- who said it, where that is known
    at timestamptz NOT NULL,
    channel text NOT NULL CHECK (channel IN ('page', 'mail', 'person')),
    by text NOT NULL,
    rating int CHECK (rating BETWEEN 1 AND 5),
    comment text CHECK (comment <> ''),
    sentiment text CHECK (sentiment IN ('negative', 'neutral', 'positive')),  -- null: nobody has read it yet
    read_by text,                               -- rating, rules, or the model that read the words
    span text,                                  -- the words that show it
    message_id uuid,
    counts boolean NOT NULL,                    -- whether it is (or was, until a later one) the request's answer
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, request_id) REFERENCES hourhand.feedback_requests (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (contact_id)
);
CREATE INDEX feedback_answers_request ON hourhand.feedback_answers (tenant_id, request_id, id DESC);
CREATE INDEX feedback_answers_client ON hourhand.feedback_answers (tenant_id, client_id, id DESC);
CREATE INDEX feedback_answers_contact ON hourhand.feedback_answers (tenant_id, contact_id) WHERE contact_id IS NOT NULL;
CREATE UNIQUE INDEX feedback_answers_message ON hourhand.feedback_answers (tenant_id, message_id)
    WHERE message_id IS NOT NULL;

-- nobody is asked what they think while a case about their account is open
CREATE INDEX cases_open ON hourhand.cases (tenant_id, client_id) WHERE state = 'open';
