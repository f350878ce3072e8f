"""A tenant's own people: who may be told things, by which role, once they have shown that an address is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import addresses, audit, events
from domain.db import Row, Tx

Role = Literal["admin", "operator", "analyst", "manager"]
ROLES: tuple[Role, ...] = ("admin", "operator", "analyst", "manager")


class InvalidUser(Exception):
    """A user needs a name, an address and one of the roles admin, operator, analyst, manager."""


class UnknownUser(LookupError):
    """The tenant has no such user."""


@dataclass(frozen=True, slots=True)
class User:
    """One person of the tenant."""

    id: UUID
    email: str
    name: str
    role: Role
    verified_at: datetime | None
    created_at: datetime


COLUMNS = ", ".join(User.__slots__)


def add(tx: Tx, *, email: str, name: str, role: Role) -> User:
    """Add a person, or change the name and role of one who is known by that address.

    Raises InvalidUser, InvalidAddress.
    """
    if role not in ROLES:
        raise InvalidUser(f"role: {role!r} is none of {', '.join(ROLES)}")
    if not name.strip():
        raise InvalidUser("name: a user needs a name")
    row = tx.row(
        f"""INSERT INTO users (tenant_id, id, email, name, role, created_at)
            VALUES (:t, :id, :email, :name, :role, :now)
            ON CONFLICT (tenant_id, email) DO UPDATE SET name = excluded.name, role = excluded.role
            RETURNING {COLUMNS}, id = :id AS fresh""",
        t=tx.tenant_id, id=tx.clock.uuid(), email=addresses.normalise(email), name=name.strip(), role=role, now=tx.now,
    )  # fmt: skip
    assert row is not None
    user = _load(row)
    verb = "user.added" if row["fresh"] else "user.changed"
    audit.record(tx, verb, str(user.id), role=role)
    events.record(tx, verb, "user", user.id, role=role)
    return user


def verify(tx: Tx, user_id: UUID) -> User:
    """Note that the address is the person's own; only verified users are ever sent a notice. Raises UnknownUser."""
    row = tx.row(
        f"""UPDATE users SET verified_at = coalesce(verified_at, :now) WHERE tenant_id = :t AND id = :id
            RETURNING {COLUMNS}, verified_at = :now AS fresh""",
        now=tx.now, t=tx.tenant_id, id=user_id,
    )  # fmt: skip
    if row is None:
        raise UnknownUser(f"there is no user {user_id}")
    if row["fresh"]:
        audit.record(tx, "user.verified", str(user_id))
        events.record(tx, "user.verified", "user", user_id)
    return _load(row)


def get(tx: Tx, user_id: UUID) -> User | None:
    """One person of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM users WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=user_id)
    return _load(row) if row else None


def by_address(tx: Tx, address: str) -> User | None:
    """The person known by an address, or None. Raises InvalidAddress."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM users WHERE tenant_id = :t AND email = :email",
        t=tx.tenant_id, email=addresses.normalise(address),
    )  # fmt: skip
    return _load(row) if row else None


def listed(tx: Tx, *, roles: Sequence[str] = ROLES, verified: bool = False) -> Sequence[User]:
    """The tenant's people with one of `roles`, by name; with `verified`, only those whose address is proven."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM users WHERE tenant_id = :t AND role = ANY(:roles)
            AND (NOT :verified OR verified_at IS NOT NULL) ORDER BY name, id""",
        t=tx.tenant_id, roles=list(roles), verified=verified,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _load(row: Row) -> User:
    return User(**{name: row[name] for name in User.__slots__})
