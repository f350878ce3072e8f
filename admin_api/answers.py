"""The shapes of answers: what the description of the API promises is what the routes build."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from domain import audit, suppressions
from domain.mailboxes import MailboxRow, Status
from domain.quarantine import Item
from domain.settings import TenantSettings
from domain.tenants import Tenant


class Told(BaseModel):
    """An answer that may be read off a record."""

    model_config = ConfigDict(from_attributes=True)


class TenantShown(Told):
    """A tenant; its settings as stored, without defaults."""

    tenant_id: UUID
    slug: str
    name: str
    agent_enabled: bool
    send_mode: str
    policy_version: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, tenant: Tenant) -> TenantShown:
        """The tenant as it is shown."""
        told = {name: getattr(tenant, name) for name in cls.model_fields if name != "send_mode"}
        return cls(**told, send_mode=tenant.settings.get("send_mode", "dry_run"))


class SettingsShown(BaseModel):
    """All settings, defaults included, and the number of the policy that they make."""

    settings: TenantSettings
    policy_version: int


class TenantWhole(TenantShown):
    """A tenant with all its settings, defaults included."""

    settings: TenantSettings


class KeyIssued(BaseModel):
    """A new key. `key` is shown this once; a repeated request gets null, because it is not kept anywhere."""

    key_id: str
    key: str | None


class AuditLine(Told):
    """One line of an audit log; `hash` follows from the line and the hash before it."""

    seq: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str | None
    detail: Mapping[str, Any]
    hash: str

    @classmethod
    def of(cls, line: audit.Line) -> AuditLine:
        """The line as it is shown."""
        told = {name: getattr(line, name) for name in audit.Line.__slots__}
        return cls(**{**told, "hash": bytes(line.hash).hex()})


class Chain(BaseModel):
    """Whether every line of an audit log follows from the lines before it."""

    intact: bool
    broken_at: int | None = Field(description="The first line that does not follow, or null")


class MailboxShown(Told):
    """A mailbox: how its connection stands, why, and what a person can do about it. Its grant is never shown."""

    id: UUID
    provider: str
    address: str
    status: Status
    status_cause: str | None
    mend: str
    last_sync_at: datetime | None
    last_reconciled_at: datetime | None
    failures: int
    back_off_until: datetime | None
    created_at: datetime

    @classmethod
    def of(cls, row: MailboxRow) -> MailboxShown:
        """The mailbox as it is shown."""
        return cls.model_validate(row)


class ConsentAsked(BaseModel):
    """Where a person consents at Google, in a browser; a repeated request gets null: it is not kept."""

    mailbox_id: UUID
    authorization_url: str | None
    expires_at: datetime


class UpsertedShown(Told):
    """What an upsert came to: the record, whether it is new, and which of its fields changed."""

    id: UUID
    created: bool
    changed: list[str]


class BulkLine(BaseModel):
    """What became of one row; either an id, or the field that is wrong and how to mend it."""

    row: int = Field(description="Its place in the request, from 0")
    id: UUID | None = None
    created: bool = False
    changed: list[str] = []
    field: str | None = None
    mend: str | None = None


class BulkDone(BaseModel):
    """What became of every row; those that are wrong stop none of the others."""

    created: int
    changed: int
    unchanged: int
    refused: int
    rows: list[BulkLine]


class CardShown(Told):
    """An action card as it stands."""

    id: UUID
    type: str
    state: str
    engine: str
    run_id: UUID | None
    title: str
    client_id: UUID | None
    contact_id: UUID | None
    thread_id: UUID | None
    subject_type: str
    subject_id: str
    payload: Mapping[str, Any]
    evidence: Mapping[str, Any]
    priority: int
    due_at: datetime
    not_before: datetime
    latest_at: datetime
    reason: str | None
    rule: str | None
    outcome: Mapping[str, Any]
    attempts: int
    executing_until: datetime | None
    reserved_at: datetime | None
    provider_id: str | None
    resolve_after: datetime | None
    approval_expires_at: datetime | None
    approved_by: str | None
    approved_at: datetime | None
    created_at: datetime
    state_changed_at: datetime


class VerdictShown(BaseModel):
    """What one rule said of a card, with the facts that it used."""

    rule: str
    sentence: str = Field(description="The rule in plain words")
    decision: str
    reason: str
    facts: Mapping[str, Any]
    until: datetime | None = None


class JudgementShown(BaseModel):
    """Every rule's verdict on a card at one moment."""

    stage: str
    decision: str
    policy_version: int
    at: datetime
    run_id: UUID | None
    verdicts: list[VerdictShown]


class StoryLine(BaseModel):
    """Something that happened to a card."""

    at: datetime
    type: str
    actor: str
    data: Mapping[str, Any]


class CardMail(BaseModel):
    """A card's mail, exactly as it was frozen, and what became of it."""

    state: str
    mode: str
    to: list[str]
    subject: str
    text: str
    tries: int
    provider_id: str | None


class UndoShown(Told):
    """Whether a card can be taken back now, and how; or why not."""

    possible: bool
    how: str


class RecordShown(Told):
    """A deal, a quote or an order that a card is about or that came of it, as people call it."""

    record: Literal["deal", "quote", "order"]
    id: UUID
    called: str
    stands: str


class Why(BaseModel):
    """Why a card stands where it stands."""

    card: CardShown
    answer: str
    records: list[RecordShown] = Field(description="The deal, quotes and orders that belong together here")
    undo: UndoShown
    judgements: list[JudgementShown]
    story: list[StoryLine]
    mail: CardMail | None


class Preview(BaseModel):
    """A waiting card as it would go out now; an approval must name `seen`."""

    card_id: UUID
    seen: str
    to: list[str]
    subject: str
    text: str
    reason: str
    expires_at: datetime | None


class SuppressionShown(Told):
    """An address that must never get mail; of an erased one, only the hash is left."""

    address_hash: str
    address: str | None
    reason: str
    source: str
    detail: Mapping[str, Any]
    created_by: str
    created_at: datetime

    @classmethod
    def of(cls, row: suppressions.Suppression) -> SuppressionShown:
        """The suppression as it is shown."""
        told = {name: getattr(row, name) for name in cls.model_fields if name != "address_hash"}
        return cls(**told, address_hash=bytes(row.address_hash).hex())


class QuarantineShown(Told):
    """Something that could not be taken in, with its reason."""

    id: UUID
    kind: str
    source: str
    reason: str
    field: str | None
    attempts: int
    is_dead: bool = Field(description="It is not tried again by itself: replay it")
    created_at: datetime

    @classmethod
    def of(cls, item: Item) -> QuarantineShown:
        """The item as it is shown."""
        return cls.model_validate(item)


class LetterShown(Told):
    """Something that was given up after five tries, with its reason."""

    id: UUID
    kind: Literal["message", "webhook", "event", "job", "card"]
    source: str = Field(description="What names it where it came from")
    reason: str
    tries: int
    since: datetime


class InFlightShown(BaseModel):
    """A card that was still being sent when the stop gave up waiting."""

    tenant_id: UUID
    card_id: UUID
    type: str


class FlipShown(BaseModel):
    """What a flip came to; `stopped` says that nothing is in flight and nothing new starts."""

    state: Literal["stopped", "stopping", "running"]
    in_flight: list[InFlightShown]
