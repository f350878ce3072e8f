"""Resend's webhooks as its emulator sends them: signed the Svix way, repeated, reordered or forged at will."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import queue
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from domain.clock import Clock


def new_secret() -> str:
    """A signing secret as the dashboard would show it."""
    return "whsec_" + base64.b64encode(os.urandom(24)).decode()


def sign(secret: str, event_id: str, at: datetime, body: bytes) -> str:
    """The `svix-signature` of a body."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{event_id}.{int(at.timestamp())}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook call, ready to be posted."""

    event_id: str
    at: datetime
    body: bytes
    signature: str

    def headers(self) -> dict[str, str]:
        """The headers that Svix sends."""
        return {
            "Content-Type": "application/json",
            "svix-id": self.event_id,
            "svix-timestamp": str(int(self.at.timestamp())),
            "svix-signature": self.signature,
        }

    def forged(self) -> Hook:
        """The same call with a signature made with somebody else's secret."""
        return replace(self, signature=sign(new_secret(), self.event_id, self.at, self.body))


def make_hook(clock: Clock, secret: str, kind: str, email: Mapping[str, Any], **extra: object) -> Hook:
    """The webhook `email.<kind>` about an email of the emulator's; `extra` joins its `data`."""
    at = clock.now()
    data: dict[str, Any] = {
        "email_id": email["id"],
        "message_id": email["message_id"],
        "created_at": email["created_at"],
        "from": email["from"],
        "to": email["to"],
        "subject": email["subject"],
        "tags": {tag["name"]: tag["value"] for tag in email["tags"]},
        **extra,
    }
    created = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = json.dumps({"type": f"email.{kind}", "created_at": created, "data": data}).encode()
    event_id = f"msg_{clock.uuid().hex}"
    return Hook(event_id, at, body, sign(secret, event_id, at, body))


def bounce(
    kind: str = "Permanent", subtype: str = "General", message: str = "550 5.1.1 no such user"
) -> dict[str, Any]:
    """What `email.bounced` carries beside the email."""
    return {"bounce": {"type": kind, "subType": subtype, "message": message}}


def post(url: str, hook: Hook, *, timeout_seconds: float = 30.0) -> int:
    """Deliver one call; the status that was answered, 0 when nobody did."""
    target = urlsplit(url)
    connection = HTTPConnection(target.hostname or "127.0.0.1", target.port or 80, timeout=timeout_seconds)
    try:
        connection.request("POST", target.path or "/", body=hook.body, headers=hook.headers())
        return connection.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        connection.close()


class Postman:
    """Delivers webhooks in a thread of its own, as the vendor does: after the fact, and again when refused."""

    def __init__(self, *, tries: int = 3) -> None:
        self.delivered: list[tuple[str, Hook, int]] = []
        self._tries = tries
        self._queue: queue.Queue[tuple[str, Hook] | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def send(self, url: str, hook: Hook) -> None:
        """Deliver `hook` soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
            self._thread.start()
        self._queue.put((url, hook))

    def drain(self) -> None:
        """Wait until all that was given so far has been delivered."""
        self._queue.join()

    def close(self) -> None:
        """Stop after what is waiting."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(10)

    def _run(self) -> None:
        while (job := self._queue.get()) is not None:
            url, hook = job
            for _ in range(self._tries):
                status = post(url, hook)
                self.delivered.append((url, hook, status))
                if 200 <= status < 300:
                    break
            self._queue.task_done()
        self._queue.task_done()
