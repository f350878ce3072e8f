"""Breakers: too many bounces or complaints within a day stop a tenant's mail by themselves; only people resume it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from domain import alerts, audit, events, settings
from domain.db import Tx

BREAKER = "breaker"
"""Who stopped the mail, where no person did."""


@dataclass(frozen=True, slots=True)
class Day:
    """A tenant's last 24 hours of mail."""

    sent: int
    bounces: int
    complaints: int


def check(tx: Tx) -> str | None:
    """Stop the tenant's mail if its last day is past what is tolerated; why, or None. Call it after each bounce."""
    day, chosen = last_day(tx), settings.readable(tx)
    reason = None
    if day.bounces >= chosen.bounce_breaker_count and day.bounces > chosen.bounce_breaker_rate * day.sent:
        reason = f"{day.bounces} of {day.sent} mails of the last 24 hours bounced"
    elif day.complaints >= chosen.complaint_breaker_count and day.complaints > chosen.complaint_breaker_rate * day.sent:
        reason = f"{day.complaints} of {day.sent} mails of the last 24 hours were called spam"
    if reason is not None and _stop_mail(tx, reason):
        alerts.open(tx, "mail_breaker", f"Mail was stopped: {reason}. Resume it once the cause is mended.",
                    severity="critical", sent=day.sent, bounces=day.bounces, complaints=day.complaints)  # fmt: skip
    return reason


def last_day(tx: Tx) -> Day:
    """What the breakers look at, in one statement over two small indexes and the day's mail."""
    row = tx.row(
        """SELECT (SELECT count(*) FROM outbound_messages WHERE tenant_id = :t AND reserved_at > :before
                     AND accepted_at > :since) AS sent,
                  (SELECT count(*) FROM outbound_messages WHERE tenant_id = :t AND bounced_at > :since) AS bounces,
                  (SELECT count(*) FROM outbound_messages WHERE tenant_id = :t AND complained_at > :since) AS complaints
        """,
        t=tx.tenant_id, since=tx.now - timedelta(hours=24), before=tx.now - timedelta(hours=48),
    )  # fmt: skip
    assert row is not None, "counts are always there"
    return Day(**row)


def _stop_mail(tx: Tx, reason: str) -> bool:
    """Close the tenant's mail switch; False when it was closed. What is in flight this instant still goes out."""
    closed = tx.run(
        """INSERT INTO tenant_switches AS s (tenant_id, level, name, stopped, reason, changed_by, changed_at)
           VALUES (:t, 'mail', '', true, :reason, :by, :now)
           ON CONFLICT (tenant_id, level, name) DO UPDATE SET stopped = true, reason = excluded.reason,
               changed_by = excluded.changed_by, changed_at = excluded.changed_at WHERE NOT s.stopped""",
        t=tx.tenant_id, reason=reason, by=BREAKER, now=tx.now,
    )  # fmt: skip
    if closed:
        audit.record(tx, "switch.stop", "mail", reason=reason, by=BREAKER)
        events.record(tx, "switch.stop", "switch", "mail", reason=reason, by=BREAKER)
    return bool(closed)
