"""SMTP: to all recipients or none, at most once, and never in doubt without saying so."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from domain.ports import MaybeHappened, NeverWill, NothingHappened, ProviderError
from providers.smtp import SmtpSender
from simulator.emulators.faults import Fault
from simulator.emulators.smtp import SmtpEmulator
from tests.hand_clock import HandClock
from tests.providers.certificates import server_tls
from tests.providers.haste import AMPLE, SHORT, seconds_for, within
from tests.providers.outbound import a_mail

USERS = {"acme": "acme secret", "globex": "globex secret"}


@pytest.fixture
def smtp(clock: HandClock) -> Iterator[SmtpEmulator]:
    with SmtpEmulator(clock=clock, users=USERS) as emulator:
        yield emulator


@pytest.fixture
def acme(smtp: SmtpEmulator, clock: HandClock) -> SmtpSender:
    return a_sender(smtp, clock)


def a_sender(smtp: SmtpEmulator, clock: HandClock, tenant: str = "acme") -> SmtpSender:
    return SmtpSender(
        "127.0.0.1", clock=clock, port=smtp.port, security="plain", username=tenant, password=USERS[tenant]
    )


def test_a_mail_arrives_whole(smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock) -> None:
    mail = a_mail(clock, cc=("Cy <cy@client.example>",), bcc=("di@client.example",))
    assert acme.send(mail, deadline_seconds=AMPLE).provider_id == mail.message_id
    (taken,) = smtp.taken
    assert taken.sender == "ana@acme.example"
    assert taken.recipients == ("bo@client.example", "cy@client.example", "di@client.example")
    message = message_from_bytes(taken.content, policy=policy.default)
    assert message["From"] == mail.sender
    assert message["Subject"] == mail.subject
    assert message["Message-ID"] == mail.message_id
    assert message["X-Hourhand-Card"] == str(mail.card_id)
    assert message["Date"].datetime == clock.now()
    assert message["Bcc"] is None
    assert {name: message[name] for name in mail.headers} == dict(mail.headers)
    plain, html = (message.get_body((kind,)) for kind in ("plain", "html"))
    assert plain is not None
    assert plain.get_content().splitlines() == mail.text.splitlines()
    assert html is not None
    assert html.get_content().strip() == mail.html
    assert taken.content.isascii()
    assert b"\n" not in taken.content.replace(b"\r\n", b"")


def test_each_tenant_logs_in_as_itself(smtp: SmtpEmulator, clock: HandClock) -> None:
    for tenant in ("acme", "globex"):
        a_sender(smtp, clock, tenant).send(a_mail(clock, tenant), deadline_seconds=AMPLE)
    assert [(taken.account, taken.sender) for taken in smtp.taken] == [
        ("acme", "ana@acme.example"),
        ("globex", "ana@globex.example"),
    ]


STEPS = ("CONNECT", "EHLO", "MAIL", "RCPT", "DATA")
BREAKS = (Fault("hang"), Fault("close"), Fault("reset"), Fault("drip", seconds=0.1), Fault("truncate"))


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.kind)
def test_what_breaks_before_the_final_dot_did_nothing(
    step: str, fault: Fault, smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock
) -> None:
    smtp.break_next(replace(fault, method=step))
    with within(seconds_for(fault)), pytest.raises(NothingHappened):
        acme.send(a_mail(clock), deadline_seconds=seconds_for(fault))
    assert smtp.taken == []


@pytest.mark.parametrize("fault", BREAKS, ids=lambda fault: fault.kind)
def test_what_breaks_after_the_final_dot_is_unknown(
    fault: Fault, smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock
) -> None:
    smtp.break_next(replace(fault, method="DOT", acts=True))
    with pytest.raises(MaybeHappened):
        acme.send(a_mail(clock), deadline_seconds=seconds_for(fault))
    assert len(smtp.taken) == 1


@pytest.mark.parametrize("step", [*STEPS, "DOT"])
@pytest.mark.parametrize(("status", "meaning"), [(421, NothingHappened), (451, NothingHappened), (554, NeverWill)])
def test_a_refusal_is_for_now_or_for_good(
    step: str, status: int, meaning: type[ProviderError], smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock
) -> None:
    smtp.break_next(Fault("answer", status=status, method=step))
    with pytest.raises(meaning):
        acme.send(a_mail(clock), deadline_seconds=AMPLE)
    assert smtp.taken == []


@pytest.mark.parametrize("status", [0, 25, 199, 354])
def test_a_senseless_answer_to_the_mail_leaves_it_open(
    status: int, smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock
) -> None:
    smtp.break_next(Fault("answer", status=status, method="DOT", acts=True))
    with pytest.raises(MaybeHappened):
        acme.send(a_mail(clock), deadline_seconds=AMPLE)


def test_one_refused_recipient_keeps_the_mail_from_all(smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock) -> None:
    mail = a_mail(clock, to=("bo@client.example", "cy@client.example"))
    smtp.break_next(Fault("slow", method="RCPT", seconds=0.0))
    smtp.break_next(Fault("answer", status=550, method="RCPT"))
    with pytest.raises(NeverWill):
        acme.send(mail, deadline_seconds=AMPLE)
    assert smtp.taken == []


def test_a_wrong_password_is_for_good(smtp: SmtpEmulator, clock: HandClock) -> None:
    sender = SmtpSender(
        "127.0.0.1", clock=clock, port=smtp.port, security="plain", username="acme", password="wrong secret"
    )
    with pytest.raises(NeverWill) as raised:
        sender.send(a_mail(clock), deadline_seconds=AMPLE)
    assert "wrong secret" not in f"{raised.value!r} {raised.value.__cause__!r}"


def test_a_server_that_is_not_there_did_nothing(clock: HandClock) -> None:
    with pytest.raises(NothingHappened):
        SmtpSender("127.0.0.1", clock=clock, port=1, security="plain").send(a_mail(clock), deadline_seconds=SHORT)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "two\r\nBcc: all@client.example"},
        {"headers": {"References": "<a@b>\n<c@d>\n\nbody"}},
        {"sender": "ana@acme.example\r\nRCPT TO:<x@y>"},
        {"to": ("bo@client.example>\r\nDATA\r\n",)},
        {"to": ("nobody",)},
        {"to": ("жанна@client.example",)},
    ],
    ids=str,
)
def test_a_mail_that_would_smuggle_or_mislead_is_refused_before_any_word(
    changes: dict[str, Any], smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock
) -> None:
    with pytest.raises(NeverWill):
        acme.send(a_mail(clock, **changes), deadline_seconds=AMPLE)
    assert smtp.taken == []


def test_a_domain_outside_ascii_travels_as_idna(smtp: SmtpEmulator, acme: SmtpSender, clock: HandClock) -> None:
    acme.send(a_mail(clock, to=("bo@bücher.example",)), deadline_seconds=AMPLE)
    assert smtp.taken[0].recipients == ("bo@xn--bcher-kva.example",)


def test_smtp_can_not_be_asked(acme: SmtpSender, clock: HandClock) -> None:
    assert not acme.keeps_keys
    with pytest.raises(NothingHappened, match="no listing"):
        acme.find(a_mail(clock), deadline_seconds=AMPLE)


@pytest.mark.parametrize("security", ["starttls", "ssl"])
def test_a_mail_goes_out_under_tls(security: str, certificate: Path, clock: HandClock) -> None:
    tls = server_tls(certificate)
    with SmtpEmulator(clock=clock, users=USERS, tls=tls, implicit_tls=security == "ssl") as smtp:
        sender = SmtpSender(
            "127.0.0.1",
            clock=clock,
            port=smtp.port,
            security="ssl" if security == "ssl" else "starttls",
            username="acme",
            password=USERS["acme"],
            tls=ssl.create_default_context(cafile=str(certificate)),
        )
        sender.send(a_mail(clock), deadline_seconds=AMPLE)
        assert len(smtp.taken) == 1
        smtp.break_next(Fault("drip", method="DATA", seconds=0.1))
        with within(SHORT), pytest.raises(NothingHappened):
            sender.send(a_mail(clock), deadline_seconds=SHORT)


def test_a_certificate_that_nobody_vouches_for_is_not_talked_to(certificate: Path, clock: HandClock) -> None:
    with SmtpEmulator(clock=clock, tls=server_tls(certificate)) as smtp:
        sender = SmtpSender("127.0.0.1", clock=clock, port=smtp.port, security="starttls")
        with pytest.raises(NothingHappened, match="CERTIFICATE_VERIFY_FAILED"):
            sender.send(a_mail(clock), deadline_seconds=AMPLE)
        assert smtp.taken == []


def test_without_the_offer_of_tls_no_password_is_said(smtp: SmtpEmulator, clock: HandClock) -> None:
    sender = SmtpSender("127.0.0.1", clock=clock, port=smtp.port, username="acme", password=USERS["acme"])
    with pytest.raises(NeverWill, match="STARTTLS"):
        sender.send(a_mail(clock), deadline_seconds=AMPLE)
