"""Imports go down only: the contracts hold, and each of them is known to bite."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT, rooms

LINT = Path(sys.executable).with_name("lint-imports")
# (file, import) → the contract that must break
DEFECTS = [
    ("domain/cards.py", "import jobs.execute", "Imports go down only"),
    ("engines/engagement.py", "import jobs.execute", "Imports go down only"),
    ("policy/rules.py", "import providers.mail", "Imports go down only"),
    ("admin_api/routes.py", "import simulator.world", "Imports go down only"),
    ("jobs/execute.py", "def f() -> None:\n    import worker.assembly", "Imports go down only"),
    ("jobs/execute.py", "import resend", "Vendors' SDKs end in providers"),
    ("brain/ask.py", "def f() -> None:\n    from anthropic import Anthropic", "Vendors' SDKs end in providers"),
    ("worker/assembly.py", "from google.oauth2 import credentials", "Vendors' SDKs end in providers"),
    ("domain/mail.py", "import smtplib", "Vendors' SDKs end in providers"),
    ("engines/engagement.py", "import providers.mail", "Engines hold no keys and judge nothing"),
    ("engines/engagement.py", "import policy.rules", "Engines hold no keys and judge nothing"),
    ("engines/quotes.py", "import engines.engagement", "Engines know nothing of one another"),
    ("engines/engagement.py", "import engines.registry", "Engines know nothing of one another"),
    ("jobs/execute.py", "import migrations.apply", "Only the process and the simulator migrate"),
    ("domain/cards.py", "import domain.mail", "No circles"),
]


def _lint(folder: Path) -> str:
    done = subprocess.run(
        [LINT, "--no-cache", "--no-logo", "--config", str(folder / "pyproject.toml")],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "COLUMNS": "200"},
    )
    return f"{done.stdout}{done.stderr}\nexit {done.returncode}"


@pytest.fixture
def small_house(tmp_path: Path) -> Path:
    """The same rooms and contracts, with almost nothing in them."""
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for room in rooms():
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    for module in {file for file, _, _ in DEFECTS} | {"providers/mail.py", "simulator/world.py", "migrations/apply.py"}:
        (tmp_path / module).touch()
    (tmp_path / "domain/mail.py").write_text("import domain.cards\n")
    (tmp_path / "engines/contract.py").touch()
    (tmp_path / "engines/quotes.py").write_text("import engines.contract\n")
    (tmp_path / "engines/registry.py").write_text("import engines.quotes\n")
    return tmp_path


def test_the_contracts_hold() -> None:
    outcome = _lint(ROOT)
    assert outcome.endswith("exit 0"), outcome
    assert "0 broken" in outcome


def test_each_contract_catches_its_seeded_defect(small_house: Path) -> None:
    assert _lint(small_house).endswith("exit 0")
    for file, statement, contract in DEFECTS:
        path = small_house / file
        before = path.read_text()
        path.write_text(f"{before}{statement}\n")
        outcome = _lint(small_house)
        path.write_text(before)
        assert outcome.endswith("exit 1"), f"{file}: {statement} went unnoticed\n{outcome}"
        assert re.search(rf"^{re.escape(contract)}\s+BROKEN", outcome, re.MULTILINE), outcome


def test_every_contract_has_a_seeded_defect() -> None:
    named = re.findall(r'^name = "(.*)"\ntype = ', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(named) == {contract for _, _, contract in DEFECTS}
