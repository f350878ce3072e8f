"""The story: mailboxes are read, the hours of a few days are run, people answer, and the present comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain import ledger, runs
from domain.house import House
from jobs import cycle, ingest
from simulator.demo import companies, opinions, records, trade
from simulator.demo.clock import StoryClock
from simulator.demo.companies import Company
from simulator.demo.days import Days
from simulator.demo.deeds import DEEDS
from simulator.demo.world import World


@dataclass(frozen=True, slots=True)
class Hour:
    """One cycle as it was told."""

    slug: str
    run_id: UUID
    at: datetime
    number: int
    outcome: str
    took_ms: int
    executed: int
    held: int
    blocked: int
    deferred: int
    failed: int
    expired: int
    """What was due and came too late to be done."""
    mail: Counter[str]
    """What was ingested before it."""


@dataclass
class Story:
    """What came of it."""

    house: House
    world: World
    days: Days
    tenants: Mapping[str, UUID]
    companies: Mapping[str, Company]
    hours: list[Hour] = field(default_factory=list)
    deeds: list[tuple[datetime, str]] = field(default_factory=list)
    ingested: dict[str, Counter[str]] = field(default_factory=dict)


Told = Callable[[Hour | tuple[datetime, str]], None]


def tell(house: House, clock: StoryClock, world: World, days: Days, told: Told) -> Story:
    """Run it all; `told` hears of each cycle and each deed as it happens."""
    clock.begin(days.begin - companies.BEFORE)
    found = {
        slug: companies.found(
            house, post.company, refresh_token=world.refresh_token(post.company),
            webhook_secret=world.webhook_secret(post.company),
        )
        for slug, post in world.posts.items()
    }  # fmt: skip
    for slug, tenant_id in found.items():
        with house.database.tenant(tenant_id, actor=companies.ACTOR) as tx:
            records.require(tx, world.posts[slug].company, days)
    story = Story(house, world, days, found, {slug: post.company for slug, post in world.posts.items()})
    world.connect(house.public_url)
    world.come_to(days.begin)
    for slug, tenant_id in found.items():
        with house.database.tenant(tenant_id, actor=companies.ACTOR) as tx:
            trade.open_shop(tx, story.companies[slug])
            opinions.deliver(tx, story.companies[slug], days)
        companies.remember(house, tenant_id, story.companies[slug], days)
        _ingest(story, slug)
    pending = [(days.when(deed.at), deed) for deed in DEEDS]
    for moment in days.moments:
        while pending and pending[0][0] < moment:
            at, deed = pending.pop(0)
            world.come_to(at)
            if sentence := deed.does(house, found[deed.slug], deed.whose):
                story.deeds.append((at, sentence))
                told((at, sentence))
        world.come_to(moment)
        _hour(story, told)
    world.come_to(days.end - timedelta(seconds=30))
    clock.arrive()
    _hour(story, told)
    return story


def _hour(story: Story, told: Told) -> None:
    for slug, tenant_id in story.tenants.items():
        mail = _ingest(story, slug)
        run_id = cycle.run(story.house, tenant_id)
        if run_id is None:
            continue
        with story.house.database.tenant(tenant_id) as tx:
            row = runs.get(tx, run_id)
            expired = sum(each["disposition"] == "expired" for each in ledger.lines(tx, run_id))
        assert row is not None, "a cycle that ran has its row"
        hour = Hour(
            slug, run_id, row["started_at"], row["cycle_number"], row["outcome"], row["duration_ms"], row["executed"],
            row["held"], row["blocked"], row["deferred"], row["failed"], expired, mail,
        )  # fmt: skip
        story.hours.append(hour)
        told(hour)


def _ingest(story: Story, slug: str) -> Counter[str]:
    counts = ingest.run(story.house, story.tenants[slug])
    story.ingested.setdefault(slug, Counter()).update(counts)
    return counts
