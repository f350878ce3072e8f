"""What happens around deals: mail and talks clear a stall and put off follow-ups; silence stalls them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import deal_book, events, schedule, storable
from domain.db import Row, Tx
from domain.deal_book import InvalidDeal
from domain.events import News

Kind = Literal["mail_in", "mail_out", "call", "meeting", "note"]

_STAGE = "JOIN deal_stage_config s ON s.tenant_id = :t AND s.key = d.stage"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A follow-up that went out, or was held."""

    deal_id: UUID
    card_id: UUID
    attempt: int
    """1 for the first."""
    is_last: bool
    """No further one follows until something happens."""
    thread_id: UUID | None = None
    sent_at: datetime | None = None


def heard(
    tx: Tx, client_id: UUID, *, contact_id: UUID | None, thread_id: UUID | None, message_id: UUID | None, at: datetime,
    asks: bool = False,
) -> int:  # fmt: skip
    """Somebody of an account wrote: follow-ups of all its deals begin anew; how many deals it is about.

    It is about the deals of its conversation; else about those of its writer; else about the account's only one. To
    these it is an activity, which clears a stall. Where it `asks` something, no follow-up goes out until somebody of
    the tenant has written: whoever waits for an answer is not asked how things stand.
    """
    return _happened(tx, "mail_in", _open_of(tx, client_id), contact_ids=[contact_id] if contact_id else [],
                     thread_id=thread_id, message_id=message_id, at=at, by="contact", asks=asks)  # fmt: skip


def hushed(tx: Tx, client_id: UUID, *, at: datetime) -> None:
    """Somebody wrote who may be of the account: follow-ups of its deals begin anew, and nothing counts as activity.

    However much is written so, it puts none off beyond two intervals after what last happened to its deal in truth, and
    where no further one was to follow it brings none.
    """
    before = {row["id"]: row for row in _open_of(tx, client_id)}
    if not before:
        return
    rows = tx.rows(
        """UPDATE deals d SET follow_ups = 0, shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL,
               follow_up_due_at = greatest(d.follow_up_due_at, least(
                   CAST(:at AS timestamptz) + make_interval(days => s.follow_up_days),
                   d.last_activity_at + make_interval(days => 2 * s.follow_up_days)))
           FROM deal_stage_config s
           WHERE d.tenant_id = :t AND d.id = ANY(:ids) AND d.state = 'open' AND d.follow_up_due_at IS NOT NULL
             AND s.tenant_id = :t AND s.key = d.stage
           RETURNING d.id, d.client_id, d.contact_id, d.planned_at""",
        t=tx.tenant_id, at=min(at, tx.now), ids=list(before),
    )  # fmt: skip
    _tell(tx, "deal.sequence_stopped", [row for row in rows if before[row["id"]]["follow_ups"] > 0],
          lambda _: {"message_id": None})  # fmt: skip
    _reschedule(tx, rows)


ASKING = frozenset({"quote_request", "order", "order_update", "new_request", "complaint", "task_request", "asks_task"})
"""Classes and flags of mails that wait for an answer."""


DECIDES = re.compile(
    r"\b(?:accept(?:ed|s)?|approved?|agreed|declined?|reject(?:ed)?|go(?:ing)? (?:ahead|with)|went with"
    r"|not interested|no,? thank|too expensive|over (?:our )?budget|another supplier"
    r"|acept(?:o|a|amos|ado|ada)|apr[ou]eb[oa]|aprobamos|aprobad[oa]|adelante|rechaz(?:o|amos|ado|ada)"
    r"|no nos interesa|demasiado caro|otro proveedor"
    r"|aceit(?:o|a|amos|e)|aprovad[oa]|aprovamos|recus(?:o|amos|ado|ada)|pode(?:m)? seguir|muito caro"
    r"|outro fornecedor|sem interesse)\b",
    re.IGNORECASE,
)
"""Words of a yes or a no: whoever wrote them is not asked how things stand."""


def asks(cls: str, flags: Iterable[str], words: str) -> bool:
    """Whether a mail of this class, with these flags and words, waits for an answer: it asks, or it decides."""
    return bool(ASKING & {cls, *flags} or {"?", "？", "؟"} & set(words) or DECIDES.search(words))


def written(
    tx: Tx, client_id: UUID, *, contact_ids: Sequence[UUID], thread_id: UUID | None, message_id: UUID, at: datetime
) -> int:  # fmt: skip
    """A person of the tenant wrote to an account: follow-ups wait their turn; how many deals it is about."""
    return _happened(tx, "mail_out", _open_of(tx, client_id), contact_ids=contact_ids, thread_id=thread_id,
                     message_id=message_id, at=at, by="person")  # fmt: skip


