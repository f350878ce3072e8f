"""Action cards: the one list of what the agent means to do, does and did, and the only moves a card may make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any, Literal
from uuid import UUID

from domain import rest_news
from domain.db import Row, Tx

MOVES: Mapping[str, frozenset[str]] = {
    "proposed": frozenset({"queued", "awaiting_approval", "blocked", "deferred", "held", "cancelled", "expired"}),
    "queued": frozenset({"executing", "awaiting_approval", "blocked", "deferred", "held", "cancelled", "expired"}),
    "deferred": frozenset({"queued", "awaiting_approval", "blocked", "held", "cancelled", "expired"}),
    "awaiting_approval": frozenset({"queued", "rejected", "blocked", "cancelled", "expired"}),
    "executing": frozenset({"done", "failed", "uncertain", "queued", "deferred"}),
    "uncertain": frozenset({"executing", "done", "failed"}),
    "done": frozenset(),
    "failed": frozenset(),
    "held": frozenset(),
    "blocked": frozenset(),
    "rejected": frozenset(),
    "cancelled": frozenset(),
    "expired": frozenset(),
}
"""The lifecycle; the database holds the same in `hourhand.card_moves`."""

TYPES = frozenset({
    "send_email", "follow_up", "send_quote", "request_feedback", "broadcast_email", "compliance_reminder",
    "escalate_compliance", "create_task", "open_case", "research", "discover_contacts", "enrich_contact",
    "validate_order", "fix_order", "request_order_info", "update_deal", "run_script",
})  # fmt: skip
"""Every type of action that there is; the database holds the same."""

LIVE = frozenset({"proposed", "queued", "deferred", "awaiting_approval", "executing", "uncertain"})
WAITING = frozenset({"proposed", "queued", "deferred", "awaiting_approval"})


MAIL_WAITS = """state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
    AND type IN ('send_email', 'follow_up', 'send_quote', 'request_feedback', 'broadcast_email', 'compliance_reminder',
                 'request_order_info')"""
"""SQL for the cards whose mail is meant and not on its way, in the words of the index of what is open."""

NAMELESS = r"regexp_replace(m.reason, '[^\s<>@,;]+@[^\s<>@,;]+', '<address>', 'g')"
"""A reason as an event tells it: what a provider or a person wrote may name an address, and events are never erased."""


class IllegalMove(Exception):
    """The card is not in a state from which it may go there, or somebody else moved it first."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What an engine would like to be done; it becomes a card unless the same intention already has one."""

    type: str
    engine: str
    title: str
    subject_type: str
    subject_id: str
    dedupe_key: str
    due_at: datetime
    latest_at: datetime
    not_before: datetime | None = None
    client_id: UUID | None = None
    contact_id: UUID | None = None
    thread_id: UUID | None = None
    payload: Mapping[str, Any] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it stands in the database."""

    id: UUID
    type: str
    state: str
    engine: str
    run_id: UUID | None
    title: str
    client_id: UUID | None
    contact_id: UUID | None
    thread_id: UUID | None
    subject_type: str
    subject_id: str
    payload: Mapping[str, Any]
    evidence: Mapping[str, Any]
    priority: int
    dedupe_key: str
    due_at: datetime
    not_before: datetime
    latest_at: datetime
    reason: str | None
    rule: str | None
    outcome: Mapping[str, Any]
    attempts: int
    owner: str | None
    fence: int | None
    executing_until: datetime | None
    reserved_at: datetime | None
    idempotency_key: str | None
    provider_id: str | None
    resolve_after: datetime | None
    approval_hash: bytes | None
    approval_expires_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    created_at: datetime
    state_changed_at: datetime


COLUMNS = ", ".join(Card.__slots__)
_VALUES = itemgetter(*Card.__slots__)


def load(row: Row) -> Card:
    """A card from a row that has every column of `COLUMNS`."""
    return Card(*_VALUES(row))


def get(tx: Tx, card_id: UUID) -> Card | None:
    """One card of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM kanban_cards WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=card_id)
    return load(row) if row else None


