"""Engagement clocks: when a contact was last touched, when the next touch is promised, where its sequence stands."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import cards, deal_activity, rest_news, schedule, settings
from domain.db import Row, Tx

TouchType = Literal["email", "reply", "call", "meeting"]

SEQUENCE_TYPES = ("send_email", "follow_up")
"""The cards that a sequence is made of; what stops the sequence cancels those that still wait."""

BOUNCES_IN_A_ROW = 3
"""So many voided touches with none that arrived between them, and the contact counts as out of reach."""

PROMISED = "greatest(k.due_at, CASE WHEN k.status = 'paused' THEN k.paused_until END)"
"""When the promise of a clock `k` falls due: for somebody who is away, not before the return."""

BACK_WITHIN = timedelta(days=2)
"""How recent a reply, call or meeting must be to show that somebody is back from an absence."""

_GOLDEN = 0.6180339887498949


def start(
    tx: Tx, contact_ids: Sequence[UUID], *, first_due: datetime | None = None, spread_days: float = 0.0
) -> int:  # fmt: skip
    """Give contacts a clock; how many were started.

    The first touch is due at `first_due` (now, when not given), spread evenly over `spread_days` for an import.
    A contact without an address starts exempt; called again once it has one, it is taken in. Others stay as they are.
    """
    if not contact_ids:
        return 0
    begin, span = first_due or tx.now, timedelta(days=spread_days)
    rows = tx.rows(
        """INSERT INTO engagement_clocks AS k
               (tenant_id, contact_id, client_id, status, exempt_reason, first_due_at, due_at)
           SELECT :t, c.id, c.client_id, CASE WHEN c.email IS NULL THEN 'exempt' ELSE 'active' END,
                  CASE WHEN c.email IS NULL THEN 'no_address' END, a.due_at, a.due_at
           FROM unnest(CAST(:ids AS uuid[]), CAST(:dues AS timestamptz[])) AS a (contact_id, due_at)
           -- OFFSET 0: each is looked up by its key, however few contacts the statistics speak of
           CROSS JOIN LATERAL (SELECT id, client_id, email FROM contacts
                               WHERE tenant_id = :t AND id = a.contact_id OFFSET 0) c
           ON CONFLICT (tenant_id, contact_id) DO UPDATE SET status = 'active', exempt_reason = NULL
               WHERE k.exempt_reason = 'no_address' AND excluded.status = 'active'
           RETURNING contact_id, client_id, status, due_at, planned_at""",
        t=tx.tenant_id, ids=list(contact_ids), dues=[begin + span * share for share in _shares(contact_ids)],
    )  # fmt: skip
    _tell(tx, "clock.started", rows, lambda row: {"status": row["status"], "due_at": row["due_at"].isoformat()})
    _reschedule(tx, [row for row in rows if row["status"] != "exempt"])
    return len(rows)


def touch(
    tx: Tx, contact_id: UUID, kind: TouchType, *, by: str, at: datetime | None = None, message_id: UUID | None = None
) -> bool:  # fmt: skip
    """Record that a contact was touched and wind its clock; False when this message was recorded before.

    `by` is `contact`, or whoever of the tenant it was. A reply, a call or a meeting ends a pause and stops every
    sequence of the account, a mail by a person of the tenant the contact's own; but none that began later. No touch
    makes the first due date earlier.
    """
    at = min(at or tx.now, tx.now)
    made = _store_touches(tx, [(contact_id, None, message_id)], kind, by, at)
    if not made:
        return False
    client_id = made[0]["client_id"]
    if _is_newest(tx, contact_id, at):
        reason = f"{kind} by {'the contact' if by == 'contact' else 'a person'} on {at:%Y-%m-%d}"
        if kind == "email":
            _stop(tx, "contact_id", contact_id, reason)
        else:
            stop_sequences(tx, client_id, reason=reason)
    if kind == "reply":
        tx.run(
            "UPDATE clients SET last_reply_at = greatest(last_reply_at, :at) WHERE tenant_id = :t AND id = :client",
            at=at, t=tx.tenant_id, client=client_id,
        )  # fmt: skip
    if kind in ("call", "meeting"):
        deal_activity.spoken(tx, client_id, contact_id, kind, at=at, by=by)
    _wind(tx, [contact_id], kind, by, at)
    if kind != "email":
        # whoever was away is back
        rest_news.of(tx, [client_id])
    return True


def mailed(tx: Tx, contacts: Mapping[UUID, UUID], *, at: datetime | None = None) -> None:
    """The mails of these cards went out to their contacts (at `at`, or just now); each card winds a clock once.

    A mail that bounced or failed before its touch came to be recorded is stored void, and winds nothing.
    """
    at = min(at or tx.now, tx.now)
    some = [(contact_id, card_id, None) for card_id, contact_id in contacts.items()]
    made = _store_touches(tx, some, "email", "agent", at) if some else ()
    _wind(tx, [row["contact_id"] for row in made if row["voided_at"] is None], "email", "agent", at)


def void_touch(tx: Tx, card_id: UUID, reason: str) -> int:
    """The mail of this card never arrived: its touch is void, and the clock goes back to the latest that counts.

    Its sequence ends, for its thread holds a mail that nobody has. A contact whose mail failed `BOUNCES_IN_A_ROW`
    times becomes exempt. The number of touches voided.
    """
    voided = tx.rows(
        """UPDATE touches SET voided_at = :now, void_reason = :reason
           WHERE tenant_id = :t AND card_id = :card AND voided_at IS NULL RETURNING contact_id, client_id""",
        now=tx.now, reason=reason, t=tx.tenant_id, card=card_id,
    )  # fmt: skip
    if not voided:
        return 0
    rows = tx.rows(
        """UPDATE engagement_clocks k SET last_touch_at = l.at, last_touch_type = l.type, last_touch_by = l.by,
               due_at = greatest(k.first_due_at, l.at + :span), voided_touches = k.voided_touches + 1,
               sequence_step = 0, sequence_thread_id = NULL, follow_up_due_at = NULL
           FROM unnest(CAST(:ids AS uuid[])) AS v (contact_id) LEFT JOIN LATERAL (
               SELECT at, type, by FROM touches h WHERE h.tenant_id = :t AND h.contact_id = v.contact_id
               AND h.voided_at IS NULL ORDER BY at DESC, id DESC LIMIT 1) AS l ON true
           WHERE k.tenant_id = :t AND k.contact_id = v.contact_id
           RETURNING k.contact_id, k.client_id, k.due_at, k.planned_at, (
               SELECT count(*) FROM touches h WHERE h.tenant_id = :t AND h.contact_id = k.contact_id
               AND h.voided_at IS NOT NULL AND (l.at IS NULL OR h.at > l.at)) AS bounces""",
        t=tx.tenant_id, ids=[row["contact_id"] for row in voided], span=_promise(tx),
    )  # fmt: skip
    _tell(tx, "touch.voided", rows, lambda row: {"reason": reason, "due_at": row["due_at"].isoformat()})
    _reschedule(tx, rows)
    exempt(tx, [row["contact_id"] for row in rows if row["bounces"] >= BOUNCES_IN_A_ROW], "unreachable")
    return len(voided)


def pause(tx: Tx, contact_id: UUID, until: datetime, *, reason: str = "out_of_office") -> bool:
    """Leave a contact in peace until its return; a later return wins over an earlier one. False: nothing changed."""
    rows = tx.rows(
        """UPDATE engagement_clocks SET status = 'paused', paused_until = :until
           WHERE tenant_id = :t AND contact_id = :contact AND status <> 'exempt' AND :until > :now
             AND (paused_until IS NULL OR paused_until < :until) RETURNING contact_id, client_id""",
        t=tx.tenant_id, contact=contact_id, until=until, now=tx.now,
    )  # fmt: skip
    _tell(tx, "clock.paused", rows, lambda _: {"until": until.isoformat(), "reason": reason})
    return bool(rows)


def resume(tx: Tx, contact_id: UUID) -> bool:
    """End a pause before its time; False where there was none."""
    return bool(_end_pauses(tx, "contact_id = :contact", contact=contact_id))


def refresh_compliance(tx: Tx) -> int:
    """Wake the clocks whose pause is over, and end the sequences that a promise has overtaken; how many clocks changed.

    Whether a clock is overdue is never stored, so it is never stale.
    """
    woken = _end_pauses(tx, "paused_until <= :now", now=tx.now)
    lapsed = tx.rows(
        """UPDATE engagement_clocks SET sequence_step = 0, sequence_thread_id = NULL, follow_up_due_at = NULL
           WHERE tenant_id = :t AND status = 'active' AND due_at <= :now AND follow_up_due_at IS NOT NULL
           RETURNING contact_id, client_id""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    _tell(tx, "sequence.stopped", lapsed, lambda _: {"reason": "the promise fell due before its next follow-up"})
    return len(woken) + len(lapsed)


