"""Validating checks: what each record lacks at this moment, who could be asked, and what follows from that at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import compliance_checks as checks
from domain import compliance_fields, compliance_generation, events, settings
from domain.compliance_checks import Check
from domain.db import Row, Tx


@dataclass(frozen=True, slots=True)
class Asked:
    """Who can be asked: the contact whose record it is, else whoever of the account was heard from last."""

    id: UUID
    name: str
    language: str | None
    timezone: str | None
    paused_until: datetime | None


@dataclass(frozen=True, slots=True)
class Lately:
    """What somebody was asked for about another check, and for how long that counts."""

    contact_id: UUID | None
    """Whose record lacks it; None: their account's."""
    gaps: tuple[str, ...]
    until: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A check with the record that it is of, as both stand now."""

    check: Check
    lacks: tuple[str, ...]
    """The required fields that the record does not hold, in the list's order."""
    record: Mapping[str, Any]
    """What of the record goes into the evidence of its wholeness."""
    shadowed: bool
    """Due for real, while planning has moved on because a reminder was held."""
    reminders: int
    """How many went out, or were held."""
    remind_at: datetime | None
    """When the next one is due, by its shadow where a held one has moved that."""
    changed: bool
    """The record has changed since it was last looked at."""
    seen: str | None
    """The version of the check that this is; None: somebody else changed it while it was written."""
    account_id: UUID
    account: str
    account_status: str
    relationship: str
    account_language: str | None
    manager_id: UUID | None
    person: str | None
    """The contact whose record it is."""
    asked: Asked | None
    thread_subject: str | None
    company: str
    lately: tuple[Lately, ...] = ()
    """What the same person was asked for lately about other checks that are open."""

    @property
    def to_ask(self) -> tuple[str, ...]:
        """What of it their people can tell."""
        return tuple(name for name in self.lacks if name in compliance_fields.ASKED)


_REACHED = "coalesce({clock}.status <> 'exempt' OR {clock}.exempt_reason = 'discovered', true)"
"""SQL for whether somebody may be written to about business, by their clock: a discovered contact may."""

_DUE = """SELECT k.*, k.xmin::text AS seen, coalesce(k.shadow_reminders IS NOT NULL AND k.remind_at <= :now
        AND coalesce(k.shadow_remind_at > :now, true), false) AS shadowed
    FROM compliance_checks k WHERE k.tenant_id = :t AND k.planned_at <= :now AND k.rests_until IS NULL"""

_NAMED = """SELECT k.*, k.xmin::text AS seen, false AS shadowed FROM compliance_checks k
    WHERE k.tenant_id = :t AND k.id = ANY(:ids) AND k.state IN ('pending', 'reminded', 'overdue', 'escalated')"""


def due(tx: Tx) -> list[Standing]:
    """Every check about which something is due and that does not rest, in one statement that reads these alone.

    What has rested long enough is here once `rests.wake` has woken it: a run that is planned again counts it as it did.
    """
    return _read(tx, _DUE, now=tx.now)


def named(tx: Tx, check_ids: Sequence[UUID]) -> list[Standing]:
    """These checks, as far as they are open."""
    return _read(tx, _NAMED, ids=list(check_ids))


def validate(tx: Tx, found: Sequence[Standing]) -> list[Standing]:
    """Write down what each record lacks now, and what follows from it; those that are still open afterwards.

    What is whole is completed, with what showed it; what is past its day is overdue. A check that stands as it stood
    is not written.
    """
    fresh = [(each, _as_it_is_now(tx, each)) for each in found]
    changes = [(each, told) for each, told in fresh if told is not None]
    written = _write(tx, changes)
    now = {check_id: check for check_id, (check, _) in written.items()}
    complete = [check for check in now.values() if check.state == "completed"]
    if complete:
        checks.close_cards(tx, complete, task="done", reason="the record holds all that is required")
    changed = [
        check for each, _ in changes
        if (check := now.get(each.check.id)) is not None and check.is_open
        and (set(check.missing), check.state == "overdue") != (set(each.check.missing), each.check.state == "overdue")
    ]  # fmt: skip
    if changed:
        # what waits to be sent says something else than would be said now
        checks.withdraw(tx, changed, reason="what is missing, or when, is another since")
    gone = {each.check.id for each, _ in changes} - set(now)
    return [
        _with(each, *written.get(each.check.id, (each.check, each.seen))) for each in found
        if each.check.id not in gone and now.get(each.check.id, each.check).is_open
    ]  # fmt: skip


