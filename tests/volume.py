"""A big book of one tenant, laid down by the database itself: of everything that engines look after few is due."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import psycopg

from tests import gears

PER_CLIENT = 10
EACH = {"orders": 20, "deals": 20, "stalls": 10, "quotes": 20, "feedback": 20, "checks": 20, "contacts": 20}
"""How many of each are due; half of the orders are to be checked, the others to be asked about."""
DUE = sum(EACH.values())
AN_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is."""

    contacts: int
    deals: int
    quotes: int
    """As many orders, requests for feedback and checks."""


def lay_down(
    cloned: gears.Clone, tenant_id: UUID, size: Size, now: datetime, *, begin: timedelta = -AN_HOUR,
    apart: timedelta = timedelta(0), running: bool = True, each: Mapping[str, int] = EACH,
) -> None:  # fmt: skip
    """Clients of ten contacts each, touched lately, and business spread over them; a fixed few of all have fallen due.

    `each` says how many of every kind. Kinds fall due one `apart` after the other, the first at `begin` from now. Of
    what is not due all deals and a fifth of the quotes and checks are running, or nothing is: then it is history alone.
    """
    falls = {f"{kind}_at": now + begin + n * apart for n, kind in enumerate(EACH)}
    due = {f"due_{kind}": count for kind, count in each.items()}
    with psycopg.connect(cloned.admin_url, autocommit=True) as admin:
        # the rows keep every foreign key, and are checked by none: that would take most of the time
        admin.execute("SET session_replication_role = replica")
        for statement in _STATEMENTS:
            admin.execute(statement, {
                "t": tenant_id, "now": now, "clients": size.contacts // PER_CLIENT, "contacts": size.contacts,
                "deals": size.deals, "quotes": size.quotes, "running": running, **due, **falls,
            })  # fmt: skip
        admin.execute("VACUUM ANALYZE hourhand.clients, hourhand.contacts, hourhand.engagement_clocks, hourhand.deals, "
                      "hourhand.deal_stage_config, hourhand.quotes, hourhand.orders, "
                      "hourhand.order_processing_queue, hourhand.order_processing_exceptions, "
                      "hourhand.feedback_requests, hourhand.compliance_schedule, "
                      "hourhand.compliance_checks")  # fmt: skip


def _id(kind: int, n: str) -> str:
    return f"CAST(lpad(to_hex({kind}0000000000 + {n}), 32, '0') AS uuid)"


def _of(nth: int) -> tuple[str, str]:
    """The account and the contact of record n; what is due of different kinds is at accounts apart."""
    at = f"((n + {30 * nth}) %% %(clients)s)"
    return _id(_CLIENT, at), _id(_CONTACT, f"{at} * {PER_CLIENT} + {nth}")