def listed(
    tx: Tx, *, state: str | None = None, kind: str | None = None, contact_id: UUID | None = None,
    before: UUID | None = None, limit: int = 50,
) -> list[Card]:  # fmt: skip
    """The tenant's cards, newest first, those made before card `before`."""
    filters = {"state": state, "type": kind, "contact_id": contact_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM kanban_cards
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def propose(tx: Tx, proposals: Sequence[Proposal], *, reconsider_hours: float = 24.0) -> list[Card]:
    """Make cards of `proposals`, one statement for all; the cards that are new.

    An intention (its dedupe key) that has a live or finished card makes none, and neither does one that was
    blocked, rejected, failed or expired within the last `reconsider_hours`.
    """
    if not proposals:
        return []
    fresh = list({each.dedupe_key: each for each in proposals}.values())
    rows = tx.rows(
        f"""WITH wished AS (
            SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:types AS text[]), CAST(:engines AS text[]),
                CAST(:titles AS text[]), CAST(:clients AS uuid[]), CAST(:contacts AS uuid[]), CAST(:threads AS uuid[]),
                CAST(:subject_types AS text[]), CAST(:subject_ids AS text[]), CAST(:payloads AS jsonb[]),
                CAST(:evidences AS jsonb[]), CAST(:priorities AS int[]), CAST(:keys AS text[]),
                CAST(:dues AS timestamptz[]), CAST(:befores AS timestamptz[]), CAST(:latests AS timestamptz[]))
            AS w (id, type, engine, title, client_id, contact_id, thread_id, subject_type, subject_id, payload,
                  evidence, priority, dedupe_key, due_at, not_before, latest_at)
        ), made AS (
            INSERT INTO kanban_cards (tenant_id, run_id, created_at, state_changed_at, id, type, engine, title,
                client_id, contact_id, thread_id, subject_type, subject_id, payload, evidence, priority, dedupe_key,
                due_at, not_before, latest_at)
            SELECT :tenant, :run, :now, :now, w.* FROM wished w
            WHERE NOT EXISTS (
                SELECT FROM kanban_cards c WHERE c.tenant_id = :tenant AND c.dedupe_key = w.dedupe_key
                AND (c.state IN ('proposed','queued','executing','deferred','awaiting_approval','uncertain','done')
                     OR c.state IN ('blocked','rejected','failed','expired') AND c.state_changed_at > :since))
            ON CONFLICT DO NOTHING RETURNING {COLUMNS}
        ), told AS (
            INSERT INTO warehouse_events (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id,
                                          contact_id, data)
            SELECT :tenant, e.event_id, :now, 'card.proposed', 'card', m.id::text, :actor, :run, m.client_id,
                   m.contact_id, jsonb_build_object('type', m.type, 'engine', m.engine, 'due_at', m.due_at)
            FROM made m JOIN unnest(CAST(:ids AS uuid[]), CAST(:event_ids AS uuid[])) AS e (id, event_id) USING (id)
        ) SELECT {COLUMNS} FROM made ORDER BY id""",
        tenant=tx.tenant_id, run=tx.run_id, now=tx.now, actor=tx.actor,
        since=tx.now - timedelta(hours=reconsider_hours),
        event_ids=[tx.clock.uuid() for _ in fresh], **_columns(tx, fresh),
    )  # fmt: skip
    return [load(row) for row in rows]


def _columns(tx: Tx, proposals: Sequence[Proposal]) -> dict[str, Any]:
    return {
        "ids": [tx.clock.uuid() for _ in proposals],
        "types": [p.type for p in proposals],
        "engines": [p.engine for p in proposals],
        "titles": [p.title for p in proposals],
        "clients": [p.client_id for p in proposals],
        "contacts": [p.contact_id for p in proposals],
        "threads": [p.thread_id for p in proposals],
        "subject_types": [p.subject_type for p in proposals],
        "subject_ids": [p.subject_id for p in proposals],
        "payloads": [dict(p.payload) for p in proposals],
        "evidences": [dict(p.evidence) for p in proposals],
        "priorities": [p.priority for p in proposals],
        "keys": [p.dedupe_key for p in proposals],
        "dues": [p.due_at for p in proposals],
        "befores": [p.not_before or p.due_at for p in proposals],
        "latests": [p.latest_at for p in proposals],
    }


@dataclass(frozen=True, slots=True)
class Step:
    """One card's move among several that go to the same state at once."""

    card_id: UUID
    reason: str | None = None
    rule: str | None = None
    not_before: datetime | None = None
    mark: str | None = None
    """A text of this card's own, which `extra` of `move_each` may use as `w.mark`."""


def move(
    tx: Tx, card_ids: Sequence[UUID], to: str, *, frm: Sequence[str] = (), reason: str | None = None,
    rule: str | None = None, not_before: datetime | None = None, extra: str = "", **values: Any,
) -> list[Card]:  # fmt: skip
    """Move cards to `to` for one and the same reason; the cards that did move. Otherwise as `move_each`."""
    steps = [Step(each, reason, rule, not_before) for each in card_ids]
    return move_each(tx, steps, to, frm=frm, extra=extra, **values)


def move_each(
    tx: Tx, steps: Sequence[Step], to: str, *, frm: Sequence[str] = (), extra: str = "", **values: Any
) -> list[Card]:  # fmt: skip
    """Move cards to `to`, each for its own reason and with its event, in one statement; the cards that did move.

    A card moves only from a state that allows it (or one of `frm`). `extra` is further SQL of the SET list, with its
    `values`.
    """
    if not steps:
        return []
    sources = list(frm) or [state for state, targets in MOVES.items() if to in targets]
    rows = tx.rows(
        f"""WITH wished AS (
            SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:event_ids AS uuid[]), CAST(:reasons AS text[]),
                CAST(:rules AS text[]), CAST(:untils AS timestamptz[]), CAST(:marks AS text[]))
            AS w (card_id, event_id, why, by_rule, until, mark)
        ), moved AS (
            UPDATE kanban_cards c SET state = :to, state_changed_at = :now, reason = w.why, rule = w.by_rule,
                not_before = coalesce(w.until, not_before){", " + extra if extra else ""}
            FROM wished w WHERE tenant_id = :tenant AND id = w.card_id AND state = ANY(:sources) RETURNING {COLUMNS}
        ), told AS (
            INSERT INTO warehouse_events (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id,
                                          contact_id, data)
            SELECT :tenant, w.event_id, :now, 'card.' || CAST(:to AS text), 'card', m.id::text, :actor, :run,
                   m.client_id, m.contact_id, jsonb_strip_nulls(jsonb_build_object('type', m.type, 'engine', m.engine,
                       'reason', {NAMELESS}, 'rule', m.rule, 'until', w.until))
            FROM moved m JOIN wished w ON w.card_id = m.id
        ) SELECT {COLUMNS} FROM moved ORDER BY id""",
        tenant=tx.tenant_id, run=tx.run_id, now=tx.now, actor=tx.actor, to=to, sources=sources,
        ids=[step.card_id for step in steps], event_ids=[tx.clock.uuid() for _ in steps],
        reasons=[step.reason for step in steps], rules=[step.rule for step in steps],
        untils=[step.not_before for step in steps], marks=[step.mark for step in steps], **values,
    )  # fmt: skip
    moved = [load(row) for row in rows]
    if to in LEAVES_ROOM:
        rest_news.of(tx, [card.client_id for card in moved if card.client_id is not None])
    return moved


LEAVES_ROOM = frozenset({"blocked", "rejected", "cancelled", "expired", "failed"})
"""Where a card ends that was not carried out: what stood back for it may go ahead."""


def move_one(tx: Tx, card_id: UUID, to: str, **how: Any) -> Card:
    """Move one card. Raises IllegalMove when it could not go."""
    moved = move(tx, [card_id], to, **how)
    if not moved:
        raise IllegalMove(f"card {card_id} cannot move to {to}")
    return moved[0]


def due(tx: Tx, *, limit: int) -> list[Card]:
    """Cards whose time has come, most urgent first: those past `not_before`, and any past their latest time."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM kanban_cards WHERE tenant_id = :tenant
              AND (state IN ('proposed', 'queued', 'deferred') AND not_before <= :now
                   OR state IN ('proposed', 'queued', 'deferred', 'awaiting_approval') AND latest_at <= :now
                   OR state = 'awaiting_approval' AND approval_expires_at <= :now)
            ORDER BY priority DESC, id LIMIT :limit""",
        tenant=tx.tenant_id, now=tx.now, limit=limit,
    )  # fmt: skip
    return [load(row) for row in rows]


