"""People erased while something about them is under way: cards of every state, an unknown outcome, a dead worker."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain import alerts, approval, cards
from domain.cards import IllegalMove
from domain.db import Database
from domain.house import House
from jobs import cycle, erase, resolve
from simulator.emulators.faults import Fault
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.build import VAULT
from tests.hand_clock import HandClock

WAITING = ("proposed", "queued", "deferred", "awaiting_approval")


@pytest.fixture
def stage(clone: Database, clock: HandClock) -> Iterator[tuple[House, ResendEmulator, UUID]]:
    """Acme on a business morning, with a Resend key of its own."""
    clock.advance(hours=6)
    hands = houses.TestHands()
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        acme = build.acme(clone)
        resend.account("re_acme", may_list=False)
        houses.resend_for(hands, resend, acme, "re_acme")
        yield house, resend, acme


def test_no_card_that_was_open_writes_to_somebody_who_was_erased(
    stage: tuple[House, ResendEmulator, UUID], clock: HandClock
) -> None:
    house, resend, acme = stage
    with house.database.tenant(acme, actor="test") as tx:
        build.contact(tx, build.client(tx), "bill@initech.example")
    resend.break_next(Fault("reset", acts=True, method="POST"))
    clock.advance(minutes=5)
    cycle.run(house, acme, kind="manual")
    with house.database.tenant(acme, actor="test") as tx:
        assert [card.state for card in cards.listed(tx)] == ["uncertain"]
        uncertain = cards.listed(tx)[0].id
        for state in WAITING:
            person = build.contact(
                tx, build.client(tx, state.title().replace("_", "-")), f"p@{state.replace('_', '-')}.example"
            )
            build.card(tx, person, state=state)
    posts, sent = _posts(resend), len(resend.sent("re_acme"))
    for address in ("bill@initech.example", *(f"p@{state.replace('_', '-')}.example" for state in WAITING)):
        assert erase.run(house.database, VAULT, acme, address=address, reason="asked", by="root").finished_at
    for hours in (0, 1, 4, 24):
        clock.advance(hours=hours, minutes=5)
        run = cycle.run(house, acme, kind="manual")
        with house.database.tenant(acme, actor="test") as tx:
            assert tx.value("SELECT errors FROM agent_autonomous_runs WHERE id = :r", r=run) == []
    assert (_posts(resend), len(resend.sent("re_acme"))) == (posts, sent)
    with house.database.tenant(acme, actor="test") as tx:
        found = {card.id: card for card in cards.listed(tx)}
        left = found.pop(uncertain)
        assert (left.state, left.reason) == (
            "uncertain", "its reader was erased, and its message with them; it is not sent again")  # fmt: skip
        assert {card.state for card in found.values()} == {"cancelled"}
        for card in found.values():
            with pytest.raises(IllegalMove):
                approval.approve(tx, card.id, by="ana")
        assert tx.rows("SELECT DISTINCT status, follow_up_due_at FROM engagement_clocks") == [
            {"status": "exempt", "follow_up_due_at": None}]  # fmt: skip
        # what nobody can know stays visible, until a person says what became of it
        assert [alert.kind for alert in alerts.listed(tx)] == [resolve.ALERT]
        assert resolve.say(tx, (), uncertain, arrived=True, by="ana", reason="they say so").state == "done"


def _posts(resend: ResendEmulator) -> int:
    return sum(seen.method == "POST" for seen in resend.witness.requests)
