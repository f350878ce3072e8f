"""Webhooks in: verified on the raw bytes, stored, answered, and worked on after the answer."""

from __future__ import annotations

from uuid import UUID

import structlog
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.background import BackgroundTask

from admin_api.once import plain
from admin_api.problems import Problem
from domain import alerts, blobs, credentials, deliveries, quarantine, schedule, tenants
from domain.house import House
from domain.tenants import Tenant
from domain.vault import SecretUnreadable
from jobs import deliver
from providers import resend_webhooks
from providers.resend_webhooks import WebhookRejected, WebhookSecretInvalid

log = structlog.get_logger(__name__)

router = APIRouter(prefix="/webhooks", tags=["webhooks"])

ACTOR = "webhook:resend"
LARGEST_BYTES = 256 * 1024


class Received(BaseModel):
    """It is stored; `news` is false for a repetition, and for what is not about the delivery of a mail."""

    received: bool
    news: bool


@router.post("/resend/{tenant}", summary="Delivery events from Resend, signed by Svix", response_model=Received)
async def resend(tenant: str, request: Request) -> JSONResponse:
    body = await request.body()
    if len(body) > LARGEST_BYTES:
        raise Problem(413, "The webhook is too large.", f"At most {LARGEST_BYTES} bytes are taken.")
    house: House = request.app.state.house
    owner, news = await run_in_threadpool(_take_in, house, tenant, dict(request.headers), body)
    later = BackgroundTask(_apply, house, owner) if news else None
    return JSONResponse(plain(Received(received=True, news=news)), background=later)


def _take_in(house: House, told: str, headers: dict[str, str], body: bytes) -> tuple[UUID, bool]:
    """Verify and store; whose it is, and whether it was news. Raises Problem."""
    tenant, secret = _secret(house, told)
    try:
        event = resend_webhooks.verify(secret, headers, body, now=house.clock.now())
    except WebhookRejected as rejected:
        _set_aside(house, tenant, rejected, body)
        if rejected.status == 401:
            raise _does_not_fit(rejected.reason) from rejected
        raise Problem(400, "The webhook can't be understood.", f"body: {rejected.reason}") from rejected
    except WebhookSecretInvalid as error:
        with house.database.tenant(tenant.tenant_id, actor=ACTOR) as tx:
            alerts.open(tx, credentials.BROKEN_WEBHOOK_SECRET, str(error), severity="critical", provider="resend")
        raise _does_not_fit("no signature fits") from error
    if event is None:
        return tenant.tenant_id, False
    with house.database.tenant(tenant.tenant_id, actor=ACTOR) as tx:
        news = deliveries.receive(tx, "resend", event)
        if news:
            schedule.bring_forward(tx, tx.now, extra=True)
    return tenant.tenant_id, news


def _secret(house: House, told: str) -> tuple[Tenant, str]:
    try:
        tenant = tenants.by_slug(house.database, told)
        with house.database.tenant(tenant.tenant_id, actor=ACTOR) as tx:
            return tenant, credentials.get(tx, house.vault, "resend_webhook_secret")
    except (tenants.UnknownTenant, credentials.NoCredential, SecretUnreadable) as error:
        # the same words as for a bad signature: strangers learn nothing about who is here
        raise _does_not_fit("no signature fits") from error


def _set_aside(house: House, tenant: Tenant, rejected: WebhookRejected, body: bytes) -> None:
    """Keep what is genuine and yet not to be understood; of what anybody may send, nothing is kept."""
    if rejected.event_id is None:
        return
    with house.database.tenant(tenant.tenant_id, actor=ACTOR) as tx:
        quarantine.note(tx, "webhook", f"resend/{rejected.event_id}", rejected.reason, field="body",
                        blob_sha256=blobs.put(tx, body))  # fmt: skip


def _apply(house: House, tenant_id: UUID) -> None:
    """Work on what is stored, after the answer; what goes wrong here is taken up again by the next poll or cycle."""
    try:
        deliver.process(house, tenant_id)
    except Exception as error:
        log.error("webhook.not_applied", tenant_id=str(tenant_id), error=type(error).__name__, exc_info=error)


def _does_not_fit(reason: str) -> Problem:
    return Problem(401, "The signature does not fit.", f"Check the webhook's address and signing secret: {reason}.")
