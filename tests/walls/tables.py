"""How the tables, views, keys and functions are made, by the catalogue: nothing leaves the tenant out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from migrations import roles, walls
from tests.walls.finding import Catalogue, Finding

EXACT = "tenant_id = (select nullif(current_setting('app.tenant_id', true), '')::uuid)"
"""The one condition of every wall (G3); said here again, so that a change of the walls' own module is a finding."""

UNIQUE_ACROSS_TENANTS = {
    "tenants_slug_key": "a slug names a tenant on the command line, before any tenant is entered",
    "tenant_schedule_lock_id_key": "the number of the advisory lock must differ from tenant to tenant",
}
"""Unique keys without the tenant, each with its reason; everything else tells one tenant what another has."""


def inventory(catalogue: Catalogue) -> Iterator[Finding]:
    """Every table of ours is on a list, and what is listed exists; nothing holds rows outside tables."""
    found: dict[str, set[str]] = defaultdict(set)
    rows = catalogue.execute(
        """SELECT n.nspname AS schema, c.relname AS name, c.relkind::text AS kind, p.relname AS parent
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           LEFT JOIN pg_inherits i ON i.inhrelid = c.oid LEFT JOIN pg_class p ON p.oid = i.inhparent
           WHERE n.nspname IN ('hourhand', 'control') AND c.relkind IN ('r', 'p', 'm', 'f')"""
    )
    for row in rows:
        found[row.schema].add(row.name)
        if row.kind in "mf":
            yield Finding(row.name, "a materialised view or foreign table has no wall")
        listed = walls.CONTROL_TABLES if row.schema == "control" else {**walls.TENANT_TABLES, **walls.GLOBAL_TABLES}
        if row.name not in listed and row.parent not in listed:
            yield Finding(row.name, "is on no list: give it a wall in migrations/walls.py, or name it global there")
    for name in {*walls.TENANT_TABLES, *walls.GLOBAL_TABLES} - found["hourhand"]:
        yield Finding(name, "is listed and does not exist")
    for name in set(walls.CONTROL_TABLES) - found["control"]:
        yield Finding(name, "is listed and does not exist")
    for name in set(walls.TENANT_TABLES) & set(walls.GLOBAL_TABLES):
        yield Finding(name, "is listed twice")


def columns(catalogue: Catalogue) -> Iterator[Finding]:
    """Each row of a tenant table says whose it is; no global table has a tenant; no column is an enum."""
    rows = catalogue.execute(
        """SELECT c.relname AS name, a.attnotnull AS certain, t.typname AS type, c.relispartition AS part
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'hourhand'
           LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped
           LEFT JOIN pg_type t ON t.oid = a.atttypid WHERE c.relkind IN ('r', 'p')"""
    ).fetchall()
    for row in rows:
        if row.name in walls.GLOBAL_TABLES and row.type is not None:
            yield Finding(row.name, "is called global and has a tenant_id")
        elif row.name not in walls.GLOBAL_TABLES and (row.type != "uuid" or not row.certain):
            yield Finding(row.name, "has no tenant_id uuid NOT NULL")
    enums = catalogue.execute(
        """SELECT n.nspname || '.' || t.typname AS name FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
           WHERE t.typtype = 'e' AND n.nspname IN ('hourhand', 'control', 'public')"""
    )
    for row in enums:
        yield Finding(row.name, "an enum's operators are not leakproof: use text with a CHECK")


def security(catalogue: Catalogue) -> Iterator[Finding]:
    """Row-level security is on and forced, on partitions too."""
    rows = catalogue.execute(
        """SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'hourhand' AND c.relkind IN ('r', 'p')"""
    )
    for row in rows:
        if row.name in walls.GLOBAL_TABLES:
            continue
        if not row.enabled:
            yield Finding(row.name, "row-level security is not enabled")
        if not row.forced:
            yield Finding(row.name, "row-level security is not forced on its owner")


def policies(catalogue: Catalogue) -> Iterator[Finding]:
    """One wall per tenant table, in exactly its words, and no door but those listed."""
    expected_doors = {
        (table, f"door_{role}"): (role, "*" if command == "ALL" else "r", _deparsed(catalogue, using))
        for table, role, _, command, using in walls.DOORS
    }
    wall = _deparsed(catalogue, EXACT)
    walled: set[str] = set()
    rows = catalogue.execute(
        """SELECT c.relname AS name, p.polname AS policy, p.polcmd::text AS command, p.polpermissive AS permissive,
                  ARRAY(SELECT CASE r WHEN 0 THEN 'public' ELSE pg_get_userbyid(r) END
                        FROM unnest(p.polroles) r) AS roles,
                  pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS checked
           FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname = 'hourhand'"""
    ).fetchall()
    for row in rows:
        if row.policy == "tenant_wall":
            walled.add(row.name)
            if not (row.permissive and row.command == "*" and row.roles == [roles.APP]):
                yield Finding(row.name, f"its wall is for {row.command} to {row.roles}")
            if row.using != wall:
                yield Finding(row.name, f"its wall lets through what is {row.using}")
            if row.checked != wall:
                yield Finding(row.name, f"its wall takes in what is {row.checked}")
            continue
        role, command, using = expected_doors.pop((row.name, row.policy), (None, None, None))
        checked = using if command == "*" else None
        if (row.roles, row.command, row.using, row.checked) != ([role], command, using, checked):
            yield Finding(row.name, f"has an unlisted policy {row.policy} for {row.command} to {row.roles}")
    names = catalogue.execute(
        "SELECT relname AS name FROM pg_class WHERE relnamespace = 'hourhand'::regnamespace AND relkind IN ('r', 'p')"
    ).fetchall()
    for name in {row.name for row in names} - walled - set(walls.GLOBAL_TABLES):
        yield Finding(name, "has no wall")
    for table, policy in expected_doors:
        yield Finding(table, f"the listed {policy} is missing")


