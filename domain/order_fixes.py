"""Corrections that the agent makes to an order by itself, each with what it was before, and how they are taken back."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from domain import events, money, order_exceptions, orders
from domain.db import Tx
from domain.orders import Order

SAFE = frozenset({"total_amount", "tech_fee"})
"""What the agent may correct at all."""


class FixRefused(Exception):
    """An order is no longer as it was when the correction was meant, or the correction is not a safe one."""


Changes = Mapping[str, Mapping[str, str | None]]
"""By field: what it is `before` and `after`, as text; None stands for nothing."""


def fix(tx: Tx, order_id: UUID, changes: Changes, *, card_id: UUID | None = None) -> Order:
    """Correct an order, if it still is as it was `before`. Raises FixRefused, UnknownOrder."""
    found = orders.known(tx, order_id)
    if found.status not in orders.UNCHECKED:
        raise FixRefused(f"the order is {found.status}: it is no longer corrected")
    _write(tx, found, changes, frm="before", to="after")
    order_exceptions.fixed(tx, order_id, sorted(changes))
    events.record(tx, "order.fixed", "order", order_id, client_id=found.client_id,
                  changes={name: dict(each) for name, each in changes.items()},
                  card_id=str(card_id) if card_id else None)  # fmt: skip
    return orders.known(tx, order_id)


def restore(tx: Tx, order_id: UUID, changes: Changes) -> Order:
    """Take a correction back: the order is as it was, and what was wrong with it is a person's to decide.

    Raises FixRefused when it was changed since, or is already under way; UnknownOrder.
    """
    found = orders.known(tx, order_id)
    if found.status not in orders.UNCHECKED | {"accepted"}:
        raise FixRefused(f"the order is {found.status}: what it says now was acted on")
    # before the order is looked at again, so that it is found wrong and left to a person
    order_exceptions.unfixed(tx, order_id, sorted(changes), by=tx.actor)
    _write(tx, found, changes, frm="after", to="before")
    events.record(tx, "order.fix_undone", "order", order_id, client_id=found.client_id,
                  changes={name: dict(each) for name, each in changes.items()})  # fmt: skip
    return orders.known(tx, order_id)


def _write(tx: Tx, found: Order, changes: Changes, *, frm: str, to: str) -> None:
    if not changes or set(changes) - SAFE:
        raise FixRefused(f"only {' and '.join(sorted(SAFE))} are corrected")
    for name, each in changes.items():
        if money.told(getattr(found, name)) != each.get(frm):
            raise FixRefused(f"{name} is {money.told(getattr(found, name))} by now, not {each.get(frm)}")
    orders.apply(tx, found, {name: None if each[to] is None else money.exact(str(each[to]), found.currency)
                             for name, each in changes.items()})  # fmt: skip
