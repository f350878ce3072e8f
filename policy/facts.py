"""The only place that reads for rules: all about a batch of cards, in six statements at most, whatever its size."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from domain import addresses, clocks, compliance_fields, goals, page_links, suppressions, switches
from domain import settings as tenant_settings
from domain.cards import Card
from domain.db import Row, Tx
from domain.goals import Standing
from domain.house import LocalBrakes
from domain.incoming import BY_MACHINES
from domain.ports import OutboundMail
from domain.settings import Mode, TenantSettings
from domain.switches import OUTWARD
from domain.vault import Vault
from policy import asking, caps, content, windows
from policy.asking import Asking
from policy.model import Deadline, Facts, Message, Thread
from policy.people import Known, Today
from policy.people import read as read_people
from policy.windows import Hours

_ENVELOPE = ("to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc")
"""Header names that could carry a recipient past the list of recipients."""

_A_NAME = re.compile(r"[^\W\d_][^\d:;/@<>=!?\n]{5,39}")
"""An account's name that can't carry a number, an address or a sentence: "Discount Tire" offers nobody a discount."""


_NOTHING: Mapping[UUID, tuple[str, ...]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class _Ground:
    """What is the same for every card of the batch."""

    now: datetime
    settings: TenantSettings
    policy_version: int
    mode: Mode
    zone: ZoneInfo
    hour: tuple[datetime, datetime]
    day: tuple[datetime, datetime]
    closed: frozenset[tuple[str, str, str]]
    stopped_here: str | None
    mail_stopped_here: str | None
    used: Mapping[tuple[str, datetime], int]
    violations_open: int
    follow_ups_due: int
    goals: tuple[Standing, ...]
    checks: Mapping[UUID, Deadline]
    threads: Mapping[UUID, Thread]
    own_domains: frozenset[str]
    public_url: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read about the cards, by id."""

    people: Mapping[UUID, Known]
    mailed_today: Mapping[UUID, Today]
    suppressed: Mapping[str, str]
    threads: Mapping[UUID, Thread]
    messages: Mapping[UUID, Message]
    by_rfc_id: Mapping[str, Message]
    asking: Mapping[UUID, Asking]


def gather(
    tx: Tx, cards: Sequence[Card], *, mails: Mapping[UUID, OutboundMail], vault: Vault, brakes: LocalBrakes,
    settings: TenantSettings | None = None, public_url: str = "", outdated: Mapping[UUID, tuple[str, ...]] = _NOTHING,
) -> dict[UUID, Facts]:  # fmt: skip
    """The facts of each card, by its id, as they stand in this transaction.

    `mails` are the rendered messages. An outward card without one is judged as mail to its contact's own address, and
    the rules about a message's text have nothing to say. Links below `public_url` are the house's own. `outdated` is
    what of a card's words is another by now.
    """
    if not cards:
        return {}
    ground = _ground(tx, cards, brakes, settings, public_url)
    known, today = read_people(tx, [c.contact_id for c in cards if c.contact_id], since=ground.day[0])
    recipients = {c.id: _recipients(c, mails.get(c.id), known) for c in cards if c.type in OUTWARD}
    asked = sorted({address for each in recipients.values() for address in each})
    found = suppressions.of(tx, vault, asked)
    messages = _messages(tx, cards, mails)
    read = _Read(
        people=known,
        mailed_today=today,
        suppressed={address: each.reason for address, each in found.items()},
        threads=ground.threads,
        messages={message.id: message for message, _ in messages},
        by_rfc_id={rfc_id: message for message, rfc_id in messages if rfc_id},
        asking=asking.read(tx, cards),
    )
    return {
        card.id: _facts(card, mails.get(card.id), recipients.get(card.id, ()), ground, read, outdated.get(card.id, ()))
        for card in cards
    }


