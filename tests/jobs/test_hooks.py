"""Alerts by webhook: told when they open and when they end, tried again with back-off, given up in the open, muted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import alerts, credentials, hooks, settings
from domain.alerts import HOUSE
from domain.db import Database
from domain.hooks import REST_MINUTES
from domain.house import House, Outlook
from jobs import notices, watch
from providers.hooks import WebhookPoster
from simulator.emulators.faults import fail, refuse
from simulator.emulators.hooks import HookEmulator
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock


@dataclass
class Told:
    """Acme with a webhook, and what arrives there."""

    house: House
    tenant: UUID
    hook: HookEmulator

    def bodies(self) -> list[dict[str, Any]]:
        """Everything that the webhook took, in order."""
        return [json.loads(seen.body) for seen in self.hook.witness.requests if seen.acted]

    def kinds(self) -> list[tuple[str, str]]:
        """What each was about."""
        return [(body["type"], body["alert"]["kind"]) for body in self.bodies()]

    def open(self, kind: str = "mail_breaker") -> None:
        with self.house.database.tenant(self.tenant) as tx:
            alerts.open(tx, kind, "Mail was stopped.", severity="critical", bounces=5)

    def deliveries(self) -> list[tuple[str, str, int]]:
        with self.house.database.tenant(self.tenant) as tx:
            return [(each.event, each.state, each.tries) for each in hooks.listed(tx)]


@pytest.fixture
def told(clone: Database, clock: HandClock) -> Iterator[Told]:
    """A house that posts to loopback."""
    with HookEmulator(clock=clock) as hook, houses.house(clone) as built:
        tenant = build.acme(clone, alert_webhook_url=f"{hook.url}/acme")
        with clone.tenant(tenant) as tx:
            credentials.put(tx, built.vault, "alert_webhook_secret", "a secret")
        yield Told(replace(built, hooks=WebhookPoster(private=True)), tenant, hook)


def test_the_opening_and_the_end_are_told_once_each_with_the_cause(told: Told) -> None:
    told.open()
    for _ in range(3):
        watch.run(told.house)
        notices.tell_alerts(told.house, told.tenant)
    [body] = told.bodies()
    assert body["alert"]["cause"] == {"bounces": 5}
    assert body["of"] == str(told.tenant)
    with told.house.database.tenant(told.tenant) as tx:
        alerts.resolve(tx, "mail_breaker", by="Ana")
    notices.tell_alerts(told.house, told.tenant)
    notices.tell_alerts(told.house, told.tenant)
    assert told.kinds() == [("alert.opened", "mail_breaker"), ("alert.resolved", "mail_breaker")]


def test_a_refused_delivery_is_tried_again_later_each_time_under_the_same_id_until_it_is_dead(
    told: Told, clock: HandClock
) -> None:
    told.hook.break_next(fail(503, times=50))
    told.open()
    notices.tell_alerts(told.house, told.tenant)
    for minutes in REST_MINUTES:
        clock.advance(minutes=minutes, seconds=-1)
        watch.run(told.house)
        tries = told.deliveries()[0][2]
        clock.advance(seconds=2)
        watch.run(told.house)
        assert told.deliveries()[0][2] == tries + 1
    assert told.deliveries() == [("opened", "dead", len(REST_MINUTES) + 1)]
    assert len({seen.headers["webhook-id"] for seen in told.hook.witness.requests}) == 1
    clock.advance(days=3)
    watch.run(told.house)
    assert told.deliveries() == [("opened", "dead", len(REST_MINUTES) + 1)]
    told.hook.faults.clear()
    with told.house.database.tenant(told.tenant) as tx:
        hooks.again(tx, hooks.listed(tx)[0].id)
    watch.run(told.house)
    assert told.deliveries() == [("opened", "sent", 1)]


def test_a_webhook_that_is_gone_is_not_asked_again(told: Told, clock: HandClock) -> None:
    told.hook.break_next(refuse(410))
    told.open()
    notices.tell_alerts(told.house, told.tenant)
    assert told.deliveries() == [("opened", "dead", 1)]


def test_a_try_that_was_cut_short_counts_and_is_made_again_after_its_lease(told: Told, clock: HandClock) -> None:
    class Killed(Exception):
        """The process ended here."""

    def die(step: str) -> None:
        if step == "hooks.performed":
            raise Killed

    told.open()
    with pytest.raises(Killed):
        notices.post_alerts(houses.with_fault(told.house, die), told.tenant)
    watch.run(told.house)
    assert (told.deliveries(), len(told.bodies())) == ([("opened", "waiting", 1)], 1)
    clock.advance(minutes=2)
    watch.run(told.house)
    assert (told.deliveries(), len(told.bodies())) == ([("opened", "sent", 2)], 2)
    assert len({seen.headers["webhook-id"] for seen in told.hook.witness.requests}) == 1


def test_a_receiver_that_takes_its_time_gets_the_others_later_and_holds_up_no_sign_of_life(
    told: Told, clock: HandClock
) -> None:
    def dawdle(step: str) -> None:
        if step == "hooks.performed":
            clock.advance(seconds=10)

    slow = replace(houses.with_fault(told.house, dawdle), outlook=Outlook(alive_url=f"{told.hook.url}/alive"))
    for number in range(3):
        told.open(f"kind_{number}")
    assert notices.post_alerts(slow, told.tenant) == 1
    assert sorted(told.deliveries()) == [("opened", "sent", 1), *[("opened", "waiting", 0)] * 2]
    clock.advance(minutes=1)
    watch.run(slow)
    assert [seen.path for seen in told.hook.witness.requests] == ["/acme", "/alive", "/acme"]
    for _ in range(2):
        clock.advance(minutes=1)
        watch.run(slow)
    assert told.deliveries() == [("opened", "sent", 1)] * 3


def test_the_doors_limit_holds_for_webhooks_and_what_is_over_waits_for_the_next_hour(
    told: Told, clock: HandClock
) -> None:
    for number in range(13):
        told.open(f"kind_{number}")
    notices.tell_alerts(told.house, told.tenant)
    assert len(told.bodies()) == 10
    watch.run(told.house)
    assert len(told.bodies()) == 10
    clock.advance(hours=1)
    watch.run(told.house)
    assert len(told.bodies()) == 13


def test_of_a_muted_kind_nobody_is_told_before_the_mute_ends(told: Told, clock: HandClock) -> None:
    with told.house.database.tenant(told.tenant) as tx:
        build.user(tx, role="admin")
        alerts.mute(tx, "gmail_quota", until=tx.now + timedelta(hours=2), by="Ana", reason="known")
    assert isinstance(told.house.hands, houses.TestHands)
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(told.house.hands, resend, told.tenant, "re_acme")
        told.open("gmail_quota:one")
        told.open("mail_breaker")
        notices.tell_alerts(told.house, told.tenant)
        assert told.kinds() == [("alert.opened", "mail_breaker")]
        assert len(resend.sent("re_acme")) == 1
        clock.advance(hours=3)
        notices.tell_alerts(told.house, told.tenant)
        assert told.kinds()[1:] == [("alert.opened", "gmail_quota:one")]
        assert len(resend.sent("re_acme")) == 2


def test_the_end_of_a_mute_brings_the_tenant_back_even_if_an_hour_came_in_between(told: Told, clock: HandClock) -> None:
    with told.house.database.tenant(told.tenant) as tx:
        mute = alerts.mute(tx, "gmail_quota", until=tx.now + timedelta(hours=2), by="Ana", reason="known")
        tx.run("UPDATE tenant_schedule SET extra_due_at = NULL")
    notices.tell_alerts(told.house, told.tenant)
    with told.house.database.tenant(told.tenant) as tx:
        assert tx.value("SELECT extra_due_at FROM tenant_schedule") == mute.until
        assert alerts.unmute(tx, "gmail_quota", by="Ana")
        assert not alerts.muted(tx)


def test_without_an_address_or_a_secret_nothing_is_posted(told: Told) -> None:
    with told.house.database.tenant(told.tenant) as tx:
        tx.run("DELETE FROM tenant_credentials")
    told.open()
    assert notices.tell_alerts(told.house, told.tenant) == 0
    with told.house.database.tenant(told.tenant) as tx:
        credentials.put(tx, told.house.vault, "alert_webhook_secret", "a secret")
        settings.change(tx, {"alert_webhook_url": ""})
    notices.tell_alerts(told.house, told.tenant)
    assert (told.bodies(), told.deliveries()) == ([], [])


def test_a_broken_webhook_of_one_tenant_keeps_nothing_from_another(told: Told) -> None:
    globex = build.globex(told.house.database, alert_webhook_url=f"{told.hook.url}/globex")
    with told.house.database.tenant(globex) as tx:
        credentials.put(tx, told.house.vault, "alert_webhook_secret", "another")
        alerts.open(tx, "mail_breaker", "Mail was stopped.")
    told.open()
    told.hook.break_next(replace(fail(500), path="/acme"))
    for tenant in (told.tenant, globex):
        notices.tell_alerts(told.house, tenant)
    assert [body["of"] for body in told.bodies()] == [str(globex)]


@pytest.mark.parametrize("url", ["ftp://x.example/", "https://user:pw@x.example/", "x.example", "https://"])
def test_a_webhook_that_is_no_address_is_refused_by_name(told: Told, url: str) -> None:
    with pytest.raises(settings.InvalidSetting, match="alert_webhook_url"), _inside(told) as tx:
        settings.change(tx, {"alert_webhook_url": url})


def test_the_houses_alerts_go_to_its_own_webhook_and_the_world_sees_it_alive(told: Told, clock: HandClock) -> None:
    outlook = Outlook(f"{told.hook.url}/house", "house secret", f"{told.hook.url}/alive")
    house = replace(told.house, outlook=outlook)
    with house.database.wearing("control") as tx:
        alerts.open(tx, "kill_switch", "A kill switch is on.", severity="critical", book=HOUSE)
    watch.run(house)
    watch.run(house)
    assert [seen.path for seen in told.hook.witness.requests] == ["/alive", "/house", "/alive"]
    with house.database.tenant(told.tenant) as tx:
        tx.run("UPDATE tenant_schedule SET next_due_at = :at", at=tx.now - timedelta(hours=1))
    watch.run(house)
    # hours that don't begin are a silence that somebody outside is to notice
    assert [seen.path for seen in told.hook.witness.requests][3:] == ["/house"]


def test_a_watcher_who_does_not_answer_holds_nothing_up(told: Told) -> None:
    house = replace(told.house, outlook=Outlook(alive_url=f"{told.hook.url}/alive"))
    told.hook.break_next(fail(500))
    assert not notices.ping(house)
    assert notices.ping(house)


@contextmanager
def _inside(told: Told) -> Iterator[Any]:
    with told.house.database.tenant(told.tenant) as tx:
        yield tx
