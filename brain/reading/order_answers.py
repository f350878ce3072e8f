"""What a reply says to questions about an order: an address, a person who can be reached, a detail by its name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from brain.reading import signature
from brain.reading.signature_words import STREETS

LONGEST = 300
"""Of one answer, in characters."""
MOST_LINES = 80

_BULLET = re.compile(r"^\s*(?:[-*•·>]+\s*)?")
_NUMBERED = re.compile(r"^\s*\(?(\d{1,2})\s?[.):-]\s*(?=\S)")
_STREET = re.compile("|".join(STREETS), re.IGNORECASE)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")
_PHONE = re.compile(r"\+?\(?\d[\d\s().\-/]{5,18}\d")
_LEADING = re.compile(r"^(?:\W|\b(?:is|are|at|located|es|esta|en|e|fica|na|no|su|the|el|la|o|a)\b)+", re.IGNORECASE)
_NAME = re.compile(r"^[^\W\d_][\w'’.-]*(?:\s+[^\W\d_][\w'’.-]*){0,5}$")
_WORDS_AROUND_A_NAME = re.compile(
    r"\b(?:tel(?:efone|éfono|ephone)?|phone|cell|mobile|mob|celular|móvil|e-?mail|correo|at|on|en|em|no|al|number"
    r"|n[uú]mero|call|llamar|ligar|reach(?:ed|able)?|contact|is|es|é|mr|mrs|ms|sr|sra)\b\.?:?",
    re.IGNORECASE,
)
_NO_ANSWER = re.compile(
    r"\b(?:unknown|n/?a|tba|tbd|tbc|pending|not (?:sure|known|yet|available)|no idea|later|get back|find out"
    r"|(?:i|we) (?:don'?t|do not) (?:know|have)|pendiente|desconocid[oa]|no (?:lo )?se|no sabemos|mas tarde"
    r"|por confirmar|pendente|desconhecid[oa]|nao sei|nao sabemos|mais tarde|a confirmar|a definir)\b"
)

LABELS: Mapping[str, str] = {
    "property_contact": (
        r"(?:(?:contact|person) (?:person )?(?:at|for|on) (?:the )?(?:property|site|house|inspection)|property contact"
        r"|(?:on-?site|site|access|inspection) contact|for access(?:,? (?:please )?(?:call|contact))?"
        r"|contacto (?:en|de|para|del?) (?:la |el )?(?:propiedad|inmueble|visita|inspeccion)|para (?:la visita|acceder)"
        r"|contato (?:no|do|para o?|para a) ?(?:imovel|local|vistoria|visita))"
    ),
    "borrower_contact": (
        r"(?:borrower(?:'?s)?(?: (?:name|contact|details|info(?:rmation)?))?|prestatari[oa]|deudor[ae]?"
        r"|mutuari[oa]|tomador[ae]?)"
    ),
    "property_address": (
        r"(?:(?:full |subject )?(?:property|house|home)(?:'?s)? address|address of the (?:property|house)"
        r"|subject property|(?:the )?property(?= is| at|:)|address"
        r"|direccion(?: completa)?(?: de la propiedad| del inmueble)?|(?:el )?inmueble(?= esta| en|:)"
        r"|endereco(?: completo)?(?: do imovel)?|(?:o )?imovel(?= fica| em| na|:))"
    ),
}
"""How people name what they answer; in lower case without accents, the more particular first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered to one question, and the words in which it stands."""

    details: Mapping[str, str] = field(default_factory=dict)
    """Details of the order: property_address, borrower_name, borrower_phone …"""
    quote: str = ""


def find(text: str, asked: Sequence[str], *, region: str = "US") -> dict[str, Answer]:
    """The answers that plainly stand in a reply, by what was `asked`, in the order in which it was asked.

    An answer counts that begins with the name or the number of its question; or the only one there can be, where just
    one thing was asked. What is put off ("I don't know yet") or asked back is none.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()][:MOST_LINES]
    found: dict[str, Answer] = {}
    for at, line in enumerate(lines):
        what, said = _addressed(line, asked)
        if what is None or what in found:
            continue
        answer = _understood(what, said, list(_beneath(lines, at, asked)), region)
        if answer is not None:
            found[what] = answer
    left = [what for what in asked if what not in found]
    if len(left) == 1 == len(asked) and (only := _alone(left[0], lines, region)) is not None:
        found[left[0]] = only
    return found


