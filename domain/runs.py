"""Cycles as rows: the number, the phase now running, the work blocks, and how each hour ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import cards, events, storable
from domain.db import Row, Tx, json_list

PHASES = ("plan", "act", "react", "reflect", "finished")
COUNTED = ("planned", "executed", "blocked", "deferred", "failed", "held")


@dataclass(frozen=True, slots=True)
class Run:
    """One cycle of one tenant."""

    id: UUID
    cycle_number: int
    kind: str
    slot_at: datetime | None
    phase: str
    started_at: datetime
    deadline_at: datetime
    idle_hours: int
    resumed: bool


def begin(
    tx: Tx, *, kind: str, fence: int, holder: str, mode: str, model: str, deadline_minutes: float
) -> Run | None:  # fmt: skip
    """Open this hour's run, or take up the one that a crash left open; None when the slot already had its run.

    The caller holds the tenant's lock, so there is nobody to race with.
    """
    schedule = tx.row(
        "SELECT last_slot_at, idle_hours FROM tenant_schedule WHERE tenant_id = :t FOR UPDATE", t=tx.tenant_id
    )
    if schedule is None:
        return None
    left = tx.row("SELECT * FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL", t=tx.tenant_id)
    if left is not None:
        return _resume(tx, left, fence=fence, holder=holder, deadline_minutes=deadline_minutes)
    slot = schedule["last_slot_at"] if kind == "scheduled" else None
    if slot is not None and tx.value("SELECT 1 FROM agent_autonomous_runs WHERE tenant_id = :t AND slot_at = :slot",
                                     t=tx.tenant_id, slot=slot):  # fmt: skip
        return None
    row = tx.row(
        """INSERT INTO agent_autonomous_runs (tenant_id, id, cycle_number, kind, slot_at, phase, fence, holder, mode,
               model, idle_hours, started_at, deadline_at)
           SELECT :t, :id, coalesce(max(cycle_number), 0) + 1, :kind, :slot, 'plan', :fence, :holder, :mode, :model,
               :idle, :now, :deadline FROM agent_autonomous_runs WHERE tenant_id = :t RETURNING *""",
        t=tx.tenant_id, id=tx.clock.uuid(), kind=kind, slot=slot, fence=fence, holder=holder, mode=mode, model=model,
        idle=schedule["idle_hours"], now=tx.now, deadline=tx.now + timedelta(minutes=deadline_minutes),
    )  # fmt: skip
    assert row is not None
    tx.run(
        """UPDATE tenant_schedule SET idle_hours = 0, last_cycle_at = :now, extra_due_at = NULL
           WHERE tenant_id = :t""",
        now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    tx.run_id = row["id"]
    events.record(tx, "cycle.started", "run", row["id"], number=row["cycle_number"], kind=kind)
    return _run(row, resumed=False)


def overtaken(tx: Tx) -> bool:
    """Whether the slot that was claimed last had no run because another cycle of the tenant was under way."""
    return bool(tx.value(
        """SELECT EXISTS (SELECT FROM tenant_schedule s WHERE s.tenant_id = :t AND s.last_slot_at IS NOT NULL
                          AND NOT EXISTS (SELECT FROM agent_autonomous_runs r
                                          WHERE r.tenant_id = :t AND r.slot_at = s.last_slot_at))
              AND EXISTS (SELECT FROM agent_tenant_locks WHERE tenant_id = :t AND expires_at > hourhand.db_now())""",
        t=tx.tenant_id,
    ))  # fmt: skip


def outstanding(tx: Tx, also: Mapping[str, str]) -> frozenset[str]:
    """What waits for this tenant now, of: deliveries, settlements, actions, letters, reactions; and which are true.

    `also` has SQL for each further name. One statement.
    """
    more = "".join(f', {sql} AS "{name}"' for name, sql in also.items())
    row = tx.row(
        f"""SELECT EXISTS (SELECT FROM webhook_deliveries WHERE tenant_id = :t AND processed_at IS NULL) AS deliveries,
                  EXISTS (SELECT FROM kanban_cards WHERE tenant_id = :t AND state IN ('executing', 'uncertain'))
                  OR EXISTS (SELECT FROM agent_alerts WHERE tenant_id = :t AND kind = 'card.uncertain'
                             AND state <> 'resolved') AS settlements,
                  EXISTS (SELECT FROM kanban_cards WHERE tenant_id = :t
                          AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
                          AND (not_before <= :now OR latest_at <= :now OR approval_expires_at <= :now)) AS actions,
                  EXISTS (SELECT FROM kanban_cards WHERE tenant_id = :t AND {cards.MAIL_WAITS}) AS letters,
                  EXISTS (SELECT FROM reactions_due WHERE tenant_id = :t AND not_before <= :now) AS reactions{more}""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    return frozenset(name for name, waits in (row or {}).items() if waits)


