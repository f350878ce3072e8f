"""Safety triggers: found in three languages, with the sentence, and not in everyday words."""

from __future__ import annotations

import pytest

from brain import triggers

PULLED = {
    "legal_threat": [
        "If this is not settled we will take legal action.", "Our lawyers will be in touch.", "See you in court.",
        "You will be hearing from my solicitor.", "Tomaremos acciones legales.",
        "Nuestros abogados se pondrán en contacto.",
        "Vamos tomar medidas judiciais.", "Nosso advogado vai entrar em contato.",
    ],
    "threat_to_person": [
        "I know where you live.", "I will kill you.", "I want to end my life.", "Te voy a matar.", "Sé donde vives.",
        "Vou te matar.", "Sei onde você mora.",
    ],
    "fraud_suspicion": [
        "This looks like a scam to me.", "There is an unauthorised charge on our account.", "Creo que es una estafa.",
        "Hay un cargo no autorizado.", "Acho que sofremos um golpe.", "Há uma cobrança não autorizada.",
    ],
    "data_erasure_demand": [
        "Please delete all my personal data.", "I use my right to be forgotten.",
        "Under the GDPR, erase what you have.",
        "Borren todos mis datos.", "Eliminen mis datos personales.", "Apaguem todos os meus dados.",
        "Exijo o direito ao esquecimento.",
    ],
    "payment_detail_change": [
        "Please note our new bank details.", "Our bank account has changed.", "We have updated our IBAN, see below.",
        "Nuestra cuenta bancaria ha cambiado.", "Le envío los nuevos datos bancarios.", "Mudamos nossa conta bancária.",
        "Seguem os novos dados bancários.",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("trigger", "text"), [(name, text) for name, texts in PULLED.items() for text in texts])
def test_a_trigger_is_found_with_the_sentence_that_holds_it(trigger: str, text: str) -> None:
    found = triggers.search(f"Hello,\n\nthank you for the delivery. {text} Best wishes,\nBill")
    assert [each for each in found if each.trigger == trigger] == [triggers.Found(trigger, text)]


@pytest.mark.parametrize(
    "text",
    [
        "Can you call me on Thursday?", "Our new account manager is great.", "Data sheets attached.",
        "Please remove the second line of our order.",
        "I know where you parked the van.", "We will take delivery on Monday.", "Could you delete the duplicate item?",
        "Please send the invoice to our accounts team.", "¿Puede cambiar la fecha de entrega?",
        "Nueva dirección de entrega.",
        "Podemos mudar o endereço de entrega?", "Eliminen la segunda línea del pedido.", "Vou processo por processo.",
        "The lawyers' office is on the second floor.", "I could kill for a coffee.",
    ],
)  # fmt: skip
def test_everyday_words_pull_no_trigger(text: str) -> None:
    assert triggers.search(text) == []


def test_a_sentence_broken_over_two_lines_is_still_one() -> None:
    found = triggers.search("We are going to take\nlegal action against you.")
    assert found == [triggers.Found("legal_threat", "We are going to take legal action against you.")]


def test_a_long_text_is_searched_in_no_time() -> None:
    text = "our new " * 20_000 + "tomar " * 20_000
    assert triggers.search(text) == []
