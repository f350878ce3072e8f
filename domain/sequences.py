"""Follow-up sequences across engines: which are running with a contact, what else is meant for them, who gives way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain import events
from domain.db import Row, Tx
from domain.events import News
from domain.switches import OUTWARD

KEEPS_IN_TOUCH = "engagement"
"""The engine that writes for want of anything else to say: whoever has business with a contact takes over from it."""


def running(contact: str, clock: str) -> str:
    """SQL for the sequences that run with a contact, an SQL expression: (engine, thread_id, next_at).

    `clock` is the alias under which the contact's row of `engagement_clocks` was joined already.
    """
    return f"""SELECT '{KEEPS_IN_TOUCH}' AS engine, {clock}.sequence_thread_id AS thread_id,
                      {clock}.follow_up_due_at AS next_at
               WHERE {clock}.follow_up_due_at IS NOT NULL AND {clock}.sequence_thread_id IS NOT NULL
               UNION ALL
               SELECT 'deals', d.thread_id, d.follow_up_due_at FROM deals d
               WHERE d.tenant_id = :t AND d.contact_id = {contact} AND d.state = 'open' AND d.automation
                 AND d.follow_ups > 0 AND d.follow_up_due_at IS NOT NULL AND d.thread_id IS NOT NULL
               UNION ALL
               SELECT 'quotes', q.thread_id, q.follow_up_due_at FROM quotes q
               WHERE q.tenant_id = :t AND q.contact_id = {contact} AND q.status IN ('sent', 'viewed')
                 AND q.follow_up_due_at IS NOT NULL AND q.thread_id IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class Running:
    """A sequence that runs with a contact."""

    engine: str
    thread_id: UUID
    next_at: datetime


@dataclass(frozen=True, slots=True)
class Live:
    """A mail to a contact that is meant already."""

    card_id: UUID
    engine: str
    title: str
    priority: int
    state: str
    not_before: datetime
    dedupe_key: str
    approved: bool

    @property
    def settled_on(self) -> bool:
        """A person has agreed, or it is on its way: it goes before whatever else is meant for the contact."""
        return self.approved or self.state == "executing"


@dataclass(frozen=True, slots=True)
class Wrote:
    """The agent's last mail to a contact."""

    engine: str
    title: str
    subject_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """All that one contact hears from the agent at present."""

    running: tuple[Running, ...]
    live: tuple[Live, ...]
    wrote: Wrote | None
    heard_at: datetime | None
    """When the contact last wrote; looked up only where there is something that could give way."""


def standing(
    tx: Tx, contacts: Mapping[UUID, int], *, since: datetime, holding: bool
) -> Mapping[UUID, Standing]:  # fmt: skip
    """How each contact stands to whom so many mails are proposed, in one statement that reads hardly a row for most.

    `since`: how far back the last mail is looked for. With `holding`, mails that a mode held count as written.
    """
    rows = tx.rows(
        f"""SELECT s.*, CASE WHEN s.wishes > 1 OR s.live IS NOT NULL OR s.wrote IS NOT NULL THEN (
                       SELECT h.last_reply_at FROM engagement_clocks h
                       WHERE h.tenant_id = :t AND h.contact_id = s.id) END AS heard_at
            FROM (SELECT p.id, p.wishes,
                (SELECT jsonb_agg(jsonb_build_array(r.engine, r.thread_id, r.next_at))
                 FROM ({running("p.id", "k")}) AS r) AS running,
                (SELECT jsonb_agg(jsonb_build_array(c.id, c.engine, c.title, c.priority, c.state, c.not_before,
                                                    c.dedupe_key, c.approved_by IS NOT NULL))
                 FROM kanban_cards c WHERE c.tenant_id = :t AND c.contact_id = p.id AND c.type = ANY(:outward)
                   AND c.state IN ('proposed', 'queued', 'deferred', 'awaiting_approval', 'executing', 'uncertain'))
                    AS live,
                (SELECT jsonb_build_array(c.engine, c.title, c.subject_id, greatest(o.reserved_at, o.last_try_at))
                 FROM outbound_messages o JOIN kanban_cards c ON c.tenant_id = :t AND c.id = o.card_id
                 WHERE o.tenant_id = :t AND o.contact_id = p.id AND o.reserved_at > :since AND o.state <> 'failed'
                   AND (:holding OR o.state <> 'held')
                 ORDER BY o.reserved_at DESC LIMIT 1) AS wrote
            FROM unnest(CAST(:ids AS uuid[]), CAST(:wishes AS int[])) AS p (id, wishes)
            -- in the words of the index of running sequences: whoever is in none costs no row
            LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k
                               WHERE k.tenant_id = :t AND k.contact_id = p.id AND k.follow_up_due_at IS NOT NULL
                                 AND k.sequence_thread_id IS NOT NULL OFFSET 0) k ON true OFFSET 0) AS s""",
        t=tx.tenant_id, ids=list(contacts), wishes=list(contacts.values()), outward=sorted(OUTWARD), since=since,
        holding=holding,
    )  # fmt: skip
    return {row["id"]: _standing(row) for row in rows}


def owner(tx: Tx, thread_id: UUID) -> str | None:
    """The engine that began a conversation: what is answered there is its business; None: no engine did."""
    engine: str | None = tx.value(
        "SELECT engine FROM mail_threads WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=thread_id
    )
    return engine


def give_way(tx: Tx, contact_ids: Sequence[UUID], *, reason: str) -> int:
    """End the engagement sequences of contacts who are about to hear from another engine; how many there were.

    That mail is a touch as well: the promise is kept by it.
    """
    if not contact_ids:
        return 0
    rows = tx.rows(
        """UPDATE engagement_clocks SET sequence_step = 0, sequence_thread_id = NULL, follow_up_due_at = NULL
           WHERE tenant_id = :t AND contact_id = ANY(:ids) AND follow_up_due_at IS NOT NULL
           RETURNING contact_id, client_id""",
        t=tx.tenant_id, ids=list(contact_ids),
    )  # fmt: skip
    events.record_all(tx, [
        News("sequence.stopped", "contact", row["contact_id"], row["client_id"], row["contact_id"],
             data={"reason": reason})
        for row in rows
    ])  # fmt: skip
    return len(rows)


def _standing(row: Row) -> Standing:
    return Standing(
        running=tuple(Running(engine, UUID(thread), datetime.fromisoformat(at))
                      for engine, thread, at in row["running"] or ()),
        live=tuple(Live(UUID(card), engine, title, priority, state, datetime.fromisoformat(before), key, approved)
                   for card, engine, title, priority, state, before, key, approved in row["live"] or ()),
        wrote=_wrote(*row["wrote"]) if row["wrote"] else None,
        heard_at=row["heard_at"],
    )  # fmt: skip


def _wrote(engine: str, title: str, subject_id: str, at: str) -> Wrote:
    return Wrote(engine, title, subject_id, datetime.fromisoformat(at))
