"""Mailboxes: where a tenant's mail arrives, how each connection stands, and how far it has been read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from domain import addresses, audit, events, imap_accounts, storable
from domain.db import Row, Tx
from domain.imap_accounts import ImapAccount
from domain.vault import Sealed, Vault

Provider = Literal["gmail", "folder", "imap"]
Status = Literal["connected", "token_expired", "revoked", "not_configured"]

UNTRIED = "Kept untried: nobody has logged in with this password yet."

POLLED: tuple[Status, ...] = ("connected", "token_expired")
"""The states in which a mailbox is asked for mail."""

FIRST_BACK_OFF_SECONDS = 60.0
LONGEST_BACK_OFF_SECONDS = 3600.0
FULL_SYNC_REST = timedelta(hours=1)
"""A history that expires again within this time after a full sync is a fault to be told, not to be repeated."""

MENDS: dict[Status, str] = {
    "connected": "",
    "token_expired": "Google's token endpoint could not be reached; it is tried again by itself.",
    "revoked": "Connect the mailbox again: `hourhand gmail connect --address {address}`, or with a new token `hourhand "
    "gmail set-token --address {address}`.",
    "not_configured": "Connect it (`hourhand gmail connect --address {address}`, or with a token `hourhand gmail "
    "set-token --address {address}`), or import a folder (`hourhand mailbox import <folder> --address {address}`).",
}
"""What a person can do in each state."""

MENDS_OF_IMAP: dict[Status, str] = {
    "connected": "",
    "token_expired": "",
    "revoked": "Give the right user and password: `hourhand mailbox connect-imap --host <host> --address {address}`.",
    "not_configured": "Give its host, user and password: `hourhand mailbox connect-imap --host <host> --address "
    "{address}`.",
}


class UnknownMailbox(LookupError):
    """The tenant has no such mailbox."""


class InvalidMailbox(Exception):
    """A mailbox needs its address, and a grant for Gmail, an account for IMAP, or a path for a folder."""


class NoGrant(Exception):
    """The mailbox has no stored grant: connect it with `hourhand gmail connect`."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a tenant gave us so that we may read their Gmail; never logged, never answered."""

    refresh_token: str
    client_id: str
    client_secret: str = ""

    def __repr__(self) -> str:
        return "Grant(…)"


@dataclass(frozen=True, slots=True)
class MailboxRow:
    """A mailbox as it stands; its grant is not part of it."""

    id: UUID
    provider: Provider
    address: str
    source: str
    status: Status
    status_cause: str | None
    cursor: str | None
    full_sync_started_at: datetime | None
    last_sync_at: datetime | None
    last_reconciled_at: datetime | None
    failures: int
    back_off_until: datetime | None
    created_at: datetime

    @property
    def mend(self) -> str:
        """What a person can do about its state."""
        told = MENDS_OF_IMAP[self.status] if self.provider == "imap" else MENDS[self.status]
        return told.replace("{address}", self.address)


COLUMNS = ", ".join(MailboxRow.__slots__)


def configure_gmail(tx: Tx, vault: Vault, address: str, grant: Grant | None = None) -> MailboxRow:
    """Have a Gmail mailbox; without a grant it waits for one, and an earlier grant stays. Raises InvalidMailbox."""
    found = _configure(tx, "gmail", "", _spelled(address))
    return set_token(tx, vault, found.id, grant) if grant is not None else found


def configure_folder(tx: Tx, path: str, address: str) -> MailboxRow:
    """Have a folder of messages, or an mbox file, as a mailbox of `address`. Raises InvalidMailbox."""
    if not path.strip():
        raise InvalidMailbox("path: a folder mailbox needs the path of a folder or an mbox file")
    found = _configure(tx, "folder", storable.text(path.strip()), _spelled(address))
    return _stand(tx, found, "connected", None)


def configure_imap(tx: Tx, vault: Vault, address: str, account: ImapAccount, *, untried: bool = False) -> MailboxRow:
    """Have an IMAP mailbox, or give it another password; on another server all of it is listed anew.

    Kept untried, its cause says so until it was read. Raises InvalidMailbox.
    """
    spelled, source = _spelled(address), account.source
    moved = tx.run(
        """UPDATE mailboxes SET source = :source, cursor = NULL, full_sync_started_at = NULL
           WHERE tenant_id = :t AND provider = 'imap' AND address = :address AND source <> :source""",
        t=tx.tenant_id, address=spelled, source=source,
    )  # fmt: skip
    found = _configure(tx, "imap", source, spelled)
    if moved:
        audit.record(tx, "mailbox.move", str(found.id), host=account.host)
    return _connected(tx, vault, found.id, account.password, cause=UNTRIED if untried else None)


