"""A month in the life of four tenants, told through one door; what was seen on the way is kept for the tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.e2e.doors import Door, Record
from tests.e2e.letters import letter
from tests.e2e.rehearsal import Process, Rehearsal, until

ARRIVAL = datetime(2026, 3, 2, 9, 1, tzinfo=UTC)
"""A Monday, in Madrid's business hours like the days that follow."""
TOUCHES = datetime(2026, 3, 24, 9, 1, tzinfo=UTC)
FOLLOW_UPS = datetime(2026, 3, 30, 9, 1, tzinfo=UTC)

OWN = "ana@acme.example"
KEY = "re_acme"
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
    later_clocks: dict[str, Record] = field(default_factory=dict)
    outbound: dict[str, str] = field(default_factory=dict)
    exempt: dict[str, str] = field(default_factory=dict)
    runs_before: int = 0
    while_stopped: dict[str, int] = field(default_factory=dict)
    """Runs and POSTs of acme that came between its stop and its resumption; and those of a stopped house."""
    ends: list[tuple[int, float]] = field(default_factory=list)

    def sent(self, slug: str) -> list[dict[str, Any]]:
        """The raw POSTs of a tenant so far, in whatever account they arrived."""
        ours = PEOPLE[slug]
        posts = [seen.json for seen in self.rehearsal.resend.witness.posts(path="/emails")]
        return [post for post in posts if address_of(post["to"]) in ours]


def tell(rehearsal: Rehearsal, door: Door, first: Process) -> Story:
    """Go through the whole month. `first` is the process that already stands on its first day."""
    story = Story(rehearsal, door)
    rehearsal.resend.account(HOUSE_KEY)
    account = rehearsal.resend.account(KEY, webhook_url=f"{rehearsal.url}/webhooks/resend/acme")
    settle_in(story, account.webhook_secret)
    story.ends.append(first.terminate())
    touches(story)
    follow_ups(story)
    return story


def settle_in(story: Story, webhook_secret: str) -> None:
    """Found the tenants, and let the first mail come in."""
    door, rehearsal = story.door, story.rehearsal
    inbox = rehearsal.gmail.account(OWN)
    at = rehearsal.clock.now()
    inbox.deliver(letter("Ana Ruiz <ana@northwind.example>", OWN, "Spring campaign",
                         "Hello,\n\nthank you for the folder, we liked it very much.\n\nAna\n", at=at))  # fmt: skip
    inbox.deliver(letter("Nils <nils@northwind.example>", OWN, "Access badge",
                         "Hi,\n\nthe badge works now, all is well.\n\nNils\n", at=at))  # fmt: skip
    for slug in PEOPLE:
        _move_in(door, slug)
    door.credential("acme", "resend_api_key", KEY)
    door.credential("acme", "resend_webhook_secret", webhook_secret)
    door.connect_gmail("acme", OWN, inbox.refresh_token)
    door.poll("acme", 2)
    for slug, mode in MODES.items():
        if mode != "dry_run":
            door.change(slug, {"send_mode": mode})


def touches(story: Story) -> None:
    """Three weeks on everybody is due; the provider tells what became of the mail, and somebody answers."""
    rehearsal, door = story.rehearsal, story.door
    process = _wake(story, TOUCHES, PEOPLE)
    story.cards = {slug: door.cards(slug) for slug in PEOPLE}
    for state in ("done", "held", "deferred"):
        slug = next(slug for slug in PEOPLE if any(card["state"] == state for card in story.cards[slug]))
        card = next(card for card in story.cards[slug] if card["state"] == state)
        story.why[state] = door.why(slug, str(card["id"]))
    story.posts = {slug: list(story.sent(slug)) for slug in PEOPLE}
    _notify(story)
    carla = next(mail for mail in rehearsal.resend.sent(KEY) if address_of(mail["to"]) == "carla@eastwind.example")
    rehearsal.gmail.account(OWN).deliver(
        letter("Carla <carla@eastwind.example>", OWN, f"Re: {carla['subject']}", "All is well, thank you.\n\nCarla\n",
               at=rehearsal.clock.now(), answers=carla["message_id"])
    )  # fmt: skip
    door.poll("acme", 3)
    _look(story)
    door.stop("acme")
    story.runs_before = _runs(story, "acme")
    story.ends.append(process.terminate())


def follow_ups(story: Story) -> None:
    """Six days on acme is stopped at first; then the answers that are missing are asked for."""
    door = story.door
    before = story.runs_before
    process = _wake(story, FOLLOW_UPS, [slug for slug in PEOPLE if slug != "acme"], after={"globex": "live"})
    door.cycle("acme")
    door.stop(None)
    for slug in ("acme", "globex"):
        door.cycle(slug)
    story.while_stopped["runs"] = _runs(story, "acme") - before
    story.while_stopped["posts"] = len(story.sent("acme")) - len(story.posts["acme"])
    door.resume(None)
    story.while_stopped["runs_of_tenant"] = _runs(story, "acme") - before
    door.resume("acme")
    door.cycle("acme")
    until(lambda: len(story.sent("acme")) > len(story.posts["acme"]), what=lambda: f"follow-ups; {process.told()}")
    _at_rest(story, "acme", before)
    story.later = {slug: door.cards(slug) for slug in PEOPLE}
    story.later_posts = {slug: story.sent(slug)[len(story.posts[slug]) :] for slug in PEOPLE}
    story.later_clocks = _clocks(story)
    story.ends.append(process.terminate())


