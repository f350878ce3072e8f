"""The codes of order exceptions: what each means, and who sees to it."""

from __future__ import annotations

from dataclasses import dataclass

from domain.order_exceptions import Handling


@dataclass(frozen=True, slots=True)
class Code:
    """One code."""

    handling: Handling
    """fix: corrected by the agent; ask: the client is asked; person: somebody of the tenant decides."""
    sentence: str


CODES: dict[str, Code] = {
    "FEE_MISSING": Code("person", "The order names no fee."),
    "FEE_NOT_POSITIVE": Code("person", "The fee is zero or below."),
    "FEE_OFF_CATALOGUE": Code("person", "The fee is further from the catalogue than its tolerance allows."),
    "LINE_OFF_CATALOGUE": Code("person", "A line's price is further from the catalogue than its tolerance allows."),
    "OFF_QUOTE": Code("person", "The order is not what the client agreed to by its quote."),
    "TOTAL_MISSING": Code("fix", "The order names no total."),
    "TOTAL_BELOW_FEE": Code("fix", "The total is below the fee."),
    "TECH_FEE_MISSING": Code("fix", "The order names no tech fee, and its product has one."),
    "TECH_FEE_NEGATIVE": Code("fix", "The tech fee is below zero."),
    "CURRENCY_MISMATCH": Code("person", "The order is in another currency than its product."),
    "PRODUCT_UNKNOWN": Code("person", "A line names no product of the catalogue; asked of whom ordered by mail."),
    "PRODUCT_RETIRED": Code("person", "A line names a product that is no longer sold."),
    "LINES_MISSING": Code("ask", "An order by mail does not say what is ordered."),
    "CLIENT_UNKNOWN": Code("person", "An order by mail came from nobody known."),
    "CLIENT_INACTIVE": Code("person", "The order is on bill, and the account is inactive."),
    "CREDIT_LIMIT_MISSING": Code("person", "The order is on bill, and nobody has set the account's credit limit."),
    "CREDIT_CURRENCY": Code("person", "The order is on bill in another currency than the account's credit."),
    "CREDIT_EXCEEDED": Code("person", "The order is on bill, and its total exceeds the account's available credit."),
    "PROPERTY_ADDRESS_MISSING": Code("ask", "The product needs the property's address."),
    "BORROWER_CONTACT_MISSING": Code("ask", "The product needs the borrower's name with a phone or an e-mail address."),
    "PROPERTY_CONTACT_MISSING": Code("ask", "The product needs whom to call at the property, with a phone or address."),
    "DETAIL_MISSING": Code("ask", "The product needs another detail, as its requirements name it."),
    "CONTACT_MISSING": Code("person", "Something is to be asked, and nobody at the account can be written to."),
    "ANSWER_UNCLEAR": Code("person", "The client answered, and the answer does not plainly hold what was asked."),
    "CLIENT_CHANGE": Code("person", "The client wants something changed, or asks where the order is."),
}  # fmt: skip
"""Every code that there is."""

PRICING = frozenset({"FEE_MISSING", "FEE_NOT_POSITIVE", "FEE_OFF_CATALOGUE", "LINE_OFF_CATALOGUE", "CURRENCY_MISMATCH",
                     "OFF_QUOTE"})  # fmt: skip
"""What makes a fee too doubtful to build a correction on."""

CREDIT = frozenset({"CLIENT_INACTIVE", "CREDIT_LIMIT_MISSING", "CREDIT_CURRENCY", "CREDIT_EXCEEDED"})
"""What is looked at again when an account's credit changes."""

OF_MAIL = frozenset({"ANSWER_UNCLEAR", "CLIENT_CHANGE"})
"""What a mail brought and no check finds."""

CHECKED = frozenset(CODES) - OF_MAIL
"""What a check decides about."""
