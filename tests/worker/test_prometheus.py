"""Rules and dashboards for Prometheus: every series that they read is exposed, each rule fires when it should."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain import alerts, rollup
from domain.db import Database
from tests import build, houses
from tests.hand_clock import HandClock
from tests.worker.promql import NotPromQL, Query, Vector
from worker import telemetry

HERE = Path(__file__).parents[2] / "docs" / "ops"
RULES: dict[str, dict[str, Any]] = {
    rule["alert"]: rule
    for group in yaml.safe_load((HERE / "prometheus-rules.yaml").read_text())["groups"]
    for rule in group["rules"]
}
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("grafana-*.json"))}

Given = dict[tuple[str, str], Vector]


def of(value: float, **labels: str) -> Vector:
    """One series."""
    return {frozenset(labels.items()): value}


def at(metric: str, value: float, over: str = "", **labels: str) -> Given:
    """One metric's value, or what a range function makes of it."""
    return {(metric, over): of(value, **labels)}


FIRES: dict[str, tuple[Given, Given]] = {
    "HourhandGone": ({}, at("hourhand_tenants", 3)),
    "HourhandHoursLate": (at("hourhand_schedule_lag_seconds", 901), at("hourhand_schedule_lag_seconds", 900)),
    "HourhandNobodyWorks": (at("hourhand_workers", 0), at("hourhand_workers", 1)),
    "HourhandQueueGrows": (at("hourhand_queue_waiting", 1501), at("hourhand_queue_waiting", 1500)),
    "HourhandOwnJobsFail": (at("hourhand_queue_failed", 1), at("hourhand_queue_failed", 0)),
    "HourhandKillSwitch": (
        at("hourhand_kill_switch", 0) | {("hourhand_host_stopped", ""): {**of(0, instance="a"), **of(1, instance="b")}},
        at("hourhand_kill_switch", 0) | at("hourhand_host_stopped", 0),
    ),
    "HourhandCyclesFail": (
        at("agent_cycles_failed_total", 21, "1h") | at("agent_cycles_completed_total", 79, "1h"),
        at("agent_cycles_failed_total", 20, "1h") | at("agent_cycles_completed_total", 80, "1h"),
    ),
    "HourhandEngagementCompliance": (
        at("agent_engagement_compliance_rate", 0.79), at("agent_engagement_compliance_rate", 0.8),
    ),
    "HourhandOrderExceptions": (
        at("agent_orders_exceptions_total", 3, "6h") | at("agent_orders_processed_total", 20, "6h"),
        at("agent_orders_exceptions_total", 2, "6h") | at("agent_orders_processed_total", 20, "6h"),
    ),
    "HourhandUnusualVolume": (
        at("agent_emails_sent_total", 210, "1h") | at("agent_emails_sent_total", 6000, "7d")
        | at("agent_emails_sent_total", 1, "offset 32h"),
        at("agent_emails_sent_total", 190, "1h") | at("agent_emails_sent_total", 6000, "7d")
        | at("agent_emails_sent_total", 1, "offset 32h"),
    ),
    "HourhandProviderFailures": (
        at("agent_email_provider_failures_total", 5, "15m"), at("agent_email_provider_failures_total", 4, "15m"),
    ),
    "HourhandGmailQuota": (at("gmail_quota_errors_total", 1, "1h"), at("gmail_quota_errors_total", 0, "1h")),
    "HourhandPolicyBlocks": (
        at("agent_actions_blocked_total", 13, "1h") | at("agent_actions_blocked_total", 96, "1d"),
        at("agent_actions_blocked_total", 12, "1h") | at("agent_actions_blocked_total", 96, "1d"),
    ),
    "HourhandLockContention": (
        at("agent_lock_contentions_total", 5, "1h"), at("agent_lock_contentions_total", 4, "1h"),
    ),
    "HourhandAlertsOpen": (
        at("hourhand_alerts_open", 1, kind="kill_switch", severity="critical"),
        at("hourhand_alerts_open", 1, kind="policy_blocks", severity="warning"),
    ),
}  # fmt: skip
"""Values at which each rule fires, and values at which it just does not."""


def test_every_rule_has_its_two_cases() -> None:
    assert set(FIRES) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_fires_past_its_threshold_and_not_at_it(name: str) -> None:
    query = Query(RULES[name]["expr"])
    assert query.value(FIRES[name][0])
    assert not query.value(FIRES[name][1])


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_is_wrong_how_bad_it_is_and_what_to_do(name: str) -> None:
    rule = RULES[name]
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert {"summary", "mend"} == set(rule["annotations"])
    assert re.fullmatch(r"\d+[mh]", rule.get("for", "1m"))


def test_every_series_that_is_read_is_one_that_the_process_exposes(clone: Database, clock: HandClock) -> None:
    acme = build.acme(clone)
    with clone.tenant(acme) as tx:
        rollup.add(tx, cycles_completed=1, contacts_compliant=3, contacts_clocked=4)
        alerts.open(tx, "gmail_quota:one", "The quota is spent.")
    with houses.house(clone) as house:
        metrics = telemetry.Metrics(house)
        metrics.count("cycle", "done")
        exposed = set(re.findall(r"^([a-z_]+)(?:\{| )", metrics.text().decode(), re.MULTILINE))
    read = {metric for rule in RULES.values() for metric in Query(rule["expr"]).metrics}
    drawn = {metric for board in DASHBOARDS.values() for panel in board["panels"] for target in panel["targets"]
             for metric in Query(target["expr"]).metrics}  # fmt: skip
    assert read | drawn <= exposed
    assert len(drawn) > 20


def test_there_are_two_dashboards_whose_panels_don_t_overlap() -> None:
    assert set(DASHBOARDS) == {"grafana-work", "grafana-house"}
    for board in DASHBOARDS.values():
        taken: set[tuple[int, int]] = set()
        assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
        for panel in board["panels"]:
            place = panel["gridPos"]
            cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
            assert not cells & taken
            assert place["x"] + place["w"] <= 24
            assert panel["datasource"]["uid"] == "${datasource}"
            taken |= cells


@pytest.mark.parametrize("text", ["sum(", "sum(a) >", "increase(a)", "quantile(a)", "a b", "a{b=1", "a $ b"])
def test_an_expression_that_prometheus_would_not_read_is_not_read(text: str) -> None:
    with pytest.raises(NotPromQL):
        Query(text)


def test_promtool_agrees_where_there_is_one_and_is_given_two_cases_of_each_rule() -> None:
    """The reader above is ours; where Prometheus' own is installed (Debian: prometheus), it has the last word."""
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "rules", HERE / "prometheus-rules.yaml"], check=True)
        subprocess.run([promtool, "test", "rules", "prometheus-rules.test.yaml"], cwd=HERE, check=True)
    cases = yaml.safe_load((HERE / "prometheus-rules.test.yaml").read_text())["tests"]
    told = [(case["alert_rule_test"][0]["alertname"], bool(case["alert_rule_test"][0]["exp_alerts"])) for case in cases]
    assert sorted(told) == sorted((name, fires) for name in RULES for fires in (True, False))
    for case in cases:
        for series in case["input_series"]:
            assert set(Query(series["series"]).metrics) <= Query(RULES[case["name"].split()[0]]["expr"]).metrics
