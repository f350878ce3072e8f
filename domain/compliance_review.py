"""Reviewing checks: after a change of their schedule those that stand are judged by it, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from itertools import takewhile
from uuid import UUID

from domain import compliance_checks as checks
from domain import compliance_fields, compliance_validation, events, settings
from domain import compliance_schedules as schedules
from domain.compliance_schedules import NOBODY, Schedule
from domain.db import Row, Tx

OFF = "its schedule was switched off"
NOT_CHOSEN = "its schedule is not about this record any more"


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What a change did to the checks that stood."""

    withdrawn: int = 0
    reopened: int = 0
    judged: int = 0
    """Open ones of which something else is required now."""
    completed: int = 0
    """Of the reopened and the judged: whole by what is required now."""

    def __add__(self, other: Reviewed) -> Reviewed:
        return Reviewed(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Reviewed)))


def carry_on(tx: Tx, some: Iterable[Schedule]) -> Reviewed:
    """Go on with the reviews that were begun, of no more checks in one go than are looked at in an hour."""
    left, done = settings.of(tx).compliance_checks_per_cycle, Reviewed()
    for each in some:
        if each.reviewing and left > 0:
            looked, told, _ = review(tx, schedules.get(tx, each.id, lock=True), limit=left)
            left, done = left - looked, done + told
    return done


def review(tx: Tx, of: Schedule, *, limit: int) -> tuple[int, Reviewed, Schedule]:
    """Judge the next checks by their schedule as it stands; how many they were, what it did, and the schedule then.

    Whoever holds the schedule's line calls it. What no rule of the schedule asks for any more is withdrawn: neither
    missed nor completed. What such a change withdrew of the period that runs is open again once it is asked for again.
    Before the first check that somebody else holds it ends for now: they may be waiting for what is held here.
    """
    if not of.reviewing:
        return 0, Reviewed(), of
    batch, over = _batch(tx, of, limit)
    gone = [(row, NOT_CHOSEN if of.active else OFF) for row in batch
            if row["state"] != "withdrawn" and not (of.active and row["wanted"])]  # fmt: skip
    withdraw(tx, gone)
    stay = [row for row in batch if of.active and row["wanted"]]
    back = reopen(tx, [row["id"] for row in stay if row["state"] == "withdrawn"])
    anew = [row for row in stay if row["state"] != "withdrawn" and set(row["required"]) != set(of.required_fields)]
    _require(tx, of, anew)
    found = compliance_validation.named(tx, [*back, *(row["id"] for row in anew)]) if back or anew else []
    still_open = compliance_validation.validate(tx, found)
    done = Reviewed(len(gone), len(back), len(anew), len(found) - len(still_open))
    reached = batch[-1]["id"] if batch else of.reviewed_to
    now = schedules.write(tx, of, {"reviewed_to": None if over else reached})
    if done != Reviewed():
        events.record(tx, "compliance.reviewed", "compliance_schedule", of.id,
                      **{each.name: getattr(done, each.name) for each in fields(done)})  # fmt: skip
    return len(batch), done, now


