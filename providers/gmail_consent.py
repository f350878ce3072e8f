"""Google's consent page, and what is got for the code that it gives: a grant, once it is seen to be enough."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode, urljoin

from domain.ports import Granted, NeverWill, NothingHappened
from providers.deadlines import Deadline
from providers.gmail_auth import OUR_MISTAKES, READ_SCOPE, GmailGrant
from providers.wire import Answer, Wire, WireError

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class GoogleAuthorization:
    """An AuthorizationServer: Google's, for one OAuth client.

    Mail leaves by other providers, so reading is all that is ever asked for. Google's own flow helper is not used: it
    speaks through requests, which knows no total deadline.
    """

    def __init__(
        self,
        client_id: str,
        client_secret: str,
        *,
        authorization_url: str,
        token_url: str,
        api_url: str,
        wire: Wire | None = None,
        call_seconds: float = 10.0,
    ) -> None:
        self._client_id = client_id
        self._client_secret = client_secret
        self._authorization_url = authorization_url
        self._token_url = token_url
        self._api_url = api_url
        self._wire = wire or Wire()
        self._call_seconds = call_seconds

    def page(self, state: str, challenge: str, *, redirect_uri: str, address: str) -> str:
        """Where to send the person. Raises NeverWill without a client."""
        if not self._client_id:
            raise NeverWill("GOOGLE_CLIENT_ID is not set: make an OAuth client in Google's console, and set it.")
        asked = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": READ_SCOPE,
            # both are needed for a refresh token, which Google else gives the first time only
            "access_type": "offline",
            "prompt": "consent",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "login_hint": address,
        }
        return f"{self._authorization_url}?{urlencode(asked)}"

    def redeem(self, code: str, verifier: str, *, redirect_uri: str) -> Granted:
        """The grant for a code, with the address that it opens. Raises NothingHappened, NeverWill."""
        told = self._ask({
            "grant_type": "authorization_code", "code": code, "code_verifier": verifier, "redirect_uri": redirect_uri,
            "client_id": self._client_id, "client_secret": self._client_secret,
        })  # fmt: skip
        if READ_SCOPE not in str(told.get("scope") or "").split():
            raise NeverWill("Reading mail was not granted: begin again, and leave the tick at reading your email.")
        refresh_token = told.get("refresh_token")
        if not isinstance(refresh_token, str) or not refresh_token:
            raise NeverWill("Google gave no refresh token: remove Hourhand at https://myaccount.google.com/connections "
                            "and begin again.")  # fmt: skip
        from providers.gmail import GmailMailbox
        from providers.gmail_calls import GmailCalls

        # By way of the refresh token, so that the grant is seen to work before it is kept.
        grant = GmailGrant(
            refresh_token, self._client_id, self._client_secret, token_url=self._token_url, wire=self._wire
        )
        calls = GmailCalls(grant, api_url=self._api_url, wire=self._wire, call_seconds=self._call_seconds)
        return Granted(GmailMailbox(calls).address(), refresh_token, self._client_id, self._client_secret)

    def revoke(self, refresh_token: str) -> None:
        """End the grant at Google; one that had ended already is fine. Raises NothingHappened, NeverWill."""
        answer = self._post(urljoin(self._token_url, "revoke"), {"token": refresh_token})
        if answer.status != 200 and _error(answer) != "invalid_token":
            raise NeverWill(f"Google answered {answer.status} to the revocation.")

    def _ask(self, form: dict[str, str]) -> dict[str, Any]:
        answer = self._post(self._token_url, form)
        told, kind = _object(answer), _error(answer)
        if answer.status == 200 and told.get("access_token"):
            return told
        if answer.status == 200:
            raise NothingHappened("Google's answer to the code was no grant.")
        if kind == "invalid_grant":
            raise NeverWill("Google no longer takes this code (invalid_grant): begin again.")
        if kind in OUR_MISTAKES or kind == "redirect_uri_mismatch":
            raise NeverWill(f"Google refuses our OAuth client ({kind}): check GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET "
                            "and the client's redirect URIs.")  # fmt: skip
        raise NeverWill(f"Google answered {answer.status} to the code: begin again.")

    def _post(self, url: str, form: dict[str, str]) -> Answer:
        """Once: a code that was sent may have been used, and Google takes none twice."""
        deadline = Deadline(self._call_seconds)
        try:
            answer = self._wire.request("POST", url, headers=FORM, body=urlencode(form).encode(), deadline=deadline)
        except WireError as error:
            raise NothingHappened(f"Google could not be asked just now ({error}).") from error
        if answer.status >= 500 or answer.status in (408, 429):
            raise NothingHappened(f"Google answered {answer.status}.")
        return answer


def _error(answer: Answer) -> str:
    return str(_object(answer).get("error", ""))


def _object(answer: Answer) -> dict[str, Any]:
    """What was told, or nothing at all."""
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}
