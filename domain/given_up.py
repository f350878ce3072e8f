"""Dead letters: whatever was given up after five tries, in one list with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from domain import executions, quarantine
from domain.db import Row, Tx

Kind = Literal["message", "webhook", "event", "job", "card"]


class UnknownLetter(LookupError):
    """There is no dead letter under this id: it was never one, or it was put back already."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One thing that is not tried again by itself."""

    id: UUID
    kind: Kind
    source: str
    """What names it where it came from: mailbox and message id, event id, job, a card's title."""
    reason: str
    tries: int
    since: datetime


# A card that failed by our own fault, unless its intention has had another card since.
_CARDS = """SELECT c.id, 'card' AS kind, c.title AS source, coalesce(c.reason, '') AS reason, c.attempts AS tries,
                   c.state_changed_at AS since
            FROM kanban_cards c
            WHERE c.tenant_id = :t AND c.state = 'failed' AND c.rule = :rule AND NOT EXISTS (
                SELECT FROM kanban_cards later
                WHERE later.tenant_id = :t AND later.dedupe_key = c.dedupe_key AND later.id > c.id)"""
# A row of a file is not among them: it is mended in its file by whoever wrote it, and nobody tries it again.
_ITEMS = """SELECT id, kind, source, reason, attempts AS tries, created_at AS since FROM quarantine
            WHERE tenant_id = :t AND replayed_at IS NULL AND attempts >= :dead AND kind <> 'csv_row'"""


def listed(tx: Tx, *, before: tuple[datetime, UUID] | None = None, limit: int = 100) -> Sequence[Letter]:
    """The tenant's dead letters, the newest first, those that stand behind `before` (since, id)."""
    since, tie = before or (None, None)
    rows = tx.rows(
        f"""SELECT id, kind, source, reason, tries, since FROM ({_ITEMS} UNION ALL {_CARDS}) AS letters
            WHERE CAST(:tie AS uuid) IS NULL OR (since, id) < (CAST(:since AS timestamptz), :tie)
            ORDER BY since DESC, id DESC LIMIT :limit""",
        t=tx.tenant_id, since=since, tie=tie, rule=executions.STUMBLED, dead=quarantine.TRIES, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def get(tx: Tx, letter_id: UUID) -> Letter:
    """One of them. Raises UnknownLetter."""
    row = tx.row(
        f"SELECT id, kind, source, reason, tries, since FROM ({_ITEMS} UNION ALL {_CARDS}) AS letters WHERE id = :id",
        t=tx.tenant_id, rule=executions.STUMBLED, dead=quarantine.TRIES, id=letter_id,
    )  # fmt: skip
    if row is None:
        raise UnknownLetter(f"there is no dead letter {letter_id}")
    return _load(row)


def _load(row: Row) -> Letter:
    return Letter(**{name: row[name] for name in Letter.__slots__})
