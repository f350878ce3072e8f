"""How people and things are named in a mail, whichever engine writes: in which language, and only what reads well."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from nameparser import HumanName

from domain.settings import TenantSettings

LANGUAGES = ("en", "es", "pt")

NOT_A_NAME = frozenset({
    "accounting", "accounts", "admin", "administracao", "administracion", "billing", "cobranza", "comercial", "compras",
    "contabilidad", "contabilidade", "contact", "contacto", "contato", "customer", "equipe", "equipo", "facturacion",
    "faturamento", "finance", "financeiro", "hello", "help", "hola", "info", "invoices", "logistics", "mail",
    "marketing", "office", "operations", "orders", "payable", "pedidos", "procurement", "purchasing", "recepcao",
    "recepcion", "reception", "sales", "service", "soporte", "suporte", "support", "team", "vendas", "ventas",
})  # fmt: skip
"""Words of a role's mailbox, without their accents."""

_NAME = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


_PLAIN = re.compile(r"[^\W\d_](?:[^\W\d_]|[ '’&,-]|\.(?!\S)){1,59}")
"""Letters, and the marks of a name: no figure, no address, nothing that a mail program would make a link of."""


def plain(name: str) -> str:
    """A name that may be told to somebody else as it stands; empty when more than a name could be in it."""
    bare = " ".join(name.split())
    return bare if _PLAIN.fullmatch(bare) else ""


_TITLE = re.compile(r"[^\W\d_](?:[^\W\d_]|[ ,.'’&()-]){2,59}")
"""A title that may stand in a mail: words alone, no number that reads as a price or a date, no link, no sentence."""


def plain_title(title: str) -> str:
    """A deal's title where it reads well in a mail; else nothing: titles are written for ourselves."""
    bare = " ".join(title.split())
    return bare if _TITLE.fullmatch(bare) else ""


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
