"""What happens to feedback requests by themselves: mails go out, are held or come back, time passes, pages are seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import feedback_book as book
from domain import schedule, settings
from domain.db import Tx
from domain.feedback import tell_all
from domain.feedback_book import Request, load

_F = ", ".join(f"f.{name}" for name in Request.__slots__)

_MAILS = """unnest(CAST(:ids AS uuid[]), CAST(:cards AS uuid[]), CAST(:contacts AS uuid[]), CAST(:threads AS uuid[]),
                   CAST(:attempts AS int[]), CAST(:ats AS timestamptz[]))
            AS w (id, card_id, contact_id, thread, attempt, at)"""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail about a request that went out, or was held: the request itself (attempt 0), or its reminder."""

    request_id: UUID
    card_id: UUID
    contact_id: UUID | None
    attempt: int
    at: datetime
    thread_id: UUID | None = None


def went_out(tx: Tx, some: Sequence[Mail]) -> int:
    """Somebody was asked, or reminded; how many requests moved on.

    No reminder is due where somebody at the account has written since, or where the tenant sends none.
    """
    if not some:
        return 0
    chosen = settings.of(tx)
    rows = tx.rows(
        f"""UPDATE feedback_requests f SET
                state = 'sent', sent_at = coalesce(f.sent_at, w.at), lapses_at = coalesce(f.lapses_at, w.at + :answer),
                contact_id = coalesce(w.contact_id, f.contact_id), card_id = coalesce(f.card_id, w.card_id),
                thread_id = coalesce(f.thread_id, w.thread), reminders = w.attempt,
                remind_at = CASE WHEN w.attempt < :reminders AND coalesce(c.last_reply_at <= w.at, true)
                                 THEN w.at + :gap END,
                shadow_sent_at = NULL, updated_at = :now
            FROM {_MAILS}, clients c
            WHERE f.tenant_id = :t AND f.id = w.id AND c.tenant_id = :t AND c.id = f.client_id
              AND f.state = CASE w.attempt WHEN 0 THEN 'queued' ELSE 'sent' END
            RETURNING {_F}, w.attempt""",
        t=tx.tenant_id, now=tx.now, answer=timedelta(days=chosen.feedback_answer_days),
        gap=timedelta(days=chosen.feedback_reminder_days), reminders=chosen.feedback_reminders, **_columns(some),
    )  # fmt: skip
    tell_all(tx, "sent", [row for row in rows if row["attempt"] == 0], lambda row: {"card_id": str(row["card_id"])})
    tell_all(tx, "reminded", [row for row in rows if row["attempt"] > 0])
    for row in rows:
        schedule.bring_forward(tx, max(row["remind_at"] or row["lapses_at"], tx.now))
    return len(rows)


def were_held(tx: Tx, some: Sequence[Mail]) -> int:
    """Their mode held them: planning moves on as though somebody had been asked, the requests stay as they are."""
    if not some:
        return 0
    return tx.run(
        f"""UPDATE feedback_requests f SET shadow_sent_at = w.at, contact_id = coalesce(f.contact_id, w.contact_id)
            FROM {_MAILS} WHERE f.tenant_id = :t AND f.id = w.id AND f.state IN ('queued', 'sent')""",
        t=tx.tenant_id, **_columns(some),
    )  # fmt: skip


def silence(tx: Tx, client_id: UUID) -> int:
    """Somebody of an account wrote: nobody there is reminded of anything any more; how many were to be."""
    rows = tx.rows(
        f"""UPDATE feedback_requests SET remind_at = NULL, updated_at = :now
            WHERE tenant_id = :t AND client_id = :client AND state = 'sent' AND remind_at IS NOT NULL
            RETURNING {book.COLUMNS}""",
        now=tx.now, t=tx.tenant_id, client=client_id,
    )  # fmt: skip
    for row in rows:
        book.cancel_waiting(tx, load(row), "somebody at the account has written")
    tell_all(tx, "silenced", rows)
    return len(rows)


def void(tx: Tx, card_id: UUID) -> bool:
    """The mail of this card never arrived: nobody was asked, and nobody is reminded; False: it asked nobody."""
    row = tx.row(
        f"""UPDATE feedback_requests SET state = 'skipped', reason = 'the mail that asked came back', remind_at = NULL,
                updated_at = :now
            WHERE tenant_id = :t AND card_id = :card AND state = 'sent' RETURNING {book.COLUMNS}""",
        now=tx.now, t=tx.tenant_id, card=card_id,
    )  # fmt: skip
    if row is None:
        return False
    book.cancel_waiting(tx, load(row), "the mail that asked came back")
    book.tell(tx, load(row), "bounced", card_id=str(card_id))
    return True


def give_up_reminders(tx: Tx, request_ids: Sequence[UUID]) -> int:
    """Nobody is reminded of these after all; how many were to be."""
    rows = tx.rows(
        f"""UPDATE feedback_requests SET remind_at = NULL, shadow_sent_at = NULL, updated_at = :now
            WHERE tenant_id = :t AND id = ANY(:ids) AND state = 'sent' AND remind_at IS NOT NULL
            RETURNING {book.COLUMNS}""",
        now=tx.now, t=tx.tenant_id, ids=list(request_ids),
    ) if request_ids else []  # fmt: skip
    tell_all(tx, "silenced", rows)
    return len(rows)


def lapse(tx: Tx) -> int:
    """Nobody waits any longer for answers that did not come; how many. One statement finds them off their index."""
    rows = tx.rows(
        f"""UPDATE feedback_requests SET state = 'lapsed', remind_at = NULL, shadow_sent_at = NULL, updated_at = :now
            WHERE tenant_id = :t AND state = 'sent' AND lapses_at <= :now RETURNING {book.COLUMNS}""",
        now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    tell_all(tx, "lapsed", rows)
    return len(rows)


def visited(tx: Tx, request_id: UUID, *, scanner: str | None) -> Request:
    """Somebody opened the page: counted, and nothing more; `scanner` says what shows that it was no person.

    Whoever opens it within a minute of its sending (a setting) is taken for a machine. Raises UnknownFeedbackRequest.
    """
    request = book.hold(tx, request_id)
    soon = timedelta(seconds=settings.readable(tx).quote_scan_seconds)
    if request.state not in book.ANSWERABLE:
        return request
    hasty = request.sent_at is not None and tx.now < request.sent_at + soon
    counted = "scans" if scanner or hasty else "visits"
    tx.run(
        f"UPDATE feedback_requests SET {counted} = {counted} + 1 WHERE tenant_id = :t AND id = :id",
        t=tx.tenant_id, id=request_id,
    )  # fmt: skip
    return request


def _columns(some: Sequence[Mail]) -> Mapping[str, Any]:
    return {
        "ids": [each.request_id for each in some],
        "cards": [each.card_id for each in some],
        "contacts": [each.contact_id for each in some],
        "threads": [each.thread_id for each in some],
        "attempts": [each.attempt for each in some],
        "ats": [each.at for each in some],
    }
