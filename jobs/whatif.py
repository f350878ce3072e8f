"""What if? A changed policy tried on the cards of the last days, by the rules themselves; nothing is changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import settings
from domain.cards import Card
from domain.db import Tx
from domain.house import House
from domain.settings import InvalidSetting, Mode, TenantSettings
from domain.violations import Past, past
from policy import hindsight
from policy.caps import limits_for
from policy.verdicts import Decision, Verdict, deciding

DAYS = 30
SHOWN = 200

Change = Literal["goes_out", "stopped", "otherwise"]
"""Newly done; no longer done; neither way done, but for another reason."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One card that the changed policy would treat differently."""

    card_id: UUID
    type: str
    title: str
    at: datetime
    change: Change
    before: Decision
    before_rule: str
    after: Decision
    rule: str
    """The rule that makes the difference: the one that stops it now, or the one that no longer does."""
    reason: str


@dataclass(slots=True)
class WhatIf:
    """What a changed policy would have come to."""

    since: datetime
    tried: int = 0
    unknown: int = 0
    """Cards judged before facts were kept: of these nothing can be said."""
    goes_out: int = 0
    stopped: int = 0
    otherwise: int = 0
    by_rule: Counter[tuple[Change, str, Decision]] = field(default_factory=Counter)
    cards: list[Changed] = field(default_factory=list)
    """The first of them, the oldest first."""


def ask(house: House, tx: Tx, changes: Mapping[str, Any], *, days: int = DAYS, shown: int = SHOWN) -> WhatIf:
    """Try changed settings on every card that was judged in the last `days`; nothing is changed.

    Each card is judged at the instant of its last judgement, under the settings of today and under the changed ones.
    Caps are counted anew under either, in the order of that time. Raises InvalidSetting.
    """
    today, wished = _policies(tx, changes)
    told = WhatIf(tx.now - timedelta(days=days))
    ways = tuple(_Way(each, house.brakes.send_mode, house.public_url) for each in (today, wished))
    for each in past(tx, since=told.since):
        told.tried += 1
        if each.facts is None:
            told.unknown += 1
            continue
        before, after = (way.judge(each) for way in ways)
        if before.decision != after.decision:
            _note(told, each.card, each.at, before, after, shown)
    return told


def _policies(tx: Tx, changes: Mapping[str, Any]) -> tuple[TenantSettings, TenantSettings]:
    if idle := sorted(set(changes) & set(TenantSettings.model_fields) - hindsight.SETTINGS):
        raise InvalidSetting(f"{idle[0]}: no rule reads it, so no card would be judged differently")
    if not changes:
        raise InvalidSetting("settings: name at least one that would change")
    today = settings.of(tx)
    return today, settings.parse({**today.model_dump(mode="json", exclude_defaults=True), **changes})


@dataclass(slots=True)
class _Way:
    """One policy, with what it has let through so far."""

    settings: TenantSettings
    most: Mode
    public_url: str
    used: dict[tuple[str, datetime], int] = field(default_factory=dict)
    swept_at: datetime | None = None

    def judge(self, each: Past) -> Verdict:
        """What this policy says of a card, given what it said of those before."""
        assert each.facts is not None
        self._sweep(each.at)
        was = hindsight.Past(each.card, each.at, each.facts)
        facts = hindsight.again(was, self.settings, most=self.most, used=self.used, public_url=self.public_url)
        said = deciding(hindsight.verdicts(facts, each.verdicts))
        if said.decision not in ("allow", "hold"):
            return said
        caps = limits_for(facts)
        if full := next((cap for cap in caps if self.used.get((cap.key, cap.window_start), 0) >= cap.limit), None):
            return Verdict("limits", "defer", f"{full.key} is used up")
        for cap in caps:
            self.used[cap.key, cap.window_start] = self.used.get((cap.key, cap.window_start), 0) + 1
        return said

    def _sweep(self, at: datetime) -> None:
        """Forget windows that are over, so that a month of them is never held at once."""
        if self.swept_at is None or at - self.swept_at > timedelta(hours=6):
            self.swept_at = at
            self.used = {place: used for place, used in self.used.items() if place[1] > at - timedelta(hours=50)}


def _note(told: WhatIf, card: Card, at: datetime, before: Verdict, after: Verdict, shown: int) -> None:
    change: Change = (
        "goes_out" if after.decision == "allow" else "stopped" if before.decision == "allow" else "otherwise"
    )
    tells = before if change == "goes_out" else after
    told.goes_out += change == "goes_out"
    told.stopped += change == "stopped"
    told.otherwise += change == "otherwise"
    told.by_rule[change, tells.rule, tells.decision] += 1
    if len(told.cards) < shown:
        told.cards.append(Changed(card.id, card.type, card.title, at, change, before.decision, before.rule,
                                  after.decision, tells.rule, tells.reason))  # fmt: skip


def rows(told: WhatIf) -> Iterator[dict[str, Any]]:
    """The sums by rule, the largest first."""
    for (change, rule, decision), cards in told.by_rule.most_common():
        yield {"change": change, "rule": rule, "decision": decision, "cards": cards}
