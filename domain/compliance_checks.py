"""Compliance checks: whether one record holds what is required of it in one period, and what became of that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from domain import cards, events, schedule, settings, storable, tasks
from domain.db import Row, Tx
from domain.events import News

State = Literal["pending", "reminded", "overdue", "escalated", "completed", "waived", "withdrawn"]

STATES: tuple[State, ...] = get_args(State)

MOVES: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"reminded", "overdue", "completed", "waived", "withdrawn"}),
    "reminded": frozenset({"overdue", "completed", "waived", "withdrawn"}),
    "overdue": frozenset({"escalated", "completed", "waived", "withdrawn"}),
    # taken back, it is left to people
    "escalated": frozenset({"overdue", "completed", "waived", "withdrawn"}),
    "completed": frozenset(),
    "waived": frozenset({"pending"}),
    # by its schedule or its record alone, as it was withdrawn (`domain.compliance_review`, `domain.compliance_choice`)
    "withdrawn": frozenset({"pending", "reminded"}),
}
"""The lifecycle; the database holds the same in `hourhand.compliance_moves`."""

OPEN: tuple[State, ...] = ("pending", "reminded", "overdue", "escalated")

SUBJECT = "compliance_check"

ERASURE = "erasure"
"""By what the checks of an erased person were closed."""

LONGEST = 500
"""So many characters of a reason are kept."""


class InvalidCheck(Exception):
    """A check is waived for a reason that is said."""


class UnknownCheck(LookupError):
    """The tenant has no such check."""


class IllegalCheckMove(Exception):
    """The check is not where it would have to be for this."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it stands."""

    id: UUID
    schedule_id: UUID
    entity_id: UUID
    client_id: UUID
    contact_id: UUID | None
    """None: it is the account's own record that is checked."""
    period: date
    """The day on which it falls by the calendar."""
    due_on: date
    """That day, or the next business day where they are."""
    due_at: datetime
    """The end of it there."""
    state: State
    required: Sequence[str]
    missing: Sequence[str]
    validated_at: datetime
    """When what is missing was last found to be otherwise, or looked at because the record had changed."""
    evidence: Mapping[str, Any]
    reminders: int
    last_reminded_at: datetime | None
    remind_at: datetime | None
    asked_id: UUID | None
    heard_at: datetime | None
    thread_id: UUID | None
    escalate_at: datetime | None
    escalated_at: datetime | None
    told_at: datetime | None
    task_id: UUID | None
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None
    rests_until: datetime | None
    """Due, and nothing can be done: nobody need look at it sooner."""
    rest: Mapping[str, Any] | None
    """Its rule and reason."""
    created_at: datetime
    updated_at: datetime
    insisted: bool = False
    """A person wants them asked, whatever they were asked for lately."""

    @property
    def is_open(self) -> bool:
        """Whether something may still be done about it."""
        return self.state in OPEN


COLUMNS = ", ".join(Check.__slots__)


def load(row: Row) -> Check:
    """A check from a row that has every column of `COLUMNS`."""
    return Check(**{name: row[name] for name in Check.__slots__})


