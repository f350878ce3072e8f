-- Compliance: what a tenant's records must hold by when, a check for each record and period, and what came of it.

CREATE TABLE hourhand.compliance_schedule (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    frequency text NOT NULL CHECK (frequency IN ('monthly', 'quarterly', 'semi_annual', 'annual')),
    applies_to text NOT NULL CHECK (applies_to IN ('client', 'contact')),
    anchor_on date NOT NULL CHECK (anchor_on BETWEEN '2000-01-01' AND '2199-12-31'),  -- every period counts from it
    required_fields text[] NOT NULL,
    filter jsonb NOT NULL DEFAULT '{}',         -- whom it is about, in the words of `domain.compliance_filters`
    active boolean NOT NULL DEFAULT true,
    -- the period whose checks are made next, or are being made
    next_period int NOT NULL CHECK (next_period >= 0),
    next_on date NOT NULL,                      -- the day on which it falls by the calendar
    swept_to uuid,                              -- the last record that was looked at for it; null: not begun
    -- after a change: the last of its open checks that was judged by it; null: they all are
    reviewed_to uuid,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);
CREATE INDEX compliance_schedule_next ON hourhand.compliance_schedule (tenant_id, next_on) WHERE active;

-- The moves a check may make; `domain.compliance_checks.MOVES` says the same and a test compares them.
CREATE FUNCTION hourhand.compliance_moves(state text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE state
        WHEN 'pending' THEN '{reminded,overdue,completed,waived,withdrawn}'
        WHEN 'reminded' THEN '{overdue,completed,waived,withdrawn}'
        WHEN 'overdue' THEN '{escalated,completed,waived,withdrawn}'
        WHEN 'escalated' THEN '{overdue,completed,waived,withdrawn}'
        WHEN 'waived' THEN '{pending}'
        WHEN 'withdrawn' THEN '{pending,reminded}'
        ELSE '{}' END::text[]
$$;

CREATE TABLE hourhand.compliance_checks (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    entity_id uuid NOT NULL,                    -- the contact, or the account itself
    client_id uuid NOT NULL,
    contact_id uuid,                            -- null: the account's own record is checked
    period date NOT NULL,                       -- the day on which it falls by the calendar
    due_on date NOT NULL,                       -- that day, or the next business day where they are
    due_at timestamptz NOT NULL,                -- the end of it there
    state text NOT NULL DEFAULT 'pending' CHECK (state IN (
        'pending', 'reminded', 'overdue', 'escalated', 'completed', 'waived', 'withdrawn')),
    required text[] NOT NULL,                   -- as its schedule had it when it was made, or judged last
    missing text[] NOT NULL DEFAULT '{}',
    validated_at timestamptz NOT NULL,
    recheck_at timestamptz,                     -- since when the record has changed, until it was looked at again
    evidence jsonb NOT NULL DEFAULT '{}',       -- of a completed one: what showed it, and never the values themselves
    reminders int NOT NULL DEFAULT 0,
    last_reminded_at timestamptz,
    remind_at timestamptz,                      -- null: nobody is asked any more
    asked_id uuid,                              -- who was asked last
    insisted boolean NOT NULL DEFAULT false,    -- a person wants them asked, whatever they were asked lately
    heard_at timestamptz,                       -- when somebody at the account wrote after being asked
    thread_id uuid,                             -- the conversation that reminders hang below
    -- what a held reminder moved: planning reads it instead
    shadow_reminders int,
    shadow_remind_at timestamptz,
    escalate_at timestamptz,                    -- null: left to people
    escalated_at timestamptz,
    told_at timestamptz,                        -- when the manager was told of it
    task_id uuid,
    closed_at timestamptz,
    closed_by text,
    reason text,                                -- why it was waived or withdrawn
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    rests_until timestamptz,                    -- due, and nothing can be done: nobody need look at it sooner
    rest jsonb,                                 -- {kind, disposition, rule, reason}: what the ledger counts it under
    rests_in_turn boolean NOT NULL DEFAULT false,  -- others come first, and it rests no longer than they need
    planned_at timestamptz GENERATED ALWAYS AS (
        CASE WHEN state IN ('pending', 'reminded') THEN
                 coalesce(rests_until, least(remind_at, shadow_remind_at, due_at, recheck_at))
             -- past its day it is due until it is settled
             WHEN state = 'overdue' THEN coalesce(rests_until, due_at)
             WHEN state = 'escalated' THEN recheck_at END) STORED,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, schedule_id, entity_id, period),
    FOREIGN KEY (tenant_id, schedule_id) REFERENCES hourhand.compliance_schedule (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, client_id) REFERENCES hourhand.clients (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, asked_id) REFERENCES hourhand.contacts (tenant_id, id) ON DELETE SET NULL (asked_id),
    FOREIGN KEY (tenant_id, task_id) REFERENCES hourhand.tasks (tenant_id, id) ON DELETE SET NULL (task_id),
    CHECK ((rests_until IS NULL) = (rest IS NULL) AND (rests_until IS NOT NULL OR NOT rests_in_turn)),
    CHECK (due_on >= period),
    CHECK (contact_id IS NULL OR entity_id = contact_id),
    CHECK ((state IN ('completed', 'waived', 'withdrawn')) = (closed_at IS NOT NULL AND closed_by IS NOT NULL)),
    CHECK (state <> 'completed' OR missing = '{}'),
    CHECK (state NOT IN ('waived', 'withdrawn') OR reason <> ''),
    CHECK (state <> 'escalated' OR escalated_at IS NOT NULL)
);
CREATE INDEX compliance_checks_planned ON hourhand.compliance_checks (tenant_id, planned_at)
    WHERE planned_at IS NOT NULL;
