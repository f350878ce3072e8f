"""What was asked of the API and takes long: files taken in, imports undone, people forgotten, a slice at a time."""

from __future__ import annotations

from uuid import UUID

from domain import erasures, errands, imports, uploads
from domain.csv_rows import InvalidFile
from domain.forgetting import StillSending
from domain.house import House, Leaving
from domain.imports import Batch, ImportElsewhere
from jobs import erase, import_file, undo_import
from jobs.import_sources import Uploaded

SLICE_SECONDS = 8.0
"""After so long an errand goes to the end of the queue: others get their turn, and no process waits for it to end."""

PATIENCE_SECONDS = 30.0
"""How long what can't be gone on with just now is left alone."""

ACTOR = "carrier"


def run(house: House, tenant_id: UUID, *, seconds: float = SLICE_SECONDS) -> bool:
    """Go on with one thing of the tenant's for at most so many seconds; whether anything is left, which is queued."""
    with house.database.tenant(tenant_id) as tx:
        batch, begun = imports.under_way(tx), erasures.unfinished(tx)
    hindered = False
    if begun:
        # whoever asks to be forgotten waits for nobody's file
        try:
            erase.go_on(house.database, house.vault, tenant_id, begun[0], by=ACTOR, seconds=seconds)
        except StillSending:
            hindered = True
    if batch is not None and (hindered or not begun):
        hindered = not _file(house, tenant_id, batch, seconds) or hindered
    with house.database.tenant(tenant_id) as tx:
        left = imports.under_way(tx) is not None or bool(erasures.unfinished(tx))
        if left:
            errands.ask(tx, after_seconds=PATIENCE_SECONDS if hindered else 0.0)
    return left


def _file(house: House, tenant_id: UUID, batch: Batch, seconds: float) -> bool:
    """Go on with a file; whether that was possible just now. What can't be read is given up, and the reason told."""
    try:
        if batch.state == "undoing":
            undo_import.go_on(house.database, tenant_id, batch.id, by=batch.undone_by or ACTOR, seconds=seconds)
        else:
            _take_in(house, tenant_id, batch, seconds)
    except ImportElsewhere:
        return False
    except (InvalidFile, uploads.UnknownUpload) as error:
        with house.database.tenant(tenant_id, actor=batch.started_by) as tx:
            imports.fail(tx, batch.id, str(error))
            if batch.upload_id is not None:
                uploads.drop_read(tx, batch.upload_id)
    except Leaving:
        raise
    except Exception as error:
        # the queue tries it again and keeps what can't be done; the tenant's other files go first meanwhile
        with house.database.tenant(tenant_id, actor=ACTOR) as tx:
            imports.stumble(tx, batch.id, f"it could not be gone on with: {type(error).__name__}")
        raise
    return True


def _take_in(house: House, tenant_id: UUID, batch: Batch, seconds: float) -> None:
    assert batch.upload_id is not None
    source = Uploaded(house.database, tenant_id, batch.upload_id)
    done = import_file.go_on(house.database, house.vault, tenant_id, source, batch, by=batch.started_by,
                             seconds=seconds)  # fmt: skip
    if done.state == "done":
        with house.database.tenant(tenant_id, actor=batch.started_by) as tx:
            uploads.drop_read(tx, batch.upload_id)
