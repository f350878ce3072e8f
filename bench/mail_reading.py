"""How fast mail is read against parsing alone, and what ten thousand mutants do to the reader."""

from __future__ import annotations

import argparse
import email
import email.policy
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from brain.reading import read
from tests.brain.reading import samples
from tests.brain.reading.labelled import load
from tests.brain.reading.mutants import survive


def main(arguments: list[str] | None = None) -> int:
    """Print one JSON object; exit 1 when a mutant crashed the reader or held it up for 5 seconds."""
    parser = argparse.ArgumentParser(prog="python -m bench.mail_reading", description=__doc__)
    parser.add_argument("--mutants", type=int, default=10_000, help="how many mutated messages to read")
    parser.add_argument("--seed", type=int, default=20260706)
    parser.add_argument("--folder", type=Path, help="read the files of this folder instead of our own messages")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args(arguments)
    mails = _mails(chosen.folder)
    outcome = survive(mails, chosen.mutants, chosen.seed)
    told = {
        "messages": len(mails),
        **_speed(mails, chosen.rounds),
        "mutants": outcome.read,
        "crashes": len(outcome.crashes),
        "slowest_seconds": round(outcome.slowest_seconds, 3),
    }
    sys.stdout.write(json.dumps(told, indent=2) + "\n")
    return 1 if outcome.crashes or outcome.slowest_seconds >= 5 else 0


def _mails(folder: Path | None) -> list[bytes]:
    if folder is None:
        return samples.everything() + [case.raw for case in load()]
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]


def _speed(mails: list[bytes], rounds: int) -> dict[str, float]:
    """Messages a second, median of `rounds`, and the ratio of reading to bare parsing in the same run."""
    for raw in mails[:50]:
        read(raw)
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(_rate(_parse_only, mails))
        whole.append(_rate(read, mails))
    ratios = [one / other for one, other in zip(whole, bare, strict=True)]
    return {
        "bare_per_second": round(statistics.median(bare)),
        "read_per_second": round(statistics.median(whole)),
        "ratio": round(statistics.median(ratios), 3),
        "ratio_spread": round(max(ratios) - min(ratios), 3),
    }


def _rate(work: Callable[[bytes], object], mails: list[bytes]) -> float:
    started = time.perf_counter()
    for raw in mails:
        work(raw)
    return len(mails) / (time.perf_counter() - started)


def _parse_only(raw: bytes) -> object:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    try:
        body = message.get_body(("plain", "html"))
        return body.get_content() if body is not None else None
    except Exception:  # noqa: BLE001 - the bare library raises undeclared errors; here it is only the peer
        return None


if __name__ == "__main__":
    raise SystemExit(main())
