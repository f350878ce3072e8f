"""Provider secrets of a tenant: sealed with its own key, opened only to make a provider, never shown again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from domain import alerts, audit, events, settings
from domain.db import Tx
from domain.vault import Sealed, Vault

Name = Literal["resend_api_key", "resend_webhook_secret", "smtp_url", "anthropic_api_key", "openai_api_key",
               "gemini_api_key", "alert_webhook_secret"]  # fmt: skip
"""What a tenant may store: one list for the API, the command line and those who use the secrets."""

NAMES: tuple[str, ...] = get_args(Name)


FIRST_MODEL: Mapping[str, str] = {
    "anthropic_api_key": "anthropic/claude-sonnet-5-5",
    "openai_api_key": "openai/gpt-6-sol",
    "gemini_api_key": "gemini/gemini-3.8-flash",
}
"""What a tenant asks that stores its own key for models and named none: nobody stores a key in order not to use it."""

BROKEN_WEBHOOK_SECRET = "webhook_secret_invalid"  # noqa: S105 - the alert's kind
"""The alert that is open until another secret is stored."""


class UnknownCredential(Exception):
    """Nothing would ever read a secret of this name."""


class NoCredential(LookupError):
    """The tenant has not stored this secret."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A secret as it is listed: its name, never its value."""

    name: str
    key_id: str
    updated_by: str
    updated_at: datetime


def put(tx: Tx, vault: Vault, name: str, secret: str) -> None:
    """Store or replace a secret. Raises UnknownCredential, and ValueError when it is empty."""
    if name not in NAMES:
        raise UnknownCredential(f"name: {name!r} is none of {', '.join(NAMES)}")
    if not secret.strip():
        raise ValueError(f"{name}: an empty secret is no secret")
    sealed = vault.seal(tx.tenant_id, _purpose(name), secret.strip())
    tx.run(
        """INSERT INTO tenant_credentials (tenant_id, name, ciphertext, key_id, updated_by, updated_at)
           VALUES (:t, :name, :ciphertext, :key, :by, :now)
           ON CONFLICT (tenant_id, name) DO UPDATE SET ciphertext = excluded.ciphertext, key_id = excluded.key_id,
               updated_by = excluded.updated_by, updated_at = excluded.updated_at""",
        t=tx.tenant_id, name=name, ciphertext=sealed.ciphertext, key=sealed.key_id, by=tx.actor, now=tx.now,
    )  # fmt: skip
    audit.record(tx, "credential.put", name)
    events.record(tx, "credential.stored", "credential", name)
    if name == "resend_webhook_secret":
        alerts.resolve(tx, BROKEN_WEBHOOK_SECRET, by=tx.actor)
    if name in FIRST_MODEL and not settings.of(tx).model_order:
        settings.change(tx, {"model_order": [FIRST_MODEL[name]]}, reason=f"{name} was stored")


def get(tx: Tx, vault: Vault, name: str) -> str:
    """A secret in the clear; hand it to a provider and to nothing else. Raises NoCredential, SecretUnreadable."""
    row = tx.row(
        "SELECT ciphertext, key_id FROM tenant_credentials WHERE tenant_id = :t AND name = :name",
        t=tx.tenant_id, name=name,
    )  # fmt: skip
    if row is None:
        raise NoCredential(f"{name} is not stored for this tenant")
    return vault.open(tx.tenant_id, _purpose(name), Sealed(bytes(row["ciphertext"]), row["key_id"]))


def remove(tx: Tx, name: str) -> bool:
    """Forget a secret; False when there was none."""
    if not tx.run("DELETE FROM tenant_credentials WHERE tenant_id = :t AND name = :name", t=tx.tenant_id, name=name):
        return False
    audit.record(tx, "credential.remove", name)
    events.record(tx, "credential.removed", "credential", name)
    return True


def rotate(tx: Tx, vault: Vault) -> int:
    """Seal again under the vault's current key whatever an older one had sealed; how many there were.

    The secrets stay what they are, so `changed_since` says nothing of it. Raises SecretUnreadable.
    """
    rows = tx.rows(
        "SELECT name, ciphertext, key_id FROM tenant_credentials WHERE tenant_id = :t AND key_id <> :key FOR UPDATE",
        t=tx.tenant_id, key=vault.current,
    )  # fmt: skip
    for row in rows:
        secret = vault.open(tx.tenant_id, _purpose(row["name"]), Sealed(bytes(row["ciphertext"]), row["key_id"]))
        sealed = vault.seal(tx.tenant_id, _purpose(row["name"]), secret)
        tx.run("UPDATE tenant_credentials SET ciphertext = :c, key_id = :key WHERE tenant_id = :t AND name = :name",
               c=sealed.ciphertext, key=sealed.key_id, t=tx.tenant_id, name=row["name"])  # fmt: skip
        audit.record(tx, "credential.reseal", row["name"])
    return len(rows)


def changed_since(tx: Tx, moment: datetime) -> bool:
    """Whether any secret was stored or removed after `moment`: what a provider's account then knew may be lost now.

    Where a tenant's own secret was removed the house's is used, which is another account's.
    """
    # of a secret that is gone only its event is left
    return bool(tx.value(
        """SELECT EXISTS (SELECT FROM warehouse_events
                          WHERE tenant_id = :t AND subject_type = 'credential' AND at > :moment)""",
        t=tx.tenant_id, moment=moment,
    ))  # fmt: skip


def listed(tx: Tx) -> Sequence[Stored]:
    """What the tenant has stored, by name, without a single secret."""
    rows = tx.rows(
        "SELECT name, key_id, updated_by, updated_at FROM tenant_credentials WHERE tenant_id = :t ORDER BY name",
        t=tx.tenant_id,
    )  # fmt: skip
    return [Stored(**row) for row in rows]


def _purpose(name: str) -> str:
    return f"credential:{name}"
