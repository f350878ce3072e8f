"""A's days: mail in and out, webhooks, an opt-out, people at the API; the same whoever lives beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from simulator.emulators.resend_webhooks import Hook, bounce, sign
from tests.jobs.letters import bounce as report
from tests.jobs.letters import complaint, letter
from tests.walls.sides import SharedTime, Side, Street

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
LOAD = int(os.environ.get("LAB_LOAD", "20"))
DAYS = (0, 4) if LOAD < 100 else tuple(range(10))
"""In the short form the days of the story alone, with quiet ones in between: a follow-up falls due meanwhile."""
HOURS = (8, 14, 16, 20) if LOAD < 100 else tuple(range(6, 23, 2))
OWN = "ana@acme.example"
WISHED: dict[str, Any] = {
    "sender_name": "Ana Diaz", "sender_address": OWN, "postal_address": "Acme Ltd, 1 High Street, Springfield",
    "registered_domains": ["acme.example"],
}  # fmt: skip
PEOPLE = {"bill": "initech", "peter": "initech", "eva": "hooli", "gus": "umbrella", "zoe": "stark", "hal": "wayne",
          "may": "initrode"}  # fmt: skip

Act = Callable[[Street, Side], None]


def address(person: str) -> str:
    """Where somebody is written to."""
    return f"{person}@{PEOPLE[person]}.example"


def acquaint(_street: Street, side: Side, note: str = "note") -> None:
    """The people that a tenant knows, by way of the API."""
    ask = getattr(side, note)
    for at, (person, account) in enumerate(PEOPLE.items()):
        made = ask("POST", "/v1/clients", {"name": account.title(), "domain": f"{account}.example", "country": "US",
                   "timezone": "America/New_York"}, **{"Idempotency-Key": f"client-{account}"})  # fmt: skip
        client = made["id"] if note == "note" else made.json()["id"]
        ask("POST", "/v1/contacts", {"client_id": client, "name": f"{person.title()} Bell", "email": address(person),
            "external_id": f"person-{at}"}, **{"Idempotency-Key": f"contact-{at}"})  # fmt: skip


def add_a_person(_street: Street, side: Side) -> None:
    """Somebody of the tenant's, who hears of what needs a person."""
    made = side.note("POST", "/v1/users", {"email": OWN, "name": "Ana Diaz", "role": "manager"})
    side.note("POST", f"/v1/users/{made['id']}/verify")


def mails_to(side: Side, person: str) -> list[dict[str, Any]]:
    """What the provider took for somebody, oldest first."""
    return [mail for mail in side.resend.emails.values() if mail["to"] == [address(person)]]


def tell(kind: str, person: str, **extra: Any) -> Act:
    """The provider tells of the last mail to somebody, twice."""

    def act(street: Street, side: Side) -> None:
        for mail in mails_to(side, person)[-1:]:
            hook = street.resend.hook(side.resend.key, mail["id"], kind, **extra)
            for _ in range(2):
                post_hook(side, side.slug, hook)

    return act


def post_hook(side: Side, slug: str, hook: Hook) -> None:
    """A webhook at somebody's door; what is answered is the provider's to know."""
    side.client.post(f"/webhooks/resend/{slug}", content=hook.body, headers=hook.headers())


def answer(person: str, text: str) -> Act:
    """Somebody writes back."""

    def act(_street: Street, side: Side) -> None:
        for mail in mails_to(side, person)[-1:]:
            side.gmail.deliver(letter(
                text, frm=f"{person.title()} <{address(person)}>", subject=f"Re: {mail['subject']}",
                message_id=f"<{person}-1@{PEOPLE[person]}.example>", in_reply_to=mail["message_id"],
                references=mail["message_id"],
            ))  # fmt: skip

    return act


def comes_back(made: Callable[[str, str], bytes], person: str) -> Act:
    """A report on the last mail to somebody comes into the mailbox."""

    def act(_street: Street, side: Side) -> None:
        for mail in mails_to(side, person)[-1:]:
            side.gmail.deliver(made(mail["message_id"], address(person)))

    return act


