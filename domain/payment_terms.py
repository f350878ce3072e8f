"""Payment terms as people write them in tables: on bill within some days, or paid first; nothing is guessed."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

_BILL = frozenset((
    "bill", "on bill", "invoice", "on invoice", "on account", "open account", "credit", "on credit", "yes", "true", "1",
    "x", "si", "sim", "ja", "oui", "factura", "credito", "a credito", "a cuenta", "fatura", "a prazo", "rechnung",
    "auf rechnung", "facture", "sur facture"))  # fmt: skip
_AT_ONCE = frozenset((
    "due on receipt", "due upon receipt", "on receipt", "upon receipt", "due on receipt of invoice",
    "payable on receipt", "payment on receipt", "due immediately", "immediate", "immediate payment", "al recibir",
    "a la recepcion", "a la recepcion de factura", "pago inmediato", "no recebimento", "pagamento imediato", "sofort",
    "sofort fallig", "a reception", "a reception de facture"))  # fmt: skip
_FIRST = frozenset((
    "prepaid", "pre paid", "prepay", "prepayment", "pre payment", "in advance", "payment in advance", "paid in advance",
    "advance payment", "cash", "cash in advance", "cia", "pia", "cash with order", "cwo", "cash before delivery", "cbd",
    "proforma", "pro forma", "no", "false", "0", "nao", "nein", "non", "prepago", "pre pago", "prepagado",
    "anticipado", "pago anticipado", "por adelantado", "pago por adelantado", "contado", "al contado", "de contado",
    "pago al contado", "antecipado", "pagamento antecipado", "a vista", "pagamento a vista", "vorkasse", "vorauskasse",
    "comptant",
    # who pays at the door has no credit either
    "cod", "c o d", "cash on delivery", "collect on delivery", "contra reembolso", "contra entrega", "contraentrega",
    "pago contra entrega", "nachnahme"))  # fmt: skip

_DAYS = re.compile(
    r"(?:(?:\d )?\d{1,2} ?[%/] ?\d{1,2} (?:days )?(?=n))?"  # what is off for paying sooner: 2% 10 net 30
    r"(?:(?:due |payable |payment )?(?:in|within) |due |(?:pago |credito |pagamento )?(?:a|em|en) |innerhalb von )?"
    r"(?:(?:net|netto|neto|n)[ /]?)?"
    r"(\d{1,3})"
    r"(?: ?(?:d|days?|dd|ddl|dias?|dia s|tagen?|jours?|giorni))?"
    r"(?: (?:net|netto|neto|credit|credito|(?:from|after|of) (?:the )?(?:date of )?invoice(?: date)?|"
    r"fecha (?:de )?factura|(?:da )?data da fatura|date de facture))?"
)


@dataclass(frozen=True, slots=True)
class Terms:
    """Whether an account is on bill, and within how many days it pays; None: that is not said."""

    terms: Literal["bill", "prepaid"]
    net_days: int | None = None


def read(told: str) -> Terms | None:
    """What a cell says, or None where it may mean something else: instalments, ends of months, ways to pay."""
    folded = unicodedata.normalize("NFKD", told.casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter)).strip()
    # spreadsheets make 30.0 of 30; what a sign or a dash parts is no number of days
    bare = re.sub(r"^(\d+)[.,]0{1,2}$", r"\1", bare)
    if re.search(r"(?:^|\d\s*)[-+]\s*\d", bare):
        return None
    plain = re.sub(r"[^\w%/]+", " ", bare).strip()
    if plain in _BILL:
        return Terms("bill")
    if plain in _AT_ONCE:
        return Terms("bill", 0)
    if plain in _FIRST:
        return Terms("prepaid")
    days = _DAYS.fullmatch(plain)
    return Terms("bill", int(days[1])) if days else None
