"""Files in: sent in pieces, previewed by the code that applies, taken in by the worker, and taken back."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Body, Path, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field

from admin_api import pages
from admin_api.access import Operator, Reader, Seat, TheHouse
from admin_api.answers import Told
from admin_api.fields import Given
from admin_api.once import IdempotencyKey, once, once_apart
from admin_api.pages import Page
from domain import errands, imports, uploads
from domain.csv_values import Habits
from domain.db import Tx
from domain.house import House
from domain.imports import Batch
from domain.intake import Options
from domain.uploads import Upload
from jobs import import_file, undo_import
from jobs.import_file import Report, Wish
from jobs.import_sources import Uploaded

router = APIRouter(prefix="/v1", tags=["files in and out"])

Kind = Literal["clients", "contacts", "products", "orders", "deals"]
Text = Annotated[str, Field(max_length=300)]
Content = Annotated[bytes, Body(media_type="application/octet-stream", description="At most a mebibyte of the file")]
AS_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/csv": {"schema": {"type": "string"}}}, "description": "The rows with line and reason"}
}


class Begun(Given):
    """A file that is about to be sent."""

    filename: Annotated[str, Field(min_length=1, max_length=300)]


class Wished(Given):
    """What a file's rows are, and how they are read; the same choices as the command line has."""

    upload_id: UUID
    kind: Kind
    columns: dict[Text, Text] = Field(default_factory=dict, max_length=200, description="Fields by title; '' for none")
    relationship: Literal["client", "prospect"] = "client"
    decimal: Literal["auto", ".", ","] = "auto"
    days: Literal["auto", "dmy", "mdy"] = "auto"

    def wish(self, filename: str) -> Wish:
        """The same in the words of the job."""
        return Wish(self.kind, filename, self.columns, Options(self.relationship, Habits(self.decimal, self.days)))


class UploadShown(Told):
    """A file as far as it has come; it goes by itself once it was taken in, and after a week."""

    id: UUID
    filename: str
    begun_by: str
    begun_at: datetime
    closed_at: datetime | None
    pieces: int
    size: int


class RowAside(Told):
    """A row that was not, or would not be, taken in, or not with all it says."""

    line: int
    outcome: Literal["bad", "skipped"]
    field: str | None
    mend: str | None


class Previewed(Told):
    """What taking a file in would do; `finished` is false where the file has more rows than were tried."""

    kind: Kind
    columns: dict[str, str]
    ignored_columns: list[str]
    rows: int
    created: int
    changed: int
    unchanged: int
    skipped: int
    bad: int
    accounts_created: int
    put_aside: list[RowAside]
    finished: bool

    @classmethod
    def of(cls, report: Report) -> Previewed:
        """The report as it is shown."""
        return cls(**{name: getattr(report, name) for name in cls.model_fields})


class ImportShown(Told):
    """A file that was, or is being, taken in or taken back: `rows` and `line` tell how far it has come."""

    id: UUID
    kind: Kind
    filename: str
    size: int
    state: Literal["running", "done", "failed", "undoing", "undone"]
    failure: str | None = Field(description="Why no more of it is taken in, or why an undo comes no further")
    line: int
    rows: int
    created: int
    changed: int
    unchanged: int
    skipped: int
    bad: int
    accounts_created: int
    undone: int
    left_alone: int
    started_by: str
    started_at: datetime
    moved_at: datetime
    finished_at: datetime | None
    undone_by: str | None
    undone_at: datetime | None


class LeftAlone(Told):
    """A record that an undo left as it is, and why."""

    line: int
    subject_type: str
    subject_id: UUID
    called: str | None = Field(description="Its name or address; null where it is not there any more")
    undo_reason: str


class ImportWhole(ImportShown):
    """The import, how it was read, and the first hundred records that an undo left alone."""

    reading: dict[str, Any]
    left: list[LeftAlone]


class UndoTried(Told):
    """What an undo would come to; `looked_at` records were tried."""

    undone: int
    left_alone: int
    left: list[LeftAlone]
    looked_at: int


