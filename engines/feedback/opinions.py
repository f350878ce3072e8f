"""Mails that say what somebody thinks: told from all others, and read for a rating first and for a feeling else."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from brain import feelings, ratings
from domain import feedback_answers, feedback_book, inbox, vouching
from domain.events import Event
from domain.feedback_answers import Answer, Feeling, Said
from domain.inbox import Message
from engines.contract import Context

OF_OTHER_THINGS = frozenset({"quote_request", "order", "order_update", "new_request", "unsubscribe", "task_request"})
"""What else an answer may be about: then only a plain opinion in it counts as one."""

RULES = "rulebook"


def taken_in(ctx: Context, event: Event) -> None:
    """Record what a mail says of the order that its writer was asked about; most mails say nothing of the kind.

    It is an opinion only where somebody of the account wrote it: nobody praises or blames in another's name, and
    whoever our mail was forwarded to is not who was asked.
    """
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or message.direction != "in" or message.client_id is None:
        return
    if not message.by_person:
        return
    card_id = event.data.get("reply_to_card")
    if message.cls != "feedback_answer" and card_id is None:
        return
    if not vouching.by_account(message):
        return
    request_id = _asked(ctx, message, UUID(card_id) if card_id else None)
    if request_id is None:
        return
    words = _words(message)
    rating, feeling = ratings.rating_in(words), felt(message, words)
    if rating is not None and rating > 3 and feeling.sentiment == "negative":
        # a good mark among words like these is spoken of, or meant for something else: a complaint is no praise
        rating = None
    if message.cls in OF_OTHER_THINGS and rating is None and feeling.sentiment == "neutral":
        return
    who = message.from_name or message.from_address or "somebody"
    feedback_answers.record(
        ctx.tx, request_id,
        Said("mail", who, rating=rating, feeling=feeling, contact_id=message.contact_id, message_id=message.id),
    )  # fmt: skip


def felt(message: Message, words: str) -> Feeling:
    """How its writer feels: as a model read it where one did, else as the rules do; a complaint is no praise."""
    told = (message.reading.get("model") or {}).get("sentiment") or {}
    if told.get("feeling") in ("negative", "neutral", "positive"):
        by = ((message.reading.get("model") or {}).get("by") or {}).get("sentiment")
        feeling = Feeling(told["feeling"], str(by or "model"), told.get("span"))
    else:
        feeling = of_words(words)
    if message.cls == "complaint" or "complains" in message.flags:
        return Feeling("negative", feeling.read_by, feeling.span)
    return feeling


def of_words(words: str) -> Feeling:
    """How words feel by the rulebook."""
    found = feelings.felt(words)
    return Feeling(found.feeling, RULES, found.span or None)


def disputed(ctx: Context, answer: Answer) -> bool:
    """Whether its words say the opposite of its rating: a slip, irony, or a scale that was read backwards.

    Nobody can tell which, so that a person looks at it. Only what stands is: who has thought better of it says so.
    """
    side = feedback_answers.BY_RATING.get(answer.rating or 0)
    standing = feedback_answers.standing(ctx.tx, answer.request_id) if side else None
    if standing is None or standing.id != answer.id:
        return False
    message = inbox.get(ctx.tx, answer.message_id) if answer.message_id and not answer.comment else None
    feeling = felt(message, _words(message)) if message else of_words(answer.comment or "")
    return feeling.sentiment not in (side, "neutral")


def _asked(ctx: Context, message: Message, card_id: UUID | None) -> UUID | None:
    """The request that a mail answers: whose mail it replies to, else the last one that its account was sent.

    A reply to another mail of ours answers that one, whatever conversation it stands in.
    """
    if card_id is not None:
        named: UUID | None = ctx.tx.value(
            """SELECT f.id FROM kanban_cards c JOIN feedback_requests f ON f.tenant_id = :t
                   AND f.id::text = c.subject_id
               WHERE c.tenant_id = :t AND c.id = :card AND c.type = 'request_feedback'
                 AND c.subject_type = 'feedback_request' AND f.client_id = :client""",
            t=ctx.tenant_id, card=card_id, client=message.client_id,
        )  # fmt: skip
        return named
    latest: UUID | None = ctx.tx.value(
        """SELECT id FROM feedback_requests
           WHERE tenant_id = :t AND client_id = :client AND state = ANY(:states) AND sent_at > :since
           ORDER BY thread_id = :thread DESC NULLS LAST, contact_id = :contact DESC NULLS LAST, sent_at DESC LIMIT 1""",
        t=ctx.tenant_id, client=message.client_id, states=list(feedback_book.ANSWERABLE),
        since=ctx.now - timedelta(days=ctx.settings.feedback_answer_days), thread=message.thread_id,
        contact=message.contact_id,
    )  # fmt: skip
    return latest


def _words(message: Message) -> str:
    """What the writer wrote this time, without what they quoted."""
    return str(message.reading.get("reply") or message.snippet or "")