def account_of(tx: Tx, vault: Vault, mailbox_id: UUID) -> ImapAccount:
    """Where an IMAP mailbox is and what opens it, for the provider alone. Raises NoGrant, SecretUnreadable."""
    row = get(tx, mailbox_id)
    password = _opened(tx, vault, mailbox_id, "imap")
    if password is None:
        raise NoGrant("The mailbox has no stored password: connect it with `hourhand mailbox connect-imap`.")
    return imap_accounts.read(row.source, password)


def set_token(tx: Tx, vault: Vault, mailbox_id: UUID, grant: Grant) -> MailboxRow:
    """Connect a mailbox, or rotate its grant: sealed for this tenant and mailbox; reading goes on where it stood.

    Raises UnknownMailbox, InvalidMailbox.
    """
    row = get(tx, mailbox_id)
    if row.provider != "gmail":
        raise InvalidMailbox(f"a {row.provider} mailbox takes no token")
    if not grant.refresh_token.strip() or not grant.client_id.strip():
        raise InvalidMailbox(
            "refresh_token and client_id must not be empty: a grant belongs to an OAuth client, which "
            "GOOGLE_CLIENT_ID or `--client-id` names"
        )
    told = json.dumps([grant.refresh_token.strip(), grant.client_id.strip(), grant.client_secret.strip()])
    return _connected(tx, vault, mailbox_id, told)


def _connected(tx: Tx, vault: Vault, mailbox_id: UUID, told: str, *, cause: str | None = None) -> MailboxRow:
    """Keep what opens the mailbox, sealed; reading goes on where it stood."""
    sealed = vault.seal(tx.tenant_id, _purpose(mailbox_id), told)
    rotated = tx.value(
        """WITH before AS (SELECT token_ciphertext IS NOT NULL AS had FROM mailboxes WHERE tenant_id = :t AND id = :id),
                after AS (UPDATE mailboxes SET token_ciphertext = :ciphertext, token_key_id = :key, failures = 0,
                              back_off_until = NULL WHERE tenant_id = :t AND id = :id)
           SELECT had FROM before""",
        t=tx.tenant_id, id=mailbox_id, ciphertext=sealed.ciphertext, key=sealed.key_id,
    )  # fmt: skip
    audit.record(tx, "mailbox.rotate" if rotated else "mailbox.connect", str(mailbox_id))
    return _stand(tx, get(tx, mailbox_id), "connected", cause)


def reseal(tx: Tx, vault: Vault) -> int:
    """Seal again under the vault's current key whatever an older one had sealed; how many. Raises SecretUnreadable."""
    rows = tx.rows(
        """SELECT id, token_ciphertext, token_key_id FROM mailboxes
           WHERE tenant_id = :t AND token_key_id <> :key FOR UPDATE""",
        t=tx.tenant_id, key=vault.current,
    )  # fmt: skip
    for row in rows:
        told = vault.open(
            tx.tenant_id, _purpose(row["id"]), Sealed(bytes(row["token_ciphertext"]), row["token_key_id"])
        )
        sealed = vault.seal(tx.tenant_id, _purpose(row["id"]), told)
        tx.run(
            "UPDATE mailboxes SET token_ciphertext = :c, token_key_id = :key WHERE tenant_id = :t AND id = :id",
            c=sealed.ciphertext, key=sealed.key_id, t=tx.tenant_id, id=row["id"],
        )  # fmt: skip
        audit.record(tx, "mailbox.reseal", str(row["id"]))
    return len(rows)


def revoke(tx: Tx, mailbox_id: UUID, *, cause: str = "disconnected by a person") -> MailboxRow:
    """Forget the grant and any open consent, and stop polling; what was read stays. Raises UnknownMailbox."""
    row = get(tx, mailbox_id)
    tx.run("DELETE FROM mailbox_consents WHERE tenant_id = :t AND mailbox_id = :id", t=tx.tenant_id, id=mailbox_id)
    tx.run(
        "UPDATE mailboxes SET token_ciphertext = NULL, token_key_id = NULL WHERE tenant_id = :t AND id = :id",
        t=tx.tenant_id, id=mailbox_id,
    )  # fmt: skip
    audit.record(tx, "mailbox.revoke", str(mailbox_id), reason=cause)
    return _stand(tx, row, "revoked", cause)


