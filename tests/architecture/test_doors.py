"""Mail leaves by two named doors, and a third would be noticed."""

from __future__ import annotations

import pytest

from tests.architecture import doors
from tests.architecture.source import Source, sources

SENDERS = {"MailSender", "ResendSender", "SmtpSender"}
SECOND_DOORS = {
    "an engine that sends": Source("engines/e.py", "def act(hand, mail): hand.send(mail, deadline_seconds=1)"),
    "a send kept for later": Source("jobs/cycle.py", "def f(hand): later = hand.send; later(1)"),
    "a send by its name": Source("jobs/cycle.py", 'def f(hand): getattr(hand, "send")(1)'),
    "a borrowed sender": Source("admin_api/routes.py", "def f(house, tx): return house.hands.sender(tx, 'resend')"),
    "a lender kept for later": Source("jobs/plan.py", "def f(house): return house.hands.sender"),
    "an asker that sends": Source("jobs/resolve.py", "def f(hands, tx): hands.sender(tx, 'resend').send(1)"),
    "a provider of one's own": Source("jobs/cycle.py", "from providers.resend import ResendSender"),
    "a provider through its module": Source("worker/cli.py", "import providers.smtp as s\nx = s.SmtpSender()"),
    "the port itself": Source("engines/e.py", "from domain.ports import MailSender"),
    "a webhook posted elsewhere": Source("jobs/watch.py", "def f(house): house.hooks.post(1)"),
    "a webhook by its maker": Source("jobs/watch.py", "from providers.hooks import WebhookPoster"),
    "a simulator that sends": Source("simulator/run.py", "def f(hand): hand.send(1)"),
}
SOUND = [
    Source("jobs/notices.py", "def f(house): house.hooks.post(1)"),
    Source("jobs/watch.py", "from domain import hooks\ndef f(tx): hooks.due(tx)"),
    Source("jobs/execute.py", "def f(hands, tx, mail): hands.sender(tx, 'resend').send(mail)"),
    Source(
        "jobs/resolve.py", "from domain.ports import MailSender\ndef f(hands, tx, m): hands.sender(tx, 'r').find(m)"
    ),
    Source("providers/resend.py", "import resend\nclass ResendSender:\n    def send(self, m): resend.Emails.send(m)"),
    Source("worker/assembly.py", "from providers.resend import ResendSender"),
    Source("simulator/emulators/resend.py", "def f(postman): postman.send(1)"),
    Source("engines/e.py", "def f(ctx): return ctx.mailbox.changes(None)"),
    Source("tests/providers/test_resend.py", "def f(sender): sender.send(1)"),
]


def test_only_the_executor_and_the_notices_send() -> None:
    senders = doors.sending_classes(sources())
    found = [f"{source.path}: {finding}" for source in sources() for finding in doors.second_doors(source, senders)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("source", SECOND_DOORS.values(), ids=SECOND_DOORS)
def test_a_second_door_is_noticed(source: Source) -> None:
    assert list(doors.second_doors(source, SENDERS))


@pytest.mark.parametrize("source", SOUND, ids=lambda source: source.path)
def test_what_is_allowed_passes(source: Source) -> None:
    assert not list(doors.second_doors(source, SENDERS))


def test_providers_that_can_send_are_found_in_the_code() -> None:
    new = Source("providers/pigeon.py", "class Pigeon:\n    def send(self): ...\n    def find(self): ...")
    assert doors.sending_classes([new]) == {"MailSender", "Pigeon"}
    assert "ResendSender" in doors.sending_classes(sources())