def keys(catalogue: Catalogue) -> Iterator[Finding]:
    """Unique and foreign keys hold the tenant, so that none tells or points across; no index hides an expression."""
    rows = catalogue.execute(
        """SELECT t.relname AS name, i.relname AS index, x.indisunique OR x.indisexclusion AS unique,
                  x.indexprs IS NOT NULL AS computed,
                  'tenant_id' = ANY(SELECT a.attname FROM pg_attribute a WHERE a.attrelid = t.oid
                                    AND a.attnum = ANY((x.indkey::int2[])[0:x.indnkeyatts - 1])) AS held
           FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
           WHERE t.relnamespace = 'hourhand'::regnamespace"""
    ).fetchall()
    for row in rows:
        if row.name in walls.GLOBAL_TABLES:
            continue
        if row.unique and not row.held and row.index not in UNIQUE_ACROSS_TENANTS:
            yield Finding(row.name, f"unique key {row.index} leaves tenant_id out")
        if row.computed:
            yield Finding(row.name, f"index {row.index} computes: store the normalised column instead")
    for name in set(UNIQUE_ACROSS_TENANTS) - {row.index for row in rows}:
        yield Finding(name, "is excused and does not exist")
    foreign = catalogue.execute(
        """SELECT k.conname AS key, s.relname AS name, d.relname AS target,
                  d.relnamespace::regnamespace::text AS schema,
                  EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (mine, theirs)
                          JOIN pg_attribute a ON a.attrelid = s.oid AND a.attnum = pair.mine
                          JOIN pg_attribute b ON b.attrelid = d.oid AND b.attnum = pair.theirs
                          WHERE a.attname = 'tenant_id' AND b.attname = 'tenant_id') AS held
           FROM pg_constraint k JOIN pg_class s ON s.oid = k.conrelid JOIN pg_class d ON d.oid = k.confrelid
           WHERE k.contype = 'f' AND s.relnamespace = 'hourhand'::regnamespace"""
    )
    for row in foreign:
        if not row.held or row.schema != "hourhand":
            yield Finding(row.name, f"foreign key {row.key} to {row.target} leaves tenant_id out")


def indexes(catalogue: Catalogue) -> Iterator[Finding]:
    """Each index compares by operators that tell nothing: by others none is used behind a wall."""
    rows = catalogue.execute(
        """SELECT t.relname AS name, i.relname AS index, c.opcname AS operators
           FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
           CROSS JOIN unnest(x.indclass::oid[]) AS key (class) JOIN pg_opclass c ON c.oid = key.class
           WHERE t.relnamespace = 'hourhand'::regnamespace AND (NOT c.opcdefault OR EXISTS (
               SELECT FROM pg_amop o JOIN pg_operator p ON p.oid = o.amopopr JOIN pg_proc f ON f.oid = p.oprcode
               WHERE o.amopfamily = c.opcfamily AND o.amoplefttype = c.opcintype AND o.amoprighttype = c.opcintype
                 AND NOT f.proleakproof))"""
    )
    for row in rows:
        yield Finding(row.name, f"index {row.index} compares by {row.operators}, which tells what it looked at")


def code(catalogue: Catalogue) -> Iterator[Finding]:
    """No view looks with its owner's eyes, no function runs with anybody else's rights, no rule rewrites."""
    views = catalogue.execute(
        """SELECT c.relname AS name, coalesce(c.reloptions, '{}') AS options
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE c.relkind = 'v' AND n.nspname IN ('hourhand', 'control', 'public', 'queue')"""
    )
    for row in views:
        if not {"security_invoker=true", "security_invoker=on", "security_invoker=1"} & set(row.options):
            yield Finding(row.name, "a view without security_invoker looks past the wall")
    definers = catalogue.execute(
        """SELECT n.nspname || '.' || p.proname AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
           WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')"""
    )
    for row in definers:
        yield Finding(row.name, "a SECURITY DEFINER function acts with its owner's rights")
    rules = catalogue.execute(
        """SELECT c.relname AS name, r.rulename AS rule FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
           WHERE c.relnamespace IN ('hourhand'::regnamespace, 'control'::regnamespace) AND r.rulename <> '_RETURN'"""
    )
    for row in rules:
        yield Finding(row.name, f"rule {row.rule} rewrites what is asked of it")


def _deparsed(catalogue: Catalogue, condition: str) -> str:
    """A condition as the catalogue tells it back, by way of a policy that does not outlive this call."""
    with catalogue.transaction(force_rollback=True):
        catalogue.execute("CREATE TEMP TABLE probe (tenant_id uuid, state text)")
        catalogue.execute(f"CREATE POLICY probe ON probe USING ({condition})")
        row = catalogue.execute(
            "SELECT pg_get_expr(polqual, polrelid) AS told FROM pg_policy WHERE polrelid = 'pg_temp.probe'::regclass"
        ).fetchall()[0]
        return str(row.told)
