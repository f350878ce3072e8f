"""A deal's row and its history: how they are read, locked and written, each change with its event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from domain import cards, events, schedule, storable
from domain.db import Row, Tx
from domain.deal_stages import Stage

State = Literal["open", "won", "lost"]

LONGEST = 500
"""So many characters of a text about a deal are kept."""


class InvalidDeal(Exception):
    """A deal needs a title and an account, and every field that it has must be of its kind."""


class UnknownDeal(LookupError):
    """The tenant has no such deal."""


class IllegalDealMove(Exception):
    """The deal is not where it would have to be for this, or nothing shows that it should go there."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a deal goes where it goes: no stage is entered without it."""

    kind: str
    """person, record, or one of `deal_stages.KINDS`."""
    who: str
    """Whose act shows it: a contact, a user, a system."""
    what: str
    """The record that shows it (message, quote, row of a file), or what was said."""
    at: datetime

    def told(self) -> dict[str, str]:
        """As it is stored beside a next step."""
        return {"kind": self.kind, "who": self.who, "what": self.what, "at": self.at.isoformat()}


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal as it stands."""

    id: UUID
    external_id: str | None
    client_id: UUID
    contact_id: UUID | None
    title: str
    value: Decimal
    currency: str
    stage: str
    state: State
    reason: str | None
    expected_close_on: date | None
    owner_id: UUID | None
    automation: bool
    automation_reason: str | None
    next_step: str | None
    next_step_at: datetime | None
    next_step_evidence: Mapping[str, Any] | None
    thread_id: UUID | None
    opened_at: datetime
    stage_entered_at: datetime
    last_activity_at: datetime
    last_heard_at: datetime | None
    our_turn_since: datetime | None
    """Since when something that they asked waits for an answer of the tenant's people."""
    follow_ups: int
    follow_up_due_at: datetime | None
    stalls_at: datetime
    stalled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    closed_at: datetime | None


COLUMNS = ", ".join(Deal.__slots__)


def load(row: Row) -> Deal:
    """A deal from a row that has every column of `COLUMNS`."""
    return Deal(**{name: row[name] for name in Deal.__slots__})


def hold(tx: Tx, deal_id: UUID) -> Deal:
    """The deal, locked until the commit. Raises UnknownDeal."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM deals WHERE tenant_id = :t AND id = :id FOR UPDATE", t=tx.tenant_id, id=deal_id
    )
    if row is None:
        raise UnknownDeal(f"there is no deal {deal_id}")
    return load(row)


def enter(tx: Tx, deal: Deal, stage: str, frm: str, evidence: Evidence, card_id: UUID | None) -> None:
    """End the present chapter of the deal's history and begin the next."""
    if not all(storable.says(each) for each in (evidence.kind, evidence.who, evidence.what)):
        raise IllegalDealMove(f"deal {deal.id} moves to {stage} only with evidence: its kind, who, what and when")
    tx.run(
        """UPDATE deal_stage_history SET left_at = greatest(entered_at, :now)
           WHERE tenant_id = :t AND deal_id = :id AND left_at IS NULL""",
        now=tx.now, t=tx.tenant_id, id=deal.id,
    )  # fmt: skip
    remember(tx, deal.id, stage, frm, evidence, card_id, at=tx.now)


def remember(
    tx: Tx, deal_id: UUID, stage: str, frm: str | None, evidence: Evidence, card_id: UUID | None, *, at: datetime
) -> None:
    tx.run(
        """INSERT INTO deal_stage_history (tenant_id, id, deal_id, stage, from_stage, by, evidence_kind, evidence_who,
                                           evidence_what, evidence_at, card_id, entered_at)
           VALUES (:t, :id, :deal, :stage, :frm, :by, :kind, :who, :what, :evidence_at, :card, :at)""",
        t=tx.tenant_id, id=tx.clock.uuid(), deal=deal_id, stage=stage, frm=frm, by=tx.actor, kind=evidence.kind,
        who=evidence.who, what=storable.text(evidence.what, LONGEST), evidence_at=evidence.at, card=card_id, at=at,
    )  # fmt: skip


def write(
    tx: Tx, deal: Deal, event: str, evidence: Evidence | None, *, react: bool = False, **changes: Any
) -> Deal:  # fmt: skip
    """Write the changes and the event; the deal as it stands now."""
    row = tx.row(
        f"""UPDATE deals SET {", ".join(f"{name} = :{name}" for name in changes)}, updated_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}, planned_at""",
        now=tx.now, t=tx.tenant_id, id=deal.id, **changes,
    )  # fmt: skip
    assert row is not None
    told: dict[str, Any] = {"evidence": evidence.told()} if evidence else {}
    if (deal.stage, deal.state) != (row["stage"], row["state"]):
        told |= {"from": deal.stage, "to": row["stage"], "state": row["state"]}
    events.record(tx, event, "deal", deal.id, client_id=row["client_id"], contact_id=row["contact_id"], react=react,
                  fields=sorted(changes), **told)  # fmt: skip
    if row["planned_at"] is not None:
        schedule.bring_forward(tx, row["planned_at"])
    return load(row)


def begun(now: datetime, stage: Stage) -> dict[str, Any]:
    """The clocks of a deal to which something has just happened in this stage."""
    return {
        "stage_entered_at": now, "last_activity_at": now, "stalls_at": now + stage.stall, "stalled_at": None,
        "stall_answered_at": None, "follow_ups": 0, "follow_up_due_at": now + stage.follow_up,
        "shadow_follow_ups": None, "shadow_follow_up_due_at": None,
    }  # fmt: skip


def cancel_waiting(tx: Tx, deal: Deal, reason: str) -> None:
    """What still waits to be done about a deal is not done any more."""
    rows = tx.rows(
        """SELECT id FROM kanban_cards WHERE tenant_id = :t AND client_id = :client AND subject_type = 'deal'
             AND subject_id = :id AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')""",
        t=tx.tenant_id, client=deal.client_id, id=str(deal.id),
    )  # fmt: skip
    cards.move(tx, [row["id"] for row in rows], "cancelled", reason=reason, rule="deals.moved_on")
