"""Making checks: one of each record that a schedule is about, for each period, a bounded number at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from domain import compliance_dates, compliance_fields, events, settings, workdays
from domain import compliance_schedules as schedules
from domain.compliance_dates import Due
from domain.compliance_schedules import NOBODY, Schedule
from domain.db import Row, Tx
from domain.settings import TenantSettings

SWEEPS = 4
"""So many batches of checks are made in one go, whatever is due; the rest waits for the next."""


def generate(
    tx: Tx, schedule_id: UUID | None = None, *, limit: int | None = None, known: Sequence[Schedule] | None = None
) -> int:  # fmt: skip
    """Make the checks of every schedule whose window is open, or of this one; how many were made.

    Records are gone through in the order of their ids, at most `limit` of them and in at most `SWEEPS` batches, and
    the next call goes on where this one ended. A record has one check of each period, however often this is called.
    Who has read them gives the schedules as `known`.
    """
    chosen = settings.of(tx)
    left = chosen.compliance_checks_per_cycle if limit is None else limit
    some = [schedules.get(tx, schedule_id)] if schedule_id else schedules.listed(tx) if known is None else known
    made = sweeps = 0
    for each in sorted(some, key=lambda one: (one.next_on, one.id)):
        if not each.active or each.opens_at(chosen) > tx.now:
            continue
        # whoever else makes them at this moment has the line; what they did shows once they are done
        open_one: Schedule | None = _past_missed(tx, schedules.get(tx, each.id, lock=True), chosen)
        while open_one is not None and left > 0 and sweeps < SWEEPS and open_one.opens_at(chosen) <= tx.now:
            looked, fresh, open_one = _sweep(tx, open_one, chosen, left)
            left, made, sweeps = left - looked, made + fresh, sweeps + 1
    return made


def _sweep(tx: Tx, of: Schedule, chosen: TenantSettings, limit: int) -> tuple[int, int, Schedule]:
    """Look at the next records: how many they were, how many have a check now, and the schedule as it stands then."""
    batch = _batch(tx, of, limit)
    wanted = [row for row in batch if row["wanted"]]
    fresh = _insert(tx, of, wanted, chosen)
    over = len(batch) < limit
    moved = _next(of) if over else {"swept_to": batch[-1]["entity_id"]}
    if wanted:
        complete = sum(not row["missing"] for row in wanted)
        events.record(tx, "compliance.generated", "compliance_schedule", of.id, period=of.next_on.isoformat(),
                      checks=fresh, complete=complete)  # fmt: skip
    return len(batch), fresh, schedules.write(tx, of, moved)


def _batch(tx: Tx, of: Schedule, limit: int) -> Sequence[Row]:
    """The next records by their ids: where they are, whether the schedule is about them, what they lack."""
    chosen, values = compliance_fields.condition(of.applies_to, of.filter)
    if of.applies_to == "contact":
        # of a person who was erased nothing is required
        chosen = f"{chosen} AND c.erased_at IS NULL"
    lacks = compliance_fields.missing(of.applies_to, "CAST(:required AS text[])")
    values |= {"t": tx.tenant_id, "after": of.swept_to or NOBODY, "limit": limit, "required": list(of.required_fields)}
    if of.applies_to == "client":
        return tx.rows(
            f"""SELECT l.id AS entity_id, l.id AS client_id, CAST(NULL AS uuid) AS contact_id, l.country, l.timezone,
                       l.updated_at, {chosen} AS wanted, {lacks} AS missing, CAST(NULL AS jsonb) AS sources
                FROM (SELECT * FROM clients WHERE tenant_id = :t AND id > :after ORDER BY id LIMIT :limit) l
                ORDER BY l.id""",
            **values,
        )  # fmt: skip
    return tx.rows(
        f"""SELECT c.id AS entity_id, c.client_id, c.id AS contact_id, coalesce(c.country, l.country) AS country,
                   coalesce(c.timezone, l.timezone) AS timezone, c.updated_at, {chosen} AS wanted, {lacks} AS missing,
                   {SOURCES} AS sources
            FROM (SELECT * FROM contacts WHERE tenant_id = :t AND id > :after ORDER BY id LIMIT :limit) c
            JOIN clients l ON l.tenant_id = :t AND l.id = c.client_id ORDER BY c.id""",
        **values,
    )  # fmt: skip


SOURCES = """(SELECT jsonb_object_agg(p.key, p.value ->> 'source') FROM jsonb_each(c.provenance) p
              WHERE p.key = ANY(CAST(:required AS text[])))"""
"""SQL for where each required field of contact `c` is known from."""


def _insert(tx: Tx, of: Schedule, some: Sequence[Row], chosen: TenantSettings) -> int:
    """One check of each record; what is whole is completed at once. Whoever has one of this period gets no second."""
    if not some:
        return 0
    dues: dict[tuple[str | None, str | None], tuple[Due, datetime]] = {}
    for row in some:
        where = (row["country"], row["timezone"])
        if where not in dues:
            dues[where] = _due(of.next_on, row["country"], row["timezone"], chosen)
    when = [dues[row["country"], row["timezone"]] for row in some]
    evidence = [{} if row["missing"] else proof(of.required_fields, row, tx.now) for row in some]
    return tx.run(
        """INSERT INTO compliance_checks (tenant_id, id, schedule_id, entity_id, client_id, contact_id, period, due_on,
               due_at, escalate_at, state, required, missing, validated_at, evidence, remind_at, closed_at, closed_by,
               created_at, updated_at)
           SELECT :t, w.id, :schedule, w.entity_id, w.client_id, w.contact_id, :period, w.due_on, w.due_at,
                  w.escalate_at, CASE WHEN w.missing = '[]' THEN 'completed' ELSE 'pending' END, :required,
                  ARRAY(SELECT jsonb_array_elements_text(w.missing)), :now, w.evidence,
                  CASE WHEN w.missing ?| :asked THEN :now END,
                  CASE WHEN w.missing = '[]' THEN CAST(:now AS timestamptz) END,
                  CASE WHEN w.missing = '[]' THEN 'agent' END, :now, :now
           FROM unnest(CAST(:ids AS uuid[]), CAST(:entities AS uuid[]), CAST(:clients AS uuid[]),
                    CAST(:contacts AS uuid[]), CAST(:ons AS date[]), CAST(:ats AS timestamptz[]),
                    CAST(:escalations AS timestamptz[]), CAST(:missing AS text[])::jsonb[], CAST(:evidence AS jsonb[]))
                AS w (id, entity_id, client_id, contact_id, due_on, due_at, escalate_at, missing, evidence)
           ON CONFLICT (tenant_id, schedule_id, entity_id, period) DO NOTHING""",
        t=tx.tenant_id, schedule=of.id, period=of.next_on, required=list(of.required_fields), now=tx.now,
        asked=sorted(compliance_fields.ASKED), ids=[tx.clock.uuid() for _ in some],
        entities=[row["entity_id"] for row in some], clients=[row["client_id"] for row in some],
        contacts=[row["contact_id"] for row in some], ons=[each.on for each, _ in when],
        ats=[each.at for each, _ in when], escalations=[at for _, at in when],
        missing=[as_json(row["missing"]) for row in some], evidence=evidence,
    )  # fmt: skip


def proof(required: Sequence[str], row: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    """What shows that a record is whole: which fields, where they are known from, and how old the record was."""
    told = {"fields": list(required), "record_updated_at": row["updated_at"].isoformat(), "at": at.isoformat()}
    return told | ({"sources": dict(row["sources"])} if row["sources"] else {})


def _due(day: date, country: str | None, zone: str | None, chosen: TenantSettings) -> tuple[Due, datetime]:
    """When a check is due for somebody there, and when it is taken to the manager."""
    there = country or chosen.country
    at = workdays.zone(zone) or (workdays.zone_in(there, chosen.zone) if country else chosen.zone)
    due = compliance_dates.due(day, there, at)
    return due, compliance_dates.end_of(due.on + timedelta(days=chosen.compliance_escalate_days), at)


def _past_missed(tx: Tx, of: Schedule, chosen: TenantSettings) -> Schedule:
    """Pass over periods that nobody made checks of in time: the next one's window is open already, and asks the same.

    A month in which the agent was switched off brings nobody two requests at once; the event says which were missed.
    """
    missed = []
    today = tx.now.astimezone(chosen.zone).date()
    while of.swept_to is None and of.next_on < today:
        if of.opening(of.next_period + 1, chosen) > tx.now:
            break
        missed.append(of.next_on.isoformat())
        of = schedules.write(tx, of, _next(of))
    if missed:
        events.record(tx, "compliance.passed_over", "compliance_schedule", of.id, periods=missed)
    return of


def _next(of: Schedule) -> dict[str, Any]:
    period = of.next_period + 1
    return {"next_period": period, "next_on": compliance_dates.falls_on(of.anchor_on, of.frequency, period),
            "swept_to": None}  # fmt: skip


def as_json(names: Sequence[str]) -> str:
    """Names of ours as a JSON array: an array of arrays must be square, and these are not."""
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
