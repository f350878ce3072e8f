"""The composition root: builds the house from settings, on a database brought to the version this code expects."""

from __future__ import annotations

import base64
import contextlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from domain.clock import Clock, SystemClock
from domain.db import Database
from domain.gate import Gate
from domain.house import House, LocalBrakes, Outlook
from domain.imap_accounts import ImapAccount
from domain.locks import TenantLocks
from domain.ports import LogIn
from domain.settings import Mode
from domain.vault import Vault
from providers.gmail_consent import GoogleAuthorization
from providers.hooks import WebhookPoster
from simulator.clock import ShiftedClock
from worker import embedded
from worker.embedded import Server
from worker.hands import VendorHands
from worker.key_ring import parse_keys
from worker.model_hands import VendorModels
from worker.settings import Settings

KEY_FILE = "master.keys"
FLAG_FILE = "STOP"
SPARE_CONNECTIONS = 6


class DatabaseBehind(Exception):
    """The database's schema is not the one that this version expects."""


class DatabaseUnfit(Exception):
    """The login at DATABASE_URL can't be used: it must be hourhand_app, which no wall lets through."""


class DatabaseAway(Exception):
    """The database can't be entered: see that it runs, and that the address and its password are right."""


class KeyFileUnreadable(Exception):
    """The key file in the data folder can't be used: restore it, or set HOURHAND_MASTER_KEYS."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A house on its ground."""

    house: House
    settings: Settings
    server: Server | None
    """The embedded server, where there is one."""

    @property
    def admin_url(self) -> str | None:
        """The URL of a role that may create roles, where it is known."""
        return _admin_url(self.settings, self.server)


@contextlib.contextmanager
def standing(settings: Settings, *, hold: bool = False, clock: Clock | None = None) -> Iterator[Standing]:
    """Have the house for the length of a block. With `hold`, as the one main process of its data folder.

    Raises DataFolderHeld, DatabaseAway, DatabaseBehind, DatabaseUnfit, KeyFileUnreadable.
    """
    clock = clock or _clock(settings)
    with contextlib.ExitStack() as closing:
        server = _server(settings, clock, hold=hold)
        if server is not None:
            closing.callback(server.stop)
        url = _app_url(settings, server)
        upgrade(settings, server)
        database = Database(
            url, clock, pool_size=settings.concurrency + settings.mailbox_concurrency + SPARE_CONNECTIONS
        )
        closing.callback(database.dispose)
        house = build(settings, database, clock)
        closing.callback(house.gate.close)
        closing.callback(house.locks.close)
        yield Standing(house, settings, server)


def _clock(settings: Settings) -> Clock:
    shift = timedelta(seconds=settings.clock_shift_seconds)
    return ShiftedClock(shift) if shift else SystemClock()


def build(settings: Settings, database: Database, clock: Clock) -> House:
    """The house over a database that stands. Raises KeyFileUnreadable."""
    vault = Vault(master_keys(settings, database))
    holder = f"{socket.gethostname()}:{os.getpid()}:{clock.now().isoformat(timespec='seconds')}"
    return House(
        clock=clock,
        database=database,
        gate=Gate(database),
        locks=TenantLocks(database, holder),
        hands=VendorHands(settings, vault, clock),
        vault=vault,
        google=_google(settings),
        imap=_log_in(settings),
        hooks=_hooks(settings),
        outlook=_outlook(settings),
        brakes=brakes(settings),
        public_url=settings.address,
        holder=holder,
        models=VendorModels(settings, vault, clock),
        provider_deadline_seconds=settings.provider_deadline_seconds,
        lease_seconds=settings.provider_deadline_seconds + 5,
        stalled_seconds=settings.stalled_seconds,
    )


def _log_in(settings: Settings) -> LogIn:
    def log_in(account: ImapAccount) -> None:
        from providers.imap_calls import try_out

        try_out(account, seconds=settings.provider_deadline_seconds)

    return log_in


def _google(settings: Settings) -> GoogleAuthorization:
    return GoogleAuthorization(
        settings.google_client_id,
        settings.google_client_secret.get_secret_value() if settings.google_client_secret else "",
        authorization_url=settings.google_authorization_url,
        token_url=settings.google_token_url,
        api_url=settings.gmail_api_url,
        call_seconds=settings.provider_deadline_seconds,
    )


def _hooks(settings: Settings) -> WebhookPoster:
    return WebhookPoster(private=settings.private_webhooks)


def _outlook(settings: Settings) -> Outlook:
    return Outlook(
        settings.alert_webhook_url or "",
        settings.alert_webhook_secret.get_secret_value() if settings.alert_webhook_secret else "",
        settings.alive_url or "",
    )


def brakes(settings: Settings) -> LocalBrakes:
    """The brakes that work without the database."""
    return LocalBrakes(
        kill_switch=settings.kill_switch,
        kill_reason=settings.kill_reason,
        mail_disabled=settings.mail_disabled,
        send_mode=Mode[settings.send_mode],
        flag_file=settings.flag_file or settings.folder / FLAG_FILE,
    )


