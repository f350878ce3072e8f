"""A big book of one tenant, laid down by the database itself: contacts, deals, quotes, orders; few of all are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import psycopg

from tests import gears

PER_CLIENT = 10
DUE_CONTACTS, DUE_DEALS, DUE_STALLS, DUE_QUOTES, DUE_ORDERS = 20, 20, 10, 20, 20
DUE = DUE_CONTACTS + DUE_DEALS + DUE_STALLS + DUE_QUOTES + DUE_ORDERS


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    contacts: int
    deals: int
    quotes: int
    """As many orders."""


def lay_down(cloned: gears.Clone, tenant_id: UUID, size: Size, now: datetime) -> None:
    """Clients of ten contacts each, touched lately, and open deals spread over them; a fixed few of all are due."""
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        # the rows keep every foreign key, and are checked by none: that would take most of the time
        admin.execute("SET session_replication_role = replica")
        for statement in _STATEMENTS:
            admin.execute(statement, {
                "t": tenant_id, "now": now, "clients": size.contacts // PER_CLIENT, "contacts": size.contacts,
                "deals": size.deals, "due_contacts": DUE_CONTACTS, "due_deals": DUE_DEALS, "stalls": DUE_STALLS,
                "quotes": size.quotes, "due_quotes": DUE_QUOTES, "due_orders": DUE_ORDERS,
            })  # fmt: skip
        admin.execute("VACUUM ANALYZE hourhand.clients, hourhand.contacts, hourhand.engagement_clocks, hourhand.deals, "
                      "hourhand.deal_stage_config, hourhand.quotes, hourhand.orders, "
                      "hourhand.order_processing_queue")  # fmt: skip


def _id(kind: int, n: str) -> str:
    return f"CAST(lpad(to_hex({kind}0000000000 + {n}), 32, '0') AS uuid)"


_CLIENT, _CONTACT, _DEAL, _QUOTE, _ORDER = 1, 2, 3, 4, 5
_FAR = "%(now)s + interval '2 days' + n %% 15 * interval '1 day'"

_STATEMENTS = (
    """INSERT INTO hourhand.deal_stage_config
       SELECT %(t)s, * FROM (VALUES ('new', 'New', 1, 0.1, 14, 5, '{}'::text[]), ('proposal', 'Proposal', 2, 0.5, 10, 3,
                             '{}'::text[])) AS s""",
    f"""INSERT INTO hourhand.clients (tenant_id, id, name, created_at, updated_at)
        SELECT %(t)s, {_id(_CLIENT, "n")}, 'Client ' || n, %(now)s, %(now)s
        FROM generate_series(0, %(clients)s - 1) n""",
    f"""INSERT INTO hourhand.contacts (tenant_id, id, client_id, email, name, created_at, updated_at)
        SELECT %(t)s, {_id(_CONTACT, "n")}, {_id(_CLIENT, f"n / {PER_CLIENT}")}, 'p' || n || '@bulk.example',
               'Some Body', %(now)s, %(now)s FROM generate_series(0, %(contacts)s - 1) n""",
    # those whose promise is due are the last ones, each at a client of their own, so that nobody gives way to anybody
    f"""INSERT INTO hourhand.engagement_clocks (tenant_id, contact_id, client_id, first_due_at, due_at)
        SELECT %(t)s, {_id(_CONTACT, "n")}, {_id(_CLIENT, f"n / {PER_CLIENT}")}, d.at, d.at
        FROM generate_series(0, %(contacts)s - 1) n, LATERAL (SELECT CASE
            WHEN n %% {PER_CLIENT} = 0 AND n / {PER_CLIENT} >= %(clients)s - %(due_contacts)s
            THEN %(now)s - interval '1 day' ELSE {_FAR} END AS at) d""",
    f"""INSERT INTO hourhand.deals (tenant_id, id, client_id, contact_id, title, value, currency, stage, opened_at,
               stage_entered_at, last_activity_at, follow_up_due_at, stalls_at, stalled_at, created_at, updated_at)
        SELECT %(t)s, {_id(_DEAL, "n")}, {_id(_CLIENT, "n %% %(clients)s")},
               {_id(_CONTACT, f"n %% %(clients)s * {PER_CLIENT} + 1")}, 'Deal ' || n, n %% 1000, 'USD',
               CASE n %% 2 WHEN 0 THEN 'new' ELSE 'proposal' END, %(now)s, %(now)s, %(now)s,
               CASE WHEN n < %(due_deals)s THEN %(now)s - interval '1 hour' ELSE {_FAR} END,
               CASE WHEN n >= %(deals)s - %(stalls)s THEN %(now)s - interval '1 hour'
                    ELSE %(now)s + interval '20 days' END,
               NULL, %(now)s, %(now)s
        FROM generate_series(0, %(deals)s - 1) n""",
    # a few out with their clients and due, a fifth out and not due, the rest answered long ago
    f"""INSERT INTO hourhand.quotes (tenant_id, id, number, client_id, contact_id, status, source, subtotal, total,
               sent_at, valid_until, answered_at, follow_up_due_at, created_at, updated_at)
        SELECT %(t)s, {_id(_QUOTE, "n")}, 'Q-' || n, {_id(_CLIENT, "n %% %(clients)s")},
               {_id(_CONTACT, f"n %% %(clients)s * {PER_CLIENT} + 2")}, s.status, 'api', 100, 100,
               %(now)s - interval '4 days', %(now)s + interval '20 days',
               CASE WHEN s.status = 'accepted' THEN %(now)s - interval '3 days' END,
               CASE WHEN n < %(due_quotes)s THEN %(now)s - interval '1 hour' WHEN s.status = 'sent' THEN {_FAR} END,
               %(now)s, %(now)s
        FROM generate_series(0, %(quotes)s - 1) n,
             LATERAL (SELECT CASE WHEN n < %(due_quotes)s OR n %% 5 = 0 THEN 'sent' ELSE 'accepted' END AS status) s""",
    # the newest are to be checked, the rest was delivered long ago
    f"""INSERT INTO hourhand.orders (tenant_id, id, client_id, contact_id, status, source, fee, tech_fee, total_amount,
               ordered_at, delivered_at, created_at, updated_at)
        SELECT %(t)s, {_id(_ORDER, "n")}, {_id(_CLIENT, "n %% %(clients)s")},
               {_id(_CONTACT, f"n %% %(clients)s * {PER_CLIENT} + 3")},
               CASE WHEN n < %(due_orders)s THEN 'new' ELSE 'closed' END, 'api', 100, 0, 100,
               %(now)s - interval '90 days', CASE WHEN n >= %(due_orders)s THEN %(now)s - interval '80 days' END,
               %(now)s, %(now)s
        FROM generate_series(0, %(quotes)s - 1) n""",
    f"""INSERT INTO hourhand.order_processing_queue (tenant_id, order_id, state, due_at, entered_at, checked_at,
               valid_at)
        SELECT %(t)s, {_id(_ORDER, "n")}, CASE WHEN n < %(due_orders)s THEN 'waiting' ELSE 'valid' END,
               CASE WHEN n < %(due_orders)s THEN %(now)s - interval '1 hour' END, %(now)s - interval '90 days',
               CASE WHEN n >= %(due_orders)s THEN %(now)s - interval '89 days' END,
               CASE WHEN n >= %(due_orders)s THEN %(now)s - interval '89 days' END
        FROM generate_series(0, %(quotes)s - 1) n""",
)
