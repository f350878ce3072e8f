"""What if: a changed policy tried on what was judged, by the rules themselves, and nothing is different afterwards."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import policy
from domain import cards, settings, violations
from domain.db import Database, Tx
from domain.house import House
from engines.registry import ENGINES
from jobs import judge, whatif
from jobs.whatif import WhatIf
from policy import hindsight
from tests import build, houses
from tests.hand_clock import HandClock

PEOPLE = 6


@pytest.fixture
def house(clone: Database, clock: HandClock) -> Iterator[House]:
    """A house on a Monday morning in New York, where the contacts are."""
    clock.advance(hours=6)
    with houses.house(clone) as built:
        yield built


def _judge(house: House, tenant: UUID, **fields: Any) -> list[cards.Card]:
    """A mail to each of six people, each of an account of its own, judged as planning judges them."""
    with house.database.tenant(tenant) as tx:
        wished = []
        for number in range(PEOPLE):
            client = build.client(tx, f"Client {number}")
            person = build.contact(tx, client, f"p{number}@client-{number}.example")
            wished.append(build.proposal(tx, person, dedupe_key=str(tx.clock.uuid()), **fields))
        made = cards.propose(tx, wished)
        judge.triage(house, tx, ENGINES, made, settings.of(tx))
        return made


def _ask(house: House, tenant: UUID, **changes: Any) -> WhatIf:
    with house.database.tenant(tenant) as tx:
        before = _everything(tx)
        told = whatif.ask(house, tx, changes)
        assert _everything(tx) == before
    return told


def _everything(tx: Tx) -> list[Any]:
    tables = ("kanban_cards", "card_verdicts", "tenants", "agent_rate_limits", "warehouse_events", "audit_log")
    return [tx.value(f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t") for table in tables]


def test_a_lower_cap_newly_defers_what_is_over_it_counted_in_order(house: House) -> None:
    acme = build.acme(house.database)
    _judge(house, acme)
    told = _ask(house, acme, max_emails_per_hour=4)
    assert (told.tried, told.goes_out, told.stopped, told.unknown) == (6, 0, 2, 0)
    assert list(whatif.rows(told)) == [
        {"change": "stopped", "rule": "no_spam.hourly_cap", "decision": "defer", "cards": 2}
    ]
    assert all(each.before == "allow" and "4 mails went out" in each.reason for each in told.cards)
    assert _ask(house, acme, max_emails_per_hour=6).cards == []


def test_leaving_dry_run_shows_what_would_go_out_and_to_whom_it_would_not(house: House) -> None:
    acme = build.tenant(house.database, "acme", {**build.ACME})
    _judge(house, acme)
    told = _ask(house, acme, send_mode="live")
    assert (told.goes_out, told.stopped) == (6, 0)
    assert {(each.before, each.rule) for each in told.cards} == {("hold", "modes.dry_run")}
    inside = _ask(house, acme, send_mode="internal_only", allow_list=["client-1.example", "p2@client-2.example"])
    assert inside.goes_out == 2
    few = _ask(house, acme, send_mode="limited_live", limited_live_new_contacts_per_day=3)
    assert (few.goes_out, few.otherwise) == (3, 3)
    assert ("otherwise", "modes.limited_live_new_contacts", "defer") in few.by_rule


def test_a_wish_for_approval_and_for_other_hours_is_tried_too(house: House) -> None:
    acme = build.acme(house.database)
    _judge(house, acme)
    asked = _ask(house, acme, autonomy={"follow_up": "approve"})
    assert dict(asked.by_rule) == {("stopped", "approval", "needs_approval"): 6}
    late = _ask(house, acme, send_window_start="14:00", send_window_end="15:00")
    assert dict(late.by_rule) == {("stopped", "no_spam.send_window", "defer"): 6}
    assert _ask(house, acme, autonomy={"follow_up": "auto"}).cards == []


def test_registering_a_domain_lets_out_what_its_link_blocked(house: House) -> None:
    acme = build.acme(house.database)
    _judge(house, acme, payload={"subject": "Hello", "text": "See https://docs.partner.example/price today."})
    told = _ask(house, acme, registered_domains=["acme.example", "partner.example"])
    assert dict(told.by_rule) == {("goes_out", "sensitive.unknown_links", "block"): 6}
    assert _ask(house, acme, registered_domains=["acme.example", "other.example"]).cards == []


def test_what_a_rule_without_settings_said_stands(house: House) -> None:
    acme = build.tenant(house.database, "acme", {**build.ACME})
    _judge(house, acme, payload={"subject": "Hello", "text": "Our bank details have changed: new IBAN follows."})
    told = _ask(house, acme, send_mode="live")
    assert (told.goes_out, told.stopped) == (0, 0)


def test_only_the_last_judgement_of_a_card_within_the_days_counts(house: House, clock: HandClock) -> None:
    acme = build.acme(house.database)
    made = _judge(house, acme)
    with house.database.tenant(acme) as tx:
        again = judge.look(house, tx, made[:2], settings.of(tx))
        judge.store(tx, "execute", again)
    assert _ask(house, acme, max_emails_per_hour=0).tried == 6
    clock.advance(days=31)
    assert _ask(house, acme, max_emails_per_hour=0).tried == 0


def test_pages_neither_repeat_nor_skip(house: House) -> None:
    acme = build.acme(house.database)
    _judge(house, acme)
    with house.database.tenant(acme) as tx:
        since = tx.now - timedelta(days=1)
        pages = [each.card.id for each in violations.past(tx, since=since, page=2)]
        assert pages == [each.card.id for each in violations.past(tx, since=since)]
        assert len(set(pages)) == PEOPLE


def test_cards_without_kept_facts_are_counted_and_not_guessed_at(house: House) -> None:
    acme = build.acme(house.database)
    _judge(house, acme)
    with house.database.tenant(acme) as tx:
        rows = tx.rows("DELETE FROM card_verdicts RETURNING id, card_id, stage, decision, policy_version, verdicts, at")
        for row in rows:
            tx.run(
                """INSERT INTO card_verdicts (tenant_id, id, card_id, stage, decision, policy_version, verdicts, at)
                   VALUES (:t, :id, :card_id, :stage, :decision, :policy_version, '[]', :at)""",
                t=acme, **{name: row[name] for name in row if name != "verdicts"},
            )  # fmt: skip
    told = _ask(house, acme, max_emails_per_hour=0)
    assert (told.unknown, told.stopped) == (6, 0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [({"sender_name": "Ana"}, "no rule reads it"), ({"max_email_per_hour": 3}, "did you mean max_emails_per_hour"),
     ({"max_emails_per_hour": "many"}, "max_emails_per_hour"), ({}, "at least one")],
)  # fmt: skip
def test_a_setting_that_no_rule_reads_is_refused_by_name(house: House, changes: dict[str, Any], told: str) -> None:
    acme = build.acme(house.database)
    with pytest.raises(settings.InvalidSetting, match=told):
        _ask(house, acme, **changes)


def test_every_setting_that_the_policy_reads_can_be_tried() -> None:
    """Found in the code, so that a rule which reads another setting can't be forgotten here."""
    read = set()
    for path in Path(policy.__file__).parent.rglob("*.py"):
        if path.name in ("drafts.py", "hindsight.py"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and node.attr in settings.TenantSettings.model_fields:
                owner = node.value
                name = owner.attr if isinstance(owner, ast.Attribute) else getattr(owner, "id", "")
                if name in ("settings", "chosen"):
                    read.add(node.attr)
    rendering = {"sender_address", "postal_address"}
    assert read - rendering <= hindsight.SETTINGS
    assert hindsight.SETTINGS - read == {"send_mode"}  # read as `mode`
