"""What the page that asks for feedback says, in each of our languages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """The words of the page, in one language."""

    title: str
    question: str
    """With the order's name."""
    scale: tuple[str, str, str, str, str]
    """What each rating means, from 1 to 5."""
    comment: str
    choose: str
    thanks: str
    sorry: str
    given: str
    """With the rating."""
    change: str
    settled: str
    closed: str
    """Where no answer is taken, and none was given."""
    wrong: str
    gone: str


WORDS: Mapping[str, Words] = {
    "en": Words(
        "How did we do?", "How was order {order}?", ("Very poor", "Poor", "Fair", "Good", "Very good"),
        "Anything that you would like to add (optional)", "Choose one:", "Thank you for telling us.",
        "Thank you for telling us. We are sorry that it did not go well; somebody is going to look at it.",
        "You answered {rating} of 5.", "If you have changed your mind, choose again:",
        "Your answer stands as you gave it. Reply to our mail if there is more to say.",
        "No answer is taken here any more. Reply to our mail if there is something to say.",
        "Please choose one of the five.", "This page is no longer there: look for a newer mail from us, or ask us.",
    ),
    "es": Words(
        "¿Qué le pareció?", "¿Qué le pareció el pedido {order}?",
        ("Muy mal", "Mal", "Regular", "Bien", "Muy bien"),
        "Si desea añadir algo (opcional)", "Elija una opción:", "Gracias por decírnoslo.",
        "Gracias por decírnoslo. Sentimos que no haya ido bien; alguien lo va a revisar.",
        "Su respuesta: {rating} de 5.", "Si ha cambiado de opinión, elija de nuevo:",
        "Su respuesta queda como la dio. Responda a nuestro correo si hay algo más que decir.",
        "Aquí ya no se recogen respuestas. Responda a nuestro correo si quiere decirnos algo.",
        "Elija una de las cinco opciones.",
        "Esta página ya no existe: busque un correo nuestro más reciente, o pregúntenos.",
    ),
    "pt": Words(
        "O que achou?", "O que achou do pedido {order}?", ("Muito ruim", "Ruim", "Regular", "Bom", "Muito bom"),
        "Se quiser acrescentar algo (opcional)", "Escolha uma opção:", "Obrigado por nos dizer.",
        "Obrigado por nos dizer. Lamentamos que não tenha corrido bem; alguém vai verificar o que houve.",
        "A sua resposta: {rating} de 5.", "Se mudou de opinião, escolha de novo:",
        "A sua resposta fica como está. Responda ao nosso e-mail se houver algo mais a dizer.",
        "Aqui já não se recebem respostas. Responda ao nosso e-mail se quiser dizer algo.",
        "Escolha uma das cinco opções.",
        "Esta página já não existe: procure um e-mail nosso mais recente, ou pergunte-nos.",
    ),
}  # fmt: skip
