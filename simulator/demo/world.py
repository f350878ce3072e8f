"""The world outside: mailboxes that fill, a provider that reports, people who answer what was really sent."""

from __future__ import annotations

import heapq
import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from http.client import HTTPConnection, HTTPException
from typing import Any, Self
from urllib.parse import SplitResult, urlencode, urlsplit

from simulator.demo import dates, envelopes, letters
from simulator.demo.clock import StoryClock
from simulator.demo.companies import Company
from simulator.demo.days import Days
from simulator.demo.envelopes import Addressed, Earlier
from simulator.demo.letters import Letter
from simulator.demo.stage import Endpoints
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.resend import ResendEmulator
from simulator.emulators.resend_webhooks import bounce

SENT = timedelta(seconds=2)
DELIVERED = timedelta(seconds=8)
OPENED = timedelta(minutes=42)
LOOK_SECONDS = 1.0
QUOTE_PAGE = re.compile(r"https?://\S+/q/\S+")
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"


@dataclass
class Post:
    """One company's post: its people's letters, and those of its own mails that were seen going out."""

    company: Company
    before: list[Letter]
    answers: Mapping[str, list[Letter]]
    written: dict[str, Earlier] = field(default_factory=dict)
    """Letters by their id."""
    sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What the provider took, by recipient, oldest first."""
    seen: int = 0


class World:
    """`with World(clock, days, companies) as world:` two emulators on loopback, and a queue of what will happen."""

    def __init__(self, clock: StoryClock, days: Days, companies: Mapping[str, Company]) -> None:
        self.clock = clock
        self.days = days
        self.gmail = GmailEmulator(clock=clock)
        self.resend = ResendEmulator(clock=clock)
        self.posts = {slug: _post(company) for slug, company in companies.items()}
        self.put_in: Counter[str] = Counter()
        """Messages put into each mailbox so far."""
        self.webhooks: Counter[str] = Counter()
        """Webhook calls by kind and the status that our endpoint answered."""
        self._queue: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._open = ExitStack()
        self._ending = threading.Event()
        self._living: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._open.enter_context(self.gmail)
        self._open.enter_context(self.resend)
        for slug, post in self.posts.items():
            self.gmail.account(post.company.address)
            self.resend.account(post.company.resend_key)
            for letter in post.before:
                self._later(self.days.when(letter.at), self._bring(slug, letter))
        return self

    def __exit__(self, *details: object) -> None:
        self._ending.set()
        if self._living is not None:
            self._living.join(LOOK_SECONDS + 5)
        self._open.close()

    @property
    def endpoints(self) -> Endpoints:
        """Where the vendors answer."""
        return Endpoints(self.gmail.url, self.gmail.token_url, self.resend.url)

    def refresh_token(self, company: Company) -> str:
        """What the company's owner would have granted."""
        return self.gmail.account(company.address).refresh_token

    def webhook_secret(self, company: Company) -> str:
        """The signing secret of its webhooks."""
        return self.resend.account(company.resend_key).webhook_secret

    def connect(self, public_url: str) -> None:
        """Tell the provider where each company takes its webhooks."""
        for slug, post in self.posts.items():
            self.resend.account(post.company.resend_key).webhook_url = f"{public_url}/webhooks/resend/{slug}"

    def come_to(self, moment: datetime) -> None:
        """Let everything happen that happens up to `moment`, each thing at its own time."""
        self._watch()
        while self._queue and self._queue[0][0] <= moment:
            at, _, act = heapq.heappop(self._queue)
            self.clock.at(at)
            act()
            self._watch()
        self.clock.at(moment)

    def live_on(self) -> None:
        """Let things happen in their own time from here on, until the world ends."""
        self._living = threading.Thread(target=self._live, name="world", daemon=True)
        self._living.start()

    def _live(self) -> None:
        while not self._ending.wait(LOOK_SECONDS):
            self.come_to(self.clock.now())

    def taken(self, slug: str) -> list[dict[str, Any]]:
        """What the provider took from a company: what recipients would have got."""
        return self.resend.sent(self.posts[slug].company.resend_key)

    def posted(self, slug: str) -> list[dict[str, str]]:
        """Every raw POST of a company's mails that reached the provider, repeats included."""
        seen = self.resend.witness.posts(self.posts[slug].company.resend_key, "/emails")
        return [{"key": s.key, "to": s.json["to"][0], "subject": s.json["subject"]} for s in seen]

    def _watch(self) -> None:
        """See what went out since the last look, and decide what comes of it."""
        for slug, post in self.posts.items():
            fresh = self.taken(slug)[post.seen :]
            post.seen += len(fresh)
            for email in fresh:
                self._react(slug, post, email)

    def _react(self, slug: str, post: Post, email: dict[str, Any]) -> None:
        address = parseaddr(email["to"][0])[1]
        known = post.sent.setdefault(address, [])
        known.append(email)
        at = datetime.fromisoformat(email["created_at"])
        key = next((each.key for each in post.company.people.values() if each.email == address), "")
        answers = [letter for letter in post.answers.get(key, ()) if letter.nth == len(known)]
        self._later(at + SENT, self._hook(slug, email, "sent"))
        if not any(letter.kind in ("hook-bounced", "bounce") for letter in answers):
            self._later(at + DELIVERED, self._hook(slug, email, "delivered"))
            if len(key) % 3 == 0:
                self._later(at + OPENED, self._hook(slug, email, "opened"))
        for letter in answers:
            self._later(at + letter.after, self._act_of(slug, letter, email))

    def _act_of(self, slug: str, letter: Letter, email: dict[str, Any]) -> Callable[[], None]:
        """What somebody does with a mail of ours; most write back."""
        match letter.kind:
            case "hook-bounced":
                return self._hook(slug, email, "bounced", **bounce(message=letter.said))
            case "hook-complained":
                return self._hook(slug, email, "complained")
            case "hook-forged":
                return self._hook(slug, email, "bounced", forged=True, **bounce())
            case "one-click":
                return self._unsubscribe(email)
            case "rating":
                return self._rate(letter, email)
            case "quote-scan" | "quote-look" | "quote-accept":
                return self._visit(letter, email)
            case _:
                return self._bring(slug, letter, _earlier(email))

    def _bring(self, slug: str, letter: Letter, answered: Earlier | None = None) -> Callable[[], None]:
        """An action that puts a letter into the company's mailbox."""

        def act() -> None:
            post = self.posts[slug]
            if letter.kind == "one-click":
                for email in self._mails_to(post, letter.about)[-1:]:
                    self._unsubscribe(email)()
                return
            how = self._address(post, letter, answered)
            if letter.about and how.earlier is None:
                return  # a report on a mail that never went out
            box = self.gmail.account(post.company.address)
            raw = envelopes.seal(replace(letter, text=dates.fill_in(letter.text, how.at)), how)
            box.deliver(raw, labels=("SENT",) if letter.sender == "me" else ("INBOX", "UNREAD"), at=how.at)
            post.written[letter.id] = Earlier(how.message_id, _subject(raw), how.sender, how.to[0], letter.text, how.at)
            self.put_in[slug] += 1

        return act

    def _address(self, post: Post, letter: Letter, answered: Earlier | None) -> Addressed:
        company = post.company
        own = envelopes.named(company.sender_name, company.address)
        sender = own if letter.sender == "me" else self._who(post, letter.sender)
        earlier = answered or post.written.get(letter.re)
        if letter.about:
            earlier = self._mail_about(post, letter.about)
        elif letter.re in post.company.people:
            earlier = self._mail_about(post, letter.re)
        to = [self._who(post, each) for each in letter.to] or [own]
        cc = [self._who(post, each) for each in letter.cc]
        domain = parseaddr(sender)[1].rpartition("@")[2]
        message_id = f"<{letter.id}.{int(self.clock.now().timestamp())}@{domain}>"
        return Addressed(sender, to, cc, self.clock.now(), message_id, earlier)

    def _who(self, post: Post, told: str) -> str:
        person = post.company.people.get(told)
        return told if person is None else envelopes.named(person.name, person.email or "")

    def _mail_about(self, post: Post, told: str) -> Earlier | None:
        """The mail that a report names: our latest to a person, a letter of the story, or one that never was."""
        kind, _, name = told.partition(" ")
        if kind == "letter":
            return post.written.get(name)
        if kind == "forged":
            domain = post.company.address.rpartition("@")[2]
            at = self.clock.now() - timedelta(hours=3)
            victim = post.company.people[name].email or ""
            return Earlier(f"<0190-never-sent@{domain}>", "Overdue", post.company.address, victim, "", at)
        return next(map(_earlier, reversed(self._mails_to(post, told))), None)

    def _mails_to(self, post: Post, key: str) -> list[dict[str, Any]]:
        return post.sent.get(post.company.people[key].email or "", [])

    def _hook(
        self, slug: str, email: Mapping[str, Any], kind: str, *, forged: bool = False, **extra: object
    ) -> Callable[[], None]:
        """An action that posts a webhook to our own endpoint."""

        def act() -> None:
            key = self.posts[slug].company.resend_key
            hook = self.resend.hook(key, email["id"], kind, **extra)
            for status in self.resend.deliver(key, hook.forged() if forged else hook):
                self.webhooks[f"{'forged ' if forged else ''}{kind} {status}"] += 1

        return act

    def _unsubscribe(self, email: Mapping[str, Any]) -> Callable[[], None]:
        """An action that presses the mail program's unsubscribe button (RFC 8058)."""

        def act() -> None:
            target = urlsplit(email["headers"]["List-Unsubscribe"].strip("<>"))
            self.webhooks[f"unsubscribe {_knock(target, 'POST', 'List-Unsubscribe=One-Click')}"] += 1

        return act

    def _rate(self, letter: Letter, email: Mapping[str, Any]) -> Callable[[], None]:
        """An action that rates an order on its page: a mail scanner looks first, then a person, who chooses."""

        def act() -> None:
            page = next((word for word in email["text"].split() if "/f/" in word), None)
            if page is None:
                return
            for agent in ("Barracuda Sentinel (link check)", BROWSER):
                self.webhooks[f"feedback page {_knock(urlsplit(page), 'GET', agent=agent)}"] += 1
            chosen = urlencode({"rating": letter.said, "comment": letter.text.strip()})
            self.webhooks[f"feedback rating {_knock(urlsplit(page), 'POST', chosen)}"] += 1

        return act

    def _visit(self, letter: Letter, email: Mapping[str, Any]) -> Callable[[], None]:
        """An action that opens the page of a quote, as a machine or as a person does, or says yes on it."""

        def act() -> None:
            found = QUOTE_PAGE.search(email["text"])
            if found is None:
                return
            page = urlsplit(found[0])
            if letter.kind == "quote-accept":
                yes = page._replace(path=f"{page.path}/accept")
                status = _knock(yes, "POST", urlencode({"name": letter.said}))
            else:
                agent = BROWSER if letter.kind == "quote-look" else "Barracuda Sentinel (link check)"
                status = _knock(page, "GET", agent=agent)
            self.webhooks[f"{letter.kind} {status}"] += 1

        return act

    def _later(self, at: datetime, act: Callable[[], None]) -> None:
        heapq.heappush(self._queue, (at, next(self._order), act))


