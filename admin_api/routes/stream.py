"""The live stream: a tenant's events as they happen, over server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request
from fastapi.concurrency import run_in_threadpool
from sse_starlette import EventSourceResponse, ServerSentEvent

from admin_api.access import Reader, Seat, TheHouse
from admin_api.problems import Problem
from domain import events, keys
from domain.clock import uuid7
from domain.events import Event
from domain.house import House
from domain.keys import InvalidKey

router = APIRouter(prefix="/v1", tags=["events"])

BATCH = 500
LATE_MILLISECONDS = 10_000
"""Ids are drawn before the commit: so long an event may come to light behind one that was told already."""

KEY_CHECK_SECONDS = 5.0
PING_SECONDS = 15


@router.get("/events", summary="Events as they happen (server-sent events)", response_class=EventSourceResponse,
            responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}})  # fmt: skip
async def stream(
    request: Request, house: TheHouse, at: Reader,
    after: Annotated[UUID | None, Query(description="Begin behind this event; without it, with what comes now")] = None,
    last_event_id: Annotated[
        UUID | None, Header(alias="Last-Event-ID", description="Sent by browsers that connect again")
    ] = None,
) -> EventSourceResponse:  # fmt: skip
    """Each event has its id. None is left out; after a reconnect those of the ten seconds before may come again."""
    tape = Tape(house, at, _presented(request), last_event_id or after)
    await run_in_threadpool(tape.thread_in)
    return EventSourceResponse(tape.run(request.app.state.poll_seconds), ping=PING_SECONDS)


class Tape:
    """What one listener was told so far, and what is next."""

    def __init__(self, house: House, at: Seat, presented: str, start: UUID | None) -> None:
        self._house = house
        self._at = at
        self._presented = presented
        self._from_now = start is None
        self._newest = start or _now(house)
        self._told = {self._newest}

    def thread_in(self) -> None:
        """Pass over what was there before the listener came; before the answer begins, so that nothing is lost."""
        if self._from_now:
            self.fresh()

    async def run(self, poll_seconds: float) -> AsyncIterator[ServerSentEvent]:
        """Tell events until the house closes, the key ends or the listener leaves."""
        clock = self._house.clock
        checked = clock.monotonic()
        while not self._house.leaving.is_set():
            if clock.monotonic() - checked >= KEY_CHECK_SECONDS:
                if not await run_in_threadpool(self._still_welcome):
                    return
                checked = clock.monotonic()
            fresh = await run_in_threadpool(self.fresh)
            for event in fresh:
                yield _shown(event)
            if len(fresh) < BATCH:
                await asyncio.sleep(poll_seconds)

    def fresh(self) -> list[Event]:
        """Events that were not told yet, oldest first."""
        floor = _earlier(self._newest, LATE_MILLISECONDS)
        found: list[Event] = []
        with self._house.database.tenant(self._at.tenant_id, actor=self._at.actor) as tx:
            while True:
                page = events.since(tx, floor, limit=BATCH)
                found += [event for event in page if event.id not in self._told]
                if len(page) < BATCH or len(found) >= BATCH:
                    break
                floor = page[-1].id
        self._remember(found)
        return found

    def _remember(self, found: list[Event]) -> None:
        self._told |= {event.id for event in found}
        self._newest = max(self._told)
        floor = _earlier(self._newest, LATE_MILLISECONDS)
        self._told = {known for known in self._told if known > floor}

    def _still_welcome(self) -> bool:
        try:
            keys.verify(self._house.database, self._house.vault, self._presented)
        except InvalidKey:
            return False
        return True


def _shown(event: Event) -> ServerSentEvent:
    told: dict[str, Any] = {
        "id": str(event.id), "at": event.at.isoformat(), "type": event.type, "subject_type": event.subject_type,
        "subject_id": event.subject_id, "actor": event.actor, "data": dict(event.data),
        "client_id": str(event.client_id) if event.client_id else None,
        "contact_id": str(event.contact_id) if event.contact_id else None,
    }  # fmt: skip
    return ServerSentEvent(json.dumps(told, ensure_ascii=False), event=event.type, id=str(event.id))


def _now(house: House) -> UUID:
    return uuid7(int(house.clock.now().timestamp() * 1000), 0, 0)


def _earlier(moment: UUID, milliseconds: int) -> UUID:
    return uuid7(max(0, (moment.int >> 80) - milliseconds), 0, 0)


def _presented(request: Request) -> str:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise Problem(401, "A key is needed.", "Send `Authorization: Bearer hh_…`.")
    return key
