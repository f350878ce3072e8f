"""Mail in: every mailbox of a tenant read on from its cursor, which moves only once all it covers is stored."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from brain.reading import Reading
from domain import alerts, blobs, inbox, mailboxes, quarantine, rollup, settings
from domain.house import House, Leaving
from domain.incoming import Incoming
from domain.mailboxes import MailboxRow
from domain.ports import (
    HistoryExpired,
    Mailbox,
    NeverWill,
    Page,
    ProviderError,
    QuotaExceeded,
    RawMessage,
    TokenExpired,
    TokenRevoked,
)
from domain.quarantine import Item
from jobs import deliver, intake
from jobs.route import route

log = structlog.get_logger(__name__)

STEPS = ("ingest.fetched", "ingest.read", "ingest.stored", "ingest.covered", "ingest.moved")
"""The step boundaries of one page, in order; the crash laboratory stops at each of them."""

BATCH = 50
BATCH_BYTES = 16 << 20
"""What one transaction takes in at most, beyond a first message."""

ITS_OWN_FAULT = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError,
                 DataError, IntegrityError, ProgrammingError)  # fmt: skip
"""Errors that one message may cause and the next need not; a lost connection or a full disk is not among them."""

AGAIN = " (and it could not be fetched again)"

Read = tuple[Incoming, Reading]
Progress = Callable[[Counter[str]], None]

OVER_ONCE_READ = ("mailbox_unreachable", "mailbox_history", "mailbox_revoked", "gmail_quota")
"""Alerts about a mailbox that are over as soon as it was read to its end."""


@dataclass
class Sync:
    """One reading of one mailbox under way."""

    house: House
    tenant_id: UUID
    row: MailboxRow
    hand: Mailbox
    region: str
    started_at: datetime
    progress: Progress | None = None
    counts: Counter[str] = field(default_factory=Counter)

    def fault(self, step: str) -> None:
        """Pass a step boundary."""
        self.house.fault(step)


def run(house: House, tenant_id: UUID, *, progress: Progress | None = None) -> Counter[str]:
    """Take in what came into the tenant's mailboxes; how many messages, cards' answers, bounces … there were.

    A mailbox that fails rests, and its fellows are read all the same. Nothing here sends, so no switch stops it.
    """
    counts: Counter[str] = Counter(deliver.process(house, tenant_id))
    with house.database.tenant(tenant_id) as tx:
        due = mailboxes.due(tx)
    for row in due:
        try:
            counts += sync(house, tenant_id, row, progress=progress)
        except Leaving:
            raise
        except Exception as error:  # noqa: BLE001 - the boundary between one mailbox and its fellows
            # whatever went wrong here, the tenant's other mailboxes don't wait for it
            _stumbled(house, tenant_id, row, error)
            counts["mailboxes_failed"] += 1
    with house.database.tenant(tenant_id) as tx:
        mailboxes.poll(tx)
        if counts["messages"]:
            rollup.add(tx, messages_processed=counts["messages"])
    return counts


def import_folder(
    house: House, tenant_id: UUID, path: Path, *, address: str, progress: Progress | None = None
) -> Counter[str]:
    """Take in a folder of messages or an mbox file (a takeout); again after an interruption, it goes on where it stood.

    Raises InvalidMailbox, and ProviderError when the folder can't be read.
    """
    with house.database.tenant(tenant_id, actor="import") as tx:
        row = mailboxes.configure_folder(tx, str(path), address)
    return sync(house, tenant_id, row, progress=progress, raising=True)


def sync(
    house: House, tenant_id: UUID, row: MailboxRow, *, progress: Progress | None = None, raising: bool = False
) -> Counter[str]:
    """Read one mailbox on from its cursor. A provider's failure makes it rest, and is raised only when asked for."""
    with structlog.contextvars.bound_contextvars(tenant=str(tenant_id), mailbox=str(row.id)):
        under_way: Sync | None = None
        try:
            under_way = begin(house, tenant_id, row, progress)
            again = _waiting_in_quarantine(under_way)
            _read_on(under_way)
            _retry_quarantined(under_way, again)
        except ProviderError as error:
            _rest(house, tenant_id, row.id, error)
            if raising:
                raise
        if under_way is None:
            return Counter(mailboxes_failed=1)
        log.info("mailbox.read", **{name: count for name, count in under_way.counts.items() if "." not in name})
        return under_way.counts


def begin(house: House, tenant_id: UUID, row: MailboxRow, progress: Progress | None = None) -> Sync:
    """Get hold of a mailbox. Raises NeverWill when it is not configured."""
    with house.database.tenant(tenant_id) as tx:
        hand = house.hands.mailbox(tx, row.id)
        region = settings.readable(tx).country
    return Sync(house, tenant_id, row, hand, region, house.clock.now(), progress)


