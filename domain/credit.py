"""Credit: what an account may owe, what it owes, and what accepted orders on bill have taken of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import clients, events, money, rechecks, schedule
from domain.clients import UnknownClient
from domain.db import Row, Tx
from domain.money import InvalidMoney

TERMS = ("prepaid", "bill")


class InvalidCredit(Exception):
    """Credit has terms, a limit that is not below zero, and a balance, all in one currency."""


@dataclass(frozen=True, slots=True)
class Credit:
    """An account's credit as it stands."""

    client_id: UUID
    terms: str
    """`bill`: orders are invoiced unless they say otherwise; `prepaid`: they are paid first."""
    net_days: int | None
    currency: str
    credit_limit: Decimal | None
    """None: nobody has set one, and nothing is delivered on bill."""
    outstanding_balance: Decimal
    reserved: Decimal
    updated_at: datetime

    @property
    def available(self) -> Decimal | None:
        """What may still be ordered on bill; None without a limit."""
        if self.credit_limit is None:
            return None
        return self.credit_limit - self.outstanding_balance - self.reserved


COLUMNS = ", ".join(Credit.__slots__)


def put(
    tx: Tx, client_id: UUID, *, terms: str | None = None, credit_limit: Decimal | int | str | None = None,
    outstanding_balance: Decimal | int | str | None = None, net_days: int | None = None, currency: str | None = None,
) -> Credit:  # fmt: skip
    """Set what is given of an account's credit; None leaves a field alone, the same again changes nothing.

    The balance is the books' word: it takes the place of what deliveries added since. Raises InvalidCredit,
    UnknownClient.
    """
    if clients.get(tx, client_id) is None:
        raise UnknownClient(f"there is no client {client_id}")
    tx.run(
        """INSERT INTO client_credit (tenant_id, client_id, updated_at) VALUES (:t, :id, :now)
           ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, id=client_id, now=tx.now,
    )  # fmt: skip
    found = _locked(tx, client_id)
    wished = _spelled(found, terms, credit_limit, outstanding_balance, net_days, currency)
    fresh = {name: value for name, value in wished.items() if getattr(found, name) != value}
    if not fresh:
        return found
    sets = ", ".join(f"{name} = :{name}" for name in fresh)
    row = tx.row(
        f"""UPDATE client_credit SET {sets}, updated_at = :now WHERE tenant_id = :t AND client_id = :id
            RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=client_id, now=tx.now, **fresh,
    )  # fmt: skip
    assert row is not None
    # orders that credit kept back are looked at again
    rechecks.look_again(tx, [client_id])
    events.record(tx, "credit.changed", "client", client_id, client_id=client_id, react=True, fields=sorted(fresh))
    schedule.bring_forward(tx, tx.now, extra=True)
    return _load(row)


def get(tx: Tx, client_id: UUID) -> Credit | None:
    """An account's credit, or None where nothing was ever said of it."""
    return of(tx, [client_id]).get(client_id)


def of(tx: Tx, client_ids: Sequence[UUID]) -> dict[UUID, Credit]:
    """The credit of each of these accounts that has any."""
    rows = tx.rows(
        f"SELECT {COLUMNS} FROM client_credit WHERE tenant_id = :t AND client_id = ANY(:ids)",
        t=tx.tenant_id, ids=list(set(client_ids)),
    )  # fmt: skip
    return {row["client_id"]: _load(row) for row in rows}


def reserve(tx: Tx, client_id: UUID, amount: Decimal, currency: str, *, beyond: bool = False) -> bool:
    """Take `amount` from what is available; False when it no longer is. Two at once never take the same credit.

    With `beyond`, it is taken whatever is available: somebody has answered for it. Credit in another currency never is:
    what is reserved and owed is one sum in one currency.
    """
    if beyond:
        return bool(tx.run(
            """INSERT INTO client_credit AS c (tenant_id, client_id, currency, reserved, updated_at)
               VALUES (:t, :id, :currency, :amount, :now)
               ON CONFLICT (tenant_id, client_id) DO UPDATE SET reserved = c.reserved + :amount, updated_at = :now
               WHERE c.currency = :currency""",
            t=tx.tenant_id, id=client_id, currency=currency, amount=amount, now=tx.now,
        ))  # fmt: skip
    return bool(tx.run(
        """UPDATE client_credit SET reserved = reserved + :amount, updated_at = :now
           WHERE tenant_id = :t AND client_id = :id AND currency = :currency
             AND credit_limit - outstanding_balance - reserved >= :amount""",
        t=tx.tenant_id, id=client_id, amount=amount, currency=currency, now=tx.now,
    ))  # fmt: skip


def release(tx: Tx, client_id: UUID, amount: Decimal) -> None:
    """Give back what an order had reserved."""
    tx.run(
        """UPDATE client_credit SET reserved = greatest(reserved - :amount, 0), updated_at = :now
           WHERE tenant_id = :t AND client_id = :id""",
        t=tx.tenant_id, id=client_id, amount=amount, now=tx.now,
    )  # fmt: skip


def owe(tx: Tx, client_id: UUID, amount: Decimal) -> None:
    """What an order had reserved is owed from now on: it was delivered."""
    tx.run(
        """UPDATE client_credit SET reserved = greatest(reserved - :amount, 0),
                  outstanding_balance = outstanding_balance + :amount, updated_at = :now
           WHERE tenant_id = :t AND client_id = :id""",
        t=tx.tenant_id, id=client_id, amount=amount, now=tx.now,
    )  # fmt: skip


def _locked(tx: Tx, client_id: UUID) -> Credit:
    row = tx.row(
        f"SELECT {COLUMNS} FROM client_credit WHERE tenant_id = :t AND client_id = :id FOR UPDATE",
        t=tx.tenant_id, id=client_id,
    )  # fmt: skip
    assert row is not None
    return _load(row)


def _spelled(
    found: Credit, terms: str | None, credit_limit: Decimal | int | str | None,
    outstanding_balance: Decimal | int | str | None, net_days: int | None, currency: str | None,
) -> Mapping[str, Any]:  # fmt: skip
    told: dict[str, Any] = {}
    if terms is not None and terms not in TERMS:
        raise InvalidCredit(f"terms: {terms!r} is neither prepaid nor bill")
    if net_days is not None and not 0 <= net_days <= 365:
        raise InvalidCredit("net_days: give days from 0 to 365")
    told |= {name: each for name, each in (("terms", terms), ("net_days", net_days)) if each is not None}
    try:
        told |= {"currency": money.currency(currency, bygone=True)} if currency else {}
    except InvalidMoney as error:
        raise InvalidCredit(f"currency: {error}") from error
    for name, amount in (("credit_limit", credit_limit), ("outstanding_balance", outstanding_balance)):
        if amount is None:
            continue
        try:
            told[name] = money.exact(amount, told.get("currency", found.currency))
        except InvalidMoney as error:
            raise InvalidCredit(f"{name}: {error}") from error
    if told.get("credit_limit", 0) < 0:
        raise InvalidCredit("credit_limit: a limit is not below zero; 0 allows nothing on bill")
    if told.get("currency", found.currency) != found.currency and found.reserved:
        raise InvalidCredit("currency: accepted orders have reserved credit in the present one")
    return told


def _load(row: Row) -> Credit:
    return Credit(**{name: row[name] for name in Credit.__slots__})
