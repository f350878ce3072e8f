"""Doors without a key: health, readiness, metrics, the provider's webhooks, one-click unsubscribe, and cron."""

from __future__ import annotations

import hmac
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from sqlalchemy.exc import SQLAlchemyError

from admin_api.access import TheHouse
from admin_api.problems import Problem
from domain import contacts, credentials, deliveries, schedule, tenants
from domain.house import House
from domain.vault import SecretUnreadable
from jobs import deliver, tick
from providers import resend_webhooks

router = APIRouter()

LARGEST_WEBHOOK = 256 * 1024


@router.get("/healthz", tags=["health"], summary="The process answers")
def health() -> dict[str, str]:
    return {"status": "ok"}


@router.get("/readyz", tags=["health"], summary="The database answers and the schema is at head")
def ready(house: TheHouse) -> JSONResponse:
    try:
        with house.database.wearing("control") as tx:
            version = tx.value("SELECT version_num FROM hourhand.alembic_version")
            enabled = tx.value("SELECT value FROM hourhand.system_config WHERE key = 'global_enabled'")
    except SQLAlchemyError as error:
        return JSONResponse({"status": "unavailable", "cause": type(error).__name__}, 503)
    stopped = house.brakes.stopped() or (None if enabled else "the house's kill switch is on")
    return JSONResponse({"status": "ready", "schema": version, "stopped": stopped})


@router.get("/metrics", tags=["health"], summary="Numbers for Prometheus", response_class=PlainTextResponse)
def metrics(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.app.state.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")


@router.post("/webhooks/resend/{tenant}", tags=["webhooks"], summary="Delivery events from Resend, signed by Svix")
async def resend(tenant: str, request: Request) -> JSONResponse:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_WEBHOOK:
            raise Problem(413, "The webhook is too large.", f"At most {LARGEST_WEBHOOK} bytes are taken.")
    house: House = request.app.state.house
    news = await run_in_threadpool(_take_in, house, tenant, dict(request.headers), bytes(body))
    return JSONResponse({"received": True, "news": news})


@router.get("/u/{tenant}/{contact}/{signature}", tags=["unsubscribe"], response_class=HTMLResponse,
            summary="Asks; a GET changes nothing, because mail scanners open links")  # fmt: skip
def ask(tenant: UUID, contact: UUID, signature: str, house: TheHouse) -> HTMLResponse:
    _signed(house, tenant, contact, signature)
    return HTMLResponse(_PAGE.format(
        words="Do you want to stop getting mail from us?", form='<form method="post"><button>Unsubscribe</button></form>'
    ), headers=_PAGE_HEADERS)  # fmt: skip


@router.post("/u/{tenant}/{contact}/{signature}", tags=["unsubscribe"], response_class=HTMLResponse,
             summary="Opts out at once (RFC 8058)")  # fmt: skip
def opt_out(tenant: UUID, contact: UUID, signature: str, house: TheHouse) -> HTMLResponse:
    _signed(house, tenant, contact, signature)
    with house.database.tenant(tenant, actor="unsubscribe link") as tx:
        for address in contacts.addresses_of(tx, [contact]).get(contact, ()):
            deliveries.opted_out(tx, house.vault, address, source="one-click")
    return HTMLResponse(
        _PAGE.format(words="Done. You will not get mail from us any more.", form=""), headers=_PAGE_HEADERS
    )


@router.post("/cron/agent", tags=["cron"], summary="One beat of the ticker, for those who bring their own scheduler")
def cron_agent(
    request: Request, house: TheHouse, authorization: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    _cron(request, authorization)
    return _beat(house)


@router.post("/cron/gmail", tags=["cron"], summary="The same beat: it enqueues mailboxes that are due too")
def cron_gmail(
    request: Request, house: TheHouse, authorization: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    _cron(request, authorization)
    return _beat(house)


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Unsubscribe</title><p>{words}</p>{form}</html>
"""
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _take_in(house: House, tenant: str, headers: dict[str, str], body: bytes) -> bool:
    """Verify on the raw bytes, store, answer; the event is worked on right after, and again by the next cycle if not."""
    try:
        known = tenants.by_slug(house.database, tenant)
        with house.database.tenant(known.tenant_id, actor="webhook:resend") as tx:
            secret = credentials.get(tx, house.vault, "resend_webhook_secret")
    except (tenants.UnknownTenant, LookupError, SecretUnreadable) as error:
        # the same answer as for a bad signature: strangers learn nothing about who is here
        raise Problem(401, "The signature does not fit.", "Check the webhook's address and signing secret.") from error
    try:
        event = resend_webhooks.verify(secret, headers, body, now=house.clock.now())
    except resend_webhooks.WebhookRejected as error:
        raise Problem(401, "The signature does not fit.", str(error)) from error
    if event is None:
        return False
    with house.database.tenant(known.tenant_id, actor="webhook:resend") as tx:
        news = deliveries.receive(tx, "resend", event)
        if news:
            schedule.bring_forward(tx, tx.now, extra=True)
    if news:
        deliver.process(house, known.tenant_id)
    return news


def _signed(house: House, tenant: UUID, contact: UUID, signature: str) -> None:
    if not house.vault.verify("unsubscribe", f"{tenant}:{contact}", signature):
        raise Problem(404, "This link is not one of ours.", "Use the link exactly as it stands in the mail.")


def _cron(request: Request, authorization: str | None) -> None:
    secret: str | None = request.app.state.cron_secret
    if not secret:
        raise Problem(404, "There is no such door.", "Set CRON_SECRET to let your own scheduler in.")
    given = (authorization or "").removeprefix("Bearer ").encode()
    if not hmac.compare_digest(given, secret.encode()):
        raise Problem(401, "The cron secret does not fit.", "Send `Authorization: Bearer <CRON_SECRET>`.")


def _beat(house: House) -> dict[str, Any]:
    return {"enqueued": str(tick.run(house))}
