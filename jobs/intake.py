"""A mailbox's message, read and put into the shape in which the domain takes it in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from brain.reading import Person, Reading, read
from brain.reading.addresses import is_noreply, is_robot
from domain import storable
from domain.incoming import Attached, Incoming
from domain.ports import RawMessage

SNIPPET = 200
LONGEST_SUBJECT = 1_000
LONGEST_ADDRESS = 320
LONGEST_TEXT = 20_000
"""How much of the writer's own words is kept beside the bytes, for engines and pages."""
MOST_ADDRESSES = 200
MOST_REFERENCES = 100

# What is kept in columns of its own, or is found again in the bytes.
_ELSEWHERE = frozenset({
    "cls", "flags", "subject", "from_name", "from_address", "to", "cc", "bcc", "date", "message_id", "in_reply_to",
    "text", "reply", "attachments", "contacts", "quarantined", "sender", "reply_to", "references",
})  # fmt: skip


def understand(message: RawMessage, *, now: datetime, region: str) -> tuple[Incoming, Reading]:
    """Read one message. Never raises on any bytes."""
    reading = read(message.raw, now=min(message.received_at, now), region=region)
    return incoming_of(message, reading, now=now), reading


def incoming_of(message: RawMessage, reading: Reading, *, now: datetime) -> Incoming:
    """A message and what was understood of it, ready to be stored."""
    return Incoming(
        provider_message_id=storable.text(message.provider_message_id, 500),
        provider_thread_id=storable.text(message.provider_thread_id, 500),
        raw=message.raw,
        labels=tuple(storable.text(label, 100) for label in message.labels),
        # nothing was received after now, whatever the message says
        received_at=min(message.received_at, now),
        cls=reading.cls,
        flags=reading.flags,
        subject=storable.text(reading.subject, LONGEST_SUBJECT),
        snippet=storable.text(" ".join(reading.reply[: 4 * SNIPPET].split()), SNIPPET),
        sent_at=_plausible(reading.date, now),
        from_address=_address(reading.from_address),
        from_name=storable.text(reading.from_name, LONGEST_ADDRESS),
        to=_addresses(reading.to),
        cc=_addresses(reading.cc),
        reply_to=_addresses(reading.reply_to),
        people=_people(reading.contacts),
        aligned=reading.authentication.aligned,
        disowned=reading.authentication.disowned,
        message_id=storable.optional(reading.message_id, LONGEST_SUBJECT),
        in_reply_to=storable.optional(reading.in_reply_to, LONGEST_SUBJECT),
        references=_ids(reading.references),
        original_ids=_ids((*reading.original_message_ids, *(b.original_message_id or "" for b in reading.bounces))),
        reading=_rest(reading),
        attachments=tuple(
            Attached(storable.optional(file.filename, 255), storable.text(file.content_type, 255), file.content)
            for file in reading.attachments
        ),
        quarantined=storable.optional(reading.quarantined, 500),
    )


def _rest(reading: Reading) -> dict[str, Any]:
    """Everything else that was understood, as JSON."""
    told = {name: getattr(reading, name) for name in Reading.__slots__ if name not in _ELSEWHERE}
    kept = {name: _json(value) for name, value in told.items() if value not in (None, (), "", False, {}, frozenset())}
    kept["reply_to"] = [person.address for person in reading.reply_to]
    kept["references"] = list(reading.references[:MOST_REFERENCES])
    kept["reply"] = reading.reply[:LONGEST_TEXT]
    plain: dict[str, Any] = storable.value({name: value for name, value in kept.items() if value})
    return plain


def _json(value: Any) -> Any:
    if isinstance(value, str):
        return value[:LONGEST_TEXT]
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "__dataclass_fields__"):
        told = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
        return {name: _json(each) for name, each in told if each not in (None, "", ())}
    if hasattr(value, "_asdict"):
        return {name: _json(each) for name, each in zip(value._fields, value, strict=True)}
    if isinstance(value, dict):
        return {str(name): _json(each) for name, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json(each) for each in list(value)[:MOST_ADDRESSES]]
    return value.hex() if isinstance(value, bytes) else value


def _people(contacts: Sequence[Person]) -> tuple[tuple[str, str], ...]:
    """Whoever may be a person: robots and addresses that take no answer are nobody to know."""
    return tuple(
        (storable.text(person.name, 200), person.address)
        for person in contacts[:MOST_ADDRESSES]
        if _address(person.address) and not is_noreply(person.address) and not is_robot(person.address)
    )


def _addresses(people: Sequence[Person]) -> tuple[str, ...]:
    return tuple(kept for person in people[:MOST_ADDRESSES] if (kept := _address(person.address)))


def _address(told: str | None) -> str | None:
    if told is None or len(told) > LONGEST_ADDRESS:
        return None
    return storable.optional(told)


def _ids(told: Sequence[str]) -> tuple[str, ...]:
    # the last ones are the closest
    kept = [storable.text(each, LONGEST_SUBJECT) for each in told[-MOST_REFERENCES:] if each]
    return tuple(dict.fromkeys(kept))


def _plausible(told: datetime | None, now: datetime) -> datetime | None:
    """A date as the message states it, unless it lies beyond what can be meant."""
    if told is None or told.year < 1970 or told > now + timedelta(days=366):
        return None
    return told
