"""The witness: every raw request as it arrived, in memory and, when asked, in a file that outlives the process."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(slots=True)
class Seen:
    """One request, whatever was answered to it."""

    at_ns: int
    """`time.monotonic_ns` once the whole request had arrived; one clock for all processes of a host."""
    method: str
    path: str
    account: str
    key: str
    """Its Idempotency-Key, or empty."""
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    fault: str = ""
    acted: bool = False
    """True when this very request had an effect: an answer replayed for a known key has none."""

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Witness:
    """Notes each request before anything else happens to it."""

    def __init__(self, log: Path | None = None) -> None:
        self.requests: list[Seen] = []
        self._lock = threading.Lock()
        self._log = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def note(self, method: str, path: str, account: str, headers: Mapping[str, str], body: bytes) -> Seen:
        """Write down that this arrived."""
        seen = Seen(
            at_ns=time.monotonic_ns(),
            method=method,
            path=path,
            account=account,
            key=headers.get("idempotency-key", ""),
            headers=headers,
            body=body,
        )
        with self._lock:
            self.requests.append(seen)
        if self._log is not None:
            # One write a line, straight to the kernel: killing this process loses none of it.
            os.write(self._log, json.dumps(as_data(seen)).encode() + b"\n")
        return seen

    def posts(self, account: str | None = None, path: str = "") -> list[Seen]:
        """The POSTs so far, of one account when named, whose path starts with `path`."""
        with self._lock:
            seen = list(self.requests)
        return [s for s in seen if s.method == "POST" and account in (None, s.account) and s.path.startswith(path)]

    def clear(self) -> None:
        """Forget what memory holds; the file keeps all."""
        with self._lock:
            self.requests.clear()

    def close(self) -> None:
        """Close the file."""
        if self._log is not None:
            os.close(self._log)
            self._log = None


def as_data(seen: Seen) -> dict[str, Any]:
    """A request as JSON takes it; a body that is no UTF-8 goes as base64."""
    try:
        body = {"body": seen.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(seen.body).decode()}
    return {
        "at_ns": seen.at_ns,
        "method": seen.method,
        "path": seen.path,
        "account": seen.account,
        "key": seen.key,
        "sha256": hashlib.sha256(seen.body).hexdigest(),
        "headers": {name: value for name, value in seen.headers.items() if name != "authorization"},
        **body,
    }


def read_log(path: Path) -> list[dict[str, Any]]:
    """The requests in a witness file; a line broken off by a crash of the host is left out."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]
