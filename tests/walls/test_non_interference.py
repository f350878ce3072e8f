"""Non-interference: all that tenant A observes is the same, byte for byte, with and without a hostile C beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from fastapi import FastAPI

from admin_api import app as admin_app
from domain.house import House
from tests import gears
from tests.walls import days, hostile
from tests.walls.hostile import Neighbour
from tests.walls.sides import Side, Street, street

Told = tuple[list[list[str]], Neighbour | None, Street]
Figures = Callable[..., None]


class Desk:
    """One app for all streets of a run: taking its routes apart takes longer than a day of A's."""

    def __init__(self) -> None:
        self._app: FastAPI | None = None

    def __call__(self, house: House) -> FastAPI:
        made = admin_app.create(house) if self._app is None else self._app
        made.state.house = house
        self._app = made
        return made


DESK = Desk()


@contextmanager
def lived(
    clone: gears.Clone, folder: Path, *, beside: type[Neighbour] | None = None, during: Sequence[int] = days.DAYS
) -> Iterator[Told]:  # fmt: skip
    """A's days on a database of their own; its log by day, and the street as it then stands."""
    with street(clone, folder, DESK, days.START) as made:
        # one mail at a time: of mails that go side by side nobody can say which the provider names first
        acme = made.move_in("acme", days.OWN, sends_per_second=1, **days.WISHED)
        neighbour = beside(made.move_in(hostile.SLUG, hostile.OTHER_BOX, **days.WISHED)) if beside else None
        yield days.live(made, acme, neighbour, days=during), neighbour, made


def differences(one: list[str], other: list[str]) -> list[str]:
    """Lines that one log has and the other has not, for an assertion's message."""
    return [line[:600] for line in (*(set(one) - set(other)), *(set(other) - set(one)))][:8]


@pytest.fixture(scope="module")
def alone(cluster: gears.Cluster, tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """A's log, by day, where nobody lives beside it."""
    clone = cluster.clone()
    with lived(clone, tmp_path_factory.mktemp("alone")) as (logs, _, made):
        assert made.failures == []
        sent = made.resend.sent("re_acme")
        assert len(sent) == len(days.PEOPLE) + 1, "everybody's first mail, and a follow-up to who kept silent"
    cluster.retire(clone)
    return logs


def test_a_hostile_neighbour_changes_nothing_that_a_tenant_observes(
    alone: list[list[str]], cloned: gears.Clone, tmp_path: Path, figures: Figures
) -> None:
    with lived(cloned, tmp_path, beside=Neighbour) as (logs, neighbour, made):
        assert neighbour is not None
        assert neighbour.let_in == []
        for quiet, loud in zip(alone, logs, strict=True):
            assert differences(quiet, loud) == []
            assert "\n".join(quiet).encode() == "\n".join(loud).encode()
        figures(
            "non_interference", days=len(logs), lines=len(logs[-1]), bytes=len("\n".join(logs[-1]).encode()),
            different=0, refused=neighbour.refused, hostile_messages=len(neighbour.side.gmail.messages),
        )  # fmt: skip
        with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
            admin.execute("ALTER TABLE hourhand.suppressions DISABLE ROW LEVEL SECURITY")
        assert differences(logs[-1], made.observed("acme")), "the same comparison sees a wall that is down"


SHARED = """CREATE FUNCTION public.shared() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
        INSERT INTO hourhand.suppressions
        SELECT (jsonb_populate_record(new, jsonb_build_object('tenant_id', t.tenant_id))).*
        FROM hourhand.tenants t WHERE t.tenant_id <> new.tenant_id ON CONFLICT DO NOTHING;
        RETURN new;
    END $$;
    CREATE TRIGGER shared AFTER INSERT ON hourhand.suppressions FOR EACH ROW WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION public.shared()"""
"""A leak that no policy stands against, because it runs with its owner's rights: what one tenant hears, all do."""


class Tame(Neighbour):
    """It settles in, and does nothing more."""

    def __call__(self, street: Street, victim: Side) -> None:
        if next(self.hours) == 0:
            with street.clock.turn(self.side.slug):
                self._settle_in(street, victim)


def test_opt_outs_that_all_tenants_shared_would_be_seen(
    alone: list[list[str]], cloned: gears.Clone, tmp_path: Path
) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        admin.execute(SHARED)
    with lived(cloned, tmp_path, beside=Tame, during=days.DAYS[:1]) as (logs, _, _made):
        assert differences(alone[0], logs[0])
