"""Columns of a CSV file and what they mean: titles in the words of several languages, or as the person says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from domain import storable
from domain.csv_rows import Cells, InvalidFile

_OF_AN_ACCOUNT = {
    "country": ("country", "country code", "pais", "land", "pays", "paese"),
    "timezone": ("timezone", "time zone", "tz", "zona horaria", "huso horario", "fuso horario", "zeitzone",
                 "fuseau horaire"),
    "language": ("language", "lang", "locale", "idioma", "lengua", "lingua", "sprache", "langue"),
}  # fmt: skip

_WHOSE = {
    "client_external_id": ("client external id", "client id", "account id", "customer id", "company id", "id cliente",
                           "kundennummer", "kundennr", "kunden nr"),
    "company": ("company", "client", "client name", "customer", "account", "account name", "empresa", "cliente",
                "kunde", "firma", "entreprise"),
    "email": ("email", "e mail", "contact email", "contact", "correo", "correo electronico", "e mail adresse"),
}  # fmt: skip

FIELDS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "clients": {
        "external_id": ("external id", "externalid", "id", "client id", "account id", "customer id", "crm id",
                        "record id", "id externo", "codigo", "kundennummer", "kundennr", "kunden nr", "numero client"),
        "name": ("name", "company", "company name", "account", "account name", "client", "client name", "customer",
                 "customer name", "organization", "organisation", "nombre", "empresa", "cliente", "razon social",
                 "nome", "firma", "kunde", "unternehmen", "societe", "entreprise", "azienda"),
        "domain": ("domain", "website", "web", "web site", "url", "dominio", "sitio web", "site", "webseite",
                   "site web", "sito"),
        **_OF_AN_ACCOUNT,
        "relationship": ("relationship", "relation", "relacion", "relacao", "beziehung"),
        "status": ("status", "state", "estado", "situacion", "situacao", "statut", "stato"),
        "annual_value": ("annual value", "annual revenue", "yearly value", "arr", "value", "valor anual",
                         "ingresos anuales", "jahreswert", "jahresumsatz", "valeur annuelle"),
        "currency": ("currency", "moneda", "moeda", "wahrung", "devise", "valuta"),
        "terms": ("terms", "payment terms", "credit terms", "on bill", "on account", "condiciones de pago",
                  "condicion de pago", "a credito", "condicoes de pagamento", "condicao de pagamento",
                  "zahlungsbedingungen", "auf rechnung", "conditions de paiement", "sur facture"),
        "credit_limit": ("credit limit", "limite de credito", "kreditlimit", "kreditrahmen", "limite de credit",
                         "plafond de credit", "limite di credito"),
        "net_days": ("net days", "days to pay", "payment days", "payment due days", "credit days", "dias de pago",
                     "dias de credito", "plazo de pago", "dias de pagamento", "prazo de pagamento", "zahlungsziel",
                     "delai de paiement"),
        "outstanding_balance": ("outstanding balance", "balance", "outstanding", "open balance", "saldo",
                                "saldo pendiente", "saldo pendente", "offener saldo", "offene posten", "solde",
                                "encours"),
    },
    "contacts": {
        "name": ("name", "full name", "contact", "contact name", "nombre", "nombre completo", "nome",
                 "nome completo", "display name", "vollstandiger name", "nom complet"),
        "first_name": ("first name", "firstname", "given name", "forename", "nombre de pila", "primeiro nome",
                       "vorname", "prenom"),
        "last_name": ("last name", "lastname", "surname", "family name", "apellido", "apellidos", "sobrenome",
                      "nachname", "nom de famille", "cognome"),
        "email": ("email", "e mail", "mail", "email address", "e mail address", "correo", "correo electronico",
                  "email 1", "endereco de email", "email adresse", "e mail adresse", "adresse email", "courriel"),
        "company": ("company", "company name", "account", "account name", "client", "customer", "organization",
                    "organisation", "empresa", "cliente", "firma", "unternehmen", "societe", "entreprise",
                    "azienda"),
        "client_external_id": ("client external id", "account external id", "client id", "account id", "company id",
                               "customer id", "id cliente", "id empresa", "kundennummer", "kundennr", "kunden nr"),
        "phone": ("phone", "phone number", "telephone", "tel", "mobile", "mobile phone", "telefono", "movil",
                  "celular", "telefone", "telefon", "telefonnummer", "telefonnr", "handy", "mobil", "mobiltelefon",
                  "mobile phone number", "portable"),
        "title": ("title", "job title", "position", "role", "cargo", "puesto", "funcao", "funktion", "poste",
                  "ruolo"),
        **_OF_AN_ACCOUNT,
        "external_id": ("external id", "externalid", "id", "contact id", "crm id", "record id", "id externo",
                        "codigo"),
    },
    "products": {
        "external_id": ("external id", "externalid", "id", "product id", "id externo"),
        "code": ("code", "sku", "product code", "article", "article number", "codigo", "referencia", "artikelnummer",
                 "artikelnr", "reference", "codice"),
        "name": ("name", "product", "product name", "description", "nombre", "producto", "nome", "produto",
                 "bezeichnung", "produkt", "designation", "produit", "prodotto"),
        "kind": ("kind", "type", "category", "tipo", "categoria", "art", "kategorie"),
        "price": ("price", "unit price", "list price", "precio", "preco", "preis", "prix", "prezzo"),
        "tech_fee": ("tech fee", "technology fee", "cargo tecnologico"),
        "tolerance_percent": ("tolerance percent", "tolerance", "tolerance %", "tolerancia", "toleranz"),
        "currency": ("currency", "moneda", "moeda", "wahrung", "devise", "valuta"),
        "active": ("active", "activo", "ativo", "aktiv", "actif", "attivo"),
    },
    "orders": {
        "external_id": ("external id", "externalid", "id", "order id", "id externo", "id pedido"),
        "number": ("number", "order number", "order no", "numero", "numero de pedido", "pedido", "bestellnummer",
                   "bestellnr", "auftragsnummer", "auftragsnr", "auftrags nr", "numero de commande", "numero ordine"),
        **_WHOSE,
        "status": ("status", "state", "estado", "situacao", "statut", "stato"),
        "billing": ("billing", "payment", "facturacion", "faturamento", "abrechnung", "facturation"),
        "currency": ("currency", "moneda", "moeda", "wahrung", "devise", "valuta"),
        "fee": ("fee", "honorarios", "tarifa", "gebuhr", "frais"),
        "tech_fee": ("tech fee", "technology fee", "cargo tecnologico"),
        "total_amount": ("total amount", "total", "amount", "importe", "importe total", "valor total", "gesamtbetrag",
                         "summe", "montant", "totale"),
        "ordered_at": ("ordered at", "order date", "date", "fecha", "fecha de pedido", "data", "data do pedido",
                       "bestelldatum", "datum", "date de commande"),
        "delivered_at": ("delivered at", "delivery date", "fecha de entrega", "data de entrega", "lieferdatum",
                         "date de livraison"),
        "product": ("product", "product code", "code", "sku", "producto", "produto", "produkt", "artikel", "produit"),
        "description": ("description", "item", "descripcion", "descricao", "beschreibung"),
        "quantity": ("quantity", "qty", "cantidad", "quantidade", "menge", "quantite", "quantita"),
        "unit_price": ("unit price", "price", "precio", "precio unitario", "preco", "preis", "stuckpreis", "prix"),
        **{name: (name.replace("_", " "),) for name in (
            "property_address", "borrower_name", "borrower_email", "borrower_phone", "property_contact_name",
            "property_contact_phone")},
    },
    "deals": {
        "external_id": ("external id", "externalid", "id", "deal id", "opportunity id", "id externo"),
        "title": ("title", "deal", "deal name", "name", "opportunity", "titulo", "negocio", "oportunidad",
                  "oportunidade", "titel", "affaire"),
        **_WHOSE,
        "value": ("value", "deal value", "amount", "valor", "importe", "wert", "betrag", "montant", "valore"),
        "currency": ("currency", "moneda", "moeda", "wahrung", "devise", "valuta"),
        "stage": ("stage", "deal stage", "etapa", "fase", "phase", "etape"),
        "expected_close_on": ("expected close on", "close date", "expected close", "fecha de cierre",
                              "data de fechamento", "abschlussdatum", "date de cloture"),
    },
}  # fmt: skip
"""What each column may be called, in any letter case, with or without accents, spaces, hyphens or underscores."""

LOOSE: Mapping[str, frozenset[str]] = {
    "clients": frozenset((
        "client", "customer", "account", "cliente", "kunde", "razon social", "state", "estado", "stato", "on bill",
        "on account", "a credito", "auf rechnung", "sur facture", "balance", "outstanding", "saldo", "solde")),
    "contacts": frozenset((
        "mobile", "mobile phone", "mobile phone number", "movil", "celular", "handy", "mobil", "mobiltelefon",
        "portable")),
}  # fmt: skip
"""Titles that often mean something else, too: such a column counts where no other one says the same more plainly."""

NEEDED: Mapping[str, tuple[str, ...]] = {
    "clients": ("name", "external_id"),
    "contacts": ("email", "name", "first_name", "last_name"),
    "products": ("code", "external_id"),
    "orders": ("external_id", "number"),
    "deals": ("external_id",),
}
"""A file must have one of these."""


ADDED = ("Import line", "Import reason")
"""What a file of rows that were left out has beside its own columns."""

DOUBLE = "the same {} as line "
"""How the reason begins why a row is left out that means what an earlier row of its file means."""


@dataclass(frozen=True, slots=True)
class Header:
    """Which column holds which field, how many there are, and those that hold nothing that we know."""

    titles: tuple[str, ...]
    columns: Mapping[str, int]
    ignored: tuple[str, ...]
    kind: str

    def double(self, row: Cells) -> str | None:
        """Why a row of a file of rows that were left out was left out, where it was for an earlier one."""
        at = self.titles.index(ADDED[1]) if ADDED[1] in self.titles else len(row.cells)
        told = row.cells[at] if at < len(row.cells) else ""
        return told if told.startswith(f"row: {DOUBLE.format(self.kind[:-1])}") else None

    def told(self, row: Cells) -> dict[str, str]:
        """What a row says, by field; empty cells say nothing. Raises BrokenRow."""
        if row.broken:
            raise BrokenRow(f"row: {row.broken}")
        if any(row.cells[len(self.titles) :]):
            raise BrokenRow("row: more cells than the first line; put quotes around a cell with a separator")
        return {name: storable.unbroken(row.cells[at], len(row.cells[at])) for name, at in self.columns.items()
                if at < len(row.cells) and row.cells[at]}  # fmt: skip


class BrokenRow(Exception):
    """A row that does not fit the line of titles."""


def header(kind: str, first: Cells, chosen: Mapping[str, str]) -> Header:
    """What the first line says. Raises InvalidFile.

    `chosen` gives the field of a column by its title; empty leaves the column out.
    """
    if first.broken:
        raise InvalidFile(f"line {first.line}: {first.broken}")
    fields = FIELDS[kind]
    meanings = {alias: name for name, aliases in fields.items() for alias in (*aliases, _plain(name))}
    wished = _wished(kind, first.cells, chosen)
    columns: dict[str, int] = {name: first.cells.index(title) for title, name in wished.items() if name}
    ignored = []
    loose = [_plain(title) in LOOSE.get(kind, ()) for title in first.cells]
    for at, title in sorted(enumerate(first.cells), key=lambda each: loose[each[0]]):
        meant = None if title in wished else meanings.get(_plain(title))
        if wished.get(title):
            continue
        if meant is None or meant in wished.values() or (loose[at] and meant in columns and not loose[columns[meant]]):
            ignored.append(at)
        elif meant in columns:
            raise InvalidFile(
                f"columns {first.cells[columns[meant]]!r} and {title!r} both mean {meant}: rename one, or say which "
                f"is meant (--map '{title}={meant}')"
            )
        else:
            columns[meant] = at
    if not set(NEEDED[kind]) & set(columns):
        raise InvalidFile(
            f"no column is called {' or '.join(NEEDED[kind][:2])}; the first line says: {', '.join(first.cells)[:200]}"
        )
    return Header(first.cells, columns, tuple(first.cells[at] for at in sorted(ignored)), kind)


def _wished(kind: str, titles: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """The fields that were chosen, by the title as it stands in the file. Raises InvalidFile."""
    found: dict[str, str] = {}
    for title, name in chosen.items():
        here = next((each for each in titles if _plain(each) == _plain(title)), None)
        if here is None:
            raise InvalidFile(f"no column is called {title!r}; the first line says: {', '.join(titles)[:200]}")
        if name and name not in FIELDS[kind]:
            close = get_close_matches(name, FIELDS[kind], n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(FIELDS[kind])}"
            raise InvalidFile(f"{kind} have no field {name!r}{hint}")
        if name and name in found.values():
            raise InvalidFile(f"two columns are said to mean {name}")
        found[here] = name
    return found


def _plain(title: str) -> str:
    folded = unicodedata.normalize("NFKD", title.lower())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    return re.sub(r"[\s_.\-/]+", " ", bare).strip()
