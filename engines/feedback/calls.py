"""Words on the page that call for a person: a safety trigger, or a request in so many words, as in a mail."""

from __future__ import annotations

from datetime import date

from brain import triggers
from brain.given import Message


def found(words: str, day: date) -> tuple[str, str] | None:
    """What calls for a person, and the words that do; None where nothing does.

    The requests engine hears mails alone, and a task rests on a mail (P2.3, rule 1): what is said on a page becomes a
    case instead.
    """
    for trigger in triggers.search(words):
        return trigger.trigger, trigger.quote
    from brain import by_rules  # reading takes time to load, and most answers hold no words

    asked = by_rules.task_request(Message("", words, day, is_reply=True))
    return ("client_request", asked.span) if asked.asks else None
