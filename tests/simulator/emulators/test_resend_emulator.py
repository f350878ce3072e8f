"""The Resend emulator is a witness to be believed: what it counts, what it keeps, how it is steered from outside."""

from __future__ import annotations

import base64
import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from domain.clock import SystemClock
from domain.ports import MaybeHappened, NothingHappened
from providers.resend import ResendSender
from providers.resend_webhooks import WebhookRejected, verify
from simulator.emulators.faults import Fault
from simulator.emulators.loopback import Asked, Loopback, Told, tell
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.resend_webhooks import bounce
from simulator.emulators.witness import read_log
from tests.hand_clock import HandClock
from tests.providers.outbound import a_mail


class Doorbell(Loopback):
    """What stands at the other end of a webhook: notes each call, answers as told."""

    def __init__(self, *, statuses: list[int] | None = None) -> None:
        super().__init__(clock=HandClock())
        self.statuses = statuses or []

    def act(self, asked: Asked) -> Told:
        return tell(self.statuses.pop(0) if self.statuses else 200, {})

    def error(self, status: int, name: str, message: str) -> object:
        return {}


@contextmanager
def running(module: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], dict[str, Any]]]:
    """An emulator as a process of its own, and what it says of itself."""
    command = [sys.executable, "-m", f"simulator.emulators.{module}", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def ask(method: str, url: str, data: object = None) -> Any:
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, method=method)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.loads(answer.read())


def test_every_raw_request_is_noted_with_its_time_key_and_bytes() -> None:
    clock = HandClock()
    with ResendEmulator(clock=clock) as resend:
        resend.account("re_acme")
        sender, mail = ResendSender("re_acme", resend.url), a_mail(clock)
        before = time.monotonic_ns()
        sender.send(mail, deadline_seconds=5)
        sender.send(mail, deadline_seconds=5)
        resend.break_next(Fault("reset"))
        with pytest.raises(MaybeHappened):
            sender.send(a_mail(clock), deadline_seconds=5)
        first, second, third = resend.witness.posts("re_acme")
        assert before < first.at_ns < second.at_ns < third.at_ns < time.monotonic_ns()
        assert [seen.acted for seen in (first, second, third)] == [True, False, False]
        assert (first.key, third.fault) == (mail.idempotency_key, "reset")
        assert first.json["subject"] == mail.subject


def test_the_log_outlives_a_killed_process(tmp_path: Path) -> None:
    log = tmp_path / "witness.jsonl"
    clock = SystemClock()
    with running("resend", "--account", "re_acme", "--log", str(log)) as (process, facts):
        sender = ResendSender("re_acme", facts["url"])
        mails = [a_mail(clock) for _ in range(20)]
        for mail in mails:
            sender.send(mail, deadline_seconds=5)
        process.send_signal(signal.SIGKILL)
        process.wait()
        with pytest.raises((NothingHappened, MaybeHappened)):
            sender.send(a_mail(clock), deadline_seconds=5)
    rows = read_log(log)
    assert [row["key"] for row in rows] == [mail.idempotency_key for mail in mails]
    assert "re_acme" not in json.dumps([row["headers"] for row in rows])


def test_a_process_is_steered_by_its_control_address() -> None:
    clock = SystemClock()
    with Doorbell() as bell, running("resend", "--account", "re_acme", "--webhook-url", bell.url) as (process, facts):
        sender = ResendSender("re_acme", facts["url"])
        control = f"{facts['url']}/_emulator"
        ask("POST", f"{control}/faults", {"kind": "answer", "status": 429, "method": "POST"})
        with pytest.raises(NothingHappened):
            sender.send(a_mail(clock), deadline_seconds=5)
        accepted = sender.send(a_mail(clock), deadline_seconds=5)
        event = {"account": "re_acme", "email_id": accepted.provider_id, "kind": "bounced", "times": 3}
        assert ask("POST", f"{control}/events", event) == [200, 200, 200]
        assert len(ask("GET", f"{control}/requests")) == 2
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0
        bounces = [seen for seen in bell.witness.posts() if seen.json["type"] == "email.bounced"]
        assert len({seen.headers["svix-id"] for seen in bounces}) == 1
        secret = facts["webhook_secrets"]["re_acme"]
        event_told = verify(secret, bounces[0].headers, bounces[0].body, now=clock.now())
        assert event_told is not None
        assert event_told.bounce_type == "Permanent"


