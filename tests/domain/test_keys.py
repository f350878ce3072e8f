"""API keys: shown once, stored hashed, bound to their tenant and role."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import audit, keys
from domain.db import Database
from tests import build
from tests.build import VAULT
from tests.hand_clock import HandClock


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_a_key_speaks_for_its_tenant_in_its_role(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="root") as tx:
        issued = keys.issue(tx, VAULT, name="console", role="operator")
    assert issued.secret.startswith(f"hh_{acme.hex}_{issued.key_id}_")
    assert keys.verify(clone, VAULT, issued.secret) == keys.Principal(acme, "operator", issued.key_id, "console")


def test_a_house_key_speaks_for_no_tenant(clone: Database) -> None:
    with clone.wearing("control", actor="root") as tx:
        issued = keys.issue_house(tx, VAULT, name="ops", role="admin")
        assert [each.action for each in audit.read_control(tx)] == ["key.issue"]
    assert issued.secret.startswith("hh_house_")
    assert keys.verify(clone, VAULT, issued.secret) == keys.Principal(None, "admin", issued.key_id, "ops")


def test_only_a_keyed_hash_is_stored(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        issued = keys.issue(tx, VAULT, name="console", role="admin")
        secret = issued.secret.split("_", 3)[3]
        told = tx.value("SELECT string_agg(row_to_json(k)::text, '') FROM api_keys k")
        logged = tx.value("SELECT string_agg(row_to_json(e)::text, '') FROM warehouse_events e")
        assert secret not in told + logged
        assert secret.encode().hex() not in told


def test_two_keys_never_share_a_secret(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        made = [keys.issue(tx, VAULT, name="k", role="analyst").secret.split("_", 3)[3] for _ in range(20)]
    assert len(set(made)) == 20
    assert {len(each) for each in made} == {43}


def test_a_key_moved_to_another_tenant_is_refused(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        issued = keys.issue(tx, VAULT, name="console", role="admin")
    forged = issued.secret.replace(acme.hex, globex.hex)
    for presented in (forged, issued.secret.replace(acme.hex, "house")):
        with pytest.raises(keys.InvalidKey):
            keys.verify(clone, VAULT, presented)


def test_a_stored_hash_copied_to_another_tenant_opens_nothing(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        issued = keys.issue(tx, VAULT, name="console", role="admin")
        row = dict(tx.row("SELECT * FROM api_keys") or {})
    with clone.tenant(globex) as tx:
        tx.run("INSERT INTO api_keys VALUES (:t, :id, :name, :role, :hash, 'x', :now)", t=globex, id=row["id"],
               name=row["name"], role=row["role"], hash=bytes(row["secret_hash"]), now=tx.now)  # fmt: skip
    with pytest.raises(keys.InvalidKey):
        keys.verify(clone, VAULT, issued.secret.replace(acme.hex, globex.hex))


@pytest.mark.parametrize(
    "presented", ["", "hh_", "hh_house__", "hh_x_y_z", "Bearer abc", "_".join(("hh", "house", "0" * 12, "A" * 43))]
)
def test_what_is_no_key_is_refused_in_the_same_words(clone: Database, presented: str) -> None:
    with pytest.raises(keys.InvalidKey) as refusal:
        keys.verify(clone, VAULT, presented)
    assert str(refusal.value) == keys.InvalidKey.__doc__


def test_one_wrong_letter_is_refused(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        issued = keys.issue(tx, VAULT, name="console", role="admin")
    wrong = issued.secret[:-1] + ("B" if issued.secret[-1] != "B" else "C")
    with pytest.raises(keys.InvalidKey):
        keys.verify(clone, VAULT, wrong)


def test_a_revoked_key_is_refused_and_the_revocation_is_on_record(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme, actor="root") as tx:
        issued = keys.issue(tx, VAULT, name="console", role="admin")
        assert keys.revoke(tx, issued.key_id, reason="left the company")
        assert not keys.revoke(tx, issued.key_id, reason="again")
        assert audit.read(tx)[0].reason == "left the company"
    with pytest.raises(keys.InvalidKey):
        keys.verify(clone, VAULT, issued.secret)


def test_a_key_expires_at_its_instant(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        issued = keys.issue(tx, VAULT, name="visit", role="analyst", expires_at=tx.now + timedelta(hours=1))
    clock.advance(minutes=59)
    assert keys.verify(clone, VAULT, issued.secret).role == "analyst"
    clock.advance(minutes=1)
    with pytest.raises(keys.InvalidKey):
        keys.verify(clone, VAULT, issued.secret)


def test_a_house_key_can_be_revoked(clone: Database) -> None:
    with clone.wearing("control", actor="root") as tx:
        issued = keys.issue_house(tx, VAULT, name="ops", role="admin")
        assert keys.revoke_house(tx, issued.key_id, reason="rotated")
        assert [each.revoked_at for each in keys.listed_house(tx)] == [tx.now]
    with pytest.raises(keys.InvalidKey):
        keys.verify(clone, VAULT, issued.secret)


@pytest.mark.parametrize(("name", "role"), [("console", "owner"), (" ", "admin")])
def test_a_key_has_a_name_and_a_known_role(clone: Database, acme: UUID, name: str, role: keys.Role) -> None:
    with clone.tenant(acme) as tx, pytest.raises(keys.InvalidRole):
        keys.issue(tx, VAULT, name=name, role=role)
