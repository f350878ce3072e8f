"""The ticker's beat: one statement claims whatever is due, moves it to its next slot and queues its work, each once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.db import Database
from domain.house import House
from jobs import timetable
from jobs.timetable import CYCLE, INGEST, RECONCILE, TIMETABLE

QUEUE_DEPTH = 2_000
EXTRA_APART = timedelta(minutes=5)
MAILBOXES_PER_JOB = 100
MAILBOX_JOBS = 32
"""Few mailboxes get a job each, so that none waits for another; many share jobs, or the queue would be nothing else."""

# One UPDATE touches each line, whatever it is due for: a second one in the same statement would be lost.
# `FOR UPDATE SKIP LOCKED` looks at a line again after it got hold of it, so two tickers never claim one slot twice.
_CLAIM = re.sub(r"\s+", " ", """
WITH room AS (
    SELECT %(depth)s - count(*)
    FROM (SELECT FROM queue.procrastinate_jobs WHERE status = 'todo' LIMIT %(depth)s) AS waiting
), slot AS (
    SELECT tenant_id, slot_offset_seconds FROM tenant_schedule
    WHERE NOT %(mail_only)s AND enabled AND next_due_at <= %(now)s
    ORDER BY next_due_at LIMIT (TABLE room) FOR UPDATE SKIP LOCKED
), extra AS (
    SELECT tenant_id, slot_offset_seconds FROM tenant_schedule
    WHERE NOT %(mail_only)s AND enabled AND extra_due_at <= %(now)s AND (last_cycle_at <= %(extra_since)s) IS NOT FALSE
    ORDER BY extra_due_at LIMIT (TABLE room) FOR UPDATE SKIP LOCKED
), mail AS (
    SELECT tenant_id, slot_offset_seconds FROM tenant_schedule WHERE sync_enabled AND gmail_due_at <= %(now)s
    ORDER BY gmail_due_at LIMIT (TABLE room) FOR UPDATE SKIP LOCKED
), due AS (
    SELECT tenant_id, make_interval(secs => slot_offset_seconds) AS away, bool_or(why = 's') AS slot,
           bool_or(why = 'e') AS extra, bool_or(why = 'm') AS mail
    FROM (SELECT *, 's' AS why FROM slot UNION ALL SELECT *, 'e' FROM extra UNION ALL SELECT *, 'm' FROM mail) AS found
    GROUP BY tenant_id, slot_offset_seconds
), claimed AS (
    UPDATE tenant_schedule s SET
        next_due_at = CASE WHEN slot THEN (%(cycles)s)[width_bucket(%(now)s - away, %(cycles)s) + 1] + away
                           ELSE s.next_due_at END,
        last_slot_at = CASE WHEN slot THEN (%(cycles)s)[width_bucket(%(now)s - away, %(cycles)s)] + away
                            ELSE s.last_slot_at END,
        idle_hours = s.idle_hours + (slot AND NOT extra AND (s.work_due_at <= %(now)s) IS NOT TRUE)::int,
        extra_due_at = CASE WHEN extra OR slot AND s.extra_due_at <= %(now)s THEN NULL ELSE s.extra_due_at END,
        gmail_due_at = CASE WHEN mail THEN
            %(next_mail)s + make_interval(secs => s.slot_offset_seconds %% %(mail_period)s) ELSE s.gmail_due_at END
    FROM due WHERE s.tenant_id = due.tenant_id
    RETURNING s.tenant_id, slot, extra, mail, (s.work_due_at <= %(now)s) IS TRUE AS busy,
              mail AND s.gmail_due_at >= %(next_reconciliation)s AS reconcile
), house AS (
    UPDATE queue.house_slots h SET next_due_at = n.next_due_at, last_slot_at = h.next_due_at
    FROM (SELECT entry FROM queue.house_slots WHERE NOT %(mail_only)s AND next_due_at <= %(now)s
          FOR UPDATE SKIP LOCKED) AS due,
         unnest(CAST(%(entries)s AS text[]), %(nexts)s, %(in_ticker)s) AS n (entry, next_due_at, in_ticker)
    WHERE h.entry = due.entry AND n.entry = h.entry RETURNING h.entry, in_ticker
), wanted (queue, task, priority, lock, once, args) AS (
    SELECT 'cycles', task, CASE WHEN slot THEN 0 ELSE 1 END, 'tenant:' || tenant_id, task || ':' || tenant_id,
           jsonb_build_object('tenant_id', tenant_id)
    FROM (SELECT *, CASE WHEN slot THEN 'cycle' ELSE 'extra_cycle' END AS task FROM claimed
          WHERE slot AND busy OR extra) AS working
    UNION ALL
    SELECT 'mailboxes', task, priority, NULL, task || ':' || md5(string_agg(tenant_id::text, ',' ORDER BY tenant_id)),
           jsonb_build_object('tenant_ids', jsonb_agg(tenant_id ORDER BY tenant_id))
    FROM (SELECT task, priority, tenant_id, (row_number() OVER (PARTITION BY task ORDER BY tenant_id) - 1)
                 / least(%(per_job)s, greatest(1, ceil(count(*) OVER (PARTITION BY task)
                                                    / CAST(%(mail_jobs)s AS numeric))))::int AS chunk
          FROM (SELECT 'ingest' AS task, 0 AS priority, tenant_id FROM claimed WHERE mail
                UNION ALL SELECT 'reconcile', -1, tenant_id FROM claimed WHERE reconcile) AS polled) AS chunked
    GROUP BY task, priority, chunk
    UNION ALL
    SELECT 'house', entry, 2, 'house:' || entry, 'house:' || entry, '{}' FROM house WHERE NOT in_ticker
), queued AS (
    INSERT INTO queue.procrastinate_jobs (queue_name, task_name, priority, lock, queueing_lock, args)
    SELECT * FROM wanted ORDER BY once
    ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING RETURNING 1
)
SELECT count(*) FILTER (WHERE slot) AS slots, count(*) FILTER (WHERE slot AND NOT busy AND NOT extra) AS idle,
       count(*) FILTER (WHERE mail) AS mailboxes, (SELECT count(*) FROM queued) AS jobs,
       (SELECT coalesce(array_agg(entry ORDER BY entry), '{}') FROM house WHERE in_ticker) AS at_once
