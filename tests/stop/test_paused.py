"""A process paused before its POST: a stop names its card as long as it holds the gate, and it wakes too late."""

from __future__ import annotations

import signal
from time import monotonic_ns

from domain.switches import InFlight, Switch
from tests.stop.laboratory import Laboratory, stock

HOUSE = Switch(None, "all")
OVERDUE = "SELECT 1 FROM hourhand.kanban_cards WHERE state = 'executing' AND executing_until < hourhand.db_now()"


def test_a_process_paused_past_its_deadline_is_named_until_its_gate_is_lost_and_then_sends_nothing(
    lab: Laboratory,
) -> None:
    tenant_id = lab.tenant("acme")
    with lab.database.tenant(tenant_id) as tx:
        [card_id] = stock(tx, 1)
        kind = tx.value("SELECT type FROM kanban_cards WHERE id = :id", id=card_id)
    sender = lab.process([tenant_id], pause_at="execute.reserved", cards_each=1)
    lab.until_paused(sender)
    for moment in ("SELECT 1", OVERDUE):
        lab.until(moment)
        flip = lab.stop(HOUSE, timeout_seconds=0.1)
        assert (flip.settled, flip.in_flight) == (False, (InFlight(tenant_id, card_id, kind),))
    lab.end_gate()
    assert lab.stop(HOUSE).settled, "past its deadline it starts nothing any more"
    returned = monotonic_ns()
    sender.send_signal(signal.SIGCONT)
    lab.until("SELECT 1 FROM hourhand.kanban_cards WHERE state <> 'executing'")
    assert lab.posts(returned) == []
