"""What an answer calls for: somebody dissatisfied gets a case and, once a person agrees, a mail; praise is noted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import cards, cases, feedback, feedback_answers, feedback_book, inbox
from domain.cards import Card, Proposal
from domain.db import Row
from domain.events import Event
from domain.feedback_answers import Answer
from domain.feedback_book import RECOVERING, Request
from engines.contract import Context
from engines.feedback import calls, due, letter, opinions
from engines.feedback.letter import THANKING

NAME = "feedback"
KIND = RECOVERING
"""The kind of the cases that answers open."""

UNCLEAR = "feedback_unclear"
"""The kind of those where the rating pleases and the words beside it do not."""

LATEST_DAYS = 7
"""What makes good is better done late than never: it outlives a weekend, and the gap between two mails."""

CASE, MAIL, THANKS = 1350, 1250, 300
"""Priority: people who are dissatisfied come before all who are merely due, and safety comes before them."""

CHANGED = "the client has changed the answer"

WORDS = 300


def answered(ctx: Context, event: Event) -> None:
    """Read an answer's words where nobody has yet, and propose what it calls for; said again, nothing more."""
    answer = feedback_answers.get(ctx.tx, UUID(str(event.data["answer_id"])))
    request = feedback.get(ctx.tx, UUID(event.subject_id))
    if answer is None or request is None:
        return
    if answer.sentiment is None:
        feeling = opinions.of_words(answer.comment or "")
        request = feedback_answers.read(ctx.tx, answer.id, feeling)
    disputed = opinions.disputed(ctx, answer)
    if request.sentiment != "positive" or disputed:
        # nobody is thanked for kind words that they have taken back
        feedback_book.cancel_waiting(ctx.tx, request, CHANGED, types=("send_email",), template=THANKING)
    if request.sentiment == "negative":
        _make_good(ctx, request, answer, disputed=disputed)
        return
    _take_back(ctx, request)
    call = calls.found(answer.comment, ctx.now.date()) if answer.comment else None
    if call is None and disputed and not _watched(ctx, request):
        call = (UNCLEAR, _words(answer))
    if call is not None:
        case = _case(ctx, request, answer, _about(ctx, request, answer), call)
        cards.propose(ctx.tx, [case], reconsider_hours=ctx.settings.reconsider_hours)
    if request.sentiment == "positive" and not disputed:
        _thank(ctx, request, answer)


def case_opened(ctx: Context, card: Card) -> None:
    """A case was opened because of a bad answer: the request knows it from now on."""
    if card.payload["kind"] != KIND:
        return
    request = feedback_book.hold(ctx.tx, UUID(card.payload["feedback_request_id"]))
    case_id = UUID(str(card.outcome["case_id"]))
    feedback_book.write(ctx.tx, request, "case_opened", {"case_id": case_id}, case_id=str(case_id))


def _watched(ctx: Context, request: Request) -> bool:
    """Whether people see to what was said of this order already."""
    open_cases = cases.open_for(ctx.tx, [request.client_id]).get(request.client_id, [])
    return any(case.evidence.get("feedback_request_id") == str(request.id) for case in open_cases)


def _make_good(ctx: Context, request: Request, answer: Answer, *, disputed: bool) -> None:
    """A case for people to watch, anew where the earlier one was closed, and once for each request a mail."""
    about = _about(ctx, request, answer)
    open_cases = cases.open_for(ctx.tx, [request.client_id]).get(request.client_id, [])
    seen_to = request.case_id is not None and any(case.id == request.case_id for case in open_cases)
    wished = [] if seen_to else [_case(ctx, request, answer, about, disputed=disputed)]
    if about["contact_id"] is not None:
        wished.append(_apology(ctx, request, answer, about, seen_to=seen_to, disputed=disputed))
    _propose(ctx, request, wished, ctx.settings.reconsider_hours)


def again(ctx: Context) -> None:
    """Mean the mail that an answer called for once more, where its card came to nothing and nobody decided so."""
    for row in ctx.tx.rows(f"{due.LOST} LIMIT 20", t=ctx.tenant_id, now=ctx.now):
        request = feedback_book.hold(ctx.tx, row["id"])
        answer = feedback_answers.standing(ctx.tx, request.id)
        if answer is None:
            continue
        if request.sentiment == "positive":
            _thank_by_mail(ctx, request, answer)
            continue
        about = _about(ctx, request, answer)
        if about["contact_id"] is not None:
            mail = _apology(ctx, request, answer, about, seen_to=request.case_id is not None,
                            disputed=opinions.disputed(ctx, answer))  # fmt: skip
            _propose(ctx, request, [mail], 0)


def _apology(
    ctx: Context, request: Request, answer: Answer, about: Row, *, seen_to: bool, disputed: bool
) -> Proposal:  # fmt: skip
    # a case that waits for somebody's approval may never be opened: then nobody is told that it is looked at
    opens = ctx.settings.autonomy.get("open_case", "auto") == "auto"
    payload = letter.recovery(request, about, ctx.settings, person_informed=seen_to or opens, disputed=disputed)
    title = f"Make good on order {_called(request, about)}: {about['name']} ({about['client_name']})"
    return _mail(ctx, request, answer, about, title, "recover", payload, MAIL)


def _propose(ctx: Context, request: Request, wished: list[Proposal], reconsider_hours: float) -> None:
    """Put them on the board; the request knows its mail."""
    for card in cards.propose(ctx.tx, wished, reconsider_hours=reconsider_hours):
        if card.type == "send_email":
            request = feedback_book.hold(ctx.tx, request.id)
            feedback_book.write(ctx.tx, request, "recovery_proposed", {"recovery_card_id": card.id},
                                card_id=str(card.id))  # fmt: skip


