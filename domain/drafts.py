"""Drafts: the words that a model wrote for a card, frozen with the card before it is judged, and asked for once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import cards, events
from domain.cards import Card
from domain.db import Tx
from domain.events import News

PAGE = "[[PAGE]]"
"""What stands in a draft for the address of the page that its mail leads to: a model neither sees nor writes one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """Who wrote a card's words, and the words; without any, its template stands."""

    card_id: UUID
    by: str
    text: str = ""
    call_id: UUID | None = None


def freeze(tx: Tx, drafts: Sequence[Draft]) -> dict[UUID, Card]:
    """Bind drafts to their cards, by card; one that has a draft already, or is past judging, keeps what it has."""
    if not drafts:
        return {}
    rows = tx.rows(
        f"""UPDATE kanban_cards c SET payload = c.payload || jsonb_build_object('draft', w.draft)
            FROM unnest(CAST(:ids AS uuid[]), CAST(:drafts AS jsonb[])) AS w (id, draft)
            WHERE c.tenant_id = :t AND c.id = w.id AND c.state IN ('proposed', 'deferred')
              AND c.payload -> 'draft' IS NULL
            RETURNING {", ".join(f"c.{name}" for name in Card.__slots__)}""",
        t=tx.tenant_id, ids=[each.card_id for each in drafts], drafts=[_kept(each) for each in drafts],
    )  # fmt: skip
    frozen = {row["id"]: cards.load(row) for row in rows}
    events.record_all(tx, [
        News("card.drafted", "card", each.card_id, data={"by": each.by, "call": str(each.call_id)})
        for each in drafts if each.card_id in frozen and each.text
    ])  # fmt: skip
    return frozen


def words(payload: Mapping[str, Any]) -> str:
    """The words that a model wrote for a card; empty where a person's or a template's stand."""
    draft = payload.get("draft")
    return str(draft.get("text") or "") if isinstance(draft, Mapping) and not payload.get("text") else ""


def leads_to_a_page(payload: Mapping[str, Any]) -> bool:
    """Whether a card's mail is there to lead to a page of our own: a quote's, or where an opinion is asked for."""
    return any(name.endswith("_page") and bool(told) for name, told in payload.items())


def _kept(draft: Draft) -> dict[str, Any]:
    told: dict[str, Any] = {"by": draft.by}
    if draft.text:
        told |= {"text": draft.text, "call": str(draft.call_id) if draft.call_id else None}
    return told
