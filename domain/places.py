"""Countries, time zones, languages and telephone numbers, each in its one spelling."""

from __future__ import annotations

import functools
import re
import zoneinfo

from domain.place_names import COUNTRIES, LANGUAGES, bare


class InvalidPlace(Exception):
    """This is not a country, time zone, language or telephone number in a form that is known."""


def country(told: str) -> str:
    """The ISO 3166-1 alpha-2 code of a code or a common name. Raises InvalidPlace."""
    word = told.strip()
    code = COUNTRIES.get(bare(word), word.upper())
    if code not in _countries():
        raise InvalidPlace(f"{told!r} is not a country: give its two-letter code, such as US or ES")
    return code


def timezone(told: str) -> str:
    """The IANA name of a time zone, in its own letter case. Raises InvalidPlace."""
    name = _zones().get(told.strip().lower().replace(" ", "_"))
    if name is None:
        raise InvalidPlace(f"{told!r} is not a time zone: give its IANA name, such as Europe/Madrid")
    return name


def language(told: str) -> str:
    """The ISO 639-1 code of a code, a tag such as `en-US`, or a common name. Raises InvalidPlace."""
    word = told.strip().lower()
    code = LANGUAGES.get(bare(word), re.split(r"[-_]", word)[0])
    if not re.fullmatch(r"[a-z]{2}", code):
        raise InvalidPlace(f"{told!r} is not a language: give its two-letter code, such as en or pt")
    return code


def phone(told: str, region: str | None) -> str:
    """A telephone number in E.164; `region` is where one without a country code is dialled. Raises InvalidPlace."""
    import phonenumbers  # its tables take a while to load

    try:
        number = phonenumbers.parse(told, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidPlace(f"{told!r} is not a telephone number: give it with its country code, +34 …") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidPlace(f"{told!r} has too few or too many digits for a telephone number")
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


@functools.cache
def _countries() -> frozenset[str]:
    import phonenumbers

    return frozenset(phonenumbers.SUPPORTED_REGIONS)


@functools.cache
def _zones() -> dict[str, str]:
    return {name.lower(): name for name in zoneinfo.available_timezones()}
