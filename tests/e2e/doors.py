"""The two doors through which everything can be done: the command line alone, and the API alone."""

from __future__ import annotations

import abc
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from tests.e2e.rehearsal import Rehearsal, until

Record = Mapping[str, Any]
Person = Mapping[str, str]


class Door(abc.ABC):
    """What a person asks of the house."""

    def __init__(self, rehearsal: Rehearsal) -> None:
        self.rehearsal = rehearsal

    @abc.abstractmethod
    def found(self, slug: str, settings: Record) -> None:
        """Found a tenant."""

    @abc.abstractmethod
    def change(self, slug: str, settings: Record) -> None:
        """Change its settings."""

    @abc.abstractmethod
    def credential(self, slug: str, name: str, secret: str) -> None:
        """Store a provider's secret."""

    @abc.abstractmethod
    def connect_gmail(self, slug: str, address: str, refresh_token: str) -> None:
        """Give a Gmail grant."""

    @abc.abstractmethod
    def take_in(self, slug: str, people: Sequence[Person]) -> None:
        """Take contacts in."""

    @abc.abstractmethod
    def poll(self, slug: str, expecting: int) -> None:
        """Ask the mailboxes, until so many messages are stored."""

    @abc.abstractmethod
    def cycle(self, slug: str) -> None:
        """Run a cycle out of turn, or ask for one."""

    @abc.abstractmethod
    def cards(self, slug: str) -> Sequence[Record]:
        """Its cards, newest first."""

    @abc.abstractmethod
    def why(self, slug: str, card_id: str) -> Record:
        """Why a card stands where it stands."""

    @abc.abstractmethod
    def runs(self, slug: str) -> Sequence[Record]:
        """Its cycles, newest first."""

    @abc.abstractmethod
    def stop(self, slug: str | None) -> None:
        """Stop a tenant, or the house."""

    @abc.abstractmethod
    def resume(self, slug: str | None) -> None:
        """Let it go on."""


class CommandLine(Door):
    """Everything by `hourhand …`."""

    def found(self, slug: str, settings: Record) -> None:
        told = [word for name, value in settings.items() for word in ("--set", f"{name}={_word(value)}")]
        assert self.rehearsal.command("tenant", "add", slug, "--name", slug.title(), *told)["done"]

    def change(self, slug: str, settings: Record) -> None:
        if list(settings) == ["send_mode"]:
            assert self.rehearsal.command("mode", settings["send_mode"], "-t", slug)["done"]
            return
        told = [f"{name}={_word(value)}" for name, value in settings.items()]
        assert self.rehearsal.command("tenant", "set", *told, "-t", slug)["done"]

    def credential(self, slug: str, name: str, secret: str) -> None:
        assert self.rehearsal.command("credential", "set", name, "-t", slug, stdin=f"{secret}\n")["done"]

    def connect_gmail(self, slug: str, address: str, refresh_token: str) -> None:
        row = self.rehearsal.command("gmail", "set-token", "--address", address, "-t", slug, stdin=f"{refresh_token}\n")
        assert row["status"] == "connected"

    def take_in(self, slug: str, people: Sequence[Person]) -> None:
        with tempfile.NamedTemporaryFile("w", suffix=".csv", dir=self.rehearsal.folder.parent) as file:
            file.write("Name,Email,Company\n")
            file.writelines(f"{each['name']},{each['email']},{each['company']}\n" for each in people)
            file.flush()
            report = self.rehearsal.command("contacts", "import", file.name, "-t", slug)
        assert (report["created"], report["bad"]) == (len(people), 0)

    def poll(self, slug: str, expecting: int) -> None:
        self.rehearsal.command("mailbox", "sync", "-t", slug)
        # the process may have been faster, or hold the mailbox just now
        until(lambda: _stored(self.rehearsal, slug) >= expecting, what=lambda: f"{expecting} messages")

    def cycle(self, slug: str) -> None:
        self.rehearsal.command("cycle", "-t", slug)

    def cards(self, slug: str) -> Sequence[Record]:
        listed: Sequence[Record] = self.rehearsal.command("cards", "-t", slug)
        return listed

    def why(self, slug: str, card_id: str) -> Record:
        told: Record = self.rehearsal.command("why", card_id, "-t", slug)
        return told

    def runs(self, slug: str) -> Sequence[Record]:
        listed: Sequence[Record] = self.rehearsal.command("runs", "-t", slug)
        return listed

    def stop(self, slug: str | None) -> None:
        told = self.rehearsal.command("kill", "--reason", "rehearsal", *(["-t", slug] if slug else []))
        assert told["stopped"]
        assert told["settled"]

    def resume(self, slug: str | None) -> None:
        told = self.rehearsal.command("resume", "--reason", "rehearsal", "-yy", *(["-t", slug] if slug else []))
        assert not told["stopped"]