-- what has changed since it was looked at, and what may be open again because of that
CREATE INDEX compliance_checks_changed ON hourhand.compliance_checks (tenant_id, recheck_at)
    WHERE recheck_at IS NOT NULL;
CREATE INDEX compliance_checks_withdrawn ON hourhand.compliance_checks (tenant_id, client_id)
    WHERE state = 'withdrawn';
CREATE INDEX compliance_checks_shadowed ON hourhand.compliance_checks (tenant_id, remind_at)
    WHERE state IN ('pending', 'reminded', 'overdue') AND shadow_reminders IS NOT NULL;
CREATE INDEX compliance_checks_untold ON hourhand.compliance_checks (tenant_id, escalated_at)
    WHERE state = 'escalated' AND told_at IS NULL;
CREATE INDEX compliance_checks_open ON hourhand.compliance_checks (tenant_id, client_id)
    INCLUDE (state, schedule_id) WHERE state IN ('pending', 'reminded', 'overdue', 'escalated');
-- what a change of its schedule bears on: open ones, and those that it may open again
CREATE INDEX compliance_checks_of_schedule ON hourhand.compliance_checks (tenant_id, schedule_id, id)
    WHERE state IN ('pending', 'reminded', 'overdue', 'escalated', 'withdrawn');
CREATE INDEX compliance_checks_lately ON hourhand.compliance_checks (tenant_id, asked_id, last_reminded_at)
    WHERE state IN ('pending', 'reminded', 'overdue') AND asked_id IS NOT NULL;
CREATE INDEX compliance_checks_entity ON hourhand.compliance_checks (tenant_id, entity_id)
    WHERE state IN ('pending', 'reminded', 'overdue', 'escalated');
CREATE INDEX compliance_checks_client ON hourhand.compliance_checks (tenant_id, client_id, id);
CREATE INDEX compliance_checks_contact ON hourhand.compliance_checks (tenant_id, contact_id)
    WHERE contact_id IS NOT NULL;
CREATE INDEX compliance_checks_asked ON hourhand.compliance_checks (tenant_id, asked_id) WHERE asked_id IS NOT NULL;
CREATE INDEX compliance_checks_task ON hourhand.compliance_checks (tenant_id, task_id) WHERE task_id IS NOT NULL;
-- statistics count a period's checks off the index alone
CREATE INDEX compliance_checks_closed ON hourhand.compliance_checks (tenant_id, closed_at)
    INCLUDE (schedule_id, state, due_at) WHERE closed_at IS NOT NULL;

CREATE FUNCTION hourhand.check_compliance_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state AND NEW.state <> ALL (hourhand.compliance_moves(OLD.state)) THEN
        RAISE EXCEPTION 'compliance check % cannot move from % to %', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    -- which record and period a check is of is what it is
    IF (NEW.schedule_id, NEW.entity_id, NEW.period) IS DISTINCT FROM (OLD.schedule_id, OLD.entity_id, OLD.period) THEN
        RAISE EXCEPTION 'compliance check % stays the check of its record and period', OLD.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER compliance_moves BEFORE UPDATE ON hourhand.compliance_checks
    FOR EACH ROW EXECUTE FUNCTION hourhand.check_compliance_move();
