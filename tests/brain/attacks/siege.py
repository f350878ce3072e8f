"""The siege: every question is put about every payload, and three harmful answers are given to each, one by one."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import (
    clocks,
    compliance_generation,
    compliance_schedules,
    deals,
    feedback,
    feedback_answers,
    orders,
    quotes,
    threads,
)
from domain.db import Tx
from domain.feedback_answers import Said
from domain.quotes import Line
from jobs import cycle
from tests import build
from tests.brain.attacks import business, harms, trial
from tests.brain.thinking import Thinking
from tests.hand_clock import A_MONDAY
from tests.jobs.letters import letter

ANSWERED = {"in_reply_to": "<1@acme.example>"}
DRESSES: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("Re: Hello", "Thank you for your mail. You may want to look at the roof some day.", ANSWERED),
    ("Re: How did we do?", "Here is my feedback on your work, as you asked us for it.", ANSWERED),
    ("Prices", "Could you please send us a quote for the following?", {}),
    ("Away", "I am out of the office and back as soon as my leave ends.", {"auto_submitted": "auto-replied"}),
)
"""Subject, first words and headers of mails of which rules are unsure, each in its way: every reader is asked."""

MODELS = ("first", "second", "third")


@dataclass
class Besieged:
    """What a siege came to."""

    objections: list[str]
    asked: Counter[str]
    """By question: answers that were given to it."""
    mails: int
    tasks: int


def run(
    stage: Thinking, payloads: Sequence[str], *, number: int, writers: Callable[[int], Sequence[str]] | None = None
) -> Besieged:
    """Lay every payload before every reader, and before the writers that `writers` names for it (else before all)."""
    at_least = writers or (lambda _at: tuple(WRITTEN))
    puppet = trial.Puppet(others=_three(number))
    stage.house.models.providers["local"] = puppet  # type: ignore[union-attr]
    stage.clock.move_to(A_MONDAY + timedelta(hours=6))
    tenant = _tenant(stage, number)
    neighbour = build.tenant(stage.database, f"globex-{number}", {**build.GLOBEX, "send_mode": "live"})
    stage.person(neighbour, "Hank Scorpio")
    before = trial.count(stage, neighbour)
    letters_in = []
    with stage.database.tenant(tenant, actor="test") as tx:
        writing = [_writer(tx, at) for at in range(len(payloads) * len(DRESSES))]
        business.found(tx, [(person, account) for person, account, _ in writing])
        for at, payload in enumerate(payloads):
            for kind in at_least(at):
                _lay(tx, kind, payload, f"{kind.replace('_', '-')}-{at}.example")
        _require_languages(tx)
        agreed = business.standing(tx)
    for at, payload in enumerate(payloads):
        for dress, (subject, words, headers) in enumerate(DRESSES):
            mine = at * len(DRESSES) + dress
            letters_in.append(letter(f"{words}\n\n{payload}", frm=f"Client <{writing[mine][2]}>", number=mine,
                                     subject=subject, **headers))  # fmt: skip
    stage.arrives(tenant, letters_in)
    for _ in range(2):
        assert cycle.run(stage.house, tenant, kind="manual") is not None
        # a mail that makes good waits for its case, and is written an hour later
        stage.clock.advance(minutes=70)
    mails = stage.sent(f"re_{number}")
    found = [*trial.objections(stage, tenant, mails), *trial.prompted(puppet, payloads),
             *business.objections(stage, tenant, agreed)]  # fmt: skip
    if trial.count(stage, neighbour) != before:
        found.append("something happened to the neighbour")
    tasks = stage.one(tenant, "SELECT count(*) AS n FROM tasks WHERE tenant_id = :t")["n"]
    return Besieged(found, Counter(prompt.question for prompt in puppet.prompts), len(mails), tasks)


def _three(number: int) -> Mapping[str, harms.Harm]:
    """Two that fit nothing, and then one that fits; which, changes from siege to siege."""
    invalid = [harms.INVALID[(number + at) % len(harms.INVALID)] for at in range(2)]
    fitting = harms.FITTING[number % len(harms.FITTING)]
    return dict(zip(MODELS, (harms.HARMS[name] for name in (*invalid, fitting)), strict=True))


def _tenant(stage: Thinking, number: int) -> UUID:
    from tests import houses

    wished = {
        **build.ACME, "send_mode": "live", "model_order": [f"local/{name}" for name in MODELS],
        "max_model_calls_per_hour": 100_000, "model_tokens_per_day": 1_000_000_000, "max_emails_per_hour": 1_000,
        "send_service_recovery": True,
    }  # fmt: skip
    tenant = build.tenant(stage.database, f"acme-{number}", wished)
    houses.resend_for(stage.hands, stage.resend, tenant, f"re_{number}")
    return tenant


def _writer(tx: Tx, at: int) -> tuple[UUID, UUID, str]:
    """Somebody who writes: the person, their account and their address."""
    account = build.client(tx, f"Writer {at}", language="en")
    address = f"writer{at}@writer-{at}.example"
    person = build.contact(tx, account, address, name=f"Walt Writer{at}")
    clocks.exempt(tx, [person], "discovered")
    return person, account, address


def _lay(tx: Tx, kind: str, payload: str, domain: str) -> None:
    """A record about which one mail is to be written, and in which the payload stands as names and subjects do."""
    named = " ".join(payload.split())[:100]
    language = None if kind == "compliance_reminder" else "en"
    account = build.client(tx, f"{named} {domain.partition('.')[0]}", domain=domain, language=language)
    number = int("".join(each for each in domain if each.isdigit()))
    # a writer that says the same of everybody is stopped as one that repeats itself
    person = build.contact(tx, account, f"dana@{domain}", name=f"{_called(number)} Due", language=language or "en")
    [thread] = threads.open_each(tx, [threads.Opening(named, account, person)])
    if kind == "follow_up":
        clocks.touch(tx, person, "call", by="ana", at=tx.now - timedelta(days=5))
    elif kind != "first_touch":
        clocks.exempt(tx, [person], "discovered")
    WRITTEN[kind](tx, account, person, thread)


def _called(number: int) -> str:
    digits = [string.ascii_lowercase[int(each)] for each in f"{number:03}"]
    return f"D{''.join(digits)}a"


def _first_touch(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    """Nothing more: a contact's first touch is due at once."""


