"""What providers tell of our mail: in any order, repeated, forged or unknown, and each thing applied once."""

from __future__ import annotations

from itertools import permutations
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain import cards, clocks, deliveries, quarantine
from domain.db import Database
from domain.ports import DeliveryEvent, DeliveryKind
from jobs import deliver
from tests import build
from tests.hand_clock import HandClock
from tests.jobs import letters
from tests.jobs.letters import Post

BILL = "bill@initech.example"


@pytest.fixture
def card(post: Post, bill: UUID) -> cards.Card:
    """A first touch to Bill that went out."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        return letters.sent(tx, bill)


def event(post: Post, card: cards.Card | None, kind: DeliveryKind, **fields: Any) -> DeliveryEvent:
    """What the provider's verified webhook says."""
    given: dict[str, Any] = {
        "event_id": f"msg_{kind}_{card.id if card else 'none'}",
        "provider_id": f"re-{card.id}" if card else "re-unknown",
        "recipients": (BILL,), "at": post.house.clock.now(),
        "tags": {"card": str(card.id), "tenant": str(post.tenant_id)} if card else {},
    }  # fmt: skip
    return DeliveryEvent(kind=kind, **{**given, **fields})


def told(post: Post, *events: DeliveryEvent) -> dict[str, int]:
    """The events come in, and are applied."""
    with post.database.tenant(post.tenant_id, actor="webhook") as tx:
        for each in events:
            deliveries.receive(tx, "resend", each)
    return dict(deliver.process(post.house, post.tenant_id))


def mail(post: Post, card: cards.Card) -> dict[str, Any]:
    return post.row("SELECT * FROM outbound_messages WHERE tenant_id = :t AND card_id = :c", c=card.id)


def suppressed(post: Post) -> Any:
    return post.value("SELECT reason FROM suppressions WHERE tenant_id = :t AND address = :a", a=BILL)


def last_touch(post: Post, contact_id: UUID) -> Any:
    clock = "SELECT last_touch_at FROM engagement_clocks WHERE tenant_id = :t AND contact_id = :c"
    return post.value(clock, c=contact_id)


def test_a_delivery_is_noted_on_the_mail(post: Post, card: cards.Card, clock: HandClock) -> None:
    assert told(post, event(post, card, "delivered")) == {"delivery.delivered": 1}
    assert (mail(post, card)["state"], mail(post, card)["delivered_at"]) == ("delivered", clock.now())


def test_an_event_that_is_repeated_counts_once(post: Post, card: cards.Card) -> None:
    bounced = event(post, card, "bounced", bounce_type="Permanent")
    told(post, bounced)
    with post.database.tenant(post.tenant_id, actor="webhook") as tx:
        assert deliveries.receive(tx, "resend", bounced) is False
    assert told(post) == {}
    told(post, event(post, card, "bounced", bounce_type="Permanent", event_id="another-id"))
    assert post.value("SELECT count(*) FROM warehouse_events WHERE tenant_id = :t AND type = 'delivery.bounced'") == 1


def test_a_permanent_bounce_suppresses_and_voids_the_touch(post: Post, bill: UUID, card: cards.Card) -> None:
    told(post, event(post, card, "bounced", bounce_type="Permanent", bounce_subtype="NoEmail"))
    assert suppressed(post) == "bounced"
    assert last_touch(post, bill) is None
    reaction = "SELECT count(*) FROM reactions_due WHERE tenant_id = :t"
    assert post.value(reaction) == 1


def test_a_transient_bounce_changes_nothing(post: Post, bill: UUID, card: cards.Card, clock: HandClock) -> None:
    told(post, event(post, card, "bounced", bounce_type="Transient", bounce_subtype="MailboxFull"))
    assert suppressed(post) is None
    assert last_touch(post, bill) == clock.now()


def test_a_refusal_of_our_reputation_suppresses_nobody(post: Post, bill: UUID, card: cards.Card) -> None:
    told(post, event(post, card, "bounced", bounce_type="Permanent", bounce_subtype="General",
                     detail="550 5.7.1 Message rejected due to policy: your IP is blocked"))  # fmt: skip
    assert suppressed(post) is None
    assert last_touch(post, bill) is None


def test_a_complaint_suppresses_and_two_stop_the_mail(post: Post, bill: UUID, card: cards.Card) -> None:
    switch = "SELECT count(*) FROM tenant_switches WHERE tenant_id = :t AND level = 'mail' AND stopped"
    told(post, event(post, card, "complained"))
    assert (suppressed(post), post.value(switch)) == ("complained", 0)
    assert post.value("SELECT count(*) FROM agent_alerts WHERE tenant_id = :t") == 0
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        second = letters.sent(tx, build.contact(tx, email="milton@initech.example"), to="milton@initech.example")
    told(post, event(post, second, "complained", recipients=("milton@initech.example",)))
    assert post.value(switch) == 1
    assert post.value("SELECT kind FROM agent_alerts WHERE tenant_id = :t") == "mail_breaker"


def test_a_failure_after_acceptance_voids_the_touch(post: Post, bill: UUID, card: cards.Card) -> None:
    told(post, event(post, card, "failed", detail="reached its quota"))
    assert mail(post, card)["state"] == "failed"
    assert last_touch(post, bill) is None
    assert suppressed(post) is None


def test_what_the_provider_itself_suppresses_is_suppressed_here(post: Post, bill: UUID, card: cards.Card) -> None:
    told(post, event(post, card, "suppressed"))
    assert suppressed(post) == "bounced"
    assert last_touch(post, bill) is None


