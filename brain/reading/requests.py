"""Does the writer explicitly ask a person to do something? The very words, how sure, and by when."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from brain.reading import dates
from brain.reading import request_words as words
from brain.reading.model import TaskRequest

THRESHOLD = 0.41
CALL_THRESHOLD = 0.7
"""Sentences that speak of calls and phones are held to more: a person would have to ring."""
WORKDAY_ENDS = time(17, 0)

_CALL_WORDS = re.compile(r"call|phone", re.IGNORECASE)
_CALLS = re.compile("|".join(words.CALLS), re.IGNORECASE)
_ASKS = {language: re.compile("|".join(patterns), re.IGNORECASE) for language, patterns in words.ASKS.items()}
_NOT_ASKS = re.compile("|".join(words.NOT_ASKS), re.IGNORECASE)
_AMONG_US = re.compile(
    r"^(?:perhaps |maybe |i think |i guess )?(?:we|they|he|she) (?:should|could|might|must|need to|have to|ought to"
    r"|will|can) (?:probably |also |really )?(?:call|ring|phone|contact|ask|tell|send|email)\b",
    re.IGNORECASE,
)
_SURE = re.compile(
    r"\b(?:i|we) (?:need|want|would like|'d like|am asking|are asking) (?:you|someone|somebody|your team) to \w+"
    r"|^(?:could|can|would|will) you (?:please|kindly) \w+"
    r"|^please (?:send|call|forward|confirm|provide|return|sign|ring|arrange|schedule|prepare|fix|check|reply"
    r"|advise) (?:me|us|the|your|our|my|a|an|this|that|back|to)\b(?!.*(?:click|unsubscribe|link below))",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"\b(?:at|by|before|around|a las|à|as|às|um|gegen|vers|antes de las|até às)?\s*(?P<hour>[01]?\d"
    r"|2[0-3])(?:(?P<sep>[:.h])(?P<minute>[0-5]\d)?|(?=\s*[ap]\.?m))\s*(?P<half>[ap]\.?m\.?)?(?:\s*uhr)?\b",
    re.IGNORECASE,
)


def request_in(
    sentences: Iterable[str], language: str | None, written: datetime | None, *, month_first: bool
) -> TaskRequest | None:
    """The surest request among `sentences`, if any is sure enough."""
    best: TaskRequest | None = None
    for sentence in sentences:
        sure = probability(sentence, language)
        bar = CALL_THRESHOLD if _CALL_WORDS.search(sentence) else THRESHOLD
        if sure < bar or (best is not None and sure <= best.confidence):
            continue
        best = TaskRequest(
            sentence, due_in(sentence, written, month_first=month_first), asks_call(sentence), round(sure, 3)
        )
    return best


def probability(sentence: str, language: str | None) -> float:
    """How sure it is that `sentence` asks its reader to do something."""
    sentence = sentence.strip()
    if not sentence or _AMONG_US.match(sentence) or _NOT_ASKS.search(sentence):
        return 0.0
    pattern = _ASKS.get(language or "")
    if pattern is not None:
        return 0.9 if pattern.search(sentence) else 0.0
    return _english(sentence)


def _english(sentence: str) -> float:
    from brain.reading.ask_features import score  # its weights are loaded for English mail only

    sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, score(sentence)))))
    return max(sure, 0.8) if _SURE.search(sentence) else sure


def asks_call(sentence: str) -> bool:
    """Somebody is asked to ring the writer."""
    lowered = sentence.lower()
    if not any(stem in lowered for stem in words.CALL_STEMS):
        return False
    return bool(_CALLS.search(sentence)) and not _AMONG_US.match(sentence)


def due_in(sentence: str, written: datetime | None, *, month_first: bool) -> datetime | None:
    """By when, in the writer's own offset; a day alone means the end of its working hours."""
    base = written.date() if written else None
    days = [one for one in dates.find(sentence, base, month_first=month_first) if base is None or one.day >= base]
    zone = (written.tzinfo if written else None) or UTC
    at = _time_in(sentence)
    if days:
        return _moment(days[0].day, at or WORKDAY_ENDS, zone)
    if (
        at is not None
        and written is not None
        and re.search(r"\b(?:by|before|antes|até|bis|avant|at)\b", sentence, re.IGNORECASE)
    ):
        moment = _moment(written.date(), at, zone)
        return moment if moment > written else moment + timedelta(days=1)
    return None


def _time_in(sentence: str) -> time | None:
    for hit in _TIME.finditer(sentence):
        half = (hit["half"] or "").lower()[:1]
        if hit["sep"] == "." and not half and "uhr" not in hit[0].lower():
            continue
        hour = int(hit["hour"])
        if half == "p" and hour < 12:
            hour += 12
        if half == "a" and hour == 12:
            hour = 0
        return time(hour % 24, int(hit["minute"] or 0))
    return None


def _moment(day: date, at: time, zone: tzinfo) -> datetime:
    return datetime.combine(day, at, tzinfo=zone)