def spoken(
    tx: Tx, client_id: UUID, contact_id: UUID, kind: Literal["call", "meeting"], *, at: datetime, by: str
) -> int:
    """A person of the tenant spoke with a contact; how many deals it is about."""
    return _happened(tx, kind, _open_of(tx, client_id), contact_ids=[contact_id], thread_id=None, message_id=None,
                     at=at, by=by)  # fmt: skip


def quoted(tx: Tx, mails: Sequence[Row]) -> None:
    """Quotes or follow-ups of them (deal_id, attempt, at) went out: their deals moved, and who asked has an answer."""
    about = [row for row in mails if row["deal_id"] is not None]
    if not about:
        return
    rows = tx.rows(
        f"""UPDATE deals d SET last_activity_at = greatest(d.last_activity_at, w.at), stalled_at = NULL,
               stall_answered_at = NULL, updated_at = :now,
               stalls_at = greatest(d.last_activity_at, w.at) + make_interval(days => s.stall_days),
               follow_up_due_at = CASE WHEN d.follow_up_due_at IS NOT NULL
                   THEN greatest(d.last_activity_at, w.at) + make_interval(days => s.follow_up_days) END,
               -- what ran before begins anew after it: two sequences to one contact would wait for each other
               follow_ups = CASE WHEN w.by_us THEN 0 ELSE d.follow_ups END,
               our_turn_since = CASE WHEN NOT w.by_us OR d.our_turn_since > w.at THEN d.our_turn_since END,
               {_next_step("w.by_us", "w.at")}
           FROM unnest(CAST(:ids AS uuid[]), CAST(:ats AS timestamptz[]), CAST(:first AS boolean[]))
                    AS w (id, at, by_us), deal_stage_config s
           WHERE d.tenant_id = :t AND d.id = w.id AND d.state = 'open' AND s.tenant_id = :t AND s.key = d.stage
           RETURNING d.id, d.planned_at, w.at""",
        t=tx.tenant_id, now=tx.now, ids=[row["deal_id"] for row in about], ats=[row["at"] for row in about],
        first=[row["attempt"] == 0 for row in about],
    )  # fmt: skip
    for row in rows:
        _store(tx, "mail_out", [(row["id"], "quote")], message_id=None, at=row["at"], by="agent")
    _reschedule(tx, rows)


def log(tx: Tx, deal_id: UUID, kind: Kind, words: str, *, at: datetime | None = None) -> None:
    """Note what happened around one deal. A note is no activity. Raises UnknownDeal, InvalidDeal."""
    deal = deal_book.hold(tx, deal_id)
    if not storable.says(words):
        raise InvalidDeal("words: say what happened")
    moment = min(at or tx.now, tx.now)
    if kind == "note" or deal.state != "open":
        _store(tx, kind, [(deal_id, "said")], message_id=None, at=moment, by=tx.actor, words=words)
        events.record(tx, "deal.noted", "deal", deal_id, client_id=deal.client_id, kind=kind)
        return
    row = {"id": deal.id, "thread_id": None, "contact_id": None, "follow_ups": deal.follow_ups,
           "stalled_at": deal.stalled_at, "client_id": deal.client_id}  # fmt: skip
    _apply(tx, kind, {deal_id: "said"}, [row], message_id=None, at=moment, by=tx.actor, words=words)


def listed(tx: Tx, deal_id: UUID, *, limit: int = 50) -> Sequence[Row]:
    """What happened around a deal, newest first."""
    return tx.rows(
        """SELECT kind, at, by, link, attempt, answered_at, message_id, card_id, voided_at, words FROM deal_activities
           WHERE tenant_id = :t AND deal_id = :id ORDER BY at DESC, id DESC LIMIT :limit""",
        t=tx.tenant_id, id=deal_id, limit=limit,
    )  # fmt: skip


