"""A tenant's grant to read their Gmail: access tokens from a refresh token, and what a refusal means."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain.ports import NeverWill, TokenExpired, TokenRevoked
from providers.deadlines import Deadline
from providers.wire import Wire, WireError

GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address, not a secret)
READ_SCOPE = "https://www.googleapis.com/auth/gmail.readonly"
TRANSIENT = ("temporarily_unavailable", "server_error", "internal_failure")
OUR_MISTAKES = frozenset({"invalid_client", "unauthorized_client", "invalid_scope", "unsupported_grant_type"})


@dataclass(frozen=True, slots=True)
class _Answered:
    """An HTTP answer in the shape that google-auth reads."""

    status: int
    headers: Mapping[str, str]
    data: bytes


class _TokenEndpointDown(Exception):
    """The token endpoint failed in passing."""


class GmailGrant:
    """Hands out access tokens, one refresh at a time however many threads ask."""

    def __init__(
        self,
        refresh_token: str,
        client_id: str,
        client_secret: str,
        *,
        token_url: str = GOOGLE_TOKEN_URL,
        wire: Wire | None = None,
    ) -> None:
        from google.oauth2.credentials import Credentials

        self._wire = wire or Wire()
        self._lock = threading.Lock()
        self._credentials = Credentials(  # type: ignore[no-untyped-call]
            token=None,
            refresh_token=refresh_token,
            token_uri=token_url,
            client_id=client_id,
            client_secret=client_secret,
        )

    def token(self, deadline: Deadline) -> str:
        """A valid access token. Raises TokenRevoked, TokenExpired or NeverWill."""
        if not self._lock.acquire(timeout=deadline.seconds_left()):
            raise TokenExpired("Another call is still waiting for Google's token endpoint.")
        try:
            if not self._credentials.valid:
                self._refresh(deadline)
            return str(self._credentials.token)
        finally:
            self._lock.release()

    def renew(self, refused: str, deadline: Deadline) -> str:
        """A token other than the `refused` one, which Google no longer takes."""
        with self._lock:
            if self._credentials.token == refused:
                self._credentials.token = None
        return self.token(deadline)

    def _refresh(self, deadline: Deadline) -> None:
        from google.auth.exceptions import RefreshError

        def speak(
            url: str, method: str = "GET", body: Any = None, headers: Mapping[str, str] | None = None, **_: object
        ) -> _Answered:
            content = body.encode() if isinstance(body, str) else body or b""
            answer = self._wire.request(method, url, headers=headers or {}, body=content, deadline=deadline)
            # google-auth would sleep and retry these by itself, past our deadline.
            if answer.status >= 500 or answer.status in (408, 429) or _is_transient(answer.body):
                raise _TokenEndpointDown(f"Google's token endpoint answered {answer.status}")
            return _Answered(answer.status, dict(answer.headers.items()), answer.body)

        try:
            self._credentials.refresh(speak)  # type: ignore[no-untyped-call]
        except (WireError, _TokenEndpointDown) as error:
            raise TokenExpired(f"The access token could not be refreshed just now: {error}") from error
        except RefreshError as error:
            raise _meaning(error) from error


def _is_transient(body: bytes) -> bool:
    return len(body) < 4096 and any(name.encode() in body for name in TRANSIENT)


def _meaning(error: Exception) -> TokenRevoked | TokenExpired | NeverWill:
    told = error.args[1] if len(error.args) > 1 and isinstance(error.args[1], dict) else {}
    kind = str(told.get("error", ""))
    if kind == "invalid_grant":
        return TokenRevoked("The grant was revoked or has run out (invalid_grant): connect the mailbox again.")
    if kind in OUR_MISTAKES:
        return NeverWill(f"Google refuses our OAuth client ({kind}): check GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET.")
    return TokenExpired(f"The access token could not be refreshed: {kind or 'an answer that is not OAuth'}.")
