"""Answers to feedback requests: what was said, on the page, by mail or to a person, and which of it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import clocks, hearing, schedule, settings, storable
from domain import feedback_book as book
from domain.db import Row, Tx
from domain.feedback_book import IllegalFeedbackMove, InvalidFeedback, Request, Sentiment

Channel = Literal["page", "mail", "person"]

BY_RATING: Mapping[int, Sentiment] = {1: "negative", 2: "negative", 4: "positive", 5: "positive"}
"""What a rating says by itself; the middle one takes no side, and leaves it to the words beside it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that was said about one order."""

    id: UUID
    request_id: UUID
    client_id: UUID
    contact_id: UUID | None
    at: datetime
    channel: Channel
    by: str
    rating: int | None
    comment: str | None
    sentiment: Sentiment | None
    """None while nobody has read its words."""
    read_by: str | None
    span: str | None
    message_id: UUID | None
    counts: bool
    """Whether it is the request's answer, or was until a later one took its place."""


@dataclass(frozen=True, slots=True)
class Feeling:
    """What words say: how their writer feels, who read that, and in which words."""

    sentiment: Sentiment
    read_by: str
    span: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody says about an order: a rating from 1 to 5, words, or both."""

    channel: Channel
    by: str
    rating: int | None = None
    comment: str | None = None
    feeling: Feeling | None = None
    """What the words say, where they have been read already; a rating that takes a side comes before it."""
    contact_id: UUID | None = None
    message_id: UUID | None = None


COLUMNS = ", ".join(Answer.__slots__)


def get(tx: Tx, answer_id: UUID) -> Answer | None:
    """One answer of the tenant, or None."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM feedback_answers WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=answer_id
    )
    return _load(row) if row else None


def of_message(tx: Tx, message_id: UUID) -> Answer | None:
    """The answer that a mail gave, if it gave one."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM feedback_answers WHERE tenant_id = :t AND message_id = :id",
        t=tx.tenant_id, id=message_id,
    )  # fmt: skip
    return _load(row) if row else None


def of(tx: Tx, request_ids: Sequence[UUID]) -> dict[UUID, list[Answer]]:
    """What was said to each request, newest first."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM feedback_answers WHERE tenant_id = :t AND request_id = ANY(:ids)
            ORDER BY id DESC""",
        t=tx.tenant_id, ids=list(request_ids),
    ) if request_ids else []  # fmt: skip
    found: dict[UUID, list[Answer]] = {}
    for row in rows:
        found.setdefault(row["request_id"], []).append(_load(row))
    return found


def standing(tx: Tx, request_id: UUID) -> Answer | None:
    """The answer that counts, the latest of several; None where nobody has answered."""
    row = tx.row(
        f"""SELECT {COLUMNS} FROM feedback_answers WHERE tenant_id = :t AND request_id = :id AND counts
            ORDER BY id DESC LIMIT 1""",
        t=tx.tenant_id, id=request_id,
    )  # fmt: skip
    return _load(row) if row else None


def record(tx: Tx, request_id: UUID, said: Said) -> Request:
    """Take an answer in; the request as it stands then. The same again, and the same mail again, change nothing.

    An answer may be changed for some days (a setting); past them a mail is kept beside it, and the page and people are
    refused (IllegalFeedbackMove). Words never take the place of a rating. Raises UnknownFeedbackRequest,
    InvalidFeedback.
    """
    if said.channel == "page":
        _heard(tx, request_id)
    request = book.hold(tx, request_id)
    if said.message_id is not None and of_message(tx, said.message_id) is not None:
        return request
    rating, comment = _spelled(said)
    before = standing(tx, request_id)
    # a mail's words are its own: another mail is another answer
    same = before is not None and (before.rating, before.comment, before.channel) == (rating, comment, said.channel)
    if same and said.message_id is None:
        return request
    if request.state == "answered" and not changeable(tx, request) and said.channel != "mail":
        raise IllegalFeedbackMove("the answer was given some time ago, and stands")
    counts = before is None or (changeable(tx, request) and _weighs_more(before, rating, said.feeling))
    feeling = _feeling(rating, comment, said.feeling)
    answer_id = tx.clock.uuid()
    tx.run(
        """INSERT INTO feedback_answers (tenant_id, id, request_id, client_id, contact_id, at, channel, by, rating,
                                         comment, sentiment, read_by, span, message_id, counts)
           VALUES (:t, :id, :request, :client, :contact, :now, :channel, :by, :rating, :comment, :sentiment, :read_by,
                   :span, :message, :counts)""",
        t=tx.tenant_id, id=answer_id, request=request_id, client=request.client_id,
        contact=said.contact_id or (_told_of(tx, request) if said.channel == "person" else None),
        now=tx.now, channel=said.channel, by=storable.text(said.by, 200), rating=rating, comment=comment,
        sentiment=feeling.sentiment if feeling else None, read_by=feeling.read_by if feeling else None,
        span=storable.optional(feeling.span, 500) if feeling else None, message=said.message_id, counts=counts,
    )  # fmt: skip
    if not counts:
        book.tell(tx, request, "added_to", answer_id=str(answer_id), channel=said.channel)
        return request
    book.cancel_waiting(tx, request, "the client has answered")
    schedule.bring_forward(tx, tx.now, extra=True)
    return book.write(
        tx, request, "answered",
        {"state": "answered", "answered_at": request.answered_at or tx.now, "rating": rating, "remind_at": None,
         "sentiment": feeling.sentiment if feeling else None, "shadow_sent_at": None,
         "reason": None},
        react=True, answer_id=str(answer_id), rating=rating, channel=said.channel,
        sentiment=feeling.sentiment if feeling else None,
    )  # fmt: skip


def read(tx: Tx, answer_id: UUID, feeling: Feeling) -> Request:
    """Note how the words of an answer were read that nobody had read yet; the request as it stands then."""
    row = tx.row(
        f"""UPDATE feedback_answers SET sentiment = :sentiment, read_by = :by, span = :span
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        sentiment=feeling.sentiment, by=feeling.read_by, span=storable.optional(feeling.span, 500), t=tx.tenant_id,
        id=answer_id,
    )  # fmt: skip
    if row is None:
        raise InvalidFeedback(f"there is no answer {answer_id}")
    request = book.hold(tx, row["request_id"])
    counting = standing(tx, request.id)
    if counting is None or counting.id != answer_id or request.sentiment == feeling.sentiment:
        return request
    return book.write(tx, request, "read", {"sentiment": feeling.sentiment}, sentiment=feeling.sentiment,
                      answer_id=str(answer_id))  # fmt: skip