def enter(tx: Tx, run_id: UUID, ended: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    """Finish phases, each with its work block, and enter the phase named beside it; once, however often it is said."""
    if ended and not _enter(tx, run_id, ended):
        # some of it was said before
        for each in ended:
            _enter(tx, run_id, [each])


def _enter(tx: Tx, run_id: UUID, ended: Sequence[tuple[str, Mapping[str, Any]]]) -> int:
    blocks = [dict(block) for _, block in ended]
    counts = {name: sum(int(block["counts"].get(name, 0)) for block in blocks) for name in COUNTED}
    raised = ", ".join(f"{name} = {name} + :{name}" for name in COUNTED)
    return tx.run(
        f"""UPDATE agent_autonomous_runs SET phase = :phase, work_blocks = work_blocks || :blocks, {raised}
            WHERE tenant_id = :t AND id = :id AND phase = :ended""",
        phase=ended[-1][0], ended=blocks[0]["phase"], blocks=json_list(blocks), t=tx.tenant_id, id=run_id, **counts,
    )  # fmt: skip


def finish(tx: Tx, run: Run, outcome: str) -> Row:
    """Close a run; its row as it stands then."""
    row = tx.row(
        """UPDATE agent_autonomous_runs SET phase = 'finished',
               outcome = CASE WHEN :outcome = 'completed' AND errors <> '[]' THEN 'completed_with_errors'
                              ELSE :outcome END,
               finished_at = :now, duration_ms = extract(epoch FROM CAST(:now AS timestamptz) - started_at) * 1000
           WHERE tenant_id = :t AND id = :id RETURNING *""",
        outcome=outcome, now=tx.now, t=tx.tenant_id, id=run.id,
    )  # fmt: skip
    assert row is not None
    events.record(tx, "cycle.finished", "run", run.id, number=run.cycle_number, outcome=outcome)
    return row


def note_error(tx: Tx, run_id: UUID, *, where: str, error: str, traceback_id: str) -> None:
    """Record on the run that one part of it went wrong while the rest went on."""
    tx.run(
        "UPDATE agent_autonomous_runs SET errors = errors || :error WHERE tenant_id = :t AND id = :id",
        error=json_list([{"traceback_id": traceback_id, "where": where, "error": storable.text(error, 500)}]),
        t=tx.tenant_id, id=run_id,
    )  # fmt: skip


def get(tx: Tx, run_id: UUID) -> Row | None:
    """One run, every column."""
    return tx.row("SELECT * FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=run_id)


def mode_changed(tx: Tx) -> bool:
    """Whether this run sends under another mode than the last one, the host's own strictness included."""
    return len(set(_modes(tx))) > 1


def mode(tx: Tx) -> str | None:
    """The mode that this run sends under, the host's own strictness included; None outside of a run."""
    return next(iter(_modes(tx)), None)


def _modes(tx: Tx) -> Sequence[str]:
    """The mode of this run, which is the newest, and that of the last one; none outside of a run. Read once."""
    if tx.run_id is None:
        return ()
    if "modes" not in tx.memo:
        rows = tx.rows(
            """SELECT mode FROM agent_autonomous_runs WHERE tenant_id = :t ORDER BY cycle_number DESC LIMIT 2""",
            t=tx.tenant_id,
        )  # fmt: skip
        tx.memo["modes"] = tuple(row["mode"] for row in rows)
    told: Sequence[str] = tx.memo["modes"]
    return told


def is_open(tx: Tx) -> bool:
    """Whether a run of the tenant has begun and not ended."""
    return bool(tx.value(
        "SELECT EXISTS (SELECT FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL)", t=tx.tenant_id
    ))  # fmt: skip


def recent(tx: Tx, *, before: int | None = None, limit: int = 50) -> list[Row]:
    """The tenant's runs, newest first, those before cycle number `before`."""
    return list(
        tx.rows(
            """SELECT * FROM agent_autonomous_runs
               WHERE tenant_id = :t AND (CAST(:before AS int) IS NULL OR cycle_number < :before)
               ORDER BY cycle_number DESC LIMIT :limit""",
            t=tx.tenant_id, before=before, limit=limit,
        )
    )  # fmt: skip


def _resume(tx: Tx, left: Row, *, fence: int, holder: str, deadline_minutes: float) -> Run:
    row = tx.row(
        """UPDATE agent_autonomous_runs SET fence = :fence, holder = :holder, deadline_at = :deadline
           WHERE tenant_id = :t AND id = :id RETURNING *""",
        fence=fence, holder=holder, deadline=tx.now + timedelta(minutes=deadline_minutes), t=tx.tenant_id,
        id=left["id"],
    )  # fmt: skip
    assert row is not None
    tx.run_id = row["id"]
    events.record(tx, "cycle.resumed", "run", row["id"], number=row["cycle_number"], phase=row["phase"])
    return _run(row, resumed=True)


def _run(row: Row, *, resumed: bool) -> Run:
    return Run(
        id=row["id"], cycle_number=row["cycle_number"], kind=row["kind"], slot_at=row["slot_at"], phase=row["phase"],
        started_at=row["started_at"], deadline_at=row["deadline_at"], idle_hours=row["idle_hours"], resumed=resumed,
    )  # fmt: skip
