"""What happens around quotes: they go out, are looked at and followed up, fall silent when somebody answers, expire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import deal_activity, events, rest_news, schedule, settings, storable
from domain import quote_book as book
from domain.db import Row, Tx
from domain.events import News
from domain.quote_book import Quote, load
from domain.settings import TenantSettings

VISITS_KEPT = 50
"""So many visits of a revision are kept one by one; any more are only counted."""


@dataclass(frozen=True, slots=True)
class Sending:
    """A mail about a quote that went out, or was held: the quote itself (attempt 0), or a follow-up."""

    quote_id: UUID
    revision: int
    card_id: UUID
    attempt: int
    at: datetime
    valid_until: datetime
    """As the mail says."""
    thread_id: UUID | None = None


def follow_up_due(chosen: TenantSettings, attempt: int, sent_at: datetime, valid_until: datetime) -> datetime | None:
    """When follow-up `attempt` (1 for the first) is due; None where there is none: it would come after the expiry.

    The last is due at the later of its days after sending and its hours before expiry.
    """
    days = chosen.quote_follow_up_days
    if attempt <= len(days):
        due = sent_at + timedelta(days=days[attempt - 1])
    elif attempt == len(days) + 1:
        due = max(
            sent_at + timedelta(days=chosen.quote_last_follow_up_days),
            valid_until - timedelta(hours=chosen.quote_last_follow_up_hours),
        )
    else:
        return None
    return due if due < valid_until and attempt <= chosen.max_follow_ups else None


def went_out(tx: Tx, some: Sequence[Sending]) -> int:
    """Quotes and follow-ups went out: drafts are sent, and the next follow-up is due; how many quotes moved on.

    Where somebody at the account has replied since, no follow-up is due any more.
    """
    moved = _moved(tx, some, sql=f"""
        UPDATE quotes q SET
            status = CASE WHEN w.attempt = 0 THEN 'sent' ELSE q.status END, offered_at = NULL,
            sent_at = CASE WHEN w.attempt = 0 THEN w.at ELSE q.sent_at END,
            valid_until = CASE WHEN w.attempt = 0 THEN w.until ELSE q.valid_until END,
            thread_id = coalesce(w.thread, q.thread_id), follow_ups = w.attempt,
            follow_up_due_at = CASE WHEN c.last_reply_at > w.at OR w.attempt > 0 AND q.follow_up_due_at IS NULL
                                    THEN NULL ELSE w.next_at END,
            shadow_sent_at = NULL, shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL, updated_at = :now
        FROM {_SENDINGS}, clients c
        WHERE q.tenant_id = :t AND q.id = w.quote_id AND q.revision = w.revision
          AND c.tenant_id = :t AND c.id = q.client_id
          AND CASE WHEN w.attempt = 0 THEN q.status = 'draft' ELSE q.status IN ('sent', 'viewed') END
        RETURNING {_SHOWN}""", kinds=("sent", "follow_up"))  # fmt: skip
    deal_activity.quoted(tx, moved)
    return len(moved)


def were_held(tx: Tx, some: Sequence[Sending]) -> int:
    """Their mode held them: planning moves on as though they had gone out, the quotes stay as they are; how many."""
    return len(_moved(tx, some, sql=f"""
        UPDATE quotes q SET
            shadow_sent_at = CASE WHEN w.attempt = 0 THEN w.at ELSE q.shadow_sent_at END,
            valid_until = CASE WHEN w.attempt = 0 THEN w.until ELSE q.valid_until END,
            shadow_follow_ups = w.attempt, shadow_follow_up_due_at = w.next_at
        FROM {_SENDINGS}
        WHERE q.tenant_id = :t AND q.id = w.quote_id AND q.revision = w.revision
          AND CASE WHEN w.attempt = 0 THEN q.status = 'draft' ELSE q.status IN ('draft', 'sent', 'viewed') END
        RETURNING {_SHOWN}""", kinds=()))  # fmt: skip


def silence(tx: Tx, client_id: UUID, *, message_id: UUID | None = None, thread_id: UUID | None = None) -> int:
    """Somebody of an account wrote: none of its quotes is followed up any more; how many were.

    With the message, it is noted with those quotes that are spoken of in its conversation.
    """
    # most mail is from accounts that have no quote: one look at an index
    found = tx.rows(
        f"""SELECT {book.COLUMNS}, shadow_follow_up_due_at FROM quotes
            WHERE tenant_id = :t AND client_id = :client AND (status IN ('sent', 'viewed')
                OR shadow_follow_up_due_at IS NOT NULL OR thread_id = :thread AND sent_at IS NOT NULL)
            ORDER BY id FOR UPDATE""",
        t=tx.tenant_id, client=client_id, thread=thread_id,
    )  # fmt: skip
    followed = [row for row in found if row["follow_up_due_at"] or row["shadow_follow_up_due_at"]]
    if followed:
        tx.run(
            """UPDATE quotes SET follow_up_due_at = NULL, shadow_follow_up_due_at = NULL, updated_at = :now
               WHERE tenant_id = :t AND id = ANY(:ids)""",
            now=tx.now, t=tx.tenant_id, ids=[row["id"] for row in followed],
        )  # fmt: skip
        _tell(tx, "silenced", followed, lambda _: {"message_id": str(message_id) if message_id else None})
    if message_id is not None and thread_id is not None:
        for row in found:
            if row["thread_id"] == thread_id and row["sent_at"] is not None:
                book.note(tx, load(row), "replied", by="contact", message_id=message_id)
    return len(followed)


def void(tx: Tx, card_id: UUID) -> bool:
    """The mail of this card never arrived: nobody is asked about a quote that they never got; False: it was none."""
    row = tx.row(
        f"""UPDATE quotes q SET follow_up_due_at = NULL, updated_at = :now FROM quote_activities a
            WHERE q.tenant_id = :t AND a.tenant_id = :t AND a.card_id = :card AND a.kind IN ('sent', 'follow_up')
              AND q.id = a.quote_id AND q.revision = a.revision AND q.status IN ('sent', 'viewed')
            RETURNING {", ".join(f"q.{name}" for name in Quote.__slots__)}""",
        now=tx.now, t=tx.tenant_id, card=card_id,
    )  # fmt: skip
    if row is None:
        return False
    book.note(tx, load(row), "bounced", data={"card_id": str(card_id)})
    book.tell(tx, load(row), "bounced", card_id=str(card_id))
    return True


def expire(tx: Tx) -> int:
    """Quotes whose time is up without an answer have expired; how many. One statement finds them off their index."""
    rows = tx.rows(
        f"""UPDATE quotes SET status = 'expired', follow_up_due_at = NULL, shadow_follow_ups = NULL,
                shadow_follow_up_due_at = NULL, updated_at = :now
            WHERE tenant_id = :t AND status IN ('sent', 'viewed') AND valid_until <= :now RETURNING {book.COLUMNS}""",
        now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    book.cancel_waiting_of(tx, [load(row) for row in rows], "the quote has expired")
    _note(tx, "expired", [(row["id"], row["revision"], None) for row in rows], by="agent")
    _tell(tx, "expired", rows, lambda row: {"total": str(row["total"]), "currency": row["currency"]}, react=True)
    return len(rows)


def visited(tx: Tx, quote_id: UUID, revision: int, *, scanner: str | None, looks: Mapping[str, Any]) -> Quote | None:
    """Somebody opened the page; `scanner` says what shows that it was no person. None: that revision is gone.

    Only what looks like a person makes a sent quote viewed, and nothing that opens a page ever decides an outcome.
    Whoever opens it within a minute of its sending (a setting) is taken for a machine, and a draft counts for nothing:
    it is looked at by those who approve it.
    """
    quote = book.hold(tx, quote_id)
    if quote.revision != revision:
        return None
    if quote.status not in book.OPEN:
        return quote
    soon = timedelta(seconds=settings.readable(tx).quote_scan_seconds)
    if scanner is None and quote.sent_at is not None and tx.now < quote.sent_at + soon:
        scanner = "seconds after it was sent"
    seen = {name: storable.text(str(each), 200) for name, each in looks.items() if each}
    counted = "scans" if scanner else "visits"
    if getattr(quote, counted) < VISITS_KEPT:
        by = "scanner" if scanner else "visitor"
        book.note(tx, quote, "scan" if scanner else "visit", by=by, data={**seen, "sign": scanner} if scanner else seen)
    tx.run(
        f"UPDATE quotes SET {counted} = {counted} + 1 WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=quote_id
    )
    if scanner is not None or quote.status == "viewed":
        return quote
    schedule.bring_forward(tx, tx.now)
    return book.write(tx, quote, "viewed", {"status": "viewed", "first_viewed_at": tx.now}, by="visitor", react=True,
                      deal_id=book.deal_of(tx, quote))  # fmt: skip


_SENDINGS = """unnest(CAST(:ids AS uuid[]), CAST(:revisions AS int[]), CAST(:cards AS uuid[]),
                   CAST(:attempts AS int[]), CAST(:ats AS timestamptz[]), CAST(:untils AS timestamptz[]),
                   CAST(:threads AS uuid[]), CAST(:nexts AS timestamptz[]))
               AS w (quote_id, revision, card_id, attempt, at, until, thread, next_at)"""

_SHOWN = f"""{", ".join(f"q.{name}" for name in Quote.__slots__)}, q.planned_at, w.card_id, w.attempt, w.at"""


def _moved(tx: Tx, some: Sequence[Sending], *, sql: str, kinds: Sequence[str]) -> Sequence[Row]:
    """Write what mails did to their quotes; `kinds`: what happened to a quote itself, and to one followed up."""
    if not some:
        return []
    chosen = settings.of(tx)
    rows = tx.rows(sql, t=tx.tenant_id, now=tx.now, **_columns(tx, chosen, some))
    for attempts, kind in zip(((0,), (1, 2, 3, 4)), kinds, strict=False):
        told = [row for row in rows if row["attempt"] in attempts]
        _note(tx, kind, [(row["id"], row["revision"], row["card_id"]) for row in told], by="agent")
        _tell(tx, "sent" if kind == "sent" else "followed_up", told, _said, react=kind == "sent")
    for row in rows:
        for moment in (row["planned_at"], row["valid_until"]):
            if moment is not None:
                schedule.bring_forward(tx, max(moment, tx.now))
    return rows


def _said(row: Row) -> Mapping[str, Any]:
    told: dict[str, Any] = {"attempt": row["attempt"], "card_id": str(row["card_id"])}
    return told | {"deal_id": str(row["deal_id"]) if row["deal_id"] else None, "total": str(row["total"]),
                   "currency": row["currency"]}  # fmt: skip


def _columns(tx: Tx, chosen: TenantSettings, some: Sequence[Sending]) -> dict[str, Any]:
    return {
        "ids": [each.quote_id for each in some],
        "revisions": [each.revision for each in some],
        "cards": [each.card_id for each in some],
        "attempts": [each.attempt for each in some],
        "ats": [each.at for each in some],
        "untils": [each.valid_until for each in some],
        "threads": [each.thread_id for each in some],
        "nexts": _nexts(tx, chosen, some),
    }


def _nexts(tx: Tx, chosen: TenantSettings, some: Sequence[Sending]) -> list[datetime | None]:
    """When each quote is followed up next: counted from its sending, and never sooner after a late mail than may be."""
    rows = tx.rows(
        "SELECT id, coalesce(sent_at, shadow_sent_at) AS sent_at FROM quotes WHERE tenant_id = :t AND id = ANY(:ids)",
        t=tx.tenant_id, ids=[each.quote_id for each in some],
    )  # fmt: skip
    sent = {row["id"]: row["sent_at"] for row in rows}
    gap = timedelta(hours=chosen.minimum_gap_hours)
    nexts: list[datetime | None] = []
    for each in some:
        began = each.at if each.attempt == 0 else sent.get(each.quote_id) or each.at
        due = follow_up_due(chosen, each.attempt + 1, began, each.valid_until)
        if due is not None and due < each.at + gap:
            due = each.at + gap if each.at + gap < each.valid_until else None
        nexts.append(due)
    return nexts


def _note(tx: Tx, kind: str, some: Sequence[tuple[UUID, int, UUID | None]], *, by: str) -> None:
    """Add one activity to each of these quotes: (quote, revision, card)."""
    if not some:
        return
    tx.run(
        """INSERT INTO quote_activities (tenant_id, id, quote_id, revision, kind, at, by, card_id)
           SELECT :t, w.id, w.quote_id, w.revision, :kind, :now, :by, w.card_id
           FROM unnest(CAST(:ids AS uuid[]), CAST(:quotes AS uuid[]), CAST(:revisions AS int[]),
                       CAST(:cards AS uuid[])) AS w (id, quote_id, revision, card_id) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, kind=kind, now=tx.now, by=by, ids=[tx.clock.uuid() for _ in some],
        quotes=[each[0] for each in some], revisions=[each[1] for each in some], cards=[each[2] for each in some],
    )  # fmt: skip


def _tell(
    tx: Tx, what: str, rows: Sequence[Row], data: Callable[[Row], Mapping[str, Any]], *, react: bool = False
) -> None:
    rest_news.of(tx, [row["client_id"] for row in rows])
    events.record_all(tx, [
        News(f"quote.{what}", "quote", row["id"], row["client_id"], row["contact_id"], react=react,
             data={"number": row["number"], "revision": row["revision"], "status": row["status"], **data(row)})
        for row in rows
    ])  # fmt: skip
