"""Mail out through Resend: one POST under the card's own key, and a search for mails whose fate is unknown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any, Literal

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random

from domain.ports import Accepted, FoundMail, MaybeHappened, NeverWill, NothingHappened, OutboundMail, SentMail
from providers.deadlines import Deadline
from providers.resend_calls import Call, load, make
from providers.wire import Unsent, Wire

CARD_HEADER = "X-Hourhand-Card"
LONGEST_KEY = 256
LIST_PAGE = 100
CLOCK_SKEW = timedelta(minutes=5)
SURE_MEMORY = timedelta(hours=24)
"""How far back every Resend plan lists; beyond that an absent mail proves nothing."""

State = Literal["accepted", "delivered", "bounced", "failed"]
STATES: Mapping[str, State] = {
    "delivered": "delivered",
    "opened": "delivered",
    "clicked": "delivered",
    "complained": "delivered",
    "bounced": "bounced",
    "failed": "failed",
    "canceled": "failed",
    "suppressed": "failed",
}


class ResendSender:
    """A MailSender over Resend. It keeps idempotency keys for 24 hours."""

    name = "resend"
    keeps_keys = True

    def __init__(self, api_key: str, base_url: str = "https://api.resend.com", *, wire: Wire | None = None) -> None:
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")
        self._wire = wire or Wire()
        load()

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        """POST /emails under the mail's own key. Raises NothingHappened, MaybeHappened or NeverWill."""
        if not 1 <= len(mail.idempotency_key) <= LONGEST_KEY:
            raise NeverWill(f"The idempotency key has {len(mail.idempotency_key)} characters; Resend takes 1 to 256.")
        deadline = Deadline(deadline_seconds)
        body = _body(mail)
        answer = _while_unsent(
            lambda: self._ask(deadline, lambda sdk: sdk.Emails.send(body, {"idempotency_key": mail.idempotency_key}))
        )
        provider_id = answer.get("id") if isinstance(answer, dict) else None
        if not isinstance(provider_id, str) or not provider_id:
            raise MaybeHappened("Resend answered without an id.")
        return Accepted(provider_id=provider_id)

    def find(
        self, mail: OutboundMail, *, deadline_seconds: float = 10.0, since: datetime | None = None
    ) -> FoundMail | None:
        """Look `mail` up in GET /emails, newest first, back to `since`; a match is confirmed by its `card` tag.

        Call it only when no try can still be under way. Raises NothingHappened when the listing can't tell.
        """
        deadline = Deadline(deadline_seconds)
        first_try = since or _birth(mail)
        after: str | None = None
        while True:
            page = self._read(deadline, _listing(after))
            items = _items(page)
            for item in items:
                if first_try is not None and (at := _moment(item.get("created_at"))) and at < first_try - CLOCK_SKEW:
                    return None
                if _looks_like(item, mail) and (found := self._confirm(deadline, mail, str(item["id"]))):
                    return found
            if not page.get("has_more") or not items:
                _require_reach(first_try, page)
                return None
            after = str(items[-1]["id"])

    def details(self, provider_id: str, *, deadline_seconds: float = 10.0) -> FoundMail:
        """What Resend knows of one mail, above all the Message-ID that it really carries."""
        return _found(self._read(Deadline(deadline_seconds), lambda sdk: sdk.Emails.get(provider_id)))

    def sent_since(
        self, since: datetime, *, after: str | None = None, deadline_seconds: float = 10.0
    ) -> tuple[Sequence[str], str | None]:
        """A page of GET /emails, newest first, down to `since`. Raises NothingHappened when the listing can't tell."""
        page = self._read(Deadline(deadline_seconds), _listing(after))
        ids: list[str] = []
        for item in _items(page):
            at = _moment(item.get("created_at"))
            if at is not None and at < since - CLOCK_SKEW:
                return ids, None
            ids.append(str(item["id"]))
        if page.get("has_more") and ids:
            return ids, ids[-1]
        _require_reach(since, page)
        return ids, None

    def sent(self, provider_id: str, *, deadline_seconds: float = 10.0) -> SentMail:
        """One mail with its tags, which the listing leaves out."""
        email = self._read(Deadline(deadline_seconds), lambda sdk: sdk.Emails.get(provider_id))
        found = _found(email)
        if found.at is None:
            raise NothingHappened("Resend does not say when it took the mail.")
        told = [email.get(name) or [] for name in ("to", "cc", "bcc")]
        return SentMail(
            provider_id=provider_id, at=found.at, sender=str(email.get("from") or ""),
            recipients=tuple(sorted(frozenset[str]().union(*map(_addresses, told)))),
            subject=str(email.get("subject") or ""), text=str(email.get("text") or ""),
            html=email.get("html") or None, state=found.state, tags=_tags(email), message_id=found.message_id,
        )  # fmt: skip

    def _confirm(self, deadline: Deadline, mail: OutboundMail, provider_id: str) -> FoundMail | None:
        # The listing carries no tags, and two mails may share recipient and subject.
        email = self._read(deadline, lambda sdk: sdk.Emails.get(provider_id))
        tags = _tags(email)
        if "card" in tags:
            return _found(email) if tags["card"] == str(mail.card_id) else None
        same = email.get("message_id") == mail.message_id or email.get("text") == mail.text
        return _found(email) if same else None

    def _read(self, deadline: Deadline, ask: Callable[[Any], Any]) -> dict[str, Any]:
        """A GET: whatever goes wrong, nothing happened."""
        try:
            answer = _while_unsent(lambda: self._ask(deadline, ask))
        except (MaybeHappened, NeverWill) as error:
            raise NothingHappened(f"Resend's listing can't be read: {error}") from error
        if not isinstance(answer, dict):
            raise NothingHappened("Resend's listing can't be read: it is no object.")
        return answer

    def _ask(self, deadline: Deadline, ask: Callable[[Any], Any]) -> Any:
        from resend.exceptions import NoContentError, ResendError

        call = Call(self._api_key, self._base_url, self._wire, deadline)
        try:
            return make(call, ask)
        except NoContentError as error:
            raise MaybeHappened("Resend answered with nothing.") from error
        except ResendError as error:
            raise _meaning(call, error.error_type, str(error)) from error


