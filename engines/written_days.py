"""Days as each of our languages writes them, whichever engine names one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

MONTHS: Mapping[str, tuple[str, ...]] = {
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
           "noviembre", "diciembre"),
    "pt": ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro", "outubro",
           "novembro", "dezembro"),
}  # fmt: skip


def day(moment: date, tongue: str) -> str:
    """A day as it is written in a language."""
    month = MONTHS[tongue][moment.month - 1]
    return f"{moment.day} {month} {moment.year}" if tongue == "en" else f"{moment.day} de {month} de {moment.year}"