def mails_waiting(tx: Tx, *, after: UUID | None, limit: int) -> list[Card]:
    """Mails that are meant and not on their way, whatever they wait for, from behind card `after`."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM kanban_cards WHERE tenant_id = :t AND {MAIL_WAITS}
              AND (CAST(:after AS uuid) IS NULL OR id > :after) ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, after=after, limit=limit,
    )  # fmt: skip
    return [load(row) for row in rows]


def in_state(tx: Tx, card_ids: Sequence[UUID], state: str) -> set[UUID]:
    """Which of the cards stand in `state` now."""
    rows = tx.rows("SELECT id FROM kanban_cards WHERE tenant_id = :t AND id = ANY(:ids) AND state = :state",
                   t=tx.tenant_id, ids=list(card_ids), state=state)  # fmt: skip
    return {row["id"] for row in rows}


def count(tx: Tx, *, state: str, run_id: UUID) -> int:
    """How many cards of one run stand in `state`."""
    return int(
        tx.value("SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND run_id = :run AND state = :state",
                 t=tx.tenant_id, run=run_id, state=state)
    )  # fmt: skip


def cancel_waiting(
    tx: Tx, *, of: Literal["client_id", "contact_id"], whose: UUID, types: Sequence[str], reason: str, rule: str,
    responses: bool = True,
) -> list[Card]:  # fmt: skip
    """Cancel every card of these types that still waits, of one account or of one contact.

    Without `responses`, what answers something that they said stays: it is part of no sequence.
    """
    rows = tx.rows(
        f"""SELECT id FROM kanban_cards WHERE tenant_id = :t AND {of} = :whose AND type = ANY(:types)
            AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
            AND (:responses OR payload -> 'responds_to' IS NULL)""",
        t=tx.tenant_id, whose=whose, types=list(types), responses=responses,
    )  # fmt: skip
    return move(tx, [row["id"] for row in rows], "cancelled", reason=reason, rule=rule)
