"""Gmail on loopback: tokens, profile, messages, history, threads, upload and batch, as the API and its troubles are."""

from __future__ import annotations

import base64
import json
import re
from email.parser import BytesParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from domain.clock import Clock
from simulator.emulators import commandline
from simulator.emulators.gmail_accounts import GmailAccount, Message
from simulator.emulators.gmail_consent import Consents
from simulator.emulators.gmail_search import search
from simulator.emulators.loopback import Asked, Loopback, Told, tell

COSTS = {"profile": 1, "history": 2, "messages.list": 5, "messages.get": 20, "messages.post": 25, "threads": 10}
TYPES = {
    "messageAdded": "messagesAdded",
    "messageDeleted": "messagesDeleted",
    "labelAdded": "labelsAdded",
    "labelRemoved": "labelsRemoved",
}
HIDDEN = frozenset({"SPAM", "TRASH"})


class GmailEmulator(Loopback):
    """`with GmailEmulator(clock=clock) as gmail: gmail.account("ana@acme.example").deliver(raw)`.

    `gmail.url` is its GMAIL_API_URL, `gmail.token_url` its GOOGLE_TOKEN_URL; the grant is `account.refresh_token`.
    """

    def __init__(
        self, *, clock: Clock, port: int = 0, log: Path | None = None, client: tuple[str, str] | None = None
    ) -> None:
        super().__init__(clock=clock, port=port, log=log)
        self.accounts: dict[str, GmailAccount] = {}
        self._client = client
        """The OAuth client id and secret that alone are right; None takes any."""
        self.consents = Consents(self.accounts)

    @property
    def token_url(self) -> str:
        """Where refresh tokens become access tokens."""
        return f"{self.url}/token"

    @property
    def authorization_url(self) -> str:
        """The consent page: its GOOGLE_AUTHORIZATION_URL."""
        return f"{self.url}/o/oauth2/v2/auth"

    def account(self, address: str, **settings: Any) -> GmailAccount:
        """The mailbox of an address, opened at first mention."""
        return self.accounts.setdefault(address, GmailAccount(address, self.clock, **settings))

    def error(self, status: int, name: str, message: str) -> object:
        """Google's words for a failure."""
        if name in ("invalid_grant", "invalid_client", "server_error"):
            return {"error": name, "error_description": message}
        errors = [{"message": message, "domain": "global", "reason": name}]
        return {"error": {"code": status, "message": message, "errors": errors}}

    def act(self, asked: Asked) -> Told:
        """Answer as Google would."""
        match asked.method, asked.path:
            case "POST", "/token":
                return self._token(asked)
            case "GET", "/o/oauth2/v2/auth":
                return self.consents.page(asked)
            case "POST", "/revoke":
                return self.consents.revoke(asked)
        account = next((a for a in self.accounts.values() if asked.account in a.tokens), None)
        if account is None:
            return self._refuse(401, "authError", "Invalid Credentials")
        if asked.path.startswith("/batch"):
            return self._batch(asked)
        path = asked.path.removeprefix("/upload")
        found = re.fullmatch(r"/gmail/v1/users/([^/]+)/(.+)", path)
        if found is None or found[1] not in ("me", account.address):
            return self._refuse(404, "notFound", "Not Found")
        return self._route(account, asked, found[2].split("/"))

    def control(self, asked: Asked) -> Told:
        """Beside the common levers: mail put in from outside this process."""
        if asked.method == "POST" and asked.path == "/_emulator/deliver":
            wanted = json.loads(asked.body)
            raw = base64.b64decode(wanted["raw"])
            labels = wanted.get("labels", ("INBOX", "UNREAD"))
            return tell(200, {"id": self.account(wanted["account"]).deliver(raw, labels=labels)})
        return super().control(asked)

    def _route(self, account: GmailAccount, asked: Asked, parts: list[str]) -> Told:
        cost = COSTS.get(_operation(asked.method, parts), 5)
        if not account.spend(cost):
            return self._refuse(403, "userRateLimitExceeded", "Quota exceeded for quota metric 'Queries'")
        match asked.method, parts:
            case "GET", ["profile"]:
                total = {"messagesTotal": len(account.messages), "threadsTotal": 0}
                return tell(200, total | {"emailAddress": account.address, "historyId": account.history_id})
            case "GET", ["messages"]:
                return self._list(account, asked)
            case "GET", ["history"]:
                return self._history(account, asked)
            case "GET", ["messages", message_id] if message_id in account.messages:
                return tell(200, account.messages[message_id].shown(asked.first("format", "full")))
            case "POST", ["messages"] | ["messages", "import" | "send"]:
                return self._insert(account, asked, parts)
            case "POST", ["messages", message_id, "trash"] if message_id in account.messages:
                account.relabel(message_id, add=["TRASH"], remove=["INBOX"])
                return tell(200, account.messages[message_id].shown("minimal"))
            case "DELETE", ["messages", message_id] if message_id in account.messages:
                account.delete(message_id)
                return tell(204, {})
            case "GET", ["threads", thread_id]:
                members = [m.shown("minimal") for m in account.messages.values() if m.thread_id == thread_id]
                return tell(200, {"id": thread_id, "historyId": account.history_id, "messages": members})
            case _:
                return self._refuse(404, "notFound", "Requested entity was not found.")

    def _token(self, asked: Asked) -> Told:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode("utf-8", "replace")).items()}
        if self._client is not None and (form.get("client_id"), form.get("client_secret")) != self._client:
            return tell(401, self.error(401, "invalid_client", "The OAuth client was not found."))
        if form.get("grant_type") == "authorization_code":
            return self.consents.redeem(form)
        account = next((a for a in self.accounts.values() if a.refresh_token == form.get("refresh_token")), None)
        if account is None or account.revoked:
            return tell(400, self.error(400, "invalid_grant", "Token has been expired or revoked."))
        granted = {"access_token": account.new_access_token(), "expires_in": 3599, "token_type": "Bearer"}
        return tell(200, granted | {"scope": account.scopes})

    def _list(self, account: GmailAccount, asked: Asked) -> Told:
        fits = search(asked.first("q"), self.clock.now())
        hidden = frozenset() if asked.first("includeSpamTrash") == "true" else HIDDEN
        wanted = set(asked.query.get("labelIds", []))
        with account.lock:
            newest_first = sorted(account.messages.values(), key=lambda m: (m.at, m.id), reverse=True)
            found = [m for m in newest_first if not m.labels & hidden and wanted <= m.labels and fits(m)]
        start, size = int(asked.first("pageToken", "0")), min(500, int(asked.first("maxResults", "100")))
        page: dict[str, Any] = {"resultSizeEstimate": len(found)}
        if found[start:]:
            page["messages"] = [m.short() for m in found[start : start + size]]
        if len(found) > start + size:
            page["nextPageToken"] = str(start + size)
        return tell(200, page)

    def _history(self, account: GmailAccount, asked: Asked) -> Told:
        cursor = asked.first("startHistoryId")
        if not cursor.isdigit():
            return self._refuse(400, "invalidArgument", "Invalid startHistoryId")
        records = account.since(int(cursor))
        if records is None:
            return self._refuse(404, "notFound", "Requested entity was not found.")
        types = {TYPES[name] for name in asked.query.get("historyTypes", TYPES)}
        records = [record for record in records if record.change in types]
        size = min(500, int(asked.first("maxResults", "100")))
        empties, _, offset = asked.first("pageToken", f"{account.empty_history_pages}:0").partition(":")
        if int(empties) > 0:
            return tell(200, {"historyId": account.history_id, "nextPageToken": f"{int(empties) - 1}:{offset}"})
        start = int(offset)
        page: dict[str, Any] = {"historyId": account.history_id}
        if records[start:]:
            page["history"] = [record.shown() for record in records[start : start + size]]
        if len(records) > start + size:
            page["nextPageToken"] = f"0:{start + size}"
        return tell(200, page)

    def _insert(self, account: GmailAccount, asked: Asked, parts: list[str]) -> Told:
        sent = parts[-1] == "send"
        try:
            raw, labels = _uploaded(asked)
        except (ValueError, KeyError):
            return self._refuse(400, "invalidArgument", "'raw' RFC822 payload message string is missing")
        message_id = account.deliver(raw, labels=("SENT",) if sent else labels)
        asked.seen.acted = True
        return tell(200, account.messages[message_id].shown("minimal"))

    def _batch(self, asked: Asked) -> Told:
        """Several requests in one; a refusal of one hides inside the 200 of all."""
        outer = b"Content-Type: " + asked.headers["content-type"].encode() + b"\r\n\r\n" + asked.body
        answers = []
        for part in list(BytesParser().parsebytes(outer).walk())[1:]:
            inner = part.get_payload(decode=True)
            assert isinstance(inner, bytes)
            head, _, body = inner.replace(b"\r\n", b"\n").partition(b"\n\n")
            method, target, *_ = head.split(b"\n")[0].decode().split(" ")
            url = urlsplit(target)
            told = self.act(
                Asked(method, url.path, parse_qs(url.query), asked.headers, body, asked.account, asked.seen)
            )
            answers.append(
                f"--batch_emulator\r\nContent-Type: application/http\r\nContent-ID: <response-{part['Content-ID'][1:]}"
                f"\r\n\r\nHTTP/1.1 {told.status} -\r\nContent-Type: application/json\r\n\r\n{told.body.decode()}\r\n"
            )
        content = ("".join(answers) + "--batch_emulator--").encode()
        return Told(200, content, content_type="multipart/mixed; boundary=batch_emulator")

    def _refuse(self, status: int, name: str, message: str) -> Told:
        return tell(status, self.error(status, name, message))


