"""What is ordered or to be priced, line by line, and the numbers by which papers are known."""

from __future__ import annotations

import re

from brain.reading.model import Item
from brain.reading.signature_words import STREETS

MAX_ITEMS = 100

_UNITS = (
    r"x|×|pcs?\.?|pieces?|units?|ea\.?|each|boxes|box|cases?|cartons?|packs?|packets?|pallets?|rolls?|sets?|pairs?"
    r"|dozen|bottles?|bags?|drums?|sheets?|reams?|licen[cs]es?|seats?|copies|hours?|kgs?|g|tons?|tonnes?|lbs?"
    r"|litres?|liters?|gallons?|m2|m²|m3|sqm|meters?|metres?|m|ft"
    r"|unidades?|uds?\.?|cajas?|piezas?|paquetes?|palets?|rollos?|juegos?|pares|docenas?|botellas?|sacos?|bidones"
    r"|resmas?|licencias?|toneladas?|litros?|metros?|horas?"
    r"|caixas?|peças?|pe[cç]as?|pacotes?|paletes?|rolos?|conjuntos?|dúzias?|garrafas?|licenças?"
    r"|stück|stk\.?|kartons?|kisten?|packungen|paletten?|rollen?|sätze|paar|dutzend|flaschen?|säcke|liter|stunden"
    r"|lizenzen"
    r"|pièces?|unités?|cartons?|boîtes?|paquets?|palettes?|rouleaux|jeux|paires?|douzaines?|bouteilles?|sacs?"
    r"|tonnes?|mètres?|heures?|licences?"
)
_NUMBER_WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10,
    "twelve": 12, "fifteen": 15, "twenty": 20, "fifty": 50, "hundred": 100, "a dozen": 12,
    "una": 1, "un": 1, "dos": 2, "tres": 3, "cuatro": 4, "cinco": 5, "seis": 6, "diez": 10, "doce": 12, "veinte": 20,
    "uma": 1, "um": 1, "dois": 2, "duas": 2, "três": 3, "quatro": 4, "dez": 10, "vinte": 20,
    "ein": 1, "eine": 1, "einen": 1, "zwei": 2, "drei": 3, "vier": 4, "fünf": 5, "sechs": 6, "zehn": 10, "zwölf": 12,
    "zwanzig": 20, "une": 1, "deux": 2, "trois": 3, "quatre": 4, "cinq": 5, "dix": 10, "douze": 12, "vingt": 20,
}  # fmt: skip
_ONES = "one|una|un|uma|um|eine|einen|ein|une"
_WORDS = "|".join(sorted((word for word, number in _NUMBER_WORDS.items() if number > 1), key=len, reverse=True))
_QUANTITY = (
    rf"(?P<count>\d{{1,3}}(?:[.,' ]\d{{3}})+|\d{{1,6}}(?:[.,]\d{{1,2}})?|(?:{_WORDS})(?=\s)"
    rf"|(?:{_ONES})(?=\s+(?:{_UNITS})\s))"
)
_OF = r"(?:of|de|d'|von|der|des|do|da)\s+"
_STOP = (
    r"(?=\s*(?:[;\n]|,\s*(?:and\s+|y\s+|e\s+|und\s+|et\s+)?\d|\s(?:and|y|e|und|et|plus|sowie|as well "
    r"as)\s+(?:another\s+)?(?:\d|one\s|two\s|three\s|four\s|five\s|ten\s|a\s)|\.\s|\.$|$|[!?]|\s(?:at|@|for "
    r"delivery|to be|delivered|to our|by|before|please|por favor|bitte|as soon|para (?:entreg|el|la)|zum|bis|pour "
    r"(?:le|la|livr)|in the next|if possible|asap|este|this|next)\s|\s[–—-]\s|,\s))"
)
_COUNT_FIRST = re.compile(
    rf"(?<![\w.,/#-]){_QUANTITY}\s*(?:(?P<unit>{_UNITS})(?![\w]))?\s*(?:{_OF})?(?P<what>[A-Za-zÀ-ÿ\"(][^;\n]{{1,80}}?){_STOP}",
    re.IGNORECASE,
)
_LINE_COUNT_LAST = re.compile(
    rf"^\s*(?:[-*•·]|\d{{1,2}}[.)])?\s*(?P<what>[A-Za-zÀ-ÿ][^\n:;|]{{1,80}}?)\s*(?:[:|\t]|\s[-–—]\s|,|\s{{2,}}"
    rf"|\s\(?x)\s*(?:qty\.?|quantity|cantidad|quantidade|menge|quantité|cant\.?"
    rf"|qtd\.?)?[:\s]*{_QUANTITY}\s*(?P<unit>{_UNITS})?\)?\s*$",
    re.IGNORECASE,
)
_LIST_ITEM = re.compile(
    rf"^\s*(?:[-*•·]|\d{{1,2}}[.)])?\s*{_QUANTITY}\s*(?:(?P<unit>{_UNITS})(?![\w]))?\s*(?:{_OF})?(?P<what>[A-Za-zÀ-ÿ\"(][^\n]{{1,100}})$",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:sku|item|art(?:\.|icle|ikel|ículo|igo)?|ref(?:\.|erence|erencia|erência)?|part|p/n|model|modelo|modell"
    r"|modèle|code|código|codigo|cod\.?)\s*(?:no\.?|number|nr\.?|nº|n°"
    r"|#)?\s*[:#]?\s*(?P<code>[A-Z0-9][A-Z0-9./-]*\d[A-Z0-9./-]*)|\b(?P<bare>[A-Z]{2,6}-?\d{2,}[A-Z0-9-]*)\b",
    re.IGNORECASE,
)
_PRICE = re.compile(
    r"(?:at|@|a|à|zu|je|por)\s*(?:€|\$|£|eur|usd|r\$)?\s*(?P<price>\d{1,6}(?:[.,]\d{1,2})?)\s*(?:€|\$|£|eur|usd"
    r"|each|per|la unidad|cada|pro stück|pièce|l'unité)?",
    re.IGNORECASE,
)
_NOT_A_THING = re.compile(
    r"^(?:days?|weeks?|months?|years?|minutes?|times?|am\b|pm\b|o'clock|percent|%|people|persons?|employees"
    r"|d[ií]as?|semanas?|mes(?:es)?|años?|minutos?|veces|personas?|anos?|pessoas?|tagen?|wochen?|monaten?|jahren?"
    r"|minuten|uhr|prozent|personen|jours?|semaines?|mois|ans|fois|personnes"
    r"|january|february|march|april|may|june|july|august|september|october|november|december|de (?:enero|febrero"
    r"|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre|janeiro|fevereiro|março|maio"
    r"|junho|julho|setembro|outubro|novembro|dezembro)"
    r"|januar|februar|märz|mai|juni|juli|oktober|dezember|janvier|février|mars|avril|juin|juillet|août|septembre"
    r"|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre"
    r"|diciembre|st\b|nd\b|rd\b|th\b|more (?:thing|question)|of (?:the|my|our|your)\b|or\b|and\b|to\b|instead\b"
    r"|statt\b|en vez|em vez|au lieu|y\b|o\b|usd|eur|euros?|dollars?|reais)",
    re.IGNORECASE,
)
_GAPS = re.compile(r"\s{3,}")
_ONLY_UNIT = re.compile(rf"^(?:{_UNITS})$", re.IGNORECASE)
_SHIP_TO = r"^(?:ship|deliver|liefer|entreg|livr|envi)\w*(?: \w+)? ?(?:to|an|en|em|à|a)\b"
_PLACE = re.compile("|".join((_SHIP_TO, *STREETS)), re.IGNORECASE)
_REFERENCE = re.compile(
    r"\b(?:(?:purchase |sales )?order|p\.?o\.?|pedido|orden(?: de compra)?|encomenda|ordem(?: de compra)?"
    r"|bestell(?:ung|nummer|nr)|auftrag(?:s(?:nummer|nr))?|(?:bon de )?commande|quot(?:e|ation)|rfq|offer|oferta"
    r"|presupuesto|cotizaci[oó]n|or[cç]amento|proposta|angebot(?:s(?:nummer|nr))?|devis|offre"
    r"|invoice|inv|factura|fatura|rechnung(?:s(?:nummer|nr))?|facture|case|ticket|caso|chamado|vorgang(?:s(?:nummer"
    r"|nr))?|dossier|anfrage|demande(?: de (?:prix|devis))?|solicitud|request|enquiry|inquiry|ref(?:erence|erencia"
    r"|erência|erenz)?|réf(?:érence)?|contract|contrato|vertrag|contrat|delivery note|tracking|shipment|account"
    r"|file|expediente|deal)"
    r"\.?\s*(?:n(?:o|r|um|º|°|umber|ummer|úmero|umero|uméro)?\b\.?|#"
    r"|id)?\s*[:#=]?\s*#?\s*(?P<number>[A-Z]{0,6}[-/_]?\d[A-Z0-9]*(?:[-/_.][A-Z0-9]+)*)",
    re.IGNORECASE,
)
_HASH = re.compile(r"(?<![\w&])#\s?(?P<number>[A-Z]{0,4}-?\d{3,}[A-Z0-9-]*)\b", re.IGNORECASE)
_TAGGED = re.compile(
    r"\b(?P<number>(?:PO|SO|ORD|INV|QUO|QT|RFQ|Q|OC|PED|ENC|BST|CMD|DEV|ANG|COT|ORC|TCK"
    r"|REQ)[-_/#]?\d{3,}[A-Z0-9]*(?:[-/][A-Z0-9]+)*)\b"
)
_DIGIT = re.compile(r"\d")
_ELSEWHERE = "·"
_LOOKS_LIKE_DATE = re.compile(r"^(?:\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{2,4})?|20\d\d-\d\d-\d\d)$")


