"""The plays of what is told: the provider's word about our mail, our notices to people, our alerts to webhooks."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

from domain import alerts, cards, credentials, deliveries
from domain.db import Tx
from domain.house import House
from domain.ports import DeliveryEvent, DeliveryKind
from jobs import deliver, notices
from providers.hooks import WebhookPoster
from providers.resend import ResendSender
from tests import build, houses
from tests.crash.laboratory import Finding, Stage
from tests.crash.mail_out import WEATHER, Weather
from tests.jobs import letters

STORIES: tuple[tuple[DeliveryKind, ...], ...] = (
    ("sent", "delivered"),
    ("sent", "delivered", "opened", "clicked"),
    ("delivered", "sent", "complained"),
    ("sent", "bounced"),
    ("bounced", "delivered"),
)
"""What may become of one mail, in the order in which it is told."""

NOTED = ("delivered", "bounced", "complained", "opened", "clicked")
"""What is noted on the mail and leaves an event."""


class Notifications:
    """Mails of one to three people that went out, or of which nobody knows, and what the provider tells of them."""

    def __init__(self, stage: Stage, slug: str, chance: random.Random) -> None:
        self.stage, self.chance = stage, chance
        self.tenant_id = build.tenant(stage.database, slug, {**build.ACME, "send_mode": "live"})
        self.pieces = chance.randint(1, 3)
        self.told: list[tuple[UUID, str]] = []
        self.suppressed: dict[UUID, bool] = {}
        waiting: list[DeliveryEvent] = []
        with stage.database.tenant(self.tenant_id, actor="test") as tx:
            for at in range(self.pieces):
                address = f"person{at}@client-{at}.example"
                person = build.contact(tx, build.client(tx, f"Client {at}"), address)
                card = letters.sent(tx, person, to=address, outcome=chance.choice(("done", "uncertain")))
                waiting += self._story(tx, card, address)
        # each comes twice, some of them before the first death and the rest after it
        self._receive(waiting)
        self._later = [each for each in waiting if chance.random() < 0.5]

    def live(self, house: House, life: int) -> None:
        """Whatever has been told is applied."""
        deliver.process(house, self.tenant_id)

    def between(self, life: int) -> None:
        """The provider repeats itself."""
        self._receive(self._later)

    def is_quiet(self, tx: Tx) -> bool:
        return not tx.value(
            "SELECT count(*) FROM webhook_deliveries WHERE tenant_id = :t AND processed_at IS NULL", t=self.tenant_id
        )

    def judge(self, tx: Tx, found: Finding) -> None:
        kinds = Counter(kind for _, kind in self.told)
        found.expect(tx, {
            "kanban_cards WHERE state = 'done'": len(self.suppressed),
            "suppressions": sum(self.suppressed.values()),
            "touches": len(self.suppressed),
            "touches WHERE voided_at IS NOT NULL": kinds["bounced"],
            **{f"warehouse_events WHERE type = 'delivery.{kind}'": kinds[kind] for kind in NOTED},
            **{f"outbound_messages WHERE {kind}_at IS NOT NULL": kinds[kind] for kind in NOTED},
        })  # fmt: skip
        found.once(tx, ("type || subject_id", "warehouse_events WHERE type LIKE 'delivery.%' OR type = 'card.done'"))

    def _story(self, tx: Tx, card: cards.Card, address: str) -> Iterator[DeliveryEvent]:
        for kind in self.chance.choice(STORIES):
            self.told.append((card.id, kind))
            self.suppressed[card.id] = self.suppressed.get(card.id, False) or kind in ("bounced", "complained")
            yield DeliveryEvent(
                event_id=f"msg_{kind}_{card.id}", kind=kind, provider_id=f"re-{card.id}", recipients=(address,),
                at=tx.now, tags={"card": str(card.id), "tenant": str(self.tenant_id)},
                bounce_type="Permanent" if kind == "bounced" else None,
            )  # fmt: skip

    def _receive(self, waiting: list[DeliveryEvent]) -> None:
        with self.stage.database.tenant(self.tenant_id, actor="webhook") as tx:
            for each in waiting:
                deliveries.receive(tx, "resend", each)


class Notices:
    """An alert, and one to three people of the tenant who are to be told of it, each at most once."""

    def __init__(
        self, stage: Stage, slug: str, chance: random.Random, *,
        weather: Weather = WEATHER,
    ) -> None:  # fmt: skip
        self.stage, self.key = stage, f"re_{slug}"
        self.tenant_id = build.tenant(stage.database, slug, {**build.ACME, "send_mode": "live"})
        self.people = [f"boss{at}@acme.example" for at in range(chance.randint(1, 3))]
        self.pieces = len(self.people)
        with stage.database.tenant(self.tenant_id, actor="test") as tx:
            for address in self.people:
                build.user(tx, address, role="admin")
            alerts.open(tx, "card.uncertain", "Nobody knows whether a mail went out.")
        stage.resend.account(self.key)
        stage.hands.senders[self.tenant_id] = ResendSender(self.key, stage.resend.url)
        fault = chance.choice(weather)
        self.most_posts = len(self.people)
        if fault is not None:
            stage.resend.break_next(fault())
            # refused for the moment: that one is told the next time
            self.most_posts += fault().status == 429

    def live(self, house: House, life: int) -> None:
        """Whoever was not told is told."""
        notices.tell_alerts(house, self.tenant_id)

    def between(self, life: int) -> None:
        """Nothing."""

    def is_quiet(self, tx: Tx) -> bool:
        return int(tx.value("SELECT count(*) FROM operator_notices WHERE tenant_id = :t", t=self.tenant_id)) == len(
            self.people
        )

    def judge(self, tx: Tx, found: Finding) -> None:
        """Nobody is told twice; and whoever may not have been told has a notice on record that says so."""
        arrived = Counter(address for mail in self.stage.resend.sent(self.key) for address in mail["to"])
        found.doubled += [f"{who} was told {times} times" for who, times in arrived.items() if times > 1]
        posts = self.stage.resend.witness.posts(self.key, "/emails")
        if len(posts) > self.most_posts:
            found.doubled.append(f"{len(posts)} raw requests for {len(self.people)} people")
        rows = tx.rows("SELECT n.state, u.email FROM operator_notices n JOIN users u ON u.id = n.user_id")
        told = {row["email"] for row in rows if row["email"] in arrived or row["state"] in ("reserved", "uncertain")}
        found.lost += [f"{address} was not told" for address in self.people if address not in told]
        found.once(tx, ("user_id", "operator_notices"))


class Posts:
    """One to three alerts of a tenant with a webhook, each posted at least once, and again only under the same id."""

    def __init__(self, stage: Stage, slug: str, chance: random.Random) -> None:
        self.stage = stage
        more = {"send_mode": "live", "alert_webhook_url": f"{stage.hook.url}/{slug}"}
        self.tenant_id = build.tenant(stage.database, slug, {**build.ACME, **more})
        self.pieces = chance.randint(1, 3)
        with stage.database.tenant(self.tenant_id, actor="test") as tx:
            credentials.put(tx, houses.VAULT, "alert_webhook_secret", "a secret")
            for at in range(self.pieces):
                alerts.open(tx, f"test_{at}", "Something is wrong.")

    def live(self, house: House, life: int) -> None:
        """Whatever waits is posted."""
        notices.post_alerts(replace(house, hooks=WebhookPoster(private=True)), self.tenant_id)

    def between(self, life: int) -> None:
        """Nothing."""

    def is_quiet(self, tx: Tx) -> bool:
        return int(tx.value("SELECT count(*) FROM alert_deliveries WHERE state = 'sent'")) == self.pieces

    def judge(self, tx: Tx, found: Finding) -> None:
        """A receiver tells a repetition by its id: one id for each alert, and at most one repetition for one death."""
        seen = [each.headers["webhook-id"] for each in self.stage.hook.witness.requests if each.acted]
        if len(set(seen)) > self.pieces or len(seen) > self.pieces + 1:
            found.doubled.append(f"{len(seen)} posts under {len(set(seen))} ids for {self.pieces} alerts")
        found.expect(tx, {"alert_deliveries WHERE state = 'sent'": self.pieces})
        if len(set(seen)) < self.pieces:
            found.lost.append(f"{len(set(seen))} of {self.pieces} alerts were posted")
