"""The laboratory bites: each defect that would double or lose something is made on purpose, and must be caught."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from domain import approval, cards, switches
from domain.db import FenceLost, Tx
from domain.house import House
from domain.ports import Mailbox
from domain.switches import Switch
from jobs import cycle
from simulator.emulators.faults import throttle
from tests.crash import defects, laboratory
from tests.crash.laboratory import Finding, Killed, Killer, Stage
from tests.crash.mail_in import Post
from tests.crash.mail_out import LOST, TAKEN, Hour
from tests.gears import Cluster

NOBODY = "nowhere"


@pytest.fixture
def own(cluster: Cluster) -> Iterator[Stage]:
    """A stage whose database may be broken."""
    clone = cluster.clone()
    built = Stage(clone.url(), clone.admin_url)
    built.clock.again("defects")
    yield built
    built.close()
    cluster.retire(clone)


def test_a_new_key_for_each_try_is_caught(stage: Stage) -> None:
    play = partial(Hour, weather=(lambda: TAKEN,), lists=False, sender=defects.NewKeyEachTry)
    found = laboratory.run(stage, play, "execute.settled", "new-key")
    assert any("got 2 mails" in told for told in found.doubled)
    assert any("under different keys" in told for told in found.doubled)


def test_a_retry_with_changed_bytes_is_caught(own: Stage) -> None:
    play = partial(Hour, weather=(lambda: TAKEN,), lists=False)
    assert laboratory.run(own, play, "execute.settled", "sound").doubled == []
    defects.plant(own.admin_url, defects.CHANGED_BYTES)
    found = laboratory.run(own, play, "execute.settled", "changed")
    assert any("with different bytes" in told for told in found.doubled)


def test_a_cursor_that_moves_before_its_mail_is_stored_is_caught(stage: Stage) -> None:
    def moves_first(real: Mailbox, post: Post) -> Mailbox:
        return defects.MovesTheCursorFirst(real, stage.database, post.tenant_id, post.mailbox_id)

    play = partial(Post, weather=(None,), expires=False, wraps=moves_first)
    found = laboratory.run(stage, play, "ingest.fetched", "moved")
    assert any("the cursor covers" in told for told in found.lost)
    assert any("was not stored" in told for told in found.lost)


class TooLate(Hour):
    """A mail that was taken without an answer, tried again in vain after 18 hours, and looked at after 24 and a half.

    By then the provider has forgotten the key.
    """

    def __init__(self, stage: Stage, slug: str) -> None:
        # late in the afternoon of the people written to, so that the next day's working hours begin in time
        stage.clock.advance(hours=6)
        super().__init__(stage, slug, random.Random(slug), weather=(lambda: TAKEN,), lists=False)
        self.posts_by_life: list[int] = []

    def between(self, life: int) -> None:
        self.posts_by_life.append(len(self.posts()))
        self.stage.resend.faults.clear()
        if life == 0:
            self.stage.resend.break_next(LOST)
            with self.stage.database.tenant(self.tenant_id) as tx:
                [card] = cards.listed(tx, state="uncertain")
                # worth doing for longer than a day, as after an approval that took its time
                approval.allow_until(tx, card.id, tx.now + timedelta(days=7))
        self.stage.clock.advance(hours=(18, 6.4, 0)[life])


@pytest.mark.parametrize("defect", [None, defects.AGE_FROM_THE_LAST_TRY])
def test_a_retry_after_23_hours_is_not_made_and_would_be_caught(
    own: Stage, defect: tuple[str, str, str] | None
) -> None:
    if defect is not None:
        defects.plant(own.admin_url, defect)
    play, killer = TooLate(own, "late"), Killer(NOBODY)
    laboratory.act(own, play, killer, most_lives=3)
    found = laboratory.judge(own, play, killer)
    first, second, third = play.posts_by_life
    assert second == first + 1, "what is young enough is tried again"
    assert (third > second, found.doubled != []) == (defect is not None, defect is not None)


class Stopped(Hour):
    """A tenant that stops its mail while an outcome is unknown."""

    def __init__(self, stage: Stage, slug: str) -> None:
        super().__init__(stage, slug, random.Random(slug), weather=(lambda: LOST,), lists=False)
        self.before_the_stop = 0

    def between(self, life: int) -> None:
        if life == 0:
            switches.stop(self.stage.database, Switch(self.tenant_id, "mail"), by="boss", reason="let me look")
            self.before_the_stop = len(self.posts())

    def judge(self, tx: Tx, found: Finding) -> None:
        late = len(self.posts()) - self.before_the_stop
        found.doubled += [f"{late} requests after the stop"] if late else []


@pytest.mark.parametrize("defect", [None, defects.STOP_NOT_KEPT])
def test_a_retry_while_stopped_is_not_made_and_would_be_caught(own: Stage, defect: tuple[str, str, str] | None) -> None:
    if defect is not None:
        defects.plant(own.admin_url, defect)
    play, killer = Stopped(own, "stopped"), Killer(NOBODY)
    laboratory.act(own, play, killer, most_lives=3)
    assert (laboratory.judge(own, play, killer).doubled != []) == (defect is not None)


class Sleeper(Hour):
    """A process that sleeps past its lease while it holds a card, wakes, and finishes what is no longer its own."""

    def __init__(self, stage: Stage, slug: str, successor: Killer) -> None:
        super().__init__(stage, slug, random.Random(1), weather=(throttle,), lists=False)
        sender = defects.Pausing(self.key, stage.resend.url)
        sender.meanwhile = lambda: self._sleep(successor)
        stage.hands.senders[self.tenant_id] = sender
        self.fenced = False

    def live(self, house: House, life: int) -> None:
        try:
            super().live(house, life)
        except FenceLost:
            self.fenced = True

    def _sleep(self, successor: Killer) -> None:
        self.stage.clock.advance(minutes=5)
        with contextlib.suppress(Killed):
            cycle.run(self.stage.processes[1].lives(successor), self.tenant_id, kind="extra")


@pytest.mark.parametrize("dies_at", [NOBODY, "resolve.reserved", "resolve.performed", "resolve.settled"])
def test_a_holder_that_wakes_after_its_successor_took_over_is_refused(own: Stage, dies_at: str) -> None:
    play, killer = Sleeper(own, "sleeper", Killer(dies_at)), Killer(NOBODY)
    laboratory.act(own, play, killer, most_lives=3)
    found = laboratory.judge(own, play, killer)
    assert (found.lost, found.doubled, play.fenced) == ([], [], True)
    with own.database.tenant(play.tenant_id) as tx:
        told = "SELECT count(*) FROM email_provider_failures WHERE detail LIKE 'settled by somebody else%'"
        assert tx.value(told) == 1


def test_a_finish_without_compare_and_set_is_caught(own: Stage) -> None:
    defects.plant(own.admin_url, defects.NO_COMPARE_AND_SET)
    play, killer = Sleeper(own, "sleeper", Killer("resolve.reserved")), Killer(NOBODY)
    laboratory.act(own, play, killer, most_lives=4)
    found = laboratory.judge(own, play, killer)
    assert found.lost or found.doubled
