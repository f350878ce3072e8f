"""What mails are written from: the names, languages and titles that their records hold now."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.cards import Card
from domain.db import Row, Tx


def of(tx: Tx, some: Sequence[Card]) -> dict[UUID, Row]:
    """By card: the contact's `email`, and all that its words may come from; one statement for any number of cards.

    A card names them itself: its contact and account, and in its payload a deal, an order or a check. What the tenant
    does not have (any more) is None.
    """
    if not some:
        return {}
    rows = tx.rows(
        """SELECT w.card_id, c.id AS contact_id, c.email, c.name, c.language, l.name AS client_name,
                  l.language AS client_language, n.name AS company, d.title AS deal_title, o.called AS order, p.person
           FROM unnest(CAST(:ids AS uuid[]), CAST(:contacts AS uuid[]), CAST(:clients AS uuid[]),
                       CAST(:deals AS uuid[]), CAST(:orders AS uuid[]), CAST(:checks AS uuid[]))
                AS w (card_id, contact_id, client_id, deal_id, order_id, check_id)
           JOIN tenants n ON n.tenant_id = :t
           -- fences: one look-up for each card, however few a planner believes there are in all
           LEFT JOIN LATERAL (SELECT * FROM contacts c
                              WHERE c.tenant_id = :t AND c.id = w.contact_id OFFSET 0) c ON true
           LEFT JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = w.client_id OFFSET 0) l ON true
           LEFT JOIN LATERAL (SELECT * FROM deals d WHERE d.tenant_id = :t AND d.id = w.deal_id OFFSET 0) d ON true
           LEFT JOIN LATERAL (SELECT coalesce(o.number, o.external_id, upper(right(o.id::text, 8))) AS called
                              FROM orders o WHERE o.tenant_id = :t AND o.id = w.order_id OFFSET 0) o ON true
           LEFT JOIN LATERAL (SELECT h.name AS person FROM compliance_checks k
                              JOIN contacts h ON h.tenant_id = :t AND h.id = k.contact_id
                              WHERE k.tenant_id = :t AND k.id = w.check_id OFFSET 0) p ON true""",
        t=tx.tenant_id, ids=[card.id for card in some], contacts=[card.contact_id for card in some],
        clients=[card.client_id for card in some], deals=[_named(card, "deal_id") for card in some],
        orders=[_named(card, "order_id") for card in some], checks=[_named(card, "check_id") for card in some],
    )  # fmt: skip
    return {row["card_id"]: row for row in rows}


def _named(card: Card, name: str) -> UUID | None:
    """The record that a card's payload names; None where it names none."""
    told = card.payload.get(name)
    try:
        return UUID(str(told)) if told else None
    except ValueError:
        return None
