"""The life of checks: they are asked about, fall silent when somebody answers, and are taken to a manager."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import compliance_checks as checks
from domain import events, schedule, settings
from domain.compliance_checks import Check, IllegalCheckMove
from domain.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Reminder:
    """A request that went out about a check, or was held."""

    check_id: UUID
    card_id: UUID
    attempt: int
    asked_id: UUID | None
    thread_id: UUID | None
    at: datetime


def reminded(tx: Tx, some: Sequence[Reminder]) -> None:
    """Requests went out: the next one follows in some days, or none where enough were sent."""
    chosen = settings.of(tx)
    rows = tx.rows(
        f"""UPDATE compliance_checks k
            SET reminders = greatest(k.reminders, w.attempt), last_reminded_at = w.at, asked_id = w.asked,
                thread_id = coalesce(k.thread_id, w.thread), updated_at = :now,
                state = CASE WHEN k.state = 'pending' THEN 'reminded' ELSE k.state END,
                remind_at = CASE WHEN w.attempt < :most THEN w.at + CAST(:rest AS interval) END,
                shadow_reminders = NULL, shadow_remind_at = NULL, insisted = false
            {_OF_REMINDERS} RETURNING {_COLUMNS}""",
        **_values(tx, some), most=chosen.compliance_max_reminders, rest=timedelta(days=chosen.compliance_reminder_days),
        now=tx.now,
    ) if some else []  # fmt: skip
    events.record_all(tx, [checks.news(each, "reminded", reminders=each.reminders) for each in map(checks.load, rows)])


def held(tx: Tx, some: Sequence[Reminder]) -> None:
    """Requests were held by the send mode: planning goes on as though they had gone out, and nothing else does."""
    if not some:
        return
    chosen = settings.of(tx)
    tx.run(
        f"""UPDATE compliance_checks k
            SET shadow_reminders = w.attempt,
                shadow_remind_at = CASE WHEN w.attempt < :most THEN w.at + CAST(:rest AS interval) END
            {_OF_REMINDERS}""",
        **_values(tx, some), most=chosen.compliance_max_reminders, rest=timedelta(days=chosen.compliance_reminder_days),
    )  # fmt: skip


def void(tx: Tx, card_id: UUID) -> int:
    """A request came back, or was never delivered: it asked nobody, and who can't be reached keeps nobody waiting.

    Where it was sent in vain to somebody who may still be written to, the next one follows when it would have. A report
    that comes once more, after somebody was asked since, says nothing of that later request. How many checks that
    touches.
    """
    card = tx.row(
        """SELECT payload, reserved_at FROM kanban_cards
           WHERE tenant_id = :t AND id = :card AND type = 'compliance_reminder'""",
        t=tx.tenant_id, card=card_id,
    )  # fmt: skip
    if card is None or "check_id" not in card["payload"]:
        return 0
    told = card["payload"]
    attempts = {told["check_id"]: told["attempt"], **told.get("also", {})}
    rows = tx.rows(
        f"""UPDATE compliance_checks k SET reminders = k.reminders - 1, asked_id = NULL, recheck_at = :now,
                updated_at = :now, remind_at = CASE WHEN EXISTS (
                    SELECT FROM contacts c JOIN engagement_clocks e ON e.tenant_id = :t AND e.contact_id = c.id
                    WHERE c.tenant_id = :t AND c.id = k.asked_id AND c.email IS NOT NULL
                      AND (e.status <> 'exempt' OR e.exempt_reason = 'discovered'))
                THEN coalesce(k.remind_at, k.last_reminded_at + CAST(:rest AS interval)) ELSE :now END
            FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS int[])) AS w (which, attempt)
            WHERE k.tenant_id = :t AND k.id = w.which AND k.reminders = w.attempt
              AND k.asked_id = :asked AND k.last_reminded_at = :at
              AND k.state IN ('pending', 'reminded', 'overdue') RETURNING {_COLUMNS}""",
        now=tx.now, t=tx.tenant_id, rest=timedelta(days=settings.readable(tx).compliance_reminder_days),
        ids=list(attempts), attempts=[int(each) for each in attempts.values()], asked=UUID(told["asked_id"]),
        at=card["reserved_at"],
    )  # fmt: skip
    some = [checks.load(row) for row in rows]
    if some:
        schedule.bring_forward(tx, tx.now)
    events.record_all(tx, [checks.news(each, "came_back", reminders=each.reminders) for each in some])
    return len(some)


_COLUMNS = ", ".join(f"k.{name}" for name in Check.__slots__)

_OF_REMINDERS = """FROM unnest(CAST(:ids AS uuid[]), CAST(:attempts AS int[]), CAST(:asked AS uuid[]),
        CAST(:threads AS uuid[]), CAST(:ats AS timestamptz[])) AS w (which, attempt, asked, thread, at)
    WHERE k.tenant_id = :t AND k.id = w.which AND k.state IN ('pending', 'reminded', 'overdue')"""


def _values(tx: Tx, some: Sequence[Reminder]) -> dict[str, object]:
    return {
        "t": tx.tenant_id, "ids": [each.check_id for each in some], "attempts": [each.attempt for each in some],
        "asked": [each.asked_id for each in some], "threads": [each.thread_id for each in some],
        "ats": [each.at for each in some],
    }  # fmt: skip


def heard(tx: Tx, client_id: UUID, *, at: datetime, believed: bool = True) -> int:
    """Somebody at the account wrote: nobody there is asked for some days, and its records are looked at again.

    What they wrote may hold the answer; what else they were to be asked waits. What is not `believed` to be theirs puts
    off once after each reminder, however much of it comes. How many checks that touches; one look at an index where
    there are none.
    """
    later = at + timedelta(days=settings.readable(tx).compliance_answer_days)
    rows = tx.rows(
        f"""UPDATE compliance_checks k
            SET heard_at = greatest(heard_at, CAST(:at AS timestamptz)), recheck_at = :now, updated_at = :now,
                remind_at = greatest(remind_at, CASE WHEN remind_at IS NOT NULL THEN CAST(:later AS timestamptz) END)
            WHERE tenant_id = :t AND client_id = :client AND state IN ('pending', 'reminded', 'overdue', 'escalated')
              AND last_reminded_at < :at AND coalesce(heard_at < :at, true)
              AND (:believed OR coalesce(heard_at < last_reminded_at, true))
            RETURNING {_COLUMNS}""",
        at=at, later=later, now=tx.now, t=tx.tenant_id, client=client_id, believed=believed,
    )  # fmt: skip
    some = [checks.load(row) for row in rows]
    if some:
        checks.withdraw(tx, some, reason="the account has written")
        schedule.bring_forward(tx, tx.now)
    events.record_all(tx, [checks.news(each, "heard") for each in some])
    return len(some)


def asked_of(tx: Tx, client_id: UUID, contact_id: UUID) -> set[str]:
    """What somebody was asked of themselves or of their account, and has not told yet: the gaps of open checks."""
    rows = tx.rows(
        """SELECT DISTINCT unnest(missing) AS gap FROM compliance_checks
           WHERE tenant_id = :t AND client_id = :client AND state IN ('pending', 'reminded', 'overdue', 'escalated')
             AND asked_id = :contact AND coalesce(contact_id = :contact, true)""",
        t=tx.tenant_id, client=client_id, contact=contact_id,
    )  # fmt: skip
    return {row["gap"] for row in rows}


def escalate(tx: Tx, check_id: UUID) -> Check:
    """Take an overdue check to the manager: nobody of the account is asked any more, a person sees to it.

    Raises UnknownCheck; IllegalCheckMove where it is not overdue (any more).
    """
    check = checks.get(tx, check_id, lock=True)
    if check.state != "overdue":
        raise IllegalCheckMove(f"the check is {check.state}")
    checks.withdraw(tx, [check], reason="a person sees to it now")
    return checks.write(tx, check, "escalated", {
        **checks.SETTLED, "state": "escalated", "escalated_at": tx.now, "told_at": None,
    })  # fmt: skip


def hasten(tx: Tx, check_id: UUID) -> Check:
    """Have a check whose day is over taken to the manager at the next hour, also one that was taken back.

    Raises UnknownCheck; IllegalCheckMove where its day is not over, or where it was taken there or settled.
    """
    check = checks.get(tx, check_id, lock=True)
    if check.state not in ("pending", "reminded", "overdue"):
        raise IllegalCheckMove(f"the check is {check.state}")
    if check.due_at > tx.now:
        raise IllegalCheckMove(f"its day is {check.due_on}: no manager hears of it before that is over")
    schedule.bring_forward(tx, tx.now, extra=True)
    return checks.write(tx, check, "escalate", {"escalate_at": tx.now, "recheck_at": tx.now})


def handed_over(tx: Tx, check_id: UUID, task_id: UUID) -> None:
    """Note the task by which a person sees to an escalated check."""
    tx.run("UPDATE compliance_checks SET task_id = :task WHERE tenant_id = :t AND id = :id AND state = 'escalated'",
           task=task_id, t=tx.tenant_id, id=check_id)  # fmt: skip


def take_back(tx: Tx, check_id: UUID) -> Check:
    """Undo an escalation: its task is cancelled, and the check, overdue still, is left to people.

    Raises UnknownCheck; IllegalCheckMove where it is not escalated any more.
    """
    check = checks.get(tx, check_id, lock=True)
    if check.state != "escalated":
        raise IllegalCheckMove(f"the check is {check.state} since")
    checks.close_cards(tx, [check], task="cancelled", reason="the escalation was taken back")
    return checks.write(tx, check, "taken_back", {
        "state": "overdue", "escalated_at": None, "escalate_at": None, "task_id": None,
    })  # fmt: skip


def untold(tx: Tx, *, limit: int = 200) -> list[Row]:
    """Escalated checks of which no manager was told: what they are, and whose accounts; the oldest first."""
    return list(tx.rows(
        """SELECT k.id, k.due_on, k.missing, s.name AS schedule, l.id AS client_id, l.name AS account,
                  u.id AS manager_id
           FROM compliance_checks k
           JOIN compliance_schedule s ON s.tenant_id = :t AND s.id = k.schedule_id
           JOIN clients l ON l.tenant_id = :t AND l.id = k.client_id
           LEFT JOIN users u ON u.tenant_id = :t AND u.id = l.manager_id AND u.role = 'manager'
                AND u.verified_at IS NOT NULL
           WHERE k.tenant_id = :t AND k.state = 'escalated' AND k.told_at IS NULL
           ORDER BY k.escalated_at, k.id LIMIT :limit""",
        t=tx.tenant_id, limit=limit,
    ))  # fmt: skip


def told(tx: Tx, check_ids: Sequence[UUID]) -> None:
    """Everybody who is to know of these escalations was told, or there is nobody."""
    tx.run("UPDATE compliance_checks SET told_at = :now WHERE tenant_id = :t AND id = ANY(:ids) AND told_at IS NULL",
           now=tx.now, t=tx.tenant_id, ids=list(check_ids))  # fmt: skip
