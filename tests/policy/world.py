"""A tenant in whose database a case lays out what a rule will see; nothing in it is pretended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from domain import approval, cards, goals, orders, outbound, settings, suppressions
from domain.cards import Card
from domain.db import Database, Tx
from domain.house import House, LocalBrakes
from domain.outbound import Frozen
from domain.ports import OutboundMail
from domain.suppressions import Reason
from jobs import compose
from policy.facts import gather
from policy.judge import content_hash, judge
from policy.model import Facts
from policy.verdicts import Judgement
from tests import build, houses
from tests.hand_clock import HandClock
from tests.reused import Reused

MORNING = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
"""A Monday, ten o'clock in New York, where the contacts are."""

SENT_IN = "INSERT INTO blobs (tenant_id, sha256, size, bytes, created_at) VALUES (:t, :sha, 1, :sha, :now)"


@dataclass
class World:
    """Acme, live, with one contact at Initech; a case changes what it is about."""

    house: House
    clock: HandClock
    tenant_id: UUID
    client_id: UUID
    contact_id: UUID
    tamper: Callable[[OutboundMail], OutboundMail] | None = None
    """Changes the rendered mail, for what our own composer never writes."""
    made: int = field(default=0)

    @property
    def database(self) -> Database:
        return self.house.database

    @contextmanager
    def tx(self) -> Iterator[Tx]:
        """A transaction of the tenant's."""
        with self.database.tenant(self.tenant_id, actor="test") as tx:
            yield tx

    def at(self, year: int, month: int, day: int, hour: int, minute: int) -> None:
        """Move to an instant (UTC)."""
        self.clock.move_to(datetime(year, month, day, hour, minute, tzinfo=UTC))

    def brakes(self, **told: Any) -> None:
        """Set the host's own brakes."""
        self.house = replace(self.house, brakes=LocalBrakes(**told))

    def set(self, **changes: Any) -> None:
        """Change the tenant's settings."""
        with self.tx() as tx:
            settings.change(tx, changes)

    def card(self, card_type: str = "send_email", *, to: UUID | None = None, **fields: Any) -> Card:
        """A proposed card, an ordinary mail to Bill unless told otherwise."""
        with self.tx() as tx:
            return build.card(tx, to or self.contact_id, kind=card_type, **fields)

    def says(self, text: str, **payload: Any) -> Card:
        """A card whose mail says `text`."""
        return self.card(payload={"subject": "Hello", "text": text, **payload})

    def goal(self, target: str, *, days_over: int = 15, days_left: int = 15) -> None:
        """Revenue is to reach `target` in a period of which so many days are over."""
        with self.tx() as tx:
            today = tx.now.date()
            goals.put(tx, metric="revenue", currency="USD", target=target, starts_on=today - timedelta(days=days_over),
                      ends_on=today + timedelta(days=days_left))  # fmt: skip

    def order(self, total: str) -> None:
        """An accepted order of this worth."""
        with self.tx() as tx:
            orders.put(tx, client_id=self.client_id, status="accepted", fee=total, total_amount=total)

    def task(self, client_id: UUID | None = None, **told: Any) -> Card:
        """A card that would give a person a task."""
        with self.tx() as tx:
            # no contact: what a client asked for may come from anybody at the account
            return build.card(tx, None, kind="create_task", client_id=client_id, payload={"title": "Call", **told})

    def escalation(self, **told: Any) -> Card:
        """A card that would take a check of the account to its manager."""
        with self.tx() as tx:
            return build.card(tx, None, kind="escalate_compliance", client_id=self.client_id, payload=told)

    def check(self, *, due_days: float) -> str:
        """A compliance check of the account that is due so many days from now; its id."""
        with self.tx() as tx:
            return str(build.check(tx, self.client_id, due_days=due_days).id)

    def colleague(self, email: str = "peter@initech.example", **fields: Any) -> UUID:
        """One more person of the account."""
        with self.tx() as tx:
            return build.contact(tx, self.client_id, email, **fields)

    def suppress(self, address: str, reason: Reason) -> None:
        """Suppress an address."""
        with self.tx() as tx:
            suppressions.suppress(tx, self.house.vault, address, reason=reason, source="test")

    def thread(self, **told: Any) -> UUID:
        """A conversation with Bill."""
        with self.tx() as tx:
            made = build.thread(tx, client_id=self.client_id, contact_id=self.contact_id)
            for name, value in told.items():
                tx.run(f"UPDATE mail_threads SET {name} = :v WHERE tenant_id = :t AND id = :id",
                       v=value, t=self.tenant_id, id=made)  # fmt: skip
            return made

    def mailed(
        self, hours_ago: float, *, to: UUID | None = None, card_type: str = "send_email", state: str = "accepted",
        thread_id: UUID | None = None,
    ) -> UUID:  # fmt: skip
        """A mail went to a contact some hours ago; its card's id."""
        now = self.clock.now()
        self.clock.advance(hours=-hours_ago)
        with self.tx() as tx:
            self.made += 1
            person = to or self.contact_id
            wished = build.proposal(tx, person, kind=card_type, dedupe_key=f"earlier:{self.made}", thread_id=thread_id)
            [card] = cards.propose(tx, [wished])
            mail = OutboundMail(card.id, f"key-{self.made}", f"<earlier-{self.made}@acme.example>",
                                "Ana <ana@acme.example>", ("bill@initech.example",), "Hello", "Hello")  # fmt: skip
            outbound.record_each(tx, [Frozen(card, mail, "live", thread_id)], provider="resend",
                                 state="held" if state == "held" else "reserved")  # fmt: skip
            tx.run("UPDATE outbound_messages SET state = :state WHERE tenant_id = :t AND card_id = :c",
                   state=state, t=self.tenant_id, c=card.id)  # fmt: skip
            cards.move(tx, [card.id], "held" if state == "held" else "cancelled")
        self.clock.move_to(now)
        return card.id

    def received(
        self, text: str = "Can you call me Thursday?", *, cls: str = "reply", flags: tuple[str, ...] = (),
        direction: str = "in", client_id: UUID | None = None, rfc_id: str | None = None, hours_ago: float = 1,
        thread_id: UUID | None = None, asked: str | None = None,
    ) -> UUID:  # fmt: skip
        """A stored message from Bill, by its id; what its receipt moves elsewhere a case moves itself."""
        now = self.clock.now()
        self.clock.advance(hours=-hours_ago)
        with self.tx() as tx:
            self.made += 1
            reading = {"reply": text, **({"task_request": {"span": asked}} if asked else {})}
            message_id, mailbox_id, digest = tx.clock.uuid(), tx.clock.uuid(), self.made.to_bytes(32)
            tx.run("""INSERT INTO mailboxes (tenant_id, id, provider, source, created_at)
                      VALUES (:t, :id, 'folder', :s, :now)""",
                   t=self.tenant_id, id=mailbox_id, s=str(self.made), now=tx.now)  # fmt: skip
            tx.run(SENT_IN, t=self.tenant_id, sha=digest, now=tx.now)
            tx.run(
                """INSERT INTO gmail_messages (tenant_id, id, mailbox_id, gmail_message_id, thread_id, rfc_message_id,
                       direction, from_address, subject, snippet, received_at, class, flags, reading, client_id,
                       contact_id, raw_sha256, raw_size, stored_at)
                   VALUES (:t, :id, :mailbox, :gmail, :thread, :rfc, :direction, 'bill@initech.example', 'Hello', :text,
                       :now, :class, :flags, :reading, :client, :contact, :sha, 1, :now)""",
                t=self.tenant_id, id=message_id, mailbox=mailbox_id, gmail=f"m{self.made}", thread=thread_id,
                rfc=rfc_id, direction=direction, text=text[:40], now=tx.now, reading=reading,
                flags=[*flags, *(["asks_task"] if asked else [])],
                client=client_id or self.client_id, contact=self.contact_id, sha=digest, **{"class": cls},
            )  # fmt: skip
        self.clock.move_to(now)
        return message_id

    def run(self, sql: str, **values: Any) -> None:
        """Lay out something that no verb has a short way to."""
        with self.tx() as tx:
            tx.run(sql, t=self.tenant_id, **values)

    def count(self, key: str, used: int, *, day: bool = False) -> None:
        """Use a cap up to `used`: in this hour, or in this day (the tenant's days are those of UTC)."""
        start = self.clock.now().replace(minute=0, second=0, microsecond=0)
        start = start.replace(hour=0) if day else start
        self.run("INSERT INTO agent_rate_limits (tenant_id, key, window_start, used) VALUES (:t, :key, :start, :used)",
                 key=key, start=start, used=used)  # fmt: skip

    def render(self, tx: Tx, card: Card) -> dict[UUID, OutboundMail]:
        """The card's mail as it would go out."""
        mails = compose.compose(self.house, tx, [card], settings.of(tx)).mails
        return {mail.card_id: self.tamper(mail) if self.tamper else mail for mail in mails.values()}

    def approved(self, card: Card) -> Card:
        """Let a person approve the card as it is rendered now."""
        with self.tx() as tx:
            mail = self.render(tx, card).get(card.id)
            seen = content_hash(mail, card.thread_id, settings.policy_version(tx), card.payload)
            expires = tx.now.replace(hour=23)
            approval.wait_for_approval(tx, card.id, seen=seen, rule="approval", reason="asked", expires_at=expires)
            return approval.approve(tx, card.id, by="boss@acme.example")

    def facts(self, card: Card) -> Facts:
        """What the rules see of the card now."""
        with self.tx() as tx:
            fresh = cards.get(tx, card.id)
            assert fresh is not None
            mails = self.render(tx, fresh)
            outdated = compose.compose(self.house, tx, [fresh], settings.of(tx)).outdated
            return gather(tx, [fresh], mails=mails, vault=self.house.vault, brakes=self.house.brakes,
                          outdated=outdated)[card.id]  # fmt: skip

    def judged(self, card: Card) -> Judgement:
        """What all the rules say of the card now."""
        return judge(self.facts(card))


