"""Payment terms as people write them: understood where they can mean one thing alone."""

from __future__ import annotations

import pytest

from domain import payment_terms
from domain.payment_terms import Terms


@pytest.mark.parametrize(
    "told",
    ["Net 30", "net30", "NET-30", "N30", "n/30", "30", "30.0", "30 days", "30 día(s)", "30 días", "A 30 días",
     "30 dias", "1.5% 10 net 30", "30 dias fecha factura", "Neto 30", "30 Tage netto",
     "30 jours", "2% 10 Net 30", "2/10, net 30", "30 days net",
     "Net 30 days from invoice date", "within 30 days", "30 DDL", "Due in 30 days"],
)  # fmt: skip
def test_days_are_on_bill(told: str) -> None:
    assert payment_terms.read(told) == Terms("bill", 30)


@pytest.mark.parametrize("told", ["Due on receipt", "Due upon receipt", "Net 0", "0 days", "Al recibir", "Immediate"])
def test_what_is_due_at_once_is_on_bill_for_no_days(told: str) -> None:
    assert payment_terms.read(told) == Terms("bill", 0)


@pytest.mark.parametrize("told", ["yes", "Sí", "On account", "a crédito", "Rechnung", "X", "1"])
def test_on_bill_without_days_says_nothing_of_days(told: str) -> None:
    assert payment_terms.read(told) == Terms("bill", None)


@pytest.mark.parametrize(
    "told",
    ["Prepaid", "pre-paid", "COD", "C.O.D.", "Cash on delivery", "CIA", "Contado", "Al contado", "Pago anticipado",
     "À vista", "Pagamento antecipado", "Vorkasse", "no", "Não", "0"],
)  # fmt: skip
def test_what_is_paid_first_is_prepaid(told: str) -> None:
    assert payment_terms.read(told) == Terms("prepaid", None)


@pytest.mark.parametrize(
    "told",
    ["whenever", "30/60/90", "30 60", "30 days EOM", "Net 30 EOM", "30-45", "2% 10", "Credit card", "", "Net", "3000",
     "-30", "30 % up front"],
)  # fmt: skip
def test_what_may_mean_something_else_is_not_guessed(told: str) -> None:
    assert payment_terms.read(told) is None
