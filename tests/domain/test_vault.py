"""The vault: a secret opens for its own tenant and purpose, under any key that is still kept, and for nobody else."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.vault import Sealed, SecretUnreadable, Vault

ACME, GLOBEX = UUID(int=1), UUID(int=2)
OLD, NEW = bytes(range(32)), bytes(range(32, 64))
VAULT = Vault({"k1": OLD})


@given(st.text())
def test_what_is_sealed_opens_again(secret: str) -> None:
    assert VAULT.open(ACME, "token", VAULT.seal(ACME, "token", secret)) == secret


def test_a_token_copied_to_another_tenant_does_not_open() -> None:
    sealed = VAULT.seal(ACME, "token", "secret")
    with pytest.raises(SecretUnreadable):
        VAULT.open(GLOBEX, "token", sealed)


def test_a_secret_put_to_another_purpose_does_not_open() -> None:
    with pytest.raises(SecretUnreadable):
        VAULT.open(ACME, "webhook", VAULT.seal(ACME, "token", "secret"))


@given(st.integers(0, 33), st.integers(1, 255))
def test_one_changed_byte_is_noticed(at: int, by: int) -> None:
    sealed = VAULT.seal(ACME, "token", "secret")
    broken = bytearray(sealed.ciphertext)
    broken[at] ^= by
    with pytest.raises(SecretUnreadable):
        VAULT.open(ACME, "token", replace(sealed, ciphertext=bytes(broken)))


@pytest.mark.parametrize("ciphertext", [b"", b"short", bytes(12)])
def test_what_was_never_sealed_does_not_open(ciphertext: bytes) -> None:
    with pytest.raises(SecretUnreadable):
        VAULT.open(ACME, "token", Sealed(ciphertext, "k1"))


def test_the_same_secret_never_looks_the_same_twice() -> None:
    assert VAULT.seal(ACME, "token", "secret").ciphertext != VAULT.seal(ACME, "token", "secret").ciphertext


def test_a_new_first_key_seals_while_the_old_one_still_opens() -> None:
    old = VAULT.seal(ACME, "token", "secret")
    rotated = Vault({"k2": NEW, "k1": OLD})
    assert rotated.open(ACME, "token", old) == "secret"
    assert rotated.seal(ACME, "token", "secret").key_id == rotated.current == "k2"
    with pytest.raises(SecretUnreadable):
        Vault({"k2": NEW}).open(ACME, "token", old)


def test_keyed_hashes_outlive_a_rotation_and_depend_on_purpose_and_key() -> None:
    rotated = Vault({"k2": NEW, "k1": OLD})
    assert rotated.digest("api_key", "a", "b") == VAULT.digest("api_key", "a", "b")
    assert VAULT.digest("api_key", "a", "b") != VAULT.digest("suppression", "a", "b")
    assert VAULT.digest("api_key", "a", "b") != VAULT.digest("api_key", "ab")
    assert VAULT.digest("api_key", "a", "b") != Vault({"k2": NEW}).digest("api_key", "a", "b")


def test_a_signature_holds_for_its_purpose_and_message_alone() -> None:
    signed = VAULT.sign("unsubscribe", "acme:bill")
    assert VAULT.verify("unsubscribe", "acme:bill", signed)
    assert Vault({"k2": NEW, "k1": OLD}).verify("unsubscribe", "acme:bill", signed)
    assert not VAULT.verify("unsubscribe", "acme:milton", signed)
    assert not VAULT.verify("quote", "acme:bill", signed)
    assert not VAULT.verify("unsubscribe", "acme:bill", signed[:-1])
    assert not VAULT.verify("unsubscribe", "acme:bill", "ñ")


@pytest.mark.parametrize("keys", [{}, {"k1": b"short"}, {"k1": OLD, "k2": b""}])
def test_a_vault_without_whole_keys_is_refused(keys: dict[str, bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Vault(keys)


def test_no_key_shows_when_a_vault_is_printed() -> None:
    assert OLD.hex() not in repr(VAULT)
    assert str(OLD) not in repr(VAULT)
