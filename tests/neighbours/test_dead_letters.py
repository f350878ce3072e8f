"""Poison: whatever fails is tried five times, lies with the dead letters, holds nobody up, and is put back once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest

from domain import audit, cards, deliveries, events, given_up, quarantine
from domain.db import Database
from domain.events import Event
from domain.given_up import Letter, UnknownLetter
from domain.ports import DeliveryEvent, DeliveryKind
from engines.contract import Context, Engine
from engines.engagement.engine import EngagementEngine
from jobs import cycle, dead_letters, rescue
from jobs.dead_letters import NotReplayable
from tests import build, gears
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post

TRIES = quarantine.TRIES


class Allergic(EngagementEngine):
    """Fails on one event until it is cured."""

    def __init__(self) -> None:
        self.poison: UUID | None = None
        self.taken: list[UUID] = []

    def react(self, ctx: Context, event: Event) -> None:
        if event.id == self.poison:
            raise ValueError("this one disagrees with me")
        self.taken.append(event.id)


@dataclass
class Ward:
    """Acme, and what it takes to let things fail and to see what became of them."""

    post: Post
    clock: HandClock
    admin_url: str
    engine: Allergic = field(default_factory=Allergic)

    def hour(self) -> None:
        """One cycle; a day later, so that whatever rests has rested enough."""
        engines: Sequence[Engine] = [self.engine]
        assert cycle.run(self.post.house, self.post.tenant_id, kind="manual", engines=engines) is not None
        self.clock.advance(hours=3)

    def dead(self) -> Sequence[Letter]:
        """What lies there."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return given_up.listed(tx)

    def replay(self, letter: Letter) -> None:
        """Put one back."""
        with self.post.database.tenant(self.post.tenant_id, actor="boss") as tx:
            dead_letters.replay(tx, letter.id)

    def as_owner(self, sql: str) -> None:
        """Break something on purpose, or mend it."""
        with psycopg.connect(self.admin_url, autocommit=True) as admin:
            admin.execute(sql)


@pytest.fixture
def ward(cloned: gears.Clone, clone: Database, clock: HandClock) -> Iterator[Ward]:
    clock.advance(hours=6)
    with letters.post(clone) as post:
        yield Ward(post, clock, cloned.admin_url)


def _event(ward: Ward) -> Callable[[], bool]:
    with ward.post.database.tenant(ward.post.tenant_id, actor="test") as tx:
        good, bad, also_good = (events.record(tx, "mail.received", "message", str(n), react=True) for n in range(3))
    ward.engine.poison = bad
    ward.hour()
    assert ward.engine.taken == [good, also_good], "the others were not held up"

    def cured() -> bool:
        return bad in ward.engine.taken

    return cured


def _webhook(ward: Ward) -> Callable[[], bool]:
    with ward.post.database.tenant(ward.post.tenant_id, actor="test") as tx:
        card = letters.sent(tx, build.contact(tx))
        told: tuple[DeliveryKind, ...] = ("delivered", "opened")
        for kind in told:
            event = DeliveryEvent(f"e-{kind}", kind, f"re-{card.id}", ("bill@initech.example",), tx.now, {})
            deliveries.receive(tx, "resend", event)
        tx.run("UPDATE webhook_deliveries SET body = body - 'recipients' WHERE event_id = 'e-delivered'")
    ward.hour()
    seen = "SELECT opened_at IS NOT NULL FROM outbound_messages WHERE tenant_id = :t"
    assert ward.post.value(seen), "the other was not held up"
    return lambda: bool(ward.post.value("SELECT delivered_at IS NOT NULL FROM outbound_messages WHERE tenant_id = :t"))


def _card(ward: Ward) -> Callable[[], bool]:
    with ward.post.database.tenant(ward.post.tenant_id, actor="test") as tx:
        made = cards.propose(tx, [
            build.proposal(tx, None, kind="research", dedupe_key=key, latest_at=tx.now.replace(year=2027),
                           subject_id=key)
            for key in ("good", "bad")
        ])  # fmt: skip
    bad = next(card.id for card in made if card.dedupe_key == "bad")
    ward.as_owner(f"ALTER TABLE hourhand.card_verdicts ADD CONSTRAINT poison CHECK (card_id <> '{bad}')")
    ward.hour()
    judged = "SELECT count(DISTINCT card_id) FROM card_verdicts WHERE tenant_id = :t"
    assert ward.post.value(judged) == 1, "the other was not held up"
    return lambda: ward.post.value(judged) == 2


