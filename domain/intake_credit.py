"""Credit in files of clients: what a row says of an account's terms, limit and balance, put by the verb of credit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain import clients, credit, csv_values
from domain.clients import Upserted
from domain.credit import Credit, InvalidCredit
from domain.csv_values import Habits, InvalidValue
from domain.db import Tx

ZERO = Decimal("0.00")
FIELDS = ("terms", "credit_limit", "net_days", "outstanding_balance")

_WORDS = {
    "bill": ("bill", "on bill", "invoice", "on account", "credit", "yes", "true", "1", "x", "si", "sí", "sim", "ja",
             "oui", "factura", "fatura", "rechnung", "facture"),
    "prepaid": ("prepaid", "prepay", "cash", "no", "false", "0", "não", "nao", "nein", "non", "prepago", "pré-pago",
                "vorkasse", "contado"),
}  # fmt: skip
"""What stands in a column of terms, or in one that asks whether the account is on bill."""


def put(tx: Tx, made: Upserted, told: Mapping[str, str], currency: str | None, habits: Habits) -> Upserted:
    """Set what a row says of the credit of the account that it made or changed; nothing of it where it says nothing.

    Raises InvalidCredit.
    """
    account = clients.get(tx, made.id) if told else None
    if account is None:
        return Upserted(made.id, created=False)
    given = _read(told, habits)
    before = credit.get(tx, made.id)
    if before is None:
        stamp = made.before.get("updated_at", account.updated_at)
        before = Credit(made.id, "prepaid", None, account.currency, None, ZERO, ZERO, stamp)
        if all(getattr(before, name) == value for name, value in given.items()):
            return Upserted(made.id, created=False)
    after = credit.put(tx, made.id, currency=currency or before.currency, **given)
    names = tuple(sorted(name for name in (*FIELDS, "currency") if getattr(before, name) != getattr(after, name)))
    stood = {name: getattr(before, name) for name in (*names, "updated_at")} if names else {}
    return Upserted(made.id, created=False, changed=names, before=stood)


def _read(told: Mapping[str, str], habits: Habits) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("credit_limit", "outstanding_balance", "net_days"):
        if name in told:
            try:
                given[name] = csv_values.number(told[name], habits)
            except InvalidValue as error:
                raise InvalidCredit(f"{name}: {error}") from error
    if "net_days" in given:
        if given["net_days"] != int(given["net_days"]):
            raise InvalidCredit("net_days: give whole days, such as 30")
        given["net_days"] = int(given["net_days"])
    if "terms" in told:
        word = told["terms"].casefold()
        meant = next((terms for terms, words in _WORDS.items() if word in words), None)
        if meant is None:
            raise InvalidCredit(f"terms: {told['terms'][:40]!r} is neither bill (or yes) nor prepaid (or no)")
        given["terms"] = meant
    return given
