"""Contacts: the people of an account, every address they are known by, and where each thing known of them came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import addresses, clocks, events, places, rechecks, settings, storable, suppressions
from domain.clients import PEOPLE_LOCK, Upserted
from domain.db import Row, Tx
from domain.vault import Vault

Source = Literal["person", "api", "import", "mail"]

TRUST: Mapping[str, int] = {"person": 3, "api": 2, "import": 2, "mail": 1}
"""What a source says is never written over what a more trusted one said."""


OF_THE_ADDRESS = ("bounced", "manual", "unreachable")
"""Why a clock is exempt where another address would help."""


class InvalidContact(Exception):
    """A contact needs an account and a name or an address, and every field it has must be of its kind."""


class UnknownContact(LookupError):
    """The tenant has no such contact."""


@dataclass(frozen=True, slots=True)
class Contact:
    """A person as they stand; `email` is where they are written to, None when they can't be."""

    id: UUID
    client_id: UUID
    external_id: str | None
    email: str | None
    name: str
    title: str | None
    phone: str | None
    language: str | None
    timezone: str | None
    country: str | None
    source: str
    broadcast_consent: bool
    provenance: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime
    erased_at: datetime | None
    """When the person was forgotten: what is left is a blank record, and stays one."""


COLUMNS = ", ".join(Contact.__slots__)
_OF_C = ", ".join(f"c.{name}" for name in Contact.__slots__)


def upsert(
    tx: Tx, vault: Vault, *, client_id: UUID | None = None, name: str | None = None, email: str | None = None,
    external_id: str | None = None, title: str | None = None, phone: str | None = None, language: str | None = None,
    timezone: str | None = None, country: str | None = None, source: Source = "person", confidence: float = 1.0,
    message_id: UUID | None = None, contact_id: UUID | None = None, spread: bool = False,
) -> Upserted:  # fmt: skip
    """Make a contact, or change the fields that are given of the one it already is; None leaves a field alone.

    They are recognised by `contact_id`, else `external_id`, else any address they are known by. A new one needs
    `client_id`. Nothing is written over what a more trusted source said. With `spread`, a new contact's first touch
    falls due within the engagement period instead of at once. Raises InvalidContact, UnknownContact.
    """
    wished = _spelled({
        "external_id": external_id, "name": name, "email": email, "title": title, "phone": phone, "language": language,
        "timezone": timezone, "country": country, "client_id": client_id,
    })  # fmt: skip
    said = {"source": source, "confidence": confidence, "message_id": str(message_id) if message_id else None,
            "at": tx.now.isoformat()}  # fmt: skip
    found = _recognise(tx, contact_id, wished)
    if found is None:
        tx.run("SELECT pg_advisory_xact_lock(:class, hashtext(:t))", **{"class": PEOPLE_LOCK}, t=str(tx.tenant_id))
        found = _recognise(tx, None, wished)
    if found is None:
        return _create(tx, vault, wished, said, spread=spread)
    named = contact_id is not None or (found.external_id is not None and found.external_id == wished.get("external_id"))
    return _change(tx, vault, found, wished, said, by_address=not named)


def fill(tx: Tx, contact_id: UUID, *, message_id: UUID, confidence: float, **told: str) -> tuple[str, ...]:
    """Put down what somebody told of themselves (`phone`, `title`) where nothing stands yet; which fields that were.

    What is no telephone number, say, is left out. Raises UnknownContact.
    """
    found = get(tx, contact_id)
    if found is None:
        raise UnknownContact(f"there is no contact {contact_id}")
    try:
        fresh = _spelled({name: each for name, each in told.items() if getattr(found, name) is None})
    except InvalidContact:
        return ()
    if fresh:
        said = {"source": "mail", "confidence": confidence, "message_id": str(message_id), "at": tx.now.isoformat()}
        _put(tx, found, fresh, said)
        events.record(tx, "contact.changed", "contact", found.id, client_id=found.client_id, contact_id=found.id,
                      source="mail", fields=sorted(fresh))  # fmt: skip
    return tuple(sorted(fresh))


def get(tx: Tx, contact_id: UUID) -> Contact | None:
    """One contact of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM contacts WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=contact_id)
    return _load(row) if row else None


def spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling, empty ones left out. Raises InvalidContact."""
    return _spelled(given)


