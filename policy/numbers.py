"""Personal numbers in a text: cards, accounts and identity numbers, each recognised by its own check digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_LONG_NUMBER = re.compile(r"\d(?:[ .\-/]?\d){6}")
"""A text without seven digits in a row holds no personal number, but for a company's that may have letters."""

_CARD = re.compile(r"(?<![\d+])\d(?:[ .-]?\d){12,18}(?!\d)")
_IBAN = re.compile(r"\b[a-z]{2}\d{2}(?:[ -]?[a-z0-9]){11,30}")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_RUT = re.compile(
    r"(?<![\d.-])(?:(\d{1,2}\.\d{3}\.\d{3}|\d{7,8})-([\dk])"
    r"|(?<=rut )(\d{7,8})([\dk])|(?<=rut: )(\d{7,8})([\dk]))(?![\w-])"
)
_CPF = re.compile(r"(?<![\d.])(?:\d{3}\.\d{3}\.\d{3}-\d{2}|(?:cpf\D{0,12})(\d{11}))(?!\d)")
# since July 2026 the first twelve may be letters too (IN RFB 2.229/2024); the check digits stay digits
_CNPJ = re.compile(
    r"(?<![\w.])(?:[a-z\d]{2}\.[a-z\d]{3}\.[a-z\d]{3}/[a-z\d]{4}-\d{2}|(?:cnpj[^a-z\d]{0,12})([a-z\d]{12}\d{2}))(?![a-z\d])"
)
_DNI = re.compile(r"(?<![\w.])([xyz]?)[ -]?(\d{7,8})[ -]?([a-z])(?!\w)")

# ISO 13616: how long an account number is in each country
_IBAN_LENGTHS = {
    "ad": 24, "ae": 23, "al": 28, "at": 20, "az": 28, "ba": 20, "be": 16, "bg": 22, "bh": 22, "br": 29, "by": 28,
    "ch": 21, "cr": 22, "cy": 28, "cz": 24, "de": 22, "dk": 18, "do": 28, "ee": 20, "eg": 29, "es": 24, "fi": 18,
    "fo": 18, "fr": 27, "gb": 22, "ge": 22, "gi": 23, "gl": 18, "gr": 27, "gt": 28, "hr": 21, "hu": 28, "ie": 22,
    "il": 23, "is": 26, "it": 27, "jo": 30, "kw": 30, "kz": 20, "lb": 28, "li": 21, "lt": 20, "lu": 20, "lv": 21,
    "mc": 27, "md": 24, "me": 22, "mk": 19, "mr": 27, "mt": 31, "mu": 30, "nl": 18, "no": 15, "pk": 24, "pl": 28,
    "pt": 25, "qa": 29, "ro": 24, "rs": 22, "sa": 24, "se": 24, "si": 19, "sk": 24, "sm": 27, "tn": 24, "tr": 26,
    "ua": 29, "va": 22, "xk": 20,
}  # fmt: skip
_DNI_LETTERS = "trwagmyfpdxbnjzsqvhlcke"


def found(plain: str) -> tuple[str, ...]:
    """The kinds of personal numbers in a text that `letters.plain` has spelled; never the numbers themselves."""
    if not _LONG_NUMBER.search(plain) and not _CNPJ.search(plain):
        return ()
    return tuple(kind for kind, search in _KINDS.items() if any(search(plain)))


def luhn(digits: str) -> bool:
    """Whether the last digit checks the others (ISO/IEC 7812)."""
    total = sum(int(d) for d in digits[-1::-2])
    return (total + sum(sum(divmod(2 * int(d), 10)) for d in digits[-2::-2])) % 10 == 0


def _cards(text: str) -> Iterator[bool]:
    for match in _CARD.finditer(text):
        digits = _digits(match.group())
        if len(set(digits)) > 1 and _issuer(digits) and luhn(digits):
            yield True


def _issuer(digits: str) -> bool:
    first, two, four, length = digits[0], int(digits[:2]), int(digits[:4]), len(digits)
    if first == "4":
        return length in (13, 16, 19)
    if two in (34, 37):
        return length == 15
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return length == 16
    if two in (36, 38, 39) or 3000 <= four <= 3059:
        return length == 14
    return length in (16, 19) and (four == 6011 or two in (35, 62, 64, 65, 50, 58, 63, 67))


def _ibans(text: str) -> Iterator[bool]:
    for match in _IBAN.finditer(text):
        compact = re.sub(r"[ -]", "", match.group())
        length = _IBAN_LENGTHS.get(compact[:2])
        if length and len(compact) >= length:
            turned = compact[4:length] + compact[:4]
            if int("".join(str(int(letter, 36)) for letter in turned)) % 97 == 1:
                yield True


def _ssns(text: str) -> Iterator[bool]:
    return (True for _ in _SSN.finditer(text))


def _ruts(text: str) -> Iterator[bool]:
    for match in _RUT.finditer(text):
        digits, check_digit = _digits(match[1] or match[3] or match[5]), match[2] or match[4] or match[6]
        total = sum(int(d) * (2 + at % 6) for at, d in enumerate(reversed(digits)))
        if check_digit == {10: "k", 11: "0"}.get(check := 11 - total % 11, str(check)):
            yield True


def _cpfs(text: str) -> Iterator[bool]:
    for match in _CPF.finditer(text):
        digits = match[1] or _digits(match.group())
        if len(set(digits)) > 1 and all(_mod11(digits[:at], range(at + 1, 1, -1)) == int(digits[at]) for at in (9, 10)):
            yield True


def _cnpjs(text: str) -> Iterator[bool]:
    weights = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
    for match in _CNPJ.finditer(text):
        told = match[1] or "".join(each for each in match.group() if each.isalnum())
        if len(set(told)) > 1 and all(_mod11(told[:at], weights[13 - at :]) == int(told[at]) for at in (12, 13)):
            yield True


def _mod11(told: str, weights: range | tuple[int, ...]) -> int:
    """The check digit; a letter counts as its place in ASCII from the zero on."""
    rest = sum((ord(each.upper()) - 48) * weight for each, weight in zip(told, weights, strict=True)) % 11
    return 0 if rest < 2 else 11 - rest


def _dnis(text: str) -> Iterator[bool]:
    for match in _DNI.finditer(text):
        lead, digits, letter = match.groups()
        number = int({"": "", "x": "0", "y": "1", "z": "2"}[lead] + digits)
        if bool(lead) == (len(digits) == 7) and _DNI_LETTERS[number % 23] == letter:
            yield True


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdigit())


_KINDS: dict[str, Callable[[str], Iterator[bool]]] = {
    "payment card": _cards,
    "bank account (IBAN)": _ibans,
    "US social security number": _ssns,
    "Chilean RUT": _ruts,
    "Brazilian CPF": _cpfs,
    "Brazilian CNPJ": _cnpjs,
    "Spanish DNI or NIE": _dnis,
}
