"""Mail in while something else is wrong: what a provider withholds or a setting spoils keeps nothing back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from domain import mailboxes, quarantine
from domain.ports import NothingHappened, Page, RawMessage
from jobs import ingest
from providers.gmail import GmailMailbox
from tests import build
from tests.jobs.letters import Post, hand, letter


class Withholding:
    """A mailbox that can't give one of its messages; the rest is as ever."""

    name = "gmail"

    def __init__(self, real: GmailMailbox) -> None:
        self._real = real

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        yield from self._real.changes(cursor, known=known)

    def recent_ids(self, days: int) -> frozenset[str]:
        return self._real.recent_ids(days)

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        raise NothingHappened("Gmail's answer is malformed")

    def address(self) -> str:
        return self._real.address()


def test_a_message_that_the_provider_cannot_give_keeps_back_none_behind_it(post: Post) -> None:
    post.hands.mailboxes[post.mailbox_id] = Withholding(hand(post.gmail, post.account))
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        quarantine.note(tx, "message", f"{post.mailbox_id}/broken", "Gmail's answer is malformed")
    for number in range(quarantine.TRIES + 1):
        post.arrives(letter(number=number))
        ingest.run(post.house, post.tenant_id)
        assert post.value("SELECT count(*) FROM gmail_messages WHERE tenant_id = :t") == number + 1
    assert post.value("SELECT attempts FROM quarantine WHERE tenant_id = :t") == quarantine.TRIES
    with post.database.tenant(post.tenant_id) as tx:
        assert mailboxes.get(tx, post.mailbox_id).failures == 0


def test_a_setting_that_cannot_be_read_stops_no_mail_and_no_opt_out(post: Post) -> None:
    with post.database.tenant(post.tenant_id, actor="test") as tx:
        build.contact(tx)
        tx.run("""UPDATE tenants SET settings = settings || '{"timezone": "Mars/Base", "of_old": 1}'
                  WHERE tenant_id = :t""", t=post.tenant_id)  # fmt: skip
    post.arrives(letter("Please unsubscribe me from this list."))
    assert ingest.run(post.house, post.tenant_id)["opt_outs"] == 1
    assert post.value("SELECT reason FROM suppressions WHERE tenant_id = :t") == "opted_out"
    assert post.value("SELECT count(*) FROM agent_alerts WHERE tenant_id = :t") == 0
