-- Files on their way in through the API, a piece at a time; archives that may be fetched for a while.

CREATE TABLE hourhand.uploads (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    filename text NOT NULL,
    begun_by text NOT NULL,
    begun_at timestamptz NOT NULL,
    closed_at timestamptz,                      -- when an import began to read it: no piece comes any more
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE hourhand.upload_pieces (
    tenant_id uuid NOT NULL,
    upload_id uuid NOT NULL,
    number int NOT NULL CHECK (number BETWEEN 1 AND 256),
    size int NOT NULL CHECK (size BETWEEN 1 AND 1048576),
    digest bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (tenant_id, upload_id, number),
    FOREIGN KEY (tenant_id, upload_id) REFERENCES hourhand.uploads (tenant_id, id) ON DELETE CASCADE
);

-- That somebody may fetch everything of the tenant, and who did last (the audit log knows each time); the archive
-- itself is made when it is fetched.
CREATE TABLE hourhand.exports (
    tenant_id uuid NOT NULL REFERENCES hourhand.tenants ON DELETE CASCADE,
    id uuid NOT NULL,
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    fetched int NOT NULL DEFAULT 0,
    fetched_at timestamptz,
    fetched_by text,
    CHECK ((fetched = 0) = (fetched_at IS NULL) AND (fetched = 0) = (fetched_by IS NULL)),
    PRIMARY KEY (tenant_id, id)
);
