"""Transactions: each belongs to one tenant, or to one of the few roles that may look over the walls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import psycopg
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb, JsonbDumper
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError

from domain.clock import Clock
from domain.dispatch import Dispatch

Row = Mapping[str, Any]
Role = Literal["dispatcher", "fleet", "control"]

# A dead host must not keep its locks for hours.
_LOCK_CONNECTION_OPTIONS = (
    "-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c tcp_user_timeout=15000"
)
_NAMED_VALUE = re.compile(r"(?<![:\w]):(\w+)")
_SESSION_OPTIONS = "-c timezone=UTC -c jit=off -c idle_in_transaction_session_timeout=60000"


class FenceLost(Exception):
    """Another worker has taken this tenant over: what this one meant to write is void."""


class PartFailed(BaseException):
    """A part of a transaction failed that had no savepoint: all of it must be done again, with savepoints.

    No handler of the part itself may take it for its own error, hence the base class.
    """


class Tx:
    """One open transaction. Commits when its block ends, rolls back when it raises."""

    def __init__(
        self, connection: Connection, clock: Clock, tenant_id: UUID | None, actor: str, run_id: UUID | None,
        *, whole: bool = False,
    ) -> None:  # fmt: skip
        self._connection = connection
        # the pool, the transaction and the errors are SQLAlchemy's; statements go straight to the driver, because
        # compiling each and wrapping its rows costs more than the round trip
        self._driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
        self._cursor: psycopg.Cursor[DictRow] = self._driver.cursor(row_factory=dict_row)
        self._tenant_id = tenant_id
        self._whole = whole
        self.clock = clock
        self.actor = actor
        self.run_id = run_id
        self.now: datetime = clock.now()
        self.settings_told: str | None = None
        """The tenant's settings as they were stored when the transaction began; None: not asked, or changed since."""
        self.memo: dict[str, Any] = {}
        """What verbs remember of this transaction, so as not to ask or write twice; a failed savepoint empties it."""

    @property
    def tenant_id(self) -> UUID:
        """The tenant whose rows this transaction sees. Raises LookupError where there is none."""
        if self._tenant_id is None:
            raise LookupError("this transaction belongs to no tenant")
        return self._tenant_id

    def rows(self, sql: str, **values: Any) -> Sequence[Row]:
        """Every row of a query. `:name` stands for a value; a dict becomes jsonb, a list an array."""
        return self._execute(sql, values).fetchall()

    def row(self, sql: str, **values: Any) -> Row | None:
        """The first row, or None."""
        return self._execute(sql, values).fetchone()

    def value(self, sql: str, **values: Any) -> Any:
        """The first column of the first row, or None."""
        row = self._execute(sql, values).fetchone()
        return next(iter(row.values())) if row is not None else None

    def stream(self, sql: str, *, batch: int = 500, **values: Any) -> Iterator[Row]:
        """The rows of a query that may be larger than memory, fetched so many at a time while the transaction lasts."""
        name = f"stream_{self.clock.uuid().hex}"
        with self._driver.cursor(name=name, row_factory=dict_row) as cursor:
            cursor.itersize = batch
            yield from cursor.execute(_in_the_drivers_words(sql), values)

    def run(self, sql: str, **values: Any) -> int:
        """Execute a statement; the number of rows that it touched."""
        return self._execute(sql, values).rowcount

    def run_many(self, sql: str, values: Sequence[Mapping[str, Any]]) -> None:
        """Execute a statement once per mapping, in one batch."""
        if values:
            self._execute(sql, values)

    def plan_anew(self) -> None:
        """Forget how this connection does its statements, foreign keys' checks included.

        Plans that were made while a table was small walk all of it ever after: whoever fills tables asks for this now
        and then, or his work grows with its square.
        """
        self._cursor.execute("DISCARD PLANS")

    def roll_back(self) -> None:
        """Undo everything so far; the transaction is over, and its block ends without a commit."""
        self._connection.rollback()

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A block whose failure undoes itself alone; in a transaction that is `whole` it raises PartFailed instead."""
        if self._whole:
            try:
                yield
            except Exception as error:
                raise PartFailed from error
            return
        try:
            with self._connection.begin_nested():
                yield
        except BaseException:
            self.memo.clear()
            raise

    def _execute(self, sql: str, values: dict[str, Any] | Sequence[Mapping[str, Any]]) -> psycopg.Cursor[DictRow]:
        """One statement, or one for each of several mappings. Raises SQLAlchemy's DBAPIError."""
        statement, many = _in_the_drivers_words(sql), not isinstance(values, dict)
        # whoever listens to SQLAlchemy's statements hears these as well
        for hear in self._connection.dispatch.before_cursor_execute:
            hear(self._connection, self._cursor, statement, values, None, many)
        try:
            if isinstance(values, dict):
                return self._cursor.execute(statement, _with_arrays(values))
            self._cursor.executemany(statement, values)
            return self._cursor
        except psycopg.Error as error:
            raise self._declared(error, statement) from error

    def _declared(self, error: psycopg.Error, statement: str) -> BaseException:
        """The driver's error as SQLAlchemy declares it; a pool whose server is gone begins anew."""
        lost = self._driver.closed or self._driver.broken
        if lost:
            self._connection.invalidate(error)
            self._connection.engine.dispose()
        return DBAPIError.instance(
            statement, None, error, psycopg.Error, hide_parameters=True, connection_invalidated=lost,
            dialect=self._connection.dialect,
        )  # fmt: skip


