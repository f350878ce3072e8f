"""Feedback requests as rules need them: whether somebody may still be asked about an order, as it stands now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.cards import Card
from domain.db import Tx
from domain.feedback_book import RECOVERING

TYPE, SUBJECT = "request_feedback", "feedback_request"


@dataclass(frozen=True, slots=True)
class Asking:
    """The request behind a card that asks for feedback or makes good, and what has come about since it was meant."""

    state: str
    reminding: bool
    """Whether a reminder is (still) to be sent."""
    insisted: bool
    """A person wants it asked, whenever the contact was asked last."""
    order_status: str
    of_account: bool
    """Whether the order is (still) the account's that is asked."""
    case_opened_at: datetime | None
    """Since when a case about the account is open."""
    asked_at: datetime | None
    """When the same contact was last asked about another order."""
    exempt: str | None
    """Why the contact may not be reached, if they may not."""
    seen_to: bool = False
    """Whether a case about the request itself is open: somebody looks into what displeased."""


def read(tx: Tx, cards: Sequence[Card]) -> dict[UUID, Asking]:
    """The requests behind cards that ask for feedback or make good, by card; one statement, and none without any."""
    about = {card.id: UUID(card.subject_id) for card in cards if card.subject_type == SUBJECT
             and (card.type == TYPE or card.payload.get("template") == RECOVERING)}  # fmt: skip
    if not about:
        return {}
    rows = tx.rows(
        """SELECT w.card_id, f.state, f.remind_at IS NOT NULL AS reminding, f.insisted, o.status AS order_status,
                  coalesce(o.client_id = f.client_id, false) AS of_account,
                  (SELECT min(s.opened_at) FROM cases s
                   WHERE s.tenant_id = :t AND s.client_id = f.client_id AND s.state = 'open') AS case_opened_at,
                  greatest(
                      -- the newest off the index, and not all that they were ever asked
                      (SELECT r.sent_at FROM feedback_requests r WHERE r.tenant_id = :t
                         AND r.contact_id = w.contact_id AND r.sent_at IS NOT NULL AND r.id <> f.id
                         AND r.state <> 'skipped' ORDER BY r.sent_at DESC LIMIT 1),
                      (SELECT max(r.shadow_sent_at) FROM feedback_requests r WHERE r.tenant_id = :t
                         AND r.contact_id = w.contact_id AND r.shadow_sent_at IS NOT NULL AND r.id <> f.id))
                      AS asked_at,
                  CASE WHEN k.status = 'exempt' AND k.exempt_reason <> 'discovered' THEN k.exempt_reason END AS exempt,
                  EXISTS (SELECT FROM cases s WHERE s.tenant_id = :t AND s.client_id = f.client_id
                          AND s.state = 'open' AND (s.id = f.case_id
                              -- it was opened just now, and the request does not know it yet
                              OR s.evidence ->> 'feedback_request_id' = f.id::text)) AS seen_to
           FROM unnest(CAST(:ids AS uuid[]), CAST(:requests AS uuid[]), CAST(:contacts AS uuid[]))
                AS w (card_id, request_id, contact_id)
           JOIN feedback_requests f ON f.tenant_id = :t AND f.id = w.request_id
           JOIN orders o ON o.tenant_id = :t AND o.id = f.order_id
           LEFT JOIN engagement_clocks k ON k.tenant_id = :t AND k.contact_id = w.contact_id""",
        t=tx.tenant_id, ids=list(about),
        requests=list(about.values()), contacts=[card.contact_id for card in cards if card.id in about],
    )  # fmt: skip
    return {
        row["card_id"]: Asking(**{name: row[name] for name in Asking.__slots__}) for row in rows
    }  # fmt: skip