def _addressed(line: str, asked: Sequence[str]) -> tuple[str | None, str]:
    """The question that a line answers, by its name or its number, and what it says to it."""
    bare = _BULLET.sub("", line)
    number = _NUMBERED.match(bare)
    said = bare[number.end() :] if number else bare
    plain = _plain(said)
    for what in asked:
        label = LABELS.get(what) or re.escape(what.replace("_", " "))
        hit = re.match(rf"(?:(?:the|el|la|o|a|our|my) )?{label}(?![a-z])", plain)
        # letters without accents are as many as with them, so that places in one are places in the other
        if hit and (what in LABELS or re.match(r"\s*(?:[:=-]|is\b|es\b|e\b)", plain[hit.end() :])):
            return what, _LEADING.sub("", said[hit.end() :]).strip()
    if number and len(asked) > 1 and 0 < int(number[1]) <= len(asked):
        return asked[int(number[1]) - 1], said
    return None, said


def _beneath(lines: Sequence[str], at: int, asked: Sequence[str]) -> Iterator[str]:
    """The few lines under one that belong to it: until the next question is answered."""
    for line in lines[at + 1 : at + 4]:
        if _addressed(line, asked)[0] is not None or line.endswith("?"):
            return
        yield line


def _understood(what: str, said: str, beneath: Sequence[str], region: str) -> Answer | None:
    if what == "property_address":
        return _address(said, beneath)
    if what in ("borrower_contact", "property_contact"):
        return _person(what.removesuffix("_contact"), what, said, beneath, region)
    told = said or (beneath[0] if beneath else "")
    return Answer({what: told[:LONGEST]}, told[:LONGEST]) if told and not _puts_off(told) else None


def _address(said: str, beneath: Sequence[str]) -> Answer | None:
    if not said and beneath:
        said, beneath = beneath[0], beneath[1:]
    told = said.strip(" .;,")
    # an address by itself may go on in the next line with its town
    if beneath and _is_town(beneath[0]) and not re.search(r"\d{5}", told):
        told = f"{told}, {beneath[0].strip(' .;,')}"
    if _puts_off(told) or not re.search(r"\d", told) or len(told.split()) < 3 or len(told) > LONGEST:
        return None
    return Answer({"property_address": told}, told)


def _person(kind: str, what: str, said: str, beneath: Sequence[str], region: str) -> Answer | None:
    """A name with a phone or an address; the line under the name may hold them."""
    prefix = kind if kind == "borrower" else what
    told = said
    for more in ["", *beneath[:2]]:
        told = f"{told} {more}".strip()
        if _puts_off(told):
            return None
        emails, phones = _EMAIL.findall(told), signature.phones_in(told, region)
        rest = _PHONE.sub(" ", _EMAIL.sub(" ", told))
        name = _name(rest)
        if name and (emails or phones):
            ways = {"email": emails[:1], "phone": phones[:1]}
            details = {f"{prefix}_{way}": each[0] for way, each in ways.items() if each}
            return Answer({f"{prefix}_name": name, **details}, told[:LONGEST])
    return None


def _alone(what: str, lines: Sequence[str], region: str) -> Answer | None:
    """The only answer there can be to the only question: one line that is an address, or a person, and no other."""
    if what == "property_address":
        told = [answer for at, line in enumerate(lines[:6]) if _STREET.search(line) and len(line) < 160
                and (answer := _address(_from_street(line), lines[at + 1 : at + 2]))]  # fmt: skip
    elif what in ("borrower_contact", "property_contact"):
        told = [answer for line in lines[:6] if len(line) < 160
                and (answer := _person(what.removesuffix("_contact"), what, line, (), region))]  # fmt: skip
    else:
        told = []
    return told[0] if len(told) == 1 else None


def _from_street(line: str) -> str:
    hit = _STREET.search(line)
    return line[hit.start() :] if hit else line


def _name(rest: str) -> str | None:
    """The name that is left of a line when its numbers are taken away; None where it is more than a name."""
    bare = " ".join(_WORDS_AROUND_A_NAME.sub(" ", rest).split()).strip(" ,.;:()-–—/|")
    first = re.split(r"[,;|/()]|\s[-–—]\s", bare)[0].strip(" .")
    return first if 1 < len(first) <= 80 and _NAME.match(first) else None


def _is_town(line: str) -> bool:
    return len(line) < 80 and bool(re.search(r"\b\d{4,5}(?:-\d{3,4})?\b", line)) and not _EMAIL.search(line)


def _puts_off(told: str) -> bool:
    return not told or told.endswith("?") or bool(_NO_ANSWER.search(_plain(told)))


def _plain(text: str) -> str:
    """Lower case without accents, letter for letter."""
    return "".join(unicodedata.normalize("NFD", each.lower())[0] for each in text.replace("’", "'"))
