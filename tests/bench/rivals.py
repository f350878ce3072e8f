"""Two ways of doing the same work, measured in turn in one run: their ratio is told, never a bare time."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Rivals:
    """Seconds of each round, ours and the peer's, taken in turn so that a noisy minute hits both."""

    ours: tuple[float, ...]
    peer: tuple[float, ...]

    @property
    def ratios(self) -> list[float]:
        """Our time over the peer's, round by round."""
        return [ours / peer for ours, peer in zip(self.ours, self.peer, strict=True)]

    def told(self, count: int = 1) -> dict[str, object]:
        """The median ratio of times with its spread, and each one's median time for one of `count`, in microseconds."""
        ratios = self.ratios
        return {
            "time_ratio": round(statistics.median(ratios), 3),
            "spread": [round(min(ratios), 3), round(max(ratios), 3)],
            "rate_ratio": round(1 / statistics.median(ratios), 3),
            "ours_us": round(statistics.median(self.ours) / count * 1e6, 1),
            "peer_us": round(statistics.median(self.peer) / count * 1e6, 1),
            "rounds": len(ratios),
        }


def in_turn(
    ours: Callable[[int], object], peer: Callable[[int], object], *, rounds: int = ROUNDS,
    timer: Callable[[], float] = time.perf_counter, before: Callable[[int], object] = lambda _round: None,
) -> Rivals:  # fmt: skip
    """Measure both `rounds` times in turn, after one unmeasured round of each; both are given the round's number.

    `before` prepares each of them, off the clock.
    """
    taken: tuple[list[float], list[float]] = ([], [])
    for at in range(-1, rounds):
        for work, times in zip((ours, peer), taken, strict=True):
            before(at)
            began = timer()
            work(at)
            if at >= 0:
                times.append(timer() - began)
    return Rivals(tuple(taken[0]), tuple(taken[1]))
