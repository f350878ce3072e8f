"""Credit: whether an account may have this order on bill."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from domain import money
from domain.credit import Credit
from domain.order_exceptions import Fault
from domain.orders import Order


def faults(order: Order, *, client_active: bool, standing: Credit | None) -> Iterator[Fault]:
    """Everything about the account that speaks against it; nothing where the order is paid first.

    A limit that is waived stays so while the order's total is the same, whatever the account owes by then.
    """
    if order.billing != "bill" or order.client_id is None:
        return
    total = order.total_amount or Decimal(0)
    facts = {"total": money.told(total) or "", "currency": order.currency}
    if not client_active:
        yield Fault("CLIENT_INACTIVE", "client_id", "person", "the account is inactive")
    if standing is not None and standing.currency != order.currency:
        told = f"the account's credit is in {standing.currency}, the order in {order.currency}"
        yield Fault("CREDIT_CURRENCY", "currency", "person", told, facts)
        return
    if standing is None or standing.available is None:
        yield Fault(
            "CREDIT_LIMIT_MISSING", "total_amount", "person", "nobody has set the account's credit limit", facts
        )
        return
    if total > standing.available:
        owes = standing.outstanding_balance + standing.reserved
        yield Fault("CREDIT_EXCEEDED", "total_amount", "person",
                    f"the order is {money.told(total)} {order.currency}, and {money.told(standing.available)} of "
                    f"{money.told(standing.credit_limit)} is left ({money.told(owes)} owed or reserved)",
                    facts)  # fmt: skip