def test_events_flow_by_themselves_and_are_tried_again_when_refused() -> None:
    clock = HandClock()
    with Doorbell(statuses=[500, 200, 200]) as bell, ResendEmulator(clock=clock) as resend:
        resend.account("re_acme", webhook_url=bell.url, automatic_events=True)
        sender = ResendSender("re_acme", resend.url)
        sender.send(a_mail(clock), deadline_seconds=5)
        sender.send(a_mail(clock, to=("bounced@client.example",)), deadline_seconds=5)
        resend.postman.drain()
        kinds = [seen.json["type"] for seen in bell.witness.posts()]
        assert kinds == ["email.sent", "email.sent", "email.delivered", "email.sent", "email.bounced"]
        assert [mail["last_event"] for mail in resend.sent("re_acme")] == ["delivered", "bounced"]


def test_webhooks_can_be_repeated_reordered_and_forged() -> None:
    clock = HandClock()
    with Doorbell() as bell, ResendEmulator(clock=clock) as resend:
        account = resend.account("re_acme", webhook_url=bell.url)
        accepted = ResendSender("re_acme", resend.url).send(a_mail(clock), deadline_seconds=5)
        sent = resend.hook("re_acme", accepted.provider_id, "sent")
        bounced = resend.hook("re_acme", accepted.provider_id, "bounced", **bounce())
        assert resend.deliver("re_acme", bounced, times=2) == [200, 200]
        assert resend.deliver("re_acme", sent) == [200]
        resend.deliver("re_acme", bounced.forged())
        calls = bell.witness.posts()
        assert [seen.json["type"] for seen in calls[:3]] == ["email.bounced", "email.bounced", "email.sent"]
        for genuine in calls[:3]:
            assert verify(account.webhook_secret, genuine.headers, genuine.body, now=clock.now()) is not None
        with pytest.raises(WebhookRejected):
            verify(account.webhook_secret, calls[3].headers, calls[3].body, now=clock.now())


def test_too_many_requests_a_second_are_throttled_by_the_clock() -> None:
    clock = HandClock()
    with ResendEmulator(clock=clock) as resend:
        resend.account("re_acme", per_second=5)
        sender = ResendSender("re_acme", resend.url)
        for _ in range(5):
            sender.send(a_mail(clock), deadline_seconds=5)
        with pytest.raises(NothingHappened) as raised:
            sender.send(a_mail(clock), deadline_seconds=5)
        assert raised.value.retry_after_seconds == 1
        clock.advance(seconds=1)
        sender.send(a_mail(clock), deadline_seconds=5)


def test_a_domain_that_is_not_verified_is_refused() -> None:
    clock = HandClock()
    with ResendEmulator(clock=clock) as resend:
        resend.account("re_acme", domains=frozenset({"acme.example"}))
        sender = ResendSender("re_acme", resend.url)
        sender.send(a_mail(clock), deadline_seconds=5)
        with pytest.raises(Exception, match="not verified"):
            sender.send(a_mail(clock, "globex"), deadline_seconds=5)


def test_the_gmail_emulator_takes_mail_from_outside(tmp_path: Path) -> None:
    from providers.gmail import GmailMailbox
    from providers.gmail_auth import GmailGrant
    from providers.gmail_calls import GmailCalls

    (tmp_path / "a.eml").write_bytes(b"Subject: a\n\n1")
    with running("gmail", "--account", "ana@acme.example", "--mail", str(tmp_path)) as (_, facts):
        refresh_token = facts["refresh_tokens"]["ana@acme.example"]
        grant = GmailGrant(refresh_token, "client", "secret", token_url=facts["token_url"])
        box = GmailMailbox(GmailCalls(grant, api_url=facts["url"]))
        raw = base64.b64encode(b"Subject: b\n\n2").decode()
        ask("POST", f"{facts['url']}/_emulator/deliver", {"account": "ana@acme.example", "raw": raw})
        (page,) = box.changes(None)
        assert [message.raw for message in page.messages] == [b"Subject: a\n\n1", b"Subject: b\n\n2"]


def test_the_smtp_emulator_runs_alone() -> None:
    from providers.smtp import SmtpSender

    clock = SystemClock()
    with running("smtp", "--account", "acme") as (_, facts):
        sender = SmtpSender(
            facts["host"], clock=clock, port=facts["port"], security="plain", username="acme", password="secret"
        )
        sender.send(a_mail(clock), deadline_seconds=5)
