"""What each role is and may do, by the catalogue: no more than is listed."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from migrations import roles, walls
from tests.walls.finding import Catalogue, Finding

Grants = frozenset[tuple[str, str]]

WORN = set(roles.WORN)
KNOWN_ROLES = {roles.OWNER, roles.APP, *WORN}


def attributes(catalogue: Catalogue) -> Iterator[Finding]:
    """Our roles have no power of their own, and only the login role and the owner may log in."""
    powers = ("rolsuper", "rolbypassrls", "rolcreaterole", "rolcreatedb", "rolreplication")
    rows = catalogue.execute(
        f"SELECT rolname, rolcanlogin, {', '.join(powers)} FROM pg_roles WHERE rolname LIKE 'hourhand%'"
    ).fetchall()
    for row in rows:
        for power in powers:
            if getattr(row, power):
                yield Finding(row.rolname, f"has {power}")
        if row.rolcanlogin and row.rolname in WORN:
            yield Finding(row.rolname, "may log in: it is only ever worn for one transaction")
    for missing in KNOWN_ROLES - {row.rolname for row in rows}:
        yield Finding(missing, "does not exist")


def memberships(catalogue: Catalogue) -> Iterator[Finding]:
    """The login role may wear the fleet's roles, inherits nothing, and belongs to nobody else; they to nobody."""
    rows = catalogue.execute(
        """SELECT r.rolname AS role, m.rolname AS member, a.inherit_option, a.admin_option
           FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
           WHERE m.rolname LIKE 'hourhand%'"""
    ).fetchall()
    for row in rows:
        if row.member != roles.APP or row.role not in WORN:
            yield Finding(row.member, f"is a member of {row.role}")
        elif row.inherit_option or row.admin_option:
            yield Finding(row.member, f"has {row.role} without wearing it")


def owners(catalogue: Catalogue) -> Iterator[Finding]:
    """Everything in our schemas belongs to the owner, whom no process logs in as; nobody else owns anything."""
    rows = catalogue.execute(
        """SELECT n.nspname || '.' || c.relname AS name, pg_get_userbyid(c.relowner) AS owner
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('hourhand', 'control')
           UNION ALL SELECT n.nspname || '.' || p.proname, pg_get_userbyid(p.proowner)
           FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('hourhand', 'control')
           UNION ALL SELECT nspname, pg_get_userbyid(nspowner) FROM pg_namespace
           WHERE nspname IN ('hourhand', 'control')
           UNION ALL SELECT datname, pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()
             AND pg_get_userbyid(datdba) LIKE 'hourhand%'"""
    )
    for row in rows:
        if row.owner != roles.OWNER:
            yield Finding(row.name, f"belongs to {row.owner}")


def grants(catalogue: Catalogue) -> Iterator[Finding]:
    """Each role may do to each table exactly what is listed, column by column where it is; PUBLIC may nothing."""
    allowed = _allowed()
    held: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    rows = catalogue.execute(
        """WITH acl AS (
               SELECT relnamespace AS schema, relname AS name, '' AS part, relowner AS owner, (aclexplode(relacl)).*
               FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
               UNION ALL SELECT relnamespace, relname, attname, relowner, (aclexplode(attacl)).*
               FROM pg_attribute JOIN pg_class c ON c.oid = attrelid)
           SELECT schema::regnamespace::text || '.' || name AS name, part, privilege_type AS privilege, is_grantable,
                  CASE grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(grantee) END AS role
           FROM acl WHERE schema IN ('hourhand'::regnamespace, 'control'::regnamespace) AND grantee <> owner"""
    )
    for row in rows:
        held[row.name, row.role].add((row.privilege, row.part))
        if row.is_grantable:
            yield Finding(row.name, f"{row.role} may hand {row.privilege} on")
    for name, role in sorted({*held, *allowed}):
        mine, listed = held.get((name, role), set()), allowed.get((name, role), frozenset())
        for privilege, part in sorted(mine - listed):
            yield Finding(name, f"{role} may {privilege} {part}".rstrip() + ", which is listed nowhere")
        for privilege, part in sorted(listed - mine):
            yield Finding(name, f"{role} may not {privilege} {part}".rstrip() + ", which is listed")


def schemas(catalogue: Catalogue) -> Iterator[Finding]:
    """Nobody but the owner makes anything in our schemas; only control enters the control room; no default grants."""
    rows = catalogue.execute(
        """SELECT n.nspname AS schema, r.rolname AS role, has_schema_privilege(r.oid, n.oid, 'CREATE') AS makes,
                  has_schema_privilege(r.oid, n.oid, 'USAGE') AS enters
           FROM pg_namespace n CROSS JOIN pg_roles r
           WHERE n.nspname IN ('hourhand', 'control', 'queue', 'public') AND r.rolname = ANY(%s)""",
        (sorted(KNOWN_ROLES - {roles.OWNER}),),
    )
    for row in rows:
        if row.makes:
            yield Finding(row.schema, f"{row.role} may create in it")
        if row.schema == "control" and row.enters and row.role != "hourhand_control":
            yield Finding(row.schema, f"{row.role} may enter it")
    for row in catalogue.execute("SELECT pg_get_userbyid(defaclrole) AS role FROM pg_default_acl"):
        yield Finding(row.role, "what it makes is granted to somebody by default")
    makes = catalogue.execute("SELECT has_database_privilege(%s, current_database(), 'CREATE') AS yes", (roles.APP,))
    if makes.fetchall()[0].yes:
        yield Finding(roles.APP, "may create schemas")


def settings(catalogue: Catalogue) -> Iterator[Finding]:
    """No session of ours begins with a tenant, in another role or past the walls, and none may turn triggers off."""
    rows = catalogue.execute(
        """SELECT coalesce(r.rolname, 'everybody') AS role, split_part(said, '=', 1) AS setting
           FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole CROSS JOIN unnest(s.setconfig) AS said
           WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"""
    ).fetchall()
    for row in rows:
        if row.setting.startswith("app.") or row.setting in ("role", "row_security", "session_replication_role"):
            yield Finding(row.role, f"begins with a value of {row.setting}")
    for row in catalogue.execute("SELECT parname FROM pg_parameter_acl"):
        yield Finding(row.parname, "may be set by somebody who is no superuser")


def _allowed() -> dict[tuple[str, str], Grants]:
    listed: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for table, told in walls.TENANT_TABLES.items():
        listed[f"hourhand.{table}", roles.APP] |= _parsed(told)
    for table, (app, control) in walls.GLOBAL_TABLES.items():
        listed[f"hourhand.{table}", roles.APP] |= _parsed(app)
        listed[f"hourhand.{table}", "hourhand_control"] |= _parsed(control)
    for table, role, told, _, _ in walls.DOORS:
        listed[f"hourhand.{table}", role] |= _parsed(told)
    for table, told in walls.CONTROL_TABLES.items():
        listed[f"control.{table}", "hourhand_control"] |= _parsed(told)
    return {where: frozenset(told) for where, told in listed.items()}


def _parsed(told: str) -> Grants:
    """`SELECT, UPDATE (a, b)` as pairs of privilege and column; the column is empty for the whole table."""
    pairs: set[tuple[str, str]] = set()
    for privilege, parts in re.findall(r"([A-Z]+)\s*(?:\(([^)]*)\))?", told):
        pairs |= {(privilege, part.strip()) for part in parts.split(",")} if parts else {(privilege, "")}
    return frozenset(pairs)
