"""How a tenant's brain stands: models in their order and whether each has a key, today's budget, this day's calls."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from brain import prices
from domain import model_budgets, model_calls, models, settings
from domain.db import Tx
from domain.house import House
from domain.models import RULEBOOK
from domain.ports import NeverWill


def status(house: House, tx: Tx) -> dict[str, Any]:
    """Everything about models that a person may want to know at a glance; no key and no content."""
    chosen = settings.of(tx)
    order = models.order(house.models, chosen)
    standing = model_budgets.look(tx, chosen)
    limit = standing.limit_usd
    return {
        "first": models.first(house.models, chosen),
        "order": [*({"model": each, "ready": _ready(house, tx, each)} for each in order),
                  {"model": RULEBOOK, "ready": True}],
        "other_orders": {name: list(each) for name, each in chosen.model_order_by_question.items()},
        "cheaper": chosen.model_cheaper,
        "budget": {
            "day": standing.day, "usd": standing.usd, "usd_per_day": limit, "tokens": standing.tokens,
            "tokens_per_day": standing.limit_tokens, "cheaper_model_is_due": standing.is_tight,
            "renewed_at": model_budgets.renewed_at(standing.day, chosen),
        },
        "prices_as_of": prices.as_of(),
        "contents_kept": chosen.keep_model_contents, "personal_data_masked": chosen.mask_personal_data,
        "last_day": [dict(row) for row in model_calls.summary(tx, since=tx.now - timedelta(days=1))],
    }  # fmt: skip


def _ready(house: House, tx: Tx, model: str) -> bool:
    if house.models is None:
        return False
    try:
        house.models.provider(tx, model.partition("/")[0])
    except NeverWill:
        return False
    return True
