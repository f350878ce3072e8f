"""What the prover finds, and its look at the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

Catalogue = psycopg.Connection[Any]


@dataclass(frozen=True, slots=True)
class Finding:
    """One hole, or one thing that no longer is as it must be."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


def connect(admin_url: str) -> Catalogue:
    """The superuser's look at the catalogue; what it breaks on purpose can be rolled back."""
    return psycopg.connect(admin_url, row_factory=namedtuple_row)
