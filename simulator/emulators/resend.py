"""Resend on loopback: POST /emails with idempotency keys, the listing, webhooks, and a count of every raw request."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from domain.clock import Clock
from simulator.emulators import commandline
from simulator.emulators.loopback import Asked, Loopback, Told, tell
from simulator.emulators.resend_webhooks import Hook, Postman, bounce, make_hook, new_secret, post

KEYS_LAST = timedelta(hours=24)
TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
MOST_RECIPIENTS = 50
ANSWERS = {"bounced": ("bounced", bounce()), "complained": ("complained", {})}
"""What becomes of mail to `bounced@…` and `complained@…` when events flow by themselves, as with resend.dev."""


@dataclass(slots=True)
class Account:
    """One team at Resend."""

    key: str
    webhook_url: str | None = None
    webhook_secret: str = field(default_factory=new_secret)
    domains: frozenset[str] | None = None
    """Verified sending domains; None takes any."""
    may_list: bool = True
    """False for a key that may only send."""
    per_second: int | None = None
    """Requests a second before 429; the real service gives 5."""
    automatic_events: bool = False
    """True sends `sent` and `delivered` webhooks (or a bounce, a complaint) after each mail by itself."""
    emails: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, tuple[str, str, datetime]] = field(default_factory=dict)
    arrivals: deque[float] = field(default_factory=deque)
    lock: threading.Lock = field(default_factory=threading.Lock)


class ResendEmulator(Loopback):
    """`with ResendEmulator(clock=clock) as resend: resend.account("re_acme")`; `resend.url` is its RESEND_API_URL."""

    def __init__(
        self, *, clock: Clock, port: int = 0, log: Path | None = None, replaces_message_ids: bool = True
    ) -> None:
        super().__init__(clock=clock, port=port, log=log)
        self.accounts: dict[str, Account] = {}
        self.postman = Postman()
        # Resend sends through Amazon SES, which puts its own Message-ID in place of the sender's.
        self._replaces_message_ids = replaces_message_ids

    def account(self, key: str, **settings: Any) -> Account:
        """The account of an API key, opened at first mention."""
        return self.accounts.setdefault(key, Account(key, **settings))

    def sent(self, key: str) -> list[dict[str, Any]]:
        """The emails that an account has taken, oldest first: what recipients would have got."""
        return list(self.accounts[key].emails.values())

    def hook(self, key: str, email_id: str, kind: str, **extra: object) -> Hook:
        """A signed webhook about an email, which takes note of the event too."""
        account = self.accounts[key]
        email = account.emails[email_id]
        email["last_event"] = kind
        return make_hook(self.clock, account.webhook_secret, kind, email, **extra)

    def forgery(self, key: str, email_id: str, kind: str, **extra: object) -> Hook:
        """A webhook by somebody who only pretends: its signature fits nothing, and nothing of it has happened."""
        account = self.accounts[key]
        return make_hook(self.clock, account.webhook_secret, kind, account.emails[email_id], **extra).forged()

    def deliver(self, key: str, hook: Hook, *, times: int = 1) -> list[int]:
        """Post a webhook now, `times` over; the statuses answered."""
        url = self.accounts[key].webhook_url
        assert url is not None, f"account {key} has no webhook_url"
        return [post(url, hook) for _ in range(times)]

    def __exit__(self, *details: Any) -> None:
        self.postman.close()
        super().__exit__(*details)

    def error(self, status: int, name: str, message: str) -> object:
        """Resend's words for a failure."""
        return {"statusCode": status, "name": name, "message": message}

    def act(self, asked: Asked) -> Told:
        """Answer as the real service would."""
        account = self.accounts.get(asked.account)
        if not asked.account:
            return self._refuse(401, "missing_api_key", "Missing API key in the authorization header.")
        if account is None:
            return self._refuse(403, "invalid_api_key", "API key is invalid")
        if self._too_fast(account):
            told = self._refuse(429, "rate_limit_exceeded", "Too many requests.")
            told.headers = {"Retry-After": "1", "ratelimit-remaining": "0"}
            return told
        match asked.method, asked.path.strip("/").split("/"):
            case "POST", ["emails"]:
                return self._send(account, asked)
            case "GET", ["emails", *_] if not account.may_list:
                return self._refuse(401, "restricted_api_key", "This API key is restricted to only send emails")
            case "GET", ["emails"]:
                return self._list(account, asked)
            case "GET", ["emails", email_id] if email_id in account.emails:
                return tell(200, account.emails[email_id])
            case _:
                return self._refuse(404, "not_found", "Email not found")

    def control(self, asked: Asked) -> Told:
        """Beside the common levers: events from outside this process."""
        if asked.method == "POST" and asked.path == "/_emulator/events":
            wanted = json.loads(asked.body)
            extra = bounce() if wanted["kind"] == "bounced" else {}
            hook = self.hook(wanted["account"], wanted["email_id"], wanted["kind"], **wanted.get("extra", extra))
            hook = hook.forged() if wanted.get("forged") else hook
            return tell(200, self.deliver(wanted["account"], hook, times=wanted.get("times", 1)))
        return super().control(asked)

    def _send(self, account: Account, asked: Asked) -> Told:
        key = asked.headers.get("idempotency-key")
        if key is not None and not 1 <= len(key) <= 256:
            return self._refuse(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
        try:
            mail = json.loads(asked.body)
        except ValueError:
            return self._refuse(400, "validation_error", "The body is not JSON.")
        wrong = _what_is_wrong(mail, account)
        if wrong is not None:
            return self._refuse(*wrong)
        payload = hashlib.sha256(json.dumps(mail, sort_keys=True).encode()).hexdigest()
        now = self.clock.now()
        with account.lock:
            if key is not None and key in account.keys and now - account.keys[key][2] < KEYS_LAST:
                known_payload, email_id, _ = account.keys[key]
                if known_payload != payload:
                    return self._refuse(409, "invalid_idempotent_request", "Same key, different payload.")
                return tell(200, {"id": email_id})
            email = self._take(mail, now)
            account.emails[email["id"]] = email
            if key is not None:
                account.keys[key] = (payload, email["id"], now)
            asked.seen.acted = True
        if account.automatic_events and account.webhook_url:
            self._events(account, email)
        return tell(200, {"id": email["id"]})

    def _take(self, mail: dict[str, Any], now: datetime) -> dict[str, Any]:
        email_id = str(self.clock.uuid())
        headers = {str(name): str(value) for name, value in (mail.get("headers") or {}).items()}
        own = next((value for name, value in headers.items() if name.lower() == "message-id"), None)
        replaced = f"<{email_id}-000000@email.amazonses.com>"
        return {
            "object": "email",
            "id": email_id,
            "message_id": replaced if self._replaces_message_ids or own is None else own,
            "to": _texts(mail["to"]),
            "from": mail["from"],
            "created_at": now.isoformat(sep=" ", timespec="microseconds").replace("+00:00", "+00"),
            "subject": mail["subject"],
            "html": mail.get("html"),
            "text": mail.get("text"),
            "bcc": _texts(mail.get("bcc")),
            "cc": _texts(mail.get("cc")),
            "reply_to": _texts(mail.get("reply_to")),
            "last_event": "sent",
            "scheduled_at": None,
            "tags": mail.get("tags") or [],
            "headers": headers,
        }

    def _list(self, account: Account, asked: Asked) -> Told:
        try:
            limit = int(asked.first("limit", "20"))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 100:
            return self._refuse(422, "validation_error", "limit must be 1 to 100")
        with account.lock:
            newest_first = list(reversed(account.emails.values()))
        after = asked.first("after")
        if after:
            at = next((i for i, email in enumerate(newest_first) if email["id"] == after), None)
            if at is None:
                return self._refuse(422, "validation_error", "after names no email")
            newest_first = newest_first[at + 1 :]
        hidden = {"html", "text", "tags", "headers", "object"}
        data = [{name: value for name, value in e.items() if name not in hidden} for e in newest_first[:limit]]
        return tell(200, {"object": "list", "has_more": len(newest_first) > limit, "data": data})

    def _events(self, account: Account, email: dict[str, Any]) -> None:
        assert account.webhook_url is not None
        outcome, extra = ANSWERS.get(email["to"][0].rpartition("<")[2].partition("@")[0], ("delivered", {}))
        for kind, more in (("sent", {}), (outcome, extra)):
            self.postman.send(account.webhook_url, self.hook(account.key, email["id"], kind, **more))

    def _too_fast(self, account: Account) -> bool:
        if account.per_second is None:
            return False
        now = self.clock.monotonic()
        with account.lock:
            while account.arrivals and account.arrivals[0] <= now - 1:
                account.arrivals.popleft()
            if len(account.arrivals) >= account.per_second:
                return True
            account.arrivals.append(now)
            return False

    def _refuse(self, status: int, name: str, message: str) -> Told:
        return tell(status, self.error(status, name, message))


def _what_is_wrong(mail: Any, account: Account) -> tuple[int, str, str] | None:
    if not isinstance(mail, dict):
        return 422, "validation_error", "The body is not an object."
    for name in ("from", "to", "subject"):
        if not mail.get(name):
            return 422, "missing_required_field", f"Missing `{name}` field."
    if not mail.get("html") and not mail.get("text"):
        return 422, "missing_required_field", "Missing `html` or `text` field."
    recipients = _texts(mail["to"])
    if len(recipients) > MOST_RECIPIENTS or not all("@" in address for address in recipients):
        return 422, "validation_error", "Invalid `to` field."
    for tag in mail.get("tags") or []:
        if not TAG.fullmatch(str(tag.get("name", ""))) or not TAG.fullmatch(str(tag.get("value", ""))):
            return 422, "validation_error", "Tags take ASCII letters, digits, underscores and dashes only."
    domain = str(mail["from"]).rpartition("@")[2].rstrip(">").lower()
    if account.domains is not None and domain not in account.domains:
        return 403, "validation_error", f"The {domain} domain is not verified."
    return None


def _texts(value: object) -> list[str]:
    if not value:
        return []
    return [str(text) for text in value] if isinstance(value, list) else [str(value)]


def main(arguments: list[str] | None = None) -> None:
    """Run as a process of its own: `python -m simulator.emulators.resend --port 8025 --account re_acme`."""
    options = commandline.options(
        "Resend on loopback", arguments, ("--webhook-url", "post events of each mail here"), ("--webhook-secret", "")
    )
    with ResendEmulator(clock=options.clock, port=options.port, log=options.log) as emulator:
        for key in options.accounts:
            account = emulator.account(key, webhook_url=options.webhook_url, automatic_events=bool(options.webhook_url))
            account.webhook_secret = options.webhook_secret or account.webhook_secret
        secrets = {key: account.webhook_secret for key, account in emulator.accounts.items()}
        commandline.announce_and_wait({"url": emulator.url, "webhook_secrets": secrets})


if __name__ == "__main__":
    main()
