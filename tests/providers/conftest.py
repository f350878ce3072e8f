"""Fixtures of the provider tests: a clock that stands still, and the emulators with two tenants' accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers.gmail import GmailMailbox
from simulator.emulators.gmail import GmailAccount, GmailEmulator
from simulator.emulators.resend import ResendEmulator
from tests.hand_clock import HandClock
from tests.providers.gmail_boxes import a_mailbox


@pytest.fixture
def clock() -> HandClock:
    """A clock of the test's own."""
    return HandClock()


@pytest.fixture
def resend(clock: HandClock) -> Iterator[ResendEmulator]:
    """Resend, with an account for each tenant."""
    with ResendEmulator(clock=clock) as emulator:
        emulator.account("re_acme")
        emulator.account("re_globex")
        yield emulator


@pytest.fixture
def gmail(clock: HandClock) -> Iterator[GmailEmulator]:
    """Gmail, without any account yet."""
    with GmailEmulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
def account(gmail: GmailEmulator) -> GmailAccount:
    """Acme's mailbox as Google holds it."""
    return gmail.account("ana@acme.example")


@pytest.fixture
def box(gmail: GmailEmulator, account: GmailAccount) -> GmailMailbox:
    """Acme's mailbox as we see it."""
    return a_mailbox(gmail, account)
