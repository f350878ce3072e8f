"""API keys: shown once, stored as a keyed hash, bound to one tenant or to the house, and never taken from a URL."""

from __future__ import annotations

import base64
import hmac
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import audit, events
from domain.db import Database, Row, Tx
from domain.vault import Vault

Role = Literal["admin", "operator", "analyst"]
ROLES: tuple[Role, ...] = ("admin", "operator", "analyst")

HOUSE = "house"
SECRET_BYTES = 32

# the secret is base64url and may hold underscores: only the first three are separators
_PRESENTED = re.compile(r"hh_(house|[0-9a-f]{32})_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class InvalidKey(Exception):
    """The key is not known, or it was revoked, or it has expired."""


class InvalidRole(Exception):
    """A key has one of the roles admin, operator, analyst, and a name."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a key speaks for; `tenant_id` is None for the house's own admins."""

    tenant_id: UUID | None
    role: Role
    key_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key. `secret` is the whole key, shown this once and not stored."""

    key_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is listed: everything but its secret."""

    id: str
    name: str
    role: Role
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


COLUMNS = ", ".join(Key.__slots__)


def issue(tx: Tx, vault: Vault, *, name: str, role: Role, expires_at: datetime | None = None) -> Issued:
    """A new key of the tenant that the transaction belongs to. Raises InvalidRole."""
    issued = _store(tx, vault, tx.tenant_id, name, role, expires_at)
    audit.record(tx, "key.issue", issued.key_id, name=name, role=role)
    events.record(tx, "key.issued", "key", issued.key_id, role=role)
    return issued


def issue_house(tx: Tx, vault: Vault, *, name: str, role: Role, expires_at: datetime | None = None) -> Issued:
    """A new key of the house's own admins, in a transaction that wears control. Raises InvalidRole."""
    issued = _store(tx, vault, None, name, role, expires_at)
    audit.record_control(tx, "key.issue", issued.key_id, name=name, role=role)
    return issued


def revoke(tx: Tx, key_id: str, *, reason: str) -> bool:
    """End a key of the tenant at once; False when there was none to end."""
    if not _revoke(tx, "hourhand.api_keys", key_id):
        return False
    audit.record(tx, "key.revoke", key_id, reason=reason)
    events.record(tx, "key.revoked", "key", key_id)
    return True


def revoke_house(tx: Tx, key_id: str, *, reason: str) -> bool:
    """End a key of the house at once, in a transaction that wears control; False when there was none to end."""
    if not _revoke(tx, "control.admin_keys", key_id):
        return False
    audit.record_control(tx, "key.revoke", key_id, reason=reason)
    return True


def verify(database: Database, vault: Vault, presented: str) -> Principal:
    """Whom a key speaks for. Raises InvalidKey, always in the same words, after the same work.

    The key names its tenant, so that the look-up already happens behind that tenant's wall.
    """
    parts = _PRESENTED.fullmatch(presented.strip())
    if parts is None:
        raise InvalidKey(InvalidKey.__doc__)
    told, key_id, secret = parts.groups()
    tenant_id = None if told == HOUSE else UUID(told)
    if tenant_id is None:
        with database.wearing("control") as tx:
            row, now = _find(tx, "control.admin_keys", key_id), tx.now
    else:
        with database.tenant(tenant_id, actor="api") as tx:
            row, now = _find(tx, "hourhand.api_keys", key_id), tx.now
    stored = bytes(row["secret_hash"]) if row else bytes(32)
    matches = hmac.compare_digest(stored, _hash(vault, told, key_id, secret))
    ended = row is None or row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= now)
    if not matches or ended or row is None:
        raise InvalidKey(InvalidKey.__doc__)
    return Principal(tenant_id, row["role"], key_id, row["name"])


def listed(tx: Tx) -> Sequence[Key]:
    """The tenant's keys, newest first, without anything secret."""
    return _list(tx, "hourhand.api_keys")


def listed_house(tx: Tx) -> Sequence[Key]:
    """The house's keys, newest first, in a transaction that wears control."""
    return _list(tx, "control.admin_keys")


def _store(
    tx: Tx, vault: Vault, tenant_id: UUID | None, name: str, role: str, expires_at: datetime | None
) -> Issued:  # fmt: skip
    if role not in ROLES:
        raise InvalidRole(f"role: {role!r} is none of {', '.join(ROLES)}")
    if not name.strip():
        raise InvalidRole("name: say what the key is for")
    told = tenant_id.hex if tenant_id else HOUSE
    key_id = os.urandom(6).hex()
    secret = base64.urlsafe_b64encode(os.urandom(SECRET_BYTES)).rstrip(b"=").decode()
    table, column, value = ("hourhand.api_keys", "tenant_id, ", ":t, ") if tenant_id else ("control.admin_keys", "", "")
    tx.run(
        f"""INSERT INTO {table} ({column}id, name, role, secret_hash, created_by, created_at, expires_at)
            VALUES ({value}:id, :name, :role, :hash, :by, :now, :expires)""",
        id=key_id, name=name.strip(), role=role, hash=_hash(vault, told, key_id, secret), by=tx.actor, now=tx.now,
        expires=expires_at, **({"t": tenant_id} if tenant_id else {}),
    )  # fmt: skip
    return Issued(key_id, f"hh_{told}_{key_id}_{secret}")


def _hash(vault: Vault, told: str, key_id: str, secret: str) -> bytes:
    return vault.digest("api_key", told, key_id, secret)


def _find(tx: Tx, table: str, key_id: str) -> Row | None:
    return tx.row(f"SELECT name, role, secret_hash, expires_at, revoked_at FROM {table} WHERE id = :id", id=key_id)


def _revoke(tx: Tx, table: str, key_id: str) -> bool:
    ended = tx.run(f"UPDATE {table} SET revoked_at = :now WHERE id = :id AND revoked_at IS NULL", now=tx.now, id=key_id)
    return ended > 0


def _list(tx: Tx, table: str) -> Sequence[Key]:
    rows = tx.rows(f"SELECT {COLUMNS} FROM {table} ORDER BY created_at DESC, id")
    return [Key(**{name: row[name] for name in Key.__slots__}) for row in rows]