def test_opens_and_clicks_are_noted_at_their_first_time(post: Post, card: cards.Card, clock: HandClock) -> None:
    first = clock.now()
    told(post, event(post, card, "opened"))
    clock.advance(hours=1)
    told(post, event(post, card, "opened", event_id="again"), event(post, card, "clicked"))
    assert (mail(post, card)["opened_at"], mail(post, card)["clicked_at"]) == (first, clock.now())


@pytest.mark.parametrize("order", list(permutations(["sent", "delivered", "bounced"])))
def test_the_order_of_events_does_not_matter(post: Post, bill: UUID, card: cards.Card, order: tuple[Any, ...]) -> None:
    for kind in order:
        told(post, event(post, card, kind, bounce_type="Permanent" if kind == "bounced" else None))
    found = mail(post, card)
    assert (found["state"], found["delivered_at"] is None, found["bounced_at"] is None) == ("bounced", False, False)
    assert (suppressed(post), last_touch(post, bill)) == ("bounced", None)


def test_an_event_before_the_settlement_finds_its_mail_by_our_tag(post: Post, bill: UUID) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        card = letters.sent(tx, bill, outcome="uncertain")
    told(post, event(post, card, "delivered", message_id="<010f@amazonses.com>"))
    found = mail(post, card)
    assert (found["provider_id"], found["carried_message_id"]) == (f"re-{card.id}", "<010f@amazonses.com>")


def test_an_event_settles_a_card_of_which_nobody_knew(post: Post, bill: UUID, clock: HandClock) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        card = letters.sent(tx, bill, outcome="uncertain")
    assert last_touch(post, bill) is None
    told(post, event(post, card, "delivered"))
    settled = post.row("SELECT state, provider_id FROM kanban_cards WHERE tenant_id = :t AND id = :i", i=card.id)
    assert settled == {"state": "done", "provider_id": f"re-{card.id}"}
    assert last_touch(post, bill) == clock.now()
    assert post.value("SELECT sequence_step FROM engagement_clocks WHERE tenant_id = :t") == 1


def test_a_failure_settles_an_unknown_card_as_failed(post: Post, bill: UUID) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        card = letters.sent(tx, bill, outcome="uncertain")
    told(post, event(post, card, "failed"))
    assert post.value("SELECT state FROM kanban_cards WHERE tenant_id = :t AND id = :i", i=card.id) == "failed"
    assert last_touch(post, bill) is None


def test_an_event_about_unknown_mail_waits_a_while_and_is_then_laid_aside(post: Post, clock: HandClock) -> None:
    assert told(post, event(post, None, "bounced", bounce_type="Permanent")) == {"delivery.waiting": 1}
    clock.advance(hours=2)
    assert told(post) == {"delivery.unknown": 1}
    assert told(post) == {}
    assert suppressed(post) is None


def test_another_tenants_tag_reaches_nothing_here(post: Post, card: cards.Card, clone: Database) -> None:
    neighbour = build.globex(clone)
    with clone.tenant(neighbour, actor="webhook") as tx:
        deliveries.receive(tx, "resend", event(post, card, "bounced", bounce_type="Permanent"))
    deliver.process(post.house, neighbour)
    assert mail(post, card)["bounced_at"] is None
    assert suppressed(post) is None


def test_an_event_that_cannot_be_applied_stops_no_other(post: Post, card: cards.Card) -> None:
    broken = event(post, card, "delivered", event_id="broken")
    with post.database.tenant(post.tenant_id, actor="webhook") as tx:
        deliveries.receive(tx, "resend", broken)
        tx.run("""UPDATE webhook_deliveries SET body = body - 'at' || '{"at": "yesterday"}' WHERE tenant_id = :t""",
               t=post.tenant_id)  # fmt: skip
    for _ in range(quarantine.TRIES):
        told(post, event(post, card, "opened"))
    assert mail(post, card)["opened_at"] is not None
    with post.database.tenant(post.tenant_id) as tx:
        [item] = quarantine.listed(tx)
        assert (item.kind, item.is_dead) == ("webhook", True)
    assert told(post) == {}


def test_an_event_that_the_database_refuses_stops_no_other(post: Post, card: cards.Card) -> None:
    with psycopg.connect(post.database.url.replace("hourhand_app", "postgres"), autocommit=True) as owner:
        owner.execute("ALTER TABLE hourhand.outbound_messages ADD CONSTRAINT poison CHECK (opened_at IS NULL)")
    assert told(post, event(post, card, "opened"), event(post, card, "delivered"))["delivery.delivered"] == 1
    assert mail(post, card)["delivered_at"] is not None


def test_a_process_that_leaves_does_not_apply_all_that_piled_up(post: Post, card: cards.Card) -> None:
    piled_up = [event(post, card, "delivered", event_id=f"msg_{each}") for each in range(deliver.BATCH + 1)]
    post.house.leaving.set()
    assert told(post, *piled_up) == {"delivery.delivered": deliver.BATCH}
    post.house.leaving.clear()
    assert told(post) == {"delivery.delivered": 1}


def test_a_failure_told_before_the_settlement_leaves_no_touch(post: Post, bill: UUID) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        card = letters.sent(tx, bill, outcome="uncertain")
        tx.run("UPDATE outbound_messages SET state = 'failed' WHERE tenant_id = :t", t=post.tenant_id)
        clocks.mailed(tx, {card.id: bill})
    assert last_touch(post, bill) is None
