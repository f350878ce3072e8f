"""The front desk as tests meet it: an app on a house, two tenants, and a client for every key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import keys
from domain.db import Database, Tx
from domain.house import House
from domain.keys import ROLES, Role
from domain.ports import LogIn
from tests import build, houses
from tests.houses import TestHands

CRON_SECRET = "cron-secret"


@dataclass
class Desk:
    """The app, the house behind it, and the keys."""

    app: FastAPI
    house: House
    hands: TestHands
    tenants: dict[str, UUID]
    keys: dict[str, str]
    """By `<tenant or house>.<role>`."""
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = TestClient(self.app, raise_server_exceptions=False, base_url="http://127.0.0.1:8321")

    @property
    def database(self) -> Database:
        """The database that everything stands on."""
        return self.house.database

    def inside(self, tenant: str = "acme") -> Any:
        """A transaction of one tenant."""
        return self.database.tenant(self.tenants[tenant], actor="test")

    def as_(self, who: str, **headers: str) -> dict[str, str]:
        """The headers of whoever holds the key `who`; the house's names acme unless told otherwise."""
        told = {"Authorization": f"Bearer {self.keys[who]}", **headers}
        if who.startswith("house."):
            told.setdefault("Hourhand-Tenant", "acme")
        return told

    def ask(self, method: str, path: str, who: str = "acme.admin", **more: Any) -> Any:
        """One request with a key; the response."""
        headers = self.as_(who, **more.pop("headers", {}))
        return self.client.request(method, path, headers=headers, **more)

    def get(self, path: str, who: str = "acme.admin", **more: Any) -> Any:
        """What a GET answers, which must be 200."""
        answer = self.ask("GET", path, who, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, who: str = "acme.admin", *, key: str | None = None) -> Any:
        """The response to a POST, with an Idempotency-Key if one is given."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask("POST", path, who, json=body, headers=headers)


@dataclass(frozen=True)
class Founded:
    """Acme and globex, and a key of each role for both and for the house."""

    tenants: dict[str, UUID]
    keys: dict[str, str]


def found(database: Database, _: object = None) -> Founded:
    """Found both in a database that knows nobody."""
    tenants = {"acme": build.acme(database), "globex": build.globex(database)}
    issued = {f"{name}.{role}": _issue(database, tenant, role) for name, tenant in tenants.items() for role in ROLES}
    return Founded(tenants, issued | {f"house.{role}": _issue_house(database, role) for role in ROLES})


@contextmanager
def open_desk(
    database: Database, founded: Founded | None = None, *, poll_seconds: float = 0.02, hosts: tuple[str, ...] = (),
    imap: LogIn | None = None,
) -> Iterator[Desk]:  # fmt: skip
    """A desk on `database`, for those who were founded in it, or whom it founds itself."""
    hands, founded = TestHands(), founded or found(database)
    tenants, issued = dict(founded.tenants), dict(founded.keys)
    with houses.house(database, hands=hands, imap=imap) as house:
        made = admin_app.create(house, cron_secret=CRON_SECRET, metrics=lambda: b"up 1\n", poll_seconds=poll_seconds,
                                hosts=hosts)  # fmt: skip
        with _moved_in(made, keep=not hosts) as app:
            desk = Desk(app, house, hands, tenants, issued)
            # entered, the client keeps the loop that its requests run in: else each would have one made for it
            with desk.client:
                yield desk


@contextmanager
def _moved_in(made: FastAPI, *, keep: bool) -> Iterator[FastAPI]:
    """The app, or an earlier one that stands on the same house for so long: its routes are taken apart already."""
    if not keep:
        yield made
        return
    app = _FIRST.setdefault("app", made)
    before, app.state = app.state, made.state
    try:
        yield app
    finally:
        app.state = before


_FIRST: dict[str, FastAPI] = {}


def assert_problem(answer: Any, status: int) -> dict[str, Any]:
    """The answer is a problem of RFC 9457 with this status; its body."""
    assert answer.status_code == status, f"{answer.status_code} {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    return told


def waiting_card(tx: Tx, contact_id: UUID | None = None) -> Any:
    """A card that waits for a person."""
    from datetime import timedelta

    from domain import approval

    card = build.card(tx, contact_id or build.contact(tx), state="proposed")
    return approval.wait_for_approval(
        tx, card.id, seen=bytes(32), rule="approval", reason="test", expires_at=tx.now + timedelta(hours=48)
    )


def _issue(database: Database, tenant_id: UUID, role: Role) -> str:
    with database.tenant(tenant_id, actor="test") as tx:
        return keys.issue(tx, houses.VAULT, name=role, role=role).secret


def _issue_house(database: Database, role: Role) -> str:
    with database.wearing("control", actor="test") as tx:
        return keys.issue_house(tx, houses.VAULT, name=role, role=role).secret
