"""Products: what the tenant sells, at which price, and what an order of each must tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import events, money, order_queue, schedule, storable
from domain.db import Row, Tx
from domain.money import InvalidMoney

KINDS: Mapping[str, tuple[str, ...]] = {
    "goods": (),
    "property": ("property_address", "borrower_contact"),
    "inspection": ("property_address", "borrower_contact", "property_contact"),
}
"""What an order must tell by kind of product, where the product itself names nothing else."""

CURRENCY = "USD"
"""What a price is in where nobody has said it."""

_REQUIREMENT = re.compile(r"[a-z][a-z0-9_]{0,59}")
MOST_REQUIREMENTS = 20


class InvalidProduct(Exception):
    """A product needs a code, a name and a price, and every field it has must be of its kind."""


class UnknownProduct(LookupError):
    """The tenant has no such product."""


@dataclass(frozen=True, slots=True)
class Product:
    """A product as it stands."""

    id: UUID
    external_id: str | None
    code: str
    name: str
    kind: str
    currency: str
    price: Decimal
    """Of one unit."""
    tech_fee: Decimal
    """Of an order that holds it, however many."""
    tolerance_percent: Decimal | None
    """How far an order's price may lie from this one; None: the tenant's setting."""
    requirements: Sequence[str] | None
    active: bool
    created_at: datetime
    updated_at: datetime

    @property
    def required(self) -> tuple[str, ...]:
        """What an order of it must tell."""
        return KINDS[self.kind] if self.requirements is None else tuple(self.requirements)


COLUMNS = ", ".join(Product.__slots__)


@dataclass(frozen=True, slots=True)
class Put:
    """What putting came to: the record, whether it is new, and which of its fields changed."""

    id: UUID
    created: bool
    changed: tuple[str, ...] = ()


def put(
    tx: Tx, *, code: str | None = None, name: str | None = None, price: Decimal | int | str | None = None,
    external_id: str | None = None, currency: str | None = None, tech_fee: Decimal | int | str | None = None,
    tolerance_percent: Decimal | int | str | None = None, kind: str | None = None,
    requirements: Sequence[str] | None = None, active: bool | None = None, product_id: UUID | None = None,
) -> Put:  # fmt: skip
    """Make a product, or change the fields that are given of the one it already is; None leaves a field alone.

    It is recognised by `product_id`, else `external_id`, else `code`; the same again changes nothing.
    Raises InvalidProduct, UnknownProduct.
    """
    wished = _spelled({"external_id": external_id, "code": code, "name": name, "kind": kind, "currency": currency,
                       "active": active, "requirements": requirements})  # fmt: skip
    found = _recognise(tx, product_id, wished)
    if found is None:
        # two at once make one: the second finds what the first made
        tx.run("SELECT pg_advisory_xact_lock(:class, hashtext(:t))", **{"class": CATALOGUE_LOCK}, t=str(tx.tenant_id))
        found = _recognise(tx, product_id, wished)
    spoken = wished.get("currency") or (found.currency if found else CURRENCY)
    wished |= _amounts({"price": price, "tech_fee": tech_fee}, spoken)
    if tolerance_percent is not None:
        wished["tolerance_percent"] = _percent(tolerance_percent)
    made = _change(tx, found, wished) if found else _create(tx, wished)
    # an order may be waiting for this very product
    code = wished.get("code") or (found.code if found else "")
    if made.changed and order_queue.product_came(tx, code, changed=None if made.created else made.id):
        schedule.bring_forward(tx, tx.now)
    return made


CATALOGUE_LOCK = 14
"""Class of the lock under which a tenant's products are looked up and made."""


