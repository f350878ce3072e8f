"""Operator notices as records: whom of the tenant's own people is to be told what, once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import events, limits
from domain.db import Row, Tx
from domain.limits import Cap

PER_HOUR = 10
"""How many notices a tenant's people get in an hour, of all kinds together."""

ROLES: Mapping[str, tuple[str, ...]] = {
    "alert": ("admin", "operator"),
    "escalation": ("manager",),
    "compliance": ("manager",),
    "sign_in": ("admin", "operator", "analyst", "manager"),
}
"""The templates there are, and the roles that each may reach."""


class UnknownNotice(Exception):
    """There is no such notice template."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that is ours to send, with the verified user it is for."""

    id: UUID
    template: str
    slots: Mapping[str, Any]
    user_id: UUID
    name: str
    address: str


def reserve(
    tx: Tx, template: str, *, dedupe_key: str, slots: Mapping[str, Any], only: UUID | None = None
) -> list[Notice]:  # fmt: skip
    """Put down a notice for every verified user whom `template` may reach and who was not told yet.

    What is over the hour's limit is not put down: it is reserved again at the next occasion. With `only`, this one of
    them alone is told. Raises UnknownNotice.
    """
    people = waiting(tx, template, dedupe_key=dedupe_key, only=only)
    return [_put_down(tx, template, dedupe_key, slots, person) for person in people if room(tx) is None]


def waiting(tx: Tx, template: str, *, dedupe_key: str, only: UUID | None = None) -> Sequence[Row]:
    """The verified users whom a notice may reach and for whom it was not put down yet. Raises UnknownNotice."""
    if template not in ROLES:
        raise UnknownNotice(f"{template!r} is none of {', '.join(ROLES)}")
    return tx.rows(
        """SELECT id, name, email FROM users u WHERE tenant_id = :t AND verified_at IS NOT NULL AND role = ANY(:roles)
             AND (CAST(:only AS uuid) IS NULL OR id = :only)
             AND NOT EXISTS (SELECT FROM operator_notices n WHERE n.tenant_id = :t
                             AND n.dedupe_key = :key || ':' || u.id::text) ORDER BY id""",
        t=tx.tenant_id, roles=list(ROLES[template]), key=dedupe_key, only=only,
    )  # fmt: skip


def left(tx: Tx, *, before: datetime) -> list[tuple[Notice, datetime]]:
    """Notices put down before then that were never settled, each with when: whoever was to send them died."""
    rows = tx.rows(
        """SELECT n.id, n.template, n.slots, n.user_id, u.name, u.email, n.created_at
           FROM operator_notices n JOIN users u ON u.tenant_id = n.tenant_id AND u.id = n.user_id
           WHERE n.tenant_id = :t AND n.state = 'reserved' AND n.created_at < :before ORDER BY n.id LIMIT 20
           FOR UPDATE OF n SKIP LOCKED""",
        t=tx.tenant_id, before=before,
    )  # fmt: skip
    return [
        (Notice(row["id"], row["template"], row["slots"], row["user_id"], row["name"], row["email"]), row["created_at"])
        for row in rows
    ]


def settle(
    tx: Tx, notice: Notice, state: Literal["sent", "failed", "uncertain"], *, provider_id: str | None = None
) -> None:  # fmt: skip
    """Write down what became of a notice."""
    tx.run(
        """UPDATE operator_notices SET state = :state, provider_id = :provider, sent_at = :at
           WHERE tenant_id = :t AND id = :id AND state = 'reserved'""",
        state=state, provider=provider_id, at=tx.now if state == "sent" else None, t=tx.tenant_id, id=notice.id,
    )  # fmt: skip
    events.record(tx, f"notice.{state}", "notice", notice.id, template=notice.template)


def release(tx: Tx, notice: Notice) -> None:
    """Forget a notice that certainly did not go out: it is reserved again at the next occasion."""
    gone = tx.run("DELETE FROM operator_notices WHERE tenant_id = :t AND id = :id AND state = 'reserved'",
                  t=tx.tenant_id, id=notice.id)  # fmt: skip
    if gone:
        limits.give_back(tx, [_hourly(tx)])


def alerts_untold(tx: Tx) -> Sequence[Row]:
    """Open alerts of which somebody who should be was not told: the provider refused their notice, or none was left."""
    return tx.rows(
        """SELECT a.id, a.kind, a.severity, a.message, a.opened_at FROM agent_alerts a
           WHERE a.tenant_id = :t AND a.state = 'open' AND NOT EXISTS (
               SELECT FROM alert_mutes m WHERE m.tenant_id = :t AND m.kind = split_part(a.kind, ':', 1)
                 AND m.until > :now) AND EXISTS (
               SELECT FROM users u WHERE u.tenant_id = :t AND u.verified_at IS NOT NULL AND u.role = ANY(:roles)
                 AND NOT EXISTS (SELECT FROM operator_notices n WHERE n.tenant_id = :t
                                 AND n.dedupe_key = 'alert:' || a.id::text || ':' || u.id::text))
           ORDER BY a.id LIMIT 20""",
        t=tx.tenant_id, now=tx.now, roles=list(ROLES["alert"]),
    )  # fmt: skip


def room(tx: Tx) -> datetime | None:
    """Count one more notice of this hour, by mail or webhook; None, or when there is room again."""
    full = limits.take(tx, [_hourly(tx)])
    return full.window_end if full else None


def _hourly(tx: Tx) -> Cap:
    hour: datetime = tx.now.replace(minute=0, second=0, microsecond=0)
    return Cap("notices.hour", hour, hour + timedelta(hours=1), PER_HOUR)


def _put_down(tx: Tx, template: str, dedupe_key: str, slots: Mapping[str, Any], person: Row) -> Notice:
    notice_id = tx.clock.uuid()
    tx.run(
        """INSERT INTO operator_notices (tenant_id, id, template, user_id, dedupe_key, slots, state, created_at)
           VALUES (:t, :id, :template, :user, :key, :slots, 'reserved', :now)""",
        t=tx.tenant_id, id=notice_id, template=template, user=person["id"], key=f"{dedupe_key}:{person['id']}",
        slots=dict(slots), now=tx.now,
    )  # fmt: skip
    return Notice(notice_id, template, slots, person["id"], person["name"], person["email"])