def _facts(
    card: Card, mail: OutboundMail | None, recipients: tuple[str, ...], ground: _Ground, read: _Read,
    outdated: tuple[str, ...],
) -> Facts:  # fmt: skip
    known = read.people.get(card.contact_id) if card.contact_id else None
    person = known.person if known else None
    outward = card.type in OUTWARD
    settings = ground.settings
    holding = outward and holds(ground.mode, settings.allow_list, recipients)
    hours, zone_source = _hours(known, ground) if outward else (None, "")
    wall = hours.local(ground.now) if hours else None
    today = read.mailed_today.get(person.client_id) if person else None
    # their ids hold every combination of letters and figures sooner or later, and mean nothing by themselves
    pages = page_links.pages(mail.text, ground.public_url) if mail and ground.public_url else ()
    return Facts(
        now=ground.now, card=card, settings=settings, policy_version=ground.policy_version, mode=ground.mode,
        closed=ground.closed, stopped_here=ground.stopped_here, mail_stopped_here=ground.mail_stopped_here,
        mail=mail,
        content=content.read(mail, card.payload, own_words=(*_own_words(settings, known), *pages)) if mail else None,
        own_domains=ground.own_domains, own_pages=frozenset(pages), recipients=recipients, holding=holding,
        suppressed={each: read.suppressed[each] for each in recipients if each in read.suppressed},
        person=person, mailed_today=(today.held if holding else today.sent) if today else frozenset(),
        thread=read.threads.get(card.thread_id) if card.thread_id else None,
        answered=read.messages.get(_uuid(card.payload.get("answers_message_id"))),
        in_reply_to=read.by_rfc_id.get(_in_reply_to(mail)),
        evidence=read.messages.get(_uuid(card.payload.get("message_id", card.evidence.get("message_id")))),
        hours=hours, zone_source=zone_source, known_country=_country(known), wall=wall,
        business_day=hours is None or wall is None or windows.is_business_day(hours.country, wall.date()),
        holiday=windows.holiday(hours.country, wall.date()) if hours and wall else None,
        hour=ground.hour, day=ground.day, used=ground.used,
        violations_open=ground.violations_open, follow_ups_due=ground.follow_ups_due,
        goals=ground.goals, asking=read.asking.get(card.id), outdated=outdated,
        deadline=ground.checks.get(_uuid(card.payload.get("check_id"))),
    )  # fmt: skip


def _ground(
    tx: Tx, cards: Sequence[Card], brakes: LocalBrakes, settings: TenantSettings | None, public_url: str
) -> _Ground:
    """The tenant with its closed switches and used-up caps; what the cards name; for research, how much is owed."""
    keys = set[str]().union(*(
        caps.keys_of(c.type, c.client_id, caps.campaign_of(c.payload, c.subject_type, c.subject_id)) for c in cards
    ))  # fmt: skip
    research = any(card.type == "research" for card in cards)
    row = tx.row(
        f"""SELECT t.settings, t.policy_version,
                   {switches.CLOSED} AS closed,
                   (SELECT jsonb_agg(jsonb_build_array(u.key, u.window_start, u.used)) FROM agent_rate_limits u
                    WHERE u.tenant_id = :t AND u.key = ANY(:keys) AND u.window_start > :since) AS used,
                   CASE WHEN :research THEN (
                       SELECT count(*) FROM engagement_clocks k WHERE k.tenant_id = :t AND k.status <> 'exempt'
                       AND k.due_at <= :now AND {clocks.PROMISED} <= :now) ELSE 0 END AS violations_open,
                   CASE WHEN :research THEN (
                       SELECT count(*) FROM engagement_clocks k WHERE k.tenant_id = :t AND k.status = 'active'
                       AND k.planned_at <= :now AND k.follow_up_due_at <= :now) + (
                       SELECT count(*) FROM deals d WHERE d.tenant_id = :t AND d.planned_at <= :now) + (
                       SELECT count(*) FROM quotes q WHERE q.tenant_id = :t AND q.planned_at <= :now) + (
                       SELECT count(*) FROM kanban_cards c
                       WHERE c.tenant_id = :t AND c.type IN ('follow_up', 'send_quote')
                       AND c.state IN ('proposed', 'queued', 'deferred', 'awaiting_approval') AND c.due_at <= :now)
                   ELSE 0 END AS follow_ups_due,
                   {_CHECKS} AS checks,
                   (SELECT jsonb_agg(jsonb_build_array(h.id, h.person_wrote_at, (
                        SELECT max(m.received_at) FROM gmail_messages m
                        WHERE m.tenant_id = :t AND m.thread_id = h.id AND m.direction = 'in'
                          AND m.word_of IS DISTINCT FROM 'forged'
                          AND m.class <> ALL(:automatic)))) FROM unnest(CAST(:threads AS uuid[])) AS w (id)
                    JOIN LATERAL (SELECT * FROM mail_threads h
                                  WHERE h.tenant_id = :t AND h.id = w.id OFFSET 0) h ON true) AS threads
            FROM tenants t WHERE t.tenant_id = :t""",
        t=tx.tenant_id, keys=sorted(keys), since=tx.now - timedelta(hours=50), now=tx.now,
        research=research, checks=[each for c in cards if (each := _uuid(c.payload.get("check_id"))).int],
        threads=list({c.thread_id for c in cards if c.thread_id}), automatic=sorted(BY_MACHINES),
    )  # fmt: skip
    if row is None:
        raise LookupError(f"there is no tenant {tx.tenant_id}")
    chosen = settings or tenant_settings.parse(row["settings"])
    zone = windows.zone(chosen.timezone) or ZoneInfo("UTC")
    return _Ground(
        now=tx.now, settings=chosen, policy_version=row["policy_version"], mode=min(brakes.send_mode, chosen.mode),
        zone=zone, hour=windows.hour_of(tx.now), day=windows.day_of(tx.now, zone),
        closed=switches.first_seen(tx, row["closed"]),
        stopped_here=brakes.stopped(), mail_stopped_here=brakes.mail_stopped(),
        used={(key, datetime.fromisoformat(start)): used for key, start, used in row["used"] or ()},
        goals=tuple(goals.standings(tx, zone)) if research else (),
        violations_open=row["violations_open"], follow_ups_due=row["follow_ups_due"],
        checks={each.check_id: each for each in map(_deadline, row["checks"] or ())},
        threads={each.id: each for each in map(_thread, row["threads"] or ())},
        own_domains=own_domains(chosen, public_url), public_url=public_url,
    )  # fmt: skip


