"""P2.3.4, sensitive actions: what is blocked whatever the occasion, because one time is one too many."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from domain import addresses
from domain.switches import OUTWARD
from policy import letters, links
from policy.model import Facts
from policy.register import Rule, rule
from policy.verdicts import Verdict

_CODE = ("script", "code", "command", "sql")
_VERBS = ("operation", "action", "verb", "mode")
_TOLD = ("delete", "deletes")
_MAY_DELETE = frozenset((*_CODE, *_VERBS, *_TOLD))
"""Names of a payload's values by which it could delete something."""
_DELETES = frozenset({"delete", "remove", "purge", "erase", "truncate", "drop", "destroy", "wipe"})
_DELETING_CODE = re.compile(
    r"\b(?:delete\s+from|drop\s+(?:table|database|schema)|truncate\s+\w|rmtree|shutil\.rm|os\.(?:remove|unlink)|"
    r"rm\s+-[a-z]*[rf]|unlink\(|\.delete\(|remove-item|format\s+c:)"
)


@rule("sensitive.payment_details", clause="P2.3.4.payment_details", types=OUTWARD)
def no_mail_changes_payment_details(facts: Facts, it: Rule) -> Verdict | None:
    """No mail announces, asks for or carries a change of bank or payment details.

    It is the commonest fraud by mail; such a message is a person's to write.
    """
    if facts.content is None:
        return None
    if facts.content.payment_details:
        return it.block("the text is about changed payment details", found=facts.content.payment_details)
    return it.nothing_against


@rule("sensitive.credentials", clause="P2.3.4.credentials", types=OUTWARD)
def no_mail_carries_credentials(facts: Facts, it: Rule) -> Verdict | None:
    """No mail carries or asks for a password, key, token or code."""
    if facts.content is None:
        return None
    if facts.content.credentials:
        return it.block("the text carries or asks for credentials", found=facts.content.credentials)
    return it.nothing_against


@rule("sensitive.personal_numbers", clause="P2.3.4.personal_numbers", types=OUTWARD)
def no_mail_carries_personal_numbers(facts: Facts, it: Rule) -> Verdict | None:
    """No mail carries a card, account or identity number; each kind is recognised by its own check digits.

    Payment cards (ISO/IEC 7812), IBAN (ISO 13616), US social security numbers, RUT, CPF, CNPJ, DNI and NIE. Numbers in
    the tenant's own postal address are its own to tell.
    """
    if facts.content is None:
        return None
    if facts.content.personal_numbers:
        kinds = facts.content.personal_numbers
        return it.block(f"the text carries a personal number ({kinds[0]})", kinds=kinds)
    return it.nothing_against


@rule("sensitive.legal_threat", clause="P2.3.4.legal_threat", types=OUTWARD)
def no_mail_threatens_with_the_law(facts: Facts, it: Rule) -> Verdict | None:
    """No mail threatens anybody with lawyers, courts or debt collectors."""
    if facts.content is None:
        return None
    if facts.content.legal_threats:
        return it.block("the text threatens with legal steps", found=facts.content.legal_threats)
    return it.nothing_against


@rule("sensitive.bulk_delete", clause="P2.3.4.bulk_delete")
def nothing_is_deleted_in_bulk(facts: Facts, it: Rule) -> Verdict | None:
    """No action deletes more than one record at a time, and no script deletes at all.

    What is deleted by mistake one at a time can be put back one at a time.
    """
    count = _deletions(facts.card.payload)
    if count > 1:
        return it.block("it would delete records in bulk", records=None if count == float("inf") else count)
    return it.nothing_against


@rule("sensitive.mass_recipients", clause="P2.3.4.mass_recipients", types=OUTWARD)
def no_message_goes_to_a_crowd(facts: Facts, it: Rule) -> Verdict | None:
    """No single message has more than five recipients, To, Cc and Bcc together."""
    cap, count = facts.settings.mass_recipients, len(facts.recipients)
    if count > cap:
        return it.block(f"{count} recipients are a crowd", recipients=count, cap=cap)
    return it.nothing_against


@rule("sensitive.unknown_links", clause="P2.3.4.unknown_links", types=OUTWARD)
def links_lead_only_to_domains_of_the_tenant(facts: Facts, it: Rule) -> Verdict | None:
    """Links lead only to domains that the tenant registered (or that it writes from), and to the house's own pages.

    Judged by where a link really leads: international names in their ASCII form (RFC 5891), user names, ports,
    invisible letters and look-alikes taken into account.
    """
    if facts.content is None or facts.mail is None:
        return None
    if not facts.content.links:
        return it.nothing_against
    allowed = facts.own_domains
    for link in facts.content.links:
        if link.written == facts.unsubscribe_url or link.written in facts.own_pages:
            continue
        if link.trick is None and (not link.host or links.belongs(link.host, allowed)):
            continue
        if link.written.lower() in map(addresses.domain_of, facts.recipients):
            # a client may be called like its domain: the bare name is no link to somewhere else
            continue
        if link.trick is not None:
            return it.block(f"a link is not what it seems: {link.trick}", link=link.written[:120], host=link.host)
        like = links.imitates(link.host, allowed)
        reason = f"a link imitates {like}" if like else f"a link leads to {link.host}, which is not registered"
        return it.block(reason, link=link.written[:120], host=link.host)
    return it.allow(links=len(facts.content.links))


@rule("sensitive.active_html", clause="G4.active_html", types=OUTWARD)
def mail_fetches_and_runs_nothing(facts: Facts, it: Rule) -> Verdict | None:
    """Mail holds no images, scripts, forms or style sheets: it fetches nothing, runs nothing and watches nobody."""
    if facts.content is None:
        return None
    if facts.content.active_html:
        return it.block("the HTML fetches, runs or asks for something", found=facts.content.active_html)
    return it.nothing_against


def _deletions(payload: Mapping[str, Any]) -> float:
    """How many records an action's payload would delete."""
    if _MAY_DELETE.isdisjoint(payload):
        return 0
    code = next((payload[name] for name in _CODE if payload.get(name)), None)
    if code is not None and _DELETING_CODE.search(letters.plain(str(code))):
        return float("inf")
    for name in _VERBS:
        verb = payload.get(name)
        if isinstance(verb, str) and any(word in _DELETES for word in re.split(r"[^a-z]+", verb.lower())):
            return _size(payload)
    told = next((payload[name] for name in _TOLD if name in payload), None)
    return _many(told) if told else 0


def _size(payload: Mapping[str, Any]) -> float:
    for name in ("count", "ids", "records", "subject_ids"):
        if name in payload:
            return _many(payload[name])
    # a deletion that names no record may mean all of them
    return 1 if "id" in payload or "subject_id" in payload else float("inf")


def _many(told: Any) -> float:
    if told is None or isinstance(told, bool) or told in ("all", "*"):
        return float("inf")
    if isinstance(told, int | float):
        return told
    return len(told) if isinstance(told, Sequence) and not isinstance(told, str) else 1
