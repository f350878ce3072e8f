"""The demonstration: two companies, their mailboxes and the last few days of hours, on emulators of the vendors."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from domain.clock import SystemClock

if TYPE_CHECKING:
    from rich.console import Console

    from simulator.demo.findings import Findings
    from simulator.demo.stage import Stage
    from simulator.demo.story import Story

KEY_LASTS = timedelta(days=7)


class BrokenPromise(Exception):
    """The demonstration found something that must not be: see what it printed."""


def run(
    stage: Stage, *, exit_after: bool, as_json: bool = False, end: datetime | None = None,
    console: Console | None = None,
) -> int:  # fmt: skip
    """Tell the story, and stay up unless `exit_after`; the exit code. `end` is for tests: no present after it.

    Raises BrokenPromise when what is found afterwards is not what was promised.
    """
    from simulator.demo import companies, telling
    from simulator.demo import days as calendar
    from simulator.demo import story as stories
    from simulator.demo.clock import StoryClock
    from simulator.demo.findings import find
    from simulator.demo.world import World

    teller = telling.Teller(console or telling.console(), as_json)
    days = calendar.days_until(end or SystemClock().now())
    clock = StoryClock(end)
    cast = {slug: companies.read(slug, days) for slug in companies.SLUGS}
    teller.say("Two companies, two mailboxes, and the hours of the last few days (all times UTC)")
    teller.say(f"data in {stage.folder}; an empty database, the API and the vendors' emulators are starting …\n")
    with World(clock, days, cast) as world:
        with stage.open(clock, world.endpoints) as house:
            story = stories.tell(house, clock, world, days, teller.heard)
            found = {slug: find(story, slug) for slug in companies.SLUGS}
            key = _key(story)
        for each in found.values():
            teller.show(telling.report(each))
        teller.show(telling.wire(world.webhooks))
        told = {"companies": {slug: telling.as_data(each) for slug, each in found.items()}, "hours": teller.hours,
                "webhooks": dict(world.webhooks)}  # fmt: skip
        live, other = found.values()
        to_try = telling.commands(stage.command, house.public_url, key, live, other)
        if exit_after:
            _say_json(as_json, told)
            teller.say("\nDEMO_EXIT is set: everything has stopped again")
            check(found)
            return 0
        check(found)

        def announce(sentence: str) -> None:
            _say_json(as_json, {**told, "address": house.public_url, "key": key, "try": list(to_try)})
            teller.say(f"\n{sentence}.\nThe hours go on from here by themselves; Ctrl-C ends everything.\n")
            teller.say(f"address  {house.public_url}\nkey      {key}\n\nThree commands to try:\n")
            for command in to_try:
                teller.say(f"{command}\n")
            world.live_on()

        return stage.stay(world.endpoints, announce)


def _key(story: Story) -> str:
    """An admin's key of the company that is live."""
    from domain import keys

    slug = next(slug for slug, company in story.companies.items() if company.mode == "live")
    with story.house.database.tenant(story.tenants[slug], actor="demo") as tx:
        return keys.issue(tx, story.house.vault, name="demo", role="admin", expires_at=tx.now + KEY_LASTS).secret


def check(found: dict[str, Findings]) -> None:
    """Hold what was found against what was promised. Raises BrokenPromise."""
    wrong = []
    for each in found.values():
        if each.doubled or each.unrecorded or len(each.posted) != each.sent:
            wrong.append(f"{each.slug}: {each.doubled} mails doubled, {each.unrecorded} without their card")
        if each.mode == "dry_run" and each.sent:
            wrong.append(f"{each.slug}: {each.sent} mails left although it is in dry_run")
        if not each.ledgers_add_up:
            wrong.append(f"{each.slug}: a ledger does not add up")
        if each.errors:
            wrong.append(f"{each.slug}: {len(each.errors)} errors in its runs, the last one in {each.errors[0]}")
    if wrong:
        raise BrokenPromise("; ".join(wrong))


def _say_json(as_json: bool, told: dict[str, Any]) -> None:
    if as_json:
        import sys

        sys.stdout.write(json.dumps(told, ensure_ascii=False, default=str) + "\n")
        sys.stdout.flush()


__all__ = ["BrokenPromise", "run"]
