"""The embedded PostgreSQL: one per folder, shared by who needs it, gone with the last."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tests import gears
from worker import embedded, postgres_files

AS_ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data folder that any OS user may reach; pytest's own is closed to all but its owner."""
    path = Path(tempfile.mkdtemp(prefix="hourhand-embedded-", dir=gears.storage()))
    path.chmod(0o755)
    yield path
    embedded.attach(path, throwaway=True).stop()
    shutil.rmtree(path)


def _postmaster(folder: Path) -> int | None:
    try:
        return int((folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])
    except FileNotFoundError:
        return None


def _child(folder: Path, verb: str) -> subprocess.Popen[str]:
    """Another process that uses the folder's server until its input closes."""
    code = (
        "import sys; from pathlib import Path; from worker import embedded\n"
        f"server = embedded.{verb}(Path(sys.argv[1]), throwaway=True)\n"
        "print('ready', flush=True); sys.stdin.read(); server.stop()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], cwd=REPOSITORY, text=True, stdin=subprocess.PIPE, stdout=-1
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def _end(child: subprocess.Popen[str]) -> None:
    child.communicate(timeout=60)


def test_a_server_starts_from_nothing_with_the_locale_and_limits_we_count_on(folder: Path) -> None:
    with embedded.start(folder, throwaway=True) as server, psycopg.connect(server.url()) as connection:
        row = connection.execute(
            "SELECT datlocprovider, datlocale, pg_encoding_to_char(encoding), current_setting('max_connections'),"
            " current_setting('listen_addresses'), current_setting('TimeZone'), current_setting('data_checksums'),"
            " current_setting('server_version_num')::int / 10000 FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        assert row == ("b", "C.UTF-8", "UTF8", "100", "", "UTC", "on", 18)
        connection.execute("CREATE EXTENSION vector")
    assert _postmaster(folder) is None


def test_data_outlives_a_restart(folder: Path) -> None:
    with embedded.start(folder, throwaway=True) as server, psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with embedded.start(folder, throwaway=True) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_starting_twice_on_one_folder_is_refused_with_the_holders_name(folder: Path) -> None:
    with embedded.start(folder, since="2026-03-02 09:00 UTC", throwaway=True):
        with pytest.raises(embedded.DataFolderHeld) as refused:
            embedded.start(folder, throwaway=True)
        assert refused.value.holder["pid"] == os.getpid()
        assert "2026-03-02 09:00 UTC" in str(refused.value)
        assert str(os.getpid()) in str(refused.value)
    with embedded.start(folder, throwaway=True) as again:
        assert again.url().startswith("postgresql://postgres@/hourhand?host=")


def test_a_command_that_attaches_leaves_the_server_running(folder: Path) -> None:
    with embedded.start(folder, throwaway=True) as server:
        before = _postmaster(folder)
        child = _child(folder, "attach")
        _end(child)
        assert _postmaster(folder) == before
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_the_last_to_leave_stops_the_server_also_when_the_holder_left_first(folder: Path) -> None:
    server = embedded.start(folder, throwaway=True)
    child = _child(folder, "attach")
    assert not server.stop()
    assert _postmaster(folder) is not None
    _end(child)
    assert _postmaster(folder) is None


def test_a_killed_holder_frees_the_folder_and_its_server_is_adopted(folder: Path) -> None:
    child = _child(folder, "start")
    before = _postmaster(folder)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=60)
    with embedded.start(folder, throwaway=True) as server:
        assert _postmaster(folder) == before
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert _postmaster(folder) is None


def test_a_killed_server_recovers_and_its_stale_process_number_is_ignored(folder: Path) -> None:
    server = embedded.attach(folder)
    with psycopg.connect(server.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS answer")
    pid = _postmaster(folder)
    assert pid is not None
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs(family, timeout=60)
    # The number may belong to anybody by now: here to this very test.
    stale = folder / "postgres" / "postmaster.pid"
    stale.write_text(stale.read_text().replace(str(pid), str(os.getpid()), 1))
    with embedded.attach(folder) as revived, psycopg.connect(revived.url()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (1,)
    server.stop()


def test_half_a_first_start_is_made_good(folder: Path) -> None:
    (folder / "postgres.partial").mkdir()
    (folder / "postgres.partial" / "PG_VERSION").write_text("18\n")
    with embedded.start(folder, throwaway=True) as server, psycopg.connect(server.url()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_stopping_twice_does_no_harm(folder: Path) -> None:
    server = embedded.start(folder, throwaway=True)
    assert server.stop()
    assert not server.stop()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path) -> None:
    deep = folder / ("a" * 60) / ("b" * 60)
    with embedded.start(deep, throwaway=True) as server:
        socket_folder = postgres_files.socket_folder(server.cluster, postgres_files.server_owner())
        assert len(str(socket_folder)) <= postgres_files.SOCKET_PATH_LIMIT
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        with psycopg.connect(server.url()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    socket_folder.rmdir()


def test_no_other_user_reaches_the_data_or_the_socket(folder: Path) -> None:
    with embedded.start(folder, throwaway=True) as server:
        mode = server.cluster.stat().st_mode
        assert stat.S_IMODE(mode) == 0o700
        owner = server.cluster.stat().st_uid
        assert pwd.getpwuid(owner).pw_name == ("hourhand" if AS_ROOT else pwd.getpwuid(os.geteuid()).pw_name)


def test_no_folder_above_the_data_is_opened_for_the_servers_user(folder: Path) -> None:
    """As root the server runs as another user: it is let into our folder only, and refused where that isn't enough."""
    outer = folder / "private"
    outer.mkdir(mode=0o700)
    server = embedded.Server(outer / "data", throwaway=True)
    if AS_ROOT:
        with pytest.raises(postgres_files.FolderClosed, match="HOURHAND_DATA_DIR"):
            server.open()
    else:
        server.open()
        server.stop()
    assert stat.S_IMODE(outer.stat().st_mode) == 0o700


def test_programs_that_the_servers_user_cannot_reach_are_copied(folder: Path, tmp_path: Path) -> None:
    spec = postgres_files.installed_package()
    copied = postgres_files.copied(spec, folder / "programs")
    assert subprocess.run([copied / "bin" / "postgres", "--version"], check=True, capture_output=True).stdout
    assert postgres_files.closed_parent(copied / "bin") is None
    assert postgres_files.copied(spec, folder / "programs") == copied
    tmp_path.chmod(0o700)
    assert postgres_files.closed_parent(tmp_path / "bin") is not None


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"HOURHAND_DATA_DIR": "/srv/hourhand"}, Path("/srv/hourhand")),
        ({"HOURHAND_DATA_DIR": "  "}, None),
        ({}, None),
    ],
)
def test_the_data_folder_is_the_chosen_one_or_the_users_default(
    environment: dict[str, str], expected: Path | None
) -> None:
    default = Path("/var/lib/hourhand") if AS_ROOT else Path.cwd() / ".hourhand"
    assert embedded.default_data_dir(environment) == (expected or default)
