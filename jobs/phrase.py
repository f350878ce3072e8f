"""Phrasing: an hour's computed telling put into better words by a model that may add no number to it."""

from __future__ import annotations

import contextlib

from brain import questions, rulebook
from brain.given import Hour
from domain import settings
from domain.models import RULEBOOK
from jobs import ask, reflect
from jobs.ask import Desk, Wish
from jobs.hour import Cycle

TELLING = ("mail_in", "mail_out", "ledger", "moved", "failures", "errors")
"""Facts of which at least one must be there: an hour in which nothing happened needs no better words."""


class _LookedOnly(Exception):
    """Undoes what was only done to see it."""


def phrase(cycle: Cycle) -> None:
    """Have the hour phrased, with no transaction open. A refused phrasing is in the log of calls with its reason."""
    with contextlib.suppress(_LookedOnly), cycle.transaction() as tx:
        chosen = settings.of(tx)
        facts = reflect.foretold(cycle, tx)
        # the hour is told for good in the commit that ends it
        raise _LookedOnly
    if not any(facts.get(name) for name in TELLING):
        return
    cycle.breathe()
    told = rulebook.reflect(facts, chosen.language)
    desk = Desk(cycle.house, cycle.held.tenant_id, cycle.held.lock_id, chosen, cycle.run.id)
    reply = ask.ask(desk, questions.REFLECTION, Wish(Hour(chosen.language, told, facts)))
    if reply.by != RULEBOOK:
        cycle.phrased = (reply.answer.text.strip() + "\n", reply.by)
