"""Hourly reflections: the computed facts of an hour, how they were phrased, and hints for the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from domain import events
from domain.db import Row, Tx, json_list

HINTS = 20
"""For the next hour's Plan: what was put off, by which rule and until when, soonest first."""
FAILURES = 20


def write(
    tx: Tx, run_id: UUID, *, period_start: datetime, facts: Mapping[str, Any], text: str,
    hints: Sequence[Mapping[str, Any]], phrased_by: str,
) -> UUID:  # fmt: skip
    """Store the reflection of a run; again after a crash, the first one stands."""
    reflection_id = tx.clock.uuid()
    first = tx.run(
        """INSERT INTO agent_hourly_reflections (tenant_id, id, run_id, period_start, period_end, facts, text, hints,
                                                 phrased_by, created_at)
           VALUES (:t, :id, :run, :start, :now, :facts, :text, :hints, :by, :now)
           ON CONFLICT (tenant_id, run_id) DO NOTHING""",
        t=tx.tenant_id, id=reflection_id, run=run_id, start=period_start, now=tx.now, facts=dict(facts), text=text,
        hints=json_list(hints), by=phrased_by,
    )  # fmt: skip
    if first:
        events.record(tx, "reflection.written", "run", run_id)
    return reflection_id


HEARD: Mapping[str, str] = {
    "sequence.stopped": "engagement",
    "order.created": "orders", "order.valid": "orders", "order.delivered": "orders",
    "deal.created": "deals", "deal.won": "deals", "deal.lost": "deals",
    "quote.created": "quotes", "quote.viewed": "quotes", "quote.accepted": "quotes", "quote.rejected": "quotes",
    "quote.expired": "quotes",
    "feedback.answered": "feedback",
    "compliance.completed": "compliance", "compliance.waived": "compliance",
}  # fmt: skip
"""Events that belong into an engine's hour beside the cards that it carried out, with the engine."""


def tally(tx: Tx, run_id: UUID, since: datetime) -> Row:
    """What an hour's facts are computed from: the run and its ledger, and what happened after `since`. One statement.

    run, errors, cards, mail_in, mail_out, ledger (counts by name), did (by engine: cards by type, held ones, what was
    heard), refused, failures, hints (lists), next.
    """
    row = tx.row(
        f"""WITH r AS MATERIALIZED (SELECT * FROM agent_autonomous_runs WHERE tenant_id = :t AND id = :run),
                 o AS MATERIALIZED (SELECT * FROM run_obligations WHERE tenant_id = :t AND run_id = :run)
            SELECT (SELECT jsonb_build_object('number', cycle_number, 'kind', kind, 'idle_hours', idle_hours,
                                              'mode', mode) FROM r) AS run,
                   (SELECT errors FROM r) AS errors,
                   {_counts("state", "kanban_cards WHERE tenant_id = :t AND state_changed_at > :since")} AS cards,
                   {_counts("class", "gmail_messages WHERE tenant_id = :t AND stored_at > :since AND direction = 'in'")}
                       AS mail_in,
                   {_counts("state", "outbound_messages WHERE tenant_id = :t AND reserved_at > :since")} AS mail_out,
                   {_counts("disposition", "o", "sum(count)")} AS ledger,
                   (SELECT coalesce(jsonb_object_agg(engine, done), '{{}}') FROM (
                        SELECT engine, jsonb_object_agg(what, n) AS done FROM (
                            SELECT engine, CASE state WHEN 'held' THEN 'held' ELSE type END AS what, count(*) AS n
                            FROM kanban_cards
                            WHERE tenant_id = :t AND state_changed_at > :since AND state IN ('done', 'held')
                            GROUP BY 1, 2
                            UNION ALL
                            SELECT h.engine, e.type, count(*) FROM warehouse_events e
                            JOIN unnest(CAST(:heard AS text[]), CAST(:of AS text[])) AS h (type, engine)
                              ON h.type = e.type
                            WHERE e.tenant_id = :t AND e.at > :since GROUP BY 1, 2) AS w
                        GROUP BY 1) AS g) AS did,
                   (SELECT coalesce(jsonb_agg(to_jsonb(g) ORDER BY n DESC, disposition, rule), '[]') FROM (
                        SELECT disposition, rule, sum(count) AS n, min(until) AS next FROM o
                        WHERE disposition <> 'acted' GROUP BY 1, 2) AS g) AS refused,
                   (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY card_id), '[]') FROM (
                        SELECT id::text AS card_id, type, state, reason FROM kanban_cards WHERE tenant_id = :t
                        AND state IN ('failed', 'uncertain') AND state_changed_at > :since
                        ORDER BY id LIMIT :failures) AS f) AS failures,
                   (SELECT to_jsonb(w) FROM (
                        SELECT count(*) FILTER (WHERE state = 'awaiting_approval') AS awaiting_approval,
                               count(*) FILTER (WHERE state = 'deferred') AS deferred,
                               count(*) FILTER (WHERE state = 'queued') AS queued,
                               min(not_before) FILTER (WHERE state IN ('deferred', 'queued')) AS next_at
                        FROM kanban_cards WHERE tenant_id = :t
                        AND state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')) AS w) AS next,
                   (SELECT coalesce(jsonb_agg(to_jsonb(h) - 'due_at' ORDER BY until NULLS FIRST, due_at), '[]') FROM (
                        SELECT kind, subject_type, subject_id, rule, until, card_id::text, due_at FROM o
                        WHERE disposition = 'deferred' AND NOT of_many
                        ORDER BY until NULLS FIRST, due_at LIMIT :hints) AS h)
                       AS hints""",
        t=tx.tenant_id, run=run_id, since=since, failures=FAILURES, hints=HINTS, heard=list(HEARD),
        of=list(HEARD.values()),
    )  # fmt: skip
    assert row is not None
    return row


def _counts(name: str, some: str, many: str = "count(*)") -> str:
    return f"""(SELECT coalesce(jsonb_object_agg(name, n), '{{}}') FROM (
                    SELECT {name} AS name, {many} AS n FROM {some} GROUP BY 1) AS g)"""


def last(tx: Tx) -> Row | None:
    """The newest reflection, or None before the first."""
    return tx.row(
        "SELECT * FROM agent_hourly_reflections WHERE tenant_id = :t ORDER BY id DESC LIMIT 1", t=tx.tenant_id
    )


def recent(tx: Tx, *, before: UUID | None = None, limit: int = 24) -> list[Row]:
    """The tenant's reflections, newest first, those before id `before`."""
    return list(
        tx.rows(
            """SELECT * FROM agent_hourly_reflections
               WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before)
               ORDER BY id DESC LIMIT :limit""",
            t=tx.tenant_id, before=before, limit=limit,
        )
    )  # fmt: skip
