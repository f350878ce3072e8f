"""Calendar parts of a message (RFC 5545, RFC 5546): invitations, changes, cancellations and answers to them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from brain.reading.addresses import normalise_address
from brain.reading.body import Body
from brain.reading.model import Invitation
from brain.reading.parse import clean, payload

MAX_BYTES = 200_000


def invitation_of(body: Body) -> Invitation | None:
    """The first event of the first calendar part; a broken calendar still tells its method."""
    for part in body.calendars[:3]:
        found = _read(payload(part)[:MAX_BYTES], str(part.get_param("method") or ""))
        if found is not None:
            return found
    return None


def _read(data: bytes, method: str) -> Invitation | None:
    from icalendar import Calendar, Event  # needed by the few messages that carry a calendar

    try:
        calendar = Calendar.from_ical(data.decode("utf-8", "replace"))
        events = [part for part in calendar.walk("VEVENT") if isinstance(part, Event)]
        method = clean(str(calendar.get("METHOD") or method))
        if not events:
            return Invitation(method.upper()) if method else None
        return _event(events[0], method.upper())
    except Exception:  # noqa: BLE001 - undeclared errors of the library on malformed calendars
        return Invitation(method.upper()) if method else None


def _event(event: object, method: str) -> Invitation:
    get = getattr(event, "get")  # noqa: B009 - the library's mapping is untyped
    organizer = normalise_address(str(get("ORGANIZER") or ""))
    return Invitation(
        method=method,
        uid=_text(get("UID")),
        summary=_text(get("SUMMARY")),
        start=_moment(get("DTSTART")),
        end=_moment(get("DTEND")),
        organizer=organizer,
    )


def _text(value: object) -> str | None:
    return clean(str(value))[:500] if value else None


def _moment(value: object) -> datetime | None:
    found = getattr(value, "dt", None)
    if isinstance(found, datetime):
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    if isinstance(found, date):
        return datetime.combine(found, time(0, 0), tzinfo=UTC)
    return None
