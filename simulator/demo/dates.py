"""Days that letters name: `{+9 de}` is the ninth day from its writing, as people of that language write it."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

MONTHS = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"),
    "pt": ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
           "novembro", "dezembro"),
    "de": ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
           "Dezember"),
}  # fmt: skip
FORMS = {
    "en": "{day} {month} {year}", "es": "{day} de {month} de {year}", "pt": "{day} de {month} de {year}",
    "de": "{day}. {month} {year}",
}  # fmt: skip
_NAMED = re.compile(r"\{\+(\d+) (en|es|pt|de)\}")


def fill_in(text: str, at: datetime) -> str:
    """The text with its days written out."""

    def written(found: re.Match[str]) -> str:
        day, language = at + timedelta(days=int(found[1])), found[2]
        return FORMS[language].format(day=day.day, month=MONTHS[language][day.month - 1], year=day.year)

    return _NAMED.sub(written, text)