def leaves(person: str) -> Act:
    """Somebody presses the unsubscribe button of their last mail."""

    def act(_street: Street, side: Side) -> None:
        for mail in mails_to(side, person)[-1:]:
            link = urlsplit(mail["headers"]["List-Unsubscribe"].strip("<>"))
            side.client.post(link.path, data={"List-Unsubscribe": "One-Click"})

    return act


def a_stranger_writes(_street: Street, side: Side) -> None:
    """A letter from somebody whom nobody knows yet, and one that no parser likes."""
    side.gmail.deliver(letter("Could you call me about an order?", frm="Kim <kim@tyrell.example>", subject="Order"))
    side.gmail.deliver(b"From: \xff\xfe\r\nContent-Type: multipart/mixed; boundary=\r\n\r\n\x00--\r\n")


def log_a_call(_street: Street, side: Side) -> None:
    """A person of the tenant spoke with somebody."""
    known = side.note("GET", "/v1/contacts?limit=200")["items"]
    side.note("POST", f"/v1/contacts/{known[-1]['id']}/touches", {"type": "call"}, **{"Idempotency-Key": "call-1"})


def change_settings(_street: Street, side: Side) -> None:
    """A cap is lowered, and one that is no cap refused."""
    side.note("PATCH", "/v1/tenant/settings", {"settings": {"max_emails_per_hour": 12}, "reason": "slower"})
    side.note("PATCH", "/v1/tenant/settings", {"settings": {"send_mode": "loud"}})


def suppress_somebody(_street: Street, side: Side) -> None:
    """A person of the tenant says that an address must be left alone."""
    side.note("POST", "/v1/suppressions", {"address": "kim@tyrell.example"}, **{"Idempotency-Key": "leave-1"})


def stop_and_go_on(_street: Street, side: Side) -> None:
    """Mail is stopped, and let out again."""
    side.note("POST", "/v1/tenant/kill-switch/stop", {"level": "mail", "reason": "stock-taking"})
    side.note("POST", "/v1/tenant/kill-switch/resume", {"level": "mail", "reason": "it is over"})


STORY: dict[tuple[int, int], tuple[Act, ...]] = {
    (0, 8): (acquaint, add_a_person, a_stranger_writes),
    (0, 16): (tell("delivered", "bill"), tell("delivered", "eva"), answer("bill", "Can you call me Thursday?"),
              change_settings, tell("bounced", "gus", **bounce()), leaves("zoe"), suppress_somebody, log_a_call),
    (0, 20): (answer("eva", "Please remove me from your list."), comes_back(complaint, "hal"),
              tell("opened", "peter")),
    (4, 8): (answer("peter", "Thank you, not now."), stop_and_go_on, a_stranger_writes),
    (4, 16): (comes_back(report, "peter"), tell("complained", "hal")),
}  # fmt: skip
"""What happens, by day and hour."""


def live(street: Street, side: Side, beside: Act | None = None, *, days: Sequence[int] = DAYS) -> list[list[str]]:
    """Live through the days, with what somebody `beside` does before each hour; what the side observed by each."""
    observed = []
    for day in days:
        for hour in HOURS:
            _advance(street.clock, day, hour)
            if beside is not None:
                beside(street, side)
            # whoever is beside comes first in one hour, last in the next
            street.beat(first=side.slug if hour % 4 else "")
            with street.clock.turn(side.slug):
                for act in STORY.get((day, hour), ()):
                    act(street, side)
            _advance(street.clock, day, hour, 12)
            street.beat()
        observed.append(street.observed(side.slug))
    return observed


def signed_by(secret: str, event_id: str, at: datetime, body: bytes) -> Hook:
    """A webhook with a signature of one's own."""
    return Hook(event_id, at, body, sign(secret, event_id, at, body))


def _advance(clock: SharedTime, day: int, hour: int, minute: int = 0) -> None:
    """Move on to five seconds past a minute of a day of the story, the first being 0."""
    clock.at(START.replace(hour=0) + timedelta(days=day, hours=hour, minutes=minute, seconds=5))
