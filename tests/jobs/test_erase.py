"""A person erased: no column of any table speaks of them any more, nobody writes to them, and all else stands."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from domain import (
    alerts,
    audit,
    blobs,
    cards,
    clients,
    contacts,
    erasures,
    events,
    executions,
    forgetting,
    imports,
    notices,
    order_lines,
    orders,
    outbound,
    portable,
    quarantine,
    quote_lines,
    quotes,
    suppressions,
    uploads,
)  # fmt: skip
from domain.db import Database
from domain.forgetting import StillSending
from domain.ports import OutboundMail
from domain.traces import Traces
from jobs import cleanup, erase, import_file, ingest, reconcile_mailbox, undo_import
from jobs.import_file import Wish
from jobs.import_sources import InMemory
from tests import build, gears
from tests.houses import VAULT
from tests.jobs import letters
from tests.jobs.letters import Post

TRACES = ("bill@initech.example", "b.lumbergh@home.example", "bill lumbergh", "lumbergh, bill", "2125550123")


def _grep(cloned: gears.Clone, traces: Sequence[str] = TRACES) -> list[str]:
    """Every place of the whole database, whoever's it is, in which one of the traces stands; also inside of bytes."""
    found = []
    with psycopg.connect(cloned.admin_url) as connection:
        columns = connection.execute(
            """SELECT n.nspname, c.relname, a.attname, a.atttypid = 'bytea'::regtype FROM pg_attribute a
               JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname IN ('hourhand', 'control', 'queue') AND c.relkind IN ('r', 'p')
                 AND a.attnum > 0 AND NOT a.attisdropped"""
        ).fetchall()
        for schema, table, column, is_bytes in columns:
            place = sql.SQL("SELECT {c} FROM {t} WHERE {c} IS NOT NULL").format(
                c=sql.Identifier(column), t=sql.Identifier(schema, table)
            )
            for (value,) in connection.execute(place):
                told = _told(bytes(value)) if is_bytes else str(value)
                told = told.casefold() + "".join(letter for letter in told if letter.isdigit())
                found += [f"{table}.{column}: {trace}" for trace in traces if trace in told]
    return found


def _told(content: bytes) -> str:
    """Bytes as they stand, and with every base64 line opened."""
    lines = [line for line in content.splitlines() if len(line) > 20 and len(line) % 4 == 0]
    opened = []
    for line in lines:
        try:
            opened.append(base64.b64decode(line, validate=True))
        except ValueError:
            continue
    return (content + b"\n".join(opened)).decode("utf-8", errors="replace")


@pytest.fixture
def bill(post: Post) -> UUID:
    """A contact who is spoken of in as many places as there are."""
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        account = build.client(tx)
        person = build.contact(
            tx, account, name="Bill Lumbergh", phone="+12125550123", title="VP", external_id="crm-77"
        )
        contacts.add_address(tx, VAULT, person, "b.lumbergh@home.example", source="person")
        build.contact(tx, account, "milton@initech.example", name="Milton Waddams")
    return person


