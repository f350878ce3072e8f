"""PF4: the whole of taking mail in, next to bare libraries with an insert; reading alone; and what mutants do."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.policy import compat32, default
from email.utils import parseaddr

import phonenumbers
import psycopg
import quotequail
import tldextract
from flufl.bounce import all_failures
from lxml import html
from nameparser import HumanName

from brain.reading import read
from domain import mailboxes
from domain.db import Database
from domain.ports import RawMessage
from jobs import ingest
from jobs.ingest import Sync
from tests import build, gears
from tests.bench.rivals import in_turn
from tests.brain.reading import samples
from tests.brain.reading.labelled import load
from tests.brain.reading.mutants import survive
from tests.jobs import letters

MUTANTS = 10_000
KNOWN = 5
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
DOMAINS = tldextract.TLDExtract(suffix_list_urls=())


def test_pf4_mail_in(clone: Database, cloned: gears.Clone, figures: Callable[..., None]) -> None:
    mails = everything()
    with letters.post(clone) as post, psycopg.connect(cloned.admin_url) as bare:
        with clone.tenant(post.tenant_id, actor="test") as tx:
            build.contact(tx, email="kim@globex.example")
        bare.execute("CREATE TABLE bare (id text PRIMARY KEY, sender text, subject text, body text, raw bytea)")
        bare.commit()

        def ours(at: int) -> None:
            with clone.tenant(post.tenant_id) as tx:
                row = mailboxes.get(tx, post.mailbox_id)
            sync = ingest.begin(post.house, post.tenant_id, row)
            take_in(sync, [marked(raw, at) for raw in mails], at)
            assert sync.counts["messages"] == len(mails)

        def peer(at: int, understood: Callable[[bytes], tuple[str, str, str]] = parsed) -> None:
            for number, raw in enumerate(marked(raw, at) for raw in mails):
                sender, subject, body = understood(raw)
                bare.execute(
                    "INSERT INTO bare VALUES (%s, %s, %s, %s, %s)", (f"{at}-{number}", sender, subject, body, raw)
                )
            bare.commit()

        processor = in_turn(ours, peer, timer=time.process_time).told(len(mails))
        walls = in_turn(lambda at: ours(at + 100), lambda at: peer(at + 100)).told(len(mails))
        field = in_turn(lambda at: ours(at + 200), lambda at: peer(at + 200, as_libraries_do)).told(len(mails))
    figures(
        "PF4", messages=len(mails), bar=0.6, next_to_what_reading_calls=walls, its_processor_alone=processor,
        next_to_libraries_for_the_same_answers=field,
    )  # fmt: skip


def test_reading_next_to_parsing(figures: Callable[..., None]) -> None:
    mails = everything()
    rivals = in_turn(
        lambda _round: [read(raw) for raw in mails], lambda _round: [parsed(raw) for raw in mails],
        timer=time.process_time,
    )  # fmt: skip
    figures("reading", messages=len(mails), **rivals.told(len(mails)))


def test_mutants(figures: Callable[..., None]) -> None:
    outcome = survive(everything(), MUTANTS, 20260706)
    figures("mutants of mail", read=outcome.read, crashes=len(outcome.crashes),
            slowest_seconds=round(outcome.slowest_seconds, 3))  # fmt: skip
    assert not outcome.crashes
    assert outcome.slowest_seconds < 5


def everything() -> list[bytes]:
    """Our own messages, one of each sort and those that people labelled; every fifth is from a contact."""
    labelled = (
        case.raw if at % KNOWN == 0 else case.raw.replace(b"kim@globex.example", b"kim@client-%d.example" % at)
        for at, case in enumerate(load())
    )
    return [*samples.everything(), *labelled]


def marked(raw: bytes, at: int) -> bytes:
    """The same message with other bytes, so that each round stores it anew."""
    return b"X-Round: %d\n" % at + raw


def take_in(sync: Sync, raws: list[bytes], at: int) -> None:
    """As `ingest` does with a page of the provider's."""
    ingest.take_in(sync, [
        RawMessage(f"{at}-{number}", f"{at}-{number}", raw, (), sync.started_at) for number, raw in enumerate(raws)
    ])  # fmt: skip


def parsed(raw: bytes) -> tuple[str, str, str]:
    """What whoever needed writer, subject, text and phone numbers would have the same libraries do."""
    message = BytesParser(policy=compat32).parsebytes(raw)
    try:
        texts = {part.get_content_type(): part for part in message.walk() if part.get_content_maintype() == "text"}
        part = texts.get("text/plain") or texts.get("text/html")
        body = part.get_payload(decode=True) if part is not None else b""
        text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
        if part is not None and part.get_content_type() == "text/html":
            text = str(html.fromstring(text).text_content())
        _, sender = parseaddr(str(message.get("From", "")))
        DOMAINS(sender.rpartition("@")[2])
        text = "\n".join([text, *(hit.raw_string for hit in phonenumbers.PhoneNumberMatcher(text, "US"))])
        subject = str(make_header(decode_header(str(message.get("Subject", "")))))
        return sender.replace("\x00", ""), subject.replace("\x00", ""), text.replace("\x00", "")
    except Exception:  # noqa: BLE001 - bare libraries raise undeclared errors; here they are only the peer
        return "", "", ""


def as_libraries_do(raw: bytes) -> tuple[str, str, str]:
    """The answers that reading gives, as far as libraries give them: bounces, the reply, phones, the writer's name."""
    try:
        message = BytesParser(policy=default).parsebytes(raw)
        part = message.get_body(("plain", "html"))
        text = str(part.get_content()) if part is not None else ""
        if part is not None and part.get_content_type() == "text/html":
            text = str(html.fromstring(text).text_content())
        for file in message.iter_attachments():
            file.get_filename(), file.get_content_type()
        all_failures(BytesParser(policy=compat32).parsebytes(raw))
        said = quotequail.unwrap(text) or {}
        text = str(said.get("text_top", text))
        name, sender = parseaddr(str(message["from"] or ""))
        HumanName(name)
        DOMAINS(sender.rpartition("@")[2])
        phones = [hit.raw_string for hit in phonenumbers.PhoneNumberMatcher(text, "US")]
        subject = str(message["subject"] or "")
        return sender.replace("\x00", ""), subject.replace("\x00", ""), "\n".join([text, *phones]).replace("\x00", "")
    except Exception:  # noqa: BLE001 - bare libraries raise undeclared errors; here they are only the peer
        return "", "", ""
