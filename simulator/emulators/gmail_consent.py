"""Google's consent page in the emulator: someone who ticks, unticks or denies, codes that are good once, revocation."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import parse_qs, urlencode

from simulator.emulators.gmail_accounts import GmailAccount
from simulator.emulators.loopback import Asked, Told, tell


@dataclass(slots=True)
class Consents:
    """Whoever opens the page is the account that `login_hint` names, and consents, unless told otherwise."""

    accounts: Mapping[str, GmailAccount]
    denies: bool = False
    unticks: bool = False
    """They take off every tick."""
    chooses: str | None = None
    """They consent as this account."""
    keeps_refresh_token: bool = True
    """False: an answer without a refresh token, as for clients that did not ask for a new consent."""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def page(self, asked: Asked) -> Told:
        """Send the browser back with a code, or with what went wrong."""
        wanted = {name: values[0] for name, values in asked.query.items()}
        if wanted.get("response_type") != "code" or not wanted.get("client_id") or not wanted.get("redirect_uri"):
            return tell(400, {"error": "invalid_request"})
        account = self.chooses or wanted.get("login_hint", "")
        if self.denies or account not in self.accounts:
            return self._back(wanted, {"error": "access_denied"})
        code = f"4/{secrets.token_urlsafe(24)}"
        self.codes[code] = {**wanted, "account": account, "scope": "openid" if self.unticks else wanted["scope"]}
        return self._back(wanted, {"code": code, "scope": self.codes[code]["scope"]})

    def redeem(self, form: Mapping[str, str]) -> Told:
        """A grant for a code: once, for the client, address and verifier that it was given for."""
        given = self.codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(sha256(form.get("code_verifier", "").encode()).digest()).rstrip(b"=")
        if given is None or given.get("code_challenge", "").encode() != challenge:
            return tell(400, {"error": "invalid_grant", "error_description": "Malformed auth code."})
        if form.get("redirect_uri") != given["redirect_uri"]:
            return tell(400, {"error": "redirect_uri_mismatch", "error_description": "Bad Request"})
        if form.get("client_id") != given["client_id"]:
            return tell(401, {"error": "unauthorized_client", "error_description": "Unauthorized"})
        account = self.accounts[given["account"]]
        account.revoked, account.scopes = False, given["scope"]
        told = {"access_token": account.new_access_token(), "expires_in": 3599, "token_type": "Bearer"}
        told["scope"] = account.scopes
        if self.keeps_refresh_token:
            told["refresh_token"] = account.refresh_token
        return tell(200, told)

    def revoke(self, asked: Asked) -> Told:
        """End a grant with all its tokens."""
        token = parse_qs(asked.body.decode("utf-8", "replace")).get("token", [""])[0]
        account = next((a for a in self.accounts.values() if a.refresh_token == token or token in a.tokens), None)
        if account is None or account.revoked:
            return tell(400, {"error": "invalid_token", "error_description": "Token expired or revoked"})
        account.revoked = True
        account.tokens.clear()
        asked.seen.acted = True
        return tell(200, {})

    def _back(self, wanted: Mapping[str, str], told: dict[str, str]) -> Told:
        query = urlencode({"state": wanted.get("state", ""), **told})
        return Told(302, headers={"Location": f"{wanted['redirect_uri']}?{query}"})