def _speak_everywhere(post: Post, bill: UUID) -> cards.Card:
    with post.database.tenant(post.tenant_id, actor="bill@initech.example") as tx:
        card = build.card(tx, bill, state="queued", title="Touch Bill Lumbergh",
                          payload={"subject": "Hello Bill Lumbergh", "text": "Call +1 (212) 555-0123"})  # fmt: skip
        mail = OutboundMail(card.id, str(card.id), f"<{card.id}@acme.example>", "Ana <ana@acme.example>",
                            ("bill@initech.example",), "Dear Bill Lumbergh", "Hi Bill")  # fmt: skip
        outbound.record_each(tx, [outbound.Frozen(card, mail, "live", None)], state="reserved", provider="resend")
        audit.record(tx, "note", "BILL@Initech.example", reason="Lumbergh, Bill asked", phones=["212 555 0123"])
        events.record(tx, "noted", "x", "bill@initech.example", names={"Bill Lumbergh": ["bill  lumbergh"]})
        alerts.open(tx, "odd", "bill@initech.example bounced", card_id="b.lumbergh@home.example")
        quarantine.note(tx, "message", "b.lumbergh@home.example/1", "from Bill Lumbergh",
                        blob_sha256=blobs.put(tx, b"raw Bill\nLumbergh"))  # fmt: skip
        quarantine.note(tx, "message", "bill@initech.example/1", "again")
        suppressions.suppress(tx, VAULT, "b.lumbergh@home.example", reason="manual", source="Bill Lumbergh")
        # others' orders name him as well: as the borrower, and as whom to call
        account = build.client(tx, "Hooli")
        order = orders.put(tx, external_id="o-1", client_id=account, source="api", fee="10.00", lines=[
            order_lines.Line("for Bill Lumbergh, 212-555-0123")],
            details={"borrower_name": "Bill Lumbergh", "borrower_email": "b.lumbergh@home.example",
                     "property_contact_name": "Lumbergh, Bill", "property_contact_phone": "+1 212 555 0123"},
        )  # fmt: skip
        orders.put(tx, order_id=order.id, evidence={"quote": "call bill lumbergh at 212 555 0123"})
        quotes.draft(tx, client_id=account, title="Shelves for Bill Lumbergh", terms="call 212-555-0123",
                     lines=[quote_lines.Line("a desk, bill@initech.example", unit_price="10.00")])  # fmt: skip
        uploads.put(tx, uploads.begin(tx, "Bill Lumbergh.csv").id, 1, b"email\nbill@initech.example\n")
        build.user(tx)
        notices.reserve(tx, "escalation", dedupe_key="bill@initech.example", slots={"name": "Bill Lumbergh"})
    return card


def _write(post: Post) -> None:
    for number, (sender, to, text) in enumerate((
        ("Bill Lumbergh <bill@initech.example>", "ana@acme.example", "Call me: 212-555-0123\n\nBill Lumbergh\nVP"),
        ("milton@initech.example", "ana@acme.example, Bill Lumbergh <b.lumbergh@home.example>", "As he said."),
        ("milton@initech.example", "ana@acme.example", "Ask Bill Lumbergh, he took my stapler."),
        ("milton@initech.example", "ana@acme.example", "Where is my stapler?"),
    )):  # fmt: skip
        encoded = base64.b64encode(text.encode()).decode()
        post.arrives(letters.letter(encoded, frm=sender, to=to, number=number, content_transfer_encoding="base64"))
    ingest.run(post.house, post.tenant_id)


def _erase(post: Post, **who: Any) -> erasures.Erasure:
    return erase.run(
        post.database, post.house.vault, post.tenant_id, reason="Bill Lumbergh asked for it", by="root", **who
    )


def test_nothing_in_the_whole_database_speaks_of_a_person_who_was_erased(
    post: Post, bill: UUID, cloned: gears.Clone
) -> None:
    card = _speak_everywhere(post, bill)
    _write(post)
    assert len(_grep(cloned)) > 30
    done = _erase(post, contact_id=bill)
    assert _grep(cloned) == []
    assert done.finished_at is not None
    with post.database.tenant(post.tenant_id) as tx:
        assert audit.broken_at(tx) is None
        assert tx.value("SELECT traces_ciphertext FROM erasures WHERE id = :id", id=done.id) is None
        found = suppressions.of(
            tx, VAULT, ["Bill@initech.example", "b.lumbergh@home.example", "milton@initech.example"]
        )
        assert set(found) == {"Bill@initech.example", "b.lumbergh@home.example"}
        assert all(each.address is None for each in found.values())
        # what was done stays countable; whose it was does not
        cancelled = cards.get(tx, card.id)
        assert cancelled is not None
        assert (cancelled.state, cancelled.payload, cancelled.contact_id) == ("cancelled", {}, bill)
        assert tx.value("SELECT status FROM engagement_clocks WHERE contact_id = :id", id=bill) == "exempt"
        # and the others are as they were
        snippets = [row["snippet"] for row in tx.rows("SELECT snippet FROM gmail_messages ORDER BY id")]
        assert snippets == [None, None, "Ask [erased], he took my stapler.", "Where is my stapler?"]
        assert contacts.by_addresses(tx, ["milton@initech.example"])["milton@initech.example"].name == "Milton Waddams"
        assert tx.value("SELECT count(*) FROM blobs WHERE size > 0") == 1
        # the sheet that is imported elsewhere makes nobody called "[erased]" there
        assert [row[1] for row in portable.sheet(tx, "contacts")] == ["name", "Milton Waddams"]


