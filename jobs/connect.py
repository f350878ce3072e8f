"""Connecting a mailbox: what a person consents to, or the password they give, is tried, and only then kept."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain import addresses, consents, mailboxes, tenants
from domain.addresses import InvalidAddress
from domain.consents import Begun, Taken
from domain.db import Tx
from domain.house import House
from domain.imap_accounts import ImapAccount
from domain.mailboxes import Grant, MailboxRow, NoGrant
from domain.ports import AuthorizationServer, Granted, NeverWill, ProviderError
from domain.tenants import Tenant
from domain.vault import SecretUnreadable

CALLBACK = "/oauth/gmail/callback"
"""Where Google sends a person back to, below our public address."""

PERMISSIONS = "https://myaccount.google.com/connections"
LONGEST_ERROR = 60


class NotOffered(Exception):
    """This house can't send anybody to Google: set GOOGLE_CLIENT_ID, or give a refresh token."""


class ConsentRefused(Exception):
    """The consent came to nothing, and the mailbox stays as it was."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A mailbox that may be read now, and by whom."""

    mailbox: MailboxRow
    tenant: Tenant


def begin(house: House, tx: Tx, address: str, *, redirect_uri: str) -> tuple[Begun, str]:
    """Open a consent for a mailbox; with it, the page where a person gives it. Raises NotOffered, InvalidMailbox."""
    begun = consents.begin(tx, house.vault, address, redirect_uri=redirect_uri)
    try:
        url = _google(house).page(
            begun.state, begun.challenge, redirect_uri=redirect_uri, address=begun.mailbox.address
        )
    except NeverWill as error:
        raise NotOffered(str(error)) from error
    return begun, url


def try_password(house: House, account: ImapAccount) -> None:
    """Log in to an IMAP account and out again, before it is kept. Raises ProviderError with what is against it."""
    if house.imap is None:
        raise NeverWill("This house can't reach mail servers: keep the account untried.")
    house.imap(account)


def complete(house: House, *, state: str, code: str = "", error: str = "") -> Connected:
    """Go on with what Google's page sent back. No transaction is open while Google is asked.

    Raises ConsentVoid, ConsentRefused, and ProviderError when Google can't be asked just now; the consent is used up.
    """
    taken = consents.take(house.database, house.vault, state)
    try:
        granted = _granted(house, taken, code, error)
    except (ProviderError, ConsentRefused) as refusal:
        with house.database.tenant(taken.tenant_id, actor=taken.asked_by) as tx:
            consents.refused(tx, taken.mailbox_id, str(refusal))
        if isinstance(refusal, NeverWill):
            raise ConsentRefused(str(refusal)) from refusal
        raise
    grant = Grant(granted.refresh_token, granted.client_id, granted.client_secret)
    with house.database.tenant(taken.tenant_id, actor=taken.asked_by) as tx:
        row = mailboxes.set_token(tx, house.vault, taken.mailbox_id, grant)
    return Connected(row, tenants.get(house.database, taken.tenant_id))


def revoke(house: House, tenant_id: UUID, mailbox_id: UUID, *, cause: str, actor: str) -> MailboxRow:
    """Forget the grant, then end it at Google as well; where that fails, the mailbox's cause says what is left to do.

    Raises UnknownMailbox.
    """
    with house.database.tenant(tenant_id, actor=actor) as tx:
        grant = _kept(house, tx, mailbox_id)
        row = mailboxes.revoke(tx, mailbox_id, cause=cause)
    if grant is None or house.google is None:
        return row
    try:
        house.google.revoke(grant.refresh_token)
    except ProviderError as error:
        with house.database.tenant(tenant_id, actor=actor) as tx:
            left = f"{cause}; Google was not told ({error}): remove the access at {PERMISSIONS}"
            return mailboxes.explain(tx, mailbox_id, left)
    return row


def _granted(house: House, taken: Taken, code: str, error: str) -> Granted:
    """What was consented to, once it is what was asked for. Raises ConsentRefused, ProviderError."""
    if error == "access_denied":
        raise ConsentRefused("The consent was denied at Google. Begin again when it is wanted.")
    if error or not code:
        raise ConsentRefused(f"Google sent no code ({_plain(error) or 'nor an error'}): begin again.")
    granted = _google(house).redeem(code, taken.verifier, redirect_uri=taken.redirect_uri)
    try:
        address = addresses.normalise(granted.address)
    except InvalidAddress as wrong:
        raise ConsentRefused("Google named no address for this mailbox: begin again.") from wrong
    if address != taken.address:
        raise ConsentRefused(
            f"The consent was given for another mailbox than {taken.address}: begin again, and choose that account at "
            "Google."
        )
    return granted


def _google(house: House) -> AuthorizationServer:
    if house.google is None:
        raise NotOffered(NotOffered.__doc__)
    return house.google


def _kept(house: House, tx: Tx, mailbox_id: UUID) -> Grant | None:
    """The stored grant, where there is one that opens."""
    try:
        return mailboxes.grant_of(tx, house.vault, mailbox_id)
    except (NoGrant, SecretUnreadable):
        return None


def _plain(error: str) -> str:
    """The error's name, from which nothing but letters and underscores is told on."""
    return "".join(each for each in error if each.isascii() and (each.isalpha() or each == "_"))[:LONGEST_ERROR]
