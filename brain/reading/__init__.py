"""Reading mail: raw bytes to an understanding, pure and fast."""

from __future__ import annotations

from brain.reading.model import (
    CLASSES,
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
    "read",
]