def follow_ups_sent(tx: Tx, sent: Sequence[FollowUp]) -> int:
    """Follow-ups went out: an activity of their deals, and the next one is due after the stage's interval.

    Where somebody at the account has replied since, the answer counts and the sequence does not wind on. How many
    deals were followed up.
    """
    if not sent:
        return 0
    rows = tx.rows(
        f"""UPDATE deals d SET last_activity_at = greatest(d.last_activity_at, w.sent_at), stalled_at = NULL,
               stall_answered_at = NULL, shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL, updated_at = :now,
               stalls_at = greatest(d.last_activity_at, w.sent_at) + make_interval(days => w.stall_days),
               thread_id = coalesce(w.thread, d.thread_id),
               follow_ups = CASE WHEN w.answered THEN 0 ELSE w.attempt END,
               follow_up_due_at = CASE WHEN w.answered THEN d.follow_up_due_at WHEN w.last THEN NULL
                                       ELSE w.sent_at + make_interval(days => w.follow_up_days) END
           FROM (SELECT w.*, s.stall_days, s.follow_up_days, c.last_reply_at > w.sent_at AS answered
                 FROM {_FOLLOW_UPS} JOIN deals d ON d.tenant_id = :t AND d.id = w.deal_id {_STAGE}
                 JOIN clients c ON c.tenant_id = :t AND c.id = d.client_id) AS w
           WHERE d.tenant_id = :t AND d.id = w.deal_id AND d.state = 'open'
           RETURNING d.id, d.client_id, d.contact_id, d.planned_at, w.attempt, w.card_id""",
        t=tx.tenant_id, now=tx.now, **_columns(tx, sent),
    )  # fmt: skip
    tx.run(
        f"""INSERT INTO deal_activities (tenant_id, id, deal_id, kind, at, by, link, attempt, card_id,
                                         voided_at)
            SELECT :t, w.id, w.deal_id, 'follow_up', w.sent_at, 'agent', 'card', w.attempt, w.card_id,
                   CASE WHEN o.state IN ('bounced', 'failed') THEN :now END
            FROM {_FOLLOW_UPS} LEFT JOIN outbound_messages o ON o.tenant_id = :t AND o.card_id = w.card_id
            ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, now=tx.now, **_columns(tx, sent),
    )  # fmt: skip
    _tell(tx, "deal.followed_up", rows, lambda row: {"attempt": row["attempt"], "card_id": str(row["card_id"])})
    _reschedule(tx, rows)
    return len(rows)


def follow_ups_held(tx: Tx, held: Sequence[FollowUp]) -> int:
    """Follow-ups were held by their mode: planning moves on as though they had gone out, the real clocks stay."""
    if not held:
        return 0
    rows = tx.rows(
        f"""UPDATE deals d SET shadow_follow_ups = w.attempt,
                shadow_follow_up_due_at = CASE WHEN NOT w.last
                                               THEN w.sent_at + make_interval(days => s.follow_up_days) END
            FROM {_FOLLOW_UPS}, deal_stage_config s
            WHERE d.tenant_id = :t AND d.id = w.deal_id AND d.state = 'open' AND s.tenant_id = :t AND s.key = d.stage
            RETURNING d.id, d.client_id, d.contact_id, d.planned_at, w.attempt, w.card_id""",
        t=tx.tenant_id, **_columns(tx, held),
    )  # fmt: skip
    _tell(tx, "deal.shadowed", rows, lambda row: {"attempt": row["attempt"], "card_id": str(row["card_id"])})
    _reschedule(tx, rows)
    return len(rows)


def void(tx: Tx, card_id: UUID) -> bool:
    """The mail of this card never arrived: the follow-up does not count, and another is due; False: it was none."""
    deal_id: UUID | None = tx.value(
        """UPDATE deal_activities SET voided_at = :now
           WHERE tenant_id = :t AND card_id = :card AND voided_at IS NULL RETURNING deal_id""",
        now=tx.now, t=tx.tenant_id, card=card_id,
    )  # fmt: skip
    if deal_id is None:
        return False
    rows = tx.rows(
        """UPDATE deals SET follow_ups = greatest(follow_ups - 1, 0), follow_up_due_at = :now, updated_at = :now,
               thread_id = CASE WHEN follow_ups > 1 THEN thread_id END
           WHERE tenant_id = :t AND id = :id AND state = 'open' RETURNING id, client_id, contact_id, planned_at""",
        now=tx.now, t=tx.tenant_id, id=deal_id,
    )  # fmt: skip
    _tell(tx, "deal.follow_up_voided", rows, lambda _: {"card_id": str(card_id)})
    _reschedule(tx, rows)
    return True


def detect_stalled(tx: Tx) -> int:
    """Mark the deals to which nothing has happened for their stage's threshold; how many are new. One statement.

    It reads the deals whose time is up off their index, and no others.
    """
    rows = tx.rows(
        """UPDATE deals SET stalled_at = stalls_at
           WHERE tenant_id = :t AND state = 'open' AND stalled_at IS NULL AND stalls_at <= :now
           RETURNING id, client_id, contact_id, stage, stalled_at""",
        t=tx.tenant_id, now=tx.now,
    )  # fmt: skip
    _tell(tx, "deal.stalled", rows, lambda row: {"stage": row["stage"], "since": row["stalled_at"].isoformat()})
    return len(rows)


def answer_stalls(tx: Tx, deal_ids: Sequence[UUID]) -> None:
    """Something was made of these deals' stalls: none is due again until its deal has moved and stands still anew."""
    tx.run(
        "UPDATE deals SET stall_answered_at = :now WHERE tenant_id = :t AND id = ANY(:ids) AND stalled_at IS NOT NULL",
        now=tx.now, t=tx.tenant_id, ids=list(deal_ids),
    )  # fmt: skip


_FOLLOW_UPS = """unnest(CAST(:ids AS uuid[]), CAST(:deals AS uuid[]), CAST(:cards AS uuid[]), CAST(:attempts AS int[]),
                     CAST(:lasts AS boolean[]), CAST(:threads AS uuid[]), CAST(:sents AS timestamptz[]))
                 AS w (id, deal_id, card_id, attempt, last, thread, sent_at)"""


def _columns(tx: Tx, some: Sequence[FollowUp]) -> dict[str, Any]:
    return {
        "ids": [tx.clock.uuid() for _ in some], "deals": [each.deal_id for each in some],
        "cards": [each.card_id for each in some], "attempts": [each.attempt for each in some],
        "lasts": [each.is_last for each in some], "threads": [each.thread_id for each in some],
        "sents": [each.sent_at or tx.now for each in some],
    }  # fmt: skip


def _open_of(tx: Tx, client_id: UUID) -> Sequence[Row]:
    return tx.rows(
        """SELECT id, client_id, contact_id, thread_id, follow_ups, stalled_at FROM deals
           WHERE tenant_id = :t AND client_id = :client AND state = 'open'""",
        t=tx.tenant_id, client=client_id,
    )  # fmt: skip


def _happened(
    tx: Tx, kind: Kind, of_account: Sequence[Row], *, contact_ids: Sequence[UUID], thread_id: UUID | None,
    message_id: UUID | None, at: datetime, by: str, asks: bool = False,
) -> int:  # fmt: skip
    if not of_account:
        return 0
    links = _links(of_account, contact_ids, thread_id)
    _apply(tx, kind, links, of_account, message_id=message_id, at=min(at, tx.now), by=by, asks=asks)
    return len(links)


def _links(of_account: Sequence[Row], contact_ids: Sequence[UUID], thread_id: UUID | None) -> dict[UUID, str]:
    """Which of the account's deals it is about, and how that is known: by the strongest sign that there is."""
    if found := [row["id"] for row in of_account if thread_id is not None and row["thread_id"] == thread_id]:
        return dict.fromkeys(found, "thread")
    if found := [row["id"] for row in of_account if row["contact_id"] in contact_ids]:
        return dict.fromkeys(found, "contact")
    return {of_account[0]["id"]: "account"} if len(of_account) == 1 else {}


def _apply(
    tx: Tx, kind: Kind, links: dict[UUID, str], of_account: Sequence[Row], *, message_id: UUID | None, at: datetime,
    by: str, words: str | None = None, asks: bool = False,
) -> None:  # fmt: skip
    """Wind the clocks: of the deals it is about all, of the account's others (when it wrote) the follow-ups."""
    # a person's own mail or talk about one deal says nothing of the others; a reply stops every sequence
    touched = [row for row in of_account if row["id"] in links or kind == "mail_in"]
    fresh = _store(tx, kind, list(links.items()), message_id=message_id, at=at, by=by, words=words) or not links
    if not touched or not fresh:
        return
    rows = tx.rows(
        f"""UPDATE deals d SET follow_ups = 0, shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL,
               follow_up_due_at = greatest(d.last_activity_at, :at) + make_interval(days => s.follow_up_days),
               last_activity_at = CASE WHEN w.linked THEN greatest(d.last_activity_at, :at)
                                       ELSE d.last_activity_at END,
               last_heard_at = CASE WHEN w.linked AND :heard THEN greatest(d.last_heard_at, :at)
                                    ELSE d.last_heard_at END,
               our_turn_since = CASE WHEN NOT w.linked THEN d.our_turn_since WHEN :by_us THEN NULL
                                     WHEN :asks THEN coalesce(d.our_turn_since, :at) ELSE d.our_turn_since END,
               stalls_at = CASE WHEN w.linked
                   THEN greatest(d.last_activity_at, :at) + make_interval(days => s.stall_days) ELSE d.stalls_at END,
               stalled_at = CASE WHEN NOT w.linked OR d.stalled_at > :at THEN d.stalled_at END,
               stall_answered_at = CASE WHEN NOT w.linked OR d.stalled_at > :at THEN d.stall_answered_at END,
               {_next_step("w.linked AND :by_us", ":at")}
           FROM unnest(CAST(:ids AS uuid[]), CAST(:linked AS boolean[])) AS w (id, linked), deal_stage_config s
           WHERE d.tenant_id = :t AND d.id = w.id AND d.state = 'open' AND s.tenant_id = :t AND s.key = d.stage
           RETURNING d.id, d.client_id, d.contact_id, d.planned_at, w.linked""",
        t=tx.tenant_id, at=at, heard=kind == "mail_in", by_us=kind != "mail_in", asks=asks,
        ids=[row["id"] for row in touched], linked=[row["id"] in links for row in touched],
    )  # fmt: skip
    if kind == "mail_in":
        _answer(tx, list(links), at)
    before = {row["id"]: row for row in touched}
    _tell(tx, "deal.activity", [row for row in rows if row["linked"]],
          lambda row: {"kind": kind, "link": links[row["id"]], "message_id": str(message_id) if message_id else None,
                       "stall_cleared": before[row["id"]]["stalled_at"] is not None})  # fmt: skip
    _tell(tx, "deal.sequence_stopped",
          [row for row in rows if not row["linked"] and before[row["id"]]["follow_ups"] > 0],
          lambda _: {"message_id": str(message_id) if message_id else None})  # fmt: skip
    _reschedule(tx, rows)


def _next_step(answered: str, at: str) -> str:
    """SQL: what the agent noted as the next step of a deal is done once they were written to or spoken with."""
    done = f"""{answered} AND d.next_step_evidence ->> 'kind' <> 'person'
               AND CAST(d.next_step_evidence ->> 'at' AS timestamptz) <= {at}"""
    names = ("next_step", "next_step_at", "next_step_evidence")
    return ", ".join(f"{name} = CASE WHEN {done} THEN NULL ELSE d.{name} END" for name in names)


def _store(
    tx: Tx, kind: Kind, links: Sequence[tuple[UUID, str]], *, message_id: UUID | None, at: datetime, by: str,
    words: str | None = None,
) -> bool:  # fmt: skip
    """Store the activity for each of the deals; whether it was new to any."""
    if not links:
        return False
    return bool(tx.run(
        """INSERT INTO deal_activities (tenant_id, id, deal_id, kind, at, by, link, message_id, words)
           SELECT :t, w.id, w.deal_id, :kind, :at, :by, w.link, :message, :words
           FROM unnest(CAST(:ids AS uuid[]), CAST(:deals AS uuid[]), CAST(:links AS text[])) AS w (id, deal_id, link)
           ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, kind=kind, at=at, by=by, message=message_id, words=storable.optional(words, deal_book.LONGEST),
        ids=[tx.clock.uuid() for _ in links], deals=[each for each, _ in links], links=[link for _, link in links],
    ))  # fmt: skip


def _answer(tx: Tx, deal_ids: Sequence[UUID], at: datetime) -> None:
    """The last follow-up of each deal has brought an answer."""
    tx.run(
        """UPDATE deal_activities a SET answered_at = :at FROM (
               SELECT DISTINCT ON (deal_id) id FROM deal_activities
               WHERE tenant_id = :t AND deal_id = ANY(:ids) AND kind = 'follow_up' AND voided_at IS NULL AND at <= :at
               ORDER BY deal_id, at DESC, id DESC) AS newest
           WHERE a.tenant_id = :t AND a.id = newest.id AND a.answered_at IS NULL""",
        t=tx.tenant_id, at=at, ids=list(deal_ids),
    )  # fmt: skip


def _reschedule(tx: Tx, rows: Sequence[Row]) -> None:
    if moments := [row["planned_at"] for row in rows if row["planned_at"] is not None]:
        schedule.bring_forward(tx, min(moments))


def _tell(tx: Tx, event: str, rows: Sequence[Row], data: Callable[[Row], dict[str, Any]]) -> None:
    events.record_all(
        tx, [News(event, "deal", row["id"], row["client_id"], row["contact_id"], data=data(row)) for row in rows]
    )
