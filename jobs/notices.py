"""The second, named door: fixed words to verified people and their own webhook, past switch and mode, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import formataddr
from uuid import UUID

import structlog

from domain import alerts, compliance_life, credentials, hooks, notices, schedule, settings
from domain.alerts import HOUSE, TENANT, Book
from domain.credentials import NoCredential
from domain.db import Row, Tx
from domain.hooks import Delivery
from domain.house import House
from domain.notices import Notice
from domain.ports import MailSender, NeverWill, NothingHappened, OutboundMail, ProviderError
from domain.settings import TenantSettings
from domain.vault import SecretUnreadable
from engines.greeting import plain

log = structlog.get_logger(__name__)

TEMPLATES: Mapping[str, tuple[str, str]] = {
    "alert": (
        "Hourhand alert: {kind}",
        "Hello {name},\n\n{message}\n\nSeverity: {severity}\nSince: {since}\n\n"
        "Acknowledge it in the console or with `hourhand status`.\n",
    ),
    "escalation": (
        "Hourhand needs you: {title}",
        "Hello {name},\n\n{title}\n\n{reason}\n\nIt is due {due}.\n",
    ),
    "compliance": (
        "Hourhand needs you: {title}",
        "Hello {name},\n\nThe records of some accounts lack what they should have held by now:\n\n{checks}\n\n"
        "Each has a task. `hourhand compliance checks --state escalated` lists them.\n",
    ),
    "sign_in": ("Your Hourhand sign-in", "Hello {name},\n\nSign in here within 15 minutes: {link}\n"),
}
"""The only words that this door knows.

Of what came from outside, only ids, numbers, titles and the plain names of accounts are put into them.
"""

NAMED = 10
"""So many overdue checks are named in one notice; the rest are counted."""

LEFT_MINUTES = 15
"""Past this a notice that nobody settled was left by a process that died."""

SAME_KEY_HOURS = 23
"""For so long a provider that keeps keys takes the same notice once, however often it is handed over."""


def tell_alerts(house: House, tenant_id: UUID) -> int:
    """Tell the tenant's admins and operators, and its webhook, of every alert that nobody was told of.

    How many mails went out. What could not be told now is told at the next occasion.
    """
    with house.database.tenant(tenant_id, actor="notices") as tx:
        untold = notices.alerts_untold(tx)
        hooked = bool(settings.readable(tx).alert_webhook_url)
        left = notices.left(tx, before=tx.now - timedelta(minutes=LEFT_MINUTES))
        for mute in alerts.muted(tx):
            # an hour that came in between has forgotten when it was to look again
            schedule.bring_forward(tx, mute.until, extra=True)
    for notice, since in left:
        _settle_left(house, tenant_id, notice, since)
    if hooked:
        post_alerts(house, tenant_id)
    sent = 0
    for alert in untold:
        slots = {"kind": alert["kind"], "message": alert["message"], "severity": alert["severity"],
                 "since": alert["opened_at"].isoformat(timespec="minutes")}  # fmt: skip
        sent += notify(house, tenant_id, "alert", dedupe_key=f"alert:{alert['id']}", slots=slots)
    return sent


def tell_people(house: House, tenant_id: UUID) -> int:
    """Tell the tenant's people what nobody has told them yet: alerts, and checks taken to a manager; how many mails."""
    return tell_alerts(house, tenant_id) + tell_escalations(house, tenant_id)


def tell_escalations(house: House, tenant_id: UUID) -> int:
    """Tell managers of compliance checks that were taken to them, each of their own accounts; how many mails went out.

    One mail has all that nobody was told of. An account without a manager of its own is every manager's.
    """
    with house.database.tenant(tenant_id, actor="notices") as tx:
        untold = compliance_life.untold(tx)
    sent = 0
    for manager_id in dict.fromkeys(row["manager_id"] for row in untold):
        own = [row for row in untold if row["manager_id"] == manager_id]
        ids = sorted(row["id"] for row in own)
        mark = hashlib.sha256("".join(str(each) for each in ids).encode()).hexdigest()[:16]
        key = f"compliance:{mark}"
        sent += notify(house, tenant_id, "compliance", dedupe_key=key, slots=_overdue(own), only=manager_id)
        with house.database.tenant(tenant_id, actor="notices") as tx:
            if not notices.waiting(tx, "compliance", dedupe_key=key, only=manager_id):
                compliance_life.told(tx, ids)
    return sent


