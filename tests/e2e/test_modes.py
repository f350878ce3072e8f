"""The whole hour with real processes, through the command line alone and through the API alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pytest

from tests.e2e import story
from tests.e2e.doors import Api, CommandLine, Record
from tests.e2e.rehearsal import rehearsal
from tests.e2e.story import PEOPLE, Story, address_of
from tests.staff import Room


@pytest.fixture(scope="module")
def stories(room: Room) -> Iterator[dict[str, Story]]:
    """A month, told through both doors of one house."""
    patience = {"HOURHAND_PROVIDER_DEADLINE_SECONDS": "45"}  # the emulator may be slow on a busy machine
    with rehearsal(room, story.ARRIVAL, RESEND_API_KEY=story.HOUSE_KEY, **patience) as stage:
        first = stage.start()
        key = stage.command("key", "create", "--name", "first")["key"]
        yield story.tell(stage, {"": CommandLine(stage), "-api": Api(stage, key)}, first)


@pytest.fixture(params=["", "-api"], ids=["command line", "API"])
def told(request: pytest.FixtureRequest, stories: dict[str, Story]) -> Story:
    """The month as it was told through one door."""
    return stories[request.param]


def addresses(posts: Sequence[Record]) -> Counter[str]:
    """How often each address was posted to."""
    return Counter(address_of(post["to"]) for post in posts)


def reasons(message: Record) -> str:
    """Why a message was linked to what it was linked to."""
    return " / ".join(link["reason"] for link in message["links"])


def states(told: Story, slug: str) -> Counter[str]:
    """How many of a tenant's cards stand where, after the touches."""
    return Counter(card["state"] for card in told.cards[slug])


def test_a_live_tenants_mail_arrives_exactly_once(told: Story) -> None:
    assert addresses(told.posts["acme"]) == Counter(PEOPLE["acme"])
    done = [card for card in told.cards["acme"] if card["state"] == "done"]
    assert len(done) == len(PEOPLE["acme"])
    assert {card["type"] for card in done} == {"send_email"}


def test_nothing_arrives_in_a_dry_run(told: Story) -> None:
    assert told.posts["globex"] == []
    assert set(states(told, "globex")) == {"held"}
    assert told.outbound["eva@hooli.example"] in ("held", "accepted")


def test_internal_only_reaches_the_allow_list_alone(told: Story) -> None:
    assert addresses(told.posts["initech"]) == Counter({"gus@inside.example": 1, "zoe@outside.example": 1})
    assert told.outbound["hal@farside.example"] == "held"


def test_limited_live_sends_its_cap_and_defers_the_rest(told: Story) -> None:
    assert len(told.posts["umbrella"]) == story.CAP
    deferred = [card for card in told.cards["umbrella"] if card["state"] == "deferred"]
    assert len(deferred) == len(PEOPLE["umbrella"]) - story.CAP
    # tomorrow at half past eight in Madrid
    assert {str(card["not_before"])[:16] for card in deferred} == {"2026-03-25T07:30"}
    assert {card["rule"] for card in deferred} == {"modes.limited_live"}


def test_mail_becomes_linked_records_with_reasons(told: Story) -> None:
    by = {row["from_address"]: row for row in told.linked}
    assert by["ana@northwind.example"]["contact"] == "ana@northwind.example"
    assert "the writer's address is theirs" in reasons(by["ana@northwind.example"])
    assert by["nils@northwind.example"]["client"] == by["ana@northwind.example"]["client"]
    assert "domain" in reasons(by["nils@northwind.example"])
    carla = by["carla@eastwind.example"]
    assert (carla["class"], carla["contact"]) == ("reply", "carla@eastwind.example")
    assert carla["reply_to_card_id"] is not None
    assert "it answers or reports on the mail of this card" in reasons(carla)
    assert "it names the Message-ID of a mail of ours" in reasons(carla)


def test_mail_and_answers_move_the_clocks(told: Story) -> None:
    assert told.clocks["carla@eastwind.example"]["last_touch_type"] == "reply"
    assert told.clocks["carla@eastwind.example"]["follow_up_due_at"] is None
    dan = told.clocks["dan@westwind.example"]
    assert (dan["last_touch_type"], dan["last_touch_by"], dan["sequence_step"]) == ("email", "agent", 1)
    assert (dan["due_at"] - dan["last_touch_at"]).days == 21


def test_webhooks_are_applied_once_and_forged_ones_refused(told: Story) -> None:
    assert told.hooks == {"delivered": [200, 200, 200], "bounced": [200], "forged": [401]}
    assert told.outbound["carla@eastwind.example"] == "delivered"
    assert told.outbound["bruno@southwind.example"] == "bounced"
    assert told.outbound["dan@westwind.example"] == "accepted"
    assert told.exempt["bruno@southwind.example"] == "bounced"
    assert set(told.exempt) & set(PEOPLE["acme"]) == {"bruno@southwind.example"}


def test_a_stopped_tenant_does_nothing_until_it_is_resumed(told: Story) -> None:
    assert told.while_stopped == {"runs": 0, "posts": 0, "runs_of_tenant": 0}


def test_a_follow_up_goes_into_its_thread_to_those_alone_who_did_not_answer(told: Story) -> None:
    posts = told.later_posts["acme"]
    assert addresses(posts) == Counter({"ana@northwind.example": 1, "dan@westwind.example": 1})
    first = {address_of(mail["to"]): mail for mail in told.posts["acme"]}
    for post in posts:
        original = first[address_of(post["to"])]["headers"]["Message-ID"]
        assert post["headers"]["In-Reply-To"] == original
        assert original in post["headers"]["References"].split()
        assert post["subject"].startswith("Re: ")
        assert post["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_leaving_the_dry_run_plans_anew_and_sends_nothing_that_was_held(told: Story) -> None:
    held = {str(card["id"]) for card in told.cards["globex"]}
    assert held <= {str(card["id"]) for card in told.later["globex"] if card["state"] == "held"}


@pytest.mark.parametrize(
    ("state", "rule"), [("done", None), ("held", "modes.dry_run"), ("deferred", "modes.limited_live")]
)
def test_why_names_every_rule_with_its_facts(told: Story, state: str, rule: str | None) -> None:
    why = told.why[state]
    assert why["card"]["state"] == state
    assert state in why["answer"]
    verdicts = [verdict for judgement in why["judgements"] for verdict in judgement["verdicts"]]
    assert len({verdict["rule"] for verdict in verdicts}) > 20
    assert all(verdict["sentence"] for verdict in verdicts)
    decided = {verdict["rule"] for verdict in verdicts if verdict["decision"] != "allow"}
    assert decided == ({rule} if rule else set())


def test_each_process_ends_cleanly_and_in_time(told: Story) -> None:
    assert [code for code, _ in told.ends] == [0] * 3
    assert max(seconds for _, seconds in told.ends) < 20
