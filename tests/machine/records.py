"""What the house has on record, read after each step and held against the machine's book and against itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from domain import audit
from domain.db import Database, Row, Tx
from tests.machine.book import MAIL, Record, Tenant, may_move

NEEDS_A_WHY = frozenset({
    "deferred", "awaiting_approval", "held", "blocked", "rejected", "cancelled", "expired", "failed", "uncertain",
})  # fmt: skip
MAIL_STANDS: dict[str, set[str | None]] = {
    "done": {"accepted", "delivered", "bounced", "complained", "failed"},
    "failed": {"failed", None},
    "uncertain": {"uncertain", "reserved", "accepted", "delivered", "bounced", "complained", "failed"},
    "executing": {"reserved", "uncertain", "accepted", "delivered", "bounced", "complained", "failed"},
    "held": {"held"},
}
"""Where a card's mail may stand, by where the card stands; in every other state it has none."""


def of_card(database: Database, tenant: Tenant, card: UUID) -> Record | None:
    """What is on record about a card that was posted; None where the tenant has no such card."""
    with database.tenant(tenant.id, actor="witness") as tx:
        row = tx.row(
            """SELECT c.type, c.engine, c.contact_id, c.created_at, c.latest_at, c.payload ? 'step' AS sequence,
                      o.idempotency_key, o.reserved_at,
                      EXISTS (SELECT FROM card_verdicts v WHERE v.tenant_id = :t AND v.card_id = c.id
                              AND v.stage = 'execute' AND v.decision = 'allow') AS allowed,
                      EXISTS (SELECT FROM outbound_messages e WHERE e.tenant_id = :t AND e.contact_id = c.contact_id
                              AND e.card_id <> c.id AND e.state NOT IN ('held', 'failed')) AS known
               FROM kanban_cards c LEFT JOIN outbound_messages o ON o.tenant_id = :t AND o.card_id = c.id
               WHERE c.tenant_id = :t AND c.id = :card""",
            t=tenant.id, card=card,
        )  # fmt: skip
    if row is None:
        return None
    return Record(
        kind=row["type"], engine=row["engine"], contact=row["contact_id"], created_at=row["created_at"],
        latest_at=row["latest_at"], key=row["idempotency_key"], reserved_at=row["reserved_at"],
        allowed=row["allowed"], sequence=row["sequence"], known=row["known"],
    )  # fmt: skip


class Ledger:
    """The reading that goes on from step to step, and what it has found wrong."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._read_to: dict[UUID, UUID] = {}

    def findings(self, tenant: Tenant) -> tuple[list[str], Row]:
        """Everything that is wrong with a tenant's records now, and their fingerprint."""
        with self._database.tenant(tenant.id, actor="witness") as tx:
            return [*self._moves(tx, tenant), *_cards(tx, tenant), *_ground(tx)], _fingerprint(tx)

    def chains(self, tenant: Tenant) -> list[str]:
        """Whether the audit log still follows from itself."""
        with self._database.tenant(tenant.id, actor="witness") as tx:
            broken = audit.broken_at(tx)
        return [] if broken is None else [f"the audit log is broken at {broken}"]

    def fingerprint(self, tenant: Tenant) -> Row:
        """What changes whenever anything of a tenant's does."""
        with self._database.tenant(tenant.id, actor="witness") as tx:
            return _fingerprint(tx)

    def _moves(self, tx: Tx, tenant: Tenant) -> Iterator[str]:
        """Every move of a card since the last look, replayed in the book."""
        rows = tx.rows(
            """SELECT id, subject_id, substr(type, 6) AS state FROM warehouse_events
               WHERE tenant_id = :t AND type LIKE 'card.%' AND id > :after ORDER BY id""",
            t=tx.tenant_id, after=self._read_to.get(tenant.id, UUID(int=0)),
        )  # fmt: skip
        for row in rows:
            card, before = UUID(row["subject_id"]), tenant.states.get(UUID(row["subject_id"]))
            if not may_move(before, row["state"]):
                yield f"a card went from {before} to {row['state']}"
            tenant.states[card] = row["state"]
            self._read_to[tenant.id] = row["id"]


