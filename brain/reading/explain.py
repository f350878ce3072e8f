"""What we made of a message, as one plain JSON object that anybody can check."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

from brain.reading.model import Reading, Signature, TaskRequest
from brain.reading.parse import clean
from brain.reading.read import read
from brain.reading.understanding import class_of, understand


def explain(path: str | os.PathLike[str], *, now: datetime | None = None, region: str = "US") -> dict[str, Any]:
    """Read one file. Raises OSError when it can't be opened; whatever its bytes are, they are explained."""
    reading = read(Path(path).read_bytes(), now=now, region=region)
    return {"path": os.fspath(path), **explain_reading(reading)}


def explain_reading(reading: Reading) -> dict[str, Any]:
    """The same for a message that was already read."""
    return {
        "class": reading.cls,
        "flags": sorted(reading.flags),
        "bounces": [
            {
                "address": bounce.address,
                "permanent": bounce.permanent,
                "suppress": bounce.suppress,
                "status": bounce.status,
                "reason": bounce.reason,
            }
            for bounce in reading.bounces
        ],
        "return_date": reading.return_date.isoformat() if reading.return_date else None,
        "reply": reading.reply,
        "signature": _signature(reading.signature),
        "task_request": _request(reading.task_request),
        "attachments": [
            {"filename": file.filename, "content_type": file.content_type, "size": file.size}
            for file in reading.attachments
        ],
        "language": reading.language,
        "quarantined": reading.quarantined,
    }


def explain_text(body: str, *, now: datetime | None = None, region: str = "US") -> dict[str, Any]:
    """Explain a plain body that came without headers. Never raises on any text."""
    text = clean(body).replace("\r\n", "\n").replace("\r", "\n")
    try:
        found = understand(text, "", written=now, region=region)
    except Exception as error:  # noqa: BLE001 - the boundary that `read` is for whole messages
        return explain_reading(Reading(quarantined=f"could not be read: {type(error).__name__}", text=text))
    return explain_reading(
        Reading(
            cls=class_of(found, "", is_reply="quotes" in found.flags),
            flags=frozenset(found.flags),
            text=text,
            reply=found.reply,
            signature=found.signature,
            language=found.language,
            task_request=found.task_request,
            items=found.items,
            evidence=found.evidence,
        )
    )


def _signature(found: Signature | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "name": found.name,
        "title": found.title,
        "company": found.company,
        "phones": list(found.phones),
        "emails": list(found.emails),
        "links": list(found.links),
        "address": found.address,
    }


def _request(found: TaskRequest | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"span": found.span, "due": found.due.isoformat() if found.due else None}
