"""What an answer must keep to beyond its shape: quotes that stand in the message, days that can be, known numbers."""

from __future__ import annotations

import re
from datetime import timedelta

from brain import answers, rulebook, spans
from brain.given import Hour, Letter, Message

_ONE = re.compile(r"\b(?:an?|one|un[oa]?|um|uma)\b", re.IGNORECASE)
LONGEST_ABSENCE = timedelta(days=400)
LATEST_TASK = timedelta(days=366)

_IN_WORDS = re.compile(
    r"\b(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million|half|twice|double"
    r"|percent|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|docena|cien|ciento|mil|mitad|doble|por ciento"
    r"|dois|duas|três|quatro|sete|oito|nove|dez|dúzia|cem|metade|dobro|por cento"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|(?:thir|four|fif|six|seven|eigh|nine)teen|triple|third|quarter|none"
    r"|doce|trece|catorce|quince|dieci\w+|veint\w+|treinta|(?:cuar|cincu|ses|set|och|nov)enta|tercio|\w+cientos"
    r"|doze|treze|quinze|vinte|trinta|quarenta|cinquenta|sessenta|oitenta|terço|\w+centos|milhares|miles)\b",
    re.IGNORECASE,
)


def classified(given: Message, told: answers.Classified) -> answers.Classified:
    """A class other than the ordinary ones, and every mark, needs its words."""
    span = _quoted(given, told.span)
    marked = told.wants_unsubscribe or told.complains or told.asks_call
    if not span and (told.cls not in ("reply", "other") or marked):
        raise ValueError("span: the quoted words don't stand in the message")
    return told.model_copy(update={"span": span})


def sentiment(given: Message, told: answers.Sentiment) -> answers.Sentiment:
    """A feeling needs its words."""
    span = _quoted(given, told.span)
    if not span and told.feeling != "neutral":
        raise ValueError("span: the quoted words don't stand in the message")
    return told.model_copy(update={"span": span})


def task(given: Message, told: answers.TaskEvidence) -> answers.TaskEvidence:
    """A request needs its words, and a day that lies ahead of the message."""
    if not told.asks:
        return answers.TaskEvidence(asks=False, span="", due=None)
    span = _quoted(given, told.span)
    if not span:
        raise ValueError("span: the quoted words don't stand in the message")
    if told.due is not None and not given.sent_on <= told.due <= given.sent_on + LATEST_TASK:
        raise ValueError("due: no such day can be meant")
    return told.model_copy(update={"span": span})


def return_day(given: Message, told: answers.ReturnDay) -> answers.ReturnDay:
    """A day of return needs its words, and lies ahead."""
    if told.back_on is None:
        return answers.ReturnDay(back_on=None, span="")
    span = _quoted(given, told.span) or spans.find(told.span, given.subject)
    if not span:
        raise ValueError("span: the quoted words don't stand in the message")
    if not given.sent_on <= told.back_on <= given.sent_on + LONGEST_ABSENCE:
        raise ValueError("back_on: no such day can be meant")
    return told.model_copy(update={"span": span})


def signals(given: Message, told: answers.Signals) -> answers.Signals:
    """Each signal once, with its words."""
    kept: dict[str, answers.Signal] = {}
    for each in told.signals:
        span = _quoted(given, each.span)
        if not span:
            raise ValueError("span: the quoted words don't stand in the message")
        kept.setdefault(each.kind, each.model_copy(update={"span": span}))
    return answers.Signals(signals=tuple(kept.values()))


def quote_items(given: Message, told: answers.QuoteItems) -> answers.QuoteItems:
    """Each line with its words, called by words of theirs, and no quantity that they don't name."""
    kept = []
    for each in told.items:
        span = _quoted(given, each.span)
        if not span:
            raise ValueError("span: the quoted words don't stand in the message")
        if each.quantity is not None and not _names(span, each.quantity):
            raise ValueError("quantity: the quoted words name no such number")
        # it may stand on a client's quote one day: what nobody wrote is not what it is called
        called = spans.find(each.description, span) or span[:200]
        unit = each.unit if spans.find(each.unit, span) or each.unit in span else ""
        kept.append(each.model_copy(update={"span": span, "description": called, "unit": unit}))
    return answers.QuoteItems(items=tuple(kept))


def letter(given: Letter, told: answers.Letter) -> answers.Letter:
    """Nothing here: what a mail may say is the policy's to judge."""
    return told


def prose(given: Hour, told: answers.Prose) -> answers.Prose:
    """No number that is not among the computed facts, in digits or in words, and nothing to follow."""
    loose = rulebook.unsupported_numbers(told.text, given.numbers)
    if loose:
        raise ValueError(f"it tells {loose[0]}, which is not among the computed numbers")
    spelled = next((word[0] for word in _IN_WORDS.finditer(told.text) if word[0].lower() not in given.told.lower()), "")
    if spelled:
        raise ValueError(f"it tells a number in words ({spelled}) that is not in the computed telling")
    if re.search(r"https?:|www\.|<[a-z/!]|\]\(|@\w", told.text, re.IGNORECASE):
        raise ValueError("it holds a link, an address or HTML")
    return told


def _quoted(given: Message, span: str) -> str:
    return spans.find(span, given.text) or ""


def _names(span: str, quantity: float) -> bool:
    """Whether a number stands in some words, in digits whichever way they are parted, or in letters."""
    digits = {re.sub(r"[.,' ]", "", told) for told in re.findall(r"\d[\d.,' ]*\d|\d", span)}
    digits |= {told.replace(",", ".") for told in re.findall(r"\d+[.,]\d+|\d+", span)}
    return f"{quantity:g}" in digits or (not digits and bool(_IN_WORDS.search(span) or _ONE.search(span)))
