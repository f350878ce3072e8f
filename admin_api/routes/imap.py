"""IMAP mailboxes: connect one, or give it another password or server, which is tried first and never shown again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field

from admin_api.access import Admin, TheHouse
from admin_api.answers import MailboxShown
from admin_api.fields import Address, Given
from admin_api.once import IdempotencyKey, once_apart
from admin_api.problems import Problem
from domain import mailboxes
from domain.house import House
from domain.imap_accounts import ImapAccount, InvalidAccount, Security
from domain.mailboxes import InvalidMailbox
from domain.ports import NothingHappened, ProviderError
from jobs import connect

router = APIRouter(prefix="/v1", tags=["mailboxes"])


class NewImap(Given):
    """An IMAP mailbox. Security is TLS from the start, or after STARTTLS; `plain` only on the house's own machine."""

    address: Address
    host: Annotated[str, Field(min_length=1, max_length=253)]
    password: Annotated[str, Field(min_length=1, max_length=1_000)]
    user: Annotated[str, Field(max_length=320, description="The address, unless another is given")] = ""
    port: Annotated[int, Field(ge=0, le=65535, description="0 stands for 993 with tls, else 143")] = 0
    security: Security = "tls"
    untried: Annotated[bool, Field(description="Keep it without logging in now")] = False


@router.post("/mailboxes/imap", summary="Connect an IMAP mailbox, or give it another password or server",
             response_model=MailboxShown)  # fmt: skip
def configure(
    given: NewImap, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, MailboxShown]:
        account = _account(given)
        if not given.untried:
            _try(house, account)
        with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
            row = mailboxes.configure_imap(tx, house.vault, given.address, account, untried=given.untried)
        return 200, MailboxShown.of(row)

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, given, work)


def _account(given: NewImap) -> ImapAccount:
    try:
        return ImapAccount(given.host, given.user or given.address, given.password, given.security, given.port)
    except InvalidAccount as error:
        raise InvalidMailbox(str(error)) from error


def _try(house: House, account: ImapAccount) -> None:
    """Nothing is kept of an account that can't be logged in to, and no transaction is open meanwhile."""
    try:
        connect.try_password(house, account)
    except ProviderError as error:
        raise Problem(
            409 if isinstance(error, NothingHappened) else 422, "The mail server does not let this account in.",
            f"{error}. Nothing was kept: give what is right, or keep it with `untried` and it is tried when next read.",
        ) from error  # fmt: skip
