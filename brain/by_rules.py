"""What rules and templates answer to each question: the brain that needs no model, and the measure for others."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time
from typing import Any

from brain import answers, feelings, rulebook
from brain.given import Hour, Letter, Message
from brain.reading import absence, items, understanding
from brain.reading.intents import fold
from domain.drafts import PAGE

_SIGNALS: tuple[tuple[answers.SignalKind, re.Pattern[str]], ...] = (
    ("urgency", re.compile(
        r"\b(?:urgent\w*|asap|as soon as possible|immediately|right away|by (?:tomorrow|today|tonight)|cuanto antes"
        r"|lo antes posible|inmediat\w*|para (?:hoy|manana)|o quanto antes|o mais rapido|imediat\w*"
        r"|para (?:hoje|amanha))\b"
    )),
    ("upsell", re.compile(
        r"\b(?:also (?:need|looking for|interested)|additional|expand\w*|new (?:office|branch|site|location)|upgrade"
        r"|more (?:seats|licen[cs]es|units|users|volume)|growing|tambien (?:necesit\w*|nos interesa)"
        r"|adicional\w*|ampliar"
        r"|nueva (?:oficina|sucursal|sede)|mas (?:unidades|licencias|usuarios)|tambem (?:precis\w*|temos interesse)"
        r"|nova (?:filial|unidade|sede)|mais (?:unidades|licencas|usuarios))\b"
    )),
    ("renewal", re.compile(
        r"\b(?:renew\w*|contract (?:ends|expires|is up)|extend (?:the|our) (?:contract|agreement)|expir(?:es|ing)"
        r"|renov\w*|vence (?:el|o) (?:contrato|acuerdo)|contrato (?:vence|termina|expira|acaba)|prorrog\w*)\b"
    )),
    ("referral", re.compile(
        r"\b(?:refer(?:red|ring)? (?:you|us|them)|recommended you|told (?:a|my|our) (?:friend|colleague|partner)"
        r"|(?:colleague|friend|partner|sister company) (?:who|that|of (?:mine|ours))|might (?:also )?be interested"
        r"|les? recomend\w*|un (?:colega|amigo|socio)|una (?:colega|amiga|socia)|indiquei|indicamos (?:voces|a empresa)"
        r"|um (?:colega|amigo|parceiro)|uma (?:colega|amiga|parceira))\b"
    )),
)  # fmt: skip


def classify(message: Message) -> answers.Classified:
    """The class that the rules of reading give to a person's words."""
    found = _understood(message)
    cls = understanding.class_of(found, message.subject, message.is_reply)
    evidence = found.evidence
    return answers.Classified.model_validate({
        "cls": cls,
        "span": evidence.get(cls, ""),
        "wants_unsubscribe": "wants_unsubscribe" in found.flags,
        "complains": "complains" in found.flags,
        "asks_call": "asks_call" in found.flags,
    })  # fmt: skip


def sentiment(message: Message) -> answers.Sentiment:
    """The feeling that the words show, sentence by sentence; a denied fault is none."""
    feeling, span = feelings.felt(message.text)
    return answers.Sentiment(feeling=feeling, span=span)


def task_request(message: Message) -> answers.TaskEvidence:
    """The explicit request that the rules of reading find."""
    found = _understood(message).task_request
    if found is None or not (found.is_explicit or found.call):
        return answers.TaskEvidence(asks=False, span="", due=None)
    return answers.TaskEvidence(asks=True, span=found.span[:500], due=found.due.date() if found.due else None)


def return_date(message: Message) -> answers.ReturnDay:
    """The day of return that the rules of reading find."""
    back = absence.return_date(message.subject, message.text, message.sent_on, month_first=False)
    return answers.ReturnDay(back_on=back, span=next(iter(_sentences(message.text)), "")[:500] if back else "")


def signals(message: Message) -> answers.Signals:
    """Signals by their words, each at most once."""
    found: dict[answers.SignalKind, answers.Signal] = {}
    if complaint := _understood(message).evidence.get("complaint"):
        found["complaint"] = answers.Signal(kind="complaint", span=complaint[:500])
    for sentence in _sentences(message.text):
        plain = fold(sentence.lower())
        for kind, pattern in _SIGNALS:
            if kind not in found and pattern.search(plain):
                found[kind] = answers.Signal(kind=kind, span=sentence[:500])
    return answers.Signals(signals=tuple(found.values()))


def quote_items(message: Message) -> answers.QuoteItems:
    """The lines that the rules of reading find."""
    told = [
        answers.WantedItem(
            description=item.description[:200], quantity=item.quantity or None, unit=(item.unit or "")[:30], span=""
        )
        for item in items.items_in(message.text)[:20]
        if item.description
    ]
    return answers.QuoteItems(items=tuple(told))


def letter(given: Letter) -> answers.Letter:
    """The body of the template that the card names. Raises TemplateFailed."""
    slots = {**given.slots, "link": PAGE} if given.page else given.slots
    return answers.Letter(body=rulebook.write(given.template, given.language, slots).text)


def hour(given: Hour) -> answers.Prose:
    """The computed telling."""
    return answers.Prose(text=given.told)


def _understood(message: Message) -> understanding.Understood:
    written = datetime.combine(message.sent_on, time(12), UTC)
    return understanding.understand(message.text, message.subject, written=written)


def _sentences(text: str) -> Any:
    return (part.strip() for part in re.split(r"(?<=[.!?…])\s+|\n+", text) if part.strip())
