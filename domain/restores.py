"""A house that came back from a backup: what it has forgotten since then is closed off until it was asked for."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain import audit, cards, clocks, contacts, events, outbound, settings, switches, tenants
from domain.cards import Card
from domain.db import Database, Tx
from domain.outbound import Frozen
from domain.ports import OutboundMail, SentMail
from domain.switches import Switch

BY = "restore"
KEY = "restored"
WAITING = ("proposed", "queued", "deferred", "awaiting_approval")
ENDED_WITHOUT = ("failed", "cancelled", "expired", "blocked", "rejected", "held")


@dataclass(frozen=True, slots=True)
class Restored:
    """From when a house is, and when it came back."""

    taken_at: datetime
    restored_at: datetime


def close(database: Database, taken_at: datetime) -> Restored:
    """Close every way out of a house that was just restored: nothing is planned, and no tenant's mail goes out.

    A tenant's mail opens again once the provider has told what went out since the backup; the house, by a person.
    """
    reason = f"restored from a backup of {taken_at:%Y-%m-%d %H:%M} UTC: not reconciled with the provider yet"
    told = Restored(taken_at, database.clock.now())
    with database.wearing("control", actor=BY) as tx:
        tx.run(
            """INSERT INTO hourhand.system_config (key, value, reason, updated_by, updated_at)
               VALUES (:key, :value, :reason, :by, :now)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value, reason = excluded.reason,
                   updated_by = excluded.updated_by, updated_at = excluded.updated_at""",
            key=KEY, reason=reason, by=BY, now=tx.now,
            value={"taken_at": taken_at.isoformat(), "restored_at": told.restored_at.isoformat()},
        )  # fmt: skip
        audit.record_control(tx, "house.restore", "backup", reason=reason)
    switches.write(database, Switch(None, "all"), stopped=True, by=BY, reason=reason)
    after = ""
    while page := tenants.listed(database, after=after, limit=500):
        for tenant in page:
            with database.tenant(tenant.tenant_id) as tx:
                stopped = ("tenant", "mail", "") in switches.closed(tx)
            if not stopped:
                switches.write(database, Switch(tenant.tenant_id, "mail"), stopped=True, by=BY, reason=reason)
        after = page[-1].slug
    return told


def standing(database: Database) -> Restored | None:
    """From which backup this house came back; None for one that never did."""
    with database.wearing("control") as tx:
        row = tx.row("SELECT value FROM hourhand.system_config WHERE key = :key", key=KEY)
    if row is None:
        return None
    return Restored(*(datetime.fromisoformat(row["value"][name]) for name in ("taken_at", "restored_at")))


def unreconciled(tx: Tx) -> bool:
    """Whether the tenant's mail still waits for its provider's word since a restore."""
    return bool(tx.value(
        "SELECT true FROM tenant_switches WHERE tenant_id = :t AND level = 'mail' AND stopped AND changed_by = :by",
        t=tx.tenant_id, by=BY,
    ))  # fmt: skip


def known(tx: Tx, provider_ids: Sequence[str]) -> frozenset[str]:
    """Which of the provider's mails the house remembers."""
    rows = tx.rows(
        "SELECT provider_id FROM outbound_messages WHERE tenant_id = :t AND provider_id = ANY(:ids)",
        t=tx.tenant_id, ids=list(provider_ids),
    )  # fmt: skip
    return frozenset(row["provider_id"] for row in rows)


def remember(tx: Tx, mail: SentMail, *, provider: str) -> Card | None:
    """Know again of a mail that went out after the backup: its card is done, whatever it was about to do.

    The card as it stands, for what follows from its mail; None where it was done before.
    """
    card_id = UUID(mail.tags["card"])
    card = cards.get(tx, card_id)
    if card is not None and card.state == "done":
        return None
    if card is None or card.state in ENDED_WITHOUT:
        twin = _of_intent(tx, _intent(mail.tags))
        if twin is None:
            return _unknown(tx, mail, card, provider)
        # the same intention came up again: it has been carried out
        card = twin
    if card.state in ("executing", "uncertain") and str(card.id) != mail.tags["card"]:
        return None
    if card.state in WAITING:
        card = _as_reserved(tx, card, mail, provider)
    extra = "provider_id = :provider_id, resolve_after = NULL, owner = NULL, executing_until = NULL"
    return cards.move_one(tx, card.id, "done", frm=("executing", "uncertain"), provider_id=mail.provider_id,
                          reason="the provider has it: it went out after the backup", extra=extra)  # fmt: skip


def _as_reserved(tx: Tx, card: Card, mail: SentMail, provider: str) -> Card:
    """The card as it stood while its mail was on its way."""
    if card.state != "queued":
        cards.move_one(tx, card.id, "queued")
    card = cards.move_one(
        tx, card.id, "executing", frm=("queued",), by=BY, key=f"hh-restored-{card.id.hex}",
        extra="owner = :by, fence = 0, executing_until = hourhand.db_now(), reserved_at = :now, idempotency_key = :key",
    )  # fmt: skip
    _record(tx, card, mail, provider)
    return card


