"""Bring a database to head: roles first, then Alembic as the owner."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from migrations import roles

_MIGRATION_LOCK = 4_207_002


def upgrade(admin_url: str, *, app_password: str | None = None) -> None:
    """Upgrade the database at `admin_url` (a libpq URL of a role that may create roles) to head.

    Several processes may call this at once: they take turns. Raises psycopg.Error on refusal.
    """
    roles.ensure(admin_url, app_password=app_password)
    engine = create_engine(_driver_url(admin_url), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _MIGRATION_LOCK})
        connection.execute(text(f"SET ROLE {roles.OWNER}"))
        connection.execute(text("SET search_path = hourhand, queue, public"))
        connection.commit()
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        connection.execute(text("RESET ROLE"))
        connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _MIGRATION_LOCK})
        connection.commit()
    engine.dispose()


def _driver_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