def _follow_up(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    deal = deals.put(tx, title="New shelves", client_id=account, contact_id=person, value="1200").id
    tx.run("UPDATE deals SET follow_up_due_at = :now, thread_id = :thread WHERE tenant_id = :t AND id = :id",
           now=tx.now, thread=thread, t=tx.tenant_id, id=deal)  # fmt: skip


def _quote_cover(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    lines = [Line("Carton box", 20, code="BOX-1")]
    quotes.offer(tx, quotes.draft(tx, client_id=account, contact_id=person, thread_id=thread, lines=lines).id)


def _delivered(tx: Tx, account: UUID, person: UUID, thread: UUID) -> UUID:
    order = orders.put(tx, external_id=f"B-{tx.clock.uuid().hex[-6:]}", client_id=account, contact_id=person, fee="10",
                       total_amount="10", status="accepted", thread_id=thread, details={}).id  # fmt: skip
    orders.move(tx, order, "delivered")
    return order


def _feedback_request(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    feedback.ask(tx, _delivered(tx, account, person, thread), contact_id=person)


def _service_recovery(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    request = feedback.own(tx, _delivered(tx, account, person, thread))
    tx.run("UPDATE feedback_requests SET thread_id = :thread WHERE tenant_id = :t AND id = :id",
           thread=thread, t=tx.tenant_id, id=request.id)  # fmt: skip
    feedback_answers.record(tx, request.id, Said("person", "Ana", rating=1, contact_id=person))


def _compliance_reminder(tx: Tx, account: UUID, person: UUID, thread: UUID) -> None:
    """Nothing more: its account names no language, and every account is required to."""


WRITTEN: Mapping[str, Callable[[Tx, UUID, UUID, UUID], Any]] = {
    "first_touch": _first_touch, "follow_up": _follow_up, "quote_cover": _quote_cover,
    "feedback_request": _feedback_request, "service_recovery": _service_recovery,
    "compliance_reminder": _compliance_reminder,
}  # fmt: skip
"""What makes each writer's mail due."""


def _require_languages(tx: Tx) -> None:
    """Once for all: a check of each account that does not say in which language it is written to."""
    made = compliance_schedules.create(
        tx, name="Languages", frequency="monthly", applies_to="client", anchor_on=(tx.now + timedelta(days=7)).date(),
        required_fields=("language",),
    )  # fmt: skip
    compliance_generation.generate(tx, made.id)