def exempt(tx: Tx, contact_ids: Sequence[UUID], reason: str) -> int:
    """Take contacts that may not be reached out of the promise, their sequences with them; how many were in it."""
    if not contact_ids:
        return 0
    rows = tx.rows(
        """UPDATE engagement_clocks SET status = 'exempt', exempt_reason = :reason, paused_until = NULL,
               sequence_step = 0, sequence_thread_id = NULL, follow_up_due_at = NULL,
               shadow_step = NULL, shadow_follow_up_due_at = NULL
           WHERE tenant_id = :t AND contact_id = ANY(:ids)
             -- who was only discovered may be written to about business: no more, once there is a graver reason
             AND (status <> 'exempt' OR exempt_reason = 'discovered' AND :reason <> 'discovered')
           RETURNING contact_id, client_id""",
        t=tx.tenant_id, ids=list(contact_ids), reason=reason,
    )  # fmt: skip
    _tell(tx, "clock.exempted", rows, lambda _: {"reason": reason})
    return len(rows)


def reinstate(tx: Tx, contact_id: UUID) -> bool:
    """Take a contact back into the promise, with the due date that it had; False where it was not exempt."""
    rows = tx.rows(
        """UPDATE engagement_clocks SET status = 'active', exempt_reason = NULL
           WHERE tenant_id = :t AND contact_id = :contact AND status = 'exempt'
           RETURNING contact_id, client_id, due_at, planned_at""",
        t=tx.tenant_id, contact=contact_id,
    )  # fmt: skip
    rest_news.of(tx, [row["client_id"] for row in rows])
    _tell(tx, "clock.reinstated", rows, lambda row: {"due_at": row["due_at"].isoformat()})
    _reschedule(tx, rows)
    return bool(rows)


