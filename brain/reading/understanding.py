"""What a person meant: the visible words, who signed them, and what they ask for."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime

from brain.reading import intents, items, language, requests, sentences, signature, visible_reply
from brain.reading.model import Item, Signature, TaskRequest

MAX_SENTENCES = 45
LAST_SENTENCES = 15

_MONTH_FIRST = {"US", "PH", "FM", "PW"}
_FEEDBACK = re.compile(
    r"\b(?:feedback|survey|review|rating|how did we do|opini[oó]n|encuesta|valoraci[oó]n|pesquisa|avalia[cç][aã]o"
    r"|umfrage|bewertung|avis|enquête|satisfaction)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"\?|\b(?:i would like|i'd like|we are interested|i am interested|please|me gustar[ií]a|estamos interesad"
    r"|gostaria|tenho interesse|ich interessiere|wir interessieren|je souhaite|nous souhaitons|bitte|por favor)\b",
    re.IGNORECASE,
)
_FORWARD = re.compile(r"^\s*(?:fwd?|wg|tr|rv|enc|i|vs|doorst)\s*:", re.IGNORECASE)
_REPLY = re.compile(r"^\s*(?:re|aw|sv|antw|res?p?|rif|odp|vs|ynt|回复|答复|回覆)(?:\[\d+\])?\s*:", re.IGNORECASE)


@dataclass(slots=True)
class Understood:
    """The meaning of one body."""

    reply: str
    signature: Signature | None = None
    language: str | None = None
    task_request: TaskRequest | None = None
    items: tuple[Item, ...] = ()
    reference_numbers: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    asks: bool = False


def understand(
    text: str,
    subject: str,
    *,
    sender_name: str = "",
    sender_address: str | None = None,
    written: datetime | None = None,
    region: str = "US",
    by_person: bool = True,
) -> Understood:
    """Cut, sign, and — for what a person wrote — find out what is asked."""
    cut = visible_reply.cut(text)
    found = Understood(cut.reply)
    if cut.forwarded or _FORWARD.match(subject):
        found.flags.add("forwarded")
    if cut.quoted:
        found.flags.add("quotes")
    found.language = language.guess(cut.reply or text) or language.guess(subject)
    if not by_person:
        return found
    found.signature = signature.find(cut.reply, cut.below, sender_name, sender_address, region)
    own = sentences.own_words(cut.reply, found.signature.text if found.signature else None)
    said = _ends(list(sentences.split(own)))
    month_first = region in _MONTH_FIRST and found.language in (None, "en")
    topic = "" if _REPLY.match(subject) or _FORWARD.match(subject) else subject
    found.evidence = intents.found_in(said, topic)
    found.task_request = requests.request_in(said, found.language, written, month_first=month_first)
    found.reference_numbers = items.references_in(subject, own)
    found.asks = bool(_QUESTION.search(own))
    _add_flags(found, said)
    if found.evidence.keys() & {"order", "quote_request", "order_update"}:
        found.items = items.items_in(own)
    _settle(found, own)
    return found


def _ends(said: list[str]) -> list[str]:
    """The beginning and the end of a long text: that is where people ask."""
    return said if len(said) <= MAX_SENTENCES else said[: MAX_SENTENCES - LAST_SENTENCES] + said[-LAST_SENTENCES:]


def _add_flags(found: Understood, said: list[str]) -> None:
    if "unsubscribe" in found.evidence:
        found.flags.add("wants_unsubscribe")
    if "complaint" in found.evidence:
        found.flags.add("complains")
    call = next((sentence for sentence in said if requests.asks_call(sentence)), None)
    if call is not None:
        found.flags.add("asks_call")
        found.evidence["asks_call"] = call
    if found.task_request is not None:
        found.evidence["task_request"] = found.task_request.span


def _settle(found: Understood, own: str) -> None:
    """Where two intents hold, the one that rules the other out stays."""
    if "order" in found.evidence and "order_update" in found.evidence and not found.items:
        del found.evidence["order"]
    if "order" in found.evidence and "quote_request" in found.evidence and not _is_firm(found.evidence["order"]):
        del found.evidence["order"]
    if "wants_unsubscribe" in found.flags and len(own) > 1_500 and "complaint" not in found.evidence:
        found.flags.add("long")


def _is_firm(sentence: str) -> bool:
    return bool(
        re.search(
            r"\b(?:purchase order|PO\b|order no|place|orden de compra|ordem de compra|bon de commande|hiermit|herewith"
            r"|confirm)",
            sentence,
            re.IGNORECASE,
        ),
    )


def class_of(found: Understood, subject: str, is_reply: bool) -> str:
    """The one class of what a person wrote."""
    evidence = found.evidence
    if "wants_unsubscribe" in found.flags:
        return "unsubscribe"
    if "complains" in found.flags:
        return "complaint"
    if is_reply and _FEEDBACK.search(subject):
        return "feedback_answer"
    for name in ("order_update", "order", "quote_request"):
        if name in evidence:
            return name
    if found.task_request is not None and (found.task_request.is_explicit or found.task_request.call):
        return "task_request"
    if is_reply:
        return "reply"
    return "new_request" if found.asks else "other"