_CLIENT, _CONTACT, _DEAL, _QUOTE, _ORDER, _EXCEPTION, _REQUEST, _SCHEDULE, _CHECK = range(1, 10)
_FAR = "%(now)s + interval '2 days' + n %% 15 * interval '1 day'"
(_DEALT, _DEALER), (_QUOTED, _BUYER), (_ORDERED, _ORDERER), (_CHECKED, _PERSON) = (_of(nth) for nth in range(1, 5))

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
            THEN %(contacts_at)s ELSE {_FAR} END AS at) d""",
    # the first ones are to be followed up, the last ones stand still
    f"""INSERT INTO hourhand.deals (tenant_id, id, client_id, contact_id, title, value, currency, stage, state,
               opened_at, stage_entered_at, last_activity_at, follow_up_due_at, stalls_at, closed_at, created_at,
               updated_at)
        SELECT %(t)s, {_id(_DEAL, "n")}, {_DEALT}, {_DEALER}, 'Deal ' || n, n %% 1000, 'USD',
               CASE n %% 2 WHEN 0 THEN 'new' ELSE 'proposal' END, CASE WHEN s.open THEN 'open' ELSE 'won' END,
               %(now)s, %(now)s, %(now)s,
               CASE WHEN n < %(due_deals)s THEN %(deals_at)s WHEN s.open THEN {_FAR} END,
               CASE WHEN s.stalls THEN %(stalls_at)s ELSE %(now)s + interval '20 days' END,
               CASE WHEN NOT s.open THEN %(now)s - interval '100 days' END, %(now)s, %(now)s
        FROM generate_series(0, %(deals)s - 1) n,
             LATERAL (SELECT n >= %(deals)s - %(due_stalls)s AS stalls,
                             %(running)s OR n < %(due_deals)s OR n >= %(deals)s - %(due_stalls)s AS open) s""",
    # a few out with their clients and due, a fifth out and not due, the rest answered long ago
    f"""INSERT INTO hourhand.quotes (tenant_id, id, number, client_id, contact_id, status, source, subtotal, total,
               sent_at, valid_until, answered_at, follow_up_due_at, created_at, updated_at)
        SELECT %(t)s, {_id(_QUOTE, "n")}, 'Q-' || n, {_QUOTED}, {_BUYER}, s.status, 'api', 100, 100,
               CASE s.status WHEN 'sent' THEN %(now)s - interval '4 days' ELSE %(now)s - interval '110 days' END,
               %(now)s + interval '20 days',
               CASE s.status WHEN 'accepted' THEN %(now)s - interval '100 days' END,
               CASE WHEN n < %(due_quotes)s THEN %(quotes_at)s WHEN s.status = 'sent' THEN {_FAR} END, %(now)s, %(now)s
        FROM generate_series(0, %(quotes)s - 1) n,
             LATERAL (SELECT CASE WHEN n < %(due_quotes)s OR %(running)s AND n %% 5 = 0 THEN 'sent' ELSE 'accepted' END
                             AS status) s""",
    # the newest are to be checked or asked about, the rest was delivered long ago
    f"""INSERT INTO hourhand.orders (tenant_id, id, client_id, contact_id, status, source, fee, tech_fee, total_amount,
               ordered_at, delivered_at, created_at, updated_at)
        SELECT %(t)s, {_id(_ORDER, "n")}, {_ORDERED}, {_ORDERER},
               CASE WHEN n < %(due_orders)s THEN 'new' ELSE 'closed' END, 'api', 100, 0, 100,
               %(now)s - interval '90 days', CASE WHEN n >= %(due_orders)s THEN %(now)s - interval '80 days' END,
               %(now)s, %(now)s
        FROM generate_series(0, %(quotes)s - 1) n""",
    f"""INSERT INTO hourhand.order_processing_queue (tenant_id, order_id, client_id, state, due_at, entered_at,
               checked_at, valid_at)
        SELECT %(t)s, {_id(_ORDER, "n")}, {_ORDERED}, s.state, CASE s.state WHEN 'waiting' THEN %(orders_at)s END,
               %(now)s - interval '90 days', CASE WHEN s.state <> 'waiting' THEN %(now)s - interval '89 days' END,
               CASE s.state WHEN 'valid' THEN %(now)s - interval '89 days' END
        FROM generate_series(0, %(quotes)s - 1) n,
             LATERAL (SELECT CASE WHEN n >= %(due_orders)s THEN 'valid' WHEN n %% 2 = 0 THEN 'waiting'
                                  ELSE 'exceptions' END AS state) s""",
    f"""INSERT INTO hourhand.order_processing_exceptions (tenant_id, id, order_id, code, field, handling, message,
               state, opened_at, closed_at, closed_by)
        SELECT %(t)s, {_id(_EXCEPTION, "n")}, {_id(_ORDER, "n")}, 'PROPERTY_ADDRESS_MISSING', 'property_address', 'ask',
               'The product needs the address.', CASE WHEN n < %(due_orders)s THEN 'open' ELSE 'resolved' END,
               %(now)s - interval '89 days', CASE WHEN n >= %(due_orders)s THEN %(now)s - interval '88 days' END,
               CASE WHEN n >= %(due_orders)s THEN 'agent' END
        FROM generate_series(1, %(quotes)s - 1, 2) n""",
    # one of each order: those after the new ones are due, the others were asked and gave no answer
    f"""INSERT INTO hourhand.feedback_requests (tenant_id, id, order_id, client_id, contact_id, state, due_at,
               latest_at, sent_at, lapses_at, created_at, updated_at)
        SELECT %(t)s, {_id(_REQUEST, "n")}, {_id(_ORDER, "n")}, {_ORDERED}, {_ORDERER}, s.state,
               CASE s.state WHEN 'queued' THEN %(feedback_at)s ELSE s.then END,
               %(now)s + interval '14 days', CASE s.state WHEN 'lapsed' THEN s.then END,
               CASE s.state WHEN 'lapsed' THEN s.then + interval '45 days' END, %(now)s, %(now)s
        FROM generate_series(%(due_orders)s, %(quotes)s - 1) n,
             LATERAL (SELECT CASE WHEN n < %(due_orders)s::int + %(due_feedback)s THEN 'queued' ELSE 'lapsed' END
                             AS state,
                             %(now)s - interval '200 days' AS then) s""",
    f"""INSERT INTO hourhand.compliance_schedule (tenant_id, id, name, frequency, applies_to, anchor_on,
               required_fields, next_period, next_on, created_at, updated_at)
        SELECT %(t)s, {_id(_SCHEDULE, "0")}, 'Profiles', 'quarterly', 'contact', %(now)s::date, '{{phone}}', 1,
               %(now)s::date + 80, %(now)s, %(now)s""",
    # a few may be asked for now, a fifth later, the rest was whole
    f"""INSERT INTO hourhand.compliance_checks (tenant_id, id, schedule_id, entity_id, client_id, contact_id, period,
               due_on, due_at, state, required, missing, validated_at, reminders, remind_at, escalate_at, closed_at,
               closed_by, created_at, updated_at)
        SELECT %(t)s, {_id(_CHECK, "n")}, {_id(_SCHEDULE, "0")}, {_PERSON}, {_CHECKED}, {_PERSON},
               %(now)s::date + 10 - n / %(clients)s::int, %(now)s::date + 10, %(now)s + interval '10 days', s.state,
               '{{phone}}',
               CASE s.state WHEN 'completed' THEN '{{}}' ELSE '{{phone}}' END::text[], %(now)s, 0,
               CASE WHEN n < %(due_checks)s THEN %(checks_at)s WHEN s.state = 'pending' THEN {_FAR} END,
               CASE s.state WHEN 'pending' THEN %(now)s + interval '17 days' END, s.closed,
               CASE s.state WHEN 'completed' THEN 'agent' END, %(now)s, %(now)s
        FROM generate_series(0, %(quotes)s - 1) n,
             LATERAL (SELECT CASE WHEN p THEN 'pending' ELSE 'completed' END AS state,
                             CASE WHEN NOT p THEN %(now)s - interval '100 days' END AS closed
                      FROM (SELECT n < %(due_checks)s OR %(running)s AND n %% 5 = 0 AS p) d) s""",
)
