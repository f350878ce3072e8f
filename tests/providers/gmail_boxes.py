"""Gmail mailboxes for tests: Google's real SDK, wired to the emulator."""

from __future__ import annotations

from domain.ports import Page
from providers.gmail import GmailMailbox
from providers.gmail_auth import GmailGrant
from providers.gmail_calls import GmailCalls
from simulator.emulators.gmail import GmailAccount, GmailEmulator


def a_grant(gmail: GmailEmulator, account: GmailAccount) -> GmailGrant:
    """The right to read an account's mail."""
    return GmailGrant(account.refresh_token, "client", "client secret", token_url=gmail.token_url)


def a_mailbox(
    gmail: GmailEmulator, account: GmailAccount, *, page_size: int = 50, call_seconds: float = 10.0
) -> GmailMailbox:
    """A mailbox with short pauses."""
    calls = GmailCalls(a_grant(gmail, account), api_url=gmail.url, call_seconds=call_seconds, pause_seconds=0.005)
    return GmailMailbox(calls, page_size=page_size)


def a_raw(number: int, subject: str = "Order") -> bytes:
    """A mail that is not even UTF-8."""
    return b"From: bo@client.example\r\nSubject: %s %d\r\nMessage-ID: <%d@client.example>\r\n\r\n\xff\x00hi\r\n" % (
        subject.encode(),
        number,
        number,
    )


def ids(pages: list[Page]) -> list[str]:
    """The ids of what came, in its order."""
    return [message.provider_message_id for page in pages for message in page.messages]


def paths(gmail: GmailEmulator, part: str) -> list[str]:
    """The requests whose path contains `part`."""
    return [seen.path for seen in gmail.witness.requests if part in seen.path]
