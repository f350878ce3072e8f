"""An order's fields, each in its one spelling, and checked against what they name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain import clients, contacts, money, storable
from domain.db import Tx
from domain.money import InvalidMoney
from domain.order_lines import InvalidOrder

FIELDS = frozenset({
    "external_id", "number", "client_id", "contact_id", "status", "source", "billing", "currency", "fee", "tech_fee",
    "total_amount", "details", "evidence", "thread_id", "message_id", "deal_id", "quote_id", "ordered_at",
    "delivered_at",
})  # fmt: skip
AMOUNTS = ("fee", "tech_fee", "total_amount")
STATUSES = ("draft", "new", "accepted", "in_progress", "delivered", "closed", "cancelled")
MOST_DETAILS = 60

_DETAIL = re.compile(r"[a-z][a-z0-9_]{0,59}")
_NUMBER_SIGNS = re.compile(r"^[#\s]+")


def spelled(tx: Tx, given: Mapping[str, Any], standing: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields; None and empty text count as not given. Raises InvalidOrder.

    `standing` is what the order is so far (currency, client_id, contact_id, credit_reserved), empty for a new one.
    """
    if unknown := sorted(set(given) - FIELDS):
        raise InvalidOrder(f"{unknown[0]}: an order has no such field")
    kept = {name: storable.unbroken(each, 500) if isinstance(each, str) else each for name, each in given.items()}
    told: dict[str, Any] = {name: each for name, each in kept.items() if each is not None and each != ""}
    for name, allowed in (("billing", ("prepaid", "bill")), ("status", STATUSES)):
        if name in told and told[name] not in allowed:
            raise InvalidOrder(f"{name}: {told[name]!r} is none of {', '.join(allowed)}")
    for name in ("ordered_at", "delivered_at"):
        if name in told and (not isinstance(told[name], datetime) or told[name].tzinfo is None):
            raise InvalidOrder(f"{name}: give a moment with its offset, such as 2026-03-02T09:00:00Z")
    if "number" in told:
        told["number"] = spelled_number(told["number"])
    if "details" in told:
        told["details"] = details(told["details"])
        if not standing:
            told["details"] = {name: each for name, each in told["details"].items() if each}
    _amounts(told, standing.get("currency", "USD"))
    _people(tx, told, standing)
    return told


def spelled_number(told: str) -> str:
    """An order's number as it is compared."""
    return _NUMBER_SIGNS.sub("", storable.text(told, 100)).strip().upper()


def details(given: Mapping[str, str | None]) -> dict[str, str]:
    """Details as they are kept: names to text, empty where one is to be taken away. Raises InvalidOrder."""
    kept = {}
    for name, told in given.items():
        if not _DETAIL.fullmatch(name) or (told is not None and not isinstance(told, str)):
            raise InvalidOrder(f"details.{name[:60]}: a name of small letters, figures and _, and a text")
        kept[name] = " ".join(storable.text(told or "", 500).split())
    if len(kept) > MOST_DETAILS:
        raise InvalidOrder(f"details: at most {MOST_DETAILS}")
    return kept


def _amounts(told: dict[str, Any], currency: str) -> None:
    try:
        if "currency" in told:
            told["currency"] = money.currency(told["currency"], bygone=True)
    except InvalidMoney as error:
        raise InvalidOrder(f"currency: {error}") from error
    currency = told.get("currency", currency)
    for name in AMOUNTS:
        if name not in told:
            continue
        try:
            told[name] = money.exact(told[name], currency)
        except InvalidMoney as error:
            raise InvalidOrder(f"{name}: {error}") from error


def _people(tx: Tx, told: Mapping[str, Any], standing: Mapping[str, Any]) -> None:
    client_id = told.get("client_id", standing.get("client_id"))
    if client_id != standing.get("client_id"):
        if clients.get(tx, client_id) is None:
            raise InvalidOrder(f"client_id: there is no client {client_id}")
        if standing.get("credit_reserved"):
            raise InvalidOrder("client_id: the order has reserved another account's credit; cancel it instead")
    if told.get("contact_id") not in (None, standing.get("contact_id")):
        person = contacts.get(tx, told["contact_id"])
        if person is None or person.client_id != client_id:
            raise InvalidOrder(f"contact_id: the account has no contact {told['contact_id']}")
