"""Engines for tests of arbitration: one that wishes for whatever it is told, and our own, watched while they plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.cards import Card, Proposal
from domain.events import Event
from domain.switches import OUTWARD
from engines.contract import Context, Engine, Handler, Obligation, Plan


@dataclass(eq=False)
class Wild:
    """An engine that proposes whatever it is told, without any restraint of its own."""

    name: str
    wishes: list[Proposal] = field(default_factory=list)
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    present: str = "true"
    ripens: str = "false"

    def ripen(self, ctx: Context) -> None:
        pass

    def plan(self, ctx: Context) -> Plan:
        wished, self.wishes = self.wishes, []
        return Plan(
            tuple(Obligation("wish", "deal", each.subject_id, each.due_at, each.dedupe_key) for each in wished),
            tuple(wished),
        )

    def settled(self, ctx: Context, cards: Sequence[Card]) -> None:
        pass

    def react(self, ctx: Context, event: Event) -> None:
        pass

    def stats(self, ctx: Context) -> Mapping[str, float]:
        return {}

    def next_due(self, ctx: Context) -> None:
        return None


@dataclass(eq=False)
class Watched:
    """One of our engines, seen to answer for whatever it would write: what gives way is told by its obligation."""

    engine: Engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.engine, name)

    def plan(self, ctx: Context) -> Plan:
        plan = self.engine.plan(ctx)
        due = {each.dedupe_key for each in plan.obligations}
        assert {each.dedupe_key for each in plan.proposals if each.type in OUTWARD} <= due
        return plan
