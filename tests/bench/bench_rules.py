"""PF6: what judging costs (all rules over one card's facts), and what reading the facts of 500 cards takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from domain import settings
from domain.db import Database
from domain.house import House
from jobs import compose
from policy import content
from policy.facts import gather
from policy.judge import judge
from tests import houses
from tests.hand_clock import HandClock
from tests.policy.test_facts import MANY, counted, crowd
from tests.policy.world import World, begin

ROUNDS = 7
CALLS = 100_000


def test_pf6_rules_and_their_facts(clone: Database, clock: HandClock, figures: Callable[..., None]) -> None:
    with houses.house(clone) as house:
        figures("PF6", **measured(house, clock))


def measured(house: House, clock: HandClock) -> dict[str, object]:
    """The figures of PF6; microseconds per card are processor time, so that neighbours don't count."""
    world = World(house, clock, *begin(house.database, clock))
    with world.tx() as tx:
        some = crowd(tx, world, MANY)
        mails, _, _ = compose.compose(house, tx, some, settings.of(tx))
        gather(tx, some, mails=mails, vault=house.vault, brakes=house.brakes)
        with counted(world.database) as statements:
            facts = gather(tx, some, mails=mails, vault=house.vault, brakes=house.brakes)
        reading = rounds(lambda: gather(tx, some, mails=mails, vault=house.vault, brakes=house.brakes), len(some))
    search = content.search.__wrapped__
    outward = [each for each in facts.values() if each.mail is not None]
    return {
        # such machines change their speed from one minute to the next: what an empty call takes tells at which they ran
        "an_empty_call_ns": rounds(lambda: [nothing() for _ in range(CALLS)], CALLS / 1_000)["median"],
        "rules_us_per_card": rounds(lambda: [judge(each) for each in outward], len(outward)),
        "verdicts_per_card": len(judge(outward[0]).verdicts),
        "text_us_per_mail": rounds(lambda: [search(m.subject, m.text, m.html, ()) for m in mails.values()], len(mails)),
        "facts_us_per_card_texts_known": reading,
        "facts_statements": len(statements),
        "cards": len(some),
        "bars": {"rules_us_per_card": 50, "facts_statements": 6},
    }


def nothing() -> int:
    """Hardly anything."""
    return 0


def rounds(work: Callable[[], object], count: float) -> dict[str, float]:
    """The median of several rounds with the spread, in microseconds of processor time for each of `count`."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append((time.process_time() - began) / count * 1e6)
    return {"median": round(statistics.median(times), 1), "min": round(min(times), 1), "max": round(max(times), 1)}
