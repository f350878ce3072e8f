"""What became of mail that went out: webhooks kept as they came, and the verbs that apply what they or bounces say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import (
    addresses,
    clocks,
    compliance_life,
    deal_activity,
    events,
    feedback_life,
    quote_life,
    schedule,
    storable,
    suppressions,
)
from domain.db import Row, Tx
from domain.ports import DeliveryEvent
from domain.vault import Vault

_COLUMNS = """card_id, rfc_message_id, carried_message_id, state, provider_id, client_id, contact_id, recipients,
              accepted_at, bounced_at, complained_at"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notification as it was kept."""

    provider: str
    event_id: str
    body: Mapping[str, Any]
    received_at: datetime

    def event(self) -> DeliveryEvent:
        """What it says. Raises KeyError, TypeError or ValueError when it says nothing that is understood."""
        told = dict(self.body)
        told["recipients"] = tuple(told["recipients"])
        told["at"] = datetime.fromisoformat(told["at"])
        return DeliveryEvent(**told)


def receive(tx: Tx, provider: str, event: DeliveryEvent) -> bool:
    """Keep a verified notification as it came; False when it came before. It is applied later, by `jobs.deliver`."""
    stored = tx.run(
        """INSERT INTO webhook_deliveries (tenant_id, provider, event_id, type, body, received_at)
           VALUES (:t, :provider, :id, :type, :body, :now) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, provider=provider, id=event.event_id, type=event.kind, body=_told(event), now=tx.now,
    )  # fmt: skip
    if stored:
        # tenants whose mailboxes are polled apply it at their next poll, at the latest
        tx.run(
            """UPDATE tenant_schedule SET gmail_due_at = :now
               WHERE tenant_id = :t AND sync_enabled AND gmail_due_at > :now""",
            now=tx.now, t=tx.tenant_id,
        )  # fmt: skip
    return bool(stored)


def waiting(tx: Tx, *, after: Waiting | None = None, limit: int) -> Sequence[Waiting]:
    """Notifications not applied yet, oldest first, from behind `after`; others' hands are kept off them meanwhile."""
    rows = tx.rows(
        """SELECT provider, event_id, body, received_at FROM webhook_deliveries
           WHERE tenant_id = :t AND processed_at IS NULL
             AND (CAST(:at AS timestamptz) IS NULL OR (received_at, event_id) > (:at, CAST(:id AS text)))
           ORDER BY received_at, event_id LIMIT :limit FOR UPDATE SKIP LOCKED""",
        t=tx.tenant_id, at=after.received_at if after else None, id=after.event_id if after else None, limit=limit,
    )  # fmt: skip
    return [Waiting(row["provider"], row["event_id"], row["body"], row["received_at"]) for row in rows]


def processed(tx: Tx, provider: str, event_id: str) -> None:
    """This notification needs nothing more."""
    tx.run(
        """UPDATE webhook_deliveries SET processed_at = :now
           WHERE tenant_id = :t AND provider = :provider AND event_id = :id""",
        now=tx.now, t=tx.tenant_id, provider=provider, id=event_id,
    )  # fmt: skip


def again(tx: Tx, provider: str, event_id: str) -> bool:
    """Have a notification applied once more; False when it was never kept."""
    kept = tx.run(
        """UPDATE webhook_deliveries SET processed_at = NULL
           WHERE tenant_id = :t AND provider = :provider AND event_id = :id""",
        t=tx.tenant_id, provider=provider, id=event_id,
    )  # fmt: skip
    return bool(kept)


def mail_of(tx: Tx, event: DeliveryEvent) -> Row | None:
    """Our mail that a notification is about: by our tag, else by the provider's id, else by its Message-ID."""
    tagged = _uuid(event.tags.get("card", ""))
    return tx.row(
        f"""SELECT {_COLUMNS} FROM outbound_messages WHERE tenant_id = :t AND state <> 'held'
            AND (card_id = :card OR provider_id = :provider_id OR rfc_message_id = :message_id)
            ORDER BY card_id = :card DESC, provider_id = :provider_id DESC LIMIT 1 FOR UPDATE""",
        t=tx.tenant_id, card=tagged, provider_id=event.provider_id, message_id=event.message_id,
    )  # fmt: skip


def mail_by_card(tx: Tx, card_id: UUID) -> Row | None:
    """A card's mail, locked until this transaction ends."""
    return tx.row(
        f"SELECT {_COLUMNS} FROM outbound_messages WHERE tenant_id = :t AND card_id = :card FOR UPDATE",
        t=tx.tenant_id, card=card_id,
    )  # fmt: skip


def named(tx: Tx, mail: Row, *, provider_id: str, message_id: str | None) -> None:
    """Note under which names the provider knows a mail; answers and bounces refer to the Message-ID that it carries."""
    carried = message_id if message_id and message_id != mail["rfc_message_id"] else None
    if mail["provider_id"] is not None and (carried is None or mail["carried_message_id"] is not None):
        return
    tx.run(
        """UPDATE outbound_messages SET provider_id = coalesce(provider_id, :provider_id),
               carried_message_id = coalesce(carried_message_id, :carried)
           WHERE tenant_id = :t AND card_id = :card""",
        t=tx.tenant_id, card=mail["card_id"], provider_id=provider_id, carried=carried,
    )  # fmt: skip


def delivered(tx: Tx, mail: Row, at: datetime) -> bool:
    """The receiving server took it; False when that was known."""
    fresh = tx.run(
        """UPDATE outbound_messages SET delivered_at = :at, accepted_at = coalesce(accepted_at, :at),
               state = CASE WHEN state IN ('reserved', 'uncertain', 'accepted') THEN 'delivered' ELSE state END
           WHERE tenant_id = :t AND card_id = :card AND delivered_at IS NULL""",
        at=at, t=tx.tenant_id, card=mail["card_id"],
    )  # fmt: skip
    return _tell(tx, mail, "delivered") if fresh else False


def seen(tx: Tx, mail: Row, what: Literal["opened", "clicked"], at: datetime) -> bool:
    """Somebody, or a scanner, opened it or followed a link: noted once, and it proves nothing."""
    fresh = tx.run(
        f"""UPDATE outbound_messages SET {what}_at = :at
            WHERE tenant_id = :t AND card_id = :card AND {what}_at IS NULL""",
        at=at, t=tx.tenant_id, card=mail["card_id"],
    )  # fmt: skip
    return _tell(tx, mail, what) if fresh else False


def bounced(
    tx: Tx, vault: Vault, mail: Row, address: str | None, at: datetime, *, suppress: bool, source: str, **detail: Any
) -> bool:  # fmt: skip
    """It came back for good: its touch is void, and the address is never written to again if `suppress` says so.

    False when this mail's bounce was known. Whoever reports it must have been tied to this mail before.
    """
    meant = _recipient(mail, address)
    if suppress and meant is not None:
        suppressions.suppress(tx, vault, meant, reason="bounced", source=source, **detail)
    return _failed(tx, mail, "bounced", at, react={"source": source, "suppress": suppress, **detail})


def complained(tx: Tx, vault: Vault, mail: Row, address: str | None, at: datetime, *, source: str) -> bool:
    """Somebody called it spam: they are never written to again. False when this mail's complaint was known."""
    meant = _recipient(mail, address)
    if meant is not None:
        suppressions.suppress(tx, vault, meant, reason="complained", source=source)
    fresh = tx.run(
        """UPDATE outbound_messages SET complained_at = :at, state = 'complained'
           WHERE tenant_id = :t AND card_id = :card AND complained_at IS NULL""",
        at=at, t=tx.tenant_id, card=mail["card_id"],
    )  # fmt: skip
    return _tell(tx, mail, "complained", source=source) if fresh else False


def refused(tx: Tx, mail: Row, kind: Literal["failed", "suppressed"], *, source: str) -> bool:
    """The provider took it and then did not deliver it: nobody was touched."""
    fresh = tx.run(
        """UPDATE outbound_messages SET state = 'failed' WHERE tenant_id = :t AND card_id = :card
           AND state IN ('reserved', 'uncertain', 'accepted')""",
        t=tx.tenant_id, card=mail["card_id"],
    )  # fmt: skip
    clocks.void_touch(tx, mail["card_id"], kind)
    deal_activity.void(tx, mail["card_id"])
    quote_life.void(tx, mail["card_id"])
    feedback_life.void(tx, mail["card_id"])
    compliance_life.void(tx, mail["card_id"])
    return _tell(tx, mail, kind, source=source) if fresh else False


def opted_out(tx: Tx, vault: Vault, address: str, *, source: str, **detail: Any) -> bool:
    """They asked not to hear from us; True when that is news."""
    return suppressions.suppress(tx, vault, address, reason="opted_out", source=source, **detail)


def dead(tx: Tx, vault: Vault, mail: Row, address: str | None, *, source: str) -> bool:
    """The provider itself refuses the address from now on; so do we. True when that is news."""
    meant = _recipient(mail, address)
    return meant is not None and suppressions.suppress(tx, vault, meant, reason="bounced", source=source)


def _failed(tx: Tx, mail: Row, kind: str, at: datetime, *, react: Mapping[str, Any]) -> bool:
    fresh = tx.run(
        """UPDATE outbound_messages SET bounced_at = :at,
               state = CASE WHEN state = 'complained' THEN state ELSE 'bounced' END
           WHERE tenant_id = :t AND card_id = :card AND bounced_at IS NULL""",
        at=at, t=tx.tenant_id, card=mail["card_id"],
    )  # fmt: skip
    clocks.void_touch(tx, mail["card_id"], kind)
    deal_activity.void(tx, mail["card_id"])
    quote_life.void(tx, mail["card_id"])
    feedback_life.void(tx, mail["card_id"])
    compliance_life.void(tx, mail["card_id"])
    return _tell(tx, mail, kind, **react) if fresh else False


def _tell(tx: Tx, mail: Row, kind: str, **data: Any) -> bool:
    events.record(
        tx, f"delivery.{kind}", "card", mail["card_id"], client_id=mail["client_id"], contact_id=mail["contact_id"],
        react=True, **data,
    )  # fmt: skip
    if kind in ("bounced", "complained", "failed", "suppressed"):
        schedule.bring_forward(tx, tx.now, extra=True)
    return True


def _recipient(mail: Row, address: str | None) -> str | None:
    """Whom a report is about: the address if we wrote to it, else the only one that we wrote to."""
    recipients = list(mail["recipients"])
    spelled = next(iter(addresses.known([address])), None) if address else None
    if spelled in recipients:
        return spelled
    return recipients[0] if len(recipients) == 1 else None


def _told(event: DeliveryEvent) -> dict[str, Any]:
    told = {name: getattr(event, name) for name in DeliveryEvent.__slots__}
    told |= {"recipients": list(event.recipients), "at": event.at.isoformat(), "tags": dict(event.tags)}
    kept: dict[str, Any] = storable.value(told)
    return kept


def _uuid(told: str) -> UUID | None:
    try:
        return UUID(told)
    except ValueError:
        return None