def _record(tx: Tx, card: Card, mail: SentMail, provider: str) -> None:
    frozen = OutboundMail(
        card_id=card.id, idempotency_key=card.idempotency_key or f"hh-restored-{card.id.hex}", sender=mail.sender,
        message_id=f"<{card.id}@{mail.sender.rpartition('@')[2].rstrip('>')}>", to=mail.recipients,
        subject=mail.subject, text=mail.text, html=mail.html, tags=dict(mail.tags),
    )  # fmt: skip
    outbound.record_each(tx, [Frozen(card, frozen, "live", card.thread_id)], state="reserved", provider=provider)


def _unknown(tx: Tx, mail: SentMail, ended: Card | None, provider: str) -> Card:
    """A mail whose card the backup does not have, or has as one that sent nothing: it gets one that says so."""
    person = next(iter(contacts.by_addresses(tx, mail.recipients).values()), None)
    card_id = UUID(mail.tags["card"]) if ended is None else tx.clock.uuid()
    kind = mail.tags.get("type", "send_email")
    tx.run(
        """INSERT INTO kanban_cards (tenant_id, id, type, state, engine, title, client_id, contact_id, subject_type,
               subject_id, dedupe_key, due_at, not_before, latest_at, attempts, reserved_at, idempotency_key,
               provider_id, reason, created_at, state_changed_at)
           VALUES (:t, :id, :type, 'done', :engine, :title, :client, :contact, 'contact', :subject, :dedupe, :at, :at,
               :at, 1, :at, :key, :provider_id, :reason, :at, :now)
           ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, id=card_id, type=kind if kind in cards.TYPES else "send_email",
        engine=mail.tags.get("engine", BY),
        title="A mail that went out after the backup", client=person.client_id if person else None,
        contact=person.id if person else None, subject=str(person.id) if person else "unknown",
        dedupe=_intent(mail.tags) or f"restored:{card_id}", at=mail.at, key=f"hh-restored-{card_id.hex}",
        provider_id=mail.provider_id, reason="its card was made after the backup, or ended without sending", now=tx.now,
    )  # fmt: skip
    card = cards.get(tx, card_id)
    assert card is not None
    _record(tx, card, mail, provider)
    if person is not None:
        # what was meant by it is not known any more, so nothing is built upon it
        clocks.stop_sequence(tx, person.id, reason="a mail went out after the backup that the house came back from")
    return card


def _of_intent(tx: Tx, intent: str) -> Card | None:
    """The card that means to do the same, and has not done it yet."""
    row = tx.row(
        f"""SELECT {cards.COLUMNS} FROM kanban_cards WHERE tenant_id = :t AND dedupe_key = :key
            AND state NOT IN ('done', 'failed', 'cancelled', 'expired', 'blocked', 'rejected', 'held')""",
        t=tx.tenant_id, key=intent,
    )  # fmt: skip
    return cards.load(row) if row else None


def rest(tx: Tx, since: datetime, until: datetime) -> int:
    """Nobody can say what went out between two moments: whoever may have been written to is left in peace meanwhile.

    Cards that waited then are cancelled, and each contact whose turn it was rests for the engagement period.
    """
    rows = tx.rows(
        """SELECT contact_id AS id FROM engagement_clocks WHERE tenant_id = :t AND status <> 'exempt'
             AND planned_at <= :until
           UNION SELECT contact_id FROM kanban_cards WHERE tenant_id = :t AND contact_id IS NOT NULL
             AND state = ANY(:waiting) AND type = ANY(:outward)""",
        t=tx.tenant_id, until=until, waiting=list(WAITING), outward=sorted(switches.OUTWARD),
    )  # fmt: skip
    waiting = tx.rows(
        """SELECT id FROM kanban_cards WHERE tenant_id = :t AND state = ANY(:waiting) AND type = ANY(:outward)
           AND created_at <= :until""",
        t=tx.tenant_id, waiting=list(WAITING), outward=sorted(switches.OUTWARD), until=until,
    )  # fmt: skip
    cards.move(tx, [row["id"] for row in waiting], "cancelled",
               reason="nobody can say whether it went out after the backup")  # fmt: skip
    days = (until - since) + timedelta(days=settings.readable(tx).engagement_days)
    for row in rows:
        clocks.stop_sequence(tx, row["id"], reason="nobody can say what went out after the backup")
        clocks.pause(tx, row["id"], tx.now + days, reason="restored")
    return len(rows)


def open_again(database: Database, tenant_id: UUID, *, by: str, counts: Mapping[str, Any]) -> None:
    """The tenant's mail may go out again."""
    with database.tenant(tenant_id, actor=by) as tx:
        events.record(tx, "restore.reconciled", "tenant", tenant_id, **counts)
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    switches.resume(database, Switch(tenant_id, "mail"), by=by, reason=f"reconciled after a restore: {told}")


def _intent(tags: Mapping[str, str]) -> str:
    told = tags.get("intent", "")
    try:
        return base64.urlsafe_b64decode(told + "=" * (-len(told) % 4)).decode()
    except ValueError:
        return ""
