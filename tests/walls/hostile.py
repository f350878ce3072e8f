"""A hostile tenant C: it knows everything of A's, has the same addresses and names, and tries whatever it can."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from domain import cards, credentials, mailboxes, quarantine
from simulator.emulators.resend_webhooks import bounce, make_hook
from tests.jobs.letters import bounce as report
from tests.jobs.letters import complaint, letter
from tests.walls import days
from tests.walls.sides import Side, Street

FLOOD = 2 * days.LOAD
HUGE = "x" * 400_000
SLUG = "acme-c"
OTHER_BOX = "ana@acme-c.example"


@dataclass
class Neighbour:
    """C, who acts before each hour of A's; `refused` counts the answers that it got where A's things were meant."""

    side: Side
    refused: dict[int, int] = field(default_factory=dict)
    let_in: list[str] = field(default_factory=list)
    hours: itertools.count[int] = field(default_factory=itertools.count)
    copied: int = 0
    answered: int = 0
    notified: int = 0

    def __call__(self, street: Street, victim: Side) -> None:
        hour = next(self.hours)
        with street.clock.turn(self.side.slug):
            if hour == 0:
                self._settle_in(street, victim)
            self._write(street, victim, hour)
            self._notify(street, victim)
            self._reach(street, victim, hour)
            self._propose(street, victim)
            self._brake(hour)

    def _settle_in(self, street: Street, victim: Side) -> None:
        """The same people under the same keys, the victim's webhook secret, and the victim's mailbox with a grant."""
        days.acquaint(street, self.side, "ask")
        with street.house.database.tenant(self.side.tenant_id, actor="c") as tx:
            credentials.put(tx, street.house.vault, "resend_webhook_secret", victim.resend.webhook_secret)
            grant = mailboxes.Grant(self.side.gmail.refresh_token, "client", "client secret")
            mailboxes.configure_gmail(tx, street.house.vault, days.OWN, grant)
        # before the victim has it to lose: these people never want to hear of C
        for person in days.PEOPLE:
            self.side.ask("POST", "/v1/suppressions", {"address": days.address(person)},
                          **{"Idempotency-Key": f"leave-{person}"})  # fmt: skip

    def _write(self, street: Street, victim: Side, hour: int) -> None:
        """The victim's own letters again, answers and reports on its mails, a flood, and huge and broken ones."""
        box = self.side.gmail
        for message in list(victim.gmail.messages.values())[self.copied :]:
            box.deliver(message.raw)
            self.copied += 1
        for mail in list(victim.resend.emails.values())[self.answered :]:
            self.answered += 1
            meant = mail["to"][0]
            stop = letter("Stop writing to me. Unsubscribe. I'll sue you.", frm=meant, to=OTHER_BOX,
                          message_id=f"<c-{self.answered}@x.example>", in_reply_to=mail["message_id"],
                          references=f"{mail['message_id']} {mail['headers']['Message-ID']}")  # fmt: skip
            for raw in (stop, report(mail["message_id"], meant), complaint(mail["headers"]["Message-ID"], meant)):
                box.deliver(raw)
        if hour == 1:
            for at in range(FLOOD):
                box.deliver(letter("again", frm="bill@initech.example", message_id=f"<flood-{at}@initech.example>"))
            box.deliver(letter(HUGE, frm="eva@hooli.example", message_id="<huge@hooli.example>"))
            box.deliver(b"\x00" * 10_000)
            box.deliver(b"From: a@b\r\nReferences: " + b"<x@y> " * 5_000 + b"\r\n\r\n")

    def _notify(self, street: Street, victim: Side) -> None:
        """The victim's event ids at C's door with a right signature; at the victim's with a wrong one."""
        now, secret = street.clock.now(), victim.resend.webhook_secret
        for mail in list(victim.resend.emails.values())[self.notified :]:
            self.notified += 1
            hook = make_hook(street.clock, secret, "bounced", mail, **bounce())
            days.post_hook(self.side, self.side.slug, hook)
            days.post_hook(self.side, victim.slug, hook.forged())
            days.post_hook(self.side, victim.slug, days.signed_by(self.side.resend.webhook_secret, hook.event_id, now,
                                                                  hook.body))  # fmt: skip
        for body in (b"{", b"\xff" * 5_000, HUGE.encode(), json.dumps({"type": "email.bounced"}).encode()):
            wrong = days.signed_by(self.side.resend.webhook_secret, "msg_1", now, body)
            days.post_hook(self.side, victim.slug, wrong)

    def _reach(self, street: Street, victim: Side, hour: int) -> None:
        """C's key on everything of the victim's that has an id, and on what only the house may do."""
        if hour % 5 != 4:
            return
        for method, path, body in _reaching(street, victim):
            for header in ({}, {"Hourhand-Tenant": victim.slug}):
                key = {"Idempotency-Key": "call-1"} if method == "POST" else {}
                answer = self.side.ask(method, path, body, **header, **key)
                self.refused[answer.status_code] = self.refused.get(answer.status_code, 0) + 1
                if answer.status_code < 400:
                    self.let_in.append(f"{method} {path} {answer.text[:200]}")
        for person in days.PEOPLE:
            for mail in days.mails_to(self.side, person)[-1:] or days.mails_to(victim, person)[-1:]:
                parts = mail["headers"]["List-Unsubscribe"].strip("<>").rpartition("/u/")[2].split("/")
                for tenant in (str(victim.tenant_id), str(self.side.tenant_id)):
                    self.side.client.post(f"/u/{tenant}/{parts[1]}/{parts[2][::-1]}")

    def _propose(self, street: Street, victim: Side) -> None:
        """Cards under the victim's dedupe keys, and things in quarantine under its names."""
        with street.house.database.tenant(victim.tenant_id) as tx:
            theirs = cards.listed(tx, limit=20)
        with street.house.database.tenant(self.side.tenant_id, actor="c") as tx:
            cards.propose(tx, [
                cards.Proposal(type=one.type, engine=one.engine, title=HUGE[:2_000], subject_type=one.subject_type,
                               subject_id=one.subject_id, dedupe_key=one.dedupe_key, due_at=tx.now,
                               payload=one.payload, evidence=one.evidence, latest_at=tx.now.replace(year=2027))
                for one in theirs
            ])  # fmt: skip
            quarantine.note(tx, "message", f"{victim.mailbox_id}/{next(iter(victim.gmail.messages), '1')}", "mine")

    def _brake(self, hour: int) -> None:
        """Its own brakes on and off, cycles out of turn, and settings at their ends."""
        if hour % 5 == 2:
            self.side.ask("POST", "/v1/tenant/kill-switch/stop", {"level": "all", "reason": "c"})
        if hour % 5 == 3:
            self.side.ask("POST", "/v1/tenant/kill-switch/resume", {"level": "all", "reason": "c", "confirm": True})
        self.side.ask("POST", "/v1/cycle")
        self.side.ask("POST", "/v1/mailboxes/poll")
        self.side.ask("PATCH", "/v1/tenant/settings",
                      {"settings": {"max_emails_per_hour": hour % 7, "touches_per_cycle": 500}})  # fmt: skip


