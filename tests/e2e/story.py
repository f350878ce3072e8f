"""A month in the life of four tenants, told through each door; what was seen on the way is kept for the tests.

Both stories happen in one house, whose processes, hours and database they share; only the tenants are each story's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from simulator.emulators.resend_webhooks import Hook
from tests.e2e.doors import Door, Record
from tests.e2e.letters import letter
from tests.e2e.rehearsal import Hand, Rehearsal, until

ARRIVAL = datetime(2026, 3, 2, 9, 1, tzinfo=UTC)
"""A Monday, in Madrid's business hours like the days that follow."""
TOUCHES = datetime(2026, 3, 24, 9, 1, tzinfo=UTC)
FOLLOW_UPS = datetime(2026, 3, 30, 9, 1, tzinfo=UTC)

HOUSE_KEY = "re_house"
CAP = 2
FINAL = ("done", "held", "deferred", "blocked", "failed", "uncertain", "expired", "cancelled")

PEOPLE: Mapping[str, tuple[str, ...]] = {
    "acme": ("ana@northwind.example", "bruno@southwind.example", "carla@eastwind.example", "dan@westwind.example"),
    "globex": ("eva@hooli.example", "finn@raviga.example"),
    "initech": ("gus@inside.example", "zoe@outside.example", "hal@farside.example"),
    "umbrella": tuple(f"person{n}@account{n}.example" for n in range(5)),
}
MODES = {"acme": "live", "globex": "dry_run", "initech": "internal_only", "umbrella": "limited_live"}
MORE: Mapping[str, Record] = {
    "initech": {"allow_list": ["inside.example", "zoe@outside.example"]},
    "umbrella": {"limited_live_emails_per_day": CAP},
}


@dataclass
class Story:
    """What happened."""

    rehearsal: Rehearsal
    door: Door
    suffix: str
    """What its tenants' slugs end with."""
    cards: dict[str, Sequence[Record]] = field(default_factory=dict)
    """Each tenant's cards after the touches."""
    later: dict[str, Sequence[Record]] = field(default_factory=dict)
    """And after the follow-ups."""
    why: dict[str, Record] = field(default_factory=dict)
    """By state: the explanation of one card that stands there."""
    posts: dict[str, Sequence[Record]] = field(default_factory=dict)
    later_posts: dict[str, Sequence[Record]] = field(default_factory=dict)
    hooks: dict[str, list[int]] = field(default_factory=dict)
    linked: Sequence[Record] = field(default_factory=list)
    clocks: dict[str, Record] = field(default_factory=dict)
    outbound: dict[str, str] = field(default_factory=dict)
    exempt: dict[str, str] = field(default_factory=dict)
    runs_before: int = 0
    while_stopped: dict[str, int] = field(default_factory=dict)
    """Runs and POSTs of acme that came between its stop and its resumption; and those of a stopped house."""
    ends: list[tuple[int, float]] = field(default_factory=list)

    @property
    def slugs(self) -> dict[str, str]:
        """Its tenants' slugs in the house, by their names in the story."""
        return {name: f"{name}{self.suffix}" for name in PEOPLE}

    @property
    def own(self) -> str:
        """The mailbox of acme."""
        return f"ana@{self.slugs['acme']}.example"

    @property
    def key(self) -> str:
        """The Resend key of acme; the others use the house's."""
        return f"re_{self.slugs['acme']}"

    def sent(self, name: str) -> list[dict[str, Any]]:
        """The raw POSTs of a tenant so far, in whatever account they arrived."""
        posts = [seen.json for seen in self.rehearsal.resend.witness.posts(path="/emails")]
        return [post for post in posts if address_of(post["from"]) == _sender(self.slugs[name])]

    def look(self, sql: str) -> list[dict[str, Any]]:
        """Rows of its own tenants, which the query knows as `mine`."""
        mine = "WITH mine AS (SELECT tenant_id, slug FROM tenants WHERE slug = ANY(%(slugs)s)) "
        return self.rehearsal.look(mine + sql, slugs=list(self.slugs.values()))


def tell(rehearsal: Rehearsal, doors: Mapping[str, Door], first: Hand) -> dict[str, Story]:
    """Go through the whole month, by the suffix of each story. `first` already stands on its first day."""
    stories = {suffix: Story(rehearsal, door, suffix) for suffix, door in doors.items()}
    rehearsal.resend.account(HOUSE_KEY)
    for story in stories.values():
        settle_in(story)
    ends = [first.end()]
    process = wake(rehearsal, TOUCHES, [slug for story in stories.values() for slug in story.slugs.values()])
    for story in stories.values():
        touches(story)
    ends.append(process.end())
    others = [slug for story in stories.values() for name, slug in story.slugs.items() if name != "acme"]
    process = wake(rehearsal, FOLLOW_UPS, others)
    for story in stories.values():
        follow_ups(story, process)
    ends.append(process.end())
    for story in stories.values():
        story.ends = ends
    return stories


