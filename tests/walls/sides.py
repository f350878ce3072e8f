"""Two tenants side by side: one time for both, ids of their own, and an account of all that one of them can observe."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.testclient import TestClient

from domain import credentials, keys, mailboxes, settings, tenants
from domain.db import Tx
from domain.house import House
from jobs import tick, timetable
from migrations import walls
from simulator.clock import VirtualClock
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.gmail_accounts import GmailAccount
from simulator.emulators.resend import Account, ResendEmulator
from tests.gears import Clone
from worker import assembly
from worker import settings as process_settings

ADDRESS = "http://127.0.0.1:8321"
MASTER_KEYS = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

BY_CHANCE: dict[str, tuple[str, ...]] = {
    "api_keys": ("secret_hash",),
    "tenant_credentials": ("ciphertext",),
    "mailboxes": ("token_ciphertext",),
    "audit_log": ("hash", "previous_hash"),
}
"""Columns that hold chance by design, or (the chain of the audit log) a hash over a key's random id."""

LISTS = (
    "tenant", "tenant/kill-switch", "users", "keys", "credentials", "mailboxes", "messages", "clients", "contacts",
    "engagement", "cards", "approvals", "runs", "reflections", "cycle/explain", "alerts", "tasks", "cases",
    "suppressions", "quarantine", "violations", "limits", "audit", "audit/verify",
)  # fmt: skip
"""What a tenant's own key may read, by path below /v1."""


class SharedTime(VirtualClock):
    """One time for all, and ids of its own for each side: what one does moves neither an id nor a moment of another."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._start = start
        self._ids: dict[str, VirtualClock] = {}
        self._turn = "house"

    @contextmanager
    def turn(self, whose: str) -> Iterator[None]:
        """Whatever asks for an id within the block belongs to `whose`."""
        before, self._turn = self._turn, whose
        try:
            yield
        finally:
            self._turn = before

    def uuid(self) -> UUID:
        if self._turn not in self._ids:
            self._ids[self._turn] = VirtualClock(self._start, seed=sum(self._turn.encode()))
        ids = self._ids[self._turn]
        ids.at(self.now())
        return ids.uuid()

    def wait(self, seconds: float, wake: Any = None) -> bool:
        """Nobody's rest makes another one late."""
        return wake is not None and wake.is_set()