def _take_back(ctx: Context, request: Request) -> None:
    """They changed their mind: nobody apologises for what pleased them. The case stays for people to close."""
    if request.recovery_card_id is not None:
        feedback_book.cancel_waiting(ctx.tx, request, CHANGED, types=("send_email",), template=RECOVERING)


def _thank(ctx: Context, request: Request, answer: Answer) -> None:
    """Praise is noted with the order and its client; by mail it is answered where the tenant wants that."""
    feedback_book.tell(ctx.tx, request, "praised", answer_id=str(answer.id), rating=request.rating)
    _thank_by_mail(ctx, request, answer)


def _thank_by_mail(ctx: Context, request: Request, answer: Answer) -> None:
    if not ctx.settings.feedback_thanks or answer.message_id is None:
        return
    message = inbox.get(ctx.tx, answer.message_id)
    # a mail that asks for something as well is a person's to answer
    if (
        message is None
        or message.cls not in ("feedback_answer", "reply")
        or set(message.flags) - {"reply", "quotes"}
        or _asks(message)
    ):
        return
    about = _about(ctx, request, answer)
    if about["contact_id"] is not None:
        payload = {**letter.thanks(request, about, ctx.settings), "answers_message_id": str(message.id)}
        title = f"Thank for feedback on order {_called(request, about)}: {about['name']} ({about['client_name']})"
        cards.propose(ctx.tx, [_mail(ctx, request, answer, about, title, "thank", payload, THANKS)])


def _asks(message: inbox.Message) -> bool:
    return "?" in str(message.reading.get("reply") or message.snippet or "")


def _case(
    ctx: Context, request: Request, answer: Answer, about: Row, call: tuple[str, str] | None = None,
    *, disputed: bool = False,
) -> Proposal:  # fmt: skip
    """A case for what displeased, or for the `call` that the words hold beside praise."""
    kind, words = call or (KIND, _words(answer))
    rated = f"{answer.rating} of 5" if answer.rating is not None else "dissatisfied"
    if disputed or kind == UNCLEAR:
        told = f"{rated}, and the words say otherwise"
    else:
        told = kind.replace("_", " ") if call else rated
    payload: dict[str, Any] = {
        "kind": kind, "title": f"Feedback on order {_called(request, about)}: {told}", "quote": words or rated,
        "feedback_request_id": str(request.id), "order_id": str(request.order_id), "rating": answer.rating,
        "thread_id": str(request.thread_id) if request.thread_id else None,
        "message_id": str(answer.message_id) if answer.message_id else None,
    }  # fmt: skip
    return Proposal(
        type="open_case", engine=NAME, title=f"{payload['title']} ({about['client_name']})",
        subject_type=feedback_book.SUBJECT, subject_id=str(request.id),
        dedupe_key=f"{NAME}:call:{answer.id}" if call else _case_key(request, answer),
        due_at=ctx.now, latest_at=ctx.now + timedelta(days=LATEST_DAYS), client_id=request.client_id,
        contact_id=about["contact_id"], thread_id=request.thread_id, payload=payload,
        evidence={"answer_id": str(answer.id), "rating": answer.rating, "quote": words, "channel": answer.channel},
        priority=CASE,
    )  # fmt: skip


def _case_key(request: Request, answer: Answer) -> str:
    """One case for each request; once that was opened, what they say later may open another."""
    return f"{NAME}:case:{request.id}" + (f":{answer.id}" if request.case_id is not None else "")


def _mail(
    ctx: Context, request: Request, answer: Answer, about: Row, title: str, what: str, payload: dict[str, Any],
    priority: int,
) -> Proposal:  # fmt: skip
    return Proposal(
        type="send_email", engine=NAME, title=title, subject_type=feedback_book.SUBJECT, subject_id=str(request.id),
        dedupe_key=f"{NAME}:{what}:{request.id}", due_at=ctx.now, latest_at=ctx.now + timedelta(days=LATEST_DAYS),
        client_id=request.client_id, contact_id=about["contact_id"], thread_id=request.thread_id, payload=payload,
        evidence={"answer_id": str(answer.id), "rating": answer.rating, "sentiment": answer.sentiment},
        priority=priority,
    )  # fmt: skip


def _words(answer: Answer) -> str:
    """What they said, in their words, as far as it shows how they feel."""
    return " ".join((answer.comment or answer.span or "").split())[:WORDS]


def _called(request: Request, about: Row) -> str:
    """The order's name among our own people: what the client never saw is not told to them."""
    return about["called"] or str(request.order_id)[-8:].upper()


def _about(ctx: Context, request: Request, answer: Answer) -> Row:
    """The order, its account, and whoever is written to: who answered, else who was asked."""
    row = ctx.tx.row(
        """SELECT coalesce(o.number, o.external_id, '') AS called, l.name AS client_name,
                  c.id AS contact_id, coalesce(c.name, '') AS name, c.language, l.language AS client_language,
                  h.subject AS thread_subject,
                  (SELECT n.name FROM tenants n WHERE n.tenant_id = :t) AS company
           FROM orders o
           JOIN clients l ON l.tenant_id = :t AND l.id = :client
           LEFT JOIN mail_threads h ON h.tenant_id = :t AND h.id = :thread
           LEFT JOIN contacts c ON c.tenant_id = :t AND c.id = coalesce(:answered_by, :asked) AND c.client_id = l.id
           WHERE o.tenant_id = :t AND o.id = :order""",
        t=ctx.tenant_id, client=request.client_id, thread=request.thread_id, answered_by=answer.contact_id,
        asked=request.contact_id, order=request.order_id,
    )  # fmt: skip
    assert row is not None, "a request goes with its order"
    return row