def _while_unsent(ask: Callable[[], Any]) -> Any:
    # Only what certainly never left is tried again here, and quickly: the stop lock is held meanwhile.
    # 429 goes back to the caller, who may let go of the lock and wait as long as Resend asks.
    again = Retrying(
        retry=retry_if_exception_type(_NotSent), stop=stop_after_attempt(3), wait=wait_random(0.02, 0.1), reraise=True
    )
    return again(ask)


class _NotSent(NothingHappened):
    """The request did not leave this machine whole."""


def _meaning(call: Call, kind: str, message: str) -> NothingHappened | MaybeHappened | NeverWill:
    if isinstance(call.failure, Unsent):
        return _NotSent(f"Resend could not be reached: {call.failure}")
    if call.failure is not None:
        return MaybeHappened(f"Resend did not answer: {call.failure}")
    told = f"Resend answered {call.status} {kind}: {message[:300]}"
    match call.status:
        case None:
            raise AssertionError("the SDK failed before it spoke") from None
        case 429:
            return NothingHappened(told, retry_after_seconds=_retry_after(call))
        case 409 if kind == "invalid_idempotent_request":
            return NeverWill(f"This key was already used for other bytes, so one mail went out under it. {told}")
        case 408 | 409:
            # Another request under the same key is under way; its outcome is this one's.
            return MaybeHappened(told, retry_after_seconds=_retry_after(call))
        case status if status >= 500 or status < 300:
            return MaybeHappened(told)
        case status if status < 400:
            return NeverWill(f"Resend redirected ({status}): check RESEND_API_URL.")
        case _:
            return NeverWill(told)


def _retry_after(call: Call) -> float | None:
    for name in ("retry-after", "ratelimit-reset"):
        try:
            seconds = float(call.headers.get(name, ""))
        except ValueError:
            continue
        if 0 <= seconds <= 86_400 * 31:
            return seconds
    return None


def _body(mail: OutboundMail) -> dict[str, Any]:
    headers = {**mail.headers, "Message-ID": mail.message_id, CARD_HEADER: str(mail.card_id)}
    body: dict[str, Any] = {
        "from": mail.sender,
        "to": list(mail.to),
        "subject": mail.subject,
        "text": mail.text,
        "headers": headers,
        "tags": [{"name": name, "value": value} for name, value in sorted(mail.tags.items())],
    }
    optional = {"html": mail.html, "cc": list(mail.cc), "bcc": list(mail.bcc), "reply_to": mail.reply_to}
    return body | {name: value for name, value in optional.items() if value}


def _listing(after: str | None) -> Callable[[Any], Any]:
    return lambda sdk: sdk.Emails.list({"limit": LIST_PAGE, "after": after})


def _items(page: Mapping[str, Any]) -> list[dict[str, Any]]:
    items = page.get("data")
    if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("id") for item in items):
        raise NothingHappened("Resend's listing can't be read: it holds no emails.")
    return items


def _looks_like(item: Mapping[str, Any], mail: OutboundMail) -> bool:
    if item.get("message_id") == mail.message_id:
        return True
    return item.get("subject") == mail.subject and _addresses(item.get("to")) == _addresses(list(mail.to))


def _addresses(value: object) -> frozenset[str]:
    texts = value if isinstance(value, list) else [value]
    return frozenset(address.lower() for _, address in getaddresses([str(text) for text in texts if text]))


def _tags(email: Mapping[str, Any]) -> dict[str, str]:
    told = [tag for tag in email.get("tags") or [] if isinstance(tag, dict)]
    return {str(tag.get("name")): str(tag.get("value")) for tag in told}


def _found(email: Mapping[str, Any]) -> FoundMail:
    return FoundMail(
        provider_id=str(email.get("id")),
        state=STATES.get(str(email.get("last_event")), "accepted"),
        at=_moment(email.get("created_at")),
        message_id=email.get("message_id") or None,
    )


def _require_reach(first_try: datetime | None, page: Mapping[str, Any]) -> None:
    """The listing ended without our mail: that proves its absence only while Resend surely still remembers it."""
    headers = {str(name).lower(): value for name, value in (page.get("http_headers") or {}).items()}
    try:
        now = parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError) as error:
        raise NothingHappened("Resend's listing carries no date, so its reach can't be told.") from error
    if first_try is None or first_try < now - SURE_MEMORY:
        raise NothingHappened("Resend's listing does not surely reach back to the first try.")


def _birth(mail: OutboundMail) -> datetime | None:
    """When a card with a UUIDv7 was made (RFC 9562): never later than its first try."""
    if mail.card_id.version != 7:
        return None
    return datetime.fromtimestamp((mail.card_id.int >> 80) / 1000, tz=UTC)


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
