"""Resend's webhooks: a signature checked over the raw bytes, then one typed event, or one declared refusal."""

from __future__ import annotations

import binascii
import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, cast, get_args

from domain.ports import DeliveryEvent, DeliveryKind

TOLERANCE = timedelta(minutes=5)
LARGEST_BODY_BYTES = 1 << 20
LONGEST_DETAIL = 500
LONGEST_TEXT = 1000
MOST_RECIPIENTS = 1000
KINDS: frozenset[str] = frozenset(get_args(DeliveryKind))
# What PostgreSQL can't keep as text: NUL, and halves of surrogate pairs.
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class WebhookRejected(Exception):
    """The webhook call is not to be believed (401) or not to be understood (400)."""

    def __init__(self, status: Literal[400, 401], reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.event_id: str | None = None
        """The notification's id, where its signature fits: it is genuine, and yet not to be understood."""


class WebhookSecretInvalid(Exception):
    """The stored webhook secret is not `whsec_` and base64: copy it anew from Resend's webhook page."""


def verify(secret: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> DeliveryEvent | None:
    """The event in a webhook call; None when it is genuine but not about the delivery of a mail.

    `now` is compared with the signed time-stamp (±5 minutes). A call repeated inside that window passes again, with
    the same `event_id`. Raises WebhookRejected whatever the bytes, and WebhookSecretInvalid for our own mistake.
    """
    event_id = _check_signature(secret, {name.lower(): value for name, value in headers.items()}, body, now)
    try:
        return parse(event_id, body)
    except WebhookRejected as rejected:
        rejected.event_id = event_id
        raise


def check_secret(secret: str) -> None:
    """Pass a signing secret as Resend shows it. Raises WebhookSecretInvalid."""
    if not secret.startswith("whsec_"):
        raise WebhookSecretInvalid(WebhookSecretInvalid.__doc__)
    _signature(secret, "msg_1", datetime.fromtimestamp(0, tz=UTC), "")


def parse(event_id: str, body: bytes) -> DeliveryEvent | None:
    """The event in a body that has been verified before (kept raw, processed later). Raises WebhookRejected."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookRejected(400, "the body is not JSON") from error
    kind = _text(payload, "type").removeprefix("email.")
    if kind not in KINDS:
        return None
    data = payload.get("data")
    bounce = _part(data, "bounce") if kind == "bounced" else {}
    return DeliveryEvent(
        event_id=event_id,
        kind=cast("DeliveryKind", kind),
        provider_id=_text(data, "email_id"),
        recipients=_recipients(data),
        at=_moment(_text(payload, "created_at")),
        tags=_tags(data),
        message_id=_optional(data, "message_id"),
        bounce_type=_optional(bounce, "type"),
        bounce_subtype=_optional(bounce, "subType"),
        detail=_detail(kind, data),
    )


def _check_signature(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> str:
    event_id, stamp, signatures = (
        headers.get(f"svix-{name}") or headers.get(f"webhook-{name}") or "" for name in ("id", "timestamp", "signature")
    )
    if not (event_id and stamp and signatures):
        raise WebhookRejected(401, "svix-id, svix-timestamp or svix-signature is missing")
    if len(event_id) > 200 or not event_id.isascii() or not event_id.isprintable():
        raise WebhookRejected(401, "svix-id is malformed")
    if len(body) > LARGEST_BODY_BYTES:
        raise WebhookRejected(400, "the body is larger than 1 MiB")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        raise WebhookRejected(401, "svix-timestamp is no number of seconds")
    sent_at = datetime.fromtimestamp(int(stamp), tz=UTC)
    if abs(now - sent_at) > TOLERANCE:
        raise WebhookRejected(401, "svix-timestamp is more than 5 minutes away from now")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise WebhookRejected(400, "the body is not UTF-8") from error
    expected = _signature(secret, event_id, sent_at, text)
    # Several signatures stand side by side while a secret is being rotated.
    if not any(hmac.compare_digest(expected.encode(), given.encode()) for given in signatures.split(" ")):
        raise WebhookRejected(401, "no signature fits")
    return event_id


def _signature(secret: str, event_id: str, sent_at: datetime, text: str) -> str:
    # svix's own verify() compares with the machine's clock and leaks ValueError; its sign() does neither.
    from standardwebhooks.webhooks import EmptyWebhookSecretError
    from svix.webhooks import Webhook

    try:
        return Webhook(secret).sign(event_id, sent_at, text)
    except (binascii.Error, ValueError, EmptyWebhookSecretError) as error:
        raise WebhookSecretInvalid(WebhookSecretInvalid.__doc__) from error


def _text(part: object, name: str) -> str:
    value = part.get(name) if isinstance(part, dict) else None
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or UNSTORABLE.search(value):
        raise WebhookRejected(400, f"`{name}` is missing or malformed")
    return value


def _optional(part: object, name: str) -> str | None:
    value = part.get(name) if isinstance(part, dict) else None
    return UNSTORABLE.sub("\ufffd", value)[:LONGEST_DETAIL] if isinstance(value, str) and value else None


def _part(data: object, name: str) -> Any:
    return data.get(name) if isinstance(data, dict) else None


def _recipients(data: object) -> tuple[str, ...]:
    value = _part(data, "to")
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or len(listed) > MOST_RECIPIENTS or not all(map(_is_storable, listed)):
        raise WebhookRejected(400, "`to` is missing or malformed")
    return tuple(listed)


def _tags(data: object) -> dict[str, str]:
    value = _part(data, "tags")
    pairs: list[tuple[object, object]] = []
    if isinstance(value, dict):
        pairs = list(value.items())
    elif isinstance(value, list):
        pairs = [(tag.get("name"), tag.get("value")) for tag in value if isinstance(tag, dict)]
    return {str(name): str(text) for name, text in pairs if _is_storable(name) and _is_storable(text)}


def _is_storable(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT and not UNSTORABLE.search(value)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise WebhookRejected(400, "`created_at` is no ISO 8601 time") from error


def _detail(kind: str, data: object) -> str | None:
    match kind:
        case "bounced":
            return _optional(_part(data, "bounce"), "message")
        case "failed":
            return _optional(_part(data, "failed"), "reason")
        case "suppressed":
            return _optional(_part(data, "suppressed"), "message")
        case "clicked":
            return _optional(_part(data, "click"), "link")
        case _:
            return None
