"""P2.3.3, no spam: the headers that tell machines what a mail is and let people leave."""

from __future__ import annotations

from collections.abc import Mapping

from domain.switches import OUTWARD
from policy.model import CONVERSATIONAL, Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

_WAYS_OUT = ("<https://", "<http://127.0.0.1:", "<http://localhost:", "<http://[::1]:")
"""HTTPS, or a house that is being tried out on one machine and has no certificate; no other host is excused."""


@rule("no_spam.marks_automatic", clause="P2.3.3.marks_automatic", types=OUTWARD)
def an_automatic_answer_says_that_it_is_one(facts: Facts, it: Rule) -> Verdict | None:
    """An answer that no person approved carries `Auto-Submitted: auto-replied` (RFC 3834).

    Other machines then know not to answer it.
    """
    below = facts.in_reply_to is not None and facts.in_reply_to.inbound
    if facts.mail is None or facts.card.approved_by or not (facts.answers or below):
        return None
    mark = _header(facts.mail.headers, "Auto-Submitted")
    if mark.partition(";")[0].strip().lower() not in ("auto-replied", "auto-generated"):
        return it.block("an automatic answer is not marked as one", auto_submitted=mark or None)
    return it.allow(auto_submitted=mark)


@rule("no_spam.list_unsubscribe", clause="P2.3.3.list_unsubscribe", types=CONVERSATIONAL)
def commercial_mail_says_how_to_leave(facts: Facts, it: Rule) -> Verdict | None:
    """Every commercial mail carries a List-Unsubscribe header with an HTTPS address (RFC 2369, RFC 8058)."""
    if facts.mail is None or not facts.commercial:
        return None
    if not _leaves(facts.mail.headers):
        return it.block("commercial mail without a List-Unsubscribe address")
    return it.nothing_against


@rule("no_spam.one_click", clause="P2.3.3.one_click", types=CONVERSATIONAL)
def commercial_mail_lets_people_leave_with_one_click(facts: Facts, it: Rule) -> Verdict | None:
    """Every commercial mail carries `List-Unsubscribe-Post: List-Unsubscribe=One-Click` (RFC 8058)."""
    if facts.mail is None or not facts.commercial:
        return None
    told = _header(facts.mail.headers, "List-Unsubscribe-Post")
    if "".join(told.split()).lower() != "list-unsubscribe=one-click":
        return it.block("commercial mail without one-click unsubscribe", list_unsubscribe_post=told or None)
    return it.nothing_against


def _leaves(headers: Mapping[str, str]) -> bool:
    for target in _header(headers, "List-Unsubscribe").split(","):
        told = target.strip()
        if told.lower().startswith(_WAYS_OUT) and told.endswith(">") and " " not in told:
            return True
    return False


def _header(headers: Mapping[str, str], name: str) -> str:
    told = headers.get(name)
    if told is None:
        told = next((value for known, value in headers.items() if known.lower() == name.lower()), "")
    return told
