"""Words in a file's cells that stand for one of ours: what an order's status is called elsewhere, or a closed deal."""

from __future__ import annotations

from collections.abc import Mapping

from domain.place_names import bare

WORDS: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]] = {
    ("clients", "status"): {
        "active": ("aktiv", "activo", "activa", "ativo", "ativa", "actif", "active account"),
        "inactive": ("inaktiv", "inactivo", "inactiva", "inativo", "inativa", "inactif", "closed", "former"),
    },
    ("clients", "relationship"): {
        "client": ("customer", "kunde", "cliente"),
        "prospect": ("lead", "interessent", "prospecto", "potencial", "prospection"),
    },
    ("orders", "status"): {
        "draft": ("entwurf", "borrador", "rascunho", "brouillon", "bozza"),
        "new": ("open", "pending", "offen", "neu", "abierto", "pendiente", "nuevo", "aberto", "pendente", "novo",
                "en attente", "nouveau", "aperto"),
        "accepted": ("confirmed", "approved", "bestatigt", "angenommen", "aceptado", "confirmado", "aceite", "aceito",
                     "confirme", "accepte", "confermato"),
        "in_progress": ("processing", "in process", "started", "in bearbeitung", "in arbeit", "en curso",
                        "en proceso", "em andamento", "em curso", "en cours", "in corso"),
        "delivered": ("fulfilled", "geliefert", "ausgeliefert", "entregado", "entregue", "livre", "consegnato"),
        "closed": ("completed", "complete", "done", "finished", "abgeschlossen", "erledigt", "cerrado", "completado",
                   "terminado", "fechado", "concluido", "termine", "cloture", "chiuso"),
        "cancelled": ("canceled", "void", "storniert", "abgebrochen", "cancelado", "anulado", "annule",
                      "annullato"),
    },
    ("orders", "billing"): {
        "prepaid": ("prepay", "in advance", "vorkasse", "prepago", "anticipado", "pre-pago", "prepaye"),
        "bill": ("invoice", "on account", "on bill", "rechnung", "auf rechnung", "factura", "credito", "fatura",
                 "facture", "fattura"),
    },
    ("deals", "stage"): {
        "won": ("closed won", "closedwon", "closed-won", "gewonnen", "ganado", "ganada", "ganho", "gagne", "gagnee",
                "vinto"),
        "lost": ("closed lost", "closedlost", "closed-lost", "verloren", "perdido", "perdida", "perdu", "perdue",
                 "perso"),
    },
}  # fmt: skip
"""By kind of file and field: ours, and what else people write for it, as `bare` leaves it."""


def meant(kind: str, field: str, told: str) -> str | None:
    """The word of ours that a cell says in words of its own; None where it is no such word."""
    word = bare(told.replace("_", " "))
    return next((ours for ours, theirs in WORDS[kind, field].items() if word in theirs), None)
