"""The kill switch: its levels, what each of them stops, and the flip that returns only when stopped means stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from domain import alerts, audit, cards, events, gate
from domain.db import Database, Tx

Level = Literal["all", "mail", "engine", "action"]

OUTWARD = frozenset({
    "send_email", "follow_up", "send_quote", "request_feedback", "broadcast_email", "compliance_reminder",
    "request_order_info",
})  # fmt: skip
"""The action types that leave the house as mail."""

DRAIN_SECONDS = 20.0
ALERT = "kill_switch"


class UnknownSwitch(Exception):
    """There is no such switch: the level is all, mail, engine or action, and the last two need a name."""


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch: of the house when `tenant_id` is None, else of that tenant."""

    tenant_id: UUID | None
    level: Level
    name: str = ""

    def __post_init__(self) -> None:
        needs_name = self.level in ("engine", "action")
        if self.level not in ("all", "mail", "engine", "action") or needs_name != bool(self.name):
            raise UnknownSwitch(f"{self.level} {self.name}".strip())
        if self.level == "action" and self.name not in cards.TYPES:
            # a misspelt stop must never look like one that worked
            known = ", ".join(sorted(cards.TYPES))
            raise UnknownSwitch(f"name: there is no action type {self.name!r}; there are {known}")

    @property
    def config_key(self) -> str:
        """Its key in `system_config`, where it is a switch of the house."""
        return {"all": "global_enabled", "mail": "email_send_disabled"}.get(
            self.level, f"{self.level}_disabled.{self.name}"
        )


@dataclass(frozen=True, slots=True)
class InFlight:
    """A card that was still executing when the stop gave up waiting."""

    tenant_id: UUID
    card_id: UUID
    type: str


@dataclass(frozen=True, slots=True)
class Flip:
    """What a flip came to. Stopped, nothing new starts; settled, nothing in flight remains either."""

    stopped: bool
    settled: bool
    in_flight: tuple[InFlight, ...] = ()


def stop(database: Database, switch: Switch, *, by: str, reason: str, timeout_seconds: float = DRAIN_SECONDS) -> Flip:
    """Stop what `switch` governs, on every machine. Linearizable: once this returns settled, it has stopped.

    The flag is committed first; then the stop lock is taken alone, so that every send which read the old flag has
    finished; then the durable rows are asked, because a lost gate connection frees its locks early. Raises
    psycopg.Error or SQLAlchemy's DBAPIError when the database is lost meanwhile: the flag may stand, and nobody knows
    what is in flight until it is stopped once more.
    """
    lock_id = write(database, switch, stopped=True, by=by, reason=reason)
    clock, ends = database.clock, database.clock.monotonic() + timeout_seconds
    if not gate.drain(database, lock_id or gate.HOUSE, timeout_seconds=timeout_seconds):
        # whoever still holds the gate may be sending, even past its deadline: a process that was paused
        return Flip(stopped=True, settled=False, in_flight=_in_flight(database, switch, overdue=True))
    while in_flight := _in_flight(database, switch):
        if clock.monotonic() >= ends:
            return Flip(stopped=True, settled=False, in_flight=in_flight)
        clock.wait(0.02)
    return Flip(stopped=True, settled=True)


def resume(database: Database, switch: Switch, *, by: str, reason: str) -> Flip:
    """Let what `switch` governs go on."""
    write(database, switch, stopped=False, by=by, reason=reason)
    return Flip(stopped=False, settled=True)


def closed(tx: Tx) -> frozenset[tuple[str, str, str]]:
    """Every switch that is stopped for this tenant, as (scope, level, name); scope is house or tenant.

    As they stood when this transaction first asked: whoever sends takes the gate's locks before it asks.
    """
    if "closed" not in tx.memo:
        return first_seen(tx, tx.value(f"SELECT {CLOSED}", t=tx.tenant_id))
    known: frozenset[tuple[str, str, str]] = tx.memo["closed"]
    return known


CLOSED = """(SELECT coalesce(jsonb_agg(jsonb_build_array(scope, level, name)), '[]') FROM (
    SELECT 'house' AS scope,
           CASE WHEN key = 'global_enabled' THEN 'all' WHEN key = 'email_send_disabled' THEN 'mail'
                ELSE split_part(key, '_disabled.', 1) END AS level,
           CASE WHEN key LIKE '%\\_disabled.%' THEN split_part(key, '_disabled.', 2) ELSE '' END AS name
    FROM system_config
    WHERE (key = 'global_enabled' AND value = 'false')
       OR (value = 'true' AND (key = 'email_send_disabled' OR key LIKE 'engine\\_disabled.%'
                               OR key LIKE 'action\\_disabled.%'))
    UNION ALL SELECT 'tenant', 'all', '' FROM tenants WHERE tenant_id = :t AND NOT agent_enabled
    UNION ALL SELECT 'tenant', level, name FROM tenant_switches WHERE tenant_id = :t AND stopped) AS stops)"""
"""SQL for what `first_seen` takes, for a statement that asks more than the switches."""


def first_seen(tx: Tx, told: Sequence[Sequence[str]]) -> frozenset[tuple[str, str, str]]:
    """The closed switches as a statement told them (`CLOSED`); an earlier answer in this transaction stands."""
    known: frozenset[tuple[str, str, str]] = tx.memo.setdefault("closed", frozenset(
        (scope, level, name) for scope, level, name in told))  # fmt: skip
    return known


