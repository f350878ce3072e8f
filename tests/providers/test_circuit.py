"""A provider that keeps failing is left in peace, and nobody's refusals count against another."""

from __future__ import annotations

import pytest

from domain.ports import MaybeHappened, NeverWill, NothingHappened
from providers.circuit import Circuit, CircuitSender
from providers.resend import ResendSender
from simulator.emulators.faults import Fault, fail, refuse, throttle
from simulator.emulators.resend import ResendEmulator
from tests.hand_clock import HandClock
from tests.providers.haste import AMPLE
from tests.providers.outbound import a_mail


@pytest.fixture
def circuit(clock: HandClock) -> Circuit:
    return Circuit(clock, failures=3, rest_seconds=30)


def a_sender(resend: ResendEmulator, circuit: Circuit, tenant: str = "acme") -> CircuitSender:
    return CircuitSender(ResendSender(f"re_{tenant}", resend.url), circuit)


def fail_times(times: int, sender: CircuitSender, resend: ResendEmulator, clock: HandClock, fault: Fault) -> None:
    for _ in range(times):
        resend.break_next(fault)
        with pytest.raises((MaybeHappened, NothingHappened, NeverWill)):
            sender.send(a_mail(clock), deadline_seconds=AMPLE)


def test_after_failures_in_a_row_nothing_is_sent_and_the_wait_is_told(
    resend: ResendEmulator, circuit: Circuit, clock: HandClock
) -> None:
    fail_times(3, a_sender(resend, circuit), resend, clock, fail(500))
    assert circuit.is_open
    for tenant in ("acme", "globex"):
        with pytest.raises(NothingHappened) as raised:
            a_sender(resend, circuit, tenant).send(a_mail(clock, tenant), deadline_seconds=AMPLE)
        assert raised.value.retry_after_seconds == 30
    assert len(resend.witness.posts()) == 3


def test_one_try_passes_after_the_rest_and_its_success_closes_the_circuit(
    resend: ResendEmulator, circuit: Circuit, clock: HandClock
) -> None:
    sender = a_sender(resend, circuit)
    fail_times(3, sender, resend, clock, Fault("reset"))
    clock.advance(seconds=31)
    fail_times(1, sender, resend, clock, fail(503))
    with pytest.raises(NothingHappened, match="left in peace"):
        sender.send(a_mail(clock), deadline_seconds=AMPLE)
    clock.advance(seconds=31)
    sender.send(a_mail(clock), deadline_seconds=AMPLE)
    sender.send(a_mail(clock), deadline_seconds=AMPLE)
    assert not circuit.is_open


@pytest.mark.parametrize("fault", [throttle(1), refuse(422)], ids=["throttle", "refusal"])
def test_a_tenants_own_refusals_do_not_count(
    fault: Fault, resend: ResendEmulator, circuit: Circuit, clock: HandClock
) -> None:
    fail_times(10, a_sender(resend, circuit), resend, clock, fault)
    assert not circuit.is_open
    a_sender(resend, circuit, "globex").send(a_mail(clock, "globex"), deadline_seconds=AMPLE)


def test_a_success_in_between_starts_the_count_anew(resend: ResendEmulator, circuit: Circuit, clock: HandClock) -> None:
    sender = a_sender(resend, circuit)
    for _ in range(3):
        fail_times(2, sender, resend, clock, fail(500))
        sender.send(a_mail(clock), deadline_seconds=AMPLE)
    assert not circuit.is_open


def test_an_unreachable_provider_counts(circuit: Circuit, clock: HandClock) -> None:
    sender = CircuitSender(ResendSender("re_acme", "http://127.0.0.1:1"), circuit)
    for _ in range(3):
        with pytest.raises(NothingHappened, match="could not be reached"):
            sender.send(a_mail(clock), deadline_seconds=AMPLE)
    with pytest.raises(NothingHappened, match="left in peace"):
        sender.send(a_mail(clock), deadline_seconds=AMPLE)


def test_questions_pass_an_open_circuit(resend: ResendEmulator, circuit: Circuit, clock: HandClock) -> None:
    sender, mail = a_sender(resend, circuit), a_mail(clock)
    assert (sender.name, sender.keeps_keys) == ("resend", True)
    fail_times(3, sender, resend, clock, fail(500))
    assert sender.find(mail, deadline_seconds=AMPLE) is None
