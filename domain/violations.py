"""What the policy said of each card, stored for "why?", and what it refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain.cards import Card, load
from domain.clock import uuid7
from domain.db import Tx, json_list

Stored = str | Mapping[str, Any]
"""A verdict as it is kept: what `UNSAID` says is left out, and a rule that only allows stands by its name."""

UNSAID: Mapping[str, Any] = {"decision": "allow", "reason": "nothing against it", "facts": {}, "until": None}
"""What is true of a verdict as long as it says nothing else; most of some forty per card do not."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A card's judgement in the form in which it is stored."""

    card: Card
    decision: str
    verdicts: Sequence[Stored]
    facts: Mapping[str, Any] | None = None
    """What it takes to judge it again under other settings."""


def store(tx: Tx, stage: str, policy_version: int, judged: Sequence[Judged]) -> None:
    """Keep every verdict on every card, and a violation for each rule that did not simply allow."""
    verdicts = [
        {"id": str(tx.clock.uuid()), "card_id": str(each.card.id), "decision": each.decision,
         "verdicts": each.verdicts, "facts": each.facts}
        for each in judged
    ]  # fmt: skip
    tx.run(
        """INSERT INTO card_verdicts
               (tenant_id, id, card_id, run_id, stage, decision, policy_version, verdicts, facts, at)
           SELECT :t, v.id, v.card_id, :run, :stage, v.decision, :version, v.verdicts, v.facts, :now
           FROM jsonb_to_recordset(:verdicts)
                AS v (id uuid, card_id uuid, decision text, verdicts jsonb, facts jsonb)""",
        t=tx.tenant_id, run=tx.run_id, stage=stage, version=policy_version, now=tx.now, verdicts=json_list(verdicts),
    )  # fmt: skip
    refusals = [
        {"id": str(tx.clock.uuid()), "card_id": str(each.card.id), "rule": verdict["rule"],
         "reason": verdict["reason"], "blocked": verdict["decision"] == "block", "action": _action(each.card),
         "facts": verdict["facts"]}
        for each in judged for verdict in _refusals(each.verdicts)
    ]  # fmt: skip
    if refusals:
        tx.run(
            """INSERT INTO agent_policy_violations
                   (tenant_id, id, card_id, run_id, rule, reason, blocked, action, facts, at)
               SELECT :t, r.id, r.card_id, :run, r.rule, r.reason, r.blocked, r.action, r.facts, :now
               FROM jsonb_to_recordset(:refusals) AS r (id uuid, card_id uuid, rule text, reason text,
                                                        blocked boolean, action jsonb, facts jsonb)""",
            t=tx.tenant_id, run=tx.run_id, now=tx.now, refusals=json_list(refusals),
        )  # fmt: skip


def _refusals(verdicts: Sequence[Stored]) -> Iterator[Mapping[str, Any]]:
    for verdict in verdicts:
        # by its name alone stands what allows
        if not isinstance(verdict, str) and verdict.get("decision") in ("block", "needs_approval"):
            yield told(verdict)


def of_card(tx: Tx, card_id: UUID) -> list[dict[str, Any]]:
    """Every judgement of a card, oldest first."""
    rows = tx.rows(
        """SELECT stage, decision, policy_version, verdicts, at, run_id FROM card_verdicts
           WHERE tenant_id = :t AND card_id = :c ORDER BY at, id""",
        t=tx.tenant_id, c=card_id,
    )  # fmt: skip
    return [{**row, "verdicts": [told(verdict) for verdict in row["verdicts"]]} for row in rows]


def told(verdict: Stored) -> dict[str, Any]:
    """A stored verdict in full: rule, decision, reason, facts, until."""
    return {**UNSAID, **({"rule": verdict} if isinstance(verdict, str) else verdict)}


@dataclass(frozen=True, slots=True)
class Past:
    """A card's last judgement, as it was stored."""

    card: Card
    at: datetime
    verdicts: Sequence[Mapping[str, Any]]
    facts: Mapping[str, Any] | None
    """None: it was judged before facts were kept."""


def past(tx: Tx, *, since: datetime, page: int = 500) -> Iterator[Past]:
    """The last judgement of every card since then, in the order in which they were made; read page by page."""
    # ids rise with the machine's time, which a rehearsal's moved clock is not
    ahead = int(tx.now.timestamp() * 1000) - (tx.clock.uuid().int >> 80)
    after = uuid7(int(since.timestamp() * 1000) - ahead, 0, 0)
    columns = ", ".join(f"c.{name}" for name in Card.__slots__)
    while True:
        rows = tx.rows(
            f"""SELECT v.id AS place, v.at, v.verdicts, v.facts, {columns}
                FROM card_verdicts v JOIN kanban_cards c ON c.tenant_id = :t AND c.id = v.card_id
                WHERE v.tenant_id = :t AND v.id > :after AND v.at > :since
                  AND v.stage IN ('plan', 'execute') AND NOT EXISTS (
                    SELECT FROM card_verdicts l WHERE l.tenant_id = :t AND l.card_id = v.card_id
                    AND l.stage IN ('plan', 'execute') AND (l.at, l.id) > (v.at, v.id))
                ORDER BY v.id LIMIT :page""",
            t=tx.tenant_id, after=after, since=since, page=page,
        )  # fmt: skip
        for row in rows:
            yield Past(load(row), row["at"], [told(verdict) for verdict in row["verdicts"]], row["facts"])
        if len(rows) < page:
            return
        after = rows[-1]["place"]


def recent(tx: Tx, *, before: UUID | None = None, limit: int = 50) -> list[dict[str, Any]]:
    """The tenant's violations, newest first, those before id `before`."""
    rows = tx.rows(
        """SELECT id, card_id, run_id, rule, reason, blocked, action, facts, at FROM agent_policy_violations
           WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit,
    )  # fmt: skip
    return [dict(row) for row in rows]


def _action(card: Card) -> dict[str, Any]:
    return {
        "type": card.type, "engine": card.engine, "title": card.title, "payload": dict(card.payload),
        "client_id": str(card.client_id) if card.client_id else None,
        "contact_id": str(card.contact_id) if card.contact_id else None,
    }  # fmt: skip