def _knock(target: SplitResult, method: str, body: str = "", *, agent: str = BROWSER) -> int:
    """Ask at our own door as a browser does; the status of its answer, 0 where nobody is there."""
    desk = HTTPConnection(target.hostname or "", target.port or 80, timeout=30)
    told = {"User-Agent": agent, "Accept": "text/html", "Accept-Language": "en",
            "Content-Type": "application/x-www-form-urlencoded"}  # fmt: skip
    try:
        desk.request(method, target.path, body=body, headers=told)
        return desk.getresponse().status
    except (OSError, HTTPException):
        return 0
    finally:
        desk.close()


def _post(company: Company) -> Post:
    stem = company.slug.replace("-", "_")
    before = letters.read(f"{stem}_mailbox.txt")
    answers: dict[str, list[Letter]] = {}
    for letter in letters.read(f"{stem}_answers.txt", needed=False):
        answers.setdefault(letter.when, []).append(letter)
    return Post(company, before, answers)


def _earlier(email: Mapping[str, Any]) -> Earlier:
    return Earlier(
        message_id=email["message_id"], subject=email["subject"], sender=email["from"],
        to=parseaddr(email["to"][0])[1], text=email["text"], at=datetime.fromisoformat(email["created_at"]),
    )  # fmt: skip


def _subject(raw: bytes) -> str:
    from email import message_from_bytes
    from email.policy import default

    return str(message_from_bytes(raw, policy=default)["subject"] or "")
