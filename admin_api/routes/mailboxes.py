"""Mailboxes: connect one, rotate or revoke its grant, see how it stands and how to mend it; and the mail taken in."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator

from admin_api import pages
from admin_api.access import Admin, Operator, Reader, TheHouse
from admin_api.answers import ConsentAsked, MailboxShown
from admin_api.fields import Address, Given, Reason
from admin_api.once import IdempotencyKey, once, once_apart
from admin_api.pages import Page
from admin_api.problems import Problem
from domain import inbox, mailboxes, schedule
from domain.db import Tx
from domain.inbox import Message
from domain.mailboxes import Grant
from jobs import connect

router = APIRouter(prefix="/v1", tags=["mailboxes"])

Token = Annotated[str, Field(min_length=1, max_length=4_000, pattern=r"\S")]


class GivenGrant(Given):
    """What the tenant gave so that its Gmail may be read; it is stored sealed and never shown again."""

    refresh_token: Token
    client_id: Token
    client_secret: Annotated[str, Field(max_length=4_000)] = ""


class NewGmail(Given):
    """A Gmail mailbox; without a grant it waits for one."""

    address: Address
    refresh_token: Token | None = None
    client_id: Token | None = None
    client_secret: Annotated[str, Field(max_length=4_000)] = ""

    @model_validator(mode="after")
    def _whole_grant(self) -> NewGmail:
        if (self.refresh_token is None) != (self.client_id is None):
            raise ValueError("refresh_token and client_id come together")
        return self

    @property
    def grant(self) -> Grant | None:
        """The grant, if one was given."""
        if self.refresh_token is None or self.client_id is None:
            return None
        return Grant(self.refresh_token, self.client_id, self.client_secret)


class NewConsent(Given):
    """The mailbox whose owner is to consent."""

    address: Address


class Revoke(Given):
    """Why the mailbox is no longer to be read."""

    reason: Reason = "disconnected by a person"


class Polled(BaseModel):
    """Whether a mailbox is there to be asked; it is at the next beat."""

    enqueued: bool


class MessageShown(BaseModel):
    """A message that was taken in, with its class and whatever it was linked to, each link with its reason."""

    id: UUID
    mailbox_id: UUID
    thread_id: UUID | None
    direction: str
    labels: list[str]
    from_address: str | None
    from_name: str | None
    recipients: dict[str, Any]
    subject: str | None
    snippet: str | None
    sent_at: datetime | None
    received_at: datetime
    message_class: str
    flags: list[str]
    reading: dict[str, Any]
    client_id: UUID | None
    contact_id: UUID | None
    reply_to_card_id: UUID | None
    links: list[dict[str, Any]]
    raw_size: int
    quarantined: str | None
    stored_at: datetime

    @classmethod
    def of(cls, message: Message) -> MessageShown:
        """The message as it is shown."""
        told = {name: getattr(message, name) for name in cls.model_fields if name != "message_class"}
        return cls(**told, message_class=message.cls)


@router.get("/mailboxes", summary="Every mailbox: its status, the cause, and the mend")
def listed(house: TheHouse, at: Reader) -> Page[MailboxShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return pages.whole([MailboxShown.of(row) for row in mailboxes.listed(tx)])


@router.post("/mailboxes/gmail", summary="Have a Gmail mailbox, with its grant or without",
             response_model=MailboxShown)  # fmt: skip
def configure(
    given: NewGmail, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> MailboxShown:
        return MailboxShown.of(mailboxes.configure_gmail(tx, house.vault, given.address, given.grant))

    return once(house, at, request, idempotency_key, given, work)


@router.post("/mailboxes/gmail/consent", summary="Ask the owner of a Gmail mailbox for consent, or again to rotate it",
             response_model=ConsentAsked)  # fmt: skip
def ask_consent(
    given: NewConsent, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ConsentAsked:
        begun, url = connect.begin(house, tx, given.address, redirect_uri=house.public_url + connect.CALLBACK)
        return ConsentAsked(mailbox_id=begun.mailbox.id, authorization_url=url, expires_at=begun.expires_at)

    return once(house, at, request, idempotency_key, given, work,
                remembered=lambda asked: asked.model_copy(update={"authorization_url": None}))  # fmt: skip


@router.put("/mailboxes/{mailbox_id}/grant", summary="Connect a mailbox again, or rotate its grant")
def rotate(mailbox_id: UUID, given: GivenGrant, house: TheHouse, at: Admin) -> MailboxShown:
    grant = Grant(given.refresh_token, given.client_id, given.client_secret)
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return MailboxShown.of(mailboxes.set_token(tx, house.vault, mailbox_id, grant))


@router.post("/mailboxes/{mailbox_id}/revoke", response_model=MailboxShown,
             summary="End the grant, here and at Google, and stop reading; what was read stays")  # fmt: skip
def revoke(
    mailbox_id: UUID, given: Revoke, request: Request, house: TheHouse, at: Admin,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, MailboxShown]:
        row = connect.revoke(house, at.tenant_id, mailbox_id, cause=given.reason, actor=at.actor)
        return 200, MailboxShown.of(row)

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, given, work)


@router.post("/mailboxes/poll", summary="Ask the tenant's mailboxes at the next beat", status_code=202,
             response_model=Polled)  # fmt: skip
def poll(
    request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> Polled:
        return Polled(enqueued=schedule.poll_now(tx))

    return once(house, at, request, idempotency_key, None, work, status=202)


@router.get("/messages", summary="Mail that was taken in, newest first")
def messages(
    house: TheHouse, at: Reader, thread: UUID | None = None, contact: UUID | None = None, limit: pages.Limit = 50,
    cursor: pages.Cursor = None,
) -> Page[MessageShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = inbox.listed(tx, thread_id=thread, contact_id=contact, before=pages.moment_and_uuid_after(cursor),
                            limit=limit + 1)  # fmt: skip
    return pages.of(rows, limit, lambda row: (row.received_at, row.id), MessageShown.of)


@router.get("/messages/{message_id}", summary="One message, without its bytes")
def message(message_id: UUID, house: TheHouse, at: Reader) -> MessageShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        found = inbox.get(tx, message_id)
    if found is None:
        raise Problem(404, "There is no such message.", f"message_id: {message_id}")
    return MessageShown.of(found)