@contextmanager
def entered(reused: Reused, clock: HandClock, hands: houses.TestHands | None = None) -> Iterator[World]:
    """The world on a Monday morning, in a house of the test's own."""
    with reused.lend_laid_out(clock, begin) as (database, laid), houses.house(database, hands=hands) as house:
        yield World(house, clock, *laid)


def begin(database: Database, clock: HandClock) -> tuple[UUID, UUID, UUID]:
    """Acme on a Monday morning, with Globex beside it, whose Bill is suppressed and none of Acme's business.

    Acme's id, its client's and its contact's.
    """
    clock.move_to(MORNING)
    tenant_id, other = build.acme(database), build.globex(database)
    with database.tenant(other, actor="test") as tx:
        build.contact(tx)
        suppressions.suppress(tx, houses.VAULT, "bill@initech.example", reason="opted_out", source="test")
    with database.tenant(tenant_id, actor="test") as tx:
        client_id = build.client(tx)
        contact_id = build.contact(tx, client_id, "bill@initech.example")
        promise(tx, contact_id, tx.now + timedelta(days=21))
    return tenant_id, client_id, contact_id


def promise(tx: Tx, contact_id: UUID, due_at: datetime) -> None:
    """Let a contact's next touch be due at an instant."""
    tx.run("UPDATE engagement_clocks SET first_due_at = :due, due_at = :due WHERE tenant_id = :t AND contact_id = :c",
           due=due_at, t=tx.tenant_id, c=contact_id)  # fmt: skip
