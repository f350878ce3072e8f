"""After a restore: what the provider took since the backup is known again before anything more goes out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from uuid import UUID

from domain import alerts, cards, clocks, deliveries, outbound, restores, settings, tenants
from domain.db import Database
from domain.house import House
from domain.ports import NeverWill, NothingHappened, ProviderError, SentList, SentMail
from domain.restores import Restored
from engines.contract import Engine
from engines.registry import ENGINES
from jobs import judge

ALERT = "restore.unreconciled"
TRIES = 8
PACE_SECONDS = 0.25
"""Between two questions: Resend lets a team ask 5 times a second, and others ask too."""

Answer = TypeVar("Answer")


class NotRestored(Exception):
    """This house did not come back from a backup: there is nothing to reconcile."""


@dataclass(slots=True)
class Told:
    """What reconciling one tenant came to."""

    slug: str
    opened: bool = False
    why_not: str | None = None
    counts: Counter[str] = field(default_factory=Counter)


def run(
    house: House, *, only: str | None = None, assume: Literal["sent", "unsent"] | None = None, by: str,
    engines: Sequence[Engine] = ENGINES, progress: Callable[[str, int], None] = lambda _slug, _mails: None,
) -> list[Told]:  # fmt: skip
    """Ask each tenant's provider what it took since the backup, and open the mail of those that it told all of.

    Where it can't tell, the mail stays closed until a person says what to `assume` of it. Raises NotRestored.
    """
    restored = restores.standing(house.database)
    if restored is None:
        raise NotRestored(NotRestored.__doc__)
    told = []
    for tenant in _tenants(house.database, only):
        with house.database.tenant(tenant.tenant_id) as tx:
            if not restores.unreconciled(tx):
                continue
        told.append(_reconcile(house, tenant, restored, assume, by, engines, progress))
    return told


def _reconcile(
    house: House, tenant: tenants.Tenant, restored: Restored, assume: str | None, by: str, engines: Sequence[Engine],
    progress: Callable[[str, int], None],
) -> Told:  # fmt: skip
    told = Told(tenant.slug)
    try:
        _listed(house, tenant.tenant_id, restored, by, engines, told, progress)
    except ProviderError as error:
        told.why_not = str(error)
        if assume is None:
            _leave_closed(house, tenant.tenant_id, told.why_not, by)
            return told
        if assume == "sent":
            with house.database.tenant(tenant.tenant_id, actor=by) as tx:
                told.counts["rested"] = restores.rest(tx, restored.taken_at, restored.restored_at)
        told.counts[f"assumed_{assume}"] = 1
    restores.open_again(house.database, tenant.tenant_id, by=by, counts=dict(told.counts))
    with house.database.tenant(tenant.tenant_id, actor=by) as tx:
        alerts.resolve(tx, ALERT, by=by)
    told.opened = True
    return told


def _listed(
    house: House, tenant_id: UUID, restored: Restored, by: str, engines: Sequence[Engine], told: Told,
    progress: Callable[[str, int], None],
) -> None:  # fmt: skip
    with house.database.tenant(tenant_id, actor=by) as tx:
        provider = settings.readable(tx).provider
        hand = house.hands.sender(tx, provider)
    if not isinstance(hand, SentList):
        raise NeverWill(f"{hand.name} keeps no list of what it was given")
    after: str | None = None
    while True:
        ids, after = _asked(house, lambda at=after: hand.sent_since(  # type: ignore[misc]
            restored.taken_at, after=at, deadline_seconds=house.provider_deadline_seconds))  # fmt: skip
        with house.database.tenant(tenant_id) as tx:
            known = restores.known(tx, ids)
        for provider_id in [each for each in ids if each not in known]:
            mail = _asked(house, lambda each=provider_id: hand.sent(  # type: ignore[misc]
                each, deadline_seconds=house.provider_deadline_seconds))  # fmt: skip
            if mail.tags.get("tenant") == str(tenant_id) and _is_card(mail):
                told.counts[_remember(house, tenant_id, mail, hand.name, by, engines)] += 1
            progress(told.slug, sum(told.counts.values()))
        if after is None:
            return


def _remember(
    house: House, tenant_id: UUID, mail: SentMail, provider: str, by: str, engines: Sequence[Engine]
) -> str:  # fmt: skip
    with house.database.tenant(tenant_id, actor=by) as tx:
        before = cards.get(tx, UUID(mail.tags["card"]))
        card = restores.remember(tx, mail, provider=provider)
        if card is None or card.state != "done":
            return "known"
        was_known = before is not None and before.state in (*restores.WAITING, "executing", "uncertain")
        outbound.accepted(tx, card.id, provider_id=mail.provider_id, at=mail.at)
        if card.contact_id is not None and card.type != "broadcast_email":
            clocks.mailed(tx, {card.id: card.contact_id}, at=mail.at)
        judge.settled(tx, engines if was_known else (), [card], settings.readable(tx))
        row = deliveries.mail_by_card(tx, card.id)
        if row is not None:
            deliveries.named(tx, row, provider_id=mail.provider_id, message_id=mail.message_id)
            if mail.state == "bounced":
                deliveries.bounced(tx, house.vault, row, None, mail.at, suppress=False, source="listing")
            elif mail.state == "failed":
                deliveries.refused(tx, row, "failed", source="listing")
        return "carried_out_since" if was_known else "forgotten"


def _asked(house: House, ask: Callable[[], Answer]) -> Answer:
    """Ask at the provider's pace. Raises NothingHappened when it does not answer in several tries."""
    for attempt in range(TRIES):
        house.clock.wait(PACE_SECONDS if attempt == 0 else 0)
        try:
            return ask()
        except NothingHappened as error:
            if error.retry_after_seconds is None or attempt == TRIES - 1:
                raise
            house.clock.wait(error.retry_after_seconds)
    raise AssertionError("unreachable")


def _leave_closed(house: House, tenant_id: UUID, why: str, by: str) -> None:
    with house.database.tenant(tenant_id, actor=by) as tx:
        alerts.open(tx, ALERT, f"This tenant's mail stays closed after the restore: {why}. Ask again later "
                    "(`hourhand reconcile`), or say what to assume of it (`hourhand reconcile --assume sent`)",
                    severity="critical")  # fmt: skip


def _is_card(mail: SentMail) -> bool:
    try:
        UUID(mail.tags.get("card", ""))
    except ValueError:
        return False
    return True


def _tenants(database: Database, only: str | None) -> list[tenants.Tenant]:
    if only is not None:
        return [tenants.by_slug(database, only)]
    found: list[tenants.Tenant] = []
    while page := tenants.listed(database, after=found[-1].slug if found else "", limit=500):
        found += page
    return found