_LACKING = f"""CASE WHEN k.contact_id IS NULL THEN {compliance_fields.missing("client", "q.names")}
    ELSE {compliance_fields.missing("contact", "q.names")} END"""
"""SQL for what the record of check `k` lacks now of `q.names`."""

_CHECKS = f"""(
    SELECT jsonb_agg(jsonb_build_array(k.id, k.client_id, k.state, k.due_at, l.id, l.status, l.relationship,
                                       {_LACKING}, s.reviewed))
    FROM compliance_checks k
    -- fences: one look-up for each check, however few records a planner believes there are
    LEFT JOIN LATERAL (SELECT * FROM contacts c WHERE c.tenant_id = :t AND c.id = k.contact_id OFFSET 0) c ON true
    CROSS JOIN LATERAL (SELECT coalesce(c.client_id, k.client_id) AS account OFFSET 0) w
    JOIN LATERAL (SELECT * FROM clients l WHERE l.tenant_id = :t AND l.id = w.account OFFSET 0) l ON true
    -- one request may ask for what several checks of a record require
    CROSS JOIN LATERAL (SELECT array_agg(n.name) AS names FROM compliance_checks o, unnest(o.required) AS n (name)
                        WHERE o.tenant_id = :t AND o.entity_id = k.entity_id
                          AND o.state IN ('pending', 'reminded', 'overdue') OFFSET 0) q
    JOIN LATERAL (SELECT s.reviewed_to IS NULL OR k.id <= s.reviewed_to AS reviewed FROM compliance_schedule s
                  WHERE s.tenant_id = :t AND s.id = k.schedule_id OFFSET 0) s ON true
    WHERE k.tenant_id = :t AND k.id = ANY(:checks))"""
"""SQL for the checks that are named, each with its record and account as they stand."""


def _deadline(told: Sequence[Any]) -> Deadline:
    check_id, client_id, state, due_at, account_id, account_status, relationship, missing, reviewed = told
    return Deadline(UUID(check_id), UUID(client_id), state, datetime.fromisoformat(due_at), UUID(account_id),
                    account_status, relationship, frozenset(missing), reviewed)  # fmt: skip


def own_domains(settings: TenantSettings, public_url: str) -> frozenset[str]:
    """Where links in a tenant's mail may lead."""
    own = set(settings.registered_domains)
    writes_from = addresses.company_domain(settings.sender_address.lower())
    if writes_from:
        own.add(writes_from)
    if public_url:
        own.add(public_url.partition("://")[2].partition("/")[0].partition(":")[0].lower())
    return frozenset(own)


def _own_words(settings: TenantSettings, known: Known | None) -> tuple[str, ...]:
    """What a text may quote as it stands: the tenant's postal address, and the account's name if it is only a name."""
    name = known.client_name if known else ""
    return (settings.postal_address, name) if _A_NAME.fullmatch(name) else (settings.postal_address,)