def stop_sequences(tx: Tx, client_id: UUID, *, reason: str) -> int:
    """Stop every sequence to an account and cancel its cards that still wait; the number of sequences stopped."""
    return _stop(tx, "client_id", client_id, reason)


def stop_sequence(tx: Tx, contact_id: UUID, *, reason: str) -> int:
    """Stop the sequence to one contact and cancel its cards that still wait; the number of sequences stopped."""
    return _stop(tx, "contact_id", contact_id, reason)


@dataclass(frozen=True, slots=True)
class Advance:
    """A mail of a sequence: 1 for the first touch, 2 to 5 for its follow-ups."""

    contact_id: UUID
    step: int
    follow_up_due: datetime | None
    thread_id: UUID | None = None
    sent_at: datetime | None = None


def advance_sequences(tx: Tx, advances: Sequence[Advance]) -> int:
    """Mails of sequences went out; how many sequences wound on.

    One does not, and nothing more is planned in it, when its contact became exempt or somebody at the account replied
    since the mail was sent.
    """
    if not advances:
        return 0
    rows = tx.rows(
        f"""UPDATE engagement_clocks k SET sequence_step = w.step, follow_up_due_at = w.follow_up,
               sequence_thread_id = coalesce(w.thread, CASE WHEN w.step > 1 THEN k.sequence_thread_id END),
               shadow_due_at = NULL, shadow_step = NULL, shadow_follow_up_due_at = NULL
           FROM {_ADVANCES}, clients c WHERE k.tenant_id = :t AND k.contact_id = w.contact_id AND k.status <> 'exempt'
             AND c.tenant_id = k.tenant_id AND c.id = k.client_id
             AND (c.last_reply_at IS NULL OR c.last_reply_at <= w.sent_at)
           RETURNING k.contact_id, k.client_id, k.planned_at, w.step, w.follow_up""",
        t=tx.tenant_id, **_columns(tx, advances),
    )  # fmt: skip
    _tell(tx, "sequence.advanced", rows, lambda row: {"step": row["step"], "follow_up_due_at": _iso(row["follow_up"])})
    _reschedule(tx, rows)
    return len(rows)


