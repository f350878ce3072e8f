"""Calls through Google's SDK: our own transport below it, deadlines, back-off, and what each refusal means."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential
from tenacity.nap import sleep

from domain.ports import NeverWill, NothingHappened, QuotaExceeded, TokenExpired
from providers.deadlines import Deadline
from providers.gmail_auth import GmailGrant
from providers.wire import Answer, Wire, WireError

GMAIL_API_URL = "https://gmail.googleapis.com"
RATE_REASONS = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RESOURCE_EXHAUSTED", "RATE_LIMIT_EXCEEDED"})
DAILY_REASONS = frozenset({"dailyLimitExceeded", "quotaExceeded"})
MOST_TRIES = 4


class Refused(NeverWill):
    """Gmail answered 400 or 404, which may mean something to the caller."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(f"Gmail answered {status} {reason}: {message[:300]}")
        self.status = status
        self.reason = reason
        self.message = message


class GmailCalls:
    """Runs SDK requests of one mailbox. Safe for threads: each has its own service object."""

    def __init__(
        self,
        grant: GmailGrant,
        *,
        api_url: str = GMAIL_API_URL,
        wire: Wire | None = None,
        call_seconds: float = 60.0,
        pause_seconds: float = 0.5,
    ) -> None:
        self._grant = grant
        self._api_url = api_url
        self._wire = wire or Wire()
        self._call_seconds = call_seconds
        self._pauses = wait_random_exponential(multiplier=pause_seconds, max=8)
        self._threads = threading.local()
        # Half a second of import belongs to nobody's deadline.
        importlib.import_module("googleapiclient.discovery")

    def ask(self, build: Callable[[Any], Any]) -> dict[str, Any]:
        """Execute the request that `build(users)` makes, all tries within one deadline.

        Raises Refused for 400 and 404, else TokenExpired, TokenRevoked, QuotaExceeded, NothingHappened or NeverWill.
        """
        deadline = Deadline(self._call_seconds)

        def hopeless(state: RetryCallState) -> bool:
            return state.attempt_number >= MOST_TRIES or state.upcoming_sleep >= deadline.seconds_left()

        tries = Retrying(retry=retry_if_exception(_passes), stop=hopeless, wait=self._pause, sleep=sleep, reraise=True)
        answer: dict[str, Any] = tries(self._once, build, deadline)
        return answer

    def service(self) -> Any:
        """This thread's Gmail service; redirected by `api_url` as a whole, batch and upload too."""
        service = getattr(self._threads, "service", None)
        if service is None:
            from googleapiclient.discovery import build_from_document

            self._threads.http = _Http(self._wire, self._grant, self._call_seconds)
            service = build_from_document(_document(self._api_url), http=self._threads.http)
            self._threads.service = service
        return service

    def _once(self, build: Callable[[Any], Any], deadline: Deadline) -> dict[str, Any]:
        from googleapiclient.errors import HttpError

        request = build(self.service().users())
        self._threads.http.deadline = deadline
        try:
            answer = request.execute()
        except WireError as error:
            raise NothingHappened(f"Gmail could not be read: {error}") from error
        except HttpError as error:
            raise _meaning(int(error.resp.status), error.content, error.resp) from error
        except (ValueError, UnicodeDecodeError) as error:
            raise NothingHappened("Gmail's answer was not JSON.") from error
        if not isinstance(answer, dict):
            raise NothingHappened("Gmail's answer was no object.")
        return answer

    def _pause(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_for = getattr(error, "retry_after_seconds", None) or 0.0
        return max(float(asked_for), float(self._pauses(state)))


class _Http:
    """What the SDK takes for an httplib2.Http (which is not safe for threads, and knows no total deadline)."""

    def __init__(self, wire: Wire, grant: GmailGrant, call_seconds: float) -> None:
        self._wire = wire
        self._grant = grant
        self._call_seconds = call_seconds
        self.deadline: Deadline | None = None

    def request(
        self,
        uri: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        **_: object,
    ) -> tuple[Any, bytes]:
        from httplib2 import Response

        deadline = self.deadline or Deadline(self._call_seconds)
        content = body.encode() if isinstance(body, str) else body or b""
        token = self._grant.token(deadline)
        answer = self._speak(method, uri, headers or {}, content, token, deadline)
        if answer.status == 401:
            token = self._grant.renew(token, deadline)
            answer = self._speak(method, uri, headers or {}, content, token, deadline)
        lowered = {name.lower(): value for name, value in answer.headers.items()}
        return Response(lowered | {"status": str(answer.status)}), answer.body

    def _speak(
        self, method: str, uri: str, headers: Mapping[str, str], body: bytes, token: str, deadline: Deadline
    ) -> Answer:
        own = {**headers, "authorization": f"Bearer {token}"}
        return self._wire.request(method, uri, headers=own, body=body, deadline=deadline)


@lru_cache(maxsize=8)
def _document(api_url: str) -> str:
    """The SDK's own description of Gmail, its root moved: an api_endpoint alone leaves batch and upload behind."""
    from googleapiclient.discovery_cache import get_static_doc

    document = json.loads(get_static_doc("gmail", "v1"))
    root = api_url.rstrip("/") + "/"
    document |= {"rootUrl": root, "baseUrl": root}
    document.pop("mtlsRootUrl", None)
    return json.dumps(document)


def _passes(error: BaseException) -> bool:
    """Worth another try within the same call; token troubles and refusals are not."""
    if isinstance(error, QuotaExceeded):
        return (error.retry_after_seconds or 0) < 60
    return type(error) is NothingHappened


def _meaning(status: int, content: bytes, headers: Mapping[str, str]) -> Exception:
    reason, message = _reason(content)
    told = f"Gmail answered {status} {reason}: {message[:300]}"
    wait = _retry_after(headers)
    match status:
        case 401:
            return TokenExpired(f"Gmail refuses a fresh access token. {told}")
        case 429:
            return QuotaExceeded(told, retry_after_seconds=wait)
        case 403 if reason in RATE_REASONS:
            return QuotaExceeded(told, retry_after_seconds=wait)
        case 403 if reason in DAILY_REASONS:
            return QuotaExceeded(told, retry_after_seconds=wait or 3600.0)
        case 403 if reason in ("insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"):
            return NeverWill(f"The grant does not cover reading mail: connect again and leave every box ticked. {told}")
        case 400 | 404:
            return Refused(status, reason, message)
        case _ if status >= 500 or status == 408:
            return NothingHappened(told, retry_after_seconds=wait)
        case _:
            return NeverWill(told)


def _reason(content: bytes) -> tuple[str, str]:
    """The first reason and the message in Google's error body, whatever is left of it."""
    try:
        error = json.loads(content)["error"]
        first = (error.get("errors") or [{}])[0]
        return str(first.get("reason") or error.get("status") or ""), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError):
        return "", content[:200].decode("utf-8", "replace")


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        return min(86_400.0, max(0.0, float(headers.get("retry-after", ""))))
    except ValueError:
        return None