def items_in(text: str) -> tuple[Item, ...]:
    """The things named with a quantity."""
    found: list[Item] = []
    for line in text[:12_000].split("\n"):
        if len(line) > 600 or not line.strip():
            continue
        found.extend(_in_line(line))
        if len(found) >= MAX_ITEMS:
            break
    return tuple(dict.fromkeys(found))[:MAX_ITEMS]


def _in_line(line: str) -> list[Item]:
    line = _GAPS.sub("   ", line)
    whole = _LIST_ITEM.match(line)
    if whole and len(line) < 110 and not re.search(r",\s*\d|\b(?:and|y|e|und|et)\s+\d", line):
        item = _item(whole)
        return [item] if item else []
    if _PLACE.search(line):
        return []
    last = _LINE_COUNT_LAST.match(line) if len(line) < 110 else None
    if last and (item := _item(last)):
        return [item]
    return [item for hit in _COUNT_FIRST.finditer(line) if (item := _item(hit))]


def _item(hit: re.Match[str]) -> Item | None:
    count, unit = _number(hit["count"]), (hit["unit"] or "").lower().strip(".") or None
    what = " ".join(hit["what"].split()).strip(' ,.;:-–—"(')
    if count is None or count <= 0 or len(what) < 2 or _NOT_A_THING.match(what) or _ONLY_UNIT.match(what):
        return None
    code = _CODE.search(what)
    price = _PRICE.search(hit.string, hit.end("what")) if hit.end("what") < len(hit.string) else None
    return Item(
        description=what,
        quantity=count,
        unit=None if unit in ("x", "×") else unit,
        code=(code["code"] or code["bare"]) if code else None,
        unit_price=_number(price["price"]) if price and price.start() - hit.end("what") < 3 else None,
    )


