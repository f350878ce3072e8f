"""Where a file that is taken in comes from: a folder, memory, or what was sent through the API in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from domain import uploads
from domain.db import Database, Tx

CHUNK_BYTES = 1 << 16


class Source(Protocol):
    """Where a file's bytes come from, as often as they are asked for."""

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        ...


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file in a folder."""

    path: Path

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        with self.path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                yield chunk


@dataclass(frozen=True, slots=True)
class InMemory:
    """Bytes that are at hand."""

    content: bytes

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning."""
        yield self.content


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that was sent in pieces; one of them is in memory at a time."""

    database: Database
    tenant_id: UUID
    upload_id: UUID

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning. Raises UnknownUpload."""
        for number in range(1, uploads.MOST_PIECES + 1):
            with self.database.tenant(self.tenant_id) as tx:
                piece = uploads.piece(tx, self.upload_id, number)
            if piece is None:
                return
            yield piece


@dataclass(frozen=True, slots=True)
class Held:
    """The same, read by the transaction that holds it."""

    tx: Tx
    upload_id: UUID

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning. Raises UnknownUpload."""
        number = 1
        while (piece := uploads.piece(self.tx, self.upload_id, number)) is not None:
            yield piece
            number += 1


@dataclass(slots=True)
class Counted:
    """Another source, and how many bytes of it were read."""

    source: Source
    size: int = 0

    def chunks(self) -> Iterator[bytes]:
        """The bytes from the beginning, counted anew."""
        self.size = 0
        for chunk in self.source.chunks():
            self.size += len(chunk)
            yield chunk