def test_the_other_tenant_keeps_what_it_knows_of_the_same_person(
    post: Post, bill: UUID, clone: Database
) -> None:  # fmt: skip
    globex = build.globex(clone)
    with clone.tenant(globex, actor="test") as tx:
        theirs = build.contact(tx, name="Bill Lumbergh")
    _erase(post, address="bill@initech.example")
    with clone.tenant(globex) as tx:
        found = contacts.get(tx, theirs)
        assert found is not None
        assert (found.name, found.email) == ("Bill Lumbergh", "bill@initech.example")


def test_the_mailbox_does_not_bring_an_erased_person_back(post: Post, bill: UUID, cloned: gears.Clone) -> None:
    _write(post)
    _erase(post, contact_id=bill)
    ingest.run(post.house, post.tenant_id)
    reconcile_mailbox.run(post.house, post.tenant_id)
    assert _grep(cloned) == []
    report = import_file.run(
        post.database, VAULT, post.tenant_id, InMemory(b"email,name\nbill@initech.example,Bill Lumbergh\n"),
        Wish("contacts", "again.csv"), by="root",
    )  # fmt: skip
    assert (report.created, report.skipped) == (0, 1)


OTHER_SPELLINGS = ("lumberg", "willy", "william", "2125550188", "2125550199", "will@", "xyz.example", "crm-77")

FILES = (
    ("contacts", "name,email,id,phone\nBill Lumbergh,bill@initech.example,crm-77,+1 212 555 0188\n"
     "Ana,ana@gmail.com,,\n"),
    ("contacts", "name,email,phone\nWilliam Lumbergh,bill@initech.example,+1 212 555 0123\n"),
    # a second row of his, by an id alone; one that can't be read; his address beside what is not his
    ("contacts", "name,email,id,phone\nWilliam Lumbergh,bill@initech.example,crm-77,\n"
     "Will Lumberg,will@initech.example,crm-77,212 555 0199\nWilly L.,willy(at)xyz.example,crm-77,\n"
     "Willy,Bill@INITECH.example,crm-78,12\nPeter Gibbons,peter(at)initech.example,,212 555 0177\n"),
    ("orders", "number,company,email,borrower name\nA-1,Nobody,bill@initech.example,Willy\n"),
)  # fmt: skip
"""Rows in which he is called otherwise, or has another telephone: kept for being mended, or for being undone."""


def test_what_imports_keep_of_an_erased_person_goes_however_they_are_called_there(
    clone: Database, cloned: gears.Clone
) -> None:
    tenant = build.acme(clone)
    reports = [import_file.run(clone, VAULT, tenant, InMemory(content.encode()), Wish(kind, "x.csv"), by="root")
               for kind, content in FILES]  # fmt: skip
    assert [(each.created, each.changed, each.skipped + each.bad) for each in reports] == [
        (2, 0, 0), (0, 1, 0), (0, 0, 4), (0, 0, 1)]  # fmt: skip
    assert len(_grep(cloned, OTHER_SPELLINGS)) > 10
    for address in ("bill@initech.example", "ana@gmail.com"):
        erase.run(clone, VAULT, tenant, address=address, reason="asked", by="root")
    assert _grep(cloned, [*TRACES, *OTHER_SPELLINGS, "ana@gmail.com"]) == []
    with clone.tenant(tenant) as tx:
        kept = [imports.put_aside(tx, report.import_id or tenant) for report in reports]
        # they are counted as before; what was anybody else's stands, with its reason
        assert [len(each) for each in kept] == [0, 0, 4, 1]
        assert {(row["field"], row["raw"]) for row in [*kept[2][:3], *kept[3]]} == {("row", None)}
        assert {row["mend"] for row in [*kept[2][:3], *kept[3]]} == {
            "it was about somebody who was erased: nothing of it is kept"}  # fmt: skip
        assert kept[2][3]["raw"] == "Peter Gibbons,peter(at)initech.example,,212 555 0177"
        # an account that was but this person has no name either
        assert sorted(each.name for each in clients.listed(tx)) == ["[erased]", "initech.example"]
        assert {each.name: each.erased_at is not None for each in contacts.listed(tx)} == {"[erased]": True}
    for report in reports[:2]:
        undo_import.run(clone, tenant, report.import_id or tenant, by="root")
    assert _grep(cloned, [*TRACES, *OTHER_SPELLINGS]) == []


