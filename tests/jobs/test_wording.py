"""Mails that wait stay true: whoever is renamed, or speaks another language by now, is written to anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest

from domain import cards, clients, clocks, contacts, deals, ledger, settings, tenants
from domain.cards import Card
from domain.db import Database
from domain.house import House
from domain.switches import OUTWARD
from jobs import approvals, cycle, explain
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.jobs.business import KINDS, fall_due

RULE = "wording.current"
NAMES = ("Núria D'Örs", "JOSÉ MARÍA  Cano", "accounts", "li wei", "Dr. Anne-Marie O’Neil", "ż", "Zoë\tvan der Berg")
"""Names as records have them, some of which are nobody's to be greeted by."""
ASKED = {"autonomy": dict.fromkeys(sorted(OUTWARD - {"broadcast_email"}), "approve")}


@dataclass
class Office:
    """Acme, with one contact each for everything that it writes about."""

    house: House
    resend: ResendEmulator
    acme: UUID
    clock: HandClock
    people: dict[str, UUID]

    def hour(self, house: House | None = None) -> UUID:
        run_id = cycle.run(house or self.house, self.acme, kind="manual")
        assert run_id is not None
        with self.house.database.tenant(self.acme) as tx:
            assert tx.value("SELECT errors FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :id",
                            t=tx.tenant_id, id=run_id) == []  # fmt: skip
        self.clock.advance(hours=1)
        return run_id

    def cards(self, *states: str) -> list[Card]:
        """The mails that stand there."""
        with self.house.database.tenant(self.acme) as tx:
            return [card for card in cards.listed(tx, limit=200) if card.state in states and card.type in OUTWARD]

    def rename(self) -> None:
        """All that a mail may name is called otherwise from now on."""
        with self.house.database.tenant(self.acme, actor="rui") as tx:
            for kind, person in self.people.items():
                contact = contacts.get(tx, person)
                assert contact is not None
                contacts.upsert(tx, build.VAULT, contact_id=person, name=f"Renamed {kind.title()}")
                clients.upsert(tx, client_id=contact.client_id, name=f"New {kind}", language="es")
            for deal in deals.listed(tx):
                deals.put(tx, deal_id=deal.id, title="Racks for Boston")
            tx.run("UPDATE orders SET number = 'N-' || right(id::text, 8), updated_at = :now WHERE tenant_id = :t",
                   now=tx.now, t=tx.tenant_id)  # fmt: skip
            tenants.rename(tx, "Acme Europe")
            settings.change(tx, {"sender_name": "Rui Costa"})


@pytest.fixture
def office(clone: Database, clock: HandClock) -> Iterator[Office]:
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        acme = build.acme(clone, max_emails_per_hour=500)
        houses.resend_for(hands, resend, acme, "re_acme")
        made = Office(house, resend, acme, clock, {})
        with clone.tenant(acme, actor="rui") as tx:
            for kind, name in zip(KINDS, NAMES, strict=True):
                account = build.client(tx, name=f"Old {kind}")
                person = build.contact(tx, account, f"{kind}@old-{kind}.example", name=name)
                clocks.touch(tx, person, "call", by="rui", at=tx.now)
                made.people[kind] = person
            at = tx.now + timedelta(minutes=30)
            for kind, person in made.people.items():
                fall_due(tx, person, kind, at)
            # of everybody else nothing is ever asked
            tx.run("DELETE FROM compliance_checks WHERE tenant_id = :t AND remind_at IS NULL", t=tx.tenant_id)
        clock.advance(hours=1)
        yield made


def test_what_waits_for_a_person_is_written_anew_once_it_is_no_longer_so_and_asked_about_again(office: Office) -> None:
    with office.house.database.tenant(office.acme) as tx:
        settings.change(tx, ASKED)
    office.hour()
    first = office.cards("awaiting_approval")
    assert {card.contact_id for card in first} == set(office.people.values())
    office.hour()
    # whatever people are called, what was just written is what would be written now
    assert {card.id for card in office.cards("awaiting_approval")} == {card.id for card in first}
    approved = first[0]
    with office.house.database.tenant(office.acme, actor="boss") as tx:
        shown = approvals.show(office.house, tx, approved.id)
        # agreed to, and waiting for tomorrow
        approvals.approve(office.house, tx, approved.id, seen=shown.seen, by="boss")
        tx.run("UPDATE kanban_cards SET not_before = :later WHERE tenant_id = :t AND id = :id", t=tx.tenant_id,
               later=tx.now + timedelta(hours=20), id=approved.id)  # fmt: skip
    office.rename()
    with office.house.database.tenant(office.acme, actor="boss") as tx:
        shown = approvals.show(office.house, tx, first[1].id)
        assert "changed since it was written" in shown.reason
        with pytest.raises(approvals.ApprovalVoid, match="gives way to a new one"):
            approvals.approve(office.house, tx, first[1].id, seen=shown.seen, by="boss")
    run_id = office.hour()
    gone, anew = office.cards("cancelled"), office.cards("awaiting_approval")
    assert {card.id for card in gone} == {card.id for card in first}
    assert {card.rule for card in gone} == {RULE}
    assert {card.dedupe_key for card in anew} == {card.dedupe_key for card in first}
    with office.house.database.tenant(office.acme) as tx:
        told = explain.why(tx, gone[0].id)
        assert {line["card_id"] for line in ledger.lines(tx, run_id)} >= {card.id for card in anew}
        words = [approvals.show(office.house, tx, card.id) for card in anew]
    assert "because " in told["answer"]
    assert "changed since it was written (rule wording.current)." in told["answer"]
    for shown in words:
        said = f"{shown.subject} {shown.text}"
        assert "Rui Costa" in said, said
        assert not any(old in said for old in ("Old ", "Ana Diaz", "Shelves", "How are")), said
    # it is said once, and not each hour anew
    office.hour()
    assert {card.id for card in office.cards("awaiting_approval")} == {card.id for card in anew}
    assert office.resend.sent("re_acme") == []


def test_whoever_is_renamed_while_the_hour_runs_is_greeted_by_the_new_name_or_not_yet(office: Office) -> None:
    renamed = list[bool]()

    def fault(step: str) -> None:
        if step == "plan.judged" and not renamed:
            renamed.append(True)
            office.rename()

    # the rename falls between the plan, which has written and queued everything, and the sending
    office.hour(houses.with_fault(office.house, fault))
    assert renamed
    assert office.resend.sent("re_acme") == []
    assert {card.rule for card in office.cards("cancelled")} == {RULE}
    office.hour()
    sent = office.resend.sent("re_acme")
    assert len(sent) == len(office.people)
    assert all("Rui Costa" in mail["text"] and "Old " not in mail["text"] + mail["subject"] for mail in sent)
    office.hour()
    assert len(office.resend.sent("re_acme")) == len(sent)