def _read_on(sync: Sync) -> None:
    """All pages since the cursor, then the cursor; a history that has expired is answered by a full sync."""
    try:
        _pages(sync, sync.row.cursor)
    except HistoryExpired as error:
        if not _may_start_anew(sync, error):
            return
        _pages(sync, None)
    with sync.house.database.tenant(sync.tenant_id) as tx:
        mailboxes.succeeded(tx, mailboxes.get(tx, sync.row.id), started_at=sync.started_at)
        alerts.resolve_each(tx, [f"{kind}:{sync.row.id}" for kind in OVER_ONCE_READ], by="ingest")


def _pages(sync: Sync, cursor: str | None) -> None:
    known: Sequence[str] = ()
    if cursor is None:
        with sync.house.database.tenant(sync.tenant_id) as tx:
            known = sorted(inbox.stored_ids(tx, sync.row.id))
    reached = cursor
    for page in sync.hand.changes(cursor, known=known):
        sync.fault("ingest.fetched")
        take_in(sync, page.messages)
        _keep_broken(sync, page)
        if sync.progress is not None:
            sync.progress(sync.counts)
        reached = page.next_cursor or reached
        if sync.house.leaving.is_set():
            raise Leaving(Leaving.__doc__)
    sync.fault("ingest.covered")
    if reached == cursor:
        return
    with sync.house.database.tenant(sync.tenant_id) as tx:
        mailboxes.advance(tx, sync.row.id, frm=cursor, to=reached)
    sync.fault("ingest.moved")


def take_in(sync: Sync, messages: Sequence[RawMessage]) -> None:
    """Read messages with no transaction open, and store them batch by batch, each in a transaction of its own."""
    now = sync.house.clock.now()
    for batch in _batches(messages):
        read = [intake.understand(message, now=now, region=sync.region) for message in batch]
        sync.fault("ingest.read")
        try:
            sync.counts += _store(sync, read)
        except ITS_OWN_FAULT:
            # one of them can't be stored: the others don't wait for it
            for one in read:
                _store_alone(sync, one)
        sync.fault("ingest.stored")


def _store(sync: Sync, read: Sequence[Read]) -> Counter[str]:
    readings = {incoming.provider_message_id: reading for incoming, reading in read}
    with sync.house.database.tenant(sync.tenant_id) as tx:
        taken = inbox.receive(tx, sync.house.vault, sync.row.id, [incoming for incoming, _ in read])
        told = [(linked, readings[linked.incoming.provider_message_id]) for linked in taken]
        return route(sync.house.vault, tx, told)


def _store_alone(sync: Sync, one: Read) -> None:
    """Store one message; if it can't be, its bytes lie in quarantine with the reason, and are tried again."""
    incoming, _ = one
    try:
        sync.counts += _store(sync, [one])
    except ITS_OWN_FAULT as error:
        log.warning("message.quarantined", error=type(error).__name__, where=_where(error))
        with sync.house.database.tenant(sync.tenant_id) as tx:
            digest = blobs.put(tx, incoming.raw)
            quarantine.note(tx, "message", inbox.source(sync.row.id, incoming.provider_message_id),
                            _told(error), blob_sha256=digest)  # fmt: skip
        sync.counts["quarantined"] += 1


def _keep_broken(sync: Sync, page: Page) -> None:
    if not page.broken:
        return
    with sync.house.database.tenant(sync.tenant_id) as tx:
        for provider_message_id, reason in page.broken:
            quarantine.note(tx, "message", inbox.source(sync.row.id, provider_message_id), reason)
    sync.fault("ingest.set_aside")
    sync.counts["quarantined"] += len(page.broken)


def _waiting_in_quarantine(sync: Sync) -> Sequence[Item]:
    with sync.house.database.tenant(sync.tenant_id) as tx:
        return quarantine.waiting(tx, "message", f"{sync.row.id}/")


def _retry_quarantined(sync: Sync, waiting: Sequence[Item]) -> None:
    """What could not be taken in before, once more: from the provider, else from the bytes that were kept.

    Only after what is new: a message that the provider can't give must not keep back those behind it.
    """
    for item in waiting:
        provider_message_id = item.source.partition("/")[2]
        message = _fetched_again(sync, provider_message_id)
        if message is None and item.blob_sha256 is not None:
            with sync.house.database.tenant(sync.tenant_id) as tx:
                raw = blobs.get(tx, item.blob_sha256)
            message = RawMessage(provider_message_id, provider_message_id, raw or b"", (), item.created_at)
        if message is not None:
            take_in(sync, [message])
            if message.provider_message_id != provider_message_id:
                # its id could be told only now that it could be read
                with sync.house.database.tenant(sync.tenant_id) as tx:
                    quarantine.taken_in(tx, "message", [item.source])
            continue
        with sync.house.database.tenant(sync.tenant_id) as tx:
            quarantine.note(tx, "message", item.source, f"{item.reason.removesuffix(AGAIN)}{AGAIN}")


