"""The description of the API (OpenAPI): what the framework knows of the routes, and the errors that all share."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from admin_api.problems import MEDIA_TYPE, ProblemDetails

REF = "#/components/schemas/{model}"
GENERATED = ("HTTPValidationError", "ValidationError")
ERRORS = {
    "4XX": "The request can't be served: which field is wrong, and how to mend it",
    "5XX": "The house can't serve it just now",
}

TIME_OF_DAY = r"^\d{2}:\d{2}(:\d{2}(\.\d+)?)?$"

ABOUT = """Stop it, start it, set what it may do, and ask why it did what it did.

Keys come in `Authorization: Bearer hh_…`, never in an address. An *analyst* reads; an *operator* also works: approves,
upserts, stops; an *admin* also resumes, changes settings, and handles keys, people and mailboxes. A key belongs to one
tenant; a key of the house names the tenant in `Hourhand-Tenant`. Another tenant's objects are not there (404).

Every POST takes an `Idempotency-Key`: repeated, it is done once and answered as the first time
(`Idempotent-Replayed: true`). Two things are different on purpose: *stop* is done again each time, because its answer
must be true now; and the secret of a new key is not kept, so a repetition tells its id alone. Webhooks know repetitions
by the provider's event id; unsubscribing and cron may be repeated by nature.

Lists are pages: pass `next` as `cursor`. Errors are problem details (RFC 9457).
"""


def install(app: FastAPI) -> None:
    """Describe the app's routes on request, once."""

    def describe() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _describe(app)
        return app.openapi_schema

    app.openapi = describe  # type: ignore[method-assign]


def _describe(app: FastAPI) -> dict[str, Any]:
    told = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    schemas = told.setdefault("components", {}).setdefault("schemas", {})
    for name in GENERATED:
        schemas.pop(name, None)
    for window in ("send_window_start", "send_window_end"):
        # a time of day has no offset, which the format `time` of RFC 3339 asks for
        schemas["TenantSettings"]["properties"][window] |= {"format": "time-of-day", "pattern": TIME_OF_DAY}
    problem = ProblemDetails.model_json_schema(mode="serialization", ref_template=REF)
    schemas.update(problem.pop("$defs"))
    schemas["ProblemDetails"] = problem
    for methods in told["paths"].values():
        for operation in methods.values():
            answers = operation["responses"]
            answers.pop("422", None)
            for status, meaning in ERRORS.items():
                schema = {"$ref": REF.format(model="ProblemDetails")}
                # a page for people tells its errors as a page too
                pages = answers.get(status, {}).get("content", {})
                answers[status] = {"description": meaning, "content": {**pages, MEDIA_TYPE: {"schema": schema}}}
    return told
