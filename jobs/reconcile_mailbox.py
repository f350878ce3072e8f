"""Once an hour, what a mailbox holds is compared with what is stored: a difference is mended, and told."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

from domain import alerts, inbox, mailboxes, quarantine
from domain.house import House
from domain.mailboxes import MailboxRow
from domain.ports import ProviderError, RawMessage
from jobs import ingest

DAYS = 2

ARRIVING = timedelta(minutes=15)
"""What came in this shortly before the last sync may have arrived while it ran: that is no difference."""


def run(house: House, tenant_id: UUID) -> Counter[str]:
    """Compare each of the tenant's mailboxes; how many messages had been missed, and how many were only arriving."""
    counts: Counter[str] = Counter()
    with house.database.tenant(tenant_id) as tx:
        # a folder is compared whole at each sync
        due = [row for row in mailboxes.due(tx) if row.provider != "folder" and row.cursor and row.last_sync_at]
    for row in due:
        try:
            counts += _reconcile(house, tenant_id, row)
        except ProviderError as error:
            # it is told and rests at the next sync, which meets the same trouble
            counts["unreachable"] += 1
            ingest.log.warning("mailbox.not_reconciled", error=type(error).__name__)
    return counts


def _reconcile(house: House, tenant_id: UUID, row: MailboxRow) -> Counter[str]:
    sync = ingest.begin(house, tenant_id, row)
    listed = sync.hand.recent_ids(DAYS)
    with house.database.tenant(tenant_id) as tx:
        known = inbox.stored_ids(tx, row.id, sorted(listed))
        set_aside = quarantine.sources(tx, "message", f"{row.id}/")
    missing = sorted(each for each in listed - known if inbox.source(row.id, each) not in set_aside)
    found = [message for each in missing if (message := sync.hand.fetch(each)) is not None]
    ingest.take_in(sync, found)
    missed = [message for message in found if _was_missed(row, message)]
    with house.database.tenant(tenant_id) as tx:
        mailboxes.reconciled(tx, row.id)
        if missed:
            told = f"{len(missed)} messages of the last {DAYS} days had not been taken in; they are now."
            alerts.open(tx, f"mailbox_difference:{row.id}", told, mailbox_id=str(row.id), missed=len(missed))
    return sync.counts + Counter(missed=len(missed), arriving=len(found) - len(missed))


def _was_missed(row: MailboxRow, message: RawMessage) -> bool:
    """The last sync should have brought it."""
    return row.last_sync_at is not None and message.received_at < row.last_sync_at - ARRIVING
