"""Sets everything up on a machine that has only Python, then does what it is asked: `python3 bootstrap.py help`."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
STAMP = VENV / "set-up"
LOCK = ROOT / "requirements-dev.lock"
TOOLS_LOCK = ROOT / "requirements-tools.lock"
OLDEST_PYTHON = (3, 11)
STARTED = (
    "worker.demonstration",
    "worker.doctor",
    "admin_api.app",
    "jobs.cycle",
    "jobs.ingest",
    "rich.table",
    "pytest",
)
"""Modules that import what commands, processes and tests begin with."""
UNSTUCK = ("-o", "faulthandler_timeout=300", "-o", "faulthandler_exit_on_timeout=true")
"""No test takes so many seconds: one that does tells where it hangs, fails, and lets the others go on."""


def main(arguments: list[str]) -> int:
    """Run one verb; the exit code is that of the program it ran."""
    if sys.version_info < OLDEST_PYTHON:
        return _refuse(
            f"Python {'.'.join(map(str, OLDEST_PYTHON))} or newer is needed; this is {sys.version.split()[0]}"
        )
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("help", [])
    if verb not in VERBS:
        return _refuse(f"there is no verb {verb!r}; `python3 bootstrap.py help` lists them")
    os.chdir(ROOT)
    try:
        return VERBS[verb](rest)
    except subprocess.CalledProcessError as error:
        return _refuse(f"`{' '.join(map(str, error.cmd))}` failed with code {error.returncode}")


def show_help(_: list[str]) -> int:
    """list these verbs"""
    print("make <verb>, or where make is absent: python3 bootstrap.py <verb>\n")
    for name, verb in VERBS.items():
        print(f"  {name:11}{verb.__doc__}")
    return 0


def set_up(_: list[str]) -> int:
    """make the environment in .venv (every other verb does it by itself)"""
    _ensure_environment()
    return 0


def demo(rest: list[str]) -> int:
    """two companies, a mailbox, several hours; then the API keeps running (DEMO_EXIT=1 stops instead)"""
    return _become("hourhand", "demo", *rest)


def test(rest: list[str]) -> int:
    """every test, four at a time: many wait for sockets and processes (ARGS='-k clocks' narrows)"""
    return _become("python", "-m", "pytest", *UNSTUCK, *([] if rest else ["-n", "4", "--dist", "worksteal"]), *rest)


def check(_: list[str]) -> int:
    """style, types, import contracts and the search for secrets"""
    steps = (
        ("ruff", "check"),
        ("ruff", "format", "--check"),
        ("mypy",),
        ("lint-imports", "--no-logo", "--no-cache"),
        ("python", "-m", "tests.architecture.leaks"),
    )
    _ensure_environment()
    # side by side, because types take as long as all the others; each is told whole, in this order
    with ThreadPoolExecutor(len(steps)) as side_by_side:
        done = [side_by_side.submit(_quietly, *step) for step in steps]
        failed = []
        for step, each in zip(steps, done, strict=True):
            code, told = each.result()
            print(f"── {' '.join(step)}\n{told}", end="", flush=True)
            if code:
                failed.append(" ".join(step))
    print("check: " + (f"failed: {', '.join(failed)}" if failed else "all clean"))
    return 1 if failed else 0


def bench(rest: list[str]) -> int:
    """measure what docs/performance.md claims, against peers in the same run (ARGS='-k pf2' narrows)"""
    return _become("python", "-m", "pytest", "-o", "python_files=bench_*.py", "-q", *(rest or ["tests/bench"]))


def crash(rest: list[str]) -> int:
    """the crash laboratory in its long form: every boundary 250 times, kill -9 a hundred times (hours)"""
    return _laboratory("crash", rest, LAB_SEEDS="250", LAB_KILLS="100", LAB_DATABASE_KILLS="20")


def stop(rest: list[str]) -> int:
    """the stop laboratory in its long form: every switch flipped 50 times under load"""
    return _laboratory("stop", rest, LAB_FLIPS="50")


def machine(rest: list[str]) -> int:
    """the state machine in its long form: 20,000 steps of cards, switches, opt-outs and replies"""
    return _laboratory("machine", rest, LAB_STEPS="20000")


def neighbours(rest: list[str]) -> int:
    """neighbours and shutdown in their long form: a thousandfold load, 50 SIGTERMs, 500 beats of two schedulers"""
    return _laboratory("neighbours", rest, LAB_LOAD="1000", LAB_TERMS="50", LAB_BEATS="500")


def _laboratory(name: str, rest: list[str], **counts: str) -> int:
    for variable, count in counts.items():
        os.environ.setdefault(variable, count)
    return _become("python", "-m", "pytest", f"tests/{name}", "-n", "2", *rest)


def write_map(_: list[str]) -> int:
    """rewrite the README's map of modules and table of settings from the code"""
    return _become("python", "-m", "tests.architecture.room_map")


def lock(rest: list[str]) -> int:
    """resolve pyproject.toml anew into the hashed locks (ARGS=--upgrade takes newer versions)"""
    _ensure_environment()
    uv = _uv()
    if uv is None:
        return _refuse("locking needs uv, which can't run here")
    common = ["--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--quiet"]
    command = [uv, "pip", "compile", *common, "--python-version", "3.11", *rest]
    dev = [*command, "pyproject.toml", "--group", "dev", "--constraint", "requirements.lock"]
    _call([*command, "pyproject.toml", "--output-file", "requirements.lock"])
    _call([*dev, "--output-file", LOCK.name])
    tools = [*command, "--group", "pyproject.toml:tools", "--constraint", LOCK.name]
    _call([*tools, "--output-file", TOOLS_LOCK.name])
    return 0