def _recipients(card: Card, mail: OutboundMail | None, known: Mapping[UUID, Known]) -> tuple[str, ...]:
    """To, Cc and Bcc, wherever they are written; before rendering, the contact's own address."""
    if mail is None:
        person = known.get(card.contact_id) if card.contact_id else None
        return (person.email,) if person and person.email else ()
    told = [*mail.to, *mail.cc, *mail.bcc]
    told += [value for name, value in mail.headers.items() if name.lower() in _ENVELOPE]
    return tuple(dict.fromkeys(_spelled(address) for address in told))


@functools.lru_cache(maxsize=4096)
def _spelled(address: str) -> str:
    try:
        return addresses.normalise(address)
    except addresses.InvalidAddress:
        # it can belong to nobody, so the rule about recipients will refuse it as it stands
        return address


def holds(mode: Mode, allowed: Sequence[str], recipients: Sequence[str]) -> bool:
    """Whether a mode keeps mail to these recipients inside."""
    if mode is not Mode.internal_only:
        return mode is Mode.dry_run
    return not recipients or any(
        each not in allowed and addresses.domain_of(each) not in allowed for each in recipients
    )  # fmt: skip


def _hours(known: Known | None, ground: _Ground) -> tuple[Hours, str]:
    """The recipient's hours: their zone from the nearest thing that is known of them."""
    settings = ground.settings
    country = _country(known) or settings.country
    own = windows.zone(known.timezone) if known else None
    account = windows.zone(known.client_timezone) if known else None
    if own is not None:
        zone, source = own, "contact"
    elif account is not None:
        zone, source = account, "account"
    elif _country(known):
        zone, source = windows.zone_in(country, ground.zone), "country"
    else:
        zone, source = ground.zone, "tenant"
    return Hours(zone, country, settings.send_window_start, settings.send_window_end), source


def _country(known: Known | None) -> str | None:
    return (known.country or known.client_country) if known else None


def _thread(told: Sequence[Any]) -> Thread:
    thread_id, *moments = told
    return Thread(UUID(thread_id), *(datetime.fromisoformat(each) if each else None for each in moments))


def _messages(
    tx: Tx, cards: Sequence[Card], mails: Mapping[UUID, OutboundMail]
) -> list[tuple[Message, str | None]]:  # fmt: skip
    """The messages that cards answer or name as evidence, each with its own Message-ID."""
    named = [c.payload.get("answers_message_id") for c in cards]
    named += [c.payload.get("message_id", c.evidence.get("message_id")) for c in cards]
    ids = {each for each in map(_uuid, named) if each.int}
    rfc_ids = {each for each in map(_in_reply_to, mails.values()) if each}
    if not ids and not rfc_ids:
        return []
    rows = tx.rows(
        """SELECT id, direction, class, flags, from_address, client_id, contact_id, subject, snippet, reading,
                  rfc_message_id
           FROM gmail_messages WHERE tenant_id = :t AND (id = ANY(:ids) OR rfc_message_id = ANY(:rfc_ids))
           ORDER BY id""",
        t=tx.tenant_id, ids=list(ids), rfc_ids=sorted(rfc_ids),
    )  # fmt: skip
    return [(_message(row), row["rfc_message_id"]) for row in rows]


def _message(row: Row) -> Message:
    words = [row["subject"], row["snippet"], *_texts(row["reading"])]
    asked = row["reading"].get("task_request")
    sure = "asks_task" in row["flags"] or (isinstance(asked, Mapping) and bool(asked.get("call")))
    return Message(
        id=row["id"], inbound=row["direction"] == "in", cls=row["class"], flags=frozenset(row["flags"]),
        from_address=row["from_address"] or "", client_id=row["client_id"], contact_id=row["contact_id"],
        words="\n".join(word for word in words if word),
        # only what rules are sure of proves itself; whatever else is quoted must ask by its own words
        asked=str(asked.get("span") or "") if sure and isinstance(asked, Mapping) else "",
    )  # fmt: skip


def _texts(told: Any) -> list[str]:
    """Every text that was read out of a message."""
    if isinstance(told, str):
        return [told]
    if isinstance(told, Mapping):
        return [text for value in told.values() for text in _texts(value)]
    return [text for value in told for text in _texts(value)] if isinstance(told, list) else []


def _in_reply_to(mail: OutboundMail | None) -> str:
    return mail.headers.get("In-Reply-To", "").strip() if mail else ""


def _uuid(told: Any) -> UUID:
    """An id from a card's payload; the nil id, which names nothing, where there is none."""
    try:
        return told if isinstance(told, UUID) else UUID(str(told))
    except ValueError:
        return UUID(int=0)
