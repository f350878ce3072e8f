"""The prover bites: each hole is made on purpose in a database of its own, and must be found."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pytest

from tests.gears import Clone
from tests.walls import prover
from tests.walls.finding import connect

OPEN = "USING (true) WITH CHECK (true)"


@dataclass(frozen=True, slots=True)
class Defect:
    """A hole: how it is made, what the catalogue must say of it, and whether somebody can really walk through."""

    name: str
    made_by: str
    told: str
    crossed: bool = False


DEFECTS = (
    Defect("policy dropped", "DROP POLICY tenant_wall ON hourhand.contacts", "contacts: has no wall", crossed=True),
    Defect(
        "row-level security off",
        "ALTER TABLE hourhand.contacts DISABLE ROW LEVEL SECURITY",
        "contacts: row-level security is not enabled",
        crossed=True,
    ),
    Defect(
        "not forced on the owner",
        "ALTER TABLE hourhand.contacts NO FORCE ROW LEVEL SECURITY",
        "contacts: row-level security is not forced",
    ),
    Defect(
        "everybody let through",
        "ALTER POLICY tenant_wall ON hourhand.contacts USING (true)",
        "contacts: its wall lets through what is true",
        crossed=True,
    ),
    Defect(
        "anything taken in",
        "ALTER POLICY tenant_wall ON hourhand.contacts WITH CHECK (true)",
        "contacts: its wall takes in what is true",
        crossed=True,
    ),
    Defect(
        "no check of its own",
        "DROP POLICY tenant_wall ON hourhand.contacts; CREATE POLICY tenant_wall ON hourhand.contacts TO hourhand_app "
        "USING (tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))",
        "contacts: its wall takes in what is None",
    ),
    Defect(
        "a default tenant",
        "ALTER POLICY tenant_wall ON hourhand.contacts USING (tenant_id = (select coalesce(nullif("
        "current_setting('app.tenant_id', true), '')::uuid, '00000000-0000-0000-0000-00000000000b')))",
        "contacts: its wall lets through",
        crossed=True,
    ),
    Defect(
        "open where no tenant is set",
        "ALTER POLICY tenant_wall ON hourhand.contacts "
        "USING (coalesce(current_setting('app.tenant_id', true), '') = '' OR "
        "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid))",
        "contacts: its wall lets through",
        crossed=True,
    ),
    Defect(
        "the wall asked for every row",
        "ALTER POLICY tenant_wall ON hourhand.contacts "
        "USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)",
        "contacts: its wall lets through",
    ),
    Defect(
        "a second, permissive policy",
        f"CREATE POLICY also ON hourhand.contacts TO hourhand_app {OPEN}",
        "contacts: has an unlisted policy also",
        crossed=True,
    ),
    Defect(
        "a policy for everybody",
        f"CREATE POLICY also ON hourhand.users TO public {OPEN}",
        "users: has an unlisted policy also",
        crossed=True,
    ),
    Defect(
        "a wider door",
        "ALTER POLICY door_hourhand_control ON hourhand.kanban_cards USING (true)",
        "kanban_cards: has an unlisted policy door_hourhand_control",
    ),
    Defect(
        "a new table that nobody walled",
        "CREATE TABLE hourhand.notes (tenant_id uuid NOT NULL, id uuid, PRIMARY KEY (tenant_id, id)); "
        "ALTER TABLE hourhand.notes OWNER TO hourhand_owner",
        "notes: is on no list",
        crossed=True,
    ),
    Defect(
        "a new table as a migration makes it, its wall forgotten",
        "SET ROLE hourhand_owner; CREATE TABLE hourhand.notes (tenant_id uuid NOT NULL, id uuid NOT NULL, "
        "PRIMARY KEY (tenant_id, id)); GRANT SELECT, INSERT ON hourhand.notes TO hourhand_app; RESET ROLE",
        "notes: has no wall",
        crossed=True,
    ),
    Defect(
        "a new table without a tenant",
        "CREATE TABLE hourhand.notes (id uuid PRIMARY KEY, text text); "
        "ALTER TABLE hourhand.notes OWNER TO hourhand_owner",
        "notes: has no tenant_id",
    ),
    Defect(
        "a partition that nobody walled",
        "CREATE TABLE hourhand.notes (tenant_id uuid NOT NULL, at date NOT NULL, PRIMARY KEY (tenant_id, at)) "
        "PARTITION BY RANGE (at); CREATE TABLE hourhand.notes_2026 PARTITION OF hourhand.notes DEFAULT",
        "notes_2026: row-level security is not enabled",
        crossed=True,
    ),
    Defect(
        "a view with its owner's eyes",
        "CREATE VIEW hourhand.people AS SELECT * FROM hourhand.contacts",
        "people: a view without security_invoker",
        crossed=True,
    ),
    Defect(
        "a view that carries rows out of their table",
        "CREATE MATERIALIZED VIEW hourhand.people AS SELECT * FROM hourhand.contacts",
        "people: a materialised view",
    ),
    Defect(
        "unique key without the tenant",
        "ALTER TABLE hourhand.contacts ADD CONSTRAINT one_email UNIQUE (email)",
        "contacts: unique key one_email leaves tenant_id out",
    ),
    Defect(
        "the tenant only beside the key",
        "CREATE UNIQUE INDEX one_email ON hourhand.contacts (email) INCLUDE (tenant_id)",
        "contacts: unique key one_email leaves tenant_id out",
    ),
    Defect(
        "foreign key without the tenant",
        "CREATE UNIQUE INDEX bare ON hourhand.users (id);"
        "ALTER TABLE hourhand.tasks ADD CONSTRAINT bare FOREIGN KEY (assignee_id) REFERENCES hourhand.users (id)",
        "tasks: foreign key bare to users leaves tenant_id out",
    ),
    Defect(
        "an index that computes",
        "CREATE INDEX shouting ON hourhand.contacts (tenant_id, lower(name))",
        "contacts: index shouting computes",
    ),
    Defect(
        "an enum",
        "CREATE TYPE hourhand.mood AS ENUM ('good', 'bad'); ALTER TABLE hourhand.contacts ADD mood hourhand.mood",
        "hourhand.mood: an enum",
    ),
    Defect(
        "the login role owns a table",
        "ALTER TABLE hourhand.contacts OWNER TO hourhand_app; "
        "ALTER TABLE hourhand.contacts NO FORCE ROW LEVEL SECURITY",
        "hourhand.contacts: belongs to hourhand_app",
        crossed=True,
    ),
    Defect(
        "a function with its owner's rights",
        "CREATE FUNCTION hourhand.everybody() RETURNS SETOF hourhand.contacts LANGUAGE sql SECURITY DEFINER "
        "AS 'SELECT * FROM hourhand.contacts'; ALTER FUNCTION hourhand.everybody() OWNER TO hourhand_owner",
        "hourhand.everybody: a SECURITY DEFINER function",
    ),
    Defect(
        "the control room is open",
        "GRANT USAGE ON SCHEMA control TO hourhand_app; GRANT SELECT ON control.admin_keys TO hourhand_app",
        "control.admin_keys: hourhand_app may SELECT, which is listed nowhere",
        crossed=True,
    ),
    Defect(
        "control sees whole cards",
        "GRANT SELECT ON hourhand.kanban_cards TO hourhand_control",
        "hourhand.kanban_cards: hourhand_control may SELECT, which is listed nowhere",
    ),
    Defect(
        "the dispatcher looks into the mail",
        "GRANT SELECT ON hourhand.gmail_messages TO hourhand_dispatcher",
        "hourhand.gmail_messages: hourhand_dispatcher may SELECT, which is listed nowhere",
        crossed=True,
    ),
    Defect(
        "the audit log can be rewritten",
        "GRANT UPDATE (reason) ON hourhand.audit_log TO hourhand_app",
        "hourhand.audit_log: hourhand_app may UPDATE reason, which is listed nowhere",
    ),
    Defect(
        "everybody may read",
        "GRANT SELECT ON hourhand.contacts TO public",
        "hourhand.contacts: PUBLIC may SELECT, which is listed nowhere",
        crossed=True,
    ),
    Defect(
        "rows emptied past every policy",
        "GRANT TRUNCATE ON hourhand.contacts TO hourhand_app",
        "hourhand.contacts: hourhand_app may TRUNCATE, which is listed nowhere",
    ),
    Defect(
        "a sequence that anybody moves",
        "CREATE SEQUENCE hourhand.numbers; ALTER SEQUENCE hourhand.numbers OWNER TO hourhand_owner; "
        "GRANT USAGE ON SEQUENCE hourhand.numbers TO hourhand_app",
        "hourhand.numbers: hourhand_app may USAGE, which is listed nowhere",
    ),
    Defect(
        "a door that only looks",
        "DROP POLICY door_hourhand_dispatcher ON hourhand.tenant_schedule; CREATE POLICY door_hourhand_dispatcher "
        "ON hourhand.tenant_schedule FOR SELECT TO hourhand_dispatcher USING (true)",
        "tenant_schedule: has an unlisted policy door_hourhand_dispatcher",
    ),
    Defect(
        "an index by the beginnings of words",
        "CREATE INDEX beginnings ON hourhand.contacts (tenant_id, email text_pattern_ops)",
        "contacts: index beginnings compares by text_pattern_ops",
    ),
    Defect(
        "an index by what is in a document",
        "CREATE INDEX inside ON hourhand.kanban_cards USING gin (payload)",
        "kanban_cards: index inside compares by jsonb_ops",
    ),
    Defect(
        "a grant is missing",
        "REVOKE DELETE ON hourhand.reactions_due FROM hourhand_app",
        "hourhand.reactions_due: hourhand_app may not DELETE, which is listed",
    ),
    Defect(
        "what is made is granted by default",
        "ALTER DEFAULT PRIVILEGES FOR ROLE hourhand_owner IN SCHEMA hourhand GRANT SELECT ON TABLES TO hourhand_app",
        "hourhand_owner: what it makes is granted",
    ),
    Defect(
        "the login role makes tables",
        "GRANT CREATE ON SCHEMA hourhand TO hourhand_app",
        "hourhand: hourhand_app may create in it",
    ),
)

POWERS = (
    ("ALTER ROLE hourhand_app BYPASSRLS", "hourhand_app: has rolbypassrls"),
    ("ALTER ROLE hourhand_app SUPERUSER", "hourhand_app: has rolsuper"),
    ("ALTER ROLE hourhand_control BYPASSRLS", "hourhand_control: has rolbypassrls"),
    ("ALTER ROLE hourhand_fleet LOGIN", "hourhand_fleet: may log in"),
    (
        "ALTER ROLE hourhand_app SET app.tenant_id = '00000000-0000-0000-0000-00000000000b'",
        "hourhand_app: begins with a value of app.tenant_id",
    ),
    (
        "GRANT SET ON PARAMETER session_replication_role TO hourhand_app",
        "session_replication_role: may be set by somebody",
    ),
    ("GRANT hourhand_owner TO hourhand_app", "hourhand_app: is a member of hourhand_owner"),
    ("GRANT pg_read_all_data TO hourhand_app", "hourhand_app: is a member of pg_read_all_data"),
    ("GRANT hourhand_fleet TO hourhand_app WITH INHERIT TRUE", "hourhand_app: has hourhand_fleet without wearing it"),
)
"""Powers belong to the whole server, where other tests run: these are looked at inside a transaction and undone."""


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_hole_is_found(cloned: Clone, defect: Defect) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute(defect.made_by)
    with connect(cloned.admin_url) as catalogue:
        told = [str(each) for each in prover.by_the_catalogue(catalogue)]
    assert any(each.startswith(defect.told) for each in told), told
    table = defect.told.partition(":")[0].removeprefix("hourhand.").replace("people", "contacts")
    crossed = [str(each) for each in prover.by_trying(cloned.admin_url, cloned.url(), only=table)]
    assert bool(crossed) == defect.crossed, crossed


@pytest.mark.parametrize(("made_by", "told"), POWERS)
def test_a_power_is_found(cloned: Clone, made_by: str, told: str) -> None:
    with connect(cloned.admin_url) as catalogue:
        catalogue.execute(made_by)
        found = [str(each) for each in prover.by_the_catalogue(catalogue)]
        catalogue.rollback()
    assert any(each.startswith(told) for each in found), found
