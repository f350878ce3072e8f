"""Why? Everything the house knows of one card, and what a cycle would do now, changing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain import agreements, cards, events, outbound, rests, runs, settings, switches, undo, violations
from domain.db import Tx
from domain.house import House
from engines.contract import Context, Engine
from engines.registry import ENGINES
from jobs import judge
from jobs.arbitrate import arbitrate
from jobs.hour import questions, ripe
from policy.judge import sentence


class NoSuchCard(Exception):
    """The tenant has no such card."""


def why(tx: Tx, card_id: UUID) -> dict[str, Any]:
    """Why a card was sent, held or refused: its story, every rule's verdict with its facts, and its mail's fate.

    Raises NoSuchCard.
    """
    card = cards.get(tx, card_id)
    if card is None:
        raise NoSuchCard(f"no card {card_id}")
    judgements = violations.of_card(tx, card_id)
    for judgement in judgements:
        for verdict in judgement["verdicts"]:
            verdict["sentence"] = sentence(verdict["rule"])
    kept = outbound.frozen(tx, card_id)
    return {
        "records": agreements.around(tx, card.subject_type, card.subject_id),
        "card": {name: getattr(card, name) for name in card.__slots__ if name != "approval_hash"},
        "answer": _answer(card),
        "undo": {"possible": undo.of(card).possible, "how": undo.of(card).how},
        "judgements": judgements,
        "story": [dict(row) for row in events.story(tx, "card", str(card_id))],
        "mail": None if kept is None else {
            "state": kept[1]["state"], "mode": kept[1]["mode"], "to": list(kept[0].to), "subject": kept[0].subject,
            "text": kept[0].text, "tries": kept[1]["tries"], "provider_id": kept[1]["provider_id"],
        },
    }  # fmt: skip


def cycle(house: House, tenant_id: UUID, *, engines: Sequence[Engine] = ENGINES) -> dict[str, Any]:
    """What a cycle would do at this moment and why: planned and judged in a transaction that is rolled back."""
    with house.database.tenant(tenant_id, actor="explain") as tx:
        closed = sorted(":".join(filter(None, switch)) for switch in switches.closed(tx))
        stopped = house.brakes.stopped()
        told = _look(house, tx, engines)
        tx.roll_back()
    return {"stopped": stopped, "closed_switches": closed, **told}


def _look(house: House, tx: Tx, engines: Sequence[Engine]) -> dict[str, Any]:
    tenant_settings = settings.of(tx)
    context = Context(tx, tenant_settings)
    for engine in ripe(engines, runs.outstanding(tx, questions(engines))):
        engine.ripen(context)
    rests.wake(tx)
    said = [(engine, engine.plan(context)) for engine in engines]
    plans = [plan for _, plan in arbitrate(house.brakes, tx, said)]
    proposals = [proposal for each in plans for proposal in each.proposals]
    new = cards.propose(tx, proposals, reconsider_hours=tenant_settings.reconsider_hours)
    waiting = [card for card in cards.due(tx, limit=500) if card.id not in {each.id for each in new}]
    judged = judge.look(house, tx, [*new, *waiting], tenant_settings)
    return {
        "obligations": sum(each.due for each in plans),
        "cards": [
            {"title": each.card.title, "type": each.card.type, "new": each.card.id in {card.id for card in new},
             "due_at": each.card.due_at, "decision": each.judgement.decision, "rule": each.judgement.deciding.rule,
             "reason": each.judgement.deciding.reason, "until": each.judgement.deciding.until}
            for each in judged
        ],
    }  # fmt: skip


def _answer(card: cards.Card) -> str:
    because = f" because {card.reason}" if card.reason else ""
    by = f" (rule {card.rule})" if card.rule else ""
    return f"The card is {card.state.replace('_', ' ')}{because}{by}."