def _fetched_again(sync: Sync, provider_message_id: str) -> RawMessage | None:
    if sync.row.provider == "folder":
        return None
    try:
        return sync.hand.fetch(provider_message_id)
    except (TokenExpired, TokenRevoked, QuotaExceeded):
        raise
    except ProviderError:
        # the mailbox was read a moment ago: it is this message that can't be had
        return None


def _may_start_anew(sync: Sync, error: HistoryExpired) -> bool:
    """A full sync is due; but not twice in a row, for then something is wrong that no repetition mends."""
    with sync.house.database.tenant(sync.tenant_id) as tx:
        row = mailboxes.get(tx, sync.row.id)
        last = row.full_sync_started_at
        if last is not None and tx.now - last < mailboxes.FULL_SYNC_REST:
            mailboxes.failed(tx, row, str(error), rest_seconds=mailboxes.FULL_SYNC_REST.total_seconds())
            told = "The mailbox's history expired again right after a full sync."
            alerts.open(tx, f"mailbox_history:{row.id}", told, mailbox_id=str(row.id))
            sync.counts["mailboxes_failed"] += 1
            return False
        mailboxes.start_full_sync(tx, row.id)
    sync.fault("ingest.anew")
    sync.counts["full_syncs"] += 1
    return True


def _rest(house: House, tenant_id: UUID, mailbox_id: UUID, error: ProviderError) -> None:
    """Let a mailbox that failed rest, and say what a person can do where only a person can."""
    log.warning("mailbox.failed", error=type(error).__name__)
    with house.database.tenant(tenant_id) as tx:
        row = mailboxes.get(tx, mailbox_id)
        match error:
            case TokenRevoked():
                mailboxes.failed(tx, row, str(error), status="revoked")
                alerts.open(tx, f"mailbox_revoked:{row.id}", f"The mailbox is no longer read: {error}",
                            severity="critical", mailbox_id=str(row.id))  # fmt: skip
            case TokenExpired():
                mailboxes.failed(tx, row, str(error), status="token_expired", rest_seconds=error.retry_after_seconds)
            case QuotaExceeded():
                mailboxes.failed(tx, row, str(error), rest_seconds=error.retry_after_seconds)
                # the schedule's line first, as a cycle's end takes them
                alerts.open(tx, f"gmail_quota:{row.id}", "The mailbox provider's quota is spent; reading rests.",
                            mailbox_id=str(row.id))  # fmt: skip
                rollup.add(tx, gmail_quota_errors=1)
            case NeverWill():
                mailboxes.failed(tx, row, str(error), rest_seconds=mailboxes.LONGEST_BACK_OFF_SECONDS)
                alerts.open(tx, f"mailbox_unreachable:{row.id}", f"The mailbox can't be read: {error}",
                            mailbox_id=str(row.id))  # fmt: skip
            case _:
                mailboxes.failed(tx, row, str(error), rest_seconds=error.retry_after_seconds)


def _stumbled(house: House, tenant_id: UUID, row: MailboxRow, error: Exception) -> None:
    """Our own error, or the database's: recorded on the mailbox, which rests, and told to a person."""
    log.error("mailbox.stumbled", mailbox=str(row.id), error=type(error).__name__, where=_where(error))
    with house.database.tenant(tenant_id) as tx:
        mailboxes.failed(tx, mailboxes.get(tx, row.id), f"reading it failed: {_told(error)}")
        told = f"Reading the mailbox failed ({type(error).__name__}); it is tried again by itself."
        alerts.open(tx, f"mailbox_unreachable:{row.id}", told, mailbox_id=str(row.id))


def _batches(messages: Sequence[RawMessage]) -> Iterator[list[RawMessage]]:
    batch: list[RawMessage] = []
    size = 0
    for message in messages:
        if batch and (len(batch) >= BATCH or size + len(message.raw) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(message)
        size += len(message.raw)
    if batch:
        yield batch


def _told(error: Exception) -> str:
    """The error's kind and first line: its parameters may hold the message itself."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"[:500]


def _where(error: Exception) -> str:
    """The innermost line of our code that an error passed; a traceback would repeat the message's own words."""
    ours = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)
            if "site-packages" not in frame.filename]  # fmt: skip
    return " < ".join(reversed(ours[-4:]))