@router.post("/uploads", summary="Begin to send a file", status_code=201, response_model=UploadShown)
def begin(
    given: Begun, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> UploadShown:
        return UploadShown.model_validate(uploads.begin(tx, given.filename))

    return once(house, at, request, idempotency_key, given, work, status=201)


@router.get("/uploads", summary="Files that were sent and not taken in yet, newest first")
def sent(
    house: TheHouse, at: Operator, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[UploadShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = uploads.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, UploadShown.model_validate)


@router.put("/uploads/{upload_id}/pieces/{number}", summary="Send one piece, from 1 on; the same again is no news")
def piece(
    upload_id: UUID, number: Annotated[int, Path(ge=1, le=uploads.MOST_PIECES)], content: Content, house: TheHouse,
    at: Operator,
) -> UploadShown:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        return UploadShown.model_validate(uploads.put(tx, upload_id, number, content))


@router.delete("/uploads/{upload_id}", summary="Throw a file away that is not being taken in", status_code=204)
def drop(upload_id: UUID, house: TheHouse, at: Operator) -> None:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        uploads.drop(tx, upload_id)


@router.post("/imports/preview", summary="What taking a file in would do: its first rows are, and that is undone",
             response_model=Previewed)  # fmt: skip
def preview(
    given: Wished, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, Previewed]:
        source, upload = _source(house, at, given)
        report = import_file.preview(house.database, house.vault, at.tenant_id, source, given.wish(upload.filename),
                                     by=at.actor)  # fmt: skip
        return 200, Previewed.of(report)

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, given, work)


@router.post("/imports", summary="Have a file taken in; one that was cut short is gone on with", status_code=202,
             response_model=ImportShown)  # fmt: skip
def start(
    given: Wished, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ImportShown:
        upload = uploads.complete(tx, given.upload_id)
        batch = import_file.begin_uploaded(tx, upload.id, given.wish(upload.filename))
        errands.ask(tx)
        return ImportShown.model_validate(batch)

    return once(house, at, request, idempotency_key, given, work, status=202)


@router.get("/imports", summary="Files that were taken in, newest first")
def listed(
    house: TheHouse, at: Reader, limit: pages.Limit = 50, cursor: pages.Cursor = None
) -> Page[ImportShown]:  # fmt: skip
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        rows = imports.listed(tx, before=pages.uuid_after(cursor), limit=limit + 1)
    return pages.of(rows, limit, lambda row: row.id, ImportShown.model_validate)


@router.get("/imports/{import_id}", summary="One import: how it was read, how far it came, what an undo left alone")
def show(import_id: UUID, house: TheHouse, at: Reader) -> ImportWhole:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        batch = imports.get(tx, import_id)
        left = [LeftAlone.model_validate(dict(row)) for row in imports.left_alone(tx, import_id)]
    shown = ImportShown.model_validate(batch).model_dump()
    return ImportWhole(**shown, reading=dict(batch.reading), left=left)


@router.get("/imports/{import_id}/errors", summary="The rows that were left out, as CSV to be mended and sent again",
            response_class=StreamingResponse, responses=AS_TABLE)  # fmt: skip
def errors(import_id: UUID, house: TheHouse, at: Operator) -> StreamingResponse:
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        batch = imports.get(tx, import_id)
    headers = {"Content-Disposition": f'attachment; filename="left-out-{import_id}.csv"'}
    return StreamingResponse(_errors(house, at, batch), media_type="text/csv", headers=headers)


@router.post("/imports/{import_id}/undo/preview", summary="What taking an import back would come to",
             response_model=UndoTried)  # fmt: skip
def try_undo(
    import_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work() -> tuple[int, UndoTried]:
        trial = undo_import.preview(house.database, at.tenant_id, import_id, by=at.actor)
        left = [LeftAlone.model_validate(dict(row)) for row in trial.left]
        return 200, UndoTried(undone=trial.batch.undone, left_alone=trial.batch.left_alone, left=left,
                              looked_at=trial.looked_at)  # fmt: skip

    return once_apart(house, at.tenant_id, at.actor, request, idempotency_key, None, work)


@router.post("/imports/{import_id}/undo", summary="Have an import taken back; what was touched since stays",
             status_code=202, response_model=ImportShown)  # fmt: skip
def undo(
    import_id: UUID, request: Request, house: TheHouse, at: Operator, idempotency_key: IdempotencyKey = None
) -> JSONResponse:  # fmt: skip
    def work(tx: Tx) -> ImportShown:
        batch = imports.begin_undo(tx, import_id)
        errands.ask(tx)
        return ImportShown.model_validate(batch)

    return once(house, at, request, idempotency_key, None, work, status=202)


def _source(house: House, at: Seat, given: Wished) -> tuple[Uploaded, Upload]:
    """The file that was sent. Raises UnknownUpload, UploadIncomplete."""
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        upload = uploads.complete(tx, given.upload_id)
    return Uploaded(house.database, at.tenant_id, upload.id), upload


def _errors(house: House, at: Seat, batch: Batch) -> Iterator[bytes]:
    """The file of rows that were left out, as it is read."""
    with house.database.tenant(at.tenant_id, actor=at.actor) as tx:
        for cells in import_file.errors_file(tx, batch):
            line = io.StringIO()
            csv.writer(line, lineterminator="\n").writerow(cells)
            yield line.getvalue().encode()
