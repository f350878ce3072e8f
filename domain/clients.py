"""Clients: the accounts whose people the tenant keeps in touch with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from domain import addresses, events, money, order_queue, places, rechecks, storable
from domain.db import Row, Tx
from domain.money import InvalidMoney

PEOPLE_LOCK = 10
"""Class of the lock under which a tenant's clients and contacts are looked up and made, so that none is doubled."""


class InvalidClient(Exception):
    """A client needs a name, and every field it has must be of its kind."""


class UnknownClient(LookupError):
    """The tenant has no such client."""


@dataclass(frozen=True, slots=True)
class Client:
    """An account as it stands."""

    id: UUID
    external_id: str | None
    name: str
    domain: str | None
    country: str | None
    timezone: str | None
    language: str | None
    relationship: Literal["client", "prospect"]
    status: Literal["active", "inactive"]
    annual_value: Decimal
    currency: str
    manager_id: UUID | None
    last_reply_at: datetime | None
    created_at: datetime
    updated_at: datetime


COLUMNS = ", ".join(Client.__slots__)


@dataclass(frozen=True, slots=True)
class Upserted:
    """What an upsert came to: the record, whether it is new, and which of its fields changed."""

    id: UUID
    created: bool
    changed: tuple[str, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    """What stood in the changed fields of a record that was there."""
    kept: tuple[str, ...] = ()
    """Fields that stayed as they were because a more trusted source had said them."""


def upsert(
    tx: Tx, *, name: str | None = None, external_id: str | None = None, domain: str | None = None,
    country: str | None = None, timezone: str | None = None, language: str | None = None,
    relationship: str | None = None, status: str | None = None, annual_value: Decimal | float | None = None,
    currency: str | None = None, manager_id: UUID | None = None, client_id: UUID | None = None,
) -> Upserted:  # fmt: skip
    """Make a client, or change the fields that are given of the one it already is; None leaves a field alone.

    It is recognised by `client_id`, else `external_id`, else (while it has no other external id) `domain`, else name.
    Raises InvalidClient, UnknownClient.
    """
    wished = _spelled({
        "external_id": external_id, "name": name, "domain": domain, "country": country, "timezone": timezone,
        "language": language, "relationship": relationship, "status": status, "annual_value": annual_value,
        "currency": currency, "manager_id": manager_id,
    })  # fmt: skip
    found = _recognise(tx, client_id, wished)
    if found is None:
        if "name" not in wished:
            raise InvalidClient("name: a new client needs a name")
        tx.run("SELECT pg_advisory_xact_lock(:class, hashtext(:t))", **{"class": PEOPLE_LOCK}, t=str(tx.tenant_id))
        found = _recognise(tx, client_id, wished)
    if found is None:
        return _create(tx, wished)
    return _change(tx, found, wished)


def get(tx: Tx, client_id: UUID) -> Client | None:
    """One client of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM clients WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=client_id)
    return _load(row) if row else None


def by_external_id(tx: Tx, external_id: str) -> Client:
    """The client that another system knows by `external_id`. Raises UnknownClient."""
    found = _first(tx, "external_id", external_id)
    if found is None:
        raise UnknownClient(f"there is no client with external_id {external_id!r}")
    return found


def by_domain(tx: Tx, domain: str) -> Client | None:
    """The client whose people write from `domain`, or None; of several the oldest."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM clients WHERE tenant_id = :t AND domain = :domain ORDER BY id LIMIT 1",
        t=tx.tenant_id, domain=domain,
    )  # fmt: skip
    return _load(row) if row else None


def by_name(tx: Tx, name: str) -> Client | None:
    """The client of exactly this name, or None; of several the oldest."""
    return _first(tx, "name", name)


def recognised(tx: Tx, given: Mapping[str, Any]) -> Client | None:
    """The client that these fields would change, or None where they would make a new one. Raises InvalidClient."""
    return _recognise(tx, None, _spelled(given))


def keys_of_people(known: Sequence[str]) -> list[str]:
    """The external ids of accounts that are each but the person with one of these addresses."""
    return [f"person:{address}" for address in known]


def hold(tx: Tx) -> None:
    """Keep everybody else from making clients and contacts of the tenant until this transaction ends."""
    tx.run("SELECT pg_advisory_xact_lock(:class, hashtext(:t))", **{"class": PEOPLE_LOCK}, t=str(tx.tenant_id))


def standing(tx: Tx, names: Sequence[str], domains: Sequence[str]) -> tuple[dict[str, UUID], dict[str, UUID]]:
    """The oldest client of each of these names, and of each of these domains."""
    rows = tx.rows(
        """SELECT id, name, domain FROM clients WHERE tenant_id = :t AND name = ANY(:names)
           UNION SELECT id, name, domain FROM clients WHERE tenant_id = :t AND domain = ANY(:domains)
           ORDER BY id DESC""",
        t=tx.tenant_id, names=list(names), domains=list(domains),
    )  # fmt: skip
    return {row["name"]: row["id"] for row in rows}, {row["domain"]: row["id"] for row in rows if row["domain"]}


