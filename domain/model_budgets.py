"""The budget for models, per tenant and day: reserved at its worst before a call, settled exactly after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.db import Tx
from domain.settings import TenantSettings

CHEAPER_FROM = Decimal("0.8")
"""The share of a day's money from which on the cheaper model is used."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How much of a day's budget is gone, open calls counted at their worst."""

    day: date
    usd: Decimal
    tokens: int
    limit_usd: Decimal
    limit_tokens: int

    def has_room(self, usd: Decimal, tokens: int) -> bool:
        """Whether a call fits that costs at most so much."""
        return self.usd + usd <= self.limit_usd and self.tokens + tokens <= self.limit_tokens

    @property
    def is_tight(self) -> bool:
        """Whether the cheaper model is due."""
        return self.usd >= CHEAPER_FROM * self.limit_usd or self.tokens >= CHEAPER_FROM * self.limit_tokens


def today(tx: Tx, settings: TenantSettings) -> date:
    """The day in the tenant's own zone, which is the budget's."""
    return tx.now.astimezone(ZoneInfo(settings.timezone)).date()


def renewed_at(day: date, settings: TenantSettings) -> datetime:
    """When the budget of the next day begins."""
    return datetime.combine(day + timedelta(days=1), time.min, ZoneInfo(settings.timezone)).astimezone(ZoneInfo("UTC"))


def hold(tx: Tx, settings: TenantSettings) -> Standing:
    """Today's budget as it stands; nobody else can reserve before this transaction ends."""
    day = today(tx, settings)
    row = tx.row(
        """INSERT INTO model_budgets AS kept (tenant_id, day) VALUES (:t, :day)
           ON CONFLICT (tenant_id, day) DO UPDATE SET day = kept.day
           RETURNING spent_usd + reserved_usd AS usd, spent_tokens + reserved_tokens AS tokens""",
        t=tx.tenant_id, day=day,
    )  # fmt: skip
    assert row is not None
    return _standing(day, settings, row["usd"], row["tokens"])


def look(tx: Tx, settings: TenantSettings) -> Standing:
    """Today's budget as it stands, for pages and for choosing; it may be another at the next moment."""
    day = today(tx, settings)
    row = tx.row(
        """SELECT spent_usd + reserved_usd AS usd, spent_tokens + reserved_tokens AS tokens FROM model_budgets
           WHERE tenant_id = :t AND day = :day""",
        t=tx.tenant_id, day=day,
    )  # fmt: skip
    return _standing(day, settings, row["usd"] if row else Decimal(0), row["tokens"] if row else 0)


def reserve(tx: Tx, day: date, usd: Decimal, tokens: int) -> None:
    """Set aside what a call costs at its worst; the caller holds the budget and found room in it."""
    tx.run(
        """UPDATE model_budgets SET reserved_usd = reserved_usd + :usd, reserved_tokens = reserved_tokens + :tokens
           WHERE tenant_id = :t AND day = :day""",
        usd=usd, tokens=tokens, t=tx.tenant_id, day=day,
    )  # fmt: skip


def settle(tx: Tx, day: date, *, reserved: tuple[Decimal, int], spent: tuple[Decimal, int]) -> None:
    """Give a reservation back and write down what was really spent, on the day on which it was reserved."""
    tx.run(
        """UPDATE model_budgets SET reserved_usd = reserved_usd - :usd, reserved_tokens = reserved_tokens - :tokens,
                  spent_usd = spent_usd + :spent_usd, spent_tokens = spent_tokens + :spent_tokens
           WHERE tenant_id = :t AND day = :day""",
        usd=reserved[0], tokens=reserved[1], spent_usd=spent[0], spent_tokens=spent[1], t=tx.tenant_id, day=day,
    )  # fmt: skip


def _standing(day: date, settings: TenantSettings, usd: Decimal, tokens: int) -> Standing:
    return Standing(day, usd, int(tokens), settings.model_usd_per_day, settings.model_tokens_per_day)
