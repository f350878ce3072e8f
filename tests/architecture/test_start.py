"""What a start may import: time goes into imports before it goes into anything else, and one line can double it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import gears
from tests.architecture.source import ROOT

VENDORS = {"googleapiclient", "google", "google_auth_httplib2", "resend", "anthropic", "httplib2", "smtplib"}
READING = {"brain.reading", "lxml", "bs4", "inscriptis", "pypdf", "docx", "icalendar", "quotequail", "flufl"}
STAYING = {
    "fastapi", "starlette", "uvicorn", "procrastinate", "apscheduler", "croniter", "prometheus_client", "admin_api",
    "worker.process", "worker.queue", "worker.scheduler", "jobs.timetable", "jobs.cycle",
}  # fmt: skip
RARE = {"alembic", "migrations", "phonenumbers", "holidays", "tldextract", "jinja2", "hypothesis", "pytest"}
DATABASE = {"sqlalchemy", "psycopg", "pydantic", "domain"}
LOGGING = {"structlog", "rich.traceback", "pygments", "psutil"}


def imported(*arguments: str, **environment: str) -> set[str]:
    """Every module that a run of Python imports, and the packages around them."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("HOURHAND_", "AGENT_"))}
    run = subprocess.run(
        [sys.executable, "-X", "importtime", *arguments], cwd=ROOT, env=kept | environment, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert run.stdout
    names = {line.rsplit("|", 1)[-1].strip() for line in run.stderr.splitlines() if line.startswith("import time:")}
    return names | {name.rpartition(".")[0] for name in names}


def test_help_imports_neither_the_database_nor_anything_heavy() -> None:
    found = imported("-m", "worker", "--help")
    assert "worker.cli" in found
    assert not found & (DATABASE | LOGGING | VENDORS | READING | STAYING | RARE | {"jobs", "rich"})


def test_status_imports_what_asks_the_database_and_no_more(cloned: gears.Clone, tmp_path: Path) -> None:
    found = imported("-m", "worker", "status", "--json", DATABASE_URL=cloned.url(), HOURHAND_DATA_DIR=str(tmp_path))
    assert found >= {"domain.tenants", "jobs.backlog"}
    assert not found & (LOGGING | VENDORS | READING | STAYING | RARE | {"rich"})


def test_the_process_stands_before_it_imports_what_its_first_mail_needs() -> None:
    found = imported("-c", "import worker.process, admin_api.app; print('up')")
    assert found >= {"fastapi", "procrastinate"}
    assert not found & (VENDORS | READING | {"alembic", "migrations", "phonenumbers", "holidays", "tldextract"})
