"""Secrets at rest: AES-256-GCM with a key per tenant, and keyed hashes; nothing here is ever logged."""

from __future__ import annotations

import base64
import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SecretUnreadable(Exception):
    """A stored secret does not decrypt: its master key is missing, or it belongs to another tenant."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as it is stored; `key_id` names the master key, so that keys can be rotated."""

    ciphertext: bytes
    key_id: str


class Vault:
    """Master keys by id; the first seals, all of them open."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        if not keys or any(len(key) != 32 for key in keys.values()):
            raise ValueError("a vault needs at least one key of 32 bytes")
        self._keys = dict(keys)
        self._current = next(iter(self._keys))
        self._derived: dict[tuple[str, str], bytes] = {}

    @property
    def current(self) -> str:
        """The id of the key that seals."""
        return self._current

    def seal(self, tenant_id: UUID, purpose: str, secret: str) -> Sealed:
        """Encrypt `secret` for one tenant and purpose; both are bound in as associated data."""
        nonce = os.urandom(12)
        box = AESGCM(self._tenant_key(self._current, tenant_id))
        return Sealed(nonce + box.encrypt(nonce, secret.encode(), _bound(tenant_id, purpose)), self._current)

    def open(self, tenant_id: UUID, purpose: str, sealed: Sealed) -> str:
        """Decrypt. Raises SecretUnreadable."""
        if sealed.key_id not in self._keys:
            raise SecretUnreadable(f"no master key is named {sealed.key_id}")
        box = AESGCM(self._tenant_key(sealed.key_id, tenant_id))
        try:
            return box.decrypt(sealed.ciphertext[:12], sealed.ciphertext[12:], _bound(tenant_id, purpose)).decode()
        except (InvalidTag, ValueError) as error:  # a ValueError: too short to be anything that was sealed
            raise SecretUnreadable(f"the secret for {purpose} does not belong to this tenant and key") from error

    def digest(self, purpose: str, *parts: str) -> bytes:
        """A keyed hash (HMAC-SHA256) under the oldest key, so that rotation does not change it."""
        key = self._for(next(reversed(self._keys)), f"digest:{purpose}")
        return hmac.digest(key, "\x1f".join(parts).encode(), sha256)

    def sign(self, purpose: str, message: str) -> str:
        """A URL-safe signature of `message`, 32 bytes under the current key."""
        key = self._for(self._current, f"sign:{purpose}")
        return base64.urlsafe_b64encode(hmac.digest(key, message.encode(), sha256)).rstrip(b"=").decode()

    def verify(self, purpose: str, message: str, signature: str) -> bool:
        """Whether any of our keys made this signature."""
        for key_id in self._keys:
            key = self._for(key_id, f"sign:{purpose}")
            made = base64.urlsafe_b64encode(hmac.digest(key, message.encode(), sha256)).rstrip(b"=")
            if hmac.compare_digest(made, signature.encode()):
                return True
        return False

    def _tenant_key(self, key_id: str, tenant_id: UUID) -> bytes:
        return self._derive(key_id, f"tenant:{tenant_id}")

    def _for(self, key_id: str, purpose: str) -> bytes:
        """The key of one of our few purposes, derived once; tenants' own keys are not kept."""
        if (key_id, purpose) not in self._derived:
            self._derived[key_id, purpose] = self._derive(key_id, purpose)
        return self._derived[key_id, purpose]

    def _derive(self, key_id: str, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=b"hourhand", info=purpose.encode()).derive(self._keys[key_id])


def _bound(tenant_id: UUID, purpose: str) -> bytes:
    return f"{tenant_id}:{purpose}".encode()
