"""What providers tell of our mail, applied: each notification once, in any order, and one that fails stops no other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy.exc import OperationalError

from domain import breakers, cards, deliveries, outbound, quarantine, settings
from domain.db import Row, Tx
from domain.deliveries import Waiting
from domain.house import House
from domain.ports import DeliveryEvent

BATCH = 50

PATIENCE = timedelta(hours=1)
"""How long a notification waits for its mail to become known by the provider's id."""

OUR_REPUTATION = frozenset({"policy", "blocked", "spam", "authentication", "relaying", "content", "sender", "rate"})
"""Reasons that say nothing against the address, whatever the provider calls permanent."""


def process(house: House, tenant_id: UUID, *, breathe: Callable[[], None] = lambda: None) -> Counter[str]:
    """Apply the tenant's waiting notifications; how many there were of each kind.

    Between two batches `breathe` is called, which may end it; what a process that is leaving does not come to waits.
    """
    counts: Counter[str] = Counter()
    last: Waiting | None = None
    while True:
        with house.database.tenant(tenant_id) as tx:
            batch = deliveries.waiting(tx, after=last, limit=BATCH)
            applied = []
            for each in batch:
                became = _apply_or_set_aside(house, tx, each)
                counts[f"delivery.{became}"] += 1
                if became != "quarantined":
                    applied.append(_source(each))
                last = each
            quarantine.taken_in(tx, "webhook", applied)
            house.fault("deliver.applied")
        house.fault("deliver.committed")
        if len(batch) < BATCH or house.leaving.is_set():
            return counts
        breathe()


def _apply_or_set_aside(house: House, tx: Tx, each: Waiting) -> str:
    """Its kind once it was applied, else what became of it."""
    try:
        with tx.savepoint():
            event = each.event()
            mail = deliveries.mail_of(tx, event)
            if mail is None and each.received_at > tx.now - PATIENCE:
                return "waiting"
            if mail is not None:
                apply(house, tx, each.provider, event, mail)
            deliveries.processed(tx, each.provider, each.event_id)
            return event.kind if mail is not None else "unknown"
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - kept with its reason; another one must not wait for it
        failures = quarantine.note(tx, "webhook", _source(each), f"{type(error).__name__}: {error}")
        if failures >= quarantine.TRIES:
            deliveries.processed(tx, each.provider, each.event_id)
        return "quarantined"


def _source(each: Waiting) -> str:
    """What names a notification in quarantine."""
    return f"{each.provider}/{each.event_id}"


def apply(house: House, tx: Tx, provider: str, event: DeliveryEvent, mail: Row) -> None:
    """Move the mail's record, and whatever hangs on it, to what the provider says."""
    deliveries.named(tx, mail, provider_id=event.provider_id, message_id=event.message_id)
    _resolve(tx, event, mail)
    address = event.recipients[0] if len(event.recipients) == 1 else None
    match event.kind:
        case "sent":
            outbound.accepted(tx, mail["card_id"], provider_id=event.provider_id, at=event.at)
        case "delivered":
            deliveries.delivered(tx, mail, event.at)
        case "bounced" if event.bounce_type == "Permanent":
            suppress = _says_dead(event)
            if deliveries.bounced(tx, house.vault, mail, address, event.at, suppress=suppress, source=provider,
                                  subtype=event.bounce_subtype or ""):  # fmt: skip
                breakers.check(tx)
        case "complained":
            if deliveries.complained(tx, house.vault, mail, address, event.at, source=provider):
                breakers.check(tx)
        case "failed":
            deliveries.refused(tx, mail, "failed", source=provider)
        case "suppressed":
            # the provider knows the address as dead or as a complainant's, from earlier mail
            deliveries.refused(tx, mail, "suppressed", source=provider)
            deliveries.dead(tx, house.vault, mail, address, source=provider)
        case "opened" | "clicked":
            deliveries.seen(tx, mail, "opened" if event.kind == "opened" else "clicked", event.at)
        case _:
            # delayed, or bounced for the moment: the provider goes on trying
            pass


def _resolve(tx: Tx, event: DeliveryEvent, mail: Row) -> None:
    """Whatever the provider tells of a mail whose outcome nobody knew proves that it took it."""
    reason = f"the provider told us: {event.kind}"
    if event.kind == "failed":
        cards.move(tx, [mail["card_id"]], "failed", frm=("uncertain",), reason=reason, rule="provider.never_will",
                   extra="resolve_after = NULL")  # fmt: skip
        return
    done = cards.move(tx, [mail["card_id"]], "done", frm=("uncertain",), reason=reason, provider_id=event.provider_id,
                      extra="provider_id = :provider_id, resolve_after = NULL")  # fmt: skip
    if not done:
        return
    from engines.registry import ENGINES
    from jobs.execute import went_out

    went_out(tx, ENGINES, done, settings.readable(tx))


def _says_dead(event: DeliveryEvent) -> bool:
    """Whether a permanent bounce speaks against the address, by our own table where the server gave its words."""
    # the reader's tables take longer to load than the whole front desk, which can do without them until a mail bounces
    from brain.reading import reasons

    words = event.detail or ""
    found = reasons.STATUS.search(words)
    reason = reasons.reason_of(found[0] if found else "", words)
    return reason not in OUR_REPUTATION if reason != "undefined" else True
