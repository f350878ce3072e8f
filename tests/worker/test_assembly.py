"""Assembly: a house stands on the right schema, behind the walls, with keys that nobody else can read."""

from __future__ import annotations

import base64
import os
import stat
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from domain import credentials, mailboxes
from domain.db import Database
from domain.mailboxes import Grant
from domain.ports import NeverWill
from domain.settings import Mode
from tests import build, gears
from tests.hand_clock import HandClock
from worker import assembly
from worker.assembly import DatabaseAway, DatabaseBehind, DatabaseUnfit, KeyFileUnreadable
from worker.hands import VendorHands
from worker.settings import Settings, load

MASTER_KEYS = f"k1:{base64.b64encode(bytes(range(32))).decode()}"


def _settings(tmp_path: Path, clone: gears.Clone, **more: str) -> Settings:
    return load({"HOURHAND_DATA_DIR": str(tmp_path), "DATABASE_URL": clone.url(), **more})


def test_a_house_stands_and_works_behind_the_walls(cloned: gears.Clone, tmp_path: Path) -> None:
    settings = _settings(tmp_path, cloned, EMAIL_SEND_MODE="internal_only", AGENT_KILL_SWITCH="true")
    with assembly.standing(settings, clock=HandClock()) as standing:
        build.tenant(standing.house.database, "acme", {})
        assert standing.server is None
        assert standing.house.brakes.send_mode is Mode.internal_only
        assert standing.house.brakes.stopped() == "AGENT_KILL_SWITCH is set"
        assert str(os.getpid()) in standing.house.holder


def test_a_new_house_makes_a_key_file_for_its_own_eyes(cloned: gears.Clone, tmp_path: Path) -> None:
    with assembly.standing(_settings(tmp_path, cloned), clock=HandClock()) as standing:
        signed = standing.house.vault.sign("test", "x")
    path = tmp_path / assembly.KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [assembly.KEY_FILE]
    with assembly.standing(_settings(tmp_path, cloned), clock=HandClock()) as standing:
        assert standing.house.vault.verify("test", "x", signed)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.chmod(0o644), "chmod 600"),
        (lambda path: path.write_text("k1:AAAA"), "32 bytes"),
    ],
)
def test_a_lost_open_or_spoilt_key_file_stops_the_start(
    cloned: gears.Clone, tmp_path: Path, spoil: Any, told: str
) -> None:
    with assembly.standing(_settings(tmp_path, cloned), clock=HandClock()) as standing:
        build.tenant(standing.house.database, "acme", {})
    spoil(tmp_path / assembly.KEY_FILE)
    with (
        pytest.raises(KeyFileUnreadable, match=told),
        assembly.standing(_settings(tmp_path, cloned), clock=HandClock()),
    ):
        pass


def test_a_login_that_sees_over_the_walls_is_refused(cloned: gears.Clone, tmp_path: Path) -> None:
    settings = load({"HOURHAND_DATA_DIR": str(tmp_path), "DATABASE_URL": cloned.admin_url})
    with pytest.raises(DatabaseUnfit, match="who sees over every wall"), assembly.standing(settings):
        pass


def test_a_database_that_is_away_is_told_in_a_sentence(tmp_path: Path) -> None:
    away = "postgresql://hourhand_app:hunter2@127.0.0.1:9/x"
    for more in ({}, {"DATABASE_ADMIN_URL": away}):
        settings = load({"HOURHAND_DATA_DIR": str(tmp_path), "DATABASE_URL": away, **more})
        with pytest.raises(DatabaseAway, match="can't be entered") as told, assembly.standing(settings):
            pass
        assert "hunter2" not in str(told.value)


def test_the_first_start_gives_the_login_its_password(cluster: gears.Cluster, tmp_path: Path) -> None:
    """Before it the server refuses the login that it does not know, which must not stop what makes it known."""
    empty = cluster.empty()
    url = empty.url().replace("hourhand_app@", "hourhand_app:hunter2@")
    settings = load({"HOURHAND_DATA_DIR": str(tmp_path), "DATABASE_URL": url, "DATABASE_ADMIN_URL": empty.admin_url})
    with assembly.standing(settings), psycopg.connect(empty.admin_url) as connection:
        stored = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'hourhand_app'").fetchone()
        assert stored is not None
        assert stored[0].startswith("SCRAM-SHA-256$")
    cluster.retire(empty)


def test_an_empty_database_is_upgraded_with_an_admins_url_and_refused_without(
    cluster: gears.Cluster, tmp_path: Path
) -> None:
    empty = cluster.empty()
    with pytest.raises(DatabaseBehind, match="DATABASE_ADMIN_URL"), assembly.standing(_settings(tmp_path, empty)):
        pass
    settings = _settings(tmp_path, empty, DATABASE_ADMIN_URL=empty.admin_url)
    with assembly.standing(settings) as standing:
        build.tenant(standing.house.database, "acme", {})
    assert assembly.version(empty.url()) == assembly.head()
    assert not assembly.upgrade(settings, None)
    cluster.retire(empty)


def test_a_newer_database_is_refused(cloned: gears.Clone, tmp_path: Path) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("UPDATE hourhand.alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseBehind, match="newer than this version"), assembly.standing(_settings(tmp_path, cloned)):
        pass


@pytest.fixture
def acme(clone: Database) -> UUID:
    """A tenant without credentials."""
    return build.tenant(clone, "acme", {})


def _hands(**variables: str) -> VendorHands:
    return VendorHands(load({"HOURHAND_MASTER_KEYS": MASTER_KEYS, **variables}), build.VAULT, HandClock())


@pytest.mark.parametrize("name", ["resend", "smtp", "pigeon"])
def test_a_tenant_without_a_credential_has_no_sender(clone: Database, acme: UUID, name: str) -> None:
    with clone.tenant(acme) as tx, pytest.raises(NeverWill, match=r"is not set|none of"):
        _hands().sender(tx, name)


def test_a_tenants_own_credential_goes_before_the_houses(clone: Database, acme: UUID) -> None:
    hands = _hands(RESEND_API_KEY="re_house", SMTP_URL="smtp://u:p%40ss@127.0.0.1:2525")
    with clone.tenant(acme) as tx:
        assert [hands.sender(tx, name).name for name in ("resend", "smtp")] == ["resend", "smtp"]
        credentials.put(tx, build.VAULT, "smtp_url", "pigeon://coop")
        with pytest.raises(NeverWill, match="smtp_url must be"):
            hands.sender(tx, "smtp")


def test_another_tenants_credential_is_out_of_reach(clone: Database, acme: UUID) -> None:
    globex = build.tenant(clone, "globex", {})
    with clone.tenant(acme) as tx:
        credentials.put(tx, build.VAULT, "resend_api_key", "re_acme")
    with clone.tenant(globex) as tx, pytest.raises(NeverWill):
        _hands().sender(tx, "resend")


def test_mailboxes_come_from_their_own_grants(clone: Database, acme: UUID, tmp_path: Path) -> None:
    hands = _hands()
    with clone.tenant(acme) as tx:
        folder = mailboxes.configure_folder(tx, str(tmp_path), "me@acme.example")
        waiting = mailboxes.configure_gmail(tx, build.VAULT, "wait@acme.example")
        granted = mailboxes.configure_gmail(tx, build.VAULT, "me@acme.example", Grant("token", "client", "secret"))
        assert hands.mailbox(tx, folder.id).name == "folder"
        assert hands.mailbox(tx, granted.id).name == "gmail"
        with pytest.raises(NeverWill, match="no stored grant"):
            hands.mailbox(tx, waiting.id)