def complete(tx: Tx, check_id: UUID) -> Check:
    """Look at the record now, whatever is due: complete the check if nothing is missing; the check as it stands then.

    What else is required of the same record is looked at as well: what fulfils one schedule fulfils the other at once.
    Raises UnknownCheck.
    """
    check = checks.get(tx, check_id, lock=True)
    of_record = tx.rows(
        """SELECT id FROM compliance_checks WHERE tenant_id = :t AND entity_id = :entity
             AND state IN ('pending', 'reminded', 'overdue', 'escalated')""",
        t=tx.tenant_id, entity=check.entity_id,
    )  # fmt: skip
    # where nothing has changed, that this one was looked at is written all the same
    validate(tx, [replace(each, changed=True) if each.check.id == check_id else each
                  for each in named(tx, [row["id"] for row in of_record])])  # fmt: skip
    return checks.get(tx, check_id)


def _as_it_is_now(tx: Tx, each: Standing) -> dict[str, Any] | None:
    """What is to be written of a check, or None where it stands as it stood."""
    check, whole = each.check, not each.lacks
    state = check.state
    if whole:
        state = "completed"
    elif state in ("pending", "reminded") and check.due_at <= tx.now:
        state = "overdue"
    moved = check.client_id != each.account_id
    if state == check.state and list(each.lacks) == list(check.missing) and not each.changed and not moved:
        return None
    remind_at = check.remind_at
    if whole or not each.to_ask or state == "escalated":
        remind_at = None
    elif remind_at is None and check.reminders == 0:
        remind_at = tx.now
    return {"state": state, "missing": list(each.lacks), "remind_at": remind_at, "client_id": each.account_id,
            "evidence": compliance_generation.proof(check.required, each.record, tx.now) if whole else {}}  # fmt: skip


