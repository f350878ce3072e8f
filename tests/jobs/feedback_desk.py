"""A desk for days of feedback: a tenant with mail and a client, the page that asks, and what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import cards, cases, clocks, contacts, feedback, ledger, orders, settings
from domain.feedback_book import Request
from engines.contract import Context
from engines.feedback.engine import FeedbackEngine
from jobs import approvals
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/140.0", "Accept": "text/html", "Accept-Language": "en-US"}
FORM = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}


@dataclass
class Desk:
    """Acme with a mailbox, an account at Resend, a client, and the page that asks for feedback."""

    post: Post
    resend: ResendEmulator
    clock: HandClock
    client: TestClient
    account: UUID
    person: UUID

    def hour(self) -> UUID:
        """An hour passes, with the mail that came in; the run."""
        run_id = self.post.hour()
        self.clock.advance(hours=1)
        return run_id

    def days(self, count: int) -> None:
        """Days pass, with an hour each at the same time."""
        for _ in range(count):
            self.hour()
            self.clock.advance(hours=23)

    def delivered(self, name: str, **fields: Any) -> UUID:
        """An order that is delivered now."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            made = orders.put(tx, external_id=name, client_id=self.account, contact_id=self.person, status="accepted",
                              fee="10", total_amount="10", **fields)  # fmt: skip
            orders.move(tx, made.id, "delivered")
            return made.id

    def request(self, order_id: UUID) -> Request:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            found = feedback.of_order(tx, order_id)
        assert found is not None
        return found

    def requests(self) -> list[Request]:
        """Every request, newest first."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return feedback.listed(tx)

    def sent_id(self) -> str:
        """By which Message-ID the mail is known that went out last."""
        told = self.post.value("SELECT rfc_message_id FROM outbound_messages WHERE tenant_id = :t "
                               "ORDER BY reserved_at DESC LIMIT 1")  # fmt: skip
        return str(told)

    def shown(self, card: cards.Card) -> approvals.Shown:
        """What a person is asked to agree to."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            return approvals.show(self.post.house, tx, card.id)

    def sent(self) -> list[dict[str, Any]]:
        return self.resend.sent("re_acme")

    def page(self, mail: dict[str, Any]) -> str:
        """The page that a mail leads to."""
        found = re.search(r"http://127\.0\.0\.1:8321(/f/\S+)", mail["text"])
        assert found is not None
        return found[1]

    def lines(self, run_id: UUID) -> set[tuple[str, str, str | None]]:
        """What the hour's ledger says of feedback."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return {(each["kind"], each["disposition"], each["rule"]) for each in ledger.lines(tx, run_id)
                    if each["subject_type"] == "feedback_request"}  # fmt: skip

    def open_cases(self) -> list[cases.Case]:
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return list(cases.listed(tx))

    def card(self, kind: str) -> cards.Card:
        """The latest card of this type."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            return cards.listed(tx, kind=kind, limit=1)[0]

    def set(self, **changes: Any) -> None:
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            settings.change(tx, changes)

    def due_again(self) -> bool:
        """Whether the hour that has just passed has left the engine something to do."""
        with self.post.database.tenant(self.post.tenant_id) as tx:
            due = FeedbackEngine().next_due(Context(tx, settings.of(tx)))
            return due is not None and due <= tx.now

    def rename(self, name: str) -> None:
        """The client's contact is called something else from now on."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            contacts.upsert(tx, build.VAULT, source="person", contact_id=self.person, name=name)

    def rate(self, page: str, rating: int, words: str = "") -> int:
        """Somebody presses one of the five buttons; the status of the answer."""
        given = f"rating={rating}&comment={words.replace(' ', '+')}"
        return self.client.post(page, content=given, headers=FORM).status_code

    def approve(self, card: cards.Card) -> None:
        """Ana looks at what is to be sent, and agrees."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            shown = approvals.show(self.post.house, tx, card.id)
            approvals.approve(self.post.house, tx, card.id, seen=shown.seen, by="ana")

    def close(self, case: cases.Case, outcome: str = "made good") -> None:
        """Ana has seen to a case."""
        with self.post.database.tenant(self.post.tenant_id, actor="ana") as tx:
            cases.close(tx, case.id, outcome=outcome)


@contextmanager
def open_desk(post: Post, clock: HandClock) -> Iterator[Desk]:
    """Monday at ten in New York; Bill of Initech is a client with whom nobody keeps in touch meanwhile."""
    clock.advance(hours=6)
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        account = build.client(tx)
        person = build.contact(tx, account, name="Bill Lumbergh")
        clocks.exempt(tx, [person], "discovered")
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        api = TestClient(admin_app.create(post.house), base_url="http://127.0.0.1:8321")
        yield Desk(post, resend, clock, api, account, person)