POISON = {"event": _event, "webhook": _webhook, "card": _card}
CURE: dict[str, Callable[[Ward], None]] = {
    "event": lambda ward: setattr(ward.engine, "poison", None),
    "webhook": lambda ward: ward.as_owner(
        """UPDATE hourhand.webhook_deliveries SET body = body || '{"recipients": ["bill@initech.example"]}'"""
    ),
    "card": lambda ward: ward.as_owner("ALTER TABLE hourhand.card_verdicts DROP CONSTRAINT poison"),
}


@pytest.mark.parametrize("kind", POISON)
def test_poison_is_tried_five_times_lies_with_its_reason_and_is_put_back_once(ward: Ward, kind: str) -> None:
    cured = POISON[kind](ward)
    for tried in range(1, TRIES):
        assert ward.dead() == [], tried
        ward.hour()
    [letter] = ward.dead()
    assert (letter.kind, letter.tries) == (kind, TRIES)
    assert letter.reason
    ward.hour()
    assert [each.tries for each in ward.dead()] == [TRIES], "it is tried no more"
    CURE[kind](ward)
    ward.hour()
    assert not cured(), "and not by itself"
    ward.replay(letter)
    with pytest.raises(UnknownLetter):
        ward.replay(letter)
    ward.hour()
    assert cured()
    assert ward.dead() == []
    with ward.post.database.tenant(ward.post.tenant_id) as tx:
        lines = [line for line in audit.read(tx) if line.action == "dead_letter.replay"]
    assert [(line.subject, line.actor) for line in lines] == [(str(letter.id), "boss")]


def test_what_fails_again_after_it_was_put_back_has_five_tries_again(ward: Ward) -> None:
    _event(ward)
    for _ in range(TRIES - 1):
        ward.hour()
    ward.replay(ward.dead()[0])
    for _ in range(TRIES):
        assert ward.dead() == []
        ward.hour()
    assert len(ward.dead()) == 1


def test_what_cannot_be_put_back_says_what_to_do_and_stays(ward: Ward) -> None:
    with ward.post.database.tenant(ward.post.tenant_id) as tx:
        quarantine.put(tx, kind="webhook", source="resend/msg_1", reason="body: no JSON")
    with pytest.raises(NotReplayable, match="send it again"):
        ward.replay(ward.dead()[0])
    assert len(ward.dead()) == 1


def test_a_row_that_a_person_must_mend_is_no_dead_letter(ward: Ward) -> None:
    with ward.post.database.tenant(ward.post.tenant_id) as tx:
        quarantine.put(tx, kind="csv_row", source="people.csv:7", reason="no address")
    assert ward.dead() == []


def test_another_tenant_neither_sees_nor_replays(ward: Ward) -> None:
    with ward.post.database.tenant(ward.post.tenant_id) as tx:
        quarantine.put(tx, kind="job", source="cycle:7", reason="Boom")
    [letter] = ward.dead()
    with ward.post.database.tenant(build.globex(ward.post.database)) as tx:
        assert given_up.listed(tx) == []
        with pytest.raises(UnknownLetter):
            dead_letters.replay(tx, letter.id)


def test_a_job_that_cannot_be_rescued_keeps_none_of_the_others(ward: Ward) -> None:
    database, gone = ward.post.database, ward.clock.uuid()
    with database.wearing("dispatcher") as tx:
        for tenant in (gone, ward.post.tenant_id):
            rescue.enqueue(tx, "cycle", tenant)
        tx.run("UPDATE queue.procrastinate_jobs SET status = 'doing'")
    assert rescue.run(ward.post.house) == 1
    with database.wearing("dispatcher") as tx:
        waiting = tx.rows("SELECT args FROM queue.procrastinate_jobs WHERE status = 'todo'")
    assert [row["args"]["tenant_id"] for row in waiting] == [str(ward.post.tenant_id)]


def test_a_mailbox_that_keeps_killing_its_workers_is_a_dead_letter(ward: Ward) -> None:
    database = ward.post.database
    with database.wearing("dispatcher") as tx:
        rescue.enqueue(tx, "ingest", ward.post.tenant_id)
    for _ in range(TRIES):
        assert ward.dead() == []
        with database.wearing("dispatcher") as tx:
            tx.run("UPDATE queue.procrastinate_jobs SET status = 'doing'")
        rescue.run(ward.post.house)
    [letter] = ward.dead()
    assert (letter.kind, letter.tries) == ("job", TRIES)
    ward.replay(letter)
    with database.wearing("dispatcher") as tx:
        assert tx.value("SELECT args FROM queue.procrastinate_jobs WHERE status = 'todo'") is not None
