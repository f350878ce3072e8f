"""A house that comes back from a backup: whole, closed until it knows what went out, and sending nothing twice."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from domain import alerts, cards, restores, settings, switches
from domain.db import Database
from domain.house import House
from domain.switches import Switch
from jobs import cycle, export_tenant, reconcile_restore
from providers.resend import ResendSender
from simulator.emulators.resend import ResendEmulator
from tests import build, gears, houses
from tests.hand_clock import HandClock
from tests.worker.line import Line, Spoken, move_in
from worker import backups, postgres_files
from worker.backups import BackupRefused, InvalidBackup, RestoreRefused

PEOPLE = 6


@pytest.fixture
def resend(clock: HandClock) -> Iterator[ResendEmulator]:
    """The provider, who remembers what it was given whatever becomes of the house."""
    with ResendEmulator(clock=clock) as emulator:
        emulator.account("re_acme")
        yield emulator


def _programs() -> Path:
    return postgres_files.installed_package() / postgres_files.VERSION_FOLDER / "bin"


@contextmanager
def _house(database: Database, resend: ResendEmulator | None, acme: UUID) -> Iterator[House]:
    hands = houses.TestHands()
    if resend is not None:
        hands.senders[acme] = ResendSender("re_acme", resend.url)
    with houses.house(database, hands=hands) as house:
        yield house


def _take(clone: gears.Clone, database: Database, folder: Path) -> backups.Backup:
    return backups.take(clone.admin_url, _programs(), folder, clock=database.clock, vault=houses.VAULT)


@contextmanager
def _restored(cluster: gears.Cluster, folder: Path, clock: HandClock) -> Iterator[Database]:
    found = backups.read(folder)
    empty = cluster.empty()
    backups.load(empty.admin_url, _programs(), folder, found)
    database = Database(empty.url(), clock)
    restores.close(database, found.taken_at)
    try:
        yield database
    finally:
        database.dispose()
        cluster.retire(empty)


def _people(database: Database, acme: UUID) -> list[UUID]:
    with database.tenant(acme, actor="test") as tx:
        return [
            build.contact(tx, build.client(tx, f"Client {at}"), f"p{at}@client-{at}.example") for at in range(PEOPLE)
        ]


def _witnessed(resend: ResendEmulator, key: str = "re_acme") -> list[str]:
    return sorted(address for email in resend.sent(key) for address in email["to"])


def _go_on(database: Database, clock: HandClock, resend: ResendEmulator, acme: UUID, *, days: int) -> None:
    """Working days in which everything that is due goes out."""
    with _house(database, resend, acme) as house:
        for _ in range(days * 4):
            clock.advance(hours=6)
            cycle.run(house, acme)


def test_a_house_restored_in_the_middle_of_a_campaign_sends_nothing_twice(
    cluster: gears.Cluster,
    cloned: gears.Clone,
    clone: Database,
    clock: HandClock,
    resend: ResendEmulator,
    tmp_path: Path,
) -> None:
    acme = build.acme(clone, max_emails_per_hour=2)
    clock.move_to(clock.now().replace(hour=15))
    _people(clone, acme)
    with _house(clone, resend, acme) as house:
        cycle.run(house, acme)
        assert len(_witnessed(resend)) == 2
        _take(cloned, clone, tmp_path / "backup")
        # the campaign goes on, and then the house is lost
        for _ in range(2):
            clock.advance(hours=1)
            cycle.run(house, acme)
    before = _witnessed(resend)
    assert len(before) == PEOPLE
    with _restored(cluster, tmp_path / "backup", clock) as restored:
        with restored.tenant(acme) as tx:
            waiting = len(cards.listed(tx, state="deferred")) + len(cards.listed(tx, state="queued"))
            assert waiting == PEOPLE - 2
        with _house(restored, resend, acme) as house:
            cycle.run(house, acme)
            switches.resume(restored, Switch(None, "all"), by="root", reason="impatient")
            clock.advance(hours=2)
            cycle.run(house, acme)
            assert _witnessed(resend) == before
            (told,) = reconcile_restore.run(house, by="root")
            assert (told.opened, told.counts["carried_out_since"]) == (True, PEOPLE - 2)
        _go_on(restored, clock, resend, acme, days=2)
        assert _witnessed(resend) == before
        with restored.tenant(acme) as tx:
            assert alerts.listed(tx) == []
            assert tx.value("SELECT count(*) FROM touches") == PEOPLE
            assert tx.value("SELECT count(*) FROM outbound_messages WHERE carried_message_id IS NOT NULL") >= PEOPLE - 2
        # and the campaign's follow-ups come when they are due, once each
        _go_on(restored, clock, resend, acme, days=5)
        assert len(_witnessed(resend)) == 2 * PEOPLE


@dataclass
class CameBack:
    """What a house told that went on after its backup, was lost, and came back from it."""

    made: backups.Backup
    read: backups.Backup
    folder: Path
    counts: dict[str, tuple[dict[str, int], dict[str, int]]]
    """By tenant, the rows of each table as they were, and as they came back."""
    closed: dict[str, frozenset[tuple[str, str, str]]]
    modes: set[str]
    told: list[reconcile_restore.Told]
    assumed: list[reconcile_restore.Told]
    alerts: dict[str, list[str]]
    """By tenant, what was open after the first asking."""
    before: dict[str, list[str]]
    meanwhile: dict[str, list[str]]
    after: dict[str, list[str]]
    """To whom each tenant's provider was given mails: until the house was lost, before it asked, and days later."""


