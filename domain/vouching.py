"""Who vouches for a mail: as whose word it counts, and so what it may move; judged once, when the mail comes in."""

from __future__ import annotations

from typing import Literal, Protocol
from uuid import UUID

Word = Literal["contact", "account", "doubtful", "stranger", "forged"]
"""As whose word a mail counts at the account that it is about.

`contact`: its contact's own. `account`: somebody's of theirs, known by name or not. `doubtful`: it claims to be theirs
and nobody proves it, or it comes from elsewhere and answers a mail that we wrote to them. `stranger`: neither.
`forged`: the domain that it claims disowns it, and it knows no mail of ours.
"""

BELIEVED: frozenset[Word] = frozenset({"contact", "account"})
"""What these say may move records."""

STOPS: frozenset[Word] = BELIEVED | {"doubtful"}
"""After these nobody at the account is pressed on: whatever it is, somebody there may be waiting for an answer."""


class Judged(Protocol):
    """A mail whose word was judged."""

    @property
    def client_id(self) -> UUID | None:
        """The account that it is about."""

    @property
    def word_of(self) -> Word | None:
        """As whose word it counts there; None for mail that went out."""


def word(*, is_contact: bool, is_theirs: bool, answers_ours: bool, aligned: bool | None, disowned: bool) -> Word:
    """As whose word a mail counts.

    `is_contact`: it was written from an address of its contact; `is_theirs`: or from the account's own domain.
    `answers_ours`: it names the Message-ID of a mail that we, or the tenant's people, wrote to that account. Whoever
    got that mail knows it and hardly anybody else, so with it a contact's address counts although no server proves
    it: much honest mail is badly set up. It does not outweigh a domain that disowns the mail, and it makes nobody
    else's address theirs: mail is forwarded, and lists have archives.
    """
    if is_contact or is_theirs:
        if aligned is not False or (answers_ours and not disowned):
            return "contact" if is_contact else "account"
        return "doubtful" if answers_ours or not disowned else "forged"
    if answers_ours:
        return "doubtful"
    return "forged" if disowned else "stranger"


def may_opt_out(word_of: Word | None, *, aligned: bool | None, knows_mail: bool, is_known: bool) -> bool:
    """Whether a wish to be left alone counts: generously, for it only makes us quieter.

    `knows_mail`: it names the Message-ID of a mail of ours to its account; `is_known`: its writer is a contact. Where
    the domain disowns the mail, or nothing ties it to them, it counts for nothing: nobody opts others out by forgery.
    """
    return aligned is True or (word_of in STOPS and (knows_mail or is_known))


def by_contact(message: Judged) -> bool:
    """Whether it is its contact's own word: what is put down in records as such needs this."""
    return message.word_of == "contact"


def by_account(message: Judged) -> bool:
    """Whether it is the word of somebody at its account: enough for what turns a person's eyes to the mail."""
    return message.client_id is not None and message.word_of in BELIEVED


def forged(message: Judged) -> bool:
    """Whether the domain that it claims to be from says that it is not."""
    return message.word_of == "forged"