def shadow_advances(tx: Tx, advances: Sequence[Advance]) -> int:
    """Mails were held by their mode: planning moves on as though they had gone out, the promise stays where it is."""
    if not advances:
        return 0
    rows = tx.rows(
        f"""UPDATE engagement_clocks k SET shadow_due_at = :due, shadow_step = w.step,
                shadow_follow_up_due_at = w.follow_up
            FROM {_ADVANCES} WHERE k.tenant_id = :t AND k.contact_id = w.contact_id AND k.status <> 'exempt'
            RETURNING k.contact_id, k.client_id, k.planned_at, w.step, w.follow_up""",
        t=tx.tenant_id, due=tx.now + _promise(tx), **_columns(tx, advances),
    )  # fmt: skip
    _tell(tx, "clock.shadowed", rows, lambda row: {"step": row["step"], "follow_up_due_at": _iso(row["follow_up"])})
    _reschedule(tx, rows)
    return len(rows)


_ADVANCES = """unnest(CAST(:contacts AS uuid[]), CAST(:steps AS int[]), CAST(:follow_ups AS timestamptz[]),
                    CAST(:threads AS uuid[]), CAST(:sents AS timestamptz[]))
               AS w (contact_id, step, follow_up, thread, sent_at)"""


def _columns(tx: Tx, advances: Sequence[Advance]) -> dict[str, Any]:
    return {
        "contacts": [each.contact_id for each in advances],
        "steps": [each.step for each in advances],
        "follow_ups": [each.follow_up_due for each in advances],
        "threads": [each.thread_id for each in advances],
        "sents": [each.sent_at or tx.now for each in advances],
    }


def _stop(tx: Tx, column: Literal["client_id", "contact_id"], whose: UUID, reason: str) -> int:
    rows = tx.rows(
        f"""UPDATE engagement_clocks SET sequence_step = 0, sequence_thread_id = NULL, follow_up_due_at = NULL,
                shadow_step = NULL, shadow_follow_up_due_at = NULL
            WHERE tenant_id = :t AND {column} = :whose
              AND (sequence_step <> 0 OR follow_up_due_at IS NOT NULL OR shadow_step IS NOT NULL)
            RETURNING contact_id, client_id""",
        t=tx.tenant_id, whose=whose,
    )  # fmt: skip
    cards.cancel_waiting(tx, of=column, whose=whose, types=SEQUENCE_TYPES, reason=reason, rule="no_spam.reply_stops",
                         responses=False)  # fmt: skip
    _tell(tx, "sequence.stopped", rows, lambda _: {"reason": reason})
    return len(rows)


def _is_newest(tx: Tx, contact_id: UUID, at: datetime) -> bool:
    return bool(tx.value(
        """SELECT last_touch_at IS NULL OR last_touch_at <= :at FROM engagement_clocks
           WHERE tenant_id = :t AND contact_id = :contact""",
        at=at, t=tx.tenant_id, contact=contact_id,
    ))  # fmt: skip


def _store_touches(
    tx: Tx, some: Sequence[tuple[UUID, UUID | None, UUID | None]], kind: str, by: str, at: datetime
) -> Sequence[Row]:  # fmt: skip
    """Store (contact, card, message) each; those that were not stored before."""
    return tx.rows(
        """INSERT INTO touches
               (tenant_id, id, contact_id, client_id, type, at, by, card_id, message_id, voided_at, void_reason)
           SELECT :t, w.id, c.id, c.client_id, :type, :at, :by, w.card_id, w.message_id,
                  CASE WHEN o.state IN ('bounced', 'failed') THEN :now END,
                  CASE WHEN o.state IN ('bounced', 'failed') THEN o.state END
           FROM unnest(CAST(:ids AS uuid[]), CAST(:contacts AS uuid[]), CAST(:cards AS uuid[]),
                    CAST(:messages AS uuid[])) AS w (id, contact_id, card_id, message_id)
           JOIN contacts c ON c.tenant_id = :t AND c.id = w.contact_id
           LEFT JOIN outbound_messages o ON o.tenant_id = :t AND o.card_id = w.card_id
           WHERE NOT EXISTS (
               SELECT FROM touches h WHERE h.tenant_id = :t AND h.contact_id = w.contact_id
               AND (h.card_id = w.card_id OR h.message_id = w.message_id))
           RETURNING contact_id, client_id, voided_at""",
        t=tx.tenant_id, ids=[tx.clock.uuid() for _ in some], contacts=[each[0] for each in some],
        cards=[each[1] for each in some], messages=[each[2] for each in some], type=kind, at=at, by=by, now=tx.now,
    )  # fmt: skip