def _overdue(some: Sequence[Row]) -> dict[str, str]:
    """What a notice says of checks: our own names, plain names of accounts, what is missing; the first ones by name."""
    lines = [
        f"{row['schedule']} of {_account(row)}: {', '.join(row['missing']).replace('_', ' ')}, due {row['due_on']}"
        for row in some[:NAMED]
    ]
    if len(some) > NAMED:
        lines.append(f"and {len(some) - NAMED} more")
    many = len(some) > 1
    title = f"{len(some)} compliance checks are overdue" if many else "a compliance check is overdue"
    return {"title": title, "checks": "; ".join(lines)}


def _account(row: Row) -> str:
    """An account's name where it is but a name: an import or a mail may have brought it."""
    return plain(row["account"]) or f"account {row['client_id']}"


def notify(
    house: House, tenant_id: UUID, template: str, *, dedupe_key: str, slots: Mapping[str, str],
    only: UUID | None = None,
) -> int:  # fmt: skip
    """Send a notice to everybody whom it may reach and who was not told yet; how many went out.

    With `only`, to this one of them alone.

    At most once each: a notice whose outcome is unknown is not sent again, one that was not taken is.
    Raises notices.UnknownNotice.
    """
    with house.database.tenant(tenant_id, actor="notices") as tx:
        reserved = notices.reserve(tx, template, dedupe_key=dedupe_key, slots=slots, only=only)
        tenant_settings = settings.readable(tx)
        hand = _hand(house, tx, tenant_settings) if reserved else None
    house.fault("notices.reserved")
    return sum(_send(house, tenant_id, tenant_settings, hand, notice) for notice in reserved)


def _hand(house: House, tx: Tx, tenant_settings: TenantSettings) -> MailSender | None:
    try:
        return house.hands.sender(tx, tenant_settings.provider)
    except NeverWill as error:
        log.warning("notice.no_sender", tenant=str(tx.tenant_id), error=str(error))
        return None


def _send(
    house: House, tenant_id: UUID, tenant_settings: TenantSettings, hand: MailSender | None, notice: Notice, *,
    again: bool = False,
) -> bool:  # fmt: skip
    # of a notice that somebody may have sent before, a refusal now says nothing
    state, provider_id = "uncertain" if again else "failed", None
    if hand is not None and tenant_settings.sender_address:
        try:
            mail = _mail(tenant_id, tenant_settings, notice)
            provider_id = hand.send(mail, deadline_seconds=house.provider_deadline_seconds).provider_id
            state = "sent"
            house.fault("notices.performed")
        except NothingHappened as error:
            # alerts come up when the provider is in trouble: whoever could not be told now is told next time
            log.warning("notice.later", notice=str(notice.id), error=type(error).__name__)
            if again:
                return False
            with house.database.tenant(tenant_id, actor="notices") as tx:
                notices.release(tx, notice)
            return False
        except NeverWill as error:
            log.warning("notice.failed", notice=str(notice.id), error=type(error).__name__)
        except ProviderError:
            state = "uncertain"
    with house.database.tenant(tenant_id, actor="notices") as tx:
        notices.settle(tx, notice, state, provider_id=provider_id)  # type: ignore[arg-type]
    house.fault("notices.settled")
    return state == "sent"


def _mail(tenant_id: UUID, tenant_settings: TenantSettings, notice: Notice) -> OutboundMail:
    subject, text = TEMPLATES[notice.template]
    told = {name: " ".join(str(value).split()) for name, value in {**notice.slots, "name": notice.name}.items()}
    domain = tenant_settings.sender_address.rsplit("@", 1)[1]
    return OutboundMail(
        card_id=notice.id,
        idempotency_key=f"hh-notice-{notice.id.hex}",
        message_id=f"<{notice.id}@{domain}>",
        sender=formataddr(("Hourhand", tenant_settings.sender_address)),
        to=(notice.address,),
        subject=subject.format(**told),
        text=text.format(**told),
        headers={"Auto-Submitted": "auto-generated"},
        tags={"notice": str(notice.id), "tenant": str(tenant_id)},
    )