def _fingerprint(tx: Tx) -> Row:
    """How many rows there are of what only grows: each change leaves its event."""
    row = tx.row(
        """SELECT (SELECT count(*) FROM warehouse_events) AS events, (SELECT count(*) FROM audit_log) AS audit,
                  (SELECT count(*) FROM outbound_messages) AS mails, (SELECT count(*) FROM touches) AS touches,
                  (SELECT count(*) FROM suppressions) AS refused, (SELECT count(*) FROM card_verdicts) AS judged"""
    )
    assert row is not None
    return row


def overdue(database: Database, tenant: Tenant) -> set[str]:
    """Contacts whose promise is due now and who have nothing under way."""
    with database.tenant(tenant.id, actor="witness") as tx:
        rows = tx.rows(
            """SELECT contact_id::text AS id FROM engagement_clocks k WHERE tenant_id = :t AND status <> 'exempt'
                 AND greatest(due_at, CASE WHEN status = 'paused' THEN paused_until END) <= :now AND NOT EXISTS (
                   SELECT FROM kanban_cards c WHERE c.tenant_id = :t AND c.contact_id = k.contact_id
                   AND c.state IN ('executing', 'uncertain'))
                 AND NOT EXISTS (SELECT FROM webhook_deliveries w WHERE w.tenant_id = :t AND w.processed_at IS NULL)""",
            t=tx.tenant_id, now=tx.now,
        )  # fmt: skip
    return {row["id"] for row in rows}


def unaccounted(database: Database, tenant: Tenant, run_id: UUID, due: set[str]) -> list[str]:
    """Obligations that a completed hour says nothing about."""
    with database.tenant(tenant.id, actor="witness") as tx:
        row = tx.row(
            """SELECT outcome, (SELECT array_agg(subject_id) FROM run_obligations
                                WHERE tenant_id = :t AND run_id = :run) AS told,
                      (SELECT array_agg(contact_id::text) FROM engagement_clocks
                       WHERE tenant_id = :t AND rests_until IS NOT NULL) AS resting,
                      (SELECT coalesce(sum(count), 0) FROM run_obligations
                       WHERE tenant_id = :t AND run_id = :run AND of_many) AS counted
               FROM agent_autonomous_runs
               WHERE tenant_id = :t AND id = :run AND started_at = :now AND outcome = 'completed'""",
            t=tx.tenant_id, run=run_id, now=tx.now,
        )  # fmt: skip
    # an hour that was taken up after a crash was planned before
    left = due - set(row["told"] or ()) if row is not None else set()
    if row is not None and len(left & set(row["resting"] or ())) <= row["counted"]:
        # of what rests there is one line for each reason, with how many it stands for
        left -= set(row["resting"] or ())
    return [f"an obligation is not accounted for: {each}" for each in sorted(left)]


def _cards(tx: Tx, tenant: Tenant) -> Iterator[str]:
    rows = tx.rows(
        """SELECT c.id, c.type, c.state, c.reason, c.rule, o.state AS mail, c.idempotency_key, o.idempotency_key AS key,
                  EXISTS (SELECT FROM card_verdicts v WHERE v.tenant_id = :t AND v.card_id = c.id) AS judged
           FROM kanban_cards c LEFT JOIN outbound_messages o ON o.tenant_id = :t AND o.card_id = c.id
           WHERE c.tenant_id = :t""",
        t=tx.tenant_id,
    )  # fmt: skip
    if {row["id"] for row in rows} != set(tenant.states):
        yield "the cards are not those that the events tell of"
    for row in rows:
        yield from _card(row, tenant.states.get(row["id"]))