def _write(tx: Tx, changes: Sequence[tuple[Standing, Mapping[str, Any]]]) -> dict[UUID, tuple[Check, str | None]]:
    """Write them all in one statement, each with its event if it moved; each with its version (see `Standing.seen`).

    Whoever moved meanwhile stays; so does, as it was read, whoever somebody else holds right now: they are not waited
    for, as they may be waiting for what this plan holds.
    """
    if not changes:
        return {}
    rows = tx.rows(
        f"""WITH held AS MATERIALIZED (
                SELECT id, xmin::text AS seen FROM compliance_checks
                WHERE tenant_id = :t AND id = ANY(:ids) ORDER BY id FOR UPDATE SKIP LOCKED),
                 written AS (
            UPDATE compliance_checks k
            SET state = w.new_state, missing = ARRAY(SELECT jsonb_array_elements_text(w.lacks)), validated_at = :now,
                remind_at = w.next_at, recheck_at = NULL, client_id = w.account, evidence = w.proof, updated_at = :now,
                shadow_reminders = CASE WHEN w.next_at IS NULL THEN NULL ELSE k.shadow_reminders END,
                shadow_remind_at = CASE WHEN w.next_at IS NULL THEN NULL ELSE k.shadow_remind_at END,
                closed_at = CASE WHEN w.new_state = 'completed' THEN CAST(:now AS timestamptz) END,
                closed_by = CASE WHEN w.new_state = 'completed' THEN :actor END
            FROM unnest(CAST(:ids AS uuid[]), CAST(:befores AS text[]), CAST(:states AS text[]),
                     CAST(:lacks AS text[])::jsonb[], CAST(:nexts AS timestamptz[]), CAST(:accounts AS uuid[]),
                     CAST(:proofs AS jsonb[]), CAST(:seens AS text[]))
                     AS w (which, before, new_state, lacks, next_at, account, proof, seen)
            JOIN held h ON h.id = w.which
            WHERE k.tenant_id = :t AND k.id = w.which AND k.state = w.before
            RETURNING {", ".join(f"k.{name}" for name in Check.__slots__)},
                      CASE WHEN h.seen = w.seen THEN k.xmin::text END AS seen)
            SELECT w.*, a.which, a.which NOT IN (SELECT id FROM held) AS elsewhere
            FROM unnest(CAST(:ids AS uuid[])) AS a (which) LEFT JOIN written w ON w.id = a.which""",
        now=tx.now, t=tx.tenant_id, actor=tx.actor, ids=[each.check.id for each, _ in changes],
        befores=[each.check.state for each, _ in changes], states=[told["state"] for _, told in changes],
        lacks=[compliance_generation.as_json(told["missing"]) for _, told in changes],
        nexts=[told["remind_at"] for _, told in changes], accounts=[told["client_id"] for _, told in changes],
        proofs=[told["evidence"] for _, told in changes], seens=[each.seen for each, _ in changes],
    )  # fmt: skip
    now = {row["id"]: (checks.load(row), row["seen"]) for row in rows if row["id"] is not None}
    before = {each.check.id: each.check for each, _ in changes}
    events.record_all(tx, [
        checks.news(check, check.state if check.state != before[check.id].state else "validated",
                    before=before[check.id].state, lacked=list(before[check.id].missing))
        for check, _ in now.values()
    ])  # fmt: skip
    return now | {row["which"]: (before[row["which"]], None) for row in rows if row["elsewhere"]}


def _with(each: Standing, now: Check, seen: str | None) -> Standing:
    if now is each.check:
        return each
    shadow_kept = each.remind_at if each.remind_at != each.check.remind_at and now.remind_at is not None else None
    return replace(each, check=now, remind_at=shadow_kept or now.remind_at, changed=False, seen=seen)