def settle_in(story: Story) -> None:
    """Found the tenants, and let the first mail come in."""
    door, rehearsal, acme = story.door, story.rehearsal, story.slugs["acme"]
    account = rehearsal.resend.account(story.key, webhook_url=f"{rehearsal.url}/webhooks/resend/{acme}")
    inbox = rehearsal.gmail.account(story.own)
    at = rehearsal.clock.now()
    inbox.deliver(letter("Ana Ruiz <ana@northwind.example>", story.own, "Spring campaign",
                         "Hello,\n\nthank you for the folder, we liked it very much.\n\nAna\n", at=at))  # fmt: skip
    inbox.deliver(letter("Nils <nils@northwind.example>", story.own, "Access badge",
                         "Hi,\n\nthe badge works now, all is well.\n\nNils\n", at=at))  # fmt: skip
    for name in PEOPLE:
        _move_in(story, name)
    door.credential(acme, "resend_api_key", story.key)
    door.credential(acme, "resend_webhook_secret", account.webhook_secret)
    door.connect_gmail(acme, story.own, inbox.refresh_token)
    door.poll(acme, 2)
    # the letters may bring a cycle: what it begins in one mode must not be cut off in another
    until(lambda: _calm(story), what=lambda: "the end of the cycle that the letters brought")
    for name, mode in MODES.items():
        if mode != "dry_run":
            door.change(story.slugs[name], {"send_mode": mode})


def _calm(story: Story) -> bool:
    """Whether no cycle of the story's tenants is wanted in between, queued or under way."""
    return not story.look(
        """SELECT 1 FROM mine m JOIN tenant_schedule s USING (tenant_id)
           WHERE s.extra_due_at IS NOT NULL
              OR EXISTS (SELECT FROM agent_autonomous_runs r WHERE r.tenant_id = m.tenant_id AND r.finished_at IS NULL)
              OR EXISTS (SELECT FROM queue.procrastinate_jobs j WHERE j.status IN ('todo', 'doing')
                         AND j.args ->> 'tenant_id' = m.tenant_id::text)"""
    )


def touches(story: Story) -> None:
    """Three weeks on everybody was due; the provider tells what became of the mail, and somebody answers."""
    rehearsal, door, acme = story.rehearsal, story.door, story.slugs["acme"]
    story.cards = {name: door.cards(slug) for name, slug in story.slugs.items()}
    for state in ("done", "held", "deferred"):
        name = next(name for name in PEOPLE if any(card["state"] == state for card in story.cards[name]))
        card = next(card for card in story.cards[name] if card["state"] == state)
        story.why[state] = door.why(story.slugs[name], str(card["id"]))
    story.posts = {name: story.sent(name) for name in PEOPLE}
    _notify(story)
    carla = next(
        mail for mail in rehearsal.resend.sent(story.key) if address_of(mail["to"]) == "carla@eastwind.example"
    )
    rehearsal.gmail.account(story.own).deliver(
        letter("Carla <carla@eastwind.example>", story.own, f"Re: {carla['subject']}",
               "All is well, thank you.\n\nCarla\n", at=rehearsal.clock.now(), answers=carla["message_id"])
    )  # fmt: skip
    door.poll(acme, 3)
    _look(story)
    door.stop(acme)
    story.runs_before = _runs(story)


def follow_ups(story: Story, process: Hand) -> None:
    """Six days on acme is stopped at first; then the answers that are missing are asked for."""
    door, acme, globex = story.door, story.slugs["acme"], story.slugs["globex"]
    before = story.runs_before
    door.change(globex, {"send_mode": "live"})
    door.cycle(acme)
    door.stop(None)
    for slug in (acme, globex):
        door.cycle(slug)
    story.while_stopped["runs"] = _runs(story) - before
    story.while_stopped["posts"] = len(story.sent("acme")) - len(story.posts["acme"])
    door.resume(None)
    story.while_stopped["runs_of_tenant"] = _runs(story) - before
    door.resume(acme)
    door.cycle(acme)
    until(lambda: len(story.sent("acme")) > len(story.posts["acme"]), what=lambda: f"follow-ups; {process.told()}")
    until(lambda: _at_rest(story, before), what=lambda: "the end of acme's cycle")
    story.later = {name: door.cards(slug) for name, slug in story.slugs.items()}
    story.later_posts = {name: story.sent(name)[len(story.posts[name]) :] for name in PEOPLE}


