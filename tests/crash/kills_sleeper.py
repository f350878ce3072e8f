"""A worker that is paused (SIGSTOP) in the middle of its first send, at exactly the instant that it was told."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from domain.clock import SystemClock
from domain.db import Tx
from domain.house import Hands
from domain.ports import Accepted, FoundMail, Mailbox, MailSender, OutboundMail
from worker import assembly, process, settings, telemetry
from worker.cli import speaking
from worker.queue import Worker

FALLING_ASLEEP_SECONDS = 3.0


class SleepySender:
    """A sender whose process is paused before its first POST, or after its first answer and before that is stored."""

    slept = False

    def __init__(self, inner: MailSender, when: str) -> None:
        self._inner = inner
        self._when = when
        self.name = inner.name
        self.keeps_keys = inner.keeps_keys

    def send(self, mail: OutboundMail, *, deadline_seconds: float) -> Accepted:
        """Send, with a sleep in it; `reckless` takes a new key after it, which is the defect to be caught."""
        if self._when in ("before", "reckless"):
            self._sleep()
        if self._when == "reckless":
            mail = replace(mail, idempotency_key=f"{mail.idempotency_key}-again")
        answer = self._inner.send(mail, deadline_seconds=deadline_seconds)
        if self._when == "after":
            self._sleep()
        return answer

    def find(self, mail: OutboundMail, *, deadline_seconds: float, since: datetime | None = None) -> FoundMail | None:
        """As the inner one finds it."""
        return self._inner.find(mail, deadline_seconds=deadline_seconds, since=since)

    @classmethod
    def _sleep(cls) -> None:
        if not cls.slept:
            cls.slept = True
            os.kill(os.getpid(), signal.SIGSTOP)
            # the stop may reach another thread first: this one must not run on meanwhile
            SystemClock().wait(FALLING_ASLEEP_SECONDS)


class SleepyHands:
    """Hands that lend sleepy senders."""

    def __init__(self, inner: Hands, when: str) -> None:
        self._inner = inner
        self._when = when

    def sender(self, tx: Tx, name: str) -> MailSender:
        """The tenant's sender, sleepy."""
        return SleepySender(self._inner.sender(tx, name), self._when)

    def mailbox(self, tx: Tx, mailbox_id: UUID) -> Mailbox:
        """The tenant's mailbox as it is."""
        return self._inner.mailbox(tx, mailbox_id)


def main(arguments: list[str]) -> None:
    """Work until SIGTERM; the first argument says when to sleep: before, after or reckless."""
    told = settings.load()
    telemetry.configure(told.log_level)
    with assembly.standing(told) as standing:
        house = replace(standing.house, hands=SleepyHands(standing.house.hands, arguments[0]))
        working = Worker(house, told, lambda _task, _result: None)
        with process.signals() as signalled:
            working.start()
            speaking.say({"up": arguments[0]}, True, sentence="")
            signalled(lambda: working.alive)
        house.leaving.set()
        working.stop()
        working.join(told.drain_seconds)
