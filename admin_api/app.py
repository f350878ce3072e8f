"""The front desk: one app over the house, every route a thin call of a domain verb or a job."""

from __future__ import annotations

from collections.abc import Callable

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import FastAPI

from admin_api import problems
from admin_api.routes import cards, front_door, hours, people, switches, tenants
from domain.house import House


def create(house: House, *, cron_secret: str | None = None, metrics: Callable[[], bytes | str] = lambda: "") -> FastAPI:
    """The API on `house`. `metrics` gives the exposition text; without `cron_secret` there is no cron door."""
    app = FastAPI(
        title="Hourhand", version="1", docs_url=None, redoc_url=None, openapi_url="/openapi.json",
        description="Stop it, start it, set what it may do, and ask why it did what it did.",
    )  # fmt: skip
    app.state.house = house
    app.state.cron_secret = cron_secret
    app.state.metrics = metrics
    problems.install(app)
    for routes in (front_door, switches, tenants, people, cards, hours):
        app.include_router(routes.router)
    app.add_middleware(CorrelationIdMiddleware)
    return app