def post_alerts(house: House, tenant_id: UUID | None) -> int:
    """Post what is due to the webhook of a tenant, or (without one) of the house; how many were taken.

    Each is noted before it is tried, so that a process which dies in between has used up a try and no more. A receiver
    may get one twice, under the same id. One that takes its time gets the others later: nobody else waits for it, and
    no try outlives its lease.
    """
    with _book(house, tenant_id) as (tx, book):
        target = _target(house, tx, book)
        if target is None:
            return 0
        hooks.put_down(tx, of=target.of, book=book)
        waiting = hooks.due(tx, book=book)
        lease = house.provider_deadline_seconds + 60
        ours = [each for each in waiting if _may_try(tx, each, book)]
        for each in ours:
            hooks.begin(tx, each, lease_seconds=lease, book=book)
    house.fault("hooks.begun")
    ends, taken = house.clock.monotonic() + house.provider_deadline_seconds, 0
    for at, each in enumerate(ours):
        if house.clock.monotonic() >= ends:
            _leave(house, tenant_id, ours[at:])
            break
        taken += _post(house, tenant_id, target, each)
    return taken


def _leave(house: House, tenant_id: UUID | None, begun: Sequence[Delivery]) -> None:
    with _book(house, tenant_id) as (tx, book):
        for each in begun:
            hooks.put_off(tx, each, tx.now + timedelta(minutes=1), book=book)


def ping(house: House) -> bool:
    """Let somebody outside see that the house is alive; whether they took it. Nothing happens where nobody watches."""
    if not house.outlook.alive_url or house.hooks is None:
        return False
    try:
        house.hooks.ping(house.outlook.alive_url, deadline_seconds=house.provider_deadline_seconds)
    except ProviderError as error:
        log.warning("notice.nobody_sees_us", error=type(error).__name__)
        return False
    return True


@dataclass(frozen=True, slots=True)
class _Target:
    """A webhook, and what signs the messages to it."""

    of: str
    url: str
    secret: str = field(repr=False)


@contextmanager
def _book(house: House, tenant_id: UUID | None) -> Iterator[tuple[Tx, Book]]:
    if tenant_id is None:
        with house.database.wearing("control", actor="notices") as tx:
            yield tx, HOUSE
    else:
        with house.database.tenant(tenant_id, actor="notices") as tx:
            yield tx, TENANT


def _target(house: House, tx: Tx, book: Book) -> _Target | None:
    """Where alerts are posted; None where nobody wants them, or nothing could sign them."""
    if house.hooks is None:
        return None
    if book is HOUSE:
        url, secret = house.outlook.webhook_url, house.outlook.webhook_secret
        return _Target("house", url, secret) if url and secret else None
    url = settings.readable(tx).alert_webhook_url
    if not url:
        return None
    try:
        return _Target(str(tx.tenant_id), url, credentials.get(tx, house.vault, "alert_webhook_secret"))
    except (NoCredential, SecretUnreadable) as error:
        log.warning("notice.unsigned", tenant=str(tx.tenant_id), error=type(error).__name__)
        return None


def _may_try(tx: Tx, delivery: Delivery, book: Book) -> bool:
    """Whether there is room in this hour; a second try takes none. The house's own alerts are few by nature."""
    if delivery.tries or book is HOUSE:
        return True
    full_until = notices.room(tx)
    if full_until is not None:
        hooks.put_off(tx, delivery, full_until)
    return full_until is None


def _post(house: House, tenant_id: UUID | None, target: _Target, delivery: Delivery) -> bool:
    assert house.hooks is not None
    failure: ProviderError | None = None
    try:
        house.hooks.post(target.url, delivery.body.encode(), secret=target.secret, message_id=str(delivery.id),
                         at=house.clock.now(), deadline_seconds=house.provider_deadline_seconds)  # fmt: skip
    except ProviderError as error:
        failure = error
    house.fault("hooks.performed")
    with _book(house, tenant_id) as (tx, book):
        if failure is None:
            hooks.sent(tx, delivery, book=book)
        elif hooks.failed(tx, delivery, str(failure), for_good=isinstance(failure, NeverWill), book=book):
            log.warning("notice.hook_dead", delivery=str(delivery.id), error=type(failure).__name__)
    return failure is None


def _settle_left(house: House, tenant_id: UUID, notice: Notice, since: datetime) -> None:
    """A notice whose sender died: handed over once more where that can't make a second mail, else it stays unknown."""
    with house.database.tenant(tenant_id, actor="notices") as tx:
        tenant_settings = settings.readable(tx)
        hand = _hand(house, tx, tenant_settings)
        # by another provider, to another account or in other words it would be another mail
        same = not settings.changed_since(tx, since) and not credentials.changed_since(tx, since)
        keeps = hand is not None and hand.keeps_keys and same and tx.now - since < timedelta(hours=SAME_KEY_HOURS)
        if not keeps:
            notices.settle(tx, notice, "uncertain")
    if keeps:
        _send(house, tenant_id, tenant_settings, hand, notice, again=True)
