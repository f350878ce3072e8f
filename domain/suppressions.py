"""Suppressions: who must never get mail; the keyed hash stays when the address itself is erased."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import addresses, audit, clocks, events
from domain.db import Row, Tx
from domain.vault import Vault

Reason = Literal["bounced", "complained", "opted_out", "manual", "erased"]

PERSONAL: frozenset[Reason] = frozenset({"complained", "opted_out", "erased"})
"""What a person said for themselves: it holds for every address they are known by."""


@dataclass(frozen=True, slots=True)
class Suppression:
    """One address that must not be written to, and why."""

    address_hash: bytes
    address: str | None
    reason: Reason
    source: str
    detail: Mapping[str, Any]
    created_by: str
    created_at: datetime


COLUMNS = ", ".join(Suppression.__slots__)


def suppress(tx: Tx, vault: Vault, address: str, *, reason: Reason, source: str, **detail: Any) -> bool:
    """Never write to `address` again; True when that is news. What is no proper address can be suppressed too.

    What a person said for themselves covers all their addresses; an earlier suppression keeps its reason.
    """
    spelled = _spelled(address)
    owner = tx.row(
        """SELECT contact_id, client_id FROM contact_addresses a JOIN contacts c
             ON c.tenant_id = a.tenant_id AND c.id = a.contact_id
           WHERE a.tenant_id = :t AND a.address = :address""",
        t=tx.tenant_id, address=spelled,
    )  # fmt: skip
    meant = [spelled]
    if owner is not None and reason in PERSONAL:
        meant += [known for known in _addresses_of(tx, owner["contact_id"]) if known != spelled]
    fresh = [each for each in meant if _store(tx, vault, each, reason, source, detail)]
    if not fresh:
        return False
    _exempt(tx, fresh, reason)
    if reason == "manual":
        audit.record(tx, "suppression.add", digest(tx, vault, spelled).hex()[:16], source=source)
    events.record(
        tx, "suppression.created", "suppression", digest(tx, vault, spelled).hex(), reason=reason, source=source,
        addresses=len(fresh), client_id=owner["client_id"] if owner else None,
        contact_id=owner["contact_id"] if owner else None,
    )  # fmt: skip
    return True


def of(tx: Tx, vault: Vault, asked: Iterable[str]) -> dict[str, Suppression]:
    """Which of the addresses are suppressed, each under the spelling in which it was asked for; one query."""
    hashes = {address: digest(tx, vault, address) for address in asked}
    if not hashes:
        return {}
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM suppressions WHERE tenant_id = :t AND address_hash = ANY(:hashes)",
        t=tx.tenant_id, hashes=list(set(hashes.values())),
    )  # fmt: skip
    found = {bytes(row["address_hash"]): _load(row) for row in rows}
    return {address: found[hashed] for address, hashed in hashes.items() if hashed in found}


def carry_over(tx: Tx, vault: Vault, contact_id: UUID, address: str) -> Suppression | None:
    """A contact turned out to have one more address: what they said for themselves holds for it too.

    Returns why the address is suppressed, now or before, or None.
    """
    known = of(tx, vault, [address, *_addresses_of(tx, contact_id)])
    if address in known:
        return known[address]
    said = next((each for each in known.values() if each.reason in PERSONAL), None)
    if said is not None:
        _store(tx, vault, _spelled(address), said.reason, "carried_over", {})
    return said


def forget(tx: Tx, vault: Vault, address: str) -> bool:
    """Erase the readable address of a suppression; its hash goes on refusing. True when it was there."""
    return bool(tx.run(
        "UPDATE suppressions SET address = NULL, detail = '{}' WHERE tenant_id = :t AND address_hash = :hash",
        t=tx.tenant_id, hash=digest(tx, vault, address),
    ))  # fmt: skip


def listed(tx: Tx, *, before: tuple[datetime, bytes] | None = None, limit: int = 100) -> Sequence[Suppression]:
    """The tenant's suppressions, newest first, those that stand behind `before` (created_at, address_hash)."""
    at, hashed = before or (None, None)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM suppressions
            WHERE tenant_id = :t AND (CAST(:at AS timestamptz) IS NULL
                                      OR (created_at, address_hash) < (:at, CAST(:hashed AS bytea)))
            ORDER BY created_at DESC, address_hash DESC LIMIT :limit""",
        t=tx.tenant_id, at=at, hashed=hashed, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def digest(tx: Tx, vault: Vault, address: str) -> bytes:
    """The keyed hash by which the tenant remembers an address."""
    return vault.digest("suppression", str(tx.tenant_id), _spelled(address))


def _store(tx: Tx, vault: Vault, address: str, reason: Reason, source: str, detail: Mapping[str, Any]) -> bool:
    return bool(tx.run(
        """INSERT INTO suppressions (tenant_id, address_hash, address, reason, source, detail, created_by, created_at)
           VALUES (:t, :hash, :address, :reason, :source, :detail, :by, :now) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, hash=digest(tx, vault, address), address=None if reason == "erased" else address,
        reason=reason, source=source, detail=dict(detail), by=tx.actor, now=tx.now,
    ))  # fmt: skip


def _exempt(tx: Tx, refused: Sequence[str], reason: Reason) -> None:
    """Whoever is written to at one of these addresses is out of the engagement promise."""
    rows = tx.rows(
        """SELECT c.id FROM contact_addresses a
           JOIN contacts c ON c.tenant_id = a.tenant_id AND c.id = a.contact_id AND c.email = a.address
           WHERE a.tenant_id = :t AND a.address = ANY(:refused)""",
        t=tx.tenant_id, refused=list(refused),
    )  # fmt: skip
    clocks.exempt(tx, [row["id"] for row in rows], reason)


def _addresses_of(tx: Tx, contact_id: UUID) -> list[str]:
    rows = tx.rows(
        "SELECT address FROM contact_addresses WHERE tenant_id = :t AND contact_id = :id", t=tx.tenant_id, id=contact_id
    )
    return [row["address"] for row in rows]


def _spelled(address: str) -> str:
    try:
        return addresses.normalise(address)
    except addresses.InvalidAddress:
        # an opt-out from an odd address is still an opt-out
        return address.strip().strip("<>").strip().lower()


def _load(row: Row) -> Suppression:
    return Suppression(**{name: row[name] for name in Suppression.__slots__})