def states(tx: Tx) -> list[dict[str, object]]:
    """Every switch of the house that was ever set, with who, when and why; in a transaction that wears control."""
    rows = tx.rows(
        """SELECT key, value, reason, updated_by, nullif(updated_at, '-infinity') AS updated_at
           FROM hourhand.system_config
           WHERE key IN ('global_enabled', 'email_send_disabled') OR key LIKE '%\\_disabled.%' ORDER BY key"""
    )
    return [
        {"switch": row["key"], "stopped": row["value"] == (row["key"] != "global_enabled"), "reason": row["reason"],
         "by": row["updated_by"], "at": row["updated_at"] if row["updated_by"] != "installation" else None}
        for row in rows
    ]  # fmt: skip


def spoken(config_key: str) -> str:
    """A switch of the house in plain words, by its key in `system_config`."""
    level, _, name = config_key.partition("_disabled")
    return {"global_enabled": "everything", "email_send": "mail"}.get(level, f"{level} {name.removeprefix('.')}")


def stops(closed_switches: frozenset[tuple[str, str, str]], card_type: str, engine: str) -> tuple[str, str, str] | None:
    """The strongest closed switch that stops an action of `card_type` proposed by `engine`, or None."""
    levels = [("all", ""), ("engine", engine), ("action", card_type)]
    if card_type in OUTWARD:
        levels.insert(1, ("mail", ""))
    for level, name in levels:
        for scope in ("house", "tenant"):
            if (scope, level, name) in closed_switches:
                return scope, level, name
    return None


def write(database: Database, switch: Switch, *, stopped: bool, by: str, reason: str) -> int | None:
    """Commit a switch's flag with its audit line, and no more; the tenant's lock id, or None for the house.

    `stop` and `resume` are what callers want: a flag alone does not stop what has already read it.
    """
    verb = "switch.stop" if stopped else "switch.resume"
    subject = f"{switch.level}:{switch.name}" if switch.name else switch.level
    if switch.tenant_id is None:
        with database.wearing("control", actor=by) as tx:
            tx.run(
                """INSERT INTO hourhand.system_config (key, value, reason, updated_by, updated_at)
                   VALUES (:key, to_jsonb(CAST(:value AS boolean)), :reason, :by, :now)
                   ON CONFLICT (key) DO UPDATE SET value = excluded.value, reason = excluded.reason,
                       updated_by = excluded.updated_by, updated_at = excluded.updated_at""",
                key=switch.config_key, value=stopped != (switch.level == "all"), reason=reason, by=by, now=tx.now,
            )  # fmt: skip
            _alert(tx, any(each["stopped"] for each in states(tx)), subject, by=by, book=alerts.HOUSE)
            audit.record_control(tx, verb, subject, reason=reason)
        return None
    with database.tenant(switch.tenant_id, actor=by) as tx:
        if switch.level == "all":
            tx.run("UPDATE tenants SET agent_enabled = :on, updated_at = :now WHERE tenant_id = :t",
                   on=not stopped, now=tx.now, t=tx.tenant_id)  # fmt: skip
        else:
            tx.run(
                """INSERT INTO tenant_switches (tenant_id, level, name, stopped, reason, changed_by, changed_at)
                   VALUES (:t, :level, :name, :stopped, :reason, :by, :now)
                   ON CONFLICT (tenant_id, level, name) DO UPDATE SET stopped = excluded.stopped,
                       reason = excluded.reason, changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
                t=tx.tenant_id, level=switch.level, name=switch.name, stopped=stopped, reason=reason, by=by, now=tx.now,
            )  # fmt: skip
        audit.record(tx, verb, subject, reason=reason)
        events.record(tx, verb, "switch", subject, reason=reason)
        own = any(scope == "tenant" for scope, _level, _name in closed(tx))
        _alert(tx, own, subject, by=by, book=alerts.TENANT)
        if subject == "mail" and not stopped:
            alerts.resolve(tx, "mail_breaker", by=by)
        return int(tx.value("SELECT lock_id FROM tenant_schedule WHERE tenant_id = :t", t=tx.tenant_id))


def _alert(tx: Tx, any_closed: bool, subject: str, *, by: str, book: alerts.Book) -> None:
    """An alert is open exactly while a switch is closed: a stop that was forgotten is found again."""
    if any_closed:
        alerts.open(tx, ALERT, f"A kill switch is on: {subject}, by {by}. `hourhand status` shows it.",
                    severity="critical", book=book, switch=subject)  # fmt: skip
    else:
        alerts.resolve(tx, ALERT, by=by, book=book)


def _in_flight(database: Database, switch: Switch, *, overdue: bool = False) -> tuple[InFlight, ...]:
    """The cards that are executing before their deadline; with `overdue`, those past it as well."""
    query = """SELECT tenant_id, id, type FROM hourhand.kanban_cards
               WHERE state = 'executing' AND (:overdue OR executing_until > hourhand.db_now())"""
    if switch.tenant_id is None:
        with database.wearing("control") as tx:
            rows = tx.rows(query, overdue=overdue)
    else:
        with database.tenant(switch.tenant_id) as tx:
            rows = tx.rows(query, overdue=overdue)
    return tuple(InFlight(row["tenant_id"], row["id"], row["type"]) for row in rows)