def _wind(tx: Tx, contact_ids: Sequence[UUID], kind: str, by: str, at: datetime) -> None:
    if not contact_ids:
        return
    rows = tx.rows(
        """UPDATE engagement_clocks SET
               due_at = greatest(first_due_at, greatest(last_touch_at, :at) + :span),
               last_touch_type = CASE WHEN last_touch_at > :at THEN last_touch_type ELSE :kind END,
               last_touch_by = CASE WHEN last_touch_at > :at THEN last_touch_by ELSE :by END,
               last_touch_at = greatest(last_touch_at, :at),
               last_reply_at = CASE WHEN :kind = 'reply' THEN greatest(last_reply_at, :at) ELSE last_reply_at END,
               status = CASE WHEN status = 'paused' AND :returns THEN 'active' ELSE status END,
               paused_until = CASE WHEN :returns THEN NULL ELSE paused_until END,
               shadow_due_at = CASE WHEN shadow_due_at > :at + :span THEN shadow_due_at END
           WHERE tenant_id = :t AND contact_id = ANY(:contacts)
           RETURNING contact_id, client_id, due_at, planned_at""",
        t=tx.tenant_id, contacts=list(contact_ids), at=at, kind=kind, by=by, span=_promise(tx),
        # somebody who writes or speaks is back; what was said before the absence says nothing of that
        returns=kind != "email" and at > tx.now - BACK_WITHIN,
    )  # fmt: skip
    _tell(tx, "clock.touched", rows, lambda row: {"type": kind, "at": _iso(at), "due_at": _iso(row["due_at"])})
    _reschedule(tx, rows)


def _end_pauses(tx: Tx, which: str, **values: Any) -> Sequence[Row]:
    rows = tx.rows(
        f"""UPDATE engagement_clocks SET status = 'active', paused_until = NULL
            WHERE tenant_id = :t AND status = 'paused' AND {which} RETURNING contact_id, client_id, planned_at""",
        t=tx.tenant_id, **values,
    )  # fmt: skip
    rest_news.of(tx, [row["client_id"] for row in rows])
    _tell(tx, "clock.resumed", rows, lambda _: {})
    _reschedule(tx, rows)
    return rows


def _reschedule(tx: Tx, rows: Sequence[Row]) -> None:
    if rows:
        schedule.bring_forward(tx, min(row["planned_at"] for row in rows))


def _promise(tx: Tx) -> timedelta:
    return timedelta(days=settings.readable(tx).engagement_days)


def _shares(contact_ids: Sequence[UUID]) -> Iterator[float]:
    # A low-discrepancy walk: even within a batch, and colleagues listed side by side land days apart. It begins
    # where the first id falls, so that contacts started one at a time are spread as well.
    begin = int.from_bytes(hashlib.sha256(contact_ids[0].bytes).digest()[:4]) / 2**32
    return ((begin + at * _GOLDEN) % 1.0 for at in range(len(contact_ids)))


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _tell(tx: Tx, event: str, rows: Sequence[Row], data: Callable[[Row], dict[str, Any]]) -> None:
    if not rows:
        return
    tx.run(
        """INSERT INTO warehouse_events
               (tenant_id, id, at, type, subject_type, subject_id, actor, run_id, client_id, contact_id, data)
           SELECT :t, e.id, :now, :type, 'contact', CAST(e.contact AS text), :actor, :run, e.client, e.contact, e.data
           FROM unnest(CAST(:ids AS uuid[]), CAST(:clients AS uuid[]), CAST(:contacts AS uuid[]),
                       CAST(:data AS jsonb[])) AS e (id, client, contact, data)""",
        t=tx.tenant_id, now=tx.now, type=event, actor=tx.actor, run=tx.run_id, ids=[tx.clock.uuid() for _ in rows],
        clients=[row["client_id"] for row in rows], contacts=[row["contact_id"] for row in rows],
        data=[data(row) for row in rows],
    )  # fmt: skip