TENANTS = {"acme": "re_acme", "globex": "re_globex"}
"""Of whom the provider of the second keeps its list to itself; a third one's mail was stopped before."""


@pytest.fixture(scope="module")
def came_back(cluster: gears.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CameBack]:
    """One house, lost and restored once, of whose tenants each stands for another end."""
    clock, folder = HandClock(), tmp_path_factory.mktemp("lost") / "backup"
    with ResendEmulator(clock=clock) as resend:
        yield _story(cluster, clock, resend, folder)


def _story(cluster: gears.Cluster, clock: HandClock, resend: ResendEmulator, folder: Path) -> CameBack:
    cloned = cluster.clone()
    database = Database(cloned.url(), clock)
    ids = {
        "acme": build.acme(database),
        "globex": build.globex(database),
        "initech": build.tenant(database, "initech", {}),
    }
    hands = houses.TestHands()
    for slug, key in TENANTS.items():
        resend.account(key)
        hands.senders[ids[slug]] = ResendSender(key, resend.url)
        _people(database, ids[slug])
    resend.accounts["re_globex"].may_list = False
    switches.write(database, Switch(ids["initech"], "mail"), stopped=True, by="boss", reason="holidays")
    clock.move_to(clock.now().replace(hour=15))
    made = _take(cloned, database, folder)
    counts = {slug: export_tenant.counts(database, each) for slug, each in ids.items()}

    def witnessed() -> dict[str, list[str]]:
        return {slug: _witnessed(resend, key) for slug, key in TENANTS.items()}

    with houses.house(database, hands=hands) as house:
        for slug in TENANTS:
            cycle.run(house, ids[slug])
    before = witnessed()
    database.dispose()
    cluster.retire(cloned)
    with _restored(cluster, folder, clock) as restored, houses.house(restored, hands=hands) as house:
        back = {slug: (counts[slug], export_tenant.counts(restored, each)) for slug, each in ids.items()}
        closed: dict[str, frozenset[tuple[str, str, str]]] = {}
        modes: set[str] = set()
        open_alerts: dict[str, list[str]] = {}
        for slug, each in ids.items():
            with restored.tenant(each) as tx:
                closed[slug] = frozenset(switches.closed(tx))
                modes.add(settings.of(tx).send_mode)
        # planned anew, while nothing may go out: the same intentions have new cards by then
        switches.resume(restored, Switch(None, "all"), by="root", reason="plan only")
        for slug in TENANTS:
            cycle.run(house, ids[slug])
        meanwhile = witnessed()
        told = reconcile_restore.run(house, by="root")
        for slug, each in ids.items():
            with restored.tenant(each) as tx:
                open_alerts[slug] = [alert.kind for alert in alerts.listed(tx)]
        cycle.run(house, ids["globex"])
        assumed = reconcile_restore.run(house, by="root", assume="sent")
        for _ in range(6):
            clock.advance(hours=12)
            for slug in TENANTS:
                cycle.run(house, ids[slug])
        with restored.tenant(ids["initech"]) as tx:
            closed["initech"] &= frozenset(switches.closed(tx))
        return CameBack(made, backups.read(folder), folder, back, closed, modes, told, assumed, open_alerts, before,
                        meanwhile, witnessed())  # fmt: skip


def test_everything_that_was_there_is_there_again(came_back: CameBack) -> None:
    assert came_back.made == came_back.read
    assert (came_back.made.tenants, came_back.folder.stat().st_mode & 0o777) == (3, 0o700)
    for rows, found in came_back.counts.values():
        # the closed switch, and what it leaves in the log and with the alerts
        assert {name for name in rows if rows[name] != found[name]} <= {
            "tenant_switches", "audit_log", "warehouse_events", "agent_alerts"}  # fmt: skip
    assert came_back.modes >= {"live"}
    for closed in came_back.closed.values():
        assert ("tenant", "mail", "") in closed


def test_mails_of_cards_that_the_backup_never_saw_are_not_sent_again(came_back: CameBack) -> None:
    assert len(came_back.before["acme"]) == PEOPLE
    assert came_back.meanwhile == came_back.before
    assert [each.opened for each in came_back.told if each.slug == "acme"] == [True]
    assert came_back.after["acme"] == came_back.before["acme"]


def test_where_the_provider_cannot_tell_the_mail_stays_closed_until_a_person_says_what_to_assume(
    came_back: CameBack,
) -> None:
    assert [each.opened for each in came_back.told if each.slug == "globex"] == [False]
    assert reconcile_restore.ALERT in came_back.alerts["globex"]
    assert reconcile_restore.ALERT not in came_back.alerts["acme"]
    (told,) = came_back.assumed
    assert (told.slug, told.opened, told.counts["rested"]) == ("globex", True, PEOPLE)
    assert came_back.after["globex"] == came_back.before["globex"]


