"""Requirements: what an order of its products must tell, and what of that is missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from domain.order_exceptions import Fault
from domain.orders import Order
from domain.products import Product

PERSONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "borrower_contact": ("borrower_name", ("borrower_phone", "borrower_email")),
    "property_contact": ("property_contact_name", ("property_contact_phone", "property_contact_email")),
}
"""Requirements that mean a person: the detail with the name, and those of which one must be there."""

CODE_OF: Mapping[str, str] = {
    "property_address": "PROPERTY_ADDRESS_MISSING",
    "borrower_contact": "BORROWER_CONTACT_MISSING",
    "property_contact": "PROPERTY_CONTACT_MISSING",
}

SAID: Mapping[str, str] = {
    "property_address": "the property's address",
    "borrower_contact": "the borrower's name with a phone number or an e-mail address",
    "property_contact": "whom to call at the property, with a phone number or an e-mail address",
}


def faults(order: Order, products: Sequence[Product]) -> Iterator[Fault]:
    """What is missing of what the order's products need, each thing once."""
    needed = list(dict.fromkeys(name for product in products for name in product.required))
    for name in needed:
        if not told(order.details, name):
            why = f"missing: {SAID.get(name, name.replace('_', ' '))}"
            yield Fault(CODE_OF.get(name, "DETAIL_MISSING"), name, "ask", why)


def told(details: Mapping[str, str], requirement: str) -> bool:
    """Whether an order's details hold what a requirement asks for."""
    if requirement in PERSONS:
        name, ways = PERSONS[requirement]
        return bool(details.get(name)) and any(details.get(way) for way in ways)
    return bool(details.get(requirement))
