"""Intentions on the board: what already stands there for something that an engine would propose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.cards import WAITING
from domain.db import Tx

RESTING = frozenset({"blocked", "rejected", "failed", "expired"})
CARRIED_OUT = frozenset({"done", "uncertain"})
UNDER_WAY = WAITING | {"executing"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What already stands on the board for an intention."""

    state: str
    not_before: datetime
    state_changed_at: datetime
    rule: str | None = None

    def speaks(self, now: datetime, reconsider_hours: float) -> bool:
        """Whether it answers the intention; held and cancelled ones don't, and refused ones only for a while."""
        if self.state in RESTING:
            return self.state_changed_at > now - timedelta(hours=reconsider_hours)
        return self.state in UNDER_WAY or self.state in CARRIED_OUT

    def silent_until(self, now: datetime, reconsider_hours: float) -> datetime | None:
        """When what was refused is proposed anew; None where it is not resting."""
        return self.state_changed_at + timedelta(hours=reconsider_hours) if self.state in RESTING else None


def standing(tx: Tx, keys: Sequence[str]) -> Mapping[str, Standing]:
    """The newest card of each intention, by its dedupe key."""
    if not keys:
        return {}
    rows = tx.rows(
        """SELECT DISTINCT ON (dedupe_key) dedupe_key, state, not_before, state_changed_at, rule
           FROM kanban_cards
           WHERE tenant_id = :t AND dedupe_key = ANY(:keys) ORDER BY dedupe_key, state_changed_at DESC, id DESC""",
        t=tx.tenant_id, keys=list(keys),
    )  # fmt: skip
    return {
        row["dedupe_key"]: Standing(row["state"], row["not_before"], row["state_changed_at"], row["rule"])
        for row in rows
    }
