"""Where a file that is taken in comes from: a folder, memory, or what was sent through the API in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from domain import uploads
from domain.db import Database, Tx

CHUNK_BYTES = 1 << 16


class Source(Protocol):
    """Where a file's bytes come from, as often as they are asked for, from wherever."""

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others."""
        ...


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file in a folder."""

    path: Path

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others."""
        with self.path.open("rb") as file:
            file.seek(behind)
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes that are at hand."""

    content: bytes

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others."""
        yield self.content[behind:]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was sent in pieces; one of them is in memory at a time."""

    database: Database
    tenant_id: UUID
    upload_id: UUID

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others, a transaction for each piece. Raises UnknownUpload."""
        with self.database.tenant(self.tenant_id) as tx:
            first, inside = uploads.place(tx, self.upload_id, behind)
        return _from(first, inside, self._piece)

    def _piece(self, number: int) -> bytes | None:
        with self.database.tenant(self.tenant_id) as tx:
            return uploads.piece(tx, self.upload_id, number)


@dataclass(frozen=True, slots=True)
class Held:
    """The same, read by the transaction that holds it."""

    tx: Tx
    upload_id: UUID

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others. Raises UnknownUpload."""
        first, inside = uploads.place(self.tx, self.upload_id, behind)
        return _from(first, inside, lambda number: uploads.piece(self.tx, self.upload_id, number))


@dataclass(slots=True)
class Counted:
    """Another source, and by how many bytes it was read from its beginning, those that were passed over included."""

    source: Source
    size: int = 0

    def chunks(self, behind: int = 0) -> Iterator[bytes]:
        """The bytes that stand behind so many others, counted anew."""
        self.size = behind
        for chunk in self.source.chunks(behind):
            self.size += len(chunk)
            yield chunk


def _from(number: int, inside: int, piece: Callable[[int], bytes | None]) -> Iterator[bytes]:
    """Pieces from a number on, of the first only what stands behind so many of its bytes."""
    while (content := piece(number)) is not None:
        yield content[inside:]
        number, inside = number + 1, 0
