"""P2.3.1, no human task unless requested: a person's time is asked for on one of three grounds, each with its proof."""

from __future__ import annotations

import re
from datetime import timedelta

from policy import letters
from policy.model import Facts, Message
from policy.register import Rule, rule
from policy.verdicts import Verdict

TASKS = ("create_task",)
GROUNDS = ("client_request", "compliance_deadline", "safety_escalation")
TRIGGERS = frozenset({
    "legal_threat", "threat_to_person", "fraud_suspicion", "data_erasure_demand", "payment_detail_change",
})  # fmt: skip
"""What a safety escalation may be about."""

_ASKS = re.compile("|".join((
    r"\b(?:can|could|would|will|might) (?:you|someone|somebody|anyone|one of you|your (?:team|colleagues?|manager))\b",
    r"\b(?:can|could|may) (?:we|i) (?:please |have|get|talk|speak|meet|schedule|set up|arrange|ask)\b",
    r"\bplease\b(?! (?:find|see|note|be advised|ignore|disregard|accept|consider this))|\bkindly\b",
    r"\b(?:call|phone|ring|text|contact|send|give|let|get|show|tell|help|remind|copy|meet|update|forward) (?:me|us)\b",
    r"^\W*(?:call|phone|ring|send|forward|give|check|confirm|fix|review|provide|share|arrange|schedule|book|ask|cancel"
    r"|change|update|make sure|get back|look into|let's|take care|reply|respond|sign|ship|order|stop|resend|set up)\b",
    r"\b(?:i|we)(?:'d| would) (?:really )?(?:like|love|prefer|appreciate|be grateful)\b|\bappreciate it if\b",
    r"\b(?:i|we) (?:need|want|require|must have)\b|\bwould it be possible\b|\bis it possible\b|\bany chance\b",
    r"\b(?:puede|puedes|podria|podrias|pueden|podrian|podeis|podemos|podriamos)\b|\bpor favor\b|\bme gustaria\b",
    r"\bquisiera(?:mos)?\b|\b(?:llam|envi|mand|avis|confirm|dig|mandar|ayud|indi)\w{0,5}(?:me|nos)\b",
    r"\bnecesit(?:o|amos)\b|\b(?:le|les|te) (?:ruego|pido|agradeceria)\w*\b|\bseria posible\b",
    r"\b(?:pode|podem|poderia|poderiam|podemos)\b|\bpor gentileza\b|\bgostaria(?:mos)?\b|\bpreciso\b|\bprecisamos\b",
    r"\b(?:me|nos) (?:lig|cham|envi|mand|avis|confirm)\w+\b|\b(?:ligue|ligar|envie|mande) para (?:mim|nos)\b",
    r"\b(?:konnen|konnten|wurden) sie\b|\bbitte\b|\brufen sie\b|\bich (?:mochte|hatte gern)\b",
    r"\b(?:pouvez|pourriez)[- ]vous\b|\bs'il vous plait\b|\bmerci de\b|\b(?:r?appelez|envoyez)[- ](?:moi|nous)\b",
)))  # fmt: skip
_AMONG_THEMSELVES = re.compile(
    r"^\W*(?:perhaps |maybe |i think |i guess )?(?:we|they|he|she) (?:should|could|might|must|need to|have to"
    r"|ought to|will)\b"
)
"""What people say of themselves asks nobody for anything."""


@rule("human_task.ground", clause="P2.3.1.ground", types=TASKS)
def a_task_for_a_person_needs_a_ground(facts: Facts, it: Rule) -> Verdict | None:
    """A task for a person is made only if a client asked for it, a compliance deadline is due, or safety demands it.

    The agent does its own work: what it can't do it leaves, rather than handing it to people who didn't ask.
    """
    ground = facts.told("basis")
    if ground not in GROUNDS:
        return it.block("nobody asked for it, no deadline is due and nothing is unsafe", basis=ground)
    return it.allow(f"its ground is {ground}", basis=ground)


