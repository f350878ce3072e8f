"""A desk for weeks of compliance: a tenant with mail and a manager, a client with two people, and what is required."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from domain import cards, clients, clocks, contacts, ledger, tasks
from domain import compliance_checks as checks
from domain import compliance_schedules as schedules
from jobs import notices
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post

BOSS = "boss@acme.example"


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a manager, and Initech with Bill and his colleague Samir."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    bill: UUID
    samir: UUID

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in; the run."""
        run_id = self.post.hour()
        notices.tell_people(self.post.house, self.post.tenant_id)
        self.clock.advance(hours=1)
        return run_id

    def on(self, day: date) -> UUID:
        """That day comes, at the hour at which the story began; the run of its hour."""
        self.clock.move_to(self.clock.now().replace(year=day.year, month=day.month, day=day.day, hour=15, minute=0))
        return self.hour()

    def to(self, address: str) -> list[dict[str, Any]]:
        """What the provider took for somebody."""
        return [mail for mail in self.resend.sent("re_acme") if mail["to"] == [address]]

    def sent_id(self, *, newest: bool = True) -> str:
        """By which Message-ID the mail is known that went out last, or first."""
        told = self.post.value("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t "
                               f"ORDER BY reserved_at {'DESC' if newest else 'ASC'} LIMIT 1")  # fmt: skip
        return str(told)

    def check(self, entity_id: UUID | None = None) -> checks.Check:
        """The newest one, of a record if that is named."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return next(each for each in checks.listed(tx) if entity_id in (None, each.entity_id))

    def lines(self, run_id: UUID) -> set[tuple[str, str, str | None]]:
        """What the hour's ledger says of checks."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return {(each["kind"], each["disposition"], each["rule"]) for each in ledger.lines(tx, run_id)
                    if each["subject_type"] == checks.SUBJECT}  # fmt: skip

    def waiting(self) -> list[tuple[list[str], bool]]:
        """What the requests that wait for a person ask for, and whether they say that its day has passed."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            some = cards.listed(tx, kind="compliance_reminder", state="awaiting_approval")
            return [(each.payload["gaps"], each.payload["slots"]["late"]) for each in some]

    def of_account(self, **changes: Any) -> None:
        """Change the account."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            contact = contacts.get(tx, self.bill)
            assert contact is not None
            clients.upsert(tx, client_id=contact.client_id, **changes)

    def happened(self) -> list[str]:
        """What happened to checks, in its order."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            rows = tx.rows("SELECT type FROM warehouse_events WHERE tenant_id = :t AND subject_type = :s ORDER BY id",
                           t=tx.tenant_id, s=checks.SUBJECT)  # fmt: skip
            return [row["type"].partition(".")[2] for row in rows]

    def tasks(self, state: str = "open") -> list[tasks.Task]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return list(tasks.listed(tx, state=state))

    def require(self, **fields: Any) -> schedules.Schedule:
        """Phone and title of Bill alone, every quarter from a Saturday in twelve days."""
        given: dict[str, Any] = {"name": "Contact details", "frequency": "quarterly", "applies_to": "contact",
                                 "anchor_on": date(2026, 3, 14), "required_fields": ["phone", "title"]}  # fmt: skip
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            return schedules.create(tx, **{**given, **fields})


@contextmanager
def open_desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    """Monday at ten in New York; nobody keeps in touch with the people of Initech meanwhile."""
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        account = build.client(tx, manager_id=build.user(tx, BOSS))
        bill = build.contact(tx, account, name="Bill Lumbergh")
        samir = build.contact(tx, account, "samir@initech.example", name="Samir N", phone="+12125550199", title="Clerk")
        for person in (bill, samir):
            clocks.exempt(tx, [person], "discovered")
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        yield Desk(post, resend, clock, bill, samir)
