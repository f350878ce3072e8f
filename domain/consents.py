"""Consents under way: a person was sent to Google, and who comes back in time with the state goes on, once."""

from __future__ import annotations

import base64
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from domain import audit, events, mailboxes
from domain.db import Database, Tx
from domain.mailboxes import MailboxRow
from domain.vault import Sealed, SecretUnreadable, Vault

LIFETIME = timedelta(minutes=10)
VERIFIER_BYTES = 64
"""86 characters, of the 43 to 128 that RFC 7636 allows."""

# the state names its tenant, so that already the look-up happens behind that tenant's wall
_STATE = re.compile(r"([0-9a-f]{32})\.([0-9a-f]{32})\.([A-Za-z0-9_-]{43})")


class ConsentVoid(Exception):
    """This consent is not open: it was used, or replaced, or has expired, or is not one of ours. Begin again."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A consent that was just opened. `state` is shown this once: only its keyed hash is stored."""

    mailbox: MailboxRow
    state: str
    challenge: str
    """What Google is told of the verifier (S256, RFC 7636)."""
    expires_at: datetime

    def __repr__(self) -> str:
        return f"Begun({self.mailbox.id}, …)"


@dataclass(frozen=True, slots=True)
class Taken:
    """A consent that was open, and is used up."""

    tenant_id: UUID
    mailbox_id: UUID
    address: str
    verifier: str
    redirect_uri: str
    asked_by: str

    def __repr__(self) -> str:
        return f"Taken({self.mailbox_id}, …)"


def begin(tx: Tx, vault: Vault, address: str, *, redirect_uri: str) -> Begun:
    """Open a consent for a Gmail mailbox, in place of an earlier one. Raises InvalidMailbox."""
    row = mailboxes.configure_gmail(tx, vault, address)
    secret = secrets.token_urlsafe(32)
    verifier = secrets.token_urlsafe(VERIFIER_BYTES)
    sealed = vault.seal(tx.tenant_id, _purpose(row.id), verifier)
    expires_at = tx.now + LIFETIME
    tx.run(
        """INSERT INTO mailbox_consents
               (tenant_id, mailbox_id, state_hash, verifier_ciphertext, verifier_key_id, redirect_uri, asked_by,
                expires_at)
           VALUES (:t, :id, :hash, :ciphertext, :key, :uri, :by, :expires)
           ON CONFLICT (tenant_id, mailbox_id) DO UPDATE SET state_hash = excluded.state_hash,
               verifier_ciphertext = excluded.verifier_ciphertext, verifier_key_id = excluded.verifier_key_id,
               redirect_uri = excluded.redirect_uri, asked_by = excluded.asked_by, expires_at = excluded.expires_at""",
        t=tx.tenant_id, id=row.id, hash=_hash(vault, tx.tenant_id, row.id, secret), ciphertext=sealed.ciphertext,
        key=sealed.key_id, uri=redirect_uri, by=tx.actor, expires=expires_at,
    )  # fmt: skip
    audit.record(tx, "mailbox.ask_consent", str(row.id))
    events.record(tx, "mailbox.consent_asked", "mailbox", row.id)
    return Begun(row, f"{tx.tenant_id.hex}.{row.id.hex}.{secret}", _challenge(verifier), expires_at)


def take(database: Database, vault: Vault, state: str) -> Taken:
    """Use up the consent that `state` belongs to; it never opens twice. Raises ConsentVoid, in ever the same words."""
    parts = _STATE.fullmatch(state)
    if parts is None:
        raise ConsentVoid(ConsentVoid.__doc__)
    tenant_id, mailbox_id = UUID(parts[1]), UUID(parts[2])
    with database.tenant(tenant_id, actor="consent page") as tx:
        now = tx.now
        row = tx.row(
            """DELETE FROM mailbox_consents c USING mailboxes m
               WHERE c.tenant_id = :t AND c.mailbox_id = :id AND c.state_hash = :hash
                 AND m.tenant_id = c.tenant_id AND m.id = c.mailbox_id
               RETURNING c.verifier_ciphertext, c.verifier_key_id, c.redirect_uri, c.asked_by, c.expires_at,
                         m.address""",
            t=tenant_id, id=mailbox_id, hash=_hash(vault, tenant_id, mailbox_id, parts[3]),
        )  # fmt: skip
    if row is None or row["expires_at"] <= now:
        raise ConsentVoid(ConsentVoid.__doc__)
    sealed = Sealed(bytes(row["verifier_ciphertext"]), row["verifier_key_id"])
    try:
        verifier = vault.open(tenant_id, _purpose(mailbox_id), sealed)
    except SecretUnreadable as error:
        raise ConsentVoid(ConsentVoid.__doc__) from error
    return Taken(tenant_id, mailbox_id, row["address"], verifier, row["redirect_uri"], row["asked_by"])


def refused(tx: Tx, mailbox_id: UUID, cause: str) -> None:
    """A consent came to nothing: the mailbox stays as it was."""
    audit.record(tx, "mailbox.refuse_consent", str(mailbox_id), reason=cause)
    events.record(tx, "mailbox.consent_refused", "mailbox", mailbox_id, cause=cause)


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _hash(vault: Vault, tenant_id: UUID, mailbox_id: UUID, secret: str) -> bytes:
    return vault.digest("consent", tenant_id.hex, mailbox_id.hex, secret)


def _purpose(mailbox_id: UUID) -> str:
    return f"consent:{mailbox_id}"
