"""The crash laboratory: boundaries found in the code, a hook that kills at one, and the judge of what is left."""

from __future__ import annotations

import ast
import contextlib
import random
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from domain.db import Database
from jobs import cycle
from providers.resend import ResendSender
from simulator.emulators.faults import Fault, fail, throttle
from simulator.emulators.resend import ResendEmulator
from tests import build, houses
from tests.hand_clock import HandClock

ROOT = Path(__file__).parents[2]

WEATHER: tuple[Callable[[], Fault] | None, ...] = (
    None,
    None,
    lambda: Fault("reset", acts=True, method="POST"),
    lambda: Fault("close", acts=False, method="POST"),
    lambda: fail(500, acts=True),
    lambda: throttle(30),
)
"""What the provider does on top of the crash; None twice, because mostly it does nothing."""


def boundaries(module: str) -> list[str]:
    """Every step boundary that a module of `jobs` passes, read from its code."""
    tree = ast.parse((ROOT / "jobs" / f"{module}.py").read_text())
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "fault"
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]


UNKNOWN = (lambda: Fault("reset", acts=True, method="POST"), lambda: Fault("close", acts=False, method="POST"))
"""What leaves an outcome unknown, so that there is something to resolve."""


class Killed(BaseException):
    """The process ends here."""


@dataclass
class Killer:
    """Ends the process at the `nth` passage of one boundary, once."""

    step: str
    nth: int
    fired: bool = False
    passed: int = 0

    def __call__(self, step: str) -> None:
        if step != self.step or self.fired:
            return
        self.passed += 1
        if self.passed == self.nth:
            self.fired = True
            raise Killed(step)


@dataclass
class Finding:
    """What one run of the laboratory came to."""

    fired: bool
    lost: int
    doubled: int
    unkeyed_repeats: int
    """Raw POSTs about one card beyond same-key tries: an emulator that honours keys would hide them."""


class NewKeyEachTry(ResendSender):
    """The seeded defect: a sender that makes up another key for every try."""

    tries = 0

    def send(self, mail, *, deadline_seconds=10.0):  # type: ignore[no-untyped-def]
        from dataclasses import replace

        self.tries += 1
        return super().send(replace(mail, idempotency_key=f"{mail.idempotency_key}-{self.tries}"),
                            deadline_seconds=deadline_seconds)  # fmt: skip


def run(
    database: Database, clock: HandClock, resend: ResendEmulator, step: str, seed: int, *,
    sender: type[ResendSender] = ResendSender, listing: bool = True,
) -> Finding:  # fmt: skip
    """Kill a tenant's cycle at `step`, let others take over until nothing moves, and count what arrived."""
    chance = random.Random(f"{step}:{seed}")
    key = f"re_{step.replace('.', '_')}_{seed}"
    slug = f"t{seed}-{zlib.crc32(step.encode())}"
    tenant_id = build.tenant(database, slug, {**build.ACME, "send_mode": "live"})
    people = chance.randint(1, 3)
    with database.tenant(tenant_id) as tx:
        for at in range(people):
            build.contact(tx, build.client(tx, f"Client {at}"), f"person{at}@client-{at}.example")
    hands = houses.TestHands(senders={tenant_id: sender(key, resend.url)})
    resend.account(key, may_list=listing)
    resend.faults.clear()
    weather = chance.choice(UNKNOWN if step.startswith("resolve.") else WEATHER)
    if weather is not None:
        resend.break_next(weather())
    killer = Killer(step, 1 if step.startswith("resolve.") else chance.randint(1, people))
    with houses.house(database, holder="first", hands=hands, fault=killer) as house, contextlib.suppress(Killed):
        cycle.run(house, tenant_id, kind="manual")
    _take_over(database, clock, hands, tenant_id, killer, sender(key, resend.url))
    return _finding(database, resend, tenant_id, key, killer.fired, people)


def _take_over(
    database: Database, clock: HandClock, hands: houses.TestHands, tenant_id: UUID, killer: Killer, sender: ResendSender
) -> None:  # fmt: skip
    hands.senders[tenant_id] = sender
    for at in range(8):
        clock.advance(minutes=5)
        with houses.house(database, holder=f"later-{at}", hands=hands, fault=killer) as house:
            try:
                cycle.run(house, tenant_id, kind="manual")
            except Killed:
                continue
        with database.tenant(tenant_id) as tx:
            if not tx.value("SELECT count(*) FROM kanban_cards WHERE state <> 'done'") and killer.fired:
                return


def _finding(
    database: Database, resend: ResendEmulator, tenant_id: UUID, key: str, fired: bool, people: int
) -> Finding:  # fmt: skip
    delivered = Counter(str(mail["to"]) for mail in resend.sent(key))
    tries: dict[str, set[str]] = {}
    for seen in resend.witness.requests:
        if seen.account == key and seen.method == "POST" and seen.acted:
            tries.setdefault(str(seen.json["to"]), set()).add(seen.key)
    with database.tenant(tenant_id) as tx:
        done = tx.value("SELECT count(*) FROM kanban_cards WHERE state = 'done'")
    return Finding(
        fired=fired,
        lost=people - min(len(delivered), done),
        doubled=sum(count - 1 for count in delivered.values()),
        unkeyed_repeats=sum(len(keys) - 1 for keys in tries.values()),
    )
