"""Choosing again: checks whose record has changed are withdrawn or opened again as their schedule's filter says now."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain import compliance_fields, compliance_review, settings
from domain.compliance_review import NOT_CHOSEN
from domain.compliance_schedules import Schedule
from domain.db import Row, Tx


def judge(tx: Tx, known: Sequence[Schedule], *, check_id: UUID | None = None) -> int:
    """Judge all checks whose record has changed, or this one, by the filters of their schedules; how many that moves.

    Of an account that is inactive or a prospect a check rests and stays, unless its filter says so itself. What was
    withdrawn because of its record is open again once the record is chosen again while its period runs. Who has read
    the schedules gives them. A check that somebody holds at this moment waits for the next plan.
    """
    rows = _changed(tx, check_id)
    if not rows:
        return 0
    chosen, schedules = settings.of(tx), {each.id: each for each in known}
    gone = [(row, NOT_CHOSEN) for row in rows if row["state"] != "withdrawn"]
    shut = [row for row in rows if row["state"] == "withdrawn"]
    since = {which: schedules[which].running(chosen, tx.now) for which in {row["schedule_id"] for row in shut}
             if which in schedules}  # fmt: skip
    back = [row["id"] for row in shut
            if row["again"] and row["schedule_id"] in since and row["period"] >= since[row["schedule_id"]]]  # fmt: skip
    compliance_review.withdraw(tx, gone)
    compliance_review.reopen(tx, back)
    if stay := [row["id"] for row in shut if row["id"] not in set(back)]:
        tx.run("UPDATE compliance_checks SET recheck_at = NULL WHERE tenant_id = :t AND id = ANY(:ids)",
               t=tx.tenant_id, ids=stay)  # fmt: skip
    return len(gone) + len(back)


def _changed(tx: Tx, check_id: UUID | None) -> Sequence[Row]:
    """What was withdrawn, and what is open though its filter is not about it any more: in one statement."""
    told, all_of_it = (
        f"""CASE WHEN k.contact_id IS NULL THEN {compliance_fields.kept_condition("client", kept)}
                 ELSE {compliance_fields.kept_condition("contact", kept)} END"""
        for kept in ("s.filter", "(:unless || s.filter)")
    )
    return tx.rows(
        f"""SELECT k.id, k.state, k.schedule_id, k.period,
                   CASE WHEN k.state = 'withdrawn' AND k.reason = :not_chosen AND s.active AND c.erased_at IS NULL
                        THEN {all_of_it} ELSE false END AS again
            FROM compliance_checks k
            JOIN compliance_schedule s ON s.tenant_id = :t AND s.id = k.schedule_id
            LEFT JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = k.contact_id OFFSET 0) c
                ON true
            CROSS JOIN LATERAL (SELECT coalesce(c.client_id, k.client_id) AS account OFFSET 0) w
            JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = w.account OFFSET 0) l ON true
            WHERE k.tenant_id = :t AND k.recheck_at IS NOT NULL{" AND k.id = :id" if check_id else ""}
              AND k.state IN ('pending', 'reminded', 'overdue', 'escalated', 'withdrawn')
              AND CASE WHEN k.state = 'withdrawn' THEN true WHEN s.active THEN NOT ({told}) ELSE false END
            ORDER BY k.id FOR UPDATE OF k SKIP LOCKED""",
        t=tx.tenant_id, not_chosen=NOT_CHOSEN, unless=dict(compliance_fields.UNLESS_TOLD),
        **({"id": check_id} if check_id else {}),
    )  # fmt: skip