VERBS: dict[str, Callable[[list[str]], int]] = {
    "help": show_help,
    "setup": set_up,
    "demo": demo,
    "test": test,
    "check": check,
    "bench": bench,
    "crash": crash,
    "stop": stop,
    "machine": machine,
    "neighbours": neighbours,
    "map": write_map,
    "lock": lock,
}


def _become(program: str, *arguments: str) -> int:
    """Turn into a program of the environment: signals and the exit code are its own from here on."""
    _ensure_environment()
    path = str(VENV / "bin" / program)
    os.execve(path, [path, *arguments], _environment())


def _quietly(program: str, *arguments: str) -> tuple[int, str]:
    done = subprocess.run([VENV / "bin" / program, *arguments], env=_environment(), check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    return done.returncode, done.stdout


def _ensure_environment() -> None:
    """Make .venv hold exactly the locked packages and this project; nothing to do if it does already."""
    wanted = _fingerprint()
    if _is_set_up(wanted):
        return
    with _one_at_a_time():
        if _is_set_up(wanted):
            return
        print(
            "Setting up the environment in .venv (once; seconds with cached packages, else a minute or two)", flush=True
        )
        uv = _uv()
        if uv is not None:
            _install_with_uv(uv)
        else:
            _install_with_pip()
        _compile()
        STAMP.write_text(wanted)


def _fingerprint() -> str:
    digest = hashlib.sha256()
    for name in (LOCK.name, "pyproject.toml", "bootstrap.py"):
        digest.update((ROOT / name).read_bytes())
    return f"{digest.hexdigest()} {ROOT}"


def _is_set_up(wanted: str) -> bool:
    return STAMP.exists() and STAMP.read_text() == wanted and (VENV / "bin" / "python").exists()


def _install_with_uv(uv: str) -> None:
    # An environment that was moved or copied still runs the old place's code: it is made anew.
    at_home = STAMP.exists() and STAMP.read_text().endswith(f" {ROOT}")
    if not (at_home and (VENV / "bin" / "python").exists()):
        _call([uv, "venv", "--quiet", "--clear", "--no-project", "--python", _python(), str(VENV)])
    target = ["--python", str(VENV / "bin" / "python"), "--quiet"]
    # `sync` also takes away what is no longer locked; the project itself goes in last, without its dependencies,
    # and is built by the locked setuptools: build isolation would fetch another one, unpinned.
    _call([uv, "pip", "sync", *target, "--require-hashes", str(LOCK)])
    _call([uv, "pip", "install", *target, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])


def _install_with_pip() -> None:
    shutil.rmtree(VENV, ignore_errors=True)
    _call([_python(), "-m", "venv", "--without-pip", str(VENV)])  # with pip it needs a package Debian splits off
    pip = [_python(), "-m", "pip", "--python", str(VENV / "bin" / "python"), "install", "--quiet", "--no-deps"]
    _call([*pip, "--require-hashes", "--requirement", str(LOCK)])
    _call([*pip, "--no-build-isolation", "--editable", str(ROOT)])


def _compile() -> None:
    """Import once what every start imports, so that its bytecode is kept: reading sources anew triples a start.

    Not all that is installed: most of it is never imported, and compiling it would take a minute.
    """
    _call([str(VENV / "bin" / "python"), "-c", f"import {', '.join(STARTED)}"])


def _uv() -> str | None:
    """A uv that runs here: ours, the machine's, or one installed beside the project from its hashed lock."""
    ours = TOOLS / "bin" / "uv"
    for candidate in (str(ours), shutil.which("uv")):
        if candidate and _works(candidate):
            return candidate
    # --target is allowed where the system's Python is closed to pip (PEP 668).
    install = [_python(), "-m", "pip", "install", "--quiet", "--root-user-action", "ignore", "--upgrade"]
    install += ["--target", str(TOOLS), "--no-deps", "--require-hashes", "--requirement", str(TOOLS_LOCK)]
    if not _works(_python(), "-m", "pip"):
        raise SystemExit("bootstrap: this Python has no pip; install it (Debian: apt-get install python3-pip)")
    if subprocess.run(install, env=_environment(), check=False).returncode == 0 and _works(str(ours)):
        return str(ours)
    print("uv can't run here: falling back to pip, which takes a minute or so", flush=True)
    return None


def _works(*command: str) -> bool:
    try:
        return subprocess.run([*command, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def _python() -> str:
    """The machine's own Python, also when we were started from inside .venv."""
    return str(getattr(sys, "_base_executable", None) or sys.executable)


def _environment() -> dict[str, str]:
    """Ours, with caches beside the project where there is no home to write to, and with bytecode that is kept."""
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    environment.pop("VIRTUAL_ENV", None)
    if ssl.create_default_context().cert_store_stats()["x509"]:
        # Behind a company's own gate only the machine knows whose certificates are to be trusted.
        environment.setdefault("UV_SYSTEM_CERTS", "true")
    # A machine may forbid bytecode to keep its folders clean, but every start would then compile 800 modules anew:
    # ours lies where nobody looks.
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["PYTHONPYCACHEPREFIX"] = str(TOOLS / "cache" / "bytecode")
    home = environment.get("HOME", "")
    if not (home and os.access(home, os.W_OK)):
        environment.setdefault("UV_CACHE_DIR", str(TOOLS / "cache" / "uv"))
        environment.setdefault("PIP_CACHE_DIR", str(TOOLS / "cache" / "pip"))
    return environment


@contextlib.contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two `make` at once take turns."""
    TOOLS.mkdir(exist_ok=True)
    with (TOOLS / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _call(command: list[str]) -> None:
    subprocess.run(command, check=True, env=_environment())


def _refuse(reason: str) -> int:
    print(f"bootstrap: {reason}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