FROM claimed
""").strip()  # fmt: skip
# in single spaces, because the driver reads statements of more than 4,096 characters anew each time


@dataclass(frozen=True, slots=True)
class Beat:
    """What one beat found due."""

    slots: int
    """Hourly slots claimed, idle tenants' among them."""
    idle: int
    """Slots of tenants that had nothing to do: no job, no run."""
    mailboxes: int
    jobs: int
    """Jobs queued; work that was already waiting in the queue is not queued twice."""
    at_once: tuple[str, ...]
    """Entries of the timetable that the ticker itself must do now."""


def prepare(database: Database) -> None:
    """Give each of the timetable's house entries its line; entries that are no longer in the timetable lose theirs."""
    with database.wearing("dispatcher") as tx:
        entries = [entry for entry in TIMETABLE if entry.scope == "house"]
        tx.run("DELETE FROM queue.house_slots WHERE NOT entry = ANY(:entries)", entries=[one.name for one in entries])
        tx.run_many(
            "INSERT INTO queue.house_slots (entry, next_due_at) VALUES (:entry, :at) ON CONFLICT (entry) DO NOTHING",
            [{"entry": one.name, "at": timetable.next_slot(one, tx.now)} for one in entries],
        )


def claim(database: Database, *, depth: int = QUEUE_DEPTH, mail_only: bool = False) -> Beat:
    """Claim everything due and queue its work, in one statement; the queue never holds more than about `depth` jobs.

    With `mail_only`, mailboxes that are due and nothing else.

    Missed hours coalesce: a tenant moves to its next slot after now, and its cycle stands for the latest slot missed.
    """
    row = database.dispatch.row(_CLAIM, {"depth": depth, "mail_only": mail_only, **_moments(database.clock.now())})
    return Beat(**{**row, "at_once": tuple(row["at_once"])})


def run(house: House, *, depth: int = QUEUE_DEPTH) -> Beat:
    """One beat: claim, then do what the ticker does itself."""
    beat = claim(house.database, depth=depth)
    for name in beat.at_once:
        timetable.named(name).does(house)
    return beat


def _moments(now: datetime) -> Mapping[str, Any]:
    mail_slots = timetable.slots_around(INGEST, now, reach=timedelta(0))
    house = [entry for entry in TIMETABLE if entry.scope == "house"]
    return {
        "now": now,
        "extra_since": now - EXTRA_APART,
        "cycles": list(timetable.slots_around(CYCLE, now, reach=timedelta(hours=1))),
        "next_mail": mail_slots[-1],
        # the last poll before an hour's reconciliation brings it along
        "next_reconciliation": timetable.next_slot(RECONCILE, now),
        "mail_period": _seconds(mail_slots[-2], mail_slots[-1]),
        "per_job": MAILBOXES_PER_JOB,
        "mail_jobs": MAILBOX_JOBS,
        "entries": [entry.name for entry in house],
        "nexts": [timetable.next_slot(entry, now) for entry in house],
        "in_ticker": [entry.in_ticker for entry in house],
    }


def _seconds(start: datetime, end: datetime) -> int:
    return max(1, int((end - start).total_seconds()))
