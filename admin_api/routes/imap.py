"""IMAP mailboxes: connect one, or give it another password or server; the password is never shown again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api.access import Admin, TheHouse
from admin_api.answers import MailboxShown
from admin_api.fields import Address, Given
from admin_api.once import IdempotencyKey, once
from domain import mailboxes
from domain.db import Tx
from domain.imap_accounts import ImapAccount, InvalidAccount, Security
from domain.mailboxes import InvalidMailbox

router = APIRouter(prefix="/v1", tags=["mailboxes"])


class NewImap(Given):
    """An IMAP mailbox. Security is TLS from the start, or after STARTTLS; `plain` only on the house's own machine."""

    address: Address
    host: Annotated[str, Field(min_length=1, max_length=253)]
    password: Annotated[str, Field(min_length=1, max_length=1_000)]
    user: Annotated[str, Field(max_length=320, description="The address, unless another is given")] = ""
    port: Annotated[int, Field(ge=0, le=65535, description="0 stands for 993 with tls, else 143")] = 0
    security: Security = "tls"


@router.post("/mailboxes/imap", summary="Connect an IMAP mailbox, or give it another password or server",
             response_model=MailboxShown)  # fmt: skip
def configure(
    given: NewImap, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> MailboxShown:
        try:
            account = ImapAccount(given.host, given.user or given.address, given.password, given.security, given.port)
        except InvalidAccount as error:
            raise InvalidMailbox(str(error)) from error
        return MailboxShown.of(mailboxes.configure_imap(tx, house.vault, given.address, account))

    return once(house, at, request, idempotency_key, given, work)