@rule("human_task.client_request", clause="P2.3.1.client_request", types=TASKS)
def a_requested_task_rests_on_the_words_that_request_it(facts: Facts, it: Rule) -> Verdict | None:
    """A task that a client asked for names the client's message and quotes the words that ask.

    "Can you call me Thursday?" asks; "We should call them" does not. The quoted words must stand in that message, and
    the message must have been written by a person of the very account that the task is about.
    """
    if facts.told("basis") != "client_request":
        return None
    message, quote = facts.evidence, str(facts.told("quote") or "")
    wrong = _unproven(facts, message, quote)
    if wrong is None and message is not None and not _asks(quote, message):
        wrong = "the quoted words ask nobody for anything"
    if wrong is not None:
        return it.block(wrong, message_id=facts.told("message_id"), quote=quote[:200])
    return it.allow("the client asked for it", message_id=facts.told("message_id"), quote=quote[:200])


@rule("human_task.compliance_deadline", clause="P2.3.1.compliance_deadline", types=(*TASKS, "escalate_compliance"))
def a_compliance_task_waits_for_its_deadline(facts: Facts, it: Rule) -> Verdict | None:
    """A task for compliance rests on a check of the very account, still open and past the deadline of its own record.

    So does taking a check to a manager. What the card says of the deadline counts for nothing.
    """
    if facts.told("basis") != "compliance_deadline":
        if facts.card.type in TASKS:
            return None
        return it.block("its ground is no compliance deadline", basis=facts.told("basis"))
    told, check = facts.told("check_id"), facts.deadline
    if check is None:
        return it.block("it names no check with a deadline", check_id=told)
    if facts.card.client_id != check.client_id:
        return it.block("its check is of another account", check_id=told)
    if check.state in ("completed", "waived", "withdrawn"):
        return it.block(f"its check is {check.state}", check_id=told)
    if check.due_at > facts.now:
        return it.block("the deadline of its check is not due yet", check_id=told, due_at=check.due_at)
    if not check.reviewed:
        return it.defer(facts.now + timedelta(hours=1), "its schedule was changed: it is still to be judged by that")
    return it.allow("the deadline of its check is due", check_id=told, due_at=check.due_at)


@rule("human_task.safety_escalation", clause="P2.3.1.safety_escalation", types=TASKS)
def an_escalation_names_its_trigger_and_the_words(facts: Facts, it: Rule) -> Verdict | None:
    """A safety escalation names one of the listed triggers, and quotes the words of the message that pulled it.

    The triggers: a legal threat, a threat to a person, suspicion of fraud, a demand to erase data, a change of payment
    details.
    """
    if facts.told("basis") != "safety_escalation":
        return None
    trigger, quote = facts.told("trigger"), str(facts.told("quote") or "")
    if trigger not in TRIGGERS:
        return it.block("its trigger is none of those listed", trigger=trigger)
    wrong = _unproven(facts, facts.evidence, quote)
    if wrong is not None:
        return it.block(wrong, trigger=trigger, message_id=facts.told("message_id"))
    return it.allow(f"the trigger is {trigger}", trigger=trigger, message_id=facts.told("message_id"))


def _asks(quote: str, message: Message) -> bool:
    """Whether somebody is asked for something: the message's reader saw it there, or the words say it by themselves."""
    plain = letters.plain(quote)
    if _AMONG_THEMSELVES.search(plain):
        return False
    return (bool(message.asked) and _squeezed(quote) in _squeezed(message.asked)) or bool(_ASKS.search(plain))


def _unproven(facts: Facts, message: Message | None, quote: str) -> str | None:
    """What is missing from the proof that somebody wrote these words to the tenant."""
    if message is None:
        return "it names no message that was received"
    if not message.inbound:
        return "its message was not written to the tenant"
    if message.automatic:
        return "its message was written by a machine"
    if facts.card.client_id is not None and message.client_id != facts.card.client_id:
        return "its message came from another account"
    if len(quote.strip()) < 4:
        return "it quotes no words of the message"
    if _squeezed(quote) not in _squeezed(message.words):
        return "the quoted words don't stand in the message"
    return None


def _squeezed(text: str) -> str:
    return " ".join(re.findall(r"[a-z0-9]+", letters.plain(text)))
