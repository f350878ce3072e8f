"""The scheduler: one job a second, which is one statement; whatever it finds due was put there by the timetable."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from domain.house import House
from jobs import tick
from worker.leadership import Leadership

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1
QUIET_FAILURES = 60
"""While the database is away every beat fails: after the first, one line a minute is enough."""


class Scheduler:
    """APScheduler with the ticker as its only job; it ticks in the process that leads, and waits in the others."""

    def __init__(self, house: House, *, depth: int, count: Callable[[str, str], None]) -> None:
        self._house = house
        self._depth = depth
        self._count = count
        self._failures = 0
        self._leadership = Leadership(house.database, house.holder)
        self._scheduler = BackgroundScheduler(executors={"default": ThreadPoolExecutor(1)}, timezone="UTC", daemon=True)

    def start(self) -> None:
        """Begin to tick."""
        # without a grace time a beat that comes late is run all the same; several that were missed are one
        self._scheduler.add_job(
            self._beat, "interval", seconds=BEAT_SECONDS, coalesce=True, max_instances=1, misfire_grace_time=None
        )
        self._scheduler.start()

    def stop(self) -> None:
        """Tick no more, and let another process do so. The house must be `leaving`.

        A beat under way is not waited for: it is one transaction, done whole or not at all.
        """
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        self._leadership.resign()

    def _beat(self) -> None:
        if self._house.leaving.is_set():
            return
        try:
            if not self._leadership.held():
                self._failures = 0
                return
            beat = tick.run(self._house, depth=self._depth)
        except Exception as error:
            self._count("tick", "failed")
            if self._failures % QUIET_FAILURES == 0:
                log.exception("tick.failed", error=type(error).__name__, failures=self._failures + 1)
            self._failures += 1
            return
        self._failures = 0
        self._count("tick", "done")
        if beat.jobs or beat.slots:
            log.info("tick", slots=beat.slots, idle=beat.idle, mailboxes=beat.mailboxes, jobs=beat.jobs)
