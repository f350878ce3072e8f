"""The command line: everything by commands alone, tried first, in JSON, and one sentence for each mistake."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import typer

from domain import approval, quarantine, settings
from domain.db import Database
from tests import build, gears
from tests.worker.line import Line, Spoken, move_in
from worker.cli import app, speaking

FOREVER = {"up", "worker", "demo"}
LOOKS = {"list", "show", "stats", "status"}
READS = {
    "cards", "why", "runs", "reflect", "mail explain", "doctor", "db url", "db psql", "imports errors",
    "alerts deliveries", "orders exceptions", "feedback due", "feedback recoveries", "deals stages",
    "compliance schedules", "compliance checks", "whatif set", "brain calls",
}  # fmt: skip


@pytest.fixture(scope="module")
def acmes_house(cluster: gears.Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """One database with acme, and its data folder, for all mistakes: none of them changes anything."""
    clone, folder = cluster.clone(), tmp_path_factory.mktemp("acme") / "data"
    with pytest.MonkeyPatch.context() as environment:
        move_in(environment, clone.url(), folder)
        assert speaking.run(app, ("tenant", "add", "acme", "--name", "Acme")) == 0
    yield clone.url(), folder
    cluster.retire(clone)


@pytest.fixture
def hh_of_all(
    acmes_house: tuple[str, Path], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Line:
    """The command line on that one house."""
    move_in(monkeypatch, *acmes_house)
    return Line(capsys, monkeypatch)


def test_every_command_answers_in_json_and_every_one_that_writes_can_be_tried() -> None:
    for path, command in _commands().items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert "--json" in options or path == "db psql", path
        assert "--dry-run" in options or path in READS | FOREVER or path.split()[-1] in LOOKS, path


def test_a_tenant_from_founding_to_live(hh: Line) -> None:
    assert hh("tenant", "list") == []
    tried = hh("tenant", "add", "acme", "--name", "Acme", "--set", "country=US", "--dry-run")
    assert (tried["slug"], tried["done"], hh("tenant", "list")) == ("acme", False, [])
    assert hh("tenant", "add", "acme", "--name", "Acme", "--set", 'registered_domains=["acme.example"]')["done"]
    hh("tenant", "set", "sender_address=ana@acme.example", "sender_name=Ana", "max_emails_per_hour=7")
    shown = hh("tenant", "show")["settings"]
    assert (shown["max_emails_per_hour"], shown["registered_domains"]) == (7, ["acme.example"])
    assert not hh("mode", "live", "--dry-run")["done"]
    assert hh("tenant", "show")["settings"]["send_mode"] == "dry_run"
    assert hh("mode", "live", "--reason", "we are ready")["changed"]["send_mode"] == {"from": "dry_run", "to": "live"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("tenant", "add", "Not A Slug", "--name", "x"), "slug"),
        (("tenant", "add", "acme", "--name", "again"), "belongs to another tenant"),
        (("tenant", "set", "send_mode=loud"), "send_mode"),
        (("tenant", "set", "max_emails_per_hour=many"), "max_emails_per_hour"),
        (("tenant", "set", "nonsense"), "name=value"),
        (("tenant", "show", "-t", "nobody"), "no tenant 'nobody'"),
        (("cards", "--state", "lost"), "--state"),
        (("why", "019cadc6-9a80-7001-8000-000000000001"), "no card"),
        (("runs", "--number", "9"), "no cycle 9"),
        (("kill",), "--reason"),
        (("kill", "--reason", "x", "--mail", "--engine", "engagement"), "choose one"),
        (("kill", "--reason", "x", "--engine", "engagment"), "--engine"),
        (("kill", "--reason", "x", "--action", "send_emial"), "send_emial"),
        (("gmail", "revoke", "--address", "a@b.example"), "hourhand mailbox status"),
        (("mailbox", "import", "/nowhere", "--address", "a@b.example"), "/nowhere does not exist"),
        (("credential", "set", "aws_key"), "resend_api_key"),
        (("credential", "remove", "smtp_url"), "smtp_url"),
        (("key", "revoke", "abc"), "hourhand key list"),
        (("dead", "replay", "019cadc6-9a80-7001-8000-000000000001"), "no dead letter"),
        (("snooze", "not-an-id"), "valid UUID"),
        (("nonsense",), "nonsense"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(hh_of_all: Line, arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(Spoken) as spoken:
        hh_of_all(*arguments, stdin="secret\n")
    assert spoken.value.code == 2
    assert told in spoken.value.sentence
    assert "\n" not in spoken.value.sentence.strip()


def test_a_wrong_setting_stops_every_command(hh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_KILL_SWICH", "true")
    with pytest.raises(Spoken, match="did you mean AGENT_KILL_SWITCH"):
        hh("status")


def test_with_several_tenants_one_must_be_named(hh: Line) -> None:
    with pytest.raises(Spoken, match="hourhand tenant add"):
        hh("cards")
    for slug in ("acme", "globex"):
        hh("tenant", "add", slug, "--name", slug)
    with pytest.raises(Spoken, match="--tenant"):
        hh("cards")
    assert hh("cards", "--tenant", "globex") == []


def test_contacts_come_in_and_a_cycle_proposes_holds_and_explains(hh: Line, tmp_path: Path) -> None:
    _acme(hh)
    people = tmp_path / "people.csv"
    people.write_text("Name,Email,Company\nBill,bill@initech.example,Initech\nBad,nowhere,Initech\n", encoding="utf-8")
    assert hh("contacts", "import", str(people), "--dry-run")["created"] == 1
    assert hh("contacts", "list") == []
    report = hh("contacts", "import", str(people))
    assert (report["created"], [row["field"] for row in report["put_aside"]]) == (1, ["email"])
    assert hh("import", str(people), "--kind", "contacts", "--map", "Company=company")["unchanged"] == 1
    again, first = hh("imports", "list")
    assert (first["id"], again["unchanged"]) == (report["import_id"], 1)
    assert [row["line"] for row in hh("imports", "errors", first["id"])] == [3]
    assert "nowhere" in hh.plain("imports", "errors", first["id"])[1]
    assert hh("imports", "undo", first["id"], "--dry-run")["undone"] == 2
    assert hh("imports", "show", first["id"])["state"] == "done"

    before = hh("runs")
    assert hh("cycle", "--explain")["tenant"] == hh("cycle", "--dry-run")["tenant"] == "acme"
    assert hh("runs") == before == []
    run = hh("cycle")
    assert (run["outcome"], run["kind"], run["mode"]) == ("completed", "manual", "dry_run")
    assert hh("runs", "--number", "1")["ledger"] is not None
    assert hh("reflect")[0]["run_id"] == run["id"]


def test_a_card_is_explained_approved_snoozed_and_refused(hh: Line, database: Database) -> None:
    _acme(hh)
    acme = UUID(hh("tenant", "show")["tenant_id"])
    with database.tenant(acme) as tx:
        for name in ("ann", "ben"):
            card = build.card(tx, build.contact(tx, email=f"{name}@initech.example"))
            tomorrow = tx.now + timedelta(days=1)
            approval.wait_for_approval(
                tx, card.id, seen=bytes(32), rule="approval", reason="the autonomy is approve", expires_at=tomorrow
            )
    asked = hh("cards", "--state", "awaiting_approval")
    assert len(asked) == 2
    first, second = (card["id"] for card in asked)
    assert "approval" in hh("why", first)["answer"]
    shown = hh("approve", first)
    assert (shown["done"], shown["to"][0].endswith("@initech.example")) == (False, True)
    assert not hh("approve", first, "--seen", shown["seen"], "--dry-run")["done"]
    assert hh("approve", first, "--seen", shown["seen"])["state"] == "queued"
    with pytest.raises(Spoken, match="changed since it was shown"):
        hh("approve", second, "--seen", "00")
    assert hh("snooze", second, "--hours", "2")["done"]
    assert hh("reject", second, "--reason", "not now")["state"] == "rejected"
    with pytest.raises(Spoken, match="not waiting"):
        hh("approve", second)


def test_the_switch_stops_and_everything_is_resumed_only_when_asked_twice(hh: Line) -> None:
    _acme(hh)
    for level in ((), ("--mail",), ("--engine", "engagement"), ("--action", "follow_up"), ("-t", "acme")):
        assert not hh("kill", "--reason", "test", *level, "--dry-run")["done"]
        assert hh("kill", "--reason", "test", *level)["settled"]
    assert "everything" in hh("status")["switches_off"]
    levels = ("", " --mail", " --engine engagement", " --action follow_up")
    mends = {check["mend"] for check in hh("doctor") if check["name"] == "kill switch"}
    assert mends == {f"`hourhand resume{level} --reason <why>`" for level in levels}
    assert hh("cycle")["run"] is None
    for answers in ("", "y\n", "y\nn\n"):
        assert hh.plain("resume", "--reason", "test", stdin=answers)[0] == 2
        assert "everything" in hh("status")["switches_off"]
    with pytest.raises(Spoken, match="-y -y"):
        hh("resume", "--reason", "test", "-y")
    assert hh("resume", "--reason", "test", "-y", "-y")["done"]
    for level in (("--mail",), ("--engine", "engagement"), ("--action", "follow_up"), ("-t", "acme")):
        assert hh("resume", "--reason", "test", *level)["done"]
    assert hh("cycle")["outcome"] == "completed"


def test_one_machine_can_be_stopped_without_the_database(
    hh: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _acme(hh)
    url = os.environ["DATABASE_URL"]
    monkeypatch.setenv("DATABASE_URL", "postgresql://hourhand_app@127.0.0.1:9/nowhere")
    assert not hh("kill", "--host", "--dry-run")["done"]
    flag = Path(hh("kill", "--host", "--reason", "fire drill")["file"])
    assert flag.read_text() == "fire drill\n"
    monkeypatch.setenv("DATABASE_URL", url)
    assert "flag file" in hh("cycle")["why"]
    hh("resume", "--host")
    assert hh("cycle")["outcome"] == "completed"


def test_keys_are_shown_once(hh: Line) -> None:
    _acme(hh)
    assert "key" not in hh("key", "create", "--dry-run")
    assert hh("key", "list") == []
    made = hh("key", "create", "--name", "ops", "--days", "3")
    ours = hh("key", "create", "--name", "acme's", "--role", "analyst", "--tenant", "acme")
    assert made["key"].startswith("hh_house_")
    assert [(key["id"], key["name"]) for key in hh("key", "list")] == [(made["id"], "ops")]
    assert made["key"].rsplit("_", 1)[1] not in json.dumps(hh("key", "list"))
    hh("key", "revoke", made["id"], "--reason", "test", "--dry-run")
    hh("key", "revoke", made["id"], "--reason", "test")
    hh("key", "revoke", ours["id"], "--reason", "test", "-t", "acme")
    assert hh("key", "list")[0]["revoked_at"]


def test_secrets_come_from_stdin_and_are_never_shown(hh: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_TOKEN_URL", "http://127.0.0.1:1/token")
    _acme(hh)
    for name, secret in (("resend_api_key", "re_hunter2"), ("smtp_url", "smtp://a:hunter2@host")):
        assert not hh("credential", "set", name, "--dry-run", stdin=f"{secret}\n")["done"]
        assert hh("credential", "set", name, stdin=f"{secret}\n")["done"]
    with pytest.raises(Spoken, match="stdin"):
        hh("credential", "set", "resend_api_key", stdin="")
    listed = hh("credential", "list")
    assert [row["name"] for row in listed] == ["resend_api_key", "smtp_url"]
    assert "hunter2" not in json.dumps(listed)
    hh("credential", "remove", "smtp_url", "--dry-run")
    assert hh("credential", "remove", "smtp_url")["done"]

    given = ("gmail", "set-token", "--address", "Me@Acme.example", "--client-id", "client")
    assert hh(*given, "--dry-run", stdin="1//token\n")["status"] == "connected"
    assert hh("gmail", "status") == []
    assert hh(*given, stdin="1//token\n")["address"] == "me@acme.example"
    [row] = hh("gmail", "status")
    assert (row["status"], "token" in json.dumps(row)) == ("connected", False)
    assert hh("gmail", "revoke", "--address", "me@acme.example", "--dry-run")["status"] == "revoked"
    assert hh("gmail", "revoke", "--address", "me@acme.example")["status"] == "revoked"
    assert hh("mailbox", "list")[0]["mend"]


def test_a_folder_of_mail_is_looked_at_then_taken_in_once(hh: Line, tmp_path: Path) -> None:
    _acme(hh)
    mail = tmp_path / "mail"
    mail.mkdir()
    for number in range(3):
        (mail / f"{number}.eml").write_bytes(
            b"From: Bill <bill@initech.example>\nTo: me@acme.example\nDate: Mon, 02 Mar 2026 09:00:00 +0000\n"
            + f"Message-ID: <{number}@initech.example>\nSubject: Hello {number}\n\nHi\n".encode()
        )
    given = ("mailbox", "import", str(mail), "--address", "me@acme.example")
    assert hh(*given, "--dry-run")["counts"]["messages"] == 3
    assert hh("mailbox", "list") == []
    assert hh(*given)["counts"]["messages"] == 3
    assert hh(*given)["counts"].get("messages", 0) == 0
    assert hh("mailbox", "sync", "--dry-run")["mailboxes"] == ["me@acme.example"]
    assert hh("mailbox", "sync")["done"]
    assert hh("mail", "explain", str(mail / "0.eml"))["class"]


def test_messages_and_bodies_are_explained_a_line_each_in_their_order(hh: Line, tmp_path: Path) -> None:
    files = [tmp_path / f"{at}.eml" for at in range(2)]
    for path, words in zip(files, ("Could you call me on Friday?", "Please remove me from your list."), strict=True):
        path.write_text(f"From: Bill <bill@initech.example>\nSubject: Hello\n\n{words}\n")
    code, said, _ = hh.plain("mail", "explain", *map(str, files), "--json")
    told = [json.loads(line) for line in said.splitlines()]
    assert (code, [each["path"] for each in told]) == (0, list(map(str, files)))
    assert [each["class"] for each in told] == ["task_request", "unsubscribe"]
    assert hh.plain("mail", "explain", str(tmp_path), "--json")[1] == said
    assert told[0].keys() == {
        "path", "class", "flags", "bounces", "return_date", "reply", "signature", "task_request", "attachments",
        "language", "quarantined",
    }  # fmt: skip
    bodies = ["Yes.\n\nOn Mon, 6 Jul 2026, Ana <a@b.example> wrote:\n> x", "Día\ud800\x00", "Send me the price list."]
    given = "\n".join([*map(json.dumps, bodies), "no json", "[1]"])
    code, said, _ = hh.plain("mail", "explain", "--text", "--json-lines", stdin=f"{given}\n")
    answers = [json.loads(line) for line in said.splitlines()]
    assert (code, len(answers), answers[0]["reply"]) == (0, 5, "Yes.")
    assert answers[2]["task_request"]["span"] == "Send me the price list."
    assert [bool(each["quarantined"]) for each in answers] == [False, False, False, True, True]
    assert hh.plain("mail", "explain", str(files[0]), str(tmp_path / "no.eml"), "--json")[0] != 0
    assert hh.plain("mail", "explain", "--json")[0] != 0


def test_a_dead_letter_is_listed_and_put_back(hh: Line, database: Database) -> None:
    _acme(hh)
    acme = UUID(hh("tenant", "show")["tenant_id"])
    with database.tenant(acme) as tx:
        for _ in range(quarantine.TRIES):
            quarantine.note(tx, "job", "cycle:7", "Boom: it failed")
        quarantine.note(tx, "event", "e1", "Boom: it failed")
    assert {item["kind"]: item["dead"] for item in hh("quarantine", "list")} == {"job": True, "event": False}
    [letter] = hh("dead", "list")
    assert (letter["kind"], letter["source"], letter["tries"]) == ("job", "cycle:7", quarantine.TRIES)
    hh("dead", "replay", letter["id"], "--dry-run")
    assert len(hh("dead", "list")) == 1
    hh("dead", "replay", letter["id"])
    assert hh("status")["queue"]["waiting"] == 1
    assert hh("dead", "list") == []
    with pytest.raises(Spoken, match="there is no dead letter"):
        hh("dead", "replay", letter["id"])


def test_status_and_doctor_tell_how_everything_stands(hh: Line) -> None:
    assert {check["name"] for check in hh("doctor")} >= {"settings", "data folder", "database", "queue", "clock"}
    _acme(hh)
    told = hh("status")
    assert [row["tenant"] for row in told["tenants"]] == ["acme"]
    assert told["tenants"][0]["mode"] == "dry_run"
    hh("mode", "live")
    code, said, _ = hh.plain("doctor", "--json")
    failed = {check["name"]: check["mend"] for check in json.loads(said) if check["verdict"] == "failed"}
    assert code == 1
    assert failed == {
        "acme: unsubscribe links": "set HOURHAND_PUBLIC_URL",
        "acme: mail out": "`hourhand credential set resend_api_key --tenant acme`",
    }


def test_the_doctor_finds_what_keeps_the_house_from_standing(
    hh: Line, cloned: gears.Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    with psycopg.connect(cloned.admin_url, autocommit=True) as connection:
        connection.execute("DROP INDEX queue.procrastinate_jobs_lock_ready")
    _, said, _ = hh.plain("doctor", "--json")
    assert {check["name"]: check["mend"] for check in json.loads(said)}["queue"] == "`hourhand db upgrade`"
    monkeypatch.setenv("DATABASE_URL", "postgresql://hourhand_app@127.0.0.1:9/nowhere")
    code, said, _ = hh.plain("doctor", "--json")
    assert (code, json.loads(said)[-1]["verdict"]) == (1, "failed")
    monkeypatch.setenv("HOURHAND_PORT", "x")
    code, said, _ = hh.plain("doctor")
    assert (code, "HOURHAND_PORT" in said) == (1, True)


def test_the_database_can_be_found_and_upgraded(hh: Line, cloned: gears.Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hh("db", "url")["url"] == cloned.url()
    with pytest.raises(Spoken, match="DATABASE_ADMIN_URL"):
        hh("db", "url", "--role", "owner")
    assert not hh("db", "upgrade")["done"]
    monkeypatch.delenv("DATABASE_URL")
    assert "hourhand_owner" in hh("db", "url", "--role", "owner")["url"]


def test_plain_answers_are_for_people(hh: Line) -> None:
    _acme(hh)
    for arguments, told in (
        (("tenant", "list"), "acme"), (("tenant", "show"), "max emails per hour: 20"), (("status",), "dry_run"),
        (("cycle",), "cycle 1 completed"), (("runs",), "completed"), (("reflect",), "Hour 1"),
        (("cards",), "no such cards"),
        (("cycle", "--explain"), "nothing would be done"), (("doctor",), "mend:"), (("key", "list"), "no keys"),
    ):  # fmt: skip
        code, said, complained = hh.plain(*arguments)
        assert (code in (0, 1), told in said) == (True, True), (arguments, said, complained)


def _acme(hh: Line, **more: Any) -> None:
    wished = {**build.ACME, **more}
    pairs = [part for name, value in wished.items() for part in ("--set", f"{name}={json.dumps(value)}")]
    hh("tenant", "add", "acme", "--name", "Acme", *pairs)
    settings.parse(wished)


def _commands() -> dict[str, Any]:
    """Every command by its path, found in the application itself."""
    found: dict[str, Any] = {}

    def walk(group: Any, path: tuple[str, ...]) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, (*path, name))
            else:
                found[" ".join((*path, name))] = command

    walk(typer.main.get_command(app), ())
    return found


def test_the_brain_is_told_and_tried_from_the_command_line(hh: Line) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    told = hh("brain", "status")
    assert (told["first"], told["budget"]["usd_per_day"]) == ("rulebook", "2")
    assert hh("brain", "calls") == []
    hh("credential", "set", "anthropic_api_key", stdin="sk-ant-secret\n")
    told = hh("brain", "status")
    assert told["order"][0] == {"model": "anthropic/claude-sonnet-5-5", "ready": True}
    hh("tenant", "set", 'model_order=["gemini/gemini-3.8-flash", "rulebook"]', "model_usd_per_day=0.5")
    told = hh("brain", "status")
    assert told["order"][0] == {"model": "gemini/gemini-3.8-flash", "ready": False}
    assert told["budget"]["usd_per_day"] == "0.5"
    assert hh("eval", "--question", "sentiment", "--dry-run") == {"cases": 12, "done": False}
    assert {line["question"] for line in hh("eval")} >= {"classify", "follow_up"}
    assert hh.plain("eval", "--recorded", str(Path(__file__).parents[2] / "brain" / "prices.json"))[0] == 1