def get(tx: Tx, check_id: UUID, *, lock: bool = False) -> Check:
    """One check; with `lock`, until the commit. Raises UnknownCheck."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM compliance_checks WHERE tenant_id = :t AND id = :id{' FOR UPDATE' if lock else ''}",
        t=tx.tenant_id, id=check_id,
    )  # fmt: skip
    if row is None:
        raise UnknownCheck(f"there is no compliance check {check_id}")
    return load(row)


def listed(
    tx: Tx, *, state: str | None = None, schedule_id: UUID | None = None, client_id: UUID | None = None,
    contact_id: UUID | None = None, before: UUID | None = None, limit: int = 50,
) -> list[Check]:  # fmt: skip
    """The tenant's checks, newest first, those made before check `before`."""
    filters = {"state": state, "schedule_id": schedule_id, "client_id": client_id, "contact_id": contact_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM compliance_checks
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def waive(tx: Tx, check_id: UUID, *, by: str, reason: str) -> Check:
    """Let a check be for a reason, whoever says so; said again, it stays the same.

    Raises UnknownCheck, InvalidCheck; IllegalCheckMove where it is completed.
    """
    check = get(tx, check_id, lock=True)
    if check.state == "waived":
        return check
    told = " ".join(storable.text(reason, LONGEST).split())
    if not told:
        raise InvalidCheck("reason: say why it is waived")
    _may(check, "waived")
    close_cards(tx, [check], task="cancelled", reason="the check was waived")
    return write(tx, check, "waived", {
        **SETTLED, "state": "waived", "closed_at": tx.now, "closed_by": storable.text(by, 200), "reason": told,
    }, reason=told)  # fmt: skip


def let_go(tx: Tx, contact_id: UUID) -> int:
    """A person was erased: nothing is required of their record any more; how many checks that ends."""
    rows = tx.rows(
        f"""UPDATE compliance_checks SET state = 'waived', closed_at = :now, closed_by = :erasure, remind_at = NULL,
                recheck_at = NULL, shadow_reminders = NULL, shadow_remind_at = NULL, insisted = false,
                updated_at = :now, reason = 'the person was erased'
            WHERE tenant_id = :t AND contact_id = :contact AND state = ANY(:open) RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, contact=contact_id, open=list(OPEN), erasure=ERASURE,
    )  # fmt: skip
    gone = [load(row) for row in rows]
    if gone:
        close_cards(tx, gone, task="cancelled", reason="the person was erased")
    events.record_all(tx, [news(each, "waived", by=tx.actor) for each in gone])
    return len(gone)


def reopen(tx: Tx, check_id: UUID, *, reason: str) -> Check:
    """Take a waiver back: what is missing is asked for again, and the manager hears of it a full term later.

    Said again, it stays the same. Raises UnknownCheck, InvalidCheck; IllegalCheckMove where it is completed, where the
    person was erased, or where its schedule asks for it no more.
    """
    check = get(tx, check_id, lock=True)
    if check.state == "waived" and _is_of_erased(tx, check):
        raise IllegalCheckMove("the person was erased: nothing is required of their record any more")
    if check.is_open:
        return check
    told = " ".join(storable.text(reason, LONGEST).split())
    if not told:
        raise InvalidCheck("reason: say why it is opened again")
    if check.state == "withdrawn":
        raise IllegalCheckMove(f"{check.reason}: it is open again once that is changed back while its period runs")
    required = tx.value("SELECT required_fields FROM compliance_schedule WHERE tenant_id = :t AND id = :id AND active",
                        t=tx.tenant_id, id=check.schedule_id)  # fmt: skip
    if required is None:
        raise IllegalCheckMove("its schedule is switched off")
    _may(check, "pending")
    term = timedelta(days=settings.of(tx).compliance_escalate_days)
    schedule.bring_forward(tx, tx.now)
    return write(tx, check, "reopened", {
        "state": "pending", "closed_at": None, "closed_by": None, "reason": None, "recheck_at": tx.now, "reminders": 0,
        "required": list(required),
        "remind_at": None, "escalate_at": max(check.due_at, tx.now) + term, "escalated_at": None, "told_at": None,
        "task_id": None,
    }, reason=told)  # fmt: skip


def remind(tx: Tx, check_id: UUID) -> Check:
    """Have whoever can tell what is missing asked at the next hour, however often they were before.

    Raises UnknownCheck; IllegalCheckMove where nothing can be asked for any more.
    """
    check = get(tx, check_id, lock=True)
    if check.state not in ("pending", "reminded", "overdue"):
        raise IllegalCheckMove(f"the check is {check.state}: nobody is asked any more")
    schedule.bring_forward(tx, tx.now, extra=True)
    # a person who says it again after a dry run means it again
    return write(tx, check, "remind", {"remind_at": tx.now, "recheck_at": tx.now, "heard_at": None, "insisted": True,
                                        "shadow_reminders": None, "shadow_remind_at": None})  # fmt: skip


SETTLED: Mapping[str, Any] = {
    "remind_at": None, "recheck_at": None, "shadow_reminders": None, "shadow_remind_at": None, "insisted": False,
}  # fmt: skip
"""What a check has about which nothing more is to be done."""


def close_cards(
    tx: Tx, some: Sequence[Check], *, task: Literal["done", "cancelled"], reason: str
) -> None:  # fmt: skip
    """What still waits to be done about checks is not done any more, and their tasks are over."""
    withdraw(tx, some, reason=reason, kinds=("compliance_reminder", "escalate_compliance", "create_task"))
    tasks.finish_each(tx, [each.task_id for each in some if each.task_id is not None], state=task)


def withdraw(
    tx: Tx, some: Sequence[Check], *, reason: str, kinds: Sequence[str] = ("compliance_reminder",)
) -> None:  # fmt: skip
    """Cancel the cards about checks that still wait, the requests to their people unless told otherwise.

    Also such as ask for what another check requires along with them: what they would say is another thing since.
    """
    rows = tx.rows(
        """SELECT id FROM kanban_cards WHERE tenant_id = :t AND client_id = ANY(:clients) AND type = ANY(:kinds)
             AND subject_type = :subject AND (subject_id = ANY(:ids) OR payload -> 'also' ?| :ids)
             AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')""",
        t=tx.tenant_id, clients=sorted({each.client_id for each in some}), kinds=list(kinds), subject=SUBJECT,
        ids=[str(each.id) for each in some],
    )  # fmt: skip
    cards.move(tx, [row["id"] for row in rows], "cancelled", reason=reason, rule="compliance.settled")


def riding(tx: Tx, client_ids: Sequence[UUID]) -> Mapping[UUID, str]:
    """Which checks of these accounts a request under way asks along with another's: its intention by each of them."""
    rows = tx.rows(
        """SELECT a.check_id, k.dedupe_key FROM kanban_cards k, jsonb_object_keys(k.payload -> 'also') AS a (check_id)
           WHERE k.tenant_id = :t AND k.client_id = ANY(:clients) AND k.type = 'compliance_reminder'
             AND k.state IN ('proposed', 'queued', 'deferred', 'awaiting_approval', 'executing', 'uncertain')""",
        t=tx.tenant_id, clients=list(client_ids),
    )  # fmt: skip
    return {UUID(row["check_id"]): row["dedupe_key"] for row in rows}


def news(check: Check, kind: str, **told: Any) -> News:
    """The event of what happened to a check."""
    return News(f"compliance.{kind}", SUBJECT, check.id, check.client_id, check.contact_id, data={
        "schedule_id": str(check.schedule_id), "period": check.period.isoformat(), "due_on": check.due_on.isoformat(),
        "state": check.state, "missing": list(check.missing), **told,
    })  # fmt: skip


def _is_of_erased(tx: Tx, check: Check) -> bool:
    return check.contact_id is not None and (check.closed_by == ERASURE or bool(tx.value(
        "SELECT erased_at IS NOT NULL FROM contacts WHERE tenant_id = :t AND id = :id",
        t=tx.tenant_id, id=check.contact_id,
    )))  # fmt: skip


def _may(check: Check, to: State) -> None:
    if to not in MOVES[check.state]:
        raise IllegalCheckMove(f"the check of {check.due_on} is {check.state}: it can't become {to}")


def write(tx: Tx, check: Check, kind: str, changes: Mapping[str, Any], **told: Any) -> Check:
    """Write the changes and the event; the check as it stands now."""
    row = tx.row(
        f"""UPDATE compliance_checks SET {", ".join(f"{name} = :{name}" for name in changes)}, updated_at = :now
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        now=tx.now, t=tx.tenant_id, id=check.id, **changes,
    )  # fmt: skip
    assert row is not None
    now = load(row)
    events.record_all(tx, [news(now, kind, before=check.state, by=tx.actor, **told)])
    return now