def upgrade(settings: Settings, server: Server | None) -> bool:
    """Bring the database to this version's schema; False when it was there. Raises DatabaseBehind, DatabaseUnfit."""
    found, wanted = found_version(settings, server), head()
    if found == wanted:
        return False
    if found is not None and found > wanted:
        raise DatabaseBehind(f"the database has schema {found}, newer than this version's {wanted}: upgrade Hourhand")
    admin_url = _admin_url(settings, server)
    if admin_url is None:
        raise DatabaseBehind(
            f"the database has schema {found or 'none'}, this version needs {wanted}: set DATABASE_ADMIN_URL to a role "
            "that may create roles, then run `hourhand db upgrade`"
        )
    from psycopg import OperationalError
    from sqlalchemy.engine import make_url

    from migrations import apply

    password = make_url(_app_url(settings, server)).password
    try:
        apply.upgrade(admin_url, app_password=str(password) if password else None)
    except OperationalError as error:
        raise DatabaseAway(f"DATABASE_ADMIN_URL: {str(error).strip()}. {DatabaseAway.__doc__}") from error
    version(_app_url(settings, server))
    return True


def found_version(settings: Settings, server: Server | None) -> str | None:
    """The schema version that stands; None for a database that was never used. Raises DatabaseUnfit, DatabaseAway."""
    try:
        return version(_app_url(settings, server))
    except DatabaseAway:
        # before the first upgrade there is no such login; a server tells strangers no more than that it refused
        if _admin_url(settings, server) is None:
            raise
        return None


def version(url: str) -> str | None:
    """The schema version that the process's login sees; None when there is none. Raises DatabaseUnfit, DatabaseAway."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
            role = connection.execute(
                "SELECT rolname, rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            if role is not None and role[1]:
                raise DatabaseUnfit(
                    f"DATABASE_URL logs in as {role[0]}, who sees over every wall. {DatabaseUnfit.__doc__}"
                )
            row = connection.execute("SELECT version_num FROM hourhand.alembic_version").fetchone()
            return str(row[0]) if row else None
    except psycopg.errors.UndefinedTable:
        return None
    except psycopg.OperationalError as error:
        raise DatabaseAway(f"DATABASE_URL: {str(error).strip()}. {DatabaseAway.__doc__}") from error


def head() -> str:
    """The newest schema version that this code knows."""
    versions = Path(__file__).parent.parent / "migrations" / "versions"
    return max(path.name[:4] for path in versions.glob("[0-9][0-9][0-9][0-9]_*.py"))


def master_keys(settings: Settings, database: Database) -> dict[str, bytes]:
    """The master keys that were set, else those of the key file, which a new house makes. Raises KeyFileUnreadable."""
    if settings.master_keys is not None:
        return parse_keys(settings.master_keys.get_secret_value())
    path = settings.folder / KEY_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        if _inhabited(database):
            raise KeyFileUnreadable(
                f"{path} is missing, and this database was sealed with it. {KeyFileUnreadable.__doc__}"
            )
        _make_key_file(path)
    if path.stat().st_mode & 0o077:
        raise KeyFileUnreadable(f"{path} is open to other users: run `chmod 600 {path}`. {KeyFileUnreadable.__doc__}")
    try:
        return parse_keys(path.read_text(encoding="utf-8").strip().replace("\n", ","))
    except (ValueError, OSError) as error:
        raise KeyFileUnreadable(f"{path}: {error}. {KeyFileUnreadable.__doc__}") from error


def _inhabited(database: Database) -> bool:
    """Whether keys or secrets may exist already: another master key would make all of them unreadable."""
    with database.wearing("control") as tx:
        return bool(tx.value("SELECT EXISTS (SELECT FROM hourhand.tenants) OR EXISTS (SELECT FROM control.admin_keys)"))


def _make_key_file(path: Path) -> None:
    """Whole or not at all, and never over another process's: a lost key is every secret lost."""
    partial = path.with_suffix(f".{os.getpid()}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"k1:{base64.b64encode(os.urandom(32)).decode()}\n")
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(FileExistsError):
        os.link(partial, path)
    partial.unlink()


def _server(settings: Settings, clock: Clock, *, hold: bool) -> Server | None:
    if settings.database_url is not None:
        return None
    if hold:
        return embedded.start(settings.folder, since=clock.now().isoformat(timespec="seconds"))
    return embedded.attach(settings.folder)


def _app_url(settings: Settings, server: Server | None) -> str:
    if server is not None:
        return server.url("hourhand_app")
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def _admin_url(settings: Settings, server: Server | None) -> str | None:
    if server is not None:
        return server.url("postgres")
    return settings.database_admin_url.get_secret_value() if settings.database_admin_url else None