def _card(row: Row, told: str | None) -> Iterator[str]:
    state = row["state"]
    if state != told:
        yield f"a card is {state}, its events say {told}"
    if state in NEEDS_A_WHY and not (row["reason"] and row["rule"]):
        yield f"a card is {state} without its why"
    if state in ("done", "executing", "uncertain", "held") and not row["judged"]:
        yield f"a card is {state} without a verdict"
    if row["type"] in MAIL and row["mail"] not in MAIL_STANDS.get(state, {None}):
        yield f"a card is {state}, its mail {row['mail']}"
    if row["idempotency_key"] is not None and row["idempotency_key"] != row["key"]:
        yield "a card and its mail have different keys"


def _ground(tx: Tx) -> Iterator[str]:
    """Clocks, runs, counters: each line of the query is a sentence that must hold for no row."""
    rows = tx.rows(
        """SELECT 'a clock is out of order: ' || contact_id AS found FROM engagement_clocks
           WHERE tenant_id = :t AND (due_at < first_due_at OR due_at < last_touch_at OR last_touch_at > :now
               OR last_reply_at > :now OR voided_touches < 0 OR sequence_step NOT BETWEEN 0 AND 5
               OR status = 'paused' AND paused_until IS NULL OR status = 'exempt' AND exempt_reason IS NULL)
           UNION ALL
           SELECT 'a counter is negative: ' || key FROM agent_rate_limits WHERE tenant_id = :t AND used < 0
           UNION ALL
           SELECT 'a run went wrong: ' || errors::text FROM agent_autonomous_runs
           WHERE tenant_id = :t AND errors <> '[]'
           UNION ALL
           SELECT 'the ledger of an hour does not add up: ' || r.id FROM agent_autonomous_runs r
           LEFT JOIN agent_hourly_reflections h ON h.tenant_id = :t AND h.run_id = r.id
           CROSS JOIN LATERAL (SELECT coalesce(sum(count), 0) AS lines FROM run_obligations o
                               WHERE o.tenant_id = :t AND o.run_id = r.id) o
           CROSS JOIN LATERAL (SELECT coalesce(sum((b -> 'counts' ->> 'obligations')::int), 0) AS planned
                               FROM jsonb_array_elements(r.work_blocks) b) p
           WHERE r.tenant_id = :t AND r.finished_at IS NOT NULL AND (
               h.run_id IS NULL OR p.planned > o.lines
               OR o.lines <> (SELECT coalesce(sum(n::int), 0) FROM jsonb_each_text(h.facts -> 'ledger') AS l (name, n))
               OR p.planned <> o.lines AND NOT EXISTS (
                   SELECT FROM warehouse_events e WHERE e.tenant_id = :t AND e.type = 'cycle.resumed'
                   AND e.subject_id = r.id::text))""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    for row in rows:
        yield row["found"]


def sent(database: Database, tenant: Tenant) -> list[tuple[UUID, str]]:
    """Cards whose mail a person could have on their screen, with the Message-ID that it carries."""
    with database.tenant(tenant.id, actor="witness") as tx:
        rows = tx.rows(
            """SELECT card_id, coalesce(carried_message_id, rfc_message_id) AS message_id FROM outbound_messages
               WHERE tenant_id = :t AND accepted_at IS NOT NULL ORDER BY card_id""",
            t=tx.tenant_id,
        )  # fmt: skip
    return [(row["card_id"], row["message_id"]) for row in rows]


def waiting_for_a_person(database: Database, tenant: Tenant) -> list[UUID]:
    """Cards that wait for approval."""
    with database.tenant(tenant.id, actor="witness") as tx:
        rows = tx.rows("SELECT id FROM kanban_cards WHERE tenant_id = :t AND state = 'awaiting_approval' ORDER BY id",
                       t=tx.tenant_id)  # fmt: skip
    return [row["id"] for row in rows]


def uncertain(database: Database, tenant: Tenant) -> list[tuple[UUID, datetime]]:
    """Cards whose outcome nobody knows, and since when."""
    with database.tenant(tenant.id, actor="witness") as tx:
        rows = tx.rows("""SELECT id, state_changed_at FROM kanban_cards
                          WHERE tenant_id = :t AND state = 'uncertain' ORDER BY id""", t=tx.tenant_id)  # fmt: skip
    return [(row["id"], row["state_changed_at"]) for row in rows]