def get(tx: Tx, product_id: UUID) -> Product | None:
    """One product of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM products WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=product_id)
    return _load(row) if row else None


def by_codes(tx: Tx, codes: Sequence[str]) -> dict[str, Product]:
    """The products of these codes, by code in upper case; retired ones too."""
    wanted = sorted({spelled_code(code) for code in codes if code})
    if not wanted:
        return {}
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM products WHERE tenant_id = :t AND code = ANY(:codes)", t=tx.tenant_id, codes=wanted
    )
    return {row["code"]: _load(row) for row in rows}


def of(tx: Tx, product_ids: Sequence[UUID]) -> dict[UUID, Product]:
    """These products, by id."""
    if not product_ids:
        return {}
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM products WHERE tenant_id = :t AND id = ANY(:ids)",
        t=tx.tenant_id, ids=list(set(product_ids)),
    )  # fmt: skip
    return {row["id"]: _load(row) for row in rows}


def listed(tx: Tx, *, active: bool | None = None, after: UUID | None = None, limit: int = 100) -> list[Product]:
    """The tenant's products, oldest first, from behind `after`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM products WHERE tenant_id = :t AND (CAST(:after AS uuid) IS NULL OR id > :after)
              AND (CAST(:active AS boolean) IS NULL OR active = :active) ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, after=after, active=active, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def spelled_code(told: str) -> str:
    """A product's code in its one spelling."""
    return " ".join(storable.text(told, 100).upper().split())


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling; empty text counts as not given."""
    told = {name: storable.unbroken(each, 500) if isinstance(each, str) else each for name, each in given.items()}
    told = {name: each for name, each in told.items() if each is not None and each != ""}
    if "code" in told:
        told["code"] = spelled_code(told["code"])
    if "kind" in told and told["kind"] not in KINDS:
        raise InvalidProduct(f"kind: {told['kind']!r} is none of {', '.join(KINDS)}")
    if "currency" in told:
        try:
            told["currency"] = money.currency(told["currency"])
        except InvalidMoney as error:
            raise InvalidProduct(f"currency: {error}") from error
    if "requirements" in told:
        told["requirements"] = list(dict.fromkeys(told["requirements"]))
        wrong = [each for each in told["requirements"] if not _REQUIREMENT.fullmatch(each)]
        if wrong or len(told["requirements"]) > MOST_REQUIREMENTS:
            raise InvalidProduct("requirements: up to 20 names of small letters, figures and _, such as po_number")
    return told


def _amounts(given: Mapping[str, Any], currency: str) -> dict[str, Decimal]:
    told = {}
    for name, amount in given.items():
        if amount is None:
            continue
        try:
            told[name] = money.exact(amount, currency)
        except InvalidMoney as error:
            raise InvalidProduct(f"{name}: {error}") from error
        if told[name] < 0:
            raise InvalidProduct(f"{name}: {amount} is below zero")
    return told


def _percent(told: Decimal | int | str) -> Decimal:
    try:
        percent = money.exact(told)
    except InvalidMoney as error:
        raise InvalidProduct(f"tolerance_percent: {error}") from error
    if not 0 <= percent <= 100:
        raise InvalidProduct("tolerance_percent: give per cent from 0 to 100")
    return percent


def _recognise(tx: Tx, product_id: UUID | None, wished: Mapping[str, Any]) -> Product | None:
    if product_id is not None:
        found = get(tx, product_id)
        if found is None:
            raise UnknownProduct(f"there is no product {product_id}")
        return found
    for column in ("external_id", "code"):
        if column in wished:
            row = tx.row(
                f"SELECT {COLUMNS} FROM products WHERE tenant_id = :t AND {column} = :value",
                t=tx.tenant_id, value=wished[column],
            )  # fmt: skip
            if row is not None:
                return _load(row)
    return None


def _create(tx: Tx, wished: Mapping[str, Any]) -> Put:
    if missing := [name for name in ("code", "name", "price") if name not in wished]:
        raise InvalidProduct(f"{missing[0]}: a new product needs one")
    product_id = tx.clock.uuid()
    names = ", ".join(wished)
    values = ", ".join(f":{name}" for name in wished)
    tx.run(
        f"""INSERT INTO products (tenant_id, id, created_at, updated_at, {names})
            VALUES (:t, :id, :now, :now, {values})""",
        t=tx.tenant_id, id=product_id, now=tx.now, **wished,
    )  # fmt: skip
    events.record(tx, "product.created", "product", product_id, code=wished["code"])
    return Put(product_id, created=True, changed=tuple(wished))


def _change(tx: Tx, found: Product, wished: Mapping[str, Any]) -> Put:
    fresh = {name: value for name, value in wished.items() if getattr(found, name) != value}
    if not fresh:
        return Put(found.id, created=False)
    if "code" in fresh and fresh["code"] in by_codes(tx, [fresh["code"]]):
        raise InvalidProduct(f"code: another product is called {fresh['code']}")
    sets = ", ".join(f"{name} = :{name}" for name in fresh)
    tx.run(
        f"UPDATE products SET {sets}, updated_at = :now WHERE tenant_id = :t AND id = :id",
        now=tx.now, t=tx.tenant_id, id=found.id, **fresh,
    )  # fmt: skip
    events.record(tx, "product.changed", "product", found.id, fields=sorted(fresh))
    return Put(found.id, created=False, changed=tuple(sorted(fresh)))


def _load(row: Row) -> Product:
    return Product(**{name: row[name] for name in Product.__slots__})