class Database:
    """The database as the process sees it: logged in as `hourhand_app`, walled in per transaction."""

    def __init__(self, url: str, clock: Clock, *, pool_size: int = 12, application_name: str = "hourhand") -> None:
        self.url = url
        self.clock = clock
        self.dispatch = Dispatch(_libpq(url))
        self._engine = _engine(url, pool_size, application_name)

    @contextmanager
    def tenant(
        self, tenant_id: UUID, *, actor: str = "agent", run_id: UUID | None = None, fence: int | None = None,
        whole: bool = False,
    ) -> Iterator[Tx]:  # fmt: skip
        """A transaction that sees one tenant's rows and no others.

        With `fence`, the tenant's lock must still be held under that number, and can't change hands before the commit.
        A `whole` one spares the round trips of savepoints, for a caller that does all of it again should a part fail.
        Raises FenceLost, PartFailed.
        """
        with self._engine.begin() as connection:
            tx = Tx(connection, self.clock, tenant_id, actor, run_id, whole=whole)
            now = tx.now.isoformat() if self.clock.virtual else None
            tx.settings_told = tx.value("SELECT hourhand.enter(:t, :fence, :now)", t=tenant_id, fence=fence, now=now)
            if tx.settings_told is None:
                raise FenceLost(f"tenant {tenant_id}: fence {fence} is no longer held")
            yield tx

    @contextmanager
    def reading(self, tenant_id: UUID, *, actor: str = "agent") -> Iterator[Tx]:
        """A transaction that only reads one tenant's rows, all of them as of one moment however long it takes."""
        with self._engine.connect() as connection:
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                tx = Tx(connection, self.clock, tenant_id, actor, None)
                self._set(tx, {"app.tenant_id": str(tenant_id)})
                yield tx

    @contextmanager
    def rewriting(self, tenant_id: UUID, *, actor: str) -> Iterator[Tx]:
        """A transaction that may change what is otherwise only added to, within one tenant: for erasing alone."""
        with self._engine.begin() as connection:
            tx = Tx(connection, self.clock, tenant_id, actor, None)
            self._set(tx, {"role": "hourhand_eraser", "app.tenant_id": str(tenant_id)})
            yield tx

    @contextmanager
    def wearing(self, role: Role, *, actor: str = "system") -> Iterator[Tx]:
        """A transaction in one of the fleet's roles; it sees what `migrations.walls.DOORS` lists, no tenant's rows."""
        with self._engine.begin() as connection:
            tx = Tx(connection, self.clock, None, actor, None)
            self._set(tx, {"role": f"hourhand_{role}"})
            yield tx

    @contextmanager
    def founding(self, tenant_id: UUID, *, actor: str) -> Iterator[tuple[Tx, Tx]]:
        """One transaction in two guises, control then tenant, to found a tenant with its first rows."""
        with self._engine.begin() as connection:
            control = Tx(connection, self.clock, None, actor, None)
            inside = Tx(connection, self.clock, tenant_id, actor, None)
            self._set(control, {"role": "hourhand_control"})
            yield control, inside

    def enter(self, inside: Tx) -> None:
        """Leave control behind and step inside the tenant that is being founded."""
        inside.run("RESET ROLE")
        self._set(inside, {"app.tenant_id": str(inside.tenant_id)})

    def direct(self, *, application_name: str = "hourhand-lock") -> psycopg.Connection:
        """A connection of its own in autocommit, for session locks; it must never read or write tenant data."""
        return psycopg.connect(
            _libpq(self.url), autocommit=True, application_name=application_name, options=_LOCK_CONNECTION_OPTIONS
        )

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self.dispatch.close()
        self._engine.dispose()

    def _set(self, tx: Tx, settings: dict[str, str]) -> None:
        if self.clock.virtual:
            settings = {**settings, "app.now": tx.now.isoformat()}
        calls = ", ".join(f"set_config('{name}', :v{at}, true)" for at, name in enumerate(settings))
        tx.value(f"SELECT {calls}", **{f"v{at}": value for at, value in enumerate(settings.values())})


@lru_cache(maxsize=4096)
def _in_the_drivers_words(sql: str) -> str:
    """A statement with `:name` as psycopg's `%(name)s`; `::` stays a cast."""
    return _NAMED_VALUE.sub(r"%(\1)s", sql.replace("%", "%%"))


def _with_arrays(values: dict[str, Any]) -> dict[str, Any]:
    """Lists of ids and of texts as PostgreSQL spells arrays: the driver looks at each element of a list four times."""
    spelled = {name: _array(value) for name, value in values.items() if type(value) is list and value}
    return {**values, **spelled} if spelled else values


def _array(values: list[Any]) -> Any:
    elements = []
    for each in values:
        kind = type(each)
        if kind is UUID:
            elements.append(each.hex)
        elif each is None:
            elements.append("NULL")
        elif kind is str:
            escaped = each.replace("\\", "\\\\").replace('"', '\\"')
            elements.append(f'"{escaped}"')
        else:
            return values
    return f"{{{','.join(elements)}}}"


def json_list(values: Sequence[Any]) -> Jsonb:
    """A list for a jsonb column; a bare list would become an array."""
    return Jsonb(list(values))


def _engine(url: str, pool_size: int, application_name: str) -> Engine:
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        max_overflow=4,
        pool_timeout=10,
        pool_pre_ping=False,
        pool_use_lifo=True,
        # what fails here is logged, and the values may be the words of a mail
        hide_parameters=True,
        connect_args={"application_name": application_name, "options": _SESSION_OPTIONS, "prepare_threshold": 3},
    )

    @event.listens_for(engine, "connect")
    def _adapt(connection: Any, _record: Any) -> None:
        connection.adapters.register_dumper(dict, JsonbDumper)

    return engine


def _libpq(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