@dataclass
class Side:
    """One tenant with its accounts at the vendors, its key, and its way to the API."""

    slug: str
    tenant_id: UUID
    gmail: GmailAccount
    resend: Account
    mailbox_id: UUID
    key: str
    client: TestClient
    answers: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request with this side's key."""
        told = {"Authorization": f"Bearer {self.key}", **headers}
        return self.client.request(method, path, json=body, headers=told)

    def note(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The same, and what was answered becomes part of what this side observed."""
        answer = self.ask(method, path, body, **headers)
        self.answers.append(f"{method} {path} {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


@dataclass
class Street:
    """A house with its emulators, on which tenants live side by side."""

    house: House
    clock: SharedTime
    gmail: GmailEmulator
    resend: ResendEmulator
    client: TestClient
    sides: dict[str, Side] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def move_in(self, slug: str, address: str, *, own: str = "", **wished: Any) -> Side:
        """Found a live tenant with a mailbox, a Resend account, a webhook secret and an admin's key.

        `own` is where its mailbox really is, if that is not `address`.
        """
        house = self.house
        with self.clock.turn(slug):
            made = tenants.found(house.database, slug=slug, name="Acme", settings=wished, by="test", spread_seconds=1)
            account, sends = self.gmail.account(own or address), self.resend.account(f"re_{slug}")
            with house.database.tenant(made.tenant_id, actor="test") as tx:
                settings.change(tx, {"send_mode": "live"}, reason="the test is about sending")
                credentials.put(tx, house.vault, "resend_api_key", sends.key)
                credentials.put(tx, house.vault, "resend_webhook_secret", sends.webhook_secret)
                grant = mailboxes.Grant(account.refresh_token, "client", "client secret")
                box = mailboxes.configure_gmail(tx, house.vault, address, grant)
                key = keys.issue(tx, house.vault, name="desk", role="admin")
        self.sides[slug] = Side(slug, made.tenant_id, account, sends, box.id, key.secret, self.client)
        return self.sides[slug]

    def beat(self, *, first: str = "") -> None:
        """Claim what is due and do it, tenant after tenant, as the worker would; `first` names who comes first."""
        tick.claim(self.house.database)
        with self.house.database.wearing("dispatcher") as tx:
            waiting = tx.rows(
                """DELETE FROM queue.procrastinate_jobs WHERE queue_name <> 'house'
                   RETURNING task_name, args, priority"""
            )
        wanted = [
            (tenant, each["task_name"])
            for each in sorted(waiting, key=lambda job: -job["priority"])
            for tenant in (each["args"].get("tenant_ids") or [each["args"]["tenant_id"]])
        ]
        for side in sorted(self.sides.values(), key=lambda one: (one.slug != first, one.slug)):
            for tenant, task in wanted:
                if tenant == str(side.tenant_id):
                    self._do(side, task)

    def _do(self, side: Side, task: str) -> None:
        does = timetable.extra_cycle if task == "extra_cycle" else timetable.named(task).does
        with self.clock.turn(side.slug):
            try:
                does(self.house, side.tenant_id)
            except Exception as error:  # noqa: BLE001 - as the worker's boundary between one job and the next
                self.failures.append(f"{side.slug}: {task}: {type(error).__name__}: {error}")

    def observed(self, slug: str) -> list[str]:
        """All that one side can observe: its API's answers, every row that it sees, what its vendors got."""
        side = self.sides[slug]
        with self.clock.turn(slug):
            for path in LISTS:
                side.note("GET", f"/v1/{path}")
            for card in side.ask("GET", "/v1/cards?limit=200").json()["items"]:
                side.note("GET", f"/v1/cards/{card['id']}/why")
            for run in side.ask("GET", "/v1/runs?limit=200").json()["items"]:
                side.note("GET", f"/v1/runs/{run['id']}")
            with self.house.database.tenant(side.tenant_id, actor="test") as tx:
                rows = [line for table in walls.TENANT_TABLES for line in _rows(tx, table)]
        posts = [f"POST {post.key} {post.body.decode()}" for post in self.resend.witness.posts(side.resend.key)]
        return [_plain(line, side) for line in (*side.answers, *rows, *posts)]


@contextmanager
def street(clone: Clone, folder: Path, app: Callable[[House], FastAPI], start: datetime) -> Iterator[Street]:
    """The real house on a database of its own, with Gmail and Resend on loopback."""
    clock = SharedTime(start)
    with ExitStack() as open_for_now:
        gmail = open_for_now.enter_context(GmailEmulator(clock=clock))
        resend = open_for_now.enter_context(ResendEmulator(clock=clock))
        chosen = process_settings.load({
            "DATABASE_URL": clone.url(), "HOURHAND_DATA_DIR": str(folder), "HOURHAND_MASTER_KEYS": MASTER_KEYS,
            "GMAIL_API_URL": gmail.url, "GOOGLE_TOKEN_URL": gmail.token_url, "RESEND_API_URL": resend.url,
        })  # fmt: skip
        standing = open_for_now.enter_context(assembly.standing(chosen, clock=clock))
        client = TestClient(app(standing.house), raise_server_exceptions=False, base_url=ADDRESS)
        yield Street(standing.house, clock, gmail, resend, client)


def _plain(line: str, side: Side) -> str:
    """A line without what chance decides: the key's id, and the hashes of the audit log, which run over that id."""
    return re.sub(
        r'"(previous_hash|hash|head)":"[0-9a-f]{64}"', r'"\1":"…"', line.replace(side.key.split("_")[2], "<key>")
    )


def _rows(tx: Tx, table: str) -> list[str]:
    """Every row of a table that the wall lets through, as JSON, in an order of their own."""
    dropped = BY_CHANCE.get(table, ())
    rows = tx.rows(f"SELECT to_jsonb(t) AS row FROM hourhand.{table} t")
    kept = ({name: value for name, value in each["row"].items() if name not in dropped} for each in rows)
    return sorted(f"{table} {json.dumps(each, sort_keys=True)}" for each in kept)
