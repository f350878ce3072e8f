"""The front desk: one app over the house, every route a thin call of a domain verb or a job."""

from __future__ import annotations

from collections.abc import Callable, Collection

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

from admin_api import description, hosted, problems
from admin_api.envelope import Envelope
from admin_api.routes import (
    alerts,
    attention,
    audit,
    bulk,
    cards,
    carrying,
    compliance,
    consent,
    cron,
    deals,
    feedback,
    feedback_page,
    goals,
    health,
    hours,
    imap,
    imports,
    keys,
    mailboxes,
    model_calls,
    orders,
    people,
    policy,
    quote_page,
    quotes,
    stream,
    switches,
    tenants,
    trade,
    unsubscribe,
    users,
    webhooks,
)  # fmt: skip
from domain.house import House

ROUTES = (
    health, switches, tenants, users, keys, mailboxes, bulk, trade, people, orders, deals, compliance, goals, cards,
    hours, policy, alerts, attention, audit, stream, webhooks, unsubscribe, quotes, quote_page, feedback,
    feedback_page, imap, consent, cron, model_calls, imports, carrying,
)  # fmt: skip

POLL_SECONDS = 0.5


def create(
    house: House, *, cron_secret: str | None = None, metrics: Callable[[], bytes | str] = lambda: "",
    hosts: Collection[str] = (), poll_seconds: float = POLL_SECONDS,
) -> FastAPI:  # fmt: skip
    """The API on `house`. `metrics` gives the exposition text; without `cron_secret` there is no cron door.

    With `hosts`, requests for any other host are refused. The event stream looks for news every `poll_seconds`.
    """
    app = FastAPI(title="Hourhand", version="1", docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.house = house
    app.state.cron_secret = cron_secret
    app.state.metrics = metrics
    app.state.poll_seconds = poll_seconds
    problems.install(app)
    hosted.install(app)
    description.install(app)
    for routes in ROUTES:
        app.include_router(routes.router)
    app.add_middleware(Envelope, hosts=hosts)
    app.add_middleware(CorrelationIdMiddleware)
    return app
