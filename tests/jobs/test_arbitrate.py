"""Across engines: a contact hears one thing at a time, the rest gives way and says so, an answer stops them all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from domain import cards, clocks, contacts, deal_activity, deals, ledger, mailboxes, settings
from domain.cards import Proposal
from domain.db import Database, Tx
from domain.events import Event
from domain.house import House
from engines.contract import Context, Engine
from engines.deals.engine import DealsEngine
from engines.registry import ENGINES
from jobs import cycle
from simulator.emulators import faults
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import A_MONDAY, HandClock
from tests.jobs import letters
from tests.jobs.business import KINDS, fall_due
from tests.jobs.wild import Watched, Wild

GAP, LIVE_GAP = timedelta(hours=72), timedelta(hours=24)
IN_NEW_YORK = timedelta(hours=6)


@dataclass
class Street:
    """Acme with Resend, and a few contacts who were spoken to just now."""

    house: House
    resend: ResendEmulator
    acme: UUID
    people: list[UUID]
    clock: HandClock

    def hour(self, engines: Sequence[Engine] = ENGINES) -> UUID:
        run_id = cycle.run(self.house, self.acme, kind="manual", engines=engines)
        assert run_id is not None
        with self.house.database.tenant(self.acme) as tx:
            assert tx.value("SELECT errors FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id",
                            t=tx.tenant_id, id=run_id) == []  # fmt: skip
        return run_id

    def lines(self, run_id: UUID) -> list[tuple[str, str, str | None, str | None]]:
        with self.house.database.tenant(self.acme) as tx:
            return [(line["kind"], line["disposition"], line["rule"], line["reason"])
                    for line in ledger.lines(tx, run_id)]  # fmt: skip

    def wish(
        self, tx: Tx, engine: str, person: UUID, priority: int, kind: str = "send_email", title: str = "A wish"
    ) -> Proposal:  # fmt: skip
        """What an engine would write to somebody, each time something else."""
        mark = tx.clock.uuid().hex
        return build.proposal(
            tx, person, kind=kind, engine=engine, priority=priority, title=title, subject_type="wish", subject_id=mark,
            dedupe_key=mark, latest_at=tx.now + timedelta(days=6),
        )  # fmt: skip


@pytest.fixture
def street(clone: Database, clock: HandClock) -> Iterator[Street]:
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        acme = build.acme(clone, max_emails_per_hour=500)
        houses.resend_for(hands, resend, acme, "re_acme")
        made = Street(house, resend, acme, [], clock)
        made.people = move_in(made)
        yield made


def move_in(street: Street) -> list[UUID]:
    """Three more contacts, each at an account of their own, who were spoken to just now."""
    with street.house.database.tenant(street.acme, actor="rui") as tx:
        names = [f"client-{tx.clock.uuid().hex[-12:]}" for _ in range(3)]
        people = [build.contact(tx, build.client(tx, name=name), f"bill@{name}.example") for name in names]
        tx.run("UPDATE contacts SET broadcast_consent = true WHERE tenant_id = :t AND id = ANY(:ids)", t=tx.tenant_id,
               ids=people)  # fmt: skip
        for person in people:
            clocks.touch(tx, person, "call", by="rui", at=tx.now)
    return people


def test_of_two_engines_the_more_pressing_writes_and_the_other_says_to_whom_it_gave_way(street: Street) -> None:
    low, high = Wild("low"), Wild("high")
    with street.house.database.tenant(street.acme) as tx:
        person = street.people[0]
        low.wishes = [street.wish(tx, "low", person, 100, title="Hello")]
        high.wishes = [street.wish(tx, "high", person, 900, title="Your offer")]
    lines = street.lines(street.hour([low, high]))
    assert len(street.resend.sent("re_acme")) == 1
    assert sorted(line[1:] for line in lines if line[1] != "acted") == [
        ("deferred", "engines.gave_way", "gave way to high: Your offer")]  # fmt: skip
    # what comes a day later gives way to what was written, and says until when
    street.clock.advance(days=1)
    with street.house.database.tenant(street.acme) as tx:
        low.wishes = [street.wish(tx, "low", street.people[0], 2000)]
    run_id = street.hour([low, high])
    with street.house.database.tenant(street.acme) as tx:
        [line] = ledger.lines(tx, run_id)
    assert (line["rule"], line["until"]) == ("engines.gave_way", A_MONDAY + IN_NEW_YORK + GAP)
    assert line["reason"] == "gave way to high: Your offer, sent 2026-03-02"


def test_what_waits_and_matters_less_is_taken_back_unless_a_person_agreed_to_it(street: Street) -> None:
    with street.house.database.tenant(street.acme) as tx:
        first, second, _ = street.people
        waits = [build.card(tx, first, priority=100, not_before=tx.now + timedelta(hours=20)),
                 build.card(tx, second, priority=100, not_before=tx.now + timedelta(hours=20))]  # fmt: skip
        tx.run("UPDATE kanban_cards SET approved_by = 'rui' WHERE tenant_id = :t AND id = :id", t=tx.tenant_id,
               id=waits[1].id)  # fmt: skip
        high = Wild("high", [street.wish(tx, "high", each, 900, title="Your offer") for each in (first, second)])
    lines = street.lines(street.hour([high]))
    with street.house.database.tenant(street.acme) as tx:
        stand = [cards.get(tx, card.id) for card in waits]
    assert [(card.state, card.reason) for card in stand if card] == [
        ("cancelled", "gave way to high: Your offer"), ("proposed", None)]  # fmt: skip
    assert sorted(line[3] or "" for line in lines) == ["", "gave way to engagement: Touch"]


def test_what_cannot_go_soon_holds_up_nothing_that_presses_more(street: Street) -> None:
    with street.house.database.tenant(street.acme) as tx:
        asked, put_off, unknown = street.people
        late: dict[str, Any] = {"priority": 100, "latest_at": tx.now + timedelta(days=20)}
        waits = [build.card(tx, asked, state="awaiting_approval", dedupe_key="asked", **late),
                 build.card(tx, put_off, dedupe_key="put off", not_before=tx.now + timedelta(days=9), **late),
                 letters.sent(tx, unknown, outcome="uncertain")]  # fmt: skip
        tx.run("UPDATE kanban_cards SET approved_by = 'rui' WHERE tenant_id = :t AND id = :id", t=tx.tenant_id,
               id=waits[1].id)  # fmt: skip
        # its outcome is looked for so long that it comes to be a person's to settle
        tx.run("UPDATE kanban_cards SET resolve_after = NULL WHERE tenant_id = :t AND state = 'uncertain'",
               t=tx.tenant_id)  # fmt: skip
    street.clock.advance(days=4)
    with street.house.database.tenant(street.acme) as tx:
        high = Wild("high", [street.wish(tx, "high", each, 900, title="Your offer") for each in street.people])
    assert {line[1] for line in street.lines(street.hour([high]))} == {"acted"}
    with street.house.database.tenant(street.acme) as tx:
        assert [card.state for each in waits if (card := cards.get(tx, each.id))] == [
            "awaiting_approval", "proposed", "uncertain"]  # fmt: skip


def test_of_two_quotes_to_one_contact_each_is_followed_up(street: Street) -> None:
    with street.house.database.tenant(street.acme) as tx:
        for _ in range(2):
            fall_due(tx, street.people[0], "offer", tx.now)
    # Mondays and Thursdays
    for days in (3, 4, 3, 4, 3, 0):
        street.hour()
        street.clock.advance(days=days)
    with street.house.database.tenant(street.acme) as tx:
        rows = tx.rows("SELECT sent_at IS NOT NULL AS sent, follow_ups FROM quotes WHERE tenant_id = :t",
                       t=tx.tenant_id)  # fmt: skip
    assert [row["sent"] for row in rows] == [True, True]
    assert all(row["follow_ups"] for row in rows)


def test_what_an_order_waits_for_is_asked_beside_the_follow_ups_of_a_quote(street: Street) -> None:
    with street.house.database.tenant(street.acme) as tx:
        fall_due(tx, street.people[0], "offer", tx.now)
    street.hour()
    street.clock.advance(hours=73)
    with street.house.database.tenant(street.acme) as tx:
        fall_due(tx, street.people[0], "question", tx.now)
    street.hour()
    with street.house.database.tenant(street.acme) as tx:
        kinds = [card.type for card in cards.listed(tx) if card.state == "done"]
    assert ("request_order_info" in kinds, len(street.resend.sent("re_acme"))) == (True, 2)


def test_a_deal_takes_over_from_the_sequence_that_keeps_in_touch_and_that_waits_for_the_deal(street: Street) -> None:
    person = street.people[0]
    with street.house.database.tenant(street.acme) as tx:
        thread = build.thread(tx, contact_id=person)
        clocks.advance_sequences(tx, [clocks.Advance(person, 1, tx.now + timedelta(days=30), thread)])
        deal = build.deal(tx, person)
    street.clock.advance(days=7)
    street.hour()
    assert len(street.resend.sent("re_acme")) == 1
    with street.house.database.tenant(street.acme) as tx:
        assert tx.value("SELECT follow_up_due_at FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :p",
                        t=tx.tenant_id, p=person) is None  # fmt: skip
        tx.run("UPDATE engagement_clocks SET due_at = :now WHERE tenant_id = :t AND contact_id = :p", now=tx.now,
               t=tx.tenant_id, p=person)  # fmt: skip
    street.clock.advance(days=4)
    lines = street.lines(street.hour())
    assert ("contact_overdue", "deferred", "engines.gave_way",
            "gave way to deals, which is following up in another conversation") in lines  # fmt: skip
    assert len(street.resend.sent("re_acme")) == 1
    with street.house.database.tenant(street.acme) as tx:
        found = deals.get(tx, deal)
        assert found is not None
        assert found.follow_ups == 1


def test_an_answer_stops_every_sequence_to_the_account_and_goes_to_the_engine_whose_conversation_it_is(
    street: Street,
) -> None:
    engine = DealsEngine()
    with street.house.database.tenant(street.acme) as tx:
        person = street.people[0]
        mine, other = build.deal(tx, person, "Mine"), build.deal(tx, person, "Other")
        client = deals.get(tx, mine)
        assert client is not None
        threads = {each: build.thread(tx, contact_id=person, engine=each) for each in ("deals", "quotes")}
        tx.run("UPDATE deals SET thread_id = :h, follow_ups = 2 WHERE tenant_id = :t AND id = :id", t=tx.tenant_id,
               h=threads["deals"], id=mine)  # fmt: skip
        tx.run("UPDATE deals SET follow_ups = 1, follow_up_due_at = :now, stalled_at = :now WHERE tenant_id = :t "
               "AND id = :id", t=tx.tenant_id, now=tx.now, id=other)  # fmt: skip
        waits = [build.card(tx, person, engine=each, dedupe_key=each) for each in ("deals", "quotes", "engagement")]
        clocks.stop_sequences(tx, client.client_id, reason="mail from the account")
        deal_activity.heard(tx, client.client_id, contact_id=person, thread_id=threads["deals"], at=tx.now,
                            message_id=tx.clock.uuid())  # fmt: skip
        assert {card.state for each in waits if (card := cards.get(tx, each.id))} == {"cancelled"}
        stand = [deals.get(tx, each) for each in (mine, other)]
        assert [(each.follow_ups, each.last_heard_at, each.stalled_at) for each in stand if each] == [
            (0, tx.now, None), (0, None, tx.now)]  # fmt: skip
        assert all(each.follow_up_due_at == tx.now + timedelta(days=5) for each in stand if each)
        for owner, proposes in (("quotes", 0), ("deals", 1)):
            message = _stored_reply(tx, client.client_id, person, threads[owner], mine)
            event = Event(tx.clock.uuid(), tx.now, "mail.received", "message", str(message), "system", client.client_id,
                          person, {"class": "reply", "flags": []})  # fmt: skip
            engine.react(Context(tx, settings.of(tx)), event)
            assert len(cards.listed(tx, kind="update_deal")) == proposes


def _stored_reply(tx: Tx, client_id: UUID, contact_id: UUID, thread_id: UUID, deal_id: UUID) -> UUID:
    """A message as it lies in the inbox, linked to a deal by its conversation."""
    [mailbox, *_] = mailboxes.listed(tx) or [mailboxes.configure_folder(tx, "/mail", "ana@acme.example")]
    message_id = tx.clock.uuid()
    sha = message_id.bytes * 2
    tx.run("INSERT INTO blobs (tenant_id, sha256, size, bytes, created_at) VALUES (:t, :sha, 1, :sha, :now)",
           t=tx.tenant_id, sha=sha, now=tx.now)  # fmt: skip
    tx.run(
        """INSERT INTO gmail_messages (tenant_id, id, mailbox_id, gmail_message_id, thread_id, direction, class,
               from_address, client_id, contact_id, word_of, received_at, stored_at, raw_sha256, raw_size)
           SELECT :t, :id, :mailbox, :name, :thread, 'in', 'reply', c.email, :client, :contact, 'contact', :now, :now,
                  :sha, 1
           FROM contacts c WHERE c.tenant_id = :t AND c.id = :contact""",
        t=tx.tenant_id, id=message_id, mailbox=mailbox.id, name=message_id.hex, thread=thread_id, client=client_id,
        contact=contact_id, now=tx.now, sha=sha,
    )  # fmt: skip
    tx.run(
        """INSERT INTO deal_activities (tenant_id, id, deal_id, kind, at, by, link, message_id)
           VALUES (:t, :id, :deal, 'mail_in', :now, 'contact', 'thread', :message)""",
        t=tx.tenant_id, id=tx.clock.uuid(), deal=deal_id, now=tx.now, message=message_id,
    )  # fmt: skip
    return message_id


WISH = st.tuples(
    st.integers(0, 2), st.integers(0, 2), st.integers(0, 1500),
    st.sampled_from(["send_email", "follow_up", "broadcast_email"]),
)  # fmt: skip
"""Which engine wishes to write to whom, how urgently, and what."""
WEATHER: Mapping[str, faults.Fault] = {
    "answer lost": faults.fail(acts=True), "nothing done": faults.throttle(60), "line cut": faults.Fault("reset"),
}  # fmt: skip
"""What may befall the next mail: it went out and nobody knows, it did not, or nobody knows and it did not."""
HOUR = st.tuples(
    st.integers(1, 40), st.lists(WISH, max_size=5),
    st.one_of(st.none(), st.integers(0, 2), st.sampled_from([*WEATHER, "moves"])),
)  # fmt: skip
"""How many hours pass, what is wished for then, and who answers afterwards, or which weather there is, or that
somebody is written to at another of their addresses from then on."""
BUSINESS = st.tuples(st.integers(0, 2), st.sampled_from(sorted(KINDS)), st.integers(0, 100))
"""With whom there is business, of which kind, and after how many hours it falls due."""
Story = list[tuple[int, list[tuple[int, int, int, str]], int | str | None]]
BEGIN: Story = [(1, [(0, 0, 5, "send_email"), (1, 0, 9, "send_email"), (2, 1, 9, "send_email")], None)]
ROUGH: Story = [(1, [(0, 0, 900, "send_email"), (1, 1, 900, "send_email")], "answer lost"),
                (5, [(2, 0, 950, "follow_up")], "moves"), (24, [(1, 0, 990, "send_email")], "line cut"),
                (20, [(0, 2, 900, "send_email"), (2, 2, 950, "broadcast_email")], "nothing done"),
                (24, [(0, 0, 900, "send_email")], None), (27, [(1, 1, 900, "send_email")], None)]  # fmt: skip


@hypothesis_settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(story=st.lists(HOUR, min_size=3, max_size=5), business=st.lists(BUSINESS, min_size=4, max_size=8))
def test_no_contact_gets_two_mails_within_the_gap_whatever_engines_propose(
    street: Street, story: Story, business: list[tuple[int, str, int]]
) -> None:
    _gaps_hold_in(street, BEGIN + story, business)


def test_nor_where_the_provider_fails_or_somebody_changes_their_address(street: Street) -> None:
    assert _gaps_hold_in(street, ROUGH, [(0, "deal", 30), (1, "offer", 2), (2, "promise", 0)])
    assert street.resend.faults.next_for("POST", "/emails", "re_acme") is None, "all of it befell"


def test_these_stories_are_not_about_silence(street: Street) -> None:
    """Every type of mail goes out in them, each from the engine whose business it is."""
    business = [(0, "question", 0), (0, "deal", 80), (1, "offer", 0), (1, "check", 80), (1, "quote", 160),
                (2, "promise", 0), (2, "feedback", 80)]  # fmt: skip
    wishes: Story = [(1, [(0, 0, 3000, "send_email"), (1, 1, 3000, "broadcast_email")], None)]
    wait: Story = [(24, [], None)] * 14
    assert _gaps_hold_in(street, wishes + wait, business) == {
        (engine, kind) for engine, kind in (
            ("alpha", "send_email"), ("beta", "broadcast_email"), ("deals", "send_email"), ("deals", "follow_up"),
            ("quotes", "send_quote"),
            ("quotes", "follow_up"), ("feedback", "request_feedback"), ("orders", "request_order_info"),
            ("compliance", "compliance_reminder"), ("engagement", "send_email"))
    }  # fmt: skip


def test_a_house_that_keeps_a_shorter_gap_is_found_out(street: Street) -> None:
    with street.house.database.tenant(street.acme, actor="nobody") as tx:
        settings.change(tx, {"minimum_gap_hours": 24, "conversation_gap_hours": 24})
    wishes: Story = [(1, [(0, 0, 900, "send_email")], None), (47, [(1, 0, 900, "send_email")], None)]
    with pytest.raises(AssertionError, match="within the gap"):
        _gaps_hold_in(street, wishes, [])


def _gaps_hold_in(street: Street, story: Story, business: Sequence[tuple[int, str, int]]) -> set[tuple[str, str]]:
    """Live through a story among new people; by which engines which types of mail went out to them."""
    street.people = people = move_in(street)
    street.resend.faults.clear()
    wild = [Wild("alpha"), Wild("beta"), Wild("gamma")]
    street.clock.move_to(_next_monday(street.clock.now()))
    with street.house.database.tenant(street.acme) as tx:
        for whom, kind, hours in business:
            fall_due(tx, people[whom], kind, tx.now + timedelta(hours=hours))
    answers: dict[UUID, list[datetime]] = {}
    for hours, wishes, then in story:
        street.clock.advance(hours=hours)
        if isinstance(then, str) and then in WEATHER:
            street.resend.faults.add(WEATHER[then])
        with street.house.database.tenant(street.acme) as tx:
            for who, whom, priority, kind in wishes:
                wild[who].wishes.append(street.wish(tx, wild[who].name, people[whom], priority, kind))
        lines = street.lines(street.hour([*wild, *map(Watched, ENGINES)]))
        assert sum(line[0] == "wish" for line in lines) == len(wishes), "who gives way says so"
        with street.house.database.tenant(street.acme) as tx:
            if isinstance(then, int):
                clocks.touch(tx, people[then], "reply", by="contact", message_id=tx.clock.uuid())
                answers.setdefault(people[then], []).append(street.clock.now())
            elif then == "moves":
                contacts.upsert(tx, build.VAULT, contact_id=people[0], email=f"Bill+{tx.clock.uuid().hex}@Home.example")
    return {each for person in people for each in _gaps_hold(street, person, answers.get(person, []))}


def _gaps_hold(street: Street, person: UUID, heard: Sequence[datetime]) -> list[tuple[str, str]]:
    """72 hours lie between two mails that the provider took for a person, or 24 where they had written; what they were.

    It is the provider that is asked: it knows what arrived, also where the house does not.
    """
    with street.house.database.tenant(street.acme) as tx:
        mine = {str(row["id"]): row for row in tx.rows(
            "SELECT id, engine, type FROM kanban_cards WHERE tenant_id = :t AND contact_id = :p",
            t=tx.tenant_id, p=person,
        )}  # fmt: skip
    taken = [(datetime.fromisoformat(mail["created_at"]), mine[card]) for mail in street.resend.sent("re_acme")
             if (card := {tag["name"]: tag["value"] for tag in mail["tags"]}["card"]) in mine]  # fmt: skip
    for (first, _), (second, _) in pairwise(taken):
        live = any(first < each <= second or second - GAP <= each <= second for each in heard)
        assert second - first >= (LIVE_GAP if live else GAP), f"two mails within the gap: {first} and {second}"
    return [(row["engine"], row["type"]) for _, row in taken]


def _next_monday(now: datetime) -> datetime:
    """Ten in the morning in New York, of the Monday after next: whatever was meant before has expired by then."""
    return (now + timedelta(days=14 - now.weekday())).replace(hour=14, minute=0, second=0, microsecond=0)