def _move_in(story: Story, name: str) -> None:
    slug = story.slugs[name]
    settings: dict[str, Any] = {
        "country": "ES", "timezone": "Europe/Madrid", "sender_name": name.title(), "sender_address": _sender(slug),
        "postal_address": "Calle Mayor 1, Madrid",
    }  # fmt: skip
    story.door.found(slug, settings | dict(MORE.get(name, {})))
    people = [
        {"name": address.partition("@")[0].title(), "email": address,
         "company": address.partition("@")[2].partition(".")[0].title()}
        for address in PEOPLE[name]
    ]  # fmt: skip
    story.door.take_in(slug, people)


def _sender(slug: str) -> str:
    return f"hello@{slug}.example"


def wake(rehearsal: Rehearsal, moment: datetime, slugs: Collection[str]) -> Hand:
    """Start the house on another day, and wait until each tenant has had the hour that it missed."""
    rehearsal.go_to(moment)
    process = rehearsal.start()
    until(
        lambda: {row["slug"] for row in rehearsal.look(
            "SELECT t.slug FROM agent_autonomous_runs r JOIN tenants t USING (tenant_id) "
            "WHERE r.started_at >= %(at)s AND r.finished_at IS NOT NULL", at=moment)} >= set(slugs),
        what=lambda: f"a cycle of each tenant; {process.told()}",
    )  # fmt: skip
    return process


def _notify(story: Story) -> None:
    """The provider posts back: delivered (three times), bounced, and one that somebody forged."""
    resend = story.rehearsal.resend
    mails = {address_of(mail["to"]): mail["id"] for mail in resend.sent(story.key)}
    assert set(mails) == set(PEOPLE["acme"]), [
        (card["title"], card["state"], card["reason"]) for card in story.cards["acme"]
    ]
    delivered = resend.hook(story.key, mails["carla@eastwind.example"], "delivered")
    story.hooks["delivered"] = _answers(story, delivered, times=3)
    bounce = {"bounce": {"type": "Permanent", "subType": "General", "message": "550 5.1.1 no such user"}}
    bounced = resend.hook(story.key, mails["bruno@southwind.example"], "bounced", **bounce)
    story.hooks["bounced"] = _answers(story, bounced)
    forged = resend.hook(story.key, mails["dan@westwind.example"], "complained").forged()
    story.hooks["forged"] = _answers(story, forged)
    until(lambda: {"delivered", "bounced"} <= set(_outbound(story).values()), what=lambda: "the webhooks' effects")


def _answers(story: Story, hook: Hook, *, times: int = 1) -> list[int]:
    """What each call is answered; one that nobody answers in time is made again, as the provider does."""
    return [until(lambda: story.rehearsal.resend.deliver(story.key, hook)[0]) for _ in range(times)]


def _look(story: Story) -> None:
    """What the database holds, for those who would rather see than be told."""
    story.linked = story.look(
        """SELECT m.from_address, m.class, m.links, c.name AS client, k.email AS contact, m.reply_to_card_id
           FROM gmail_messages m JOIN mine USING (tenant_id) LEFT JOIN clients c USING (tenant_id)
                LEFT JOIN contacts k ON k.tenant_id = m.tenant_id AND k.id = m.contact_id
           WHERE c.id = m.client_id OR m.client_id IS NULL ORDER BY m.id"""
    )
    story.clocks, story.outbound = _clocks(story), _outbound(story)
    # suppressions hold hashes: whom they keep from being written to, the clocks tell
    story.exempt = {email: row["exempt_reason"] for email, row in story.clocks.items() if row["status"] == "exempt"}


def _clocks(story: Story) -> dict[str, Record]:
    rows = story.look(
        """SELECT k.email, e.* FROM engagement_clocks e JOIN mine USING (tenant_id)
           JOIN contacts k ON k.tenant_id = e.tenant_id AND k.id = e.contact_id"""
    )
    return {row["email"]: row for row in rows}


def _outbound(story: Story) -> dict[str, str]:
    rows = story.look(
        """SELECT mail -> 'to' ->> 0 AS address, state FROM outbound_messages JOIN mine USING (tenant_id)
           ORDER BY reserved_at"""
    )
    return {row["address"]: row["state"] for row in rows}


def _runs(story: Story) -> int:
    """How many cycles acme has had."""
    return len(_of_acme(story))


def _at_rest(story: Story, before: int) -> bool:
    runs = _of_acme(story)
    return len(runs) > before and all(run["finished_at"] is not None for run in runs)


def _of_acme(story: Story) -> list[dict[str, Any]]:
    return story.look(
        "SELECT finished_at FROM agent_autonomous_runs JOIN mine USING (tenant_id) WHERE slug LIKE 'acme%%'"
    )


def address_of(to: Any) -> str:
    """The first address of a To."""
    first = to[0] if isinstance(to, list) else to
    return str(first).rpartition("<")[2].rstrip(">").lower()
