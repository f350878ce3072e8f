"""What a touch says: its template, the contact's language, and the few words that are filled in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from nameparser import HumanName

from domain.settings import TenantSettings
from engines.engagement import sequence
from engines.engagement.due import Due

LANGUAGES = ("en", "es", "pt")

VARIANTS = 3
"""How many ways there are to say the first touch."""

NOT_A_NAME = frozenset({
    "accounting", "accounts", "admin", "administracao", "administracion", "billing", "cobranza", "comercial", "compras",
    "contabilidad", "contabilidade", "contact", "contacto", "contato", "customer", "equipe", "equipo", "facturacion",
    "faturamento", "finance", "financeiro", "hello", "help", "hola", "info", "invoices", "logistics", "mail",
    "marketing", "office", "operations", "orders", "payable", "pedidos", "procurement", "purchasing", "recepcao",
    "recepcion", "reception", "sales", "service", "soporte", "suporte", "support", "team", "vendas", "ventas",
})  # fmt: skip
"""Words of a role's mailbox, without their accents."""

_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def payload(due: Due, step: int, settings: TenantSettings) -> dict[str, Any]:
    """The payload of the card for one touch."""
    return {
        "step": step,
        "template": sequence.template(step),
        "language": language(due.languages, settings),
        "slots": dict(slots(due, settings)),
    }


def slots(due: Due, settings: TenantSettings) -> Mapping[str, str | int]:
    """The words that the templates fill in."""
    return {
        # so that somebody who hears from us every few weeks doesn't read the same lines each time
        "variant": due.promise_due.toordinal() // settings.engagement_days % VARIANTS,
        "first_name": first_name(due.name),
        "client_name": "" if due.client_name.casefold() == due.name.casefold() else due.client_name,
        "sender_name": settings.sender_name or due.company,
        "company": due.company,
        "thread_subject": re.sub(r"^(?:re:\s*)+", "", due.thread_subject or "", flags=re.IGNORECASE),
    }


def language(said: tuple[str | None, ...], settings: TenantSettings) -> str:
    """The first language that we write: the contact's, then the account's, then the tenant's own."""
    for each in said:
        base = (each or "").lower().replace("_", "-").partition("-")[0]
        if base in LANGUAGES:
            return base
    return settings.language


@lru_cache(maxsize=10_000)
def first_name(name: str) -> str:
    """The name to greet somebody by; empty when it isn't surely a person's: "Hi Accounts," embarrasses everybody."""
    first = str(HumanName(name).first)
    bare = "".join(each for each in unicodedata.normalize("NFKD", name) if not unicodedata.combining(each))
    words = {word.lower() for word in re.split(r"[\s@._-]+", bare)}
    if not _NAME.fullmatch(first) or len(first) < 2 or words & NOT_A_NAME or name.islower():
        return ""
    return first.title() if first.isupper() or first.islower() else first
