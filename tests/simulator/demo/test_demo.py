"""The demonstration keeps its word: what it says happened, once, behind every brake, and nothing stays behind."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from policy.judge import RULES
from tests import gears
from worker import demonstration

END = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)
"""A Friday evening; that Wednesday was a holiday in Croatia."""

REFUSED_BY = {
    "no_spam.send_window", "no_spam.hourly_cap", "no_spam.public_holiday", "no_spam.person_writing",
    "engines.gave_way", "no_spam.bounced", "no_spam.opted_out", "no_spam.reply_stops", "sensitive.discount_promise",
    "sensitive.unknown_links", "switches.mail", "approval", "engagement.account_people",
    "engagement.existing_relationship",
}  # fmt: skip
CLASSES = {
    "reply", "order", "quote_request", "task_request", "complaint", "unsubscribe", "out_of_office", "bounce",
    "complaint_report", "delivery_report", "automatic",
}  # fmt: skip


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A data folder of its own, in memory where that is possible."""
    folder = Path(tempfile.mkdtemp(prefix="hourhand-demo-", dir=gears.storage()))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def told(home: Path) -> dict[str, Any]:
    """What the demonstration says; it runs once for all the tests below."""
    with pytest.MonkeyPatch.context() as environment, contextlib.redirect_stdout(io.StringIO()) as said:
        environment.setenv("HOURHAND_DATA_DIR", str(home))
        for name in ("HOURHAND_PORT", "HOURHAND_HOST", "DATABASE_URL", *demonstration.BRAKES):
            environment.delenv(name, raising=False)
        assert demonstration.run(exit_after=True, as_json=True, end=END) == 0
    answer: dict[str, Any] = json.loads(said.getvalue())
    return answer


def test_every_mail_of_the_live_company_arrived_once(told: dict[str, Any]) -> None:
    live = told["companies"]["verdebox"]
    assert live["sent"] >= 25
    assert len(live["posted"]) == live["sent"]
    assert max(Counter(mail["key"] for mail in live["posted"]).values()) == 1
    assert max(Counter((mail["to"], mail["subject"]) for mail in live["posted"]).values()) == 1
    assert live["unrecorded"] == live["doubled"] == 0


def test_nothing_leaves_the_company_in_dry_run(told: dict[str, Any]) -> None:
    trial = told["companies"]["tallow-reed"]
    assert trial["posted"] == []
    assert trial["sent"] == 0
    assert len(trial["held"]) >= 6
    assert trial["cards"]["held"] == len(trial["held"])


def test_the_ledger_of_every_hour_adds_up(told: dict[str, Any]) -> None:
    for company in told["companies"].values():
        assert company["ledgers_add_up"]
        assert company["errors"] == []
        assert company["cycles"] >= 20
        for ledger in (company["ledger"], company["busiest"]):
            assert ledger["due"] == sum(ledger["dispositions"].values()) > 0


def test_many_rules_refuse_each_with_its_sentence(told: dict[str, Any]) -> None:
    refusals = {each["rule"]: each for company in told["companies"].values() for each in company["refusals"]}
    assert set(refusals) >= {*REFUSED_BY, "modes.dry_run"}
    for rule, each in refusals.items():
        assert each["sentence"].endswith("."), rule
        assert rule not in RULES or each["sentence"] == RULES[rule].sentence
        assert all((each["reason"], each["example"])), rule


def test_the_mailboxes_are_large_and_varied_and_lose_nothing(told: dict[str, Any]) -> None:
    companies = told["companies"].values()
    assert sum(company["mailbox"] for company in companies) >= 80
    assert all(company["stored"] == company["mailbox"] for company in companies)
    assert {name for company in companies for name in company["classes"]} >= CLASSES
    assert sum(company["attachments"] for company in companies) >= 12
    assert sum(company["malformed"] for company in companies) == 1
    assert sum(company["contacts"] for company in companies) >= 60
    assert told["companies"]["verdebox"]["countries"] >= 12


def test_what_people_and_providers_tell_moves_what_it_should(told: dict[str, Any]) -> None:
    live = told["companies"]["verdebox"]
    assert live["suppressed"] == {"opted_out": 3, "bounced": 2, "complained": 1}
    assert any("llamar el jueves" in title for title in live["tasks"])
    assert any("amassadas" in title or "insatisfeitos" in title for title in live["cases"])
    assert told["webhooks"]["forged bounced 401"] == 1
    assert told["webhooks"]["unsubscribe 200"] == 2
    assert not [name for name in told["webhooks"] if not name.endswith((" 200", " 401"))]


