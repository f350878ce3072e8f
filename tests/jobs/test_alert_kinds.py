"""Every kind of alert that any code can open is known here, with a test that sees it open and one that sees it not."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain import alerts
from jobs import alarms
from tests.architecture.source import ROOT

ROOMS = ("domain", "brain", "policy", "providers", "engines", "jobs", "admin_api", "worker", "simulator")

WATCHED = ("jobs/test_watch.py::test_an_alarm_goes_off_past_its_threshold_and_not_at_it",) * 2
VOLUME = ("jobs/test_watch.py::test_twice_the_usual_volume_of_mail_is_told",) * 2
SPIKE = ("jobs/test_watch.py::test_a_spike_of_blocks_is_told_against_what_is_usual",) * 2
HOUSE = (
    "jobs/test_watch.py::test_hours_that_begin_too_late_and_cycles_that_fail_everywhere_are_the_houses_alerts",
) * 2
REST = ("jobs/test_cycle.py::test_a_setting_that_cannot_be_read_lets_the_agent_rest_and_tells_a_person",) * 2

SEEN: dict[str, tuple[str, str]] = {
    **{alarm.kind: WATCHED for alarm in alarms.ALARMS},
    "send_volume": VOLUME,
    "policy_spike": SPIKE,
    "house.schedule_late": HOUSE,
    "house.cycle_failure_rate": HOUSE,
    "kill_switch": ("jobs/test_watch.py::test_a_closed_switch_is_an_alert_until_it_is_opened_again",
                    "jobs/test_watch.py::test_a_switch_of_the_house_is_an_alert_of_the_house_and_of_no_tenant"),
    "house.kill_switch": ("jobs/test_watch.py::test_a_switch_of_the_house_is_an_alert_of_the_house_and_of_no_tenant",
                          "jobs/test_watch.py::test_a_closed_switch_is_an_alert_until_it_is_opened_again"),
    "mail_breaker": ("jobs/test_deliver.py::test_a_complaint_suppresses_and_two_stop_the_mail",) * 2,
    "settings_invalid": REST,
    "card.uncertain": ("jobs/test_resolve.py::test_a_person_settles_what_nobody_can_know",) * 2,
    "restore.unreconciled": (
        "worker/test_backups.py::test_where_the_provider_cannot_tell_the_mail_stays_closed_until_a_person_says_what_"
        "to_assume", "worker/test_backups.py::test_a_house_restored_in_the_middle_of_a_campaign_sends_nothing_twice"),
    "mailbox_difference": (
        "jobs/test_reconcile_mailbox.py::test_the_hourly_comparison_fetches_what_was_missed_and_says_so",
        "jobs/test_reconcile_mailbox.py::test_what_arrives_between_sync_and_comparison_is_no_difference"),
    "mailbox_history": (
        "jobs/test_ingest.py::test_a_history_that_expires_twice_in_a_row_is_told_and_not_repeated",
        "jobs/test_ingest.py::test_an_expired_history_is_answered_by_a_full_sync_that_fetches_only_what_is_missing"),
    "mailbox_revoked": ("jobs/test_ingest.py::test_a_revoked_grant_stops_the_polling_and_tells_a_person",
                        "jobs/test_ingest.py::test_a_new_grant_takes_the_reading_up_where_it_stood"),
    "mailbox_unreachable": ("jobs/test_ingest.py::test_an_undeclared_error_in_one_mailbox_is_told_and_delays_no_other",
                            ) * 2,
    "gmail_quota": ("jobs/test_ingest.py::test_a_spent_quota_makes_the_mailbox_rest_and_keeps_what_came",) * 2,
    "model_calls": ("jobs/test_budget.py::test_no_more_calls_an_hour_than_the_tenant_allows",) * 2,
    "quote_answered": (
        "engines/test_vouching.py::test_an_answer_to_a_quote_without_a_deal_is_an_alert_and_a_strangers_is_none",
        "engines/test_vouching.py::test_a_quotes_answer_is_a_next_step_only_where_somebody_of_the_account_wrote_it"),
    "unproven_mail": ("jobs/test_route.py::test_a_mail_moves_what_its_sender_may_move_and_nothing_else",) * 2,
    "model_repeats": ("jobs/test_budget.py::test_a_writer_that_repeats_itself_rests_and_a_person_is_told",) * 2,
    "webhook_secret_invalid": ("admin_api/test_webhooks.py::test_a_broken_secret_of_our_own_is_an_alert_and_no_500",
                               "admin_api/test_webhooks.py::test_a_webhook_of_one_tenant_is_not_anothers"),
}  # fmt: skip
"""By kind: where it is seen to open, and where it is seen not to, though something like it happens."""


def test_every_kind_that_code_opens_is_seen_to_open_and_seen_not_to() -> None:
    opened = {kind for path in _sources() for kind in _opened(path)}
    assert opened == set(SEEN)
    assert {alerts.base(kind) for kind in alerts.MOMENTS} <= opened


@pytest.mark.parametrize("test", sorted({test for both in SEEN.values() for test in both}))
def test_what_is_named_here_is_a_test_that_looks_at_alerts(test: str) -> None:
    path, _, name = test.partition("::")
    source = (ROOT / "tests" / path).read_text(encoding="utf-8")
    [function] = [each for each in ast.parse(source).body if isinstance(each, ast.FunctionDef) and each.name == name]
    told = ast.get_source_segment(source, function) or ""
    assert any(word in told for word in ("alerts", "alert_kinds", "_open(", "kinds()", "differences("))


def test_the_page_of_operations_tells_of_each_kind() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    rows = "\n".join(line.split("|")[1] for line in page.splitlines() if line.startswith("|"))
    assert [kind for kind in SEEN if f"`{kind.removeprefix('house.')}`" not in rows] == []


def _sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def _opened(path: Path) -> Iterator[str]:
    """The kinds that one module opens, without what each is about."""
    text = path.read_text(encoding="utf-8")
    if "alerts.open(" not in text:
        return
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for call in ast.walk(ast.parse(text)):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "alerts.open":
            books = [ast.unparse(word.value) for word in call.keywords if word.arg == "book"]
            for kind in _kinds(call.args[1], module):
                yield from {"HOUSE": [f"house.{kind}"], "book": [kind, f"house.{kind}"]}.get("".join(books), [kind])


def _kinds(told: ast.expr, module: str) -> list[str]:
    if isinstance(told, ast.Attribute) and told.attr == "kind":
        return [alarm.kind for alarm in (*alarms.ALARMS, *alarms.UNUSUAL)]
    if isinstance(told, ast.JoinedStr):
        told = told.values[0]
    if isinstance(told, ast.Constant):
        return [alerts.base(str(told.value))]
    home = f"domain.{ast.unparse(told.value)}" if isinstance(told, ast.Attribute) else module
    name = told.attr if isinstance(told, ast.Attribute) else ast.unparse(told)
    return [getattr(importlib.import_module(home), name)]
