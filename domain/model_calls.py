"""The log of model calls: each with its question, model, figures and outcome; what was said is kept apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import model_budgets, storable
from domain.db import Row, Tx
from domain.models import Usage

LONGEST_CONTENT = 40_000

COLUMNS = (
    "id, run_id, card_id, message_id, question, prompt_version, model, outcome, reason, tokens_in, tokens_cached, "
    "tokens_written, tokens_out, cost_usd, latency_ms, masked, started_at, finished_at, deferred_until"
)


@dataclass(frozen=True, slots=True)
class About:
    """What a call is for."""

    question: str
    prompt_version: str
    input_hash: bytes
    run_id: UUID | None = None
    card_id: UUID | None = None
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """A call that is under way, with what was set aside for it."""

    id: UUID
    day: date
    model: str
    reserved_usd: Decimal
    reserved_tokens: int


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    outcome: str
    usage: Usage | None
    """None where nobody knows what was charged: then the whole reservation counts as spent."""
    cost_usd: Decimal
    latency_ms: int
    reason: str | None = None
    answer_hash: bytes | None = None


def begin(
    tx: Tx, about: About, *, model: str, day: date, usd: Decimal, tokens: int, until: datetime, masked: bool
) -> Open:  # fmt: skip
    """Set aside what a call costs at its worst and write the call down as open."""
    call = Open(tx.clock.uuid(), day, model, usd, tokens)
    model_budgets.reserve(tx, day, usd, tokens)
    _insert(tx, about, call, outcome="open", reason=None, masked=masked, open_until=until)
    return call


def end(tx: Tx, call: Open, ending: Ending) -> None:
    """Write down how a call ended and what it cost; a second word about the same call changes nothing."""
    usage = ending.usage if ending.usage is not None else Usage()
    spent = (ending.cost_usd, usage.total) if ending.usage is not None else (call.reserved_usd, call.reserved_tokens)
    ended = tx.run(
        """UPDATE model_calls SET outcome = :outcome, reason = :reason, tokens_in = :tokens_in,
                  tokens_cached = :cached, tokens_written = :written, tokens_out = :tokens_out, cost_usd = :cost,
                  latency_ms = :latency, answer_hash = :answer, finished_at = :now
           WHERE tenant_id = :t AND id = :id AND outcome = 'open'""",
        outcome=ending.outcome, reason=storable.optional(ending.reason, 500), tokens_in=usage.tokens_in,
        cached=usage.tokens_cached, written=usage.tokens_written, tokens_out=usage.tokens_out, cost=spent[0],
        latency=ending.latency_ms, answer=ending.answer_hash, now=tx.now, t=tx.tenant_id, id=call.id,
    )  # fmt: skip
    if ended:
        model_budgets.settle(tx, call.day, reserved=(call.reserved_usd, call.reserved_tokens), spent=spent)


def reject(tx: Tx, call_id: UUID, reason: str) -> None:
    """An answer came whole, and then somebody with the right to refuse it did."""
    tx.run(
        "UPDATE model_calls SET outcome = 'rejected', reason = :reason WHERE tenant_id = :t AND id = :id",
        reason=storable.text(reason, 500), t=tx.tenant_id, id=call_id,
    )  # fmt: skip


def abandon_overdue(tx: Tx) -> None:
    """Calls whose process died: nobody knows what they cost, so all that was set aside for them counts as spent."""
    rows = tx.rows(
        """UPDATE model_calls SET outcome = 'abandoned', cost_usd = reserved_usd, finished_at = :now
           WHERE tenant_id = :t AND outcome = 'open' AND open_until < :now
           RETURNING day, reserved_usd, reserved_tokens""",
        now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    for row in rows:
        whole = (row["reserved_usd"], row["reserved_tokens"])
        model_budgets.settle(tx, row["day"], reserved=whole, spent=whole)


def not_made(
    tx: Tx, about: About, *, model: str, day: date, outcome: str, reason: str, until: datetime | None = None
) -> None:  # fmt: skip
    """Write down that a call was not made, and why; with `until`, that it is put off to then."""
    call = Open(tx.clock.uuid(), day, model, Decimal(0), 0)
    _insert(tx, about, call, outcome=outcome, reason=reason, masked=False, deferred_until=until)


@dataclass(frozen=True, slots=True)
class Habits:
    """What was asked and answered lately, to tell a loop from work."""

    same_input: int
    """How often this very input was answered or tried within a day."""
    last_hour: int
    answers: tuple[bytes, ...]
    """Hashes of the last answers to this question, newest first."""


def habits(tx: Tx, about: About, *, answers: int) -> Habits:
    """How this question was asked lately; one statement."""
    row = tx.row(
        """SELECT (SELECT count(*) FROM model_calls WHERE tenant_id = :t AND input_hash = :input
                   AND started_at > :day_ago AND outcome NOT IN ('deferred', 'looping', 'stopped')) AS same_input,
                  (SELECT count(*) FROM model_calls WHERE tenant_id = :t AND started_at > :hour_ago
                   AND outcome NOT IN ('deferred', 'looping', 'stopped')) AS last_hour,
                  (SELECT array_agg(a.answer_hash) FROM (
                       SELECT answer_hash FROM model_calls WHERE tenant_id = :t AND question = :question
                       AND started_at > :day_ago AND answer_hash IS NOT NULL
                       ORDER BY started_at DESC LIMIT :answers) AS a) AS answers""",
        t=tx.tenant_id, input=about.input_hash, question=about.question, answers=answers,
        day_ago=tx.now - timedelta(days=1), hour_ago=tx.now - timedelta(hours=1),
    )  # fmt: skip
    assert row is not None
    return Habits(row["same_input"], row["last_hour"], tuple(bytes(each) for each in row["answers"] or ()))


def keep_contents(tx: Tx, call_id: UUID, *, prompt: str, answer: str, days: int) -> None:
    """Keep what was said; only for a tenant that allows it, and no longer than it says."""
    tx.run(
        """INSERT INTO model_call_contents (tenant_id, call_id, prompt, answer, expires_at)
           VALUES (:t, :id, :prompt, :answer, :until) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, id=call_id, prompt=storable.text(prompt, LONGEST_CONTENT),
        answer=storable.text(answer, LONGEST_CONTENT), until=tx.now + timedelta(days=days),
    )  # fmt: skip