def _batch(tx: Tx, of: Schedule, limit: int) -> tuple[Sequence[Row], bool]:
    """The next open checks by their ids, and those that may be opened again, each with what holds of its record.

    They are held from here on, up to the first that somebody else holds; with whether none is left behind them.
    """
    stands = """tenant_id = :t AND state IN ('pending', 'reminded', 'overdue', 'escalated', 'withdrawn')
                AND (state <> 'withdrawn' OR period >= :running)"""
    running = of.running(settings.of(tx), tx.now)
    following = [row["id"] for row in tx.rows(
        f"""SELECT id FROM compliance_checks WHERE {stands} AND schedule_id = :schedule AND id > :after
            ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, running=running, schedule=of.id, after=of.reviewed_to or NOBODY, limit=limit,
    )]  # fmt: skip
    chosen, values = compliance_fields.condition(of.applies_to, of.filter)
    lacks = compliance_fields.missing(of.applies_to, "CAST(:required AS text[])")
    if of.applies_to == "contact":
        chosen = f"{chosen} AND c.erased_at IS NULL"
        record = """JOIN contacts c ON c.tenant_id = :t AND c.id = k.contact_id
                    JOIN clients l ON l.tenant_id = :t AND l.id = c.client_id"""
    else:
        record = "JOIN clients l ON l.tenant_id = :t AND l.id = k.client_id"
    rows = tx.rows(
        f"""SELECT k.id, k.state, k.required, k.missing, {chosen} AS wanted, {lacks} AS lacks
            FROM (SELECT id, state, client_id, contact_id, required, missing FROM compliance_checks
                  WHERE {stands} AND id = ANY(:ids) FOR UPDATE SKIP LOCKED) k {record}""",
        t=tx.tenant_id, running=running, ids=following, required=list(of.required_fields), **values,
    ) if following else []  # fmt: skip
    held = {row["id"]: row for row in rows}
    batch = [held[each] for each in takewhile(held.__contains__, following)]
    return batch, len(following) == len(batch) < limit


def withdraw(tx: Tx, gone: Sequence[tuple[Row, str]]) -> None:
    """Nothing is done about these any more, and what waits to be done is not."""
    if not gone:
        return
    rows = tx.rows(
        f"""UPDATE compliance_checks k SET state = 'withdrawn', closed_at = :now, closed_by = :actor, reason = w.why,
                remind_at = NULL, recheck_at = NULL, shadow_reminders = NULL, shadow_remind_at = NULL,
                insisted = false, updated_at = :now
            FROM unnest(CAST(:ids AS uuid[]), CAST(:whys AS text[])) AS w (which, why)
            WHERE k.tenant_id = :t AND k.id = w.which RETURNING {_COLUMNS}""",
        now=tx.now, actor=tx.actor, t=tx.tenant_id, ids=[row["id"] for row, _ in gone], whys=[why for _, why in gone],
    )  # fmt: skip
    some = [checks.load(row) for row in rows]
    for why in {why for _, why in gone}:
        checks.close_cards(tx, [each for each in some if each.reason == why], task="cancelled", reason=why)
    events.record_all(tx, [checks.news(each, "withdrawn", by=tx.actor, reason=each.reason) for each in some])


def reopen(tx: Tx, ids: Sequence[UUID]) -> list[UUID]:
    """Open these again: nobody is asked sooner than they would have been, and a manager hears a full term later."""
    if not ids:
        return []
    rows = tx.rows(
        f"""UPDATE compliance_checks k
            SET state = CASE WHEN reminders > 0 THEN 'reminded' ELSE 'pending' END, closed_at = NULL, closed_by = NULL,
                reason = NULL, required = s.required_fields, recheck_at = :now, escalated_at = NULL, told_at = NULL,
                task_id = NULL, updated_at = :now, remind_at = CASE WHEN reminders < :most THEN {_NEXT} END,
                escalate_at = CASE WHEN escalate_at IS NOT NULL
                              THEN greatest(escalate_at, :now + CAST(:term AS interval)) END
            FROM compliance_schedule s
            WHERE k.tenant_id = :t AND k.id = ANY(:ids) AND s.tenant_id = :t AND s.id = k.schedule_id
            RETURNING {_COLUMNS}""",
        ids=list(ids), **_terms(tx),
    )  # fmt: skip
    some = [checks.load(row) for row in rows]
    events.record_all(tx, [checks.news(each, "reopened", before="withdrawn", by=tx.actor) for each in some])
    return [each.id for each in some]


def _require(tx: Tx, of: Schedule, anew: Sequence[Row]) -> None:
    """Of these something else is required now; what is lacking that nobody was asked for yet is asked for."""
    if not anew:
        return
    asks = [bool((set(row["lacks"]) - set(row["missing"])) & compliance_fields.ASKED) for row in anew]
    tx.run(
        f"""UPDATE compliance_checks k
            SET required = :required, recheck_at = :now, updated_at = :now,
                remind_at = CASE WHEN w.asks AND state <> 'escalated' THEN {_NEXT} ELSE remind_at END,
                shadow_reminders = CASE WHEN NOT w.asks THEN shadow_reminders END,
                shadow_remind_at = CASE WHEN NOT w.asks THEN shadow_remind_at END
            FROM unnest(CAST(:ids AS uuid[]), CAST(:asks AS boolean[])) AS w (which, asks)
            WHERE k.tenant_id = :t AND k.id = w.which""",
        required=list(of.required_fields), ids=[row["id"] for row in anew], asks=asks,
        **{name: value for name, value in _terms(tx).items() if name not in ("most", "term")},
    )  # fmt: skip


_COLUMNS = ", ".join(f"k.{name}" for name in checks.Check.__slots__)

_NEXT = """greatest(:now, last_reminded_at + CAST(:rest AS interval), heard_at + CAST(:peace AS interval))"""
"""SQL for when they may be asked next: at once, or as long after the last request and their last words as ever."""


def _terms(tx: Tx) -> dict[str, object]:
    chosen = settings.of(tx)
    return {
        "t": tx.tenant_id, "now": tx.now, "most": chosen.compliance_max_reminders,
        "rest": timedelta(days=chosen.compliance_reminder_days), "peace": timedelta(days=chosen.compliance_answer_days),
        "term": timedelta(days=chosen.compliance_escalate_days),
    }  # fmt: skip
