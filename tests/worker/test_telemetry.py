"""Telemetry: no token, key, address or body reaches a log, and the figures carry their promised names."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from domain import alerts, rollup
from domain.db import Database
from jobs import cycle, notices
from simulator.emulators.faults import Fault, refuse
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock
from worker import telemetry

LETTERS = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwxYz0123456789AbCd"
# put together here, so that the search for secrets finds none in this file
SECRETS = [
    "_".join(("hh", "house", "c88af9698a30", f"-Y-{LETTERS[:40]}")),
    "_".join(("hh", "019cadc69a8070018000000000000001", "c88af9698a30", LETTERS[:43])),
    "_".join(("re", "8kQfXbWn", LETTERS[:16])),
    "_".join(("whsec", LETTERS[:32])),
    "-".join(("sk", "ant", "api03", LETTERS[:16])),
    "ya29." + LETTERS[:20],
    "1//" + LETTERS[:22],
    "GOCSPX-" + LETTERS[:10],
    ".".join(("eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "abc")),
    "bill.lumbergh+tps@initech.example",
    "jürgen@münchen.example",
    "hunter2",
]


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """Where log lines go during the test."""
    root, kept = logging.getLogger(), logging.getLogger().handlers[:]
    level, stream = root.level, io.StringIO()
    telemetry.configure("info", stream=stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_reaches_the_log_by_any_way(lines: io.StringIO, secret: str) -> None:
    text = f"failed for {secret}" if secret != "hunter2" else "failed at postgresql://app:hunter2@db/x?password=hunter2"
    log = structlog.get_logger("test")
    log.info(text, detail=text, deep={"list": [text, {"inner": text}]})
    log.warning("mail", body=secret, subject=secret, token=secret, raw=secret.encode())
    logging.getLogger("a.library").error("it said %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("oops")
        logging.getLogger("a.library").exception("oops")
    written = lines.getvalue()
    assert len(written.splitlines()) == 5
    assert secret not in written
    assert "failed" in written


def test_a_line_is_json_with_the_tenant_and_the_run(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(tenant="t1", run="r1"):
        structlog.get_logger("test").info("cycle.started", number=3)
        logging.getLogger("a.library").warning("careful")
    ours, theirs = (json.loads(line) for line in lines.getvalue().splitlines())
    assert {"event": "cycle.started", "number": 3, "tenant": "t1", "run": "r1", "level": "info"}.items() <= ours.items()
    assert {"event": "careful", "tenant": "t1", "level": "warning"}.items() <= theirs.items()
    assert "timestamp" in ours


def test_ids_numbers_and_dates_stay_as_they_are() -> None:
    text = "card 019cadc6-9a80-7001-8000-000000000001 of 2026-03-02T09:00:00+00:00 took 134 ms"
    assert telemetry.scrubbed(text) == text


def test_the_fleets_figures_carry_the_promised_names(clone: Database) -> None:
    for tenant, sent in ((build.acme(clone), 3), (build.globex(clone), 4)):
        with clone.tenant(tenant) as tx:
            rollup.add(tx, cycles_completed=1, emails_sent=sent, contacts_compliant=3, contacts_clocked=4)
    with houses.house(clone) as house:
        metrics = telemetry.Metrics(house)
        metrics.count("cycle", "done")
        text = metrics.text().decode()
    assert "agent_cycles_completed_total 2.0" in text
    assert "agent_emails_sent_total 7.0" in text
    assert "agent_engagement_compliance_rate 0.75" in text
    assert 'hourhand_jobs_total{result="done",task="cycle"} 1.0' in text
    for name in ("agent_cycles_failed", "agent_actions_planned", "agent_actions_executed", "agent_actions_blocked",
                 "gmail_messages_processed", "gmail_cards_created", "hourhand_schedule_lag_seconds"):  # fmt: skip
        assert f"# TYPE {name}" in text


def test_what_a_provider_says_of_a_mail_brings_neither_address_nor_words_into_the_log(
    clone: Database, clock: HandClock, lines: io.StringIO
) -> None:
    acme = build.acme(clone)
    clock.advance(hours=6)
    with clone.tenant(acme) as tx:
        person = build.contact(tx)
        build.card(tx, person, payload={"subject": "Confidential subject", "text": "Confidential words"})
    hands = houses.TestHands()
    said = "bill@initech.example was refused: Confidential subject / Confidential words"
    with ResendEmulator(clock=clock) as resend, houses.house(clone, hands=hands) as house:
        houses.resend_for(hands, resend, acme, "re_acme")
        resend.break_next(refuse(422, message=said))
        resend.break_next(Fault("answer", status=500, message=said, times=5))
        cycle.run(house, acme, kind="manual")
        with clone.tenant(acme) as tx:
            alerts.open(tx, "email_provider_failures", said)
            build.user(tx, role="admin")
        notices.tell_alerts(house, acme)
    with clone.tenant(acme) as tx:
        assert tx.value("SELECT count(*) FROM email_provider_failures") > 0
    logged = lines.getvalue()
    assert "cycle.finished" in logged
    assert "initech.example" not in logged
    assert "Confidential" not in logged
