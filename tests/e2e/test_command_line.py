"""What the command line says to somebody who got it wrong, and a mail folder taken in from end to end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.letters import letter
from tests.e2e.rehearsal import Rehearsal, rehearsal
from tests.staff import Room
from worker import embedded

MONDAY = datetime(2026, 3, 2, 9, 1, tzinfo=UTC)
OWN = "ana@acme.example"


@pytest.fixture(scope="module")
def stage(room: Room) -> Iterator[Rehearsal]:
    """Acme and globex, and nobody at work: the first command starts the database for itself, the others find it."""
    with rehearsal(room, MONDAY) as made:
        made.command("tenant", "add", "acme", "--name", "Acme", "--set", "country=ES")
        assert not (made.folder / "postgres" / "postmaster.pid").exists(), "and has stopped it again"
        with embedded.attach(made.folder):
            made.command("tenant", "add", "globex", "--name", "Globex")
            yield made


def refusal(stage: Rehearsal, *arguments: str, **settings: str) -> str:
    """The one sentence with which a command is refused."""
    answer = stage.try_command(*arguments, **settings)
    assert answer.code == 2, answer
    assert answer.stdout == ""
    assert answer.stderr.startswith("hourhand: ")
    assert answer.stderr.count("\n") == 1
    assert "Traceback" not in answer.stderr
    return answer.stderr


def test_a_wrong_setting_is_named_with_its_mend(stage: Rehearsal) -> None:
    told = refusal(stage, "status", EMAIL_SEND_MODE="loud")
    assert "EMAIL_SEND_MODE" in told
    assert "dry_run" in told
    assert "did you mean HOURHAND_PORT" in refusal(stage, "status", HOURHAND_PROT="1")
    assert "HOURHAND_PORT" in refusal(stage, "up", HOURHAND_PORT="many")


def test_an_unknown_tenant_is_named(stage: Rehearsal) -> None:
    assert "'initech'" in refusal(stage, "cards", "-t", "initech")
    assert "hourhand tenant list" in refusal(stage, "cards")


def test_a_wrong_tenant_setting_is_named(stage: Rehearsal) -> None:
    assert "send_mode" in refusal(stage, "mode", "loud", "-t", "acme")
    assert "max_emails_per_hour" in refusal(stage, "tenant", "set", "max_emails_per_hour=many", "-t", "acme")


def test_a_malformed_row_is_set_aside_with_line_field_and_mend(stage: Rehearsal) -> None:
    path = stage.folder.parent / "people.csv"
    path.write_text("Name,Email,Company\nBill,bill@initech.example,Initech\nMona,mona(at)nowhere,Vandelay\n")
    told = stage.command("contacts", "import", str(path), "-t", "acme")
    assert (told["created"], told["bad"]) == (1, 1)
    [bad] = stage.command("imports", "errors", told["import_id"], "-t", "acme")
    assert (bad["line"], bad["field"], bool(bad["mend"])) == (3, "email", True)
    path.write_text("Just some words\n")
    assert "email" in refusal(stage, "contacts", "import", str(path), "-t", "acme").lower()


def test_missing_keys_are_stated_not_stumbled_over(stage: Rehearsal) -> None:
    stage.command("tenant", "set", "send_mode=live", "-t", "globex")
    answer = stage.try_command("doctor", "-t", "globex")
    assert answer.code == 1
    assert "resend_api_key is not stored" in answer.stdout
    assert "hourhand credential set resend_api_key" in answer.stdout
    assert "sender_address" in answer.stdout
    status = stage.command("status")
    assert any("resend_api_key" in missing for row in status["tenants"] for missing in row["missing"])


def test_a_mail_folder_is_kept_byte_for_byte_and_cycles_run_on_it(stage: Rehearsal) -> None:
    folder = stage.folder.parent / "takeout"
    raws = write_folder(folder)
    told = stage.command("mailbox", "import", str(folder), "--address", OWN, "-t", "acme")
    assert told["counts"]["messages"] == len(raws)
    kept = stage.look("SELECT raw_sha256 FROM gmail_messages")
    assert {bytes(row["raw_sha256"]) for row in kept} == {hashlib.sha256(raw).digest() for raw in raws}
    again = stage.command("mailbox", "import", str(folder), "--address", OWN, "-t", "acme")
    assert "messages" not in again["counts"]
    for days in (0, 22):
        stage.go_to(MONDAY + timedelta(days=days))
        run = stage.command("cycle", "-t", "acme")
        assert run["errors"] == []
        assert (run["outcome"], run["executed"]) == ("completed", 0)
    assert stage.resend.witness.posts() == []


def write_folder(folder: Path) -> list[bytes]:
    """A takeout as people keep them: folders in folders, three kinds of newline, and things that are broken."""
    (folder / "2025" / "old").mkdir(parents=True)
    raws = []
    for n in range(40):
        raw = letter(f"Person {n} <p{n}@initech.example>", OWN, f"Note {n}", f"Hello,\n\nthis is note {n}.\n\nP{n}\n",
                     at=MONDAY - timedelta(days=n), attachment=b"%PDF-1.4 bytes" if n % 7 == 0 else None)  # fmt: skip
        newline = (b"\n", b"\r\n", b"\r")[n % 3]
        raws.append(raw.replace(b"\n", newline))
        (folder / ("2025" if n % 2 else "2025/old") / f"{n}.eml").write_bytes(raws[-1])
    broken = [
        b"From: nobody\nSubject: =?utf-8?b?broken\n\n\xff\xfe\x00",
        b"Content-Type: multipart/mixed; boundary=x\nFrom: <>\n\n--y\n--x--\n",
        b"no header at all",
    ]
    for n, raw in enumerate(broken):
        (folder / f"broken-{n}.eml").write_bytes(raw)
    return raws + broken
