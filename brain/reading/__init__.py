"""Reading mail: raw bytes to an understanding, pure and fast."""

from __future__ import annotations

from brain.reading.explain import explain, explain_text
from brain.reading.model import (
    CLASSES,
    EXPLICIT,
    Attachment,
    Authentication,
    Bounce,
    Fact,
    Invitation,
    Item,
    Person,
    Reading,
    Signature,
    TaskRequest,
)
from brain.reading.read import read

__all__ = [
    "CLASSES",
    "EXPLICIT",
    "Attachment",
    "Authentication",
    "Bounce",
    "Fact",
    "Invitation",
    "Item",
    "Person",
    "Reading",
    "Signature",
    "TaskRequest",
    "explain",
    "explain_text",
    "read",
]
