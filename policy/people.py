"""The people that cards are about, as rules need them: addresses, account, hours, and the mail they had lately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import sequences
from domain.db import Row, Tx
from policy.model import Person, Sent

RECENT = 12
"""How many of the latest mails to a contact are looked at; enough for a whole sequence."""


@dataclass(frozen=True, slots=True)
class Known:
    """A contact, and where they are."""

    person: Person
    email: str | None
    timezone: str | None
    country: str | None
    client_timezone: str | None
    client_country: str | None
    client_name: str


@dataclass(frozen=True, slots=True)
class Today:
    """Whom of one account mail went to today; `held` counts what a mode kept inside as well."""

    sent: frozenset[UUID]
    held: frozenset[UUID]


def read(tx: Tx, contact_ids: Sequence[UUID], *, since: datetime) -> tuple[dict[UUID, Known], dict[UUID, Today]]:
    """Contacts by id, and by account the people mailed since `since`; one statement."""
    if not contact_ids:
        return {}, {}
    rows = tx.rows(
        f"""WITH people AS (
               SELECT c.id, c.client_id, c.email, c.timezone, c.country, c.broadcast_consent
               FROM contacts c WHERE c.tenant_id = :t AND c.id = ANY(:ids)
           ), today AS (
               SELECT client_id, array_agg(DISTINCT contact_id) FILTER (WHERE state <> 'held') AS sent,
                      array_agg(DISTINCT contact_id) AS held
               FROM outbound_messages
               WHERE tenant_id = :t AND reserved_at >= :since AND state <> 'failed' AND contact_id IS NOT NULL
               GROUP BY client_id
           )
           SELECT p.*, l.timezone AS client_timezone, l.country AS client_country, l.name AS client_name,
                  l.relationship, l.status AS account_status,
                  CASE WHEN k.status = 'paused' THEN k.paused_until END AS away_until,
                  l.last_reply_at AS account_heard_at, k.last_reply_at AS last_heard_at,
                  ARRAY(SELECT r.thread_id FROM ({sequences.running("p.id", "k")}) AS r) AS sequence_threads,
                  d.sent AS sent_today, d.held AS held_today, o.recent,
                  ARRAY(SELECT a.address FROM contact_addresses a
                        WHERE a.tenant_id = :t AND a.contact_id = p.id) AS addresses,
                  EXISTS (SELECT FROM outbound_messages e WHERE e.tenant_id = :t AND e.contact_id = p.id
                          AND e.state NOT IN ('held', 'failed')) AS ever_mailed
           FROM people p
           -- fences: one look-up for each of the people, however few a planner believes there are in all
           JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = p.client_id OFFSET 0) l ON true
           LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k
                              WHERE k.tenant_id = :t AND k.contact_id = p.id OFFSET 0) k ON true
           LEFT JOIN today d ON d.client_id = p.client_id
           LEFT JOIN LATERAL (
               -- a second try under the same key may be the one that arrived
               SELECT jsonb_agg(jsonb_build_array(m.at, m.state = 'held', c.type, m.thread_id)
                                ORDER BY m.at DESC) AS recent
               FROM (SELECT greatest(n.reserved_at, n.last_try_at) AS at, n.state, n.thread_id, n.card_id
                     FROM outbound_messages n
                     WHERE n.tenant_id = :t AND n.contact_id = p.id AND n.state <> 'failed'
                     ORDER BY n.reserved_at DESC LIMIT :recent) m
               JOIN kanban_cards c ON c.tenant_id = :t AND c.id = m.card_id) o ON true""",
        t=tx.tenant_id, ids=list(set(contact_ids)), since=since, recent=RECENT,
    )  # fmt: skip
    today = {row["client_id"]: Today(_set(row["sent_today"]), _set(row["held_today"])) for row in rows}
    return {row["id"]: _known(row) for row in rows}, today


def _known(row: Row) -> Known:
    owned = set(row["addresses"])
    if row["email"]:
        owned.add(row["email"])
    person = Person(
        id=row["id"], client_id=row["client_id"], addresses=frozenset(owned), relationship=row["relationship"],
        broadcast_consent=row["broadcast_consent"], last_heard_at=row["last_heard_at"],
        account_heard_at=row["account_heard_at"], sequence_threads=_set(row["sequence_threads"]),
        sent=tuple(_sent(each) for each in row["recent"] or ()), ever_mailed=row["ever_mailed"],
        account_status=row["account_status"], away_until=row["away_until"],
    )  # fmt: skip
    places = (row[name] for name in ("timezone", "country", "client_timezone", "client_country", "client_name"))
    return Known(person, row["email"], *places)


def _sent(told: Sequence[Any]) -> Sent:
    at, held, card_type, thread_id = told
    return Sent(datetime.fromisoformat(at), held, card_type, UUID(thread_id) if thread_id else None)


def _set(ids: Sequence[UUID] | None) -> frozenset[UUID]:
    return frozenset(ids or ())
