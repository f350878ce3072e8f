"""A fleet of tenants laid down at once, and the processor time that it costs all who serve it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import datetime

import psutil
import psycopg

from tests import gears


def settle(cloned: gears.Clone, tenants: int, first_hour: datetime) -> None:
    """Idle tenants whose slots are spread evenly over the hour that begins at `first_hour`."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute(
            """INSERT INTO hourhand.tenants (tenant_id, slug, name, created_at, updated_at)
               SELECT md5(n::text)::uuid, 't' || n, 'T', %(at)s, %(at)s FROM generate_series(0, %(tenants)s - 1) n""",
            {"tenants": tenants, "at": first_hour},
        )
        connection.execute(
            """INSERT INTO hourhand.tenant_schedule (tenant_id, slot_offset_seconds, next_due_at)
               SELECT tenant_id, place, %(at)s + make_interval(secs => place)
               FROM (SELECT tenant_id, substr(slug, 2)::int %% 3600 AS place FROM hourhand.tenants) AS each_one""",
            {"at": first_hour},
        )
        connection.execute("VACUUM ANALYZE hourhand.tenants, hourhand.tenant_schedule")


def give_work(cloned: gears.Clone, tenants: int, at: datetime) -> None:
    """Have some tenants, chosen evenly, be due at `at` with work to do, and no others; the queue is emptied."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("TRUNCATE queue.procrastinate_jobs CASCADE")
        connection.execute(
            """UPDATE hourhand.tenant_schedule SET next_due_at = next_due_at + interval '1 hour'
               WHERE next_due_at <= %s""",
            (at,),
        )
        connection.execute(
            """UPDATE hourhand.tenant_schedule SET next_due_at = %(at)s, work_due_at = %(at)s
               WHERE tenant_id IN (SELECT tenant_id FROM hourhand.tenant_schedule WHERE next_due_at > %(at)s
                                   ORDER BY tenant_id LIMIT %(tenants)s)""",
            {"tenants": tenants, "at": at},
        )
        connection.execute("VACUUM hourhand.tenant_schedule")


def processor_seconds(server: psutil.Process, *workers: psutil.Process) -> float:
    """What PostgreSQL, with all that it ever started, and these processes have used so far."""
    mine = server.cpu_times()
    return float(
        mine.user + mine.system + mine.children_user + mine.children_system
        + sum(_own(child) for child in server.children()) + sum(_own(worker) for worker in workers)
    )  # fmt: skip


def postmaster(cloned: gears.Clone) -> psutil.Process:
    """The server that a clone lives on."""
    return psutil.Process(int((cloned.server.cluster / "postmaster.pid").read_text().split()[0]))


def ourselves() -> psutil.Process:
    """The process that measures."""
    return psutil.Process(os.getpid())


def proportional_megabytes(processes: Iterable[psutil.Process]) -> float:
    """Memory of some processes, what they share counted once."""
    return float(sum(each.memory_full_info().pss for each in processes)) / 2**20


def _own(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        # its time is among the server's children's by now
        return 0.0
    return float(times.user + times.system)