def contents(tx: Tx, call_id: UUID) -> Row | None:
    """What was said in a call, where it was kept."""
    return tx.row(
        """SELECT prompt, answer, expires_at FROM model_call_contents
           WHERE tenant_id = :t AND call_id = :id AND expires_at > :now""",
        t=tx.tenant_id, id=call_id, now=tx.now,
    )  # fmt: skip


def recent(
    tx: Tx, *, question: str | None = None, outcome: str | None = None, card_id: UUID | None = None,
    before: UUID | None = None, limit: int = 50,
) -> Sequence[Row]:  # fmt: skip
    """The tenant's calls, newest first, those before call `before`."""
    filters: dict[str, Any] = {"question": question, "outcome": outcome, "card_id": card_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    return tx.rows(
        f"""SELECT {COLUMNS} FROM model_calls
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **wanted,
    )  # fmt: skip


def summary(tx: Tx, *, since: datetime) -> Sequence[Row]:
    """Calls since a moment, counted by model, question and outcome."""
    return tx.rows(
        """SELECT model, question, outcome, count(*) AS calls, sum(tokens_in + tokens_cached + tokens_written)
                  AS tokens_in, sum(tokens_out) AS tokens_out, sum(cost_usd) AS cost_usd,
                  max(latency_ms) AS slowest_ms
           FROM model_calls WHERE tenant_id = :t AND started_at >= :since GROUP BY 1, 2, 3 ORDER BY 1, 2, 3""",
        t=tx.tenant_id, since=since,
    )  # fmt: skip


def deferred(tx: Tx, *, limit: int) -> Mapping[UUID, UUID | None]:
    """Calls that were put off and are due now, and the message that each was about; due until `made_up` says so."""
    rows = tx.rows(
        """SELECT id, message_id FROM model_calls
           WHERE tenant_id = :t AND outcome = 'deferred' AND deferred_until <= :now
           ORDER BY deferred_until LIMIT :limit""",
        t=tx.tenant_id, now=tx.now, limit=limit,
    )  # fmt: skip
    return {row["id"]: row["message_id"] for row in rows}


def made_up(tx: Tx, call_ids: Collection[UUID]) -> None:
    """What was put off has been asked again, or nothing is left to ask."""
    tx.run("UPDATE model_calls SET deferred_until = NULL WHERE tenant_id = :t AND id = ANY(:ids)",
           t=tx.tenant_id, ids=list(call_ids))  # fmt: skip


def next_deferred(tx: Tx) -> datetime | None:
    """When the earliest of the calls that were put off is due."""
    moment: datetime | None = tx.value(
        "SELECT min(deferred_until) FROM model_calls WHERE tenant_id = :t AND outcome = 'deferred'", t=tx.tenant_id
    )
    return moment


def charge_run(tx: Tx, run_id: UUID) -> None:
    """Write on a run what its calls consumed."""
    tx.run(
        """UPDATE agent_autonomous_runs r SET tokens_in = c.tokens_in, tokens_out = c.tokens_out, cost_usd = c.cost
           FROM (SELECT coalesce(sum(tokens_in + tokens_cached + tokens_written), 0)::int AS tokens_in,
                        coalesce(sum(tokens_out), 0)::int AS tokens_out, coalesce(sum(cost_usd), 0) AS cost
                 FROM model_calls WHERE tenant_id = :t AND run_id = :run) AS c
           WHERE r.tenant_id = :t AND r.id = :run""",
        t=tx.tenant_id, run=run_id,
    )  # fmt: skip


def _insert(
    tx: Tx, about: About, call: Open, *, outcome: str, reason: str | None, masked: bool,
    open_until: datetime | None = None, deferred_until: datetime | None = None,
) -> None:  # fmt: skip
    tx.run(
        """INSERT INTO model_calls (tenant_id, id, run_id, card_id, message_id, question, prompt_version, model,
               outcome, reason, day, reserved_usd, reserved_tokens, input_hash, masked, started_at, open_until,
               deferred_until, finished_at)
           VALUES (:t, :id, :run, :card, :message, :question, :version, :model, :outcome, :reason, :day, :usd, :tokens,
                   :input, :masked, :now, :open_until, :deferred_until,
                   CASE WHEN :outcome = 'open' THEN NULL ELSE CAST(:now AS timestamptz) END)""",
        t=tx.tenant_id, id=call.id, run=about.run_id, card=about.card_id, message=about.message_id,
        question=about.question, version=about.prompt_version, model=call.model, outcome=outcome,
        reason=storable.optional(reason, 500), day=call.day, usd=call.reserved_usd, tokens=call.reserved_tokens,
        input=about.input_hash, masked=masked, now=tx.now, open_until=open_until, deferred_until=deferred_until,
    )  # fmt: skip
