"""Bytes as an enemy or a broken relay would make them: seeded changes to good messages."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from brain.reading import Reading, read

_NASTY = (
    b"\x00", b"\xff\xfe", b"\r", b"\n", b"\r\r\n", b"=?utf-8?B?", b"?=", b"=?x?q?=?=", b"--", b"<" * 40, b"(" * 40,
    b"\"", b";" * 20,
    b"Content-Type: multipart/mixed; boundary=\"\"\n", b"Content-Transfer-Encoding: base64\n",
    b"Content-Type: text/plain; charset=\"idna\"\n",
    b"charset*0*=utf-8''%", b"filename*1*=a; filename*0*=b", b"\xf0\x9f\x98\x80",
    b"Date: 99 Foo 99999 99:99:99 +9999\n", b"On 1 at, " * 30,
    b"> " * 200, b"a@b.c " * 100, b"2.1.1.1.1 5.1.1 ", b"1" * 300, b" " * 400, b"message/delivery-status",
    b"Final-Recipient: ;;;\n", b"<div " * 80,
)  # fmt: skip


def mutants(seeds: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """`count` changed messages, the same for the same `seed`."""
    draw = random.Random(seed)
    for _ in range(count):
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.choice((1, 1, 2, 4, 8))):
            draw.choice(_CHANGES)(data, draw, seeds)
        yield bytes(data)


def _flip(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    for _round in range(draw.randint(1, 12)):
        if data:
            data[draw.randrange(len(data))] = draw.randrange(256)


def _cut(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = draw.randint(0, len(data))
    del data[start : start + draw.randint(1, 200)]


def _insert(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = draw.randint(0, len(data))
    data[start:start] = draw.choice(_NASTY) * draw.choice((1, 1, 3, 50))


def _repeat(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = draw.randint(0, len(data))
    piece = bytes(data[start : start + draw.randint(1, 300)])
    data[start:start] = piece * draw.choice((2, 10, 60))


def _splice(data: bytearray, draw: random.Random, seeds: list[bytes]) -> None:
    other = draw.choice(seeds)
    data[draw.randint(0, len(data)) :] = other[draw.randint(0, len(other)) :]


def _nest(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    depth = draw.choice((3, 60, 300))
    head = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (at, at) for at in range(depth))
    data[0:0] = head


_CHANGES: tuple[Callable[[bytearray, random.Random, list[bytes]], None], ...] = (
    _flip,
    _cut,
    _insert,
    _repeat,
    _splice,
    _nest,
)


@dataclass(slots=True)
class Outcome:
    """What happened to the mutants."""

    read: int = 0
    crashes: list[bytes] = field(default_factory=list)
    slowest_seconds: float = 0.0
    slowest: bytes = b""


def survive(seeds: list[bytes], count: int, seed: int) -> Outcome:
    """Read `count` mutants of `seeds`, taking the processor time of each: a busy machine is not its fault."""
    outcome = Outcome()
    for raw in mutants(seeds, count, seed):
        started = time.process_time()
        try:
            sound = isinstance(read(raw), Reading)
        except Exception:  # noqa: BLE001 - this is what must never happen: it is counted, not hidden
            sound = False
        took = time.process_time() - started
        outcome.read += 1
        if not sound:
            outcome.crashes.append(raw)
        if took > outcome.slowest_seconds:
            outcome.slowest_seconds, outcome.slowest = took, raw
    return outcome
