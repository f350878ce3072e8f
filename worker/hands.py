"""The ways out and in of each tenant, made from its own credentials; vendors' SDKs load when first needed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote, urlsplit
from uuid import UUID

from pydantic import SecretStr

from domain import credentials, mailboxes
from domain.clock import Clock
from domain.credentials import NoCredential
from domain.db import Tx
from domain.imap_accounts import InvalidAccount
from domain.mailboxes import Grant, MailboxRow
from domain.ports import Mailbox, MailSender, NeverWill
from domain.vault import SecretUnreadable, Vault
from providers.circuit import Circuit, CircuitSender
from providers.wire import Wire
from worker.settings import Settings

if TYPE_CHECKING:
    from providers.gmail_auth import GmailGrant

REMEMBERED_GRANTS = 5_000


class VendorHands:
    """Hands over the real providers."""

    def __init__(self, settings: Settings, vault: Vault, clock: Clock) -> None:
        self._settings = settings
        self._vault = vault
        self._clock = clock
        self._mutex = threading.Lock()
        self._grants: dict[UUID, tuple[Grant, GmailGrant]] = {}
        # Connections outlive the card they were opened for, and all tenants' hands share them; keys travel per call.
        self._wire = Wire()
        self._resend_circuit = Circuit(clock)

    def sender(self, tx: Tx, name: str) -> MailSender:
        """The tenant's sender, with its own key or else the house's. Raises NeverWill when there is neither."""
        if name == "resend":
            return self._resend(tx)
        if name == "smtp":
            return self._smtp(tx)
        raise NeverWill(f"provider: {name!r} is none of resend, smtp")

    def mailbox(self, tx: Tx, mailbox_id: UUID) -> Mailbox:
        """One of the tenant's mailboxes. Raises NeverWill when it is not configured."""
        row = mailboxes.get(tx, mailbox_id)
        if row.provider == "gmail":
            return self._gmail(tx, mailbox_id)
        if row.provider == "folder":
            from providers.folder import FolderMailbox

            return FolderMailbox(Path(row.source), address=row.address, clock=self._clock)
        return self._imap(tx, row)

    def _resend(self, tx: Tx) -> MailSender:
        from providers.resend import ResendSender

        key = self._secret(tx, "resend_api_key", self._settings.resend_api_key, "RESEND_API_KEY")
        sender = ResendSender(key, self._settings.resend_api_url, wire=self._wire)
        return CircuitSender(sender, self._resend_circuit)

    def _smtp(self, tx: Tx) -> MailSender:
        from providers.smtp import SmtpSender

        told = urlsplit(self._secret(tx, "smtp_url", self._settings.smtp_url, "SMTP_URL"))
        kinds: dict[str, Literal["starttls", "ssl", "plain"]] = {
            "smtp": "starttls",
            "smtps": "ssl",
            "smtp+plain": "plain",
        }
        if told.scheme not in kinds or not told.hostname:
            raise NeverWill("smtp_url must be smtp://user:password@host:587, smtps://… or smtp+plain://…")
        return SmtpSender(
            told.hostname,
            clock=self._clock,
            port=told.port,
            security=kinds[told.scheme],
            username=unquote(told.username) if told.username else None,
            password=unquote(told.password) if told.password else None,
        )

    def _gmail(self, tx: Tx, mailbox_id: UUID) -> Mailbox:
        from providers.gmail import GmailMailbox
        from providers.gmail_calls import GmailCalls

        try:
            grant = mailboxes.grant_of(tx, self._vault, mailbox_id)
        except (mailboxes.NoGrant, SecretUnreadable) as error:
            raise NeverWill(str(error)) from error
        granted = self._granted(mailbox_id, grant)
        return GmailMailbox(GmailCalls(granted, api_url=self._settings.gmail_api_url, wire=self._wire))

    def _imap(self, tx: Tx, row: MailboxRow) -> Mailbox:
        from providers.imap import ImapMailbox

        try:
            account = mailboxes.account_of(tx, self._vault, row.id)
        except (mailboxes.NoGrant, InvalidAccount, SecretUnreadable) as error:
            raise NeverWill(str(error)) from error
        return ImapMailbox(account, address=row.address, clock=self._clock)

    def _granted(self, mailbox_id: UUID, grant: Grant) -> GmailGrant:
        """The grant with the access token that it still has: one is good for an hour of polls."""
        from providers.gmail_auth import GmailGrant

        with self._mutex:
            known = self._grants.get(mailbox_id)
            if known is not None and known[0] == grant:
                return known[1]
            if len(self._grants) >= REMEMBERED_GRANTS:
                self._grants.clear()
            made = GmailGrant(
                grant.refresh_token,
                grant.client_id,
                grant.client_secret,
                token_url=self._settings.google_token_url,
                wire=self._wire,
            )
            self._grants[mailbox_id] = (grant, made)
            return made

    def _secret(self, tx: Tx, name: str, default: SecretStr | None, variable: str) -> str:
        try:
            return credentials.get(tx, self._vault, name)
        except NoCredential as error:
            if default is not None:
                return default.get_secret_value()
            raise NeverWill(f"{name} is not stored for this tenant and {variable} is not set") from error
        except SecretUnreadable as error:
            raise NeverWill(f"{name}: {error}") from error
