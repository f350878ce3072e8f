"""P2.9, the words: a mail that waited says at the instant of sending what its records say then."""

from __future__ import annotations

from collections.abc import Sequence

from domain.switches import OUTWARD
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

RULE = "wording.current"


@rule(RULE, clause="P2.9.wording", types=OUTWARD)
def a_mail_goes_out_only_in_the_words_of_today(facts: Facts, it: Rule) -> Verdict | None:
    """A mail that was written from a name, a title or a language that is another by now gives way, and is written anew.

    It may have waited for days for an approval, a cap or a weekend. Whoever agreed to the old words is asked about the
    new ones; what is on its way already stays as it was frozen.
    """
    if facts.outdated:
        return it.renew(since_then(facts.outdated), changed=list(facts.outdated))
    return it.nothing_against


def since_then(changed: Sequence[str]) -> str:
    """The reason in words; it names no name, for it stays in the story of the card when somebody is erased."""
    told = " and ".join([", ".join(changed[:-1]), changed[-1]] if len(changed) > 1 else changed)
    return f"{told} {'have' if len(changed) > 1 else 'has'} changed since it was written"
