"""G4, no model output breaks a rule: words that a model wrote are judged again wherever their card is."""

from __future__ import annotations

from domain import drafts
from domain.switches import OUTWARD
from policy import drafts as gate
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict


@rule("drafts.nothing_invented", clause="G4.drafts", types=OUTWARD)
def a_draft_says_nothing_that_its_facts_don_t_hold(facts: Facts, it: Rule) -> Verdict | None:
    """Words that a model wrote hold no number, day, name, link, address, offer or promise beside the card's own facts.

    They are plain text of a decent length in the contact's language, with nothing left to be filled in. A person's own
    words and the templates are not held to this.
    """
    text = drafts.words(facts.card.payload)
    if not text:
        return None
    told = facts.card.payload
    language = str(told.get("language") or facts.settings.language)
    page = drafts.leads_to_a_page(told)
    found = gate.wrong(
        text, language=language, slots=told.get("slots") or {}, own_domains=facts.own_domains, page=page
    )  # fmt: skip
    if found is not None:
        return it.block(f"a model's draft is not fit to go out: {found}", by=told["draft"].get("by"))
    return it.allow("a model's draft keeps to its facts", by=told["draft"].get("by"))


@rule("drafts.way_out", clause="G4.way_out", types=OUTWARD)
def a_draft_leaves_the_way_out_where_it_was(facts: Facts, it: Rule) -> Verdict | None:
    """A commercial mail whose words a model wrote shows its opt-out page in the text, not in its headers alone."""
    if facts.mail is None or not facts.commercial or not drafts.words(facts.card.payload):
        return None
    if not facts.unsubscribe_url or facts.unsubscribe_url not in facts.mail.text:
        return it.block("the text does not show how to leave")
    return it.nothing_against