def test_a_tenant_whose_mail_was_stopped_before_stays_stopped_after_reconciling(came_back: CameBack) -> None:
    assert "initech" not in {each.slug for each in came_back.told}
    assert ("tenant", "mail", "") in came_back.closed["initech"]


def test_a_backup_that_was_changed_or_cut_short_is_refused(
    cloned: gears.Clone, clone: Database, cluster: gears.Cluster, tmp_path: Path
) -> None:
    build.acme(clone)
    made = _take(cloned, clone, tmp_path / "backup")
    with pytest.raises(BackupRefused, match="exists"):
        _take(cloned, clone, tmp_path / "backup")
    with pytest.raises(RestoreRefused, match="already"):
        backups.load(cloned.admin_url, _programs(), tmp_path / "backup", made)
    with pytest.raises(BackupRefused, match="BYPASSRLS"):
        backups.take(cloned.url("hourhand_app"), _programs(), tmp_path / "mine", clock=clone.clock, vault=houses.VAULT)
    assert not (tmp_path / "mine").exists()
    dump = tmp_path / "backup" / backups.DUMP
    dump.write_bytes(dump.read_bytes()[:-1])
    with pytest.raises(InvalidBackup, match="changed or cut short"):
        backups.read(tmp_path / "backup")
    with pytest.raises(InvalidBackup):
        backups.read(tmp_path)


def test_the_restored_database_takes_the_place_of_the_one_that_was_there(
    cluster: gears.Cluster, cloned: gears.Clone, clone: Database
) -> None:
    acme = build.acme(clone)
    clone.dispose()
    restored, aside = cluster.empty(), f"{cloned.name}_before"
    administration = cluster.server.url("postgres", "postgres")
    backups.swap(administration, restored.name, cloned.name, aside)
    # whoever made a house there while the backup was loaded finds it where it was put
    assert not backups.discard_empty(administration, aside)
    database = Database(cluster.server.url("hourhand_app", aside), clone.clock)
    with database.tenant(acme) as tx:
        assert tx.value("SELECT slug FROM tenants") == "acme"
    database.dispose()
    cluster.retired += [aside]


def test_a_restore_that_dies_leaves_no_house_open_and_is_done_again(
    cluster: gears.Cluster,
    cloned: gears.Clone,
    clone: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acme = build.acme(clone)
    _take(cloned, clone, tmp_path / "backup")
    target = cluster.empty()
    line = Line(capsys, monkeypatch)
    # nobody may sign in by this name: it ends between the loading and the closing
    move_in(monkeypatch, target.url("hourhand_fleet"), tmp_path)
    monkeypatch.setenv("DATABASE_ADMIN_URL", target.admin_url)
    monkeypatch.setenv("HOURHAND_MASTER_KEYS", "test:" + b64encode(bytes(range(32))).decode())
    with pytest.raises((Spoken, OperationalError)):
        line("restore", str(tmp_path / "backup"))
    with psycopg.connect(target.admin_url) as connection:
        assert connection.execute("SELECT to_regclass('hourhand.tenants')").fetchone() == (None,)
    monkeypatch.setenv("DATABASE_URL", target.url())
    assert line("restore", str(tmp_path / "backup"))["kept"] is None
    with psycopg.connect(target.admin_url) as connection:
        names = {row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()}
    # neither the one that it was loaded into nor the empty one that was there is left
    assert not {each for each in names if each.startswith(("hourhand_before_", f"{target.name}_"))}
    database = Database(target.url(), clone.clock)
    with database.tenant(acme) as tx:
        assert {("house", "all", ""), ("tenant", "mail", "")} <= set(switches.closed(tx))
    database.dispose()
    with pytest.raises(Spoken, match="already"):
        line("restore", str(tmp_path / "backup"))
    cluster.retired += [target.name]


def test_what_takes_long_tells_a_terminal_how_far_it_came_and_a_pipe_nothing(
    cloned: gears.Clone,
    clone: Database,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = Line(capsys, monkeypatch)
    with clone.tenant(build.acme(clone), actor="test") as tx:
        build.contact(tx)
    move_in(monkeypatch, cloned.url(), tmp_path)
    monkeypatch.setenv("DATABASE_ADMIN_URL", cloned.admin_url)
    monkeypatch.setenv("HOURHAND_MASTER_KEYS", "test:" + b64encode(bytes(range(32))).decode())
    for terminal, command, step in (
        (False, ("export", str(tmp_path / "one.zip")), "contact addresses"),
        (True, ("export", str(tmp_path / "two.zip")), "contact addresses"),
        (True, ("erase", "bill@initech.example", "--reason", "asked", "--yes"), "contact addresses"),
        (True, ("backup", str(tmp_path / "backup")), "hourhand.contact_addresses"),
    ):
        monkeypatch.setattr(sys.stderr, "isatty", lambda shown=terminal: shown)
        code, _, told = line.plain(*command)
        assert (code, step in told, "\r" in told) == (0, terminal, terminal), command
