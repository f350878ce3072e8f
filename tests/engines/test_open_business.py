"""What is open with an account counts when the engagement engine ranks whom to touch."""

from __future__ import annotations

from domain import deals
from domain.db import Database
from tests import build
from tests.engines import hours


def test_an_account_with_open_deals_is_touched_before_one_without(clone: Database) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        plain = build.contact(tx, build.client(tx), "bill@initech.example")
        wooed = build.contact(tx, build.client(tx, name="Hooli"), "cy@hooli.example")
        for number in range(2):
            build.deal(tx, wooed, f"Deal {number}")
        lost = build.deal(tx, plain)
        deals.lose(tx, lost, evidence=deals.by_person(tx, "he said so"), reason="no budget")
    first, second = hours.planned(clone, acme).proposals
    assert (first.contact_id, second.contact_id) == (wooed, plain)
    assert first.evidence["score"]["business"] == 100.0
    assert second.evidence["score"]["business"] == 0.0
