"""Credit in files of clients: what a row says of an account's terms, limit and balance, put by the verb of credit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain import clients, credit, csv_values, payment_terms
from domain.clients import Upserted
from domain.credit import Credit, InvalidCredit
from domain.csv_values import Habits, InvalidValue
from domain.db import Tx

ZERO = Decimal("0.00")
FIELDS = ("terms", "credit_limit", "net_days", "outstanding_balance")

_SILENT = ("-", "–", "—", "--", "n/a", "na")
"""What stands in cells that say nothing."""


def put(tx: Tx, made: Upserted, told: Mapping[str, str], currency: str | None, habits: Habits) -> Upserted:
    """Set what a row says of the credit of the account that it made or changed; nothing of it where it says nothing.

    Raises InvalidCredit where any of it can't be understood, and then nothing of it is set: half of it would mislead.
    """
    told = {name: value for name, value in told.items() if value.casefold() not in _SILENT}
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
    with tx.savepoint():
        after = credit.put(tx, made.id, currency=currency or before.currency, **given)
    names = tuple(sorted(name for name in (*FIELDS, "currency") if getattr(before, name) != getattr(after, name)))
    stood = {name: getattr(before, name) for name in (*names, "updated_at")} if names else {}
    return Upserted(made.id, created=False, changed=names, before=stood)


def _read(told: Mapping[str, str], habits: Habits) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name in ("credit_limit", "outstanding_balance"):
        if name in told:
            given[name] = _amount(name, told[name], habits)
    if "net_days" in told:
        given["net_days"] = _days(told["net_days"])
    if "terms" in told:
        meant = payment_terms.read(told["terms"])
        if meant is None:
            raise InvalidCredit(
                f"terms: {told['terms'][:40]!r} is not understood: give bill, prepaid or days such as Net 30"
            )
        given["terms"] = meant.terms
        if meant.net_days is not None and given.setdefault("net_days", meant.net_days) != meant.net_days:
            raise InvalidCredit(f"net_days: {given['net_days']} days are not {told['terms'][:40]!r}")
    return given


def _days(told: str) -> int:
    # a bare 0 or 1 would be a no or a yes to terms
    if re.fullmatch(r"[0-9]{1,3}", told):
        return int(told)
    meant = payment_terms.read(told)
    if meant is None or meant.net_days is None:
        raise InvalidCredit(f"net_days: {told[:40]!r} are not whole days, such as 30")
    return meant.net_days


def _amount(name: str, told: str, habits: Habits) -> Decimal:
    """An amount; what books put into parentheses is below zero."""
    below = re.fullmatch(r"\((.+)\)", told)
    try:
        amount = csv_values.number(below[1] if below else told, habits)
    except InvalidValue as error:
        raise InvalidCredit(f"{name}: {error}") from error
    return -amount if below else amount
