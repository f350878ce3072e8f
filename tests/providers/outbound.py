"""A mail ready to go out, as the executor would freeze it."""

from __future__ import annotations

from typing import Any

from domain.clock import Clock
from domain.ports import OutboundMail


def a_mail(clock: Clock, tenant: str = "acme", **changes: Any) -> OutboundMail:
    """A mail of a tenant's, with everything in it that the product sends."""
    card_id = clock.uuid()
    parts: dict[str, Any] = {
        "card_id": card_id,
        "idempotency_key": f"card/{card_id}",
        "message_id": f"<{card_id}@{tenant}.example>",
        "sender": f"Ana Díaz <ana@{tenant}.example>",
        "to": ("Bo <bo@client.example>",),
        "subject": "Your order of März",
        "text": "Hello Bo,\n.dots and\n..more dots\n",
        "html": "<p>Hello Bo</p>",
        "reply_to": f"orders@{tenant}.example",
        "headers": {
            "In-Reply-To": "<question@client.example>",
            "References": "<root@client.example> <question@client.example>",
            "List-Unsubscribe": f"<https://{tenant}.example/u/1>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
        "tags": {"card": str(card_id), "tenant": tenant},
    }
    return OutboundMail(**(parts | changes))
