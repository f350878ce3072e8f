"""The play of a mailbox: letters come in while processes die, and what they ask for reaches a person once."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

from domain import inbox, mailboxes
from domain.db import Tx
from domain.house import House
from domain.ports import Mailbox
from jobs import cycle, ingest
from providers.gmail import GmailMailbox
from providers.gmail_auth import GmailGrant
from providers.gmail_calls import GmailCalls
from simulator.emulators.faults import Fault, fail, refuse
from simulator.emulators.gmail_accounts import GmailAccount
from tests import build
from tests.crash.laboratory import Finding, Killer, Stage
from tests.crash.mail_out import Weather
from tests.jobs import letters
from tests.jobs.letters import letter

Kinds = tuple[tuple[str, str | None], ...]

KINDS: Kinds = (
    ("Thank you, see you soon.", None),
    ("We have the right to be forgotten.", "create_task"),
    ("We will take legal action against you.", "create_task"),
    ("I want to complain: the pump is broken again and nobody answers, this is unacceptable.", "open_case"),
)
"""What Bill writes, and the action that follows from it."""

ASKING: Kinds = KINDS[1:]
"""What never goes without an action."""

WEATHER: Weather = (
    None,
    None,
    partial(fail, 503, times=4),
    partial(Fault, "reset", method="GET", times=4),
    partial(refuse, 403, "userRateLimitExceeded", times=4),
    partial(Fault, "truncate", method="GET", path="/history"),
    partial(refuse, 400, "failedPrecondition"),
)
"""What Google does on top of the crash."""

BROKEN: Weather = (partial(Fault, "answer", status=400, error="failedPrecondition", method="GET", path="format=raw"),)
"""What makes one message unreadable, so that it is laid aside and tried again."""

Wraps = Callable[[Mailbox, "Post"], Mailbox]


class Post:
    """A tenant whose contact Bill writes one to five letters."""

    def __init__(
        self, stage: Stage, slug: str, chance: random.Random, *, weather: Weather = WEATHER,
        kinds: Kinds = KINDS, expires: bool | None = None, wraps: Wraps | None = None,
    ) -> None:  # fmt: skip
        self.stage, self.chance, self.kinds, self.raws = stage, chance, kinds, list[bytes]()
        self.wanted: Counter[str] = Counter()
        self.ahead: list[str] = []
        self.account = stage.gmail.account(f"ana@{slug}.example")
        self.tenant_id = build.tenant(stage.database, slug, {**build.ACME, "send_mode": "live"})
        with stage.database.tenant(self.tenant_id, actor="test") as tx:
            build.contact(tx)
            # nobody is due to be written to: this play is about what comes in
            tx.run("UPDATE engagement_clocks SET status = 'exempt', exempt_reason = 'test' WHERE tenant_id = :t",
                   t=self.tenant_id)  # fmt: skip
            self.mailbox_id = letters.connect(tx, self.account)
        real = _hand(stage, self.account, page_size=chance.randint(1, 2))
        stage.hands.mailboxes[self.mailbox_id] = wraps(real, self) if wraps else real
        self._begins(weather, chance.random() < 0.3 if expires is None else expires)

    def live(self, house: House, life: int) -> None:
        """A poll of the mailbox; and once all is in, the cycle that it calls for."""
        ingest.run(house, self.tenant_id)
        with house.database.tenant(self.tenant_id) as tx:
            is_read = mailboxes.get(tx, self.mailbox_id).cursor == self.account.history_id
        if is_read:
            cycle.run(house, self.tenant_id, kind="extra")

    def between(self, life: int) -> None:
        """The cursor is looked at; then, sometimes, one letter more comes in."""
        with self.stage.database.tenant(self.tenant_id) as tx:
            cursor = mailboxes.get(tx, self.mailbox_id).cursor
            rows = tx.rows("""SELECT gmail_message_id AS id FROM gmail_messages
                              UNION ALL SELECT split_part(source, '/', 2) FROM quarantine WHERE kind = 'message'""")
            stored = {row["id"] for row in rows}
        covered = [m.id for m in self.account.messages.values() if cursor and m.history_id <= int(cursor)]
        self.ahead += [f"life {life}: the cursor covers {each}, which is not stored" for each in set(covered) - stored]
        if life == 0 and self.chance.random() < 0.5:
            self._arrives()

    def is_quiet(self, tx: Tx) -> bool:
        return mailboxes.get(tx, self.mailbox_id).cursor == self.account.history_id and not tx.value(
            """SELECT (SELECT count(*) FROM reactions_due WHERE tenant_id = :t)
                    + (SELECT count(*) FROM agent_autonomous_runs WHERE tenant_id = :t AND finished_at IS NULL)
                    + (SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND state <> 'done')
                    + (SELECT count(*) FROM quarantine WHERE tenant_id = :t AND replayed_at IS NULL)""",
            t=self.tenant_id,
        )  # fmt: skip

    def judge(self, tx: Tx, found: Finding) -> None:
        kept = [inbox.raw(tx, each.id) for each in inbox.listed(tx)]
        found.lost += self.ahead
        found.lost += [f"a letter was not stored as it came: {raw[-40:]!r}" for raw in self.raws if raw not in kept]
        if not self.is_quiet(tx):
            found.lost.append("something still moves")
        count = len(self.raws)
        found.expect(tx, {
            "gmail_messages": count, "warehouse_events WHERE type = 'mail.received'": count, "touches": count,
            "tasks": self.wanted["create_task"], "cases": self.wanted["open_case"],
        })  # fmt: skip
        found.once(
            tx, ("gmail_message_id", "gmail_messages"), ("message_id", "touches"), ("dedupe_key", "kanban_cards"),
            ("card_id", "tasks"), ("card_id", "cases"), ("evidence ->> 'message_id'", "tasks"),
            ("subject_id", "warehouse_events WHERE type = 'mail.received'"),
        )  # fmt: skip

    def _begins(self, weather: Weather, expires: bool) -> None:
        if expires or self.chance.random() < 0.5:
            # the first sync was before
            self._arrives()
            ingest.run(self.stage.processes[0].lives(Killer("nowhere")), self.tenant_id)
        fresh = self.chance.randint(1, 3)
        for _ in range(fresh):
            self._arrives()
        self.pieces = (fresh + 1) // 2
        if expires:
            self.account.expire_history()
        elif (fault := self.chance.choice(weather)) is not None:
            self.stage.gmail.break_next(fault())

    def _arrives(self) -> None:
        text, action = self.chance.choice(self.kinds)
        number = len(self.raws) + 1
        raw = letter(f"{text} {number}", subject=f"Letter {number}", number=number) + bytes([0xFF, 0x00, number])
        self.raws.append(raw)
        self.account.deliver(raw)
        self.wanted[action or "nothing"] += 1


def _hand(stage: Stage, account: GmailAccount, *, page_size: int) -> GmailMailbox:
    """Google's SDK on the emulator, with pages so small that a sync has several."""
    grant = GmailGrant(account.refresh_token, "client", "client secret", token_url=stage.gmail.token_url)
    calls = GmailCalls(grant, api_url=stage.gmail.url, call_seconds=5, pause_seconds=0.001)
    return GmailMailbox(calls, page_size=page_size, in_flight=1)
