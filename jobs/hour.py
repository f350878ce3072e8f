"""A cycle under way: what its phases share, and what may end it early."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from domain import reflections, runs, settings, switches
from domain.db import PartFailed, Row, Tx
from domain.house import House, Leaving
from domain.locks import Held
from engines.contract import Context, Engine
from jobs.execute import Work

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")

HEARTBEAT_SECONDS = 15.0


def questions(engines: Sequence[Engine]) -> dict[str, str]:
    """What is asked of all engines at once: which the tenant has anything for, and what has ripened for each."""
    return {engine.name: engine.present for engine in engines} | {_ripe(engine): engine.ripens for engine in engines}


def ripe(engines: Sequence[Engine], outstanding: frozenset[str]) -> list[Engine]:
    """Those of the engines for which time has brought something about."""
    return [engine for engine in engines if _ripe(engine) in outstanding]


def _ripe(engine: Engine) -> str:
    return f"ripe for {engine.name}"


class DeadlinePassed(Exception):
    """The cycle has used up its time; what is not done stays queued."""


class Stopped(Exception):
    """A switch was closed while the cycle ran: nothing more is planned or done."""


@dataclass
class Cycle:
    """One cycle of one tenant, held by its lock and fenced by its number."""

    house: House
    engines: Sequence[Engine]
    held: Held
    run: runs.Run
    extended_at: float
    outstanding: frozenset[str] | None = None
    """What waited when that was last looked at (`runs.outstanding`), or None once something may have changed it."""
    models: tuple[str, ...] = ()
    """The language models that this tenant asks, in order; without any, rules and templates do all the work."""
    phrased: tuple[str, str] | None = None
    """The hour in a model's words, and whose they are; None where the computed telling stands."""
    _ended: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    _last: Row | None = None
    _looked_back: bool = False

    @property
    def work(self) -> Work:
        """What the executor needs."""
        return Work(self.house, self.engines, self.held, self.run.id)

    @contextmanager
    def transaction(self, *, whole: bool = False) -> Iterator[Tx]:
        """A transaction of this run. Raises FenceLost when the tenant was taken over."""
        ended, self._ended = self._ended, []
        try:
            with self.house.database.tenant(
                self.held.tenant_id, run_id=self.run.id, fence=self.held.fence, whole=whole
            ) as tx:
                runs.enter(tx, self.run.id, ended)
                yield tx
        except BaseException:
            self._ended = [*ended, *self._ended]
            raise

    def together(self, work: Callable[[Tx], Answer]) -> Answer:
        """Do work in one commit, without savepoints; if a part of it fails, all of it anew, each part with its own."""
        try:
            with self.transaction(whole=True) as tx:
                return work(tx)
        except PartFailed:
            with self.transaction() as tx:
                return work(tx)

    def enter(self, phase: str, *, block: Mapping[str, Any]) -> None:
        """A phase is over: the next transaction of this run says so, and with it `phase` has begun.

        Until then a crash resumes at the phase before, which finds its work done.
        """
        self._ended.append((phase, block))

    def last_reflection(self, tx: Tx) -> Row | None:
        """The one before this hour's; nobody else writes any while the tenant is held."""
        if not self._looked_back:
            self._last, self._looked_back = reflections.last(tx), True
        return self._last

    def context(self, tx: Tx) -> Context:
        """What an engine is given, with the hints of the last reflection."""
        last = self.last_reflection(tx)
        return Context(tx, settings.of(tx), hints=tuple(last["hints"]) if last else ())

    def breathe(self) -> None:
        """Between two pieces of work: keep the lease alive. Raises Leaving, FenceLost, Stopped, DeadlinePassed."""
        if self.house.leaving.is_set():
            raise Leaving(Leaving.__doc__)
        now = self.house.clock.monotonic()
        if now - self.extended_at >= HEARTBEAT_SECONDS:
            self.house.locks.extend(self.held)
            self.extended_at = now
        if reason := self.house.brakes.stopped():
            raise Stopped(reason)
        if self.house.clock.now() >= self.run.deadline_at:
            raise DeadlinePassed(f"deadline {self.run.deadline_at.isoformat()}")

    def look(self, tx: Tx) -> frozenset[str]:
        """See what waits, which engines the tenant has anything for, and what time has brought about for them."""
        self.outstanding = runs.outstanding(tx, questions(self.engines))
        return self.outstanding

    def present(self, tx: Tx) -> list[Engine]:
        """The engines for which the tenant has anything at all."""
        known = self.outstanding if self.outstanding is not None else self.look(tx)
        return [engine for engine in self.engines if engine.name in known]

    def ripe(self, tx: Tx) -> list[Engine]:
        """The engines for which time has brought something about."""
        return ripe(self.engines, self.outstanding if self.outstanding is not None else self.look(tx))

    def working_engines(self, tx: Tx) -> list[Engine]:
        """The engines that no switch keeps from planning. Raises Stopped when everything is stopped."""
        closed = switches.closed(tx)
        if any(level == "all" for _scope, level, _name in closed):
            raise Stopped("the agent is switched off")
        asleep = {name for _scope, level, name in closed if level == "engine"}
        return [engine for engine in self.engines if engine.name not in asleep]

    def ask(
        self, tx: Tx, engines: Sequence[Engine], what: str, question: Callable[[Engine], Answer]
    ) -> list[tuple[Engine, Answer]]:
        """What engines answer; one that fails is noted on the run under `what`, left out, and holds up no other."""
        try:
            with tx.savepoint():
                return [(engine, question(engine)) for engine in engines]
        except Exception as error:  # noqa: BLE001 - recorded on the run
            if len(engines) > 1:
                # which of them it was shows when they are asked one by one
                return [answer for engine in engines for answer in self.ask(tx, [engine], what, question)]
            self.note(f"{engines[0].name}.{what}", error, within=tx)
            return []

    def note(self, where: str, error: Exception, *, within: Tx | None = None) -> None:
        """Record that one part went wrong while the rest goes on; the log has its traceback under the same id."""
        traceback_id = self.house.clock.uuid().hex
        log.error("cycle.error", where=where, traceback_id=traceback_id, error=type(error).__name__,
                  traceback="".join(traceback.format_exception(error)))  # fmt: skip
        with nullcontext(within) if within is not None else self.transaction() as tx:
            runs.note_error(tx, self.run.id, where=where, error=f"{type(error).__name__}: {error}",
                            traceback_id=traceback_id)  # fmt: skip
