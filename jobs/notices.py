"""The second, named door: fixed words to verified people of the tenant, past switch and mode, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import formataddr
from uuid import UUID

import structlog

from domain import notices, settings
from domain.db import Tx
from domain.house import House
from domain.notices import Notice
from domain.ports import MailSender, NeverWill, NothingHappened, OutboundMail, ProviderError
from domain.settings import TenantSettings

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
    "sign_in": ("Your Hourhand sign-in", "Hello {name},\n\nSign in here within 15 minutes: {link}\n"),
}
"""The only words that this door knows; nothing that came from outside is put into them but ids, numbers and titles."""


def tell_alerts(house: House, tenant_id: UUID) -> int:
    """Tell the tenant's admins and operators of every alert that nobody was told of; how many mails went out."""
    with house.database.tenant(tenant_id, actor="notices") as tx:
        untold = notices.alerts_untold(tx)
    sent = 0
    for alert in untold:
        slots = {"kind": alert["kind"], "message": alert["message"], "severity": alert["severity"],
                 "since": alert["opened_at"].isoformat(timespec="minutes")}  # fmt: skip
        sent += notify(house, tenant_id, "alert", dedupe_key=f"alert:{alert['id']}", slots=slots)
    return sent


def notify(house: House, tenant_id: UUID, template: str, *, dedupe_key: str, slots: Mapping[str, str]) -> int:
    """Send a notice to everybody whom it may reach and who was not told yet; how many went out.

    At most once each: a notice whose outcome is unknown is not sent again, one that was not taken is.
    Raises notices.UnknownNotice.
    """
    with house.database.tenant(tenant_id, actor="notices") as tx:
        reserved = notices.reserve(tx, template, dedupe_key=dedupe_key, slots=slots)
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
    house: House, tenant_id: UUID, tenant_settings: TenantSettings, hand: MailSender | None, notice: Notice
) -> bool:  # fmt: skip
    state, provider_id = "failed", None
    if hand is not None and tenant_settings.sender_address:
        try:
            mail = _mail(tenant_id, tenant_settings, notice)
            provider_id = hand.send(mail, deadline_seconds=house.provider_deadline_seconds).provider_id
            state = "sent"
            house.fault("notices.performed")
        except NothingHappened as error:
            # alerts come up when the provider is in trouble: whoever could not be told now is told next time
            log.warning("notice.later", notice=str(notice.id), error=type(error).__name__)
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
