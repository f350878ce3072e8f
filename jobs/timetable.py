"""What happens each hour? Everything recurring, on this one page: when, for whom, and how late is too late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Literal
from uuid import UUID

from apscheduler.triggers.cron import CronTrigger

from domain.house import House

GAPS_KEPT = 8

Scope = Literal["tenant", "mailboxes", "house"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One recurring piece of work."""

    name: str
    cron: str
    """Minute, hour, day, month, day of week, in UTC; with six fields the first is the second."""
    scope: Scope
    """For every tenant that is due, for every tenant whose mail is synced, or once for the house."""
    too_late_seconds: int
    """Work that starts later than this was not done in time: `doctor`, `status` and the metrics say so."""
    does: Callable[..., Any]
    """Takes the house, and the tenant's id where the scope is not the house."""
    caption: str
    in_ticker: bool = False
    """Done by the ticker itself rather than by a queued job: for what must work when the queue does not."""


def _cycle(house: House, tenant_id: UUID, kind: str = "scheduled") -> UUID | None:
    from jobs import cycle, notices

    run_id = cycle.run(house, tenant_id, kind=kind)
    # stopped or not, people are told of what went wrong
    notices.tell_people(house, tenant_id)
    return run_id


def extra_cycle(house: House, tenant_id: UUID) -> UUID | None:
    """A cycle between the slots, for what came in meanwhile."""
    return _cycle(house, tenant_id, "extra")


def _ingest(house: House, tenant_id: UUID) -> object:
    from jobs import ingest

    return ingest.run(house, tenant_id)


def _reconcile(house: House, tenant_id: UUID) -> object:
    from jobs import reconcile_mailbox

    return reconcile_mailbox.run(house, tenant_id)


def _clean_up(house: House) -> object:
    from jobs import cleanup

    return cleanup.run(house)


def _watch(house: House) -> object:
    from jobs import watch

    return watch.run(house)


def _compare(house: House) -> object:
    from jobs import watch

    return watch.compare(house)


def _rescue(house: House) -> object:
    from jobs import rescue

    return rescue.run(house)


CYCLE = Entry("cycle", "0 * * * *", "tenant", 900, _cycle, "Plan, act, react and reflect, for each enabled tenant.")
INGEST = Entry("ingest", "*/5 * * * *", "mailboxes", 600, _ingest, "Take in what came into the mailboxes.")
RECONCILE = Entry("reconcile", "30 * * * *", "mailboxes", 3600, _reconcile, "Compare mailboxes with what is stored.")
CLEAN_UP = Entry("clean_up", "0 2 * * *", "house", 6 * 3600, _clean_up, "Drop what is past its keeping time.")
RESCUE = Entry("rescue", "*/10 * * * * *", "house", 60, _rescue, "Take over jobs whose worker died.", in_ticker=True)

WATCH = Entry("watch", "* * * * *", "house", 600, _watch, "See what calls for a person, and tell them.")
COMPARE = Entry("compare", "7 * * * *", "house", 3600, _compare, "Compare each tenant's day with its usual ones.")

TIMETABLE: tuple[Entry, ...] = (CYCLE, INGEST, RECONCILE, CLEAN_UP, RESCUE, WATCH, COMPARE)


def named(name: str) -> Entry:
    """One entry. Raises KeyError."""
    return {entry.name: entry for entry in TIMETABLE}[name]


def next_slot(entry: Entry, after: datetime) -> datetime:
    """The entry's first slot strictly after `after`."""
    # the trigger counts the moment that it is given as a slot
    return _rota(entry.cron).first(after + timedelta(microseconds=1))


def slots_around(entry: Entry, now: datetime, *, reach: timedelta) -> Sequence[datetime]:
    """The entry's slots from the last one before `now - reach` to the first after `now`, in order."""
    rota = _rota(entry.cron)
    back = max(reach, timedelta(minutes=1))
    while (first := rota.first(now - back)) > now - reach:
        back *= 2
    slots = [first]
    while slots[-1] <= now:
        slots.append(next_slot(entry, slots[-1]))
    return slots


class _Rota:
    """The slots of a cron line. The ticker asks every second and slots lie minutes apart, so answers are kept."""

    def __init__(self, cron: str) -> None:
        *second, minute, hour, day, month, weekday = cron.split()
        # not from_crontab: it knows no seconds, and in a weekday's place 0 means Monday either way (write mon, tue …)
        self._trigger = CronTrigger(
            second=second[0] if second else "0",
            minute=minute, hour=hour, day=day, month=month, day_of_week=weekday, timezone=UTC,
        )  # fmt: skip
        self._gaps: tuple[tuple[datetime, datetime], ...] = ()

    def first(self, at: datetime) -> datetime:
        """The first slot that is not before `at`."""
        for asked, answer in self._gaps:
            # between a moment that was asked about and its answer there is no other slot
            if asked <= at <= answer:
                return answer
        slot: datetime | None = self._trigger.get_next_fire_time(None, at)
        if slot is None:
            raise ValueError(f"{self._trigger} has no further slot")
        self._gaps = ((at, slot), *self._gaps[:GAPS_KEPT])
        return slot


@cache
def _rota(cron: str) -> _Rota:
    return _Rota(cron)