def _read(tx: Tx, found: str, **values: Any) -> list[Standing]:
    own, chosen = _REACHED.format(clock="k"), settings.of(tx)
    rows = tx.rows(
        f"""WITH found AS ({found})
            SELECT {", ".join(f"f.{name}" for name in Check.__slots__)}, f.shadowed, f.shadow_reminders,
                   f.shadow_remind_at, f.recheck_at, f.seen, l.id AS account_id, l.name AS account,
                   l.status AS account_status, l.relationship, l.language AS account_language, l.manager_id,
                   coalesce(c.updated_at, l.updated_at) AS record_updated_at, c.name AS person, h.subject,
                   CASE WHEN f.contact_id IS NULL THEN {compliance_fields.missing("client", "f.required")}
                        ELSE {compliance_fields.missing("contact", "f.required")} END AS lacks,
                   CASE WHEN f.contact_id IS NOT NULL THEN (
                       SELECT jsonb_object_agg(p.key, p.value ->> 'source') FROM jsonb_each(c.provenance) p
                       WHERE p.key = ANY(f.required)) END AS sources,
                   CASE WHEN c.email IS NOT NULL AND {own} THEN
                       jsonb_build_array(c.id, c.name, c.language, coalesce(c.timezone, l.timezone),
                                         CASE WHEN k.status = 'paused' THEN k.paused_until END)
                   ELSE m.told END AS asked, y.lately,
                   (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company
            FROM found f
            -- fences: one look-up for each that is due, however few a planner believes there are in all
            LEFT JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = f.contact_id OFFSET 0) c
                ON true
            -- worked out apart: inside the look-up it would keep the wall from using an index
            CROSS JOIN LATERAL (SELECT coalesce(c.client_id, f.client_id) AS account OFFSET 0) w
            JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = w.account OFFSET 0) l ON true
            -- in the words of the index of those out of reach: everybody else costs no row
            LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k WHERE k.tenant_id = :t AND k.contact_id = c.id
                               AND k.status <> 'active' OFFSET 0) k ON true
            LEFT JOIN LATERAL (
                SELECT jsonb_build_array(p.id, p.name, p.language, coalesce(p.timezone, l.timezone),
                                         CASE WHEN e.status = 'paused' THEN e.paused_until END) AS told
                FROM contacts p
                LEFT JOIN LATERAL (SELECT * FROM engagement_clocks e
                                   WHERE e.tenant_id = :t AND e.contact_id = p.id OFFSET 0) e ON true
                WHERE p.tenant_id = :t AND p.client_id = l.id AND p.email IS NOT NULL
                  AND {_REACHED.format(clock="e")} AND NOT (c.email IS NOT NULL AND {own})
                ORDER BY p.id = f.asked_id DESC NULLS LAST, e.last_reply_at DESC NULLS LAST, p.id LIMIT 1) m ON true
            LEFT JOIN LATERAL (SELECT subject FROM mail_threads h
                               WHERE h.tenant_id = :t AND h.id = f.thread_id OFFSET 0) h ON true
            CROSS JOIN LATERAL (SELECT CASE WHEN c.email IS NOT NULL AND {own} THEN c.id
                                            ELSE CAST(m.told ->> 0 AS uuid) END AS id OFFSET 0) v
            LEFT JOIN LATERAL (
                SELECT jsonb_agg(jsonb_build_array(o.contact_id, o.missing, o.until)) AS lately FROM (
                    SELECT id, contact_id, missing, greatest(
                        last_reminded_at + CAST(:rest AS interval), heard_at + CAST(:peace AS interval), remind_at
                    ) AS until FROM compliance_checks
                    WHERE tenant_id = :t AND asked_id = v.id AND last_reminded_at > :since
                      AND state IN ('pending', 'reminded', 'overdue') OFFSET 0) o
                WHERE o.id <> f.id AND o.until > :now) y ON true""",
        t=tx.tenant_id, **{**values, "now": tx.now}, rest=timedelta(days=chosen.compliance_reminder_days),
        peace=timedelta(days=chosen.compliance_answer_days),
        # a request of longer ago asks for nothing now, answered or not
        since=tx.now - timedelta(days=chosen.compliance_reminder_days + chosen.compliance_answer_days),
    )  # fmt: skip
    return [_standing(row) for row in rows]


def _standing(row: Row) -> Standing:
    check = checks.load(row)
    by_shadow = row["shadow_reminders"] is not None and not row["shadowed"]
    return Standing(
        check=check, lacks=tuple(row["lacks"]), shadowed=row["shadowed"], changed=row["recheck_at"] is not None,
        record={"updated_at": row["record_updated_at"], "sources": row["sources"]},
        seen=row["seen"],
        reminders=row["shadow_reminders"] if by_shadow else check.reminders,
        remind_at=row["shadow_remind_at"] if by_shadow else check.remind_at,
        account_id=row["account_id"], account=row["account"], account_status=row["account_status"],
        relationship=row["relationship"], account_language=row["account_language"], manager_id=row["manager_id"],
        person=row["person"], asked=_asked(*row["asked"]) if row["asked"] else None, thread_subject=row["subject"],
        company=row["company"],
        lately=tuple(Lately(UUID(whose) if whose else None, tuple(gaps), datetime.fromisoformat(until))
                     for whose, gaps, until in row["lately"] or ()),
    )  # fmt: skip


def _asked(who: str, name: str, language: str | None, timezone: str | None, paused_until: str | None) -> Asked:
    return Asked(UUID(who), name, language, timezone, datetime.fromisoformat(paused_until) if paused_until else None)