def explain(tx: Tx, mailbox_id: UUID, cause: str) -> MailboxRow:
    """Tell more of why a mailbox stands as it stands. Raises UnknownMailbox."""
    row = get(tx, mailbox_id)
    return _stand(tx, row, row.status, cause)


def grant_of(tx: Tx, vault: Vault, mailbox_id: UUID) -> Grant:
    """The grant in clear, for the provider alone. Raises NoGrant, SecretUnreadable."""
    opened = _opened(tx, vault, mailbox_id, "gmail")
    if opened is None:
        raise NoGrant(NoGrant.__doc__)
    refresh_token, client_id, client_secret = json.loads(opened)
    return Grant(refresh_token, client_id, client_secret)


def _opened(tx: Tx, vault: Vault, mailbox_id: UUID, provider: Provider) -> str | None:
    row = tx.row(
        """SELECT token_ciphertext, token_key_id FROM mailboxes
           WHERE tenant_id = :t AND id = :id AND provider = :provider""",
        t=tx.tenant_id, id=mailbox_id, provider=provider,
    )  # fmt: skip
    if row is None or row["token_ciphertext"] is None:
        return None
    return vault.open(tx.tenant_id, _purpose(mailbox_id), Sealed(bytes(row["token_ciphertext"]), row["token_key_id"]))