def changeable(tx: Tx, request: Request) -> bool:
    """Whether what was said may still be said otherwise."""
    kept = timedelta(days=settings.readable(tx).feedback_change_days)
    return request.answered_at is None or tx.now < request.answered_at + kept


def blank(tx: Tx, contact_id: UUID, name: str) -> int:
    """Take away what a person said in words, and who they were; their ratings stay countable. How many answers."""
    return tx.run(
        """UPDATE feedback_answers a SET by = :name, span = NULL, comment = NULL
           WHERE a.tenant_id = :t AND (a.contact_id = :contact OR a.contact_id IS NULL AND a.request_id IN (
               SELECT f.id FROM feedback_requests f WHERE f.tenant_id = :t AND f.contact_id = :contact))""",
        name=name, t=tx.tenant_id, contact=contact_id,
    )  # fmt: skip


def _told_of(tx: Tx, request: Request) -> UUID | None:
    """Who stands behind an answer that a person passes on: who was asked, else whom the order names."""
    if request.contact_id is not None:
        return request.contact_id
    named: UUID | None = tx.value(
        """SELECT c.id FROM orders o JOIN contacts c ON c.tenant_id = :t AND c.id = o.contact_id
           WHERE o.tenant_id = :t AND o.id = :order AND c.client_id = :client""",
        t=tx.tenant_id, order=request.order_id, client=request.client_id,
    )  # fmt: skip
    return named


def _heard(tx: Tx, request_id: UUID) -> None:
    """Whoever answers on the page has replied: clocks wind, and what runs to the account stops, as after a mail.

    Before anything of the request is locked, in the order in which a mail that comes in at this moment does it.
    """
    row = tx.row(
        """SELECT client_id, contact_id, thread_id FROM feedback_requests
           WHERE tenant_id = :t AND id = :id AND state <> 'answered'""",
        t=tx.tenant_id, id=request_id,
    )  # fmt: skip
    if row is None:
        return
    if row["contact_id"] is not None:
        clocks.touch(tx, row["contact_id"], "reply", by="contact")
    hearing.heard(tx, row["client_id"], contact_id=row["contact_id"], thread_id=row["thread_id"], message_id=None,
                  at=tx.now)  # fmt: skip
    hearing.stop(tx, row["client_id"], tx.now, how="answer")


def _weighs_more(before: Answer, rating: int | None, feeling: Feeling | None) -> bool:
    """Whether something said later takes the place of what was said before."""
    if rating is not None or before.sentiment is None:
        return True
    return before.rating is None and feeling is not None and feeling.sentiment != "neutral"


def _feeling(rating: int | None, comment: str | None, told: Feeling | None) -> Feeling | None:
    if rating is not None and rating in BY_RATING:
        return Feeling(BY_RATING[rating], "rating", told.span if told else None)
    return told or (None if comment else Feeling("neutral", "rating"))


def _spelled(said: Said) -> tuple[int | None, str | None]:
    """Rating and words as they are kept. Raises InvalidFeedback."""
    if said.rating is not None and (isinstance(said.rating, bool) or said.rating not in range(1, 6)):
        raise InvalidFeedback("rating: from 1 to 5")
    comment = storable.text(said.comment or "", book.LONGEST).strip()
    if said.rating is None and not storable.says(comment) and said.message_id is None:
        raise InvalidFeedback("rating or comment: an answer says something")
    return said.rating, comment if storable.says(comment) else None


def _load(row: Row | Mapping[Any, Any]) -> Answer:
    return Answer(**{name: row[name] for name in Answer.__slots__})
