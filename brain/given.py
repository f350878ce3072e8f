"""What questions are asked about: one message, the facts of one mail to write, or the facts of one hour."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from domain.drafts import PAGE

MESSAGE_CHARACTERS = 4_000
"""How much of a message is sent: its beginning and its end, where people say what they want."""
LAST_CHARACTERS = 1_000
SUBJECT_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Message:
    """One message by somebody: untrusted, without quotes and signature, and without who wrote it."""

    subject: str
    text: str
    sent_on: date
    is_reply: bool = False

    @property
    def facts(self) -> str:
        """What is sent: JSON, in which no word of the message can end the message."""
        told = {"sent_on": f"{self.sent_on:%Y-%m-%d %A}", "subject": self.subject[:SUBJECT_CHARACTERS],
                "text": _ends(self.text)}  # fmt: skip
        return json.dumps(told, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to write: trusted facts in slots, and what readers said of the conversation, in their closed words."""

    template: str
    """The template that says the same without a model."""
    language: str
    slots: Mapping[str, Any]
    attempt: int = 0
    tone: str = ""
    read: Mapping[str, str] = field(default_factory=dict)
    page: bool = False
    """Whether the mail leads to a page; its address is put in afterwards, where the mark stands."""

    @property
    def facts(self) -> str:
        """What is sent."""
        told: dict[str, Any] = {"language": self.language}
        told |= {name: value for name, value in self.slots.items() if value not in (None, "", (), [])}
        if "tone" in told:
            # how a tenant wants its mails to sound; the tone of a follow-up is another thing
            told["manner"] = told.pop("tone")
        if self.attempt:
            told |= {"attempt": self.attempt, "tone": self.tone}
        if self.page:
            told["page"] = PAGE
        return json.dumps(told | dict(self.read), ensure_ascii=False, default=str)


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour to tell: its computed facts, and the plain telling that stands if nobody tells it better."""

    language: str
    told: str
    numbers: Mapping[str, Any]

    @property
    def facts(self) -> str:
        """What is sent: the plain telling holds every fact that may be told, in fewer words than the facts do."""
        return json.dumps({"language": self.language, "facts": self.told}, ensure_ascii=False)


def _ends(text: str) -> str:
    if len(text) <= MESSAGE_CHARACTERS:
        return text
    return f"{text[: MESSAGE_CHARACTERS - LAST_CHARACTERS]}\n[…]\n{text[-LAST_CHARACTERS:]}"