def named(tx: Tx, external_ids: Sequence[str]) -> dict[str, UUID]:
    """Whose each of these names in other systems is; those that are nobody's are left out."""
    rows = tx.rows("SELECT external_id, id FROM contacts WHERE tenant_id = :t AND external_id = ANY(:ids)",
                   t=tx.tenant_id, ids=list(external_ids))  # fmt: skip
    return {row["external_id"]: row["id"] for row in rows}


def recognised(tx: Tx, *, email: str | None = None, external_id: str | None = None) -> Contact | None:
    """The contact that these would change, or None where they would make a new one. Raises InvalidContact."""
    return _recognise(tx, None, _spelled({"email": email, "external_id": external_id}))


def by_name(tx: Tx, client_id: UUID, name: str) -> Contact | None:
    """The contact of an account who is known by exactly this name and nothing else, or None; of several the oldest."""
    row = tx.row(
        f"""SELECT {COLUMNS} FROM contacts WHERE tenant_id = :t AND client_id = :client AND name = :name
            AND email IS NULL AND external_id IS NULL AND erased_at IS NULL ORDER BY id LIMIT 1""",
        t=tx.tenant_id, client=client_id, name=name,
    )  # fmt: skip
    return _load(row) if row else None


def by_addresses(tx: Tx, asked: Iterable[str]) -> dict[str, Contact]:
    """Whom each address belongs to, by its normalised spelling; unknown ones are left out. One query."""
    spelled = addresses.known(asked)
    if not spelled:
        return {}
    rows = tx.rows(
        f"""SELECT a.address, {_OF_C} FROM contact_addresses a
            JOIN contacts c ON c.tenant_id = a.tenant_id AND c.id = a.contact_id
            WHERE a.tenant_id = :t AND a.address = ANY(:addresses)""",
        t=tx.tenant_id, addresses=spelled,
    )  # fmt: skip
    return {row["address"]: _load(row) for row in rows}


def addresses_of(tx: Tx, contact_ids: Sequence[UUID]) -> dict[UUID, tuple[str, ...]]:
    """Every address that each contact is known by, aliases included."""
    rows = tx.rows(
        """SELECT contact_id, array_agg(address ORDER BY address) AS known FROM contact_addresses
           WHERE tenant_id = :t AND contact_id = ANY(:ids) GROUP BY contact_id""",
        t=tx.tenant_id, ids=list(contact_ids),
    )  # fmt: skip
    return {row["contact_id"]: tuple(row["known"]) for row in rows}


def listed(tx: Tx, *, client_id: UUID | None = None, after: UUID | None = None, limit: int = 100) -> Sequence[Contact]:
    """The tenant's contacts (or one account's), oldest first, from behind `after`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM contacts WHERE tenant_id = :t
              AND (CAST(:client AS uuid) IS NULL OR client_id = :client)
              AND (CAST(:after AS uuid) IS NULL OR id > :after)
            ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, client=client_id, after=after, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def add_address(tx: Tx, vault: Vault, contact_id: UUID, address: str, *, source: Source) -> bool:
    """Know a contact by one more address; False when it is somebody's already. Raises InvalidAddress."""
    spelled = addresses.normalise(address)
    if (found := get(tx, contact_id)) is not None:
        _stays_blank(found)
    if not _store_address(tx, contact_id, spelled, source):
        return False
    suppressions.carry_over(tx, vault, contact_id, spelled)
    events.record(tx, "contact.address_added", "contact", contact_id, contact_id=contact_id, source=source)
    return True


