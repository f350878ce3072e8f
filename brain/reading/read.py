"""Bytes in, understanding out: the one boundary behind which nothing raises."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from brain.reading import classify
from brain.reading.addresses import is_noreply, mailboxes
from brain.reading.authentication import authenticate
from brain.reading.body import raw_text, take_apart
from brain.reading.model import Fact, Person, Reading
from brain.reading.parse import Parsed, message_ids, parse, parse_date

MAX_BYTES = 60_000_000


def read(raw: bytes, *, now: datetime | None = None, region: str = "US") -> Reading:
    """Understand one message. Never raises on any bytes.

    `now` (aware) anchors words such as "tomorrow" when the message has no usable date; `region` (ISO 3166
    alpha-2) is where national phone numbers are taken to be from. What is malformed comes back with
    `quarantined` set to the reason, and with everything that could still be read.
    """
    try:
        return _read(raw, now, region)
    except Exception as error:  # noqa: BLE001 - one boundary for every undeclared error of the mail libraries (G5)
        return Reading(
            quarantined=f"could not be read: {type(error).__name__}: {str(error)[:200]}",
            text=raw_text(raw),
        )


def _read(raw: bytes, now: datetime | None, region: str) -> Reading:
    if len(raw) > MAX_BYTES:
        return Reading(quarantined=f"too large: {len(raw)} bytes", text=raw_text(raw[:100_000]))
    parsed = parse(raw)
    body = take_apart(parsed.message)
    head = _head(parsed)
    return classify.classify(parsed, body, head, now, region)


def _head(parsed: Parsed) -> Reading:
    """What the headers say, before anything is judged."""
    authors = mailboxes(parsed.all("from"))
    writers = authors if len(parsed.all("from")) < 2 else mailboxes(parsed.all("from")[:1])
    writer = writers[0] if writers else Person("", "")
    sender = mailboxes(parsed.all("sender")[:1])
    reply_to = mailboxes(parsed.all("reply-to"))
    to, cc, bcc = (mailboxes(parsed.all(name)) for name in ("to", "cc", "bcc"))
    written = parse_date(parsed.raw("date"))
    everybody = _once(writers, sender, reply_to, to, cc)
    return Reading(
        subject=parsed.text("subject"),
        from_name=writer.name,
        from_address=writer.address or None,
        sender=sender[0] if sender else None,
        reply_to=reply_to,
        to=to,
        cc=cc,
        bcc=bcc,
        date=written.astimezone(UTC) if written else None,
        written=written,
        message_id=next(iter(message_ids(parsed.raw("message-id"))), None),
        in_reply_to=next(iter(message_ids(parsed.raw("in-reply-to"))), None),
        references=message_ids(" ".join(parsed.all("references"))),
        is_noreply=is_noreply(writer.address) or any(is_noreply(person.address) for person in reply_to),
        contacts=everybody,
        people=_facts({"from": authors, "reply-to": reply_to, "to": to, "cc": cc}),
        authentication=authenticate(parsed, writer.address or None),
        quarantined=parsed.malformed,
    )


def _once(*groups: tuple[Person, ...]) -> tuple[Person, ...]:
    found: dict[str, Person] = {}
    for person in (person for group in groups for person in group):
        if person.address not in found or (person.name and not found[person.address].name):
            found[person.address] = person
    return tuple(found.values())


def _facts(named: Mapping[str, tuple[Person, ...]]) -> tuple[Fact, ...]:
    facts = []
    for header, confidence in (("from", 0.9), ("reply-to", 0.7), ("to", 0.6), ("cc", 0.6)):
        for person in named[header]:
            facts.append(Fact("address", person.address, confidence, f"header:{header}", person.address))
            if person.name and "@" not in person.name:
                facts.append(Fact("name", person.name, confidence - 0.1, f"header:{header}", person.address))
    return tuple(facts)
