"""A house that thinks: Claude and Resend on emulators, two tenants, and mail that comes in as from a mailbox."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from domain import mailboxes, model_calls, runs
from domain.db import Database, Row
from domain.house import House
from domain.ports import RawMessage
from jobs import cycle, ingest
from providers.folder import FolderMailbox
from simulator.emulators.anthropic import AnthropicEmulator, from_schema
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from tests.log_watch import WATCH

BODIES = {
    "en": "Hi {name},\n\nIt has been a while since we were in touch, and I wanted to ask how everything is going. If "
          "something is coming up where we could be useful, a short line back is plenty.\n\nWarm regards,\n{sender}",
    "es": "Hola, {name}:\n\nHace un tiempo que no hablamos y quería saber cómo va todo. Si hay algo en lo que podamos "
          "ayudar, con una línea me basta.\n\nUn saludo cordial,\n{sender}",
    "pt": "Olá, {name},\n\nFaz algum tempo que não conversamos e eu queria saber como estão as coisas. Se houver algo "
          "em que possamos ajudar, uma linha já basta.\n\nUm abraço,\n{sender}",
}  # fmt: skip

Saying = Callable[[str, dict[str, Any]], Any]
"""From a question's kind (`body`, `text`, `cls` …) and its facts to the answer."""


@dataclass
class Thinking:
    """The house, its emulators, and what a test asks of them."""

    house: House
    claude: AnthropicEmulator
    resend: ResendEmulator
    hands: houses.TestHands
    clock: HandClock
    messages: int = 0

    @property
    def database(self) -> Database:
        return self.house.database

    def acme(self, **changes: Any) -> UUID:
        tenant_id = build.acme(self.database, **changes)
        houses.resend_for(self.hands, self.resend, tenant_id, "re_acme")
        return tenant_id

    def globex(self, **changes: Any) -> UUID:
        tenant_id = build.globex(self.database, **changes)
        houses.resend_for(self.hands, self.resend, tenant_id, "re_globex")
        return tenant_id

    def person(self, tenant_id: UUID, name: str = "Bill Lumbergh", **fields: Any) -> UUID:
        """A contact whose first touch is due, at an account of their own."""
        first = name.partition(" ")[0]
        with self.database.tenant(tenant_id, actor="test") as tx:
            account = build.client(tx, f"{first} Works")
            return build.contact(tx, account, f"{first.lower()}@{first.lower()}.example", name=name, **fields)

    def says(self, saying: Saying) -> None:
        """Let Claude answer so: by the first field of the answer that is asked for, and the facts."""
        self.claude.answers(lambda request: saying(kind_of(request), json.loads(request["messages"][0]["content"])))

    def hour(self, tenant_id: UUID) -> Row:
        """One cycle now; its run."""
        run_id = cycle.run(self.house, tenant_id, kind="manual")
        assert run_id is not None
        with self.database.tenant(tenant_id) as tx:
            run = runs.get(tx, run_id)
        assert run is not None
        return run

    def arrives(self, tenant_id: UUID, letters: Sequence[bytes], *, address: str = "ana@acme.example") -> None:
        """Letters come into the tenant's mailbox."""
        with self.database.tenant(tenant_id, actor="test") as tx:
            row = mailboxes.configure_folder(tx, "/nowhere", address)
        hand = FolderMailbox(Path("/nowhere"), address=address, clock=self.clock)
        sync = ingest.Sync(self.house, tenant_id, row, hand, "US", self.clock.now())
        raws = []
        for raw in letters:
            self.messages += 1
            raws.append(RawMessage(f"m{self.messages}", f"m{self.messages}", raw, (), self.clock.now()))
        ingest.take_in(sync, raws)

    def sent(self, key: str = "re_acme") -> list[dict[str, Any]]:
        return self.resend.sent(key)

    def calls(self, tenant_id: UUID, **wanted: Any) -> list[Row]:
        """The log of calls, oldest first."""
        with self.database.tenant(tenant_id) as tx:
            return list(reversed(model_calls.recent(tx, limit=1000, **wanted)))

    def one(self, tenant_id: UUID, sql: str, **values: Any) -> Row:
        """One row of a tenant's."""
        with self.database.tenant(tenant_id) as tx:
            row = tx.row(sql, t=tenant_id, **values)
        assert row is not None
        return row


def kind_of(request: dict[str, Any]) -> str:
    """The first field of the answer that a request asks for."""
    return str(next(iter(request["output_config"]["format"]["schema"]["properties"])))


def decent(kind: str, facts: dict[str, Any]) -> Any:
    """A well-behaved model: a decent letter, the plain telling, and ordinary readings."""
    if kind == "body":
        body = BODIES[facts["language"]].format(name=facts.get("first_name", "there"), sender=facts["sender_name"])
        WATCH.heard(body)
        named = "".join(f"{facts[each]}\n\n" for each in ("number", "page") if each in facts)
        return {"body": body.replace("\n\n", f"\n\n{named}", 1)}
    if kind == "text":
        return {"text": facts["facts"]}
    return {
        "cls": {"cls": "reply", "span": "", "wants_unsubscribe": False, "complains": False, "asks_call": False},
        "feeling": {"feeling": "neutral", "span": ""},
        "asks": {"asks": False, "span": "", "due": None},
        "back_on": {"back_on": None, "span": ""},
        "signals": {"signals": []},
        "items": {"items": []},
    }[kind]


def answer(request: dict[str, Any]) -> Any:
    """What the well-behaved model says to a whole request."""
    return decent(kind_of(request), json.loads(request["messages"][0]["content"]))


@contextmanager
def thinking(database: Database, clock: HandClock, *, models: bool = True) -> Iterator[Thinking]:
    """The stage, at three in the afternoon of a Monday."""
    clock.advance(hours=6)
    hands = houses.TestHands()
    with AnthropicEmulator(clock=clock) as claude, ResendEmulator(clock=clock) as resend:
        known = houses.TestModels(claude.url) if models else None
        with houses.house(database, hands=hands, models=known) as house:
            stage = Thinking(house, claude, resend, hands, clock)
            stage.says(decent)
            yield stage


__all__ = ["Thinking", "answer", "decent", "from_schema", "kind_of", "thinking"]
