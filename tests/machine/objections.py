"""What the machine's book has against a POST: each sentence of the guardrails, asked of the raw bytes at the door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from tests.machine.book import MAIL, SEQUENCE, Mail, Post, Record, Switch, Tenant, same_day, same_hour

OPENS, CLOSES = time(8, 30), time(17, 30)


def objections(tenant: Tenant, house_closed: Set[Switch], mode: str, post: Post, record: Record) -> list[str]:
    """Everything that speaks against this POST at this moment; `mode` is the stricter of tenant's and process's."""
    found = [*_stops(tenant, house_closed, record), *_people(tenant, post, record), *_modes(tenant, mode, post)]
    found += [*_once(tenant, post), *_record(post, record), *_moments(tenant, post, record)]
    if not _again(tenant, post, record):
        for each in (_approval, _hour, _limited, _account, _gap):
            found += each(tenant, mode, post, record)
    return found


def note(tenant: Tenant, mode: str, post: Post, record: Record) -> None:
    """Write the POST into the book, once it was judged."""
    tenant.keys.setdefault(post.key, post.body)
    if not post.certainly_nothing:
        tenant.live_key[post.card] = post.key
    if post.acted:
        person = tenant.people.get(record.contact)
        account = person.account if person else ""
        reserved_at = record.reserved_at or post.at
        tenant.mails.append(
            Mail(post.card, record.kind, record.contact, account, reserved_at, post.at, mode, not record.known)
        )


def _again(tenant: Tenant, post: Post, record: Record) -> bool:
    """Whether it is one more try under a reservation that was judged before: its room is taken, its bytes are bound."""
    return post.card in tenant.live_key or (record.reserved_at is not None and record.reserved_at < post.at)


def _stops(tenant: Tenant, house_closed: Set[Switch], record: Record) -> Iterator[str]:
    governing: list[Switch] = [("all", ""), ("mail", ""), ("engine", record.engine), ("action", record.kind)]
    for level, name in governing:
        if (level, name) in tenant.closed or (level, name) in house_closed:
            yield f"sent after a stop: {level} {name}".rstrip()


def _people(tenant: Tenant, post: Post, record: Record) -> Iterator[str]:
    person = tenant.people.get(record.contact)
    if person is None or post.tenant_tag != str(tenant.id) or post.sender.rpartition("@")[2] != _domain(tenant):
        yield "a tenant's mail is about another tenant's contact"
        return
    for address in post.recipients:
        if address not in person.addresses:
            yield "sent to a stranger"
        owner = tenant.person_at(address)
        if owner is not None and address in owner.refused:
            yield f"sent after the address was refused: {owner.refused[address]}"
    if record.kind == "broadcast_email" and not person.consent:
        yield "a broadcast without consent"
    if record.kind in MAIL - {"compliance_reminder", "request_order_info"} and not post.unsubscribe:
        yield "no way to unsubscribe"


def _domain(tenant: Tenant) -> str:
    return f"{tenant.slug.partition('-')[0]}.example>"


def _modes(tenant: Tenant, mode: str, post: Post) -> Iterator[str]:
    if mode == "dry_run":
        yield "sent in a dry run"
    listed = tenant.allowed
    if mode == "internal_only" and any(each not in listed and each.partition("@")[2] not in listed
                                       for each in post.recipients):  # fmt: skip
        yield "internal_only reached somebody outside"


def _once(tenant: Tenant, post: Post) -> Iterator[str]:
    if tenant.keys.get(post.key, post.body) != post.body:
        yield "one key, two bodies"
    if tenant.live_key.get(post.card, post.key) != post.key:
        yield "one card, two keys"
    if post.acted and any(each.card == post.card for each in tenant.mails):
        yield "a card was delivered twice"
    if tenant.states.get(post.card) in ("held", "blocked", "cancelled", "rejected", "expired", "done", "failed"):
        yield f"a card went out that had ended: {tenant.states[post.card]}"


def _record(post: Post, record: Record) -> Iterator[str]:
    if record.key != post.key and not post.certainly_nothing:
        yield "sent without its record"
    if not record.allowed:
        yield "sent without a verdict that allows it"


def _moments(tenant: Tenant, post: Post, record: Record) -> Iterator[str]:
    if post.at >= record.latest_at:
        yield "sent after its latest time"
    person = tenant.people.get(record.contact)
    if person is None:
        return
    wall = post.at.astimezone(ZoneInfo(person.zone))
    if not (OPENS <= wall.time() < CLOSES and wall.weekday() < 5):
        yield "sent outside the recipient's hours"
    heard = tenant.account_heard.get(person.account)
    if record.kind in SEQUENCE and heard is not None and heard > record.created_at:
        yield "a sequence went on after a reply"
    if record.sequence and any(since < record.created_at < until for since, until in person.away):
        yield "planned while the person was away"


def _approval(tenant: Tenant, mode: str, post: Post, record: Record) -> Iterator[str]:
    if record.kind not in tenant.asks:
        return
    seen = tenant.approved.get(post.card)
    if seen is None:
        yield "sent without an approval"
    elif seen != (post.subject, post.text):
        yield "other bytes than the approved ones"


def _hour(tenant: Tenant, mode: str, post: Post, record: Record) -> Iterator[str]:
    this_hour = [each for each in tenant.mails if same_hour(each.reserved_at, post.at)]
    if len(this_hour) >= tenant.caps.hour:
        yield "over the cap of the hour"
    cap, since = tenant.caps.kinds.get(record.kind, (None, 0))
    if cap is not None and sum(each.kind == record.kind and each in this_hour for each in tenant.mails[since:]) >= cap:
        yield "over the cap of its type"


def _limited(tenant: Tenant, mode: str, post: Post, record: Record) -> Iterator[str]:
    if mode != "limited_live":
        return
    today = [each for each in tenant.mails
             if each.mode == "limited_live" and same_day(tenant.zone, each.reserved_at, post.at)]  # fmt: skip
    if len(today) >= tenant.caps.day_limited:
        yield "over limited_live's cap of the day"
    if not record.known and sum(each.first for each in today) >= tenant.caps.new_limited:
        yield "over limited_live's cap of new contacts"


def _account(tenant: Tenant, mode: str, post: Post, record: Record) -> Iterator[str]:
    person = tenant.people.get(record.contact)
    if person is None:
        return
    today = {each.person for each in tenant.mails
             if each.account == person.account and same_day(tenant.zone, each.reserved_at, post.at)
             and each.card not in tenant.uncounted}  # fmt: skip
    if len(today - {person.id}) >= tenant.caps.people:
        yield "over the account's cap of people"


def _gap(tenant: Tenant, mode: str, post: Post, record: Record) -> Iterator[str]:
    person = tenant.people.get(record.contact)
    last = max((each.at for each in tenant.mails
                if each.person == record.contact and each.card not in tenant.uncounted), default=None)  # fmt: skip
    if person is None or last is None:
        return
    gap, heard = timedelta(hours=tenant.caps.gap_hours), person.heard_at
    live = heard is not None and (heard > last or post.at - heard <= gap)
    least = timedelta(hours=tenant.caps.conversation_hours) if live else gap
    if post.at - last < least:
        yield "a second mail within the gap"


Objection = Callable[[Tenant, str, Post, Record], Iterator[str]]
