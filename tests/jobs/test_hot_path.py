"""What the hours say to the database: each statement names its tenant, so that tenants can live on many databases."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, event

from domain import deliveries
from domain.ports import DeliveryEvent
from jobs import cycle, deliver, ingest, reconcile_mailbox
from migrations.walls import GLOBAL_TABLES, TENANT_TABLES
from simulator.emulators.resend import ResendEmulator
from tests import houses
from tests.hand_clock import HandClock
from tests.jobs.letters import Post, letter

ROOT = Path(__file__).parents[2]
TABLE = re.compile(rf"\b(?:FROM|JOIN|INTO|UPDATE)\s+(?:hourhand\.)?({'|'.join(TENANT_TABLES)})\b", re.IGNORECASE)
NAMED = re.compile(r"\btenant_id\s*(?:=|IN)|\(\s*tenant_id\b|,\s*tenant_id\s*[,)]|USING \(tenant_id", re.IGNORECASE)


def unnamed(statements: Sequence[str]) -> list[str]:
    """The statements about tenants' tables that don't say whose rows they mean."""
    return sorted({each for each in statements if TABLE.search(each) and not NAMED.search(each)})


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("SELECT 1 FROM contacts WHERE id = $1", False),
        ("SELECT tenant_id FROM contacts WHERE id = $1", False),
        ("SELECT 1 FROM contacts WHERE tenant_id = $1 AND id = $2", True),
        ("UPDATE hourhand.kanban_cards SET state = 'queued' WHERE id = $1", False),
        ("INSERT INTO touches (id, at) VALUES ($1, $2)", False),
        ("INSERT INTO touches (tenant_id, id) VALUES ($1, $2)", True),
        ("SELECT value FROM system_config WHERE key = 'global_enabled'", True),
    ],
)
def test_a_statement_that_names_no_tenant_is_found(statement: str, named: bool) -> None:
    assert (unnamed([statement]) == []) is named


def test_every_statement_of_the_hours_names_its_tenant(post: Post, bill: UUID, clock: HandClock) -> None:
    with said() as statements:
        busy_hours(post, clock)
    assert len(statements) > 100
    assert {found[1].lower() for each in statements if (found := TABLE.search(each))} >= {
        "kanban_cards", "outbound_messages", "gmail_messages", "warehouse_events", "engagement_clocks",
        "run_obligations",
    }  # fmt: skip
    assert unnamed(statements) == []


def test_every_table_has_its_place_among_many_databases() -> None:
    page = (ROOT / "docs" / "scaling.md").read_text()
    told = page.partition("<!-- tables -->")[2].partition("<!-- /tables -->")[0]
    assert sorted(re.findall(r"`([a-z_]+)`", told)) == sorted(
        [*TENANT_TABLES, *GLOBAL_TABLES, "tenant_id", "queue", "control"]
    )


def busy_hours(post: Post, clock: HandClock) -> None:
    """A mail goes out and is delivered, its answer comes in and is taken up, and the mailbox is compared."""
    clock.advance(hours=6)
    with ResendEmulator(clock=clock) as resend:
        houses.resend_for(post.hands, resend, post.tenant_id, "re_acme")
        cycle.run(post.house, post.tenant_id, kind="manual")
        [mail] = resend.sent("re_acme")
        sent = post.row("SELECT card_id, provider_id, rfc_message_id FROM outbound_messages WHERE tenant_id = :t")
        with post.database.tenant(post.tenant_id, actor="webhook") as tx:
            deliveries.receive(tx, "resend", DeliveryEvent(
                event_id="msg_1", kind="delivered", provider_id=sent["provider_id"], recipients=tuple(mail["to"]),
                at=tx.now, tags={"card": str(sent["card_id"]), "tenant": str(post.tenant_id)},
            ))  # fmt: skip
        deliver.process(post.house, post.tenant_id)
        post.arrives(letter("Yes, please call me on Monday.", in_reply_to=sent["rfc_message_id"]))
        ingest.run(post.house, post.tenant_id)
        clock.advance(hours=1)
        cycle.run(post.house, post.tenant_id, kind="manual")
        reconcile_mailbox.run(post.house, post.tenant_id)


@contextmanager
def said() -> Iterator[list[str]]:
    """Every statement of this process."""
    told: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", hear)