def _move_in(door: Door, slug: str) -> None:
    settings: dict[str, Any] = {
        "country": "ES", "timezone": "Europe/Madrid", "sender_name": slug.title(),
        "sender_address": f"hello@{slug}.example", "postal_address": "Calle Mayor 1, Madrid",
    }  # fmt: skip
    door.found(slug, settings | dict(MORE.get(slug, {})))
    people = [
        {"name": address.partition("@")[0].title(), "email": address,
         "company": address.partition("@")[2].partition(".")[0].title()}
        for address in PEOPLE[slug]
    ]  # fmt: skip
    door.take_in(slug, people)


def _wake(
    story: Story, moment: datetime, slugs: Iterable[str], *, after: Mapping[str, str] | None = None
) -> Process:  # fmt: skip
    """Start the house on another day, and wait until each tenant has had the hour that it missed."""
    rehearsal = story.rehearsal
    rehearsal.go_to(moment)
    process = rehearsal.start()
    until(
        lambda: {row["slug"] for row in rehearsal.look(
            "SELECT t.slug FROM agent_autonomous_runs r JOIN tenants t USING (tenant_id) "
            "WHERE r.started_at >= %(at)s AND r.finished_at IS NOT NULL", at=moment)} >= set(slugs),
        what=lambda: f"a cycle of each tenant; {process.told()}",
    )  # fmt: skip
    for slug, mode in (after or {}).items():
        story.door.change(slug, {"send_mode": mode})
    return process


def _notify(story: Story) -> None:
    """The provider posts back: delivered (three times), bounced, and one that somebody forged."""
    resend = story.rehearsal.resend
    mails = {address_of(mail["to"]): mail["id"] for mail in resend.sent(KEY)}
    delivered = resend.hook(KEY, mails["carla@eastwind.example"], "delivered")
    story.hooks["delivered"] = resend.deliver(KEY, delivered, times=3)
    bounce = {"bounce": {"type": "Permanent", "subType": "General", "message": "550 5.1.1 no such user"}}
    bounced = resend.hook(KEY, mails["bruno@southwind.example"], "bounced", **bounce)
    story.hooks["bounced"] = resend.deliver(KEY, bounced)
    forged = resend.hook(KEY, mails["dan@westwind.example"], "complained").forged()
    story.hooks["forged"] = resend.deliver(KEY, forged)
    until(lambda: {"delivered", "bounced"} <= set(_outbound(story).values()), what=lambda: "the webhooks' effects")


def _look(story: Story) -> None:
    """What the database holds, for those who would rather see than be told."""
    rehearsal = story.rehearsal
    story.linked = rehearsal.look(
        """SELECT m.from_address, m.class, m.links, c.name AS client, k.email AS contact, m.reply_to_card_id
           FROM gmail_messages m LEFT JOIN clients c USING (tenant_id) LEFT JOIN contacts k
                ON k.tenant_id = m.tenant_id AND k.id = m.contact_id
           WHERE c.id = m.client_id OR m.client_id IS NULL ORDER BY m.id"""
    )
    story.clocks, story.outbound = _clocks(story), _outbound(story)
    # suppressions hold hashes: whom they keep from being written to, the clocks tell
    story.exempt = {email: row["exempt_reason"] for email, row in story.clocks.items() if row["status"] == "exempt"}


def _clocks(story: Story) -> dict[str, Record]:
    rows = story.rehearsal.look(
        """SELECT k.email, e.* FROM engagement_clocks e JOIN contacts k ON k.tenant_id = e.tenant_id
           AND k.id = e.contact_id"""
    )
    return {row["email"]: row for row in rows}


def _outbound(story: Story) -> dict[str, str]:
    rows = story.rehearsal.look(
        "SELECT mail -> 'to' ->> 0 AS address, state FROM outbound_messages ORDER BY reserved_at"
    )
    return {row["address"]: row["state"] for row in rows}


def _runs(story: Story, slug: str) -> int:
    [row] = story.rehearsal.look(
        """SELECT count(*) AS n FROM agent_autonomous_runs r JOIN tenants t USING (tenant_id)
           WHERE t.slug = %(s)s""",
        s=slug,
    )
    return int(row["n"])


def _at_rest(story: Story, slug: str, before: int) -> None:
    def rested() -> bool:
        rows = story.rehearsal.look(
            """SELECT count(*) AS n, bool_and(finished_at IS NOT NULL) AS over FROM agent_autonomous_runs r
               JOIN tenants t USING (tenant_id) WHERE t.slug = %(s)s""",
            s=slug,
        )
        return bool(rows[0]["n"] > before and rows[0]["over"])

    until(rested, what=lambda: f"the end of {slug}'s cycle")


def address_of(to: Any) -> str:
    """The first address of a To."""
    first = to[0] if isinstance(to, list) else to
    return str(first).rpartition("<")[2].rstrip(">").lower()