def _operation(method: str, parts: list[str]) -> str:
    if parts[0] != "messages":
        return parts[0]
    return "messages.post" if method != "GET" else "messages.list" if len(parts) == 1 else "messages.get"


def _uploaded(asked: Asked) -> tuple[bytes, list[str]]:
    """The message and labels of an insert: JSON, a plain media upload, or both parts at once."""
    kind = asked.headers.get("content-type", "")
    if kind.startswith("application/json"):
        data = json.loads(asked.body)
        return base64.urlsafe_b64decode(data["raw"] + "=="), data.get("labelIds", ["INBOX", "UNREAD"])
    if kind.startswith("multipart/related"):
        boundary = b"--" + kind.partition("boundary=")[2].strip('"').encode()
        meta, media = asked.body.split(boundary)[1:3]
        data = json.loads(meta.partition(b"\n\n")[2] or b"{}")
        return media.partition(b"\n\n")[2].removesuffix(b"\n"), data.get("labelIds", ["INBOX", "UNREAD"])
    return asked.body, ["INBOX", "UNREAD"]


def main(arguments: list[str] | None = None) -> None:
    """Run as a process: `python -m simulator.emulators.gmail --port 8026 --account ana@acme.example --mail folder`."""
    options = commandline.options("Gmail on loopback", arguments, ("--mail", "a folder of messages to begin with"))
    with GmailEmulator(clock=options.clock, port=options.port, log=options.log) as emulator:
        for address in options.accounts:
            account = emulator.account(address)
            for path in sorted(Path(options.mail).rglob("*")) if options.mail else []:
                if path.is_file():
                    account.deliver(path.read_bytes())
        grants = {address: account.refresh_token for address, account in emulator.accounts.items()}
        commandline.announce_and_wait({"url": emulator.url, "token_url": emulator.token_url, "refresh_tokens": grants})


__all__ = ["GmailAccount", "GmailEmulator", "Message", "main"]

if __name__ == "__main__":
    main()