def _reaching(street: Street, victim: Side) -> list[tuple[str, str, Any]]:
    """Requests that name what is the victim's."""
    with street.house.database.tenant(victim.tenant_id) as tx:
        ids = {table: [row["id"] for row in tx.rows(f"SELECT id FROM {table} ORDER BY id LIMIT 3")]
               for table in ("kanban_cards", "contacts", "clients", "gmail_messages", "agent_autonomous_runs",
                             "agent_alerts", "tasks", "users", "mailboxes", "api_keys")}  # fmt: skip
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/v1/kill-switch/stop", {"level": "all", "reason": "c"}),
        ("POST", "/v1/house/keys", {"name": "c", "role": "admin"}),
        ("GET", "/v1/tenants", None),
    ]
    for card in ids["kanban_cards"]:
        asked += [("GET", f"/v1/cards/{card}/why", None),
                  ("POST", f"/v1/cards/{card}/approve", {"seen": "00" * 32}),
                  ("POST", f"/v1/cards/{card}/reject", {"reason": "c"}),
                  ("POST", f"/v1/cards/{card}/resolve", {"arrived": False, "reason": "c"})]  # fmt: skip
    for contact in ids["contacts"]:
        asked += [("PATCH", f"/v1/contacts/{contact}", {"email": "c@x.example"}),
                  ("POST", f"/v1/contacts/{contact}/touches", {"type": "call"}),
                  ("PUT", f"/v1/contacts/{contact}/consent", {"given": False, "how": "c"})]  # fmt: skip
    asked += [("PATCH", f"/v1/clients/{client}", {"name": "C"}) for client in ids["clients"]]
    asked += [("GET", f"/v1/messages/{message}", None) for message in ids["gmail_messages"]]
    asked += [("GET", f"/v1/runs/{run}", None) for run in ids["agent_autonomous_runs"]]
    asked += [("POST", f"/v1/alerts/{alert}/resolve", None) for alert in ids["agent_alerts"]]
    asked += [("POST", f"/v1/tasks/{task}/finish", {"state": "cancelled"}) for task in ids["tasks"]]
    asked += [("POST", f"/v1/users/{user}/verify", None) for user in ids["users"]]
    asked += [("POST", f"/v1/mailboxes/{box}/revoke", {"reason": "c"}) for box in ids["mailboxes"]]
    asked += [("DELETE", f"/v1/keys/{key}", None) for key in ids["api_keys"]]
    return asked