def _number(text: str) -> float | None:
    lowered = text.lower().strip()
    if lowered in _NUMBER_WORDS:
        return float(_NUMBER_WORDS[lowered])
    if re.fullmatch(r"\d{1,3}(?:[.,' ]\d{3})+", lowered):
        return float(re.sub(r"\D", "", lowered))
    try:
        return float(lowered.replace(",", "."))
    except ValueError:
        return None


def references_in(*texts: str) -> tuple[str, ...]:
    """Numbers of orders, quotes, invoices and cases, as written, in upper case, without `#`."""
    found: list[str] = []
    for text in map(_about_numbers, texts):
        for pattern in (_REFERENCE, _TAGGED, _HASH):
            for hit in pattern.finditer(text):
                number = hit["number"].strip("-/_.").upper()
                if len(re.sub(r"\D", "", number)) >= 2 and not _LOOKS_LIKE_DATE.match(number):
                    found.append(number)
    return tuple(dict.fromkeys(found))[:50]


def _about_numbers(text: str) -> str:
    """The lines with digits, each with two before it: no number stands elsewhere, and looking costs by the word."""
    lines = text[:12_000].split("\n")
    if len(lines) < 4:
        return text[:12_000]
    with_digits = [_DIGIT.search(line) is not None for line in lines]
    return "\n".join(line if any(with_digits[at : at + 3]) else _ELSEWHERE for at, line in enumerate(lines))
