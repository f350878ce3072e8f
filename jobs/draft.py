"""Drafting: a model writes the body of cards about to be judged, once each; the gate looks at it, else a template."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from brain import answers, questions
from brain.questions import Question
from domain import addresses, drafts, settings
from domain.cards import Card
from domain.db import FenceLost, Tx
from domain.drafts import Draft
from domain.house import Leaving
from domain.settings import TenantSettings
from domain.switches import OUTWARD
from jobs import ask, judge
from jobs.ask import Desk, Wish
from jobs.hour import Cycle, DeadlinePassed, Stopped
from policy import drafts as gate

SENT_ON_THEIR_WAY = frozenset({"allow", "needs_approval", "hold"})
"""Only what would be written to somebody now is worth a model's time."""

Letters = Question[Any, answers.Letter]


def draft(cycle: Cycle, batch: Sequence[Card]) -> list[Card]:
    """The batch with the drafts that it got; templates stand for the rest, whatever goes wrong with a draft."""
    frozen: dict[UUID, Card] = {}
    try:
        for drafted in _drafted(cycle, [card for card in batch if _is_writable(card)]):
            frozen |= drafted
    except (FenceLost, Stopped, DeadlinePassed, Leaving):
        raise
    except Exception as error:  # noqa: BLE001 - recorded on the run
        cycle.note("draft", error)
    return [frozen.get(card.id, card) for card in batch]


def _drafted(cycle: Cycle, wanted: Sequence[Card]) -> Iterator[Mapping[UUID, Card]]:
    """The cards that got a draft, by card, a few at a time. No transaction is open while a model is asked."""
    if not wanted:
        return
    cycle.breathe()
    with cycle.transaction() as tx:
        chosen = settings.of(tx)
        willing = [
            each.card for each in judge.look(cycle.house, tx, wanted, chosen)
            if each.judgement.deciding.decision in SENT_ON_THEIR_WAY
        ]  # fmt: skip
        names = _names(tx, willing)
    desk = Desk(cycle.house, cycle.held.tenant_id, cycle.held.lock_id, chosen, cycle.run.id)
    for question, some in _by_question(willing):
        for start in range(0, len(some), ask.AT_ONCE):
            # the lease is kept alive between them, and what is written is kept, whatever ends the cycle meanwhile
            cycle.breathe()
            written = _write(desk, question, some[start : start + ask.AT_ONCE], names)
            with cycle.transaction() as tx:
                frozen = drafts.freeze(tx, written)
            yield frozen


def _is_writable(card: Card) -> bool:
    told = card.payload
    template = str(told.get("template") or "")
    return card.type in OUTWARD and bool(template) and not told.get("text") and "draft" not in told and (
        card.state in ("proposed", "deferred") and questions.writer_for(template) is not None
    )  # fmt: skip


def _by_question(some: Sequence[Card]) -> list[tuple[Letters, list[Card]]]:
    groups: dict[str, tuple[Letters, list[Card]]] = {}
    for card in some:
        question = questions.writer_for(str(card.payload["template"]))
        assert question is not None, "only cards that a model may write come here"
        groups.setdefault(question.name, (question, []))[1].append(card)
    return list(groups.values())


def _write(desk: Desk, question: Letters, some: Sequence[Card], names: Mapping[UUID, str]) -> list[Draft]:
    replies = ask.ask_each(desk, question, [_wish(desk.settings, card, names) for card in some])
    return [
        Draft(card.id, reply.by, _body(reply.answer) if reply.call_id else "", reply.call_id)
        for card, reply in zip(some, replies, strict=True)
    ]


def _wish(chosen: TenantSettings, card: Card, names: Mapping[UUID, str]) -> Wish[answers.Letter]:
    slots = card.payload.get("slots") or {}
    language = str(card.payload.get("language") or chosen.language)
    domains = own_domains(chosen)
    people = (names.get(card.contact_id, "") if card.contact_id else "", *(
        str(slots.get(name) or "") for name in ("first_name", "client_name", "sender_name", "company")
    ))  # fmt: skip

    page = drafts.leads_to_a_page(card.payload)

    def refuses(letter: answers.Letter) -> str | None:
        return gate.wrong(_body(letter), language=language, slots=slots, own_domains=domains, page=page)

    given = questions.letter_for(str(card.payload["template"]), language, slots, page=page)
    return Wish(given, card_id=card.id, names=people, refuses=refuses)


def own_domains(chosen: TenantSettings) -> frozenset[str]:
    """Where a tenant's links may lead."""
    writes_from = addresses.company_domain(chosen.sender_address.lower())
    return frozenset({*chosen.registered_domains, *([writes_from] if writes_from else [])})


def _body(letter: answers.Letter) -> str:
    lines = [line.rstrip() for line in letter.body.replace("\r\n", "\n").replace("\r", "\n").strip().split("\n")]
    return "\n".join(lines) + "\n"


def _names(tx: Tx, some: Sequence[Card]) -> Mapping[UUID, str]:
    ids = [card.contact_id for card in some if card.contact_id is not None]
    if not ids:
        return {}
    rows = tx.rows("SELECT id, name FROM contacts WHERE tenant_id = :t AND id = ANY(:ids)", t=tx.tenant_id, ids=ids)
    return {row["id"]: row["name"] or "" for row in rows}