def test_somebody_called_like_a_blank_record_is_a_person_as_others_are(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="test") as tx:
        erased = build.contact(tx)
        forgetting.blank_contact(tx, erased)
        account = clients.by_name(tx, "Initech")
        assert account is not None
        other = contacts.upsert(tx, VAULT, client_id=account.id, name="[erased]", source="import").id
        assert [row[1] for row in portable.sheet(tx, "contacts")] == ["name", "[erased]"]
        found = contacts.by_name(tx, account.id, "[erased]")
        assert found is not None
        assert found.id == other
        with pytest.raises(contacts.InvalidContact, match="erased"):
            contacts.upsert(tx, VAULT, contact_id=erased, name="Bill")
        with pytest.raises(contacts.InvalidContact, match="erased"):
            contacts.add_address(tx, VAULT, erased, "bill@initech.example", source="person")


def test_whoever_is_known_by_an_address_alone_is_erased_by_it(post: Post, cloned: gears.Clone) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        events.record(tx, "noted", "x", "y", of="bill@initech.example", not_of="robill@initech.example.org")
    _erase(post, address="bill@initech.example")
    with post.database.tenant(post.tenant_id) as tx:
        data = tx.value("SELECT data FROM warehouse_events WHERE type = 'noted'")
        assert data == {"of": "[erased]", "not_of": "robill@initech.example.org"}
        assert suppressions.of(tx, VAULT, ["bill@initech.example"])["bill@initech.example"].reason == "erased"


def test_nobody_is_erased_while_a_mail_to_them_is_on_its_way(post: Post, bill: UUID) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        card = build.card(tx, bill, state="queued")
        executions.reserve(tx, card, owner="test", fence=1, lease_seconds=30, idempotency_key="k")
    with pytest.raises(StillSending):
        _erase(post, contact_id=bill)


def test_an_erasure_that_was_cut_short_is_finished_by_the_nights_clean_up(
    post: Post, bill: UUID, cloned: gears.Clone
) -> None:
    _speak_everywhere(post, bill)
    begun = _erase(post, contact_id=bill, seconds=0)
    assert begun.finished_at is None
    assert _grep(cloned)
    cleanup.run(post.house)
    assert _grep(cloned) == []
    with post.database.tenant(post.tenant_id) as tx:
        assert erasures.unfinished(tx) == []


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ("to Bill Lumbergh.", "to [erased]."),
        ("BILL  LUMBERGH's", "[erased]'s"),
        ("Lumbergh, Bill", "[erased]"),
        ("Billy Lumberghson", "Billy Lumberghson"),
        ("bill is due", "bill is due"),
        ("<Bill@Initech.example>", "<[erased]>"),
        ("notbill@initech.example", "notbill@initech.example"),
        ("bill@initech.example-shop.test", "bill@initech.example-shop.test"),
        ("(212) 555-0123", "([erased]"),
        ("12125550123", "1[erased]"),
        ("21255501234", "21255501234"),
    ],
)
def test_a_person_is_found_however_they_are_written_and_nobody_else_is(told: str, left: str) -> None:
    traces = Traces.of(addresses=["bill@initech.example"], name="Bill Lumbergh", phones=["+12125550123"])
    assert traces.without(told) == left
    assert traces.found_in(told) == (told != left)


def test_large_files_are_looked_into_one_by_one_and_none_is_left_out(clone: Database) -> None:
    with clone.tenant(build.acme(clone), actor="test") as tx:
        for at in range(7):
            blobs.put(tx, bytes([at]) * (25 if at == 3 else 4))
        after, seen = b"", []
        while rows := forgetting.blobs_behind(tx, after, limit=5, most_bytes=10):
            after = bytes(rows[-1]["sha256"])
            seen.append([len(row["bytes"]) for row in rows])
    assert sorted(size for some in seen for size in some) == [4] * 6 + [25]
    assert all(sum(some) <= 10 or some == [25] for some in seen)
