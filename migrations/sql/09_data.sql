-- Files that were taken in, row by row, so that each can be told, mended and undone; people who are being erased.

CREATE TABLE hourhand.imports (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('clients', 'contacts', 'orders', 'deals', 'products')),
    filename text NOT NULL,
    size bigint NOT NULL,
    upload_id uuid,                             -- what it reads, where the file came through the API; gone when it is done
    sha256 bytea NOT NULL,                      -- of the whole file and of how it is to be read: the same goes on
    reading jsonb NOT NULL,                     -- encoding, delimiter, the columns and what they mean, options
    state text NOT NULL DEFAULT 'running'
        CHECK (state IN ('running', 'done', 'failed', 'undoing', 'undone')),
    failure text CHECK ((failure IS NOT NULL) OR state <> 'failed'), -- why no more of it is taken in or back
    stumbles int NOT NULL DEFAULT 0,            -- how often in a row nothing came of going on with it: others go first
    line bigint NOT NULL DEFAULT 0,             -- the last line that was taken in
    bytes_read bigint NOT NULL DEFAULT 0,       -- how much of the file the rows up to it take
    rows bigint NOT NULL DEFAULT 0,
    created bigint NOT NULL DEFAULT 0,
    changed bigint NOT NULL DEFAULT 0,
    unchanged bigint NOT NULL DEFAULT 0,
    skipped bigint NOT NULL DEFAULT 0,
    bad bigint NOT NULL DEFAULT 0,
    accounts_created bigint NOT NULL DEFAULT 0,
    undone bigint NOT NULL DEFAULT 0,
    left_alone bigint NOT NULL DEFAULT 0,
    started_by text NOT NULL,
    started_at timestamptz NOT NULL,
    moved_at timestamptz NOT NULL,              -- when a row was last taken in or undone
    finished_at timestamptz,
    undone_by text,
    undone_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX imports_open ON hourhand.imports (tenant_id, sha256) WHERE state = 'running';
CREATE INDEX imports_under_way ON hourhand.imports (tenant_id, id) WHERE state IN ('running', 'undoing');

-- One line for each record that a row made or changed, and for each row that was not taken in.
CREATE TABLE hourhand.import_rows (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    seq bigint NOT NULL,                        -- in the order in which it was done
    line bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('created', 'changed', 'skipped', 'bad')),
    subject_type text,
    subject_id uuid,
    before jsonb,                               -- what stood in the fields that it changed
    after jsonb,                                -- what it wrote there
    at timestamptz NOT NULL,
    field text,
    mend text,
    raw text,                                   -- the row as it stood, where it was not taken in
    undo text CHECK (undo IN ('undone', 'left_alone')),
    undo_reason text,
    PRIMARY KEY (tenant_id, import_id, seq),
    FOREIGN KEY (tenant_id, import_id) REFERENCES hourhand.imports (tenant_id, id) ON DELETE CASCADE
);
-- what an undo has still to go through: it must not pass over what it has done already
CREATE INDEX import_rows_to_undo ON hourhand.import_rows (tenant_id, import_id, seq)
    WHERE undo IS NULL AND outcome IN ('created', 'changed');
CREATE INDEX import_rows_outcome ON hourhand.import_rows (tenant_id, import_id, outcome, seq);

-- Which line of a file under way meant each record first: the lines below that mean it, too, are left out.
CREATE TABLE hourhand.import_first_lines (
    tenant_id uuid NOT NULL,
    import_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    line bigint NOT NULL,
    PRIMARY KEY (tenant_id, import_id, subject_id),
    FOREIGN KEY (tenant_id, import_id) REFERENCES hourhand.imports (tenant_id, id) ON DELETE CASCADE
);

-- A person who is to be forgotten: by what they are found is sealed, and thrown away when nothing is left of them.
CREATE TABLE hourhand.erasures (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    contact_id uuid,
    traces_ciphertext bytea,
    traces_key_id text,
    asked_by text NOT NULL,
    reason text NOT NULL,
    asked_at timestamptz NOT NULL,
    passed text[] NOT NULL DEFAULT '{}',        -- the tables that were gone through
    found jsonb NOT NULL DEFAULT '{}',          -- how many rows of each table spoke of them
    finished_at timestamptz,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX erasures_open ON hourhand.erasures (tenant_id, id) WHERE finished_at IS NULL;
