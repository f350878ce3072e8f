"""Everything out, and people forgotten: an archive of all that the tenant has; erasures that the worker carries out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import datetime
from typing import IO, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field, model_validator

from admin_api import pages
from admin_api.access import Admin, TheHouse
from admin_api.answers import Told
from admin_api.fields import Address, Given, Reason
from admin_api.once import IdempotencyKey, once, once_apart
from admin_api.pages import Page
from domain import addresses, erasures, errands, exports, tenants
from domain.db import Tx
from jobs import export_tenant

router = APIRouter(prefix="/v1", tags=["files in and out"])

PIECE_BYTES = 1 << 16
AS_ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
          "description": "The archive (ZIP)"}
}  # fmt: skip


class ExportShown(Told):
    """Leave to fetch everything; the archive tells of the moment at which it is fetched."""

    id: UUID
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    fetched: int
    fetched_at: datetime | None
    fetched_by: str | None


class Whom(Given):
    """One person: a contact of the tenant's, or whoever has an address."""

    contact_id: UUID | None = None
    address: Address | None = None

    @model_validator(mode="after")
    def _one(self) -> Whom:
        if (self.contact_id is None) == (self.address is None):
            raise ValueError("give contact_id or address, and not both")
        return self

    def known_by(self) -> dict[str, Any]:
        """The same in the words of the job. Raises InvalidAddress."""
        return {"contact_id": self.contact_id,
                "address": addresses.normalise(self.address) if self.address else None}  # fmt: skip


class Forgotten(Whom):
    """A person who is to be forgotten for good: it can't be undone, hence the second word."""

    reason: Reason
    for_good: Annotated[bool, Field(description="Must be true: nothing brings them back")]

    @model_validator(mode="after")
    def _meant(self) -> Forgotten:
        if not self.for_good:
            raise ValueError("for_good must be true: erasing can't be undone")
        return self


class ErasureTried(Told):
    """How many rows of each table speak of the person now, mails and files aside."""

    found: dict[str, int]


class ErasureShown(Told):
    """A person who is being forgotten: `passed` are the steps of this pass, `found` is what was freed of them."""

    id: UUID
    contact_id: UUID | None
    asked_by: str
    reason: str
    asked_at: datetime
    passed: list[str]
    found: dict[str, int]
    finished_at: datetime | None


@router.post("/exports", summary="Ask for everything of the tenant; it may be fetched for a day", status_code=201,
             response_model=ExportShown)  # fmt: skip
def ask(request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None) -> JSONResponse:
    def work(tx: Tx) -> ExportShown:
        return ExportShown.model_validate(exports.ask(tx))

    return once(house, at, request, idempotency_key, None, work, status=201)


@router.get("/exports", summary="Exports that were asked for, newest first")
def asked(house: TheHouse, at: Admin, limit: pages.Limit = 50, cursor: pages.Cursor = None) -> Page[ExportShown]:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = exports.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, ExportShown.model_validate)


@router.get("/exports/{export_id}/archive", summary="Everything of the tenant as of now, as one archive",
            response_class=StreamingResponse, responses=AS_ARCHIVE)  # fmt: skip
def archive(export_id: UUID, house: TheHouse, at: Admin) -> StreamingResponse:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        exports.fetch(tx, export_id)
        slug = tenants.current(tx).slug
    # made whole before the first byte leaves: a slow reader holds no snapshot open, and a failure is told as one
    made = tempfile.TemporaryFile()  # noqa: SIM115 - read, and thereby closed, while the answer is sent
    try:
        for piece in export_tenant.run(house.database, at.tenant_id, by=at.actor):
            made.write(piece)
        headers = {"Content-Disposition": f'attachment; filename="{slug}.zip"', "Content-Length": str(made.tell())}
        made.seek(0)
    except BaseException:
        made.close()
        raise
    return StreamingResponse(_pieces(made), media_type="application/zip", headers=headers)


@router.post("/erasures/preview", summary="How much speaks of a person now", response_model=ErasureTried)
def try_erasing(
    whom: Whom, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    from jobs import erase  # brings all that reads mails along

    def work() -> tuple[int, ErasureTried]:
        return 200, ErasureTried(found=erase.preview(house.database, at.tenant_id, **whom.known_by()))

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, whom, work)


@router.post("/erasures", summary="Forget a person: suppressed at once, the rest is done by the worker",
             status_code=202, response_model=ErasureShown)  # fmt: skip
def forget(
    whom: Forgotten, request: Request, house: TheHouse, at: Admin, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    from jobs import erase

    def work(tx: Tx) -> ErasureShown:
        begun = erase.begin(tx, house.vault, reason=whom.reason, **whom.known_by())
        errands.ask(tx)
        return ErasureShown.model_validate(begun)

    return once(house, at, request, idempotency_key, whom, work, status=202)


@router.get("/erasures", summary="People who were forgotten, never who they were; newest first")
def forgotten(
    house: TheHouse, at: Admin, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[ErasureShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = erasures.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, ErasureShown.model_validate)


@router.get("/erasures/{erasure_id}", summary="How far the forgetting of one person has come")
def progress(erasure_id: UUID, house: TheHouse, at: Admin) -> ErasureShown:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return ErasureShown.model_validate(erasures.get(tx, erasure_id))


def _pieces(made: IO[bytes]) -> Iterator[bytes]:
    with made:
        while piece := made.read(PIECE_BYTES):
            yield piece
