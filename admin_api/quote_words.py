"""What the page of a quote says, in each of our languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """The words of the page and of its PDF, in one language."""

    quote: str
    to: str
    valid: str
    item: str
    quantity: str
    price: str
    amount: str
    subtotal: str
    discount: str
    tax: str
    total: str
    terms: str
    name: str
    accept: str
    reason: str
    reject: str
    pdf: str
    accepted: str
    rejected: str
    expired: str
    not_yet: str
    gone: str
    needs_reason: str
    otherwise: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        "Quote", "For", "Valid until", "Item", "Quantity", "Price", "Amount", "Subtotal", "Discount", "Tax", "Total",
        "Terms", "Your name", "Accept this quote", "Why not?", "Decline it", "Download as PDF",
        "This quote was accepted. Thank you.", "This quote was declined. Thank you for telling us.",
        "This quote is no longer valid. Reply to our mail if you would like it renewed.",
        "This quote has not been sent yet.", "This page is no longer there: look for a newer mail from us, or ask us.",
        "Please say in a word why not.", "This quote was answered otherwise already. Reply to our mail to change that.",
    ),
    "es": Words(
        "Presupuesto", "Para", "Válido hasta el", "Concepto", "Cantidad", "Precio", "Importe", "Subtotal", "Descuento",
        "Impuesto", "Total", "Condiciones", "Su nombre", "Aceptar este presupuesto", "¿Por qué no?", "Rechazarlo",
        "Descargar en PDF", "Este presupuesto fue aceptado. Gracias.",
        "Este presupuesto fue rechazado. Gracias por decírnoslo.",
        "Este presupuesto ya no es válido. Responda a nuestro correo si desea renovarlo.",
        "Este presupuesto todavía no se ha enviado.",
        "Esta página ya no existe: busque un correo nuestro más reciente, o pregúntenos.",
        "Díganos en una palabra por qué no.",
        "Este presupuesto ya tuvo otra respuesta. Responda a nuestro correo para cambiarla.",
    ),
    "pt": Words(
        "Orçamento", "Para", "Válido até", "Item", "Quantidade", "Preço", "Valor", "Subtotal", "Desconto", "Imposto",
        "Total", "Condições", "Seu nome", "Aceitar este orçamento", "Por que não?", "Recusar", "Baixar em PDF",
        "Este orçamento foi aceito. Obrigado.", "Este orçamento foi recusado. Obrigado por nos dizer.",
        "Este orçamento já não é válido. Responda ao nosso e-mail se quiser renová-lo.",
        "Este orçamento ainda não foi enviado.",
        "Esta página já não existe: procure um e-mail nosso mais recente, ou pergunte-nos.",
        "Diga-nos numa palavra por que não.",
        "Este orçamento já teve outra resposta. Responda ao nosso e-mail para mudá-la.",
    ),
}  # fmt: skip
