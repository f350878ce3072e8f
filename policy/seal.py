"""What a person approves, as a hash: the rendered message, its thread and the policy it was judged under."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain.ports import OutboundMail

_NOT_SEEN = frozenset({"auto-submitted", "x-hourhand-card"})
"""Headers that depend on the approval itself, or on nothing that a person looks at."""


def content_hash(
    mail: OutboundMail | None, thread_id: UUID | None, policy_version: int, payload: Mapping[str, Any] | None = None
) -> bytes:
    """SHA-256 of what was seen. An approval holds while this stays the same; for internal actions the payload counts.

    The mail's key and Message-ID are left out: they name the message and are no part of what it says.
    """
    seen: dict[str, Any] = {"thread": str(thread_id) if thread_id else None, "policy": policy_version}
    if mail is None:
        seen["payload"] = dict(payload or {})
    else:
        seen["mail"] = {
            "sender": mail.sender, "to": mail.to, "cc": mail.cc, "bcc": mail.bcc, "reply_to": mail.reply_to,
            "subject": mail.subject, "text": mail.text, "html": mail.html,
            "headers": {name.lower(): value for name, value in mail.headers.items() if name.lower() not in _NOT_SEEN},
        }  # fmt: skip
    return hashlib.sha256(json.dumps(seen, sort_keys=True, default=str).encode()).digest()