def get(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    """One mailbox. Raises UnknownMailbox."""
    row = tx.row(f"SELECT {COLUMNS} FROM mailboxes WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=mailbox_id)
    if row is None:
        raise UnknownMailbox(f"there is no mailbox {mailbox_id}")
    return _load(row)


def listed(tx: Tx) -> Sequence[MailboxRow]:
    """The tenant's mailboxes, oldest first, each with its status, cause and mend."""
    rows = tx.rows(f"SELECT {COLUMNS} FROM mailboxes WHERE tenant_id = :t ORDER BY id", t=tx.tenant_id)
    return [_load(row) for row in rows]


def due(tx: Tx) -> Sequence[MailboxRow]:
    """The mailboxes that may be asked now: connected, and not resting after a failure."""
    return [
        row for row in listed(tx)
        if row.status in POLLED and (row.back_off_until is None or row.back_off_until <= tx.now)
    ]  # fmt: skip


def hold(tx: Tx, mailbox_id: UUID) -> MailboxRow:
    """The mailbox, kept from other readers until this transaction ends. Raises UnknownMailbox."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM mailboxes WHERE tenant_id = :t AND id = :id FOR NO KEY UPDATE",
        t=tx.tenant_id, id=mailbox_id,
    )  # fmt: skip
    if row is None:
        raise UnknownMailbox(f"there is no mailbox {mailbox_id}")
    return _load(row)


def start_full_sync(tx: Tx, mailbox_id: UUID) -> None:
    """Forget a cursor that the provider no longer knows: all is listed again, and only the missing fetched."""
    tx.run(
        "UPDATE mailboxes SET cursor = NULL, full_sync_started_at = :now WHERE tenant_id = :t AND id = :id",
        now=tx.now, t=tx.tenant_id, id=mailbox_id,
    )  # fmt: skip
    events.record(tx, "mailbox.full_sync", "mailbox", mailbox_id)


def advance(tx: Tx, mailbox_id: UUID, *, frm: str | None, to: str | None) -> bool:
    """Move the cursor, once all that it covers is stored; False when somebody else moved it meanwhile."""
    return bool(tx.run(
        """UPDATE mailboxes SET cursor = :to WHERE tenant_id = :t AND id = :id AND cursor IS NOT DISTINCT FROM :frm""",
        to=to, t=tx.tenant_id, id=mailbox_id, frm=frm,
    ))  # fmt: skip


def succeeded(tx: Tx, row: MailboxRow, *, started_at: datetime) -> None:
    """A whole sync came through: failures are forgotten."""
    tx.run(
        """UPDATE mailboxes SET last_sync_at = :at, failures = 0, back_off_until = NULL
           WHERE tenant_id = :t AND id = :id""",
        at=started_at, t=tx.tenant_id, id=row.id,
    )  # fmt: skip
    _stand(tx, row, "connected", None)


def reconciled(tx: Tx, mailbox_id: UUID) -> None:
    """The mailbox was compared with what is stored."""
    tx.run("UPDATE mailboxes SET last_reconciled_at = :now WHERE tenant_id = :t AND id = :id",
           now=tx.now, t=tx.tenant_id, id=mailbox_id)  # fmt: skip


def failed(
    tx: Tx, row: MailboxRow, cause: str, *, status: Status | None = None, rest_seconds: float | None = None
) -> datetime:  # fmt: skip
    """A sync failed: rest, each time longer, at least as long as the provider asked for; when it may be tried again."""
    grown = min(FIRST_BACK_OFF_SECONDS * 2.0 ** min(row.failures, 10), LONGEST_BACK_OFF_SECONDS)
    until = tx.now + timedelta(seconds=max(grown, rest_seconds or 0.0))
    tx.run(
        """UPDATE mailboxes SET failures = failures + 1, back_off_until = :until, status_cause = :cause
           WHERE tenant_id = :t AND id = :id""",
        until=until, cause=storable.text(cause, 500), t=tx.tenant_id, id=row.id,
    )  # fmt: skip
    if status is not None:
        _stand(tx, row, status, cause)
    return until


def poll(tx: Tx) -> None:
    """Keep the tenant's line in the schedule true: polled while any mailbox can be, at the latest as it stood.

    A mailbox that was just connected is asked at once; with none left to ask, the tenant is not looked at again.
    """
    tx.run(
        """UPDATE tenant_schedule s SET sync_enabled = b.polled,
               gmail_due_at = CASE WHEN NOT b.polled THEN NULL WHEN s.sync_enabled THEN coalesce(s.gmail_due_at, :now)
                                   ELSE :now END
           FROM (SELECT EXISTS (SELECT FROM mailboxes WHERE tenant_id = :t AND status = ANY(:polled)) AS polled) AS b
           WHERE s.tenant_id = :t AND (s.sync_enabled <> b.polled OR b.polled AND s.gmail_due_at IS NULL)""",
        t=tx.tenant_id, now=tx.now, polled=list(POLLED),
    )  # fmt: skip


def _configure(tx: Tx, provider: Provider, source: str, address: str) -> MailboxRow:
    made = tx.row(
        f"""INSERT INTO mailboxes (tenant_id, id, provider, address, source, created_at)
            VALUES (:t, :id, :provider, :address, :source, :now)
            ON CONFLICT (tenant_id, provider, source, address) DO NOTHING RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=tx.clock.uuid(), provider=provider, address=address, source=source, now=tx.now,
    )  # fmt: skip
    if made is not None:
        events.record(tx, "mailbox.configured", "mailbox", made["id"], provider=provider)
        audit.record(tx, "mailbox.configure", str(made["id"]), provider=provider)
        return _load(made)
    row = tx.row(
        f"""SELECT {COLUMNS} FROM mailboxes WHERE tenant_id = :t AND provider = :provider AND source = :source
            AND address = :address""",
        t=tx.tenant_id, provider=provider, source=source, address=address,
    )  # fmt: skip
    assert row is not None, "what conflicts is there"
    return _load(row)


def _stand(tx: Tx, row: MailboxRow, status: Status, cause: str | None) -> MailboxRow:
    """Give a mailbox its status, with an event where it is another one."""
    tx.run(
        "UPDATE mailboxes SET status = :status, status_cause = :cause WHERE tenant_id = :t AND id = :id",
        status=status, cause=storable.optional(cause, 500), t=tx.tenant_id, id=row.id,
    )  # fmt: skip
    if row.status != status:
        events.record(tx, f"mailbox.{status}", "mailbox", row.id, provider=row.provider, before=row.status)
        poll(tx)
    return get(tx, row.id)


def _spelled(address: str) -> str:
    try:
        return addresses.normalise(address)
    except addresses.InvalidAddress as error:
        raise InvalidMailbox(f"address: {error}") from error


def _purpose(mailbox_id: UUID) -> str:
    return f"mailbox:{mailbox_id}"


def _load(row: Row) -> MailboxRow:
    return MailboxRow(**{name: row[name] for name in MailboxRow.__slots__})