def consent(tx: Tx, contact_id: UUID, *, given: bool, how: str) -> None:
    """Note whether a person agreed to broadcasts, and how that is known. Raises UnknownContact."""
    touched = tx.run(
        """UPDATE contacts SET broadcast_consent = :given, updated_at = :now,
                  provenance = provenance || jsonb_build_object('broadcast_consent', CAST(:said AS jsonb))
           WHERE tenant_id = :t AND id = :id""",
        given=given, now=tx.now, t=tx.tenant_id, id=contact_id,
        said={"source": "person", "how": how, "by": tx.actor, "at": tx.now.isoformat()},
    )  # fmt: skip
    if not touched:
        raise UnknownContact(f"there is no contact {contact_id}")
    events.record(tx, "contact.consent", "contact", contact_id, contact_id=contact_id, given=given, how=how)


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling; empty text counts as not given."""
    told = {name: storable.unbroken(each, 500) if isinstance(each, str) else each for name, each in given.items()}
    told = {name: each for name, each in told.items() if each is not None and each != ""}
    try:
        if "email" in told:
            told["email"] = addresses.normalise(told["email"])
    except addresses.InvalidAddress as error:
        raise InvalidContact(f"email: {error}") from error
    for name, spell in (("country", places.country), ("timezone", places.timezone), ("language", places.language),
                        ("phone", lambda phone: places.phone(phone, told.get("country")))):  # fmt: skip
        if name in told:
            try:
                told[name] = spell(told[name])
            except places.InvalidPlace as error:
                raise InvalidContact(f"{name}: {error}") from error
    return told


def _recognise(tx: Tx, contact_id: UUID | None, wished: Mapping[str, Any]) -> Contact | None:
    """The contact that is meant, by the strongest thing that is known of them."""
    named = get(tx, contact_id) if contact_id else None
    if contact_id and named is None:
        raise UnknownContact(f"there is no contact {contact_id}")
    if named is not None:
        _stays_blank(named)
    if named is None and "external_id" in wished:
        row = tx.row(
            f"SELECT {COLUMNS} FROM contacts WHERE tenant_id = :t AND external_id = :id",
            t=tx.tenant_id, id=wished["external_id"],
        )  # fmt: skip
        named = _load(row) if row else None
    addressed = by_addresses(tx, [wished["email"]]).get(wished["email"]) if "email" in wished else None
    if named and addressed and named.id != addressed.id:
        raise InvalidContact(f"email: that address belongs to another contact, {addressed.id}")
    known_as = addressed.external_id if addressed else None
    if named is None and addressed and known_as and wished.get("external_id", known_as) != known_as:
        raise InvalidContact(f"external_id: the contact with that address is {known_as!r}")
    return named or addressed


def _stays_blank(found: Contact) -> None:
    if found.erased_at is not None:
        raise InvalidContact("row: this person was erased, and their record stays blank; somebody new is a new contact")


def _create(tx: Tx, vault: Vault, wished: dict[str, Any], said: Mapping[str, Any], *, spread: bool) -> Upserted:
    if "client_id" not in wished:
        raise InvalidContact("client_id: a new contact belongs to an account")
    if "name" not in wished and "email" not in wished:
        raise InvalidContact("name: a new contact needs a name or an address")
    return create_each(tx, vault, [wished], said, spread=spread)[0]


_MADE_OF = ("client_id", "name", "email", "external_id", "title", "phone", "language", "timezone", "country")


def create_each(
    tx: Tx, vault: Vault, some: Sequence[Mapping[str, Any]], said: Mapping[str, Any], *, spread: bool
) -> list[Upserted]:  # fmt: skip
    """Make contacts of fields in their one spelling, of people who are known not to be there, in a few statements."""
    made = [(tx.clock.uuid(), {"name": str(each.get("email", "")).partition("@")[0], **each}) for each in some]
    tx.run(
        """INSERT INTO contacts (tenant_id, id, source, provenance, created_at, updated_at, client_id, name, email,
               external_id, title, phone, language, timezone, country)
           SELECT :t, w.id, :source, w.said, :now, :now, w.client_id, w.name, w.email, w.external_id, w.title, w.phone,
                  w.language, w.timezone, w.country
           FROM unnest(CAST(:ids AS uuid[]), CAST(:saids AS jsonb[]), CAST(:client_id AS uuid[]), CAST(:name AS text[]),
                    CAST(:email AS text[]), CAST(:external_id AS text[]), CAST(:title AS text[]),
                    CAST(:phone AS text[]), CAST(:language AS text[]), CAST(:timezone AS text[]),
                    CAST(:country AS text[]))
                AS w (id, said, client_id, name, email, external_id, title, phone, language, timezone, country)""",
        t=tx.tenant_id, source=said["source"], now=tx.now, ids=[contact_id for contact_id, _ in made],
        saids=[{name: dict(said) for name in each if name != "client_id"} for each in some],
        **{name: [told.get(name) for _, told in made] for name in _MADE_OF},
    )  # fmt: skip
    events.record_all(tx, [
        events.News("contact.created", "contact", contact_id, client_id=told["client_id"], contact_id=contact_id,
                    data={"source": said["source"]}) for contact_id, told in made
    ])  # fmt: skip
    rechecks.look_again(tx, [told["client_id"] for _, told in made])
    clocks.start(tx, [contact_id for contact_id, _ in made],
                 spread_days=settings.readable(tx).engagement_days if spread else 0.0)  # fmt: skip
    addressed = {told["email"]: contact_id for contact_id, told in made if told.get("email")}
    _store_addresses(tx, addressed, said["source"])
    for address, suppressed in suppressions.of(tx, vault, addressed).items():
        clocks.exempt(tx, [addressed[address]], suppressed.reason)
    return [Upserted(contact_id, created=True, changed=tuple(sorted(each)))
            for (contact_id, _), each in zip(made, some, strict=True)]  # fmt: skip


def _change(
    tx: Tx, vault: Vault, found: Contact, wished: dict[str, Any], said: Mapping[str, Any], *, by_address: bool
) -> Upserted:
    fresh = {name: value for name, value in wished.items() if getattr(found, name) != value}
    kept = tuple(sorted(name for name in fresh if not _may_write(found, name, said["source"])))
    fresh = {name: value for name, value in fresh.items() if name not in kept}
    if "email" in fresh and found.email is not None and by_address:
        del fresh["email"]  # an alias names a person, it does not move them
    if not fresh:
        return Upserted(found.id, created=False, kept=kept)
    _put(tx, found, fresh, said)
    if "client_id" in fresh:
        tx.run("UPDATE engagement_clocks SET client_id = :client WHERE tenant_id = :t AND contact_id = :id",
               client=fresh["client_id"], t=tx.tenant_id, id=found.id)  # fmt: skip
    if "email" in fresh:
        _store_address(tx, found.id, fresh["email"], said["source"])
        _reach_at(tx, vault, found.id, fresh["email"])
    events.record(tx, "contact.changed", "contact", found.id, client_id=fresh.get("client_id", found.client_id),
                  contact_id=found.id, source=said["source"], fields=sorted(fresh))  # fmt: skip
    before: dict[str, Any] = {name: getattr(found, name) for name in (*fresh, "updated_at")}
    before["provenance"] = {name: found.provenance.get(name) for name in fresh}
    return Upserted(found.id, created=False, changed=tuple(sorted(fresh)), before=before, kept=kept)


def _put(tx: Tx, found: Contact, fresh: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    """Write fields with where they are known from; what is required of the record is looked at again."""
    sets = ", ".join(f"{name} = :{name}" for name in fresh)
    tx.run(
        f"""UPDATE contacts SET {sets}, updated_at = :now, provenance = provenance || :provenance
            WHERE tenant_id = :t AND id = :id""",
        now=tx.now, t=tx.tenant_id, id=found.id, provenance={name: dict(said) for name in fresh}, **fresh,
    )  # fmt: skip
    rechecks.look_again(tx, [found.client_id, fresh.get("client_id", found.client_id)])


def _reach_at(tx: Tx, vault: Vault, contact_id: UUID, address: str) -> None:
    """A contact is written to at another address from now on: what was wrong with the last one no longer counts."""
    suppressed = suppressions.carry_over(tx, vault, contact_id, address)
    clocks.start(tx, [contact_id])
    if suppressed is not None:
        clocks.exempt(tx, [contact_id], suppressed.reason)
        return
    excused = tx.value(
        "SELECT exempt_reason FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :id",
        t=tx.tenant_id, id=contact_id,
    )  # fmt: skip
    if excused in OF_THE_ADDRESS:
        clocks.reinstate(tx, contact_id)


def _may_write(found: Contact, name: str, source: str) -> bool:
    if name == "client_id":
        return source != "mail"  # a signature never moves a person to another account
    if getattr(found, name) is None:
        return True
    # a name that nobody gave was taken from the address
    said_by = found.provenance.get(name, {}).get("source", "mail" if name == "name" else found.source)
    return TRUST[source] >= TRUST.get(said_by, max(TRUST.values()))


def _store_address(tx: Tx, contact_id: UUID, address: str, source: str) -> bool:
    return bool(_store_addresses(tx, {address: contact_id}, source))


def _store_addresses(tx: Tx, owners: Mapping[str, UUID], source: str) -> int:
    if not owners:
        return 0
    return tx.run(
        """INSERT INTO contact_addresses (tenant_id, address, contact_id, source, created_at)
           SELECT :t, w.address, w.contact_id, :source, :now
           FROM unnest(CAST(:addresses AS text[]), CAST(:contacts AS uuid[])) AS w (address, contact_id)
           ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, addresses=list(owners), contacts=list(owners.values()), source=source, now=tx.now,
    )  # fmt: skip


def _load(row: Row) -> Contact:
    return Contact(**{name: row[name] for name in Contact.__slots__})