def test_orders_with_faults_are_corrected_asked_about_or_left_to_people(told: dict[str, Any]) -> None:
    live, trial = told["companies"]["verdebox"], told["companies"]["tallow-reed"]
    assert live["orders"]["accepted"] == 4
    assert live["exceptions"]["detail_missing resolved"] == 2
    assert {"total_below_fee fixed", "credit_exceeded waived"} <= set(live["exceptions"])
    assert [mail["to"] for mail in live["posted"] if "VB-2041" in mail["subject"]] == ["gaspar@moinho-rio.example"]
    # what Gil took back is not corrected again
    assert {"tech_fee_negative open", "total_below_fee open"} <= set(trial["exceptions"])
    assert [mail["to"] for mail in trial["held"] if "TR-7719" in mail["subject"]] == ["ap@harborpine.example"]


def test_clients_are_asked_what_they_think_and_whoever_is_dissatisfied_is_heard(told: dict[str, Any]) -> None:
    live, trial = told["companies"]["verdebox"], told["companies"]["tallow-reed"]
    assert live["feedback"] == {"answered negative": 1, "answered positive": 1}
    assert trial["feedback"] == {"queued": 1}
    asked = [mail["to"] for mail in live["posted"] if mail["subject"].startswith("How did we do")]
    assert len(asked) == 2
    made_good = [mail for mail in live["posted"] if mail["subject"] == "Re: How did we do with order VB-2019?"]
    assert len(made_good) == 1
    assert any("VB-2019" in title for title in live["cases"])
    assert told["webhooks"]["feedback rating 200"] == 1


def test_records_are_asked_for_completed_and_taken_to_a_manager(told: dict[str, Any]) -> None:
    live, trial = told["companies"]["verdebox"], told["companies"]["tallow-reed"]
    assert "Overdue: Account file, Pasticceria Lume: manager" in live["tasks"]
    assert live["checks"] == {"completed": 1, "escalated": 1, "reminded": 1}
    assert trial["checks"] == {"pending": 3}
    asked = [mail["to"] for mail in live["posted"] if mail["subject"].startswith("Your details with Verdebox")]
    assert len(asked) == 2
    assert any("details with Tallow" in mail["subject"] or "datos en Tallow" in mail["subject"]
               for mail in trial["held"])  # fmt: skip


def test_a_quote_that_a_mail_asked_for_is_approved_looked_at_accepted_won_and_ordered(told: dict[str, Any]) -> None:
    live = told["companies"]["verdebox"]
    assert (live["quotes"]["accepted"], live["deals"]["won"]) == (1, 2)
    assert [each["to"] for each in live["posted"] if each["subject"] == "Re: Quote request: tape"] == [
        "pieter@halcyon-paper.example"]  # fmt: skip
    assert {told["webhooks"][f"quote-{what} 200"] for what in ("scan", "look", "accept")} == {1}
    for company in told["companies"].values():
        assert {"deals", "engagement", "orders", "requests"} <= set(company["done"])
    assert {"deals", "engagement", "orders", "quotes"} <= set(live["done"]) & set(live["moved"])


def test_each_company_reads_its_last_hour(told: dict[str, Any]) -> None:
    for company in told["companies"].values():
        assert company["reflection"].startswith(f"Hour {company['ledger']['number']} of ")


def test_nothing_is_left_running(told: dict[str, Any], home: Path) -> None:
    assert told["hours"]
    left = [
        p.info["pid"] for p in psutil.process_iter(["pid", "cmdline"]) if str(home) in " ".join(p.info["cmdline"] or ())
    ]
    assert left == []


def test_only_a_demonstrations_own_folder_is_ever_cleared(tmp_path: Path) -> None:
    real = tmp_path / "demo"
    (real / "postgres").mkdir(parents=True)
    with pytest.raises(demonstration.NotADemo):
        demonstration.clear(real)
    assert (real / "postgres").exists()


def test_a_brake_in_the_environment_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENT_KILL_SWITCH", "true")
    with pytest.raises(demonstration.BrakesOn, match="AGENT_KILL_SWITCH"):
        demonstration.run(exit_after=True)