class Api(Door):
    """Everything by HTTP, with the first key of the house."""

    def __init__(self, rehearsal: Rehearsal, key: str) -> None:
        super().__init__(rehearsal)
        self._key = key

    def ask(self, method: str, path: str, slug: str | None = None, body: Any = None) -> tuple[int, Any]:
        """One request; its status and what it answered."""
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        headers |= {"Hourhand-Tenant": slug} if slug else {}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.rehearsal.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")

    def _done(self, method: str, path: str, slug: str | None = None, body: Any = None) -> Any:
        status, told = self.ask(method, path, slug, body)
        assert 200 <= status < 300, (method, path, status, told)
        return told

    def found(self, slug: str, settings: Record) -> None:
        self._done("POST", "/v1/tenants", body={"slug": slug, "name": slug.title(), "settings": settings})

    def change(self, slug: str, settings: Record) -> None:
        self._done("PATCH", "/v1/tenant/settings", slug, {"settings": settings})

    def credential(self, slug: str, name: str, secret: str) -> None:
        self._done("PUT", f"/v1/credentials/{name}", slug, {"secret": secret})

    def connect_gmail(self, slug: str, address: str, refresh_token: str) -> None:
        grant = {"address": address, "refresh_token": refresh_token, "client_id": "rehearsal"}
        assert self._done("POST", "/v1/mailboxes/gmail", slug, grant)["status"] == "connected"

    def take_in(self, slug: str, people: Sequence[Person]) -> None:
        for each in people:
            company = {"name": each["company"], "domain": each["email"].partition("@")[2]}
            account = self._done("POST", "/v1/clients", slug, company)
            contact = {"client_id": account["id"], "name": each["name"], "email": each["email"]}
            assert self._done("POST", "/v1/contacts", slug, contact)["created"]

    def poll(self, slug: str, expecting: int) -> None:
        assert self._done("POST", "/v1/mailboxes/poll", slug)["enqueued"]
        until(lambda: len(self._items("/v1/messages", slug)) >= expecting, what=lambda: f"{expecting} messages")

    def cycle(self, slug: str) -> None:
        self._done("POST", "/v1/cycle", slug)

    def cards(self, slug: str) -> Sequence[Record]:
        return self._items("/v1/cards", slug)

    def why(self, slug: str, card_id: str) -> Record:
        told: Record = self._done("GET", f"/v1/cards/{card_id}/why", slug)
        return told

    def runs(self, slug: str) -> Sequence[Record]:
        return self._items("/v1/runs", slug)

    def stop(self, slug: str | None) -> None:
        path = "/v1/tenant/kill-switch/stop" if slug else "/v1/kill-switch/stop"
        assert self._done("POST", path, slug, {"reason": "rehearsal"})["state"] == "stopped"

    def resume(self, slug: str | None) -> None:
        path = "/v1/tenant/kill-switch/resume" if slug else "/v1/kill-switch/resume"
        assert self._done("POST", path, slug, {"reason": "rehearsal", "confirm": True})["state"] == "running"

    def _items(self, path: str, slug: str) -> Sequence[Record]:
        items: Sequence[Record] = self._done("GET", f"{path}?limit=50", slug)["items"]
        return items


def _stored(rehearsal: Rehearsal, slug: str) -> int:
    [row] = rehearsal.look(
        "SELECT count(*) AS n FROM gmail_messages m JOIN tenants t USING (tenant_id) WHERE t.slug = %(slug)s", slug=slug
    )
    return int(row["n"])


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


__all__ = ["Api", "CommandLine", "Door"]
