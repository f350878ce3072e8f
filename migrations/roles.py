"""The roles of the database and the schemas they own: made once per cluster, safe to make again."""

from __future__ import annotations

import psycopg
from psycopg import sql

OWNER = "hourhand_owner"
APP = "hourhand_app"
# Worn for one transaction by the process (SET LOCAL ROLE), never inherited.
WORN = ("hourhand_dispatcher", "hourhand_fleet", "hourhand_control", "hourhand_eraser")

_ROLE_LOCK = 4_207_001


def ensure(admin_url: str, *, app_password: str | None = None) -> None:
    """Create roles, schemas and the vector extension through an administrator's connection.

    `app_password` is set on the login role when given; an embedded server needs none.
    Raises psycopg.Error when `admin_url` may not create roles.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_ROLE_LOCK,))
        _roles(connection)
        if app_password is not None:
            connection.execute(
                sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(APP), sql.Literal(app_password))
            )
        _schemas(connection)
        connection.execute("SELECT pg_advisory_unlock(%s)", (_ROLE_LOCK,))


def _roles(connection: psycopg.Connection) -> None:
    known = {row[0] for row in connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'hourhand%%'")}
    limits = "NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
    for role, login in ((OWNER, "LOGIN"), (APP, "LOGIN"), *((worn, "NOLOGIN") for worn in WORN)):
        if role not in known:
            connection.execute(f"CREATE ROLE {role} {login} {limits}")
    for worn in WORN:
        connection.execute(f"GRANT {worn} TO {APP} WITH INHERIT FALSE, SET TRUE")
    connection.execute(f"ALTER ROLE {APP} SET search_path = hourhand, queue, public")
    connection.execute(f"ALTER ROLE {OWNER} SET search_path = hourhand, queue, public")


def _schemas(connection: psycopg.Connection) -> None:
    connection.execute(f"GRANT {OWNER} TO CURRENT_USER WITH INHERIT TRUE, SET TRUE")
    for schema in ("hourhand", "control", "queue"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {OWNER}")
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public")
    connection.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
    connection.execute(f"GRANT USAGE ON SCHEMA hourhand TO {APP}, {', '.join(WORN)}")
    connection.execute("GRANT USAGE ON SCHEMA control TO hourhand_control")
    connection.execute(f"GRANT USAGE ON SCHEMA queue TO {APP}, hourhand_dispatcher")
