"""Fixtures every test may ask for, and the rules every test run keeps."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis
import pytest

from domain.db import Database, Tx
from tests import gears, staff, undone
from tests.hand_clock import HandClock
from tests.log_watch import WATCH
from tests.providers.certificates import a_certificate
from tests.providers.dovecot import Dovecot, why_not
from tests.reused import Reused

hypothesis.settings.register_profile("hourhand", deadline=None, database=None, derandomize="CI" in os.environ)
hypothesis.settings.load_profile("hourhand")

GUARD = gears.NetworkGuard()
GUARD.install()


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    """Fail a test that reached for the network, even where the code under test hid the refusal."""
    GUARD.attempts.clear()
    yield
    assert not GUARD.attempts, f"{gears.OffLoopback.__doc__} {GUARD.attempts}"


@pytest.fixture(autouse=True)
def _no_secret_in_a_log_line() -> Iterator[None]:
    """Fail a test in which an address, a phone, a key or a body got into a line of the log."""
    WATCH.install()
    yield
    found = WATCH.forget()
    assert not found, found


@pytest.fixture(scope="session")
def cluster() -> Iterator[gears.Cluster]:
    """The run's embedded PostgreSQL with a migrated template."""
    yield from gears.cluster_for_run(os.environ.get("PYTEST_XDIST_TESTRUNUID", ""))


@pytest.fixture(scope="session")
def room() -> Iterator[staff.Room]:
    """Where real processes of Hourhand are forked off; see `tests/staff.py`."""
    made = staff.Room()
    yield made
    made.close()


@pytest.fixture
def cloned(cluster: gears.Cluster) -> Iterator[gears.Clone]:
    """A migrated database of the test's own, by its URLs."""
    clone = cluster.clone()
    yield clone
    cluster.retire(clone)


@pytest.fixture
def clock() -> HandClock:
    """A Monday morning that lasts until the test moves on."""
    return HandClock()


@pytest.fixture(scope="session")
def reused(cluster: gears.Cluster) -> Iterator[Reused]:
    """The database that tests have one after another."""
    made = Reused(cluster)
    yield made
    made.close()


@pytest.fixture
def clone(request: pytest.FixtureRequest, reused: Reused, clock: HandClock) -> Iterator[Database]:
    """A migrated database of the test's own, entered as the process enters it."""
    if "cloned" in request.fixturenames:
        # the test knows the superuser's door: what it breaks can't be washed out
        database = Database(request.getfixturevalue("cloned").url(), clock)
        yield database
        database.dispose()
    else:
        with reused.lend(clock) as database:
            yield database


@pytest.fixture(scope="module")
def house(cluster: gears.Cluster) -> Iterator[tuple[Database, UUID]]:
    """One database with acme for all tests of a file; a file that needs more in it has a `house` of its own."""
    with undone.a_house(cluster) as made:
        yield made


@pytest.fixture
def tx(house: tuple[Database, UUID]) -> Iterator[Tx]:
    """Acme's transaction, which is taken back after the test."""
    database, acme = house
    with database.tenant(acme, actor="ana") as inside:
        yield inside
        inside.roll_back()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 with its key, which nobody but a test vouches for."""
    return a_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def dovecot(certificate: Path) -> Iterator[Dovecot]:
    """An IMAP server of the test's own."""
    reason = why_not()
    if reason is not None:
        pytest.skip(reason)
    with Dovecot(certificate) as server:
        yield server


@pytest.fixture
def figures(record_property: Callable[[str, object], None]) -> Callable[..., None]:
    """Tell what a laboratory or a benchmark counted: `figures("crash", runs=10_000, doubled=0)`.

    Every run prints them before its closing line, one JSON object each.
    """
    return lambda subject, **counted: record_property("figures", {"subject": subject, **counted})


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is imported and collected stays: looking for garbage in it would take a fifth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_testnodedown(node: Any, error: object) -> None:
    """A worker of the suite is done: add the lines that it looked at to ours."""
    WATCH.lines += getattr(node, "workeroutput", {}).get("log_lines", 0)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skipped test is a failed run: what wasn't checked there is checked nowhere."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["log_lines"] = WATCH.lines
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was counted, and say why a run without failures failed."""
    told = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "figures" and report.when == "call"
    ]
    told.append({"subject": "log lines without an address, a phone, a key or a body", "lines": WATCH.lines})
    if len(told) > 1:
        terminalreporter.section("figures")
    for each in sorted(told, key=lambda figure: str(figure["subject"])):
        terminalreporter.write_line(json.dumps(each))
    if os.environ.get("CI") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("CI fails on skipped tests: see SKIPPED above", red=True)
