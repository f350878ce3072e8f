"""Mail for tests: letters as bytes, a Gmail mailbox on the emulator, and cards' mails that really went out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import cards, clocks, executions, mailboxes, outbound, runs
from domain.db import Database, Tx
from domain.house import Fault, House, no_fault
from domain.outbound import Frozen
from domain.ports import OutboundMail
from jobs import cycle, ingest
from providers.gmail import GmailMailbox
from providers.gmail_auth import GmailGrant
from providers.gmail_calls import GmailCalls
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from tests import build, houses
from tests.log_watch import WATCH

OWN = "ana@acme.example"


@dataclass
class Post:
    """A tenant with a Gmail mailbox, and the house that reads it."""

    house: House
    tenant_id: UUID
    mailbox_id: UUID
    gmail: GmailEmulator
    account: GmailAccount
    hands: houses.TestHands

    @property
    def database(self) -> Database:
        return self.house.database

    def hour(self) -> UUID:
        """Mail is read, and a cycle goes through without an error; its run."""
        ingest.run(self.house, self.tenant_id)
        run_id = cycle.run(self.house, self.tenant_id, kind="manual")
        assert run_id is not None
        with self.database.tenant(self.tenant_id) as tx:
            run = runs.get(tx, run_id)
        assert run is not None
        assert run["errors"] == []
        return run_id

    def arrives(self, raw: bytes) -> str:
        """A letter comes into the mailbox; the provider's id of it."""
        return self.account.deliver(raw)

    def row(self, sql: str, **values: object) -> dict[str, Any]:
        """One row of the tenant's."""
        with self.database.tenant(self.tenant_id) as tx:
            found = tx.row(sql, t=self.tenant_id, **values)
        assert found is not None
        return dict(found)

    def value(self, sql: str, **values: object) -> Any:
        """One value of the tenant's."""
        with self.database.tenant(self.tenant_id) as tx:
            return tx.value(sql, t=self.tenant_id, **values)

    def message(self) -> dict[str, Any]:
        """The message that was stored last."""
        return self.row("SELECT * FROM gmail_messages WHERE tenant_id = :t ORDER BY id DESC LIMIT 1")


@contextmanager
def post(database: Database, *, fault: Fault = no_fault) -> Iterator[Post]:
    """Acme with an empty Gmail mailbox that was synced once."""
    tenant_id = build.acme(database)
    hands = houses.TestHands()
    with GmailEmulator(clock=database.clock) as gmail, houses.house(database, hands=hands, fault=fault) as house:
        account = gmail.account(OWN)
        with database.tenant(tenant_id, actor="test") as tx:
            mailbox_id = connect(tx, account)
        hands.mailboxes[mailbox_id] = hand(gmail, account)
        yield Post(house, tenant_id, mailbox_id, gmail, account, hands)


def connect(tx: Tx, account: GmailAccount) -> UUID:
    """Configure the account's mailbox with its grant."""
    grant = mailboxes.Grant(account.refresh_token, "client")
    return mailboxes.configure_gmail(tx, houses.VAULT, account.address, grant).id


def hand(gmail: GmailEmulator, account: GmailAccount, *, page_size: int = 50) -> GmailMailbox:
    """Google's SDK on the emulator."""
    grant = GmailGrant(account.refresh_token, "client", "client secret", token_url=gmail.token_url)
    return GmailMailbox(GmailCalls(grant, api_url=gmail.url, call_seconds=5, pause_seconds=0.005), page_size=page_size)


def letter(
    text: str = "Thank you, see you soon.", *, frm: str = "Bill <bill@initech.example>", to: str = OWN,
    subject: str = "Re: Hello", number: int = 1, **headers: str,
) -> bytes:  # fmt: skip
    """One message; `in_reply_to` and the like become headers. No line of the log may hold what it says."""
    WATCH.heard(text)
    given = {"From": frm, "To": to, "Subject": subject, "Message-ID": f"<{number}@initech.example>",
             "Date": "Mon, 02 Mar 2026 09:00:00 +0000", "Content-Type": "text/plain; charset=utf-8"}  # fmt: skip
    given |= {name.replace("_", "-").title().replace("-Id", "-ID"): value for name, value in headers.items()}
    return ("\r\n".join(f"{name}: {value}" for name, value in given.items()) + f"\r\n\r\n{text}\r\n").encode()


def bounce(original_id: str, address: str, *, status: str = "5.1.1", words: str = "550 5.1.1 User unknown") -> bytes:
    """A delivery status notification (RFC 3464) about one recipient."""
    return (
        f"From: MAILER-DAEMON@mx.example\r\nTo: {OWN}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        "Message-ID: <dsn@mx.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {address}\r\nAction: {'failed' if status[0] == '5' else 'delayed'}\r\n"
        f"Status: {status}\r\nDiagnostic-Code: smtp; {words}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {OWN}\r\nTo: {address}\r\nSubject: Hello\r\n"
        f"Message-ID: {original_id}\r\n\r\nHow are you?\r\n--b--\r\n"
    ).encode()


def complaint(original_id: str, address: str) -> bytes:
    """A feedback report (RFC 5965) about one of our mails."""
    return (
        f"From: fbl@mailhub.example\r\nTo: {OWN}\r\nSubject: FW: Hello\r\nMessage-ID: <arf@mailhub.example>\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nThis is an email abuse report.\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Hub/1\r\n"
        "Version: 1\r\n"
        f"Original-Rcpt-To: {address}\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: {OWN}\r\nTo: {address}\r\nSubject: Hello\r\n"
        f"Message-ID: {original_id}\r\n\r\nHow are you?\r\n--b--\r\n"
    ).encode()


def sent(tx: Tx, contact_id: UUID, *, to: str = "bill@initech.example", outcome: str = "done") -> cards.Card:
    """A first touch that went out through the provider, or whose outcome nobody knows."""
    card = build.card(tx, contact_id, state="queued", kind="send_email", payload={"step": 1})
    reserved = executions.reserve(tx, card, owner="test", fence=1, lease_seconds=5, idempotency_key=str(card.id))
    mail = OutboundMail(card.id, str(card.id), message_id(card), f"Ana Diaz <{OWN}>", (to,), "Hello", "How are you?")
    outbound.record_each(tx, [Frozen(reserved, mail, "live", None)], state="reserved", provider="resend")
    if outcome == "uncertain":
        outbound.ended(tx, card.id, "uncertain")
        return executions.settle(tx, reserved, "uncertain", resolve_after=tx.now)
    done = executions.settle(tx, reserved, "done", provider_id=f"re-{card.id}")
    outbound.accepted(tx, card.id, provider_id=f"re-{card.id}")
    clocks.mailed(tx, {card.id: contact_id})
    clocks.advance_sequences(tx, [clocks.Advance(contact_id, 1, tx.now + timedelta(days=4))])
    return done


def message_id(card: cards.Card) -> str:
    """The Message-ID of a card's mail."""
    return f"<{card.id}@acme.example>"
