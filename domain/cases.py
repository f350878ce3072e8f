"""Cases: something about an account that needs watching until it is closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import events, feedback, storable
from domain.db import Row, Tx


class InvalidCase(Exception):
    """A case needs a kind and a title, and evidence of why it was opened."""


class UnknownCase(LookupError):
    """The tenant has no such open case."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as it stands."""

    id: UUID
    client_id: UUID | None
    contact_id: UUID | None
    kind: str
    title: str
    state: Literal["open", "closed"]
    evidence: Mapping[str, Any]
    card_id: UUID | None
    opened_by: str
    opened_at: datetime
    closed_at: datetime | None


COLUMNS = ", ".join(Case.__slots__)


def open(  # noqa: A001 - callers read cases.open
    tx: Tx, *, kind: str, title: str, evidence: Mapping[str, Any], client_id: UUID | None = None,
    contact_id: UUID | None = None, card_id: UUID | None = None,
) -> Case:  # fmt: skip
    """Open a case. Raises InvalidCase."""
    if not storable.says(kind) or not storable.says(title):
        raise InvalidCase("kind and title: a case needs both")
    if not evidence:
        raise InvalidCase("evidence: say what the case rests on, such as a message_id")
    row = tx.row(
        f"""INSERT INTO cases
                (tenant_id, id, client_id, contact_id, kind, title, evidence, card_id, opened_by, opened_at)
            VALUES (:t, :id, :client, :contact, :kind, :title, :evidence, :card, :by, :now) RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), client=client_id, contact=contact_id, kind=kind.strip(),
        title=title.strip(), evidence=dict(evidence), card=card_id, by=tx.actor, now=tx.now,
    )  # fmt: skip
    assert row is not None
    case = _load(row)
    events.record(tx, "case.opened", "case", case.id, client_id=client_id, contact_id=contact_id, kind=case.kind)
    return case


def close(tx: Tx, case_id: UUID, *, outcome: str) -> Case:
    """Close an open case, saying how it ended. Raises UnknownCase."""
    row = tx.row(
        f"""UPDATE cases SET state = 'closed', closed_at = :now,
                   evidence = evidence || jsonb_build_object('outcome', CAST(:outcome AS text))
            WHERE tenant_id = :t AND id = :id AND state = 'open' RETURNING {COLUMNS}""",
        now=tx.now, outcome=outcome, t=tx.tenant_id, id=case_id,
    )  # fmt: skip
    if row is None:
        raise UnknownCase(f"there is no open case {case_id}")
    case = _load(row)
    events.record(tx, "case.closed", "case", case.id, client_id=case.client_id, contact_id=case.contact_id)
    if case.client_id is not None:
        feedback.case_closed(tx, case.client_id, case.id)
    return case


def open_for(tx: Tx, client_ids: Sequence[UUID]) -> dict[UUID, list[Case]]:
    """The open cases of each account that has any."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM cases WHERE tenant_id = :t AND state = 'open' AND client_id = ANY(:ids)
            ORDER BY opened_at""",
        t=tx.tenant_id, ids=list(client_ids),
    )  # fmt: skip
    found: dict[UUID, list[Case]] = {}
    for row in rows:
        found.setdefault(row["client_id"], []).append(_load(row))
    return found


def listed(tx: Tx, *, state: str = "open", before: UUID | None = None, limit: int = 100) -> Sequence[Case]:
    """The tenant's cases in one state, newest first, those opened before case `before`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM cases WHERE tenant_id = :t AND state = :state
            AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, state=state, before=before, limit=limit,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _load(row: Row) -> Case:
    return Case(**{name: row[name] for name in Case.__slots__})
