"""The event stream: whatever happens to a tenant is told to its listeners, once, in order, and to nobody else."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest
import uvicorn

from admin_api.access import Seat
from admin_api.routes.stream import LATE_MILLISECONDS, Tape
from domain import events, keys
from domain.clock import uuid7
from tests.admin_api.desk import Desk, assert_problem


@pytest.fixture
def served(desk: Desk) -> Iterator[str]:
    """The desk behind a real server on loopback; its address."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        server = uvicorn.Server(uvicorn.Config(desk.app, log_config=None, timeout_graceful_shutdown=5))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [door]}, name="served")
        thread.start()
        yield f"http://127.0.0.1:{door.getsockname()[1]}"
        desk.house.leaving.set()
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the stream kept the server from ending"


def record(desk: Desk, subject: str, tenant: str = "acme") -> str:
    with desk.inside(tenant) as tx:
        return str(events.record(tx, "test.happened", "test", subject, number=1))


@contextlib.contextmanager
def listening(desk: Desk, url: str, who: str = "acme.analyst", **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
    """The events as they come, each as a dictionary of its fields; the stream is open when the block begins."""
    with httpx2.Client(timeout=60) as client, client.stream(
        "GET", f"{url}/v1/events", headers=desk.as_(who, **headers)
    ) as answer:  # fmt: skip
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield _events(answer.iter_lines())


def _events(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    told: dict[str, Any] = {}
    for line in lines:
        name, colon, value = line.partition(": ")
        if colon and name:
            told[name] = value
        elif not line and told:
            yield {**told, "data": json.loads(told["data"])}
            told = {}


def test_a_listener_is_told_what_happens_from_now_on(desk: Desk, served: str) -> None:
    record(desk, "before")
    with listening(desk, served) as told:
        desk.house.clock.advance(seconds=1)  # type: ignore[attr-defined]
        record(desk, "theirs", "globex")
        first = record(desk, "one")
        second = record(desk, "two")
        heard = [next(told), next(told)]
    assert [each["id"] for each in heard] == [first, second]
    assert heard[0]["event"] == "test.happened"
    assert heard[0]["data"]["subject_id"] == "one"
    assert heard[0]["data"]["data"] == {"number": 1}


def test_a_listener_that_comes_back_misses_nothing(desk: Desk, served: str) -> None:
    first = record(desk, "one")
    desk.house.clock.advance(seconds=60)  # type: ignore[attr-defined]
    missed = [record(desk, str(number)) for number in range(3)]
    with listening(desk, served, **{"Last-Event-ID": first}) as told:
        heard = [next(told)["id"]]
        while heard[-1] != missed[-1]:
            heard.append(next(told)["id"])
    assert heard[-3:] == missed
    assert first not in heard


def test_a_key_that_was_ended_hears_no_more(desk: Desk, served: str) -> None:
    with listening(desk, served) as told:
        analyst = desk.keys["acme.analyst"].split("_")[2]
        assert desk.ask("DELETE", f"/v1/keys/{analyst}").status_code == 204
        desk.house.clock.advance(seconds=30)  # type: ignore[attr-defined]
        assert {each["event"] for each in told} <= {"key.revoked"}  # and the stream has ended by itself


def test_the_end_of_the_process_ends_the_stream_at_once(desk: Desk, served: str) -> None:
    with listening(desk, served) as told:
        desk.house.leaving.set()
        assert list(told) == []


def test_without_a_key_or_with_a_wrong_place_there_is_no_stream(desk: Desk) -> None:
    assert_problem(desk.client.get("/v1/events"), 401)
    assert_problem(desk.ask("GET", "/v1/events", headers={"Last-Event-ID": "yesterday"}), 422)


def tape(desk: Desk, start: UUID | None = None) -> Tape:
    who = keys.verify(desk.database, desk.house.vault, desk.keys["acme.analyst"])
    return Tape(desk.house, Seat(who, desk.tenants["acme"]), desk.keys["acme.analyst"], start)


def test_an_event_that_comes_to_light_late_is_told_all_the_same(desk: Desk) -> None:
    listener = tape(desk)
    listener.fresh()
    with desk.inside() as slow:
        late = events.record(slow, "test.late", "test", "late")
        newer = record(desk, "newer")
        assert [str(each.id) for each in listener.fresh()] == [newer]
    assert [each.id for each in listener.fresh()] == [late]
    assert listener.fresh() == []


def test_what_is_remembered_is_bounded(desk: Desk) -> None:
    listener = tape(desk, uuid7(0, 0, 0))
    for number in range(30):
        desk.house.clock.advance(seconds=1)  # type: ignore[attr-defined]
        record(desk, str(number))
        listener.fresh()
    assert len(listener._told) <= LATE_MILLISECONDS / 1000 + 1


def test_many_events_are_told_in_their_order(desk: Desk) -> None:
    with desk.inside() as tx:
        told = [events.record(tx, "test.happened", "test", str(number)) for number in range(1_200)]
    listener = tape(desk, uuid7(1, 0, 0))
    heard: list[Any] = []
    while fresh := listener.fresh():
        heard += [event.id for event in fresh if event.type == "test.happened"]
    assert heard == told