def listed(tx: Tx, *, after: UUID | None = None, limit: int = 100) -> Sequence[Client]:
    """The tenant's clients, oldest first, from behind `after`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM clients WHERE tenant_id = :t AND (CAST(:after AS uuid) IS NULL OR id > :after)
            ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, after=after, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def create_each(tx: Tx, some: Mapping[UUID, tuple[str, str | None]], *, relationship: str) -> None:
    """Make clients by their ids, of names and domains in their one spelling that are known not to be there."""
    if not some:
        return
    tx.run(
        """INSERT INTO clients (tenant_id, id, created_at, updated_at, relationship, name, domain)
           SELECT :t, w.id, :now, :now, :relationship, w.name, w.domain
           FROM unnest(CAST(:ids AS uuid[]), CAST(:names AS text[]), CAST(:domains AS text[])) AS w (id, name, domain)
        """,
        t=tx.tenant_id, now=tx.now, relationship=relationship, ids=list(some),
        names=[name for name, _ in some.values()], domains=[domain for _, domain in some.values()],
    )  # fmt: skip
    events.record_all(tx, [events.News("client.created", "client", each, client_id=each) for each in some])


def in_their_spelling(name: str, domain: str | None) -> bool:
    """Whether these would be kept as they are given."""
    try:
        spelled = _spelled({"name": name, "domain": domain})
    except InvalidClient:
        return False
    return (spelled.get("name"), spelled.get("domain")) == (name, domain)


def replied(tx: Tx, client_id: UUID, at: datetime) -> None:
    """Note that somebody of the account wrote; the newest moment stays."""
    tx.run(
        "UPDATE clients SET last_reply_at = greatest(last_reply_at, :at) WHERE tenant_id = :t AND id = :id",
        at=at, t=tx.tenant_id, id=client_id,
    )  # fmt: skip


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling; empty text counts as not given."""
    told = {name: storable.unbroken(each, 500) if isinstance(each, str) else each for name, each in given.items()}
    told = {name: each for name, each in told.items() if each is not None and each != ""}
    for name, spell in (("country", places.country), ("timezone", places.timezone), ("language", places.language)):
        if name in told:
            try:
                told[name] = spell(told[name])
            except places.InvalidPlace as error:
                raise InvalidClient(f"{name}: {error}") from error
    if "domain" in told:
        try:
            told["domain"] = addresses.normalise_domain(told["domain"]).removeprefix("www.")
        except addresses.InvalidAddress as error:
            raise InvalidClient(f"domain: {error}") from error
    if "currency" in told:
        try:
            told["currency"] = money.currency(told["currency"], bygone=True)
        except InvalidMoney as error:
            raise InvalidClient(f"currency: {error}") from error
    for name, allowed in (("relationship", ("client", "prospect")), ("status", ("active", "inactive"))):
        if name in told and told[name] not in allowed:
            raise InvalidClient(f"{name}: {told[name]!r} is neither {allowed[0]} nor {allowed[1]}")
    if "annual_value" in told:
        told["annual_value"] = Decimal(str(told["annual_value"])).quantize(Decimal("0.01"))
    return told


def _recognise(tx: Tx, client_id: UUID | None, wished: Mapping[str, Any]) -> Client | None:
    """The client that is meant, by the strongest thing that is known of it."""
    if client_id is not None:
        found = get(tx, client_id)
        if found is None:
            raise UnknownClient(f"there is no client {client_id}")
        return found
    if "external_id" in wished:
        named = _first(tx, "external_id", wished["external_id"])
        return named or _adoptable(_recognise(tx, None, {n: v for n, v in wished.items() if n != "external_id"}))
    if "domain" in wished and wished["domain"] not in addresses.FREE_MAIL:
        return _first(tx, "domain", wished["domain"])
    return _first(tx, "name", wished["name"]) if "name" in wished else None


def _adoptable(found: Client | None) -> Client | None:
    """A client that no other system has named yet: whoever comes with a name for it means this one."""
    return found if found is not None and found.external_id is None else None


def _first(tx: Tx, column: Literal["external_id", "domain", "name"], value: str) -> Client | None:
    row = tx.row(
        f"SELECT {COLUMNS} FROM clients WHERE tenant_id = :t AND {column} = :value ORDER BY id LIMIT 1",
        t=tx.tenant_id, value=value,
    )  # fmt: skip
    return _load(row) if row else None


def _create(tx: Tx, wished: Mapping[str, Any]) -> Upserted:
    client_id = tx.clock.uuid()
    names = ", ".join(wished)
    values = ", ".join(f":{name}" for name in wished)
    tx.run(
        f"""INSERT INTO clients (tenant_id, id, created_at, updated_at, {names})
            VALUES (:t, :id, :now, :now, {values})""",
        t=tx.tenant_id, id=client_id, now=tx.now, **wished,
    )  # fmt: skip
    events.record(tx, "client.created", "client", client_id, client_id=client_id)
    return Upserted(client_id, created=True, changed=tuple(wished))


def _change(tx: Tx, found: Client, wished: Mapping[str, Any]) -> Upserted:
    fresh = {name: value for name, value in wished.items() if getattr(found, name) != value}
    if not fresh:
        return Upserted(found.id, created=False)
    sets = ", ".join(f"{name} = :{name}" for name in fresh)
    tx.run(
        f"UPDATE clients SET {sets}, updated_at = :now WHERE tenant_id = :t AND id = :id",
        now=tx.now, t=tx.tenant_id, id=found.id, **fresh,
    )  # fmt: skip
    if "status" in fresh:
        order_queue.enter_again(tx, codes=["CLIENT_INACTIVE"], client_id=found.id)
    rechecks.look_again(tx, [found.id])
    events.record(tx, "client.changed", "client", found.id, client_id=found.id, fields=sorted(fresh))
    before: dict[str, Any] = {name: getattr(found, name) for name in (*fresh, "updated_at")}
    return Upserted(found.id, created=False, changed=tuple(sorted(fresh)), before=before)


def _load(row: Row) -> Client:
    return Client(**{name: row[name] for name in Client.__slots__})
