"""The safety triggers: words of a client that a person must see at once; English, Spanish and Portuguese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

QUOTE_CHARACTERS = 300

_GAP = r"[^.!?\n]{0,60}?"
"""Some words of the same sentence."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns).replace("~", _GAP))


# Patterns meet text in lower case without accents; `~` stands for some words of the same sentence.
TRIGGERS: Mapping[str, re.Pattern[str]] = {
    "legal_threat": _any(
        r"\b(?:take|taking|pursue|pursuing|start|consider|considering|begin|face)\b"
        r"~\blegal (?:action|proceedings|steps)\b",
        r"\b(?:will|shall|going to|could|have to) (?:sue|take you to court)\b|\bsee you in court\b",
        r"\b(?:our|my) (?:lawyers?|attorneys?|solicitors?|legal (?:team|department|counsel))\b"
        r"~\b(?:will|has|have|is|are|shall)\b",
        r"\bhear(?:ing)? from (?:our|my) (?:lawyers?|attorneys?|solicitors?)\b",
        r"\b(?:file|bring) a (?:lawsuit|suit)\b",
        r"\b(?:tomar|emprender|iniciar)(?:emos)?\b~\b(?:acciones|medidas) (?:legales|judiciales)\b",
        r"\b(?:los|le|les|te) (?:vamos a demandar|demandare(?:mos)?|llevare(?:mos)? a juicio)\b",
        r"\b(?:nuestr[oa]s?|mis?) abogad[oa]s?\b~\b(?:se pondran?|contactaran?|procederan?|van? a|estan?)\b",
        r"\b(?:tomar|iniciar|mover|ajuizar|entrar com)(?:emos)?\b"
        r"~\b(?:medidas|acoes|acao) (?:legais|judicia(?:l|is))\b",
        r"\b(?:vou|vamos|iremos) processar?\b",
        r"\b(?:noss[oa]|meu|minha)s? advogad[oa]s?\b~\b(?:entrar|vai|vao)\w*",
    ),
    "threat_to_person": _any(
        r"\b(?:i|we)(?: will|'ll| am going to| are going to) (?:kill|hurt|shoot|stab|beat) "
        r"(?:you|him|her|them|somebody|someone)\b",
        r"\b(?:i|we) know where (?:you|he|she|they) lives?\b",
        r"\b(?:kill|hurt|harm) myself\b|\bend my (?:own )?life\b|\bbomb (?:in|at|under) (?:your|the)\b",
        r"\b(?:te|los?|las?|le) (?:voy|vamos) a (?:matar|golpear|disparar)\b|\bse donde (?:vives?|viven)\b",
        r"\b(?:voy a suicidarme|me voy a matar|quitarme la vida)\b",
        r"\b(?:vou|vamos) (?:te|lhe|vos|me) (?:matar|bater)\b|\bsei onde (?:voces?|ele|ela) moram?\b",
        r"\btirar (?:a )?minha (?:propria )?vida\b",
    ),
    "fraud_suspicion": _any(
        r"\b(?:fraud|fraudulent|scam|scammed|phishing|impersonat\w+|forged|counterfeit)\b",
        r"\b(?:unauthori[sz]ed|suspicious) (?:charge|payment|transfer|transaction|invoice|withdrawal)s?\b",
        r"\b(?:fraudes?|fraudulent[oa]s?|estafas?|estafad[oa]s?|suplantacion|falsificad[oa]s?)\b",
        r"\b(?:cargo|pago|transferencia|factura)s? (?:no autorizad[oa]|sospechos[oa])s?\b",
        r"\b(?:sofri|sofremos|caimos em|cai em|vitimas? de) (?:um )?golpe\b|\bgolpe (?:do|de) (?:boleto|pix)\b",
        r"\b(?:cobranca|pagamento|transferencia|fatura|nota)s? (?:nao autorizad[oa]|suspeit[oa])s?\b",
    ),
    "data_erasure_demand": _any(
        r"\b(?:delete|erase|destroy|remove)\b~\b(?:my|our)\b~\b(?:data|personal information|personal details)\b",
        r"\bright to (?:be forgotten|erasure)\b",
        r"\b(?:gdpr|ccpa|lgpd|rgpd)\b~\b(?:delet|eras|remov|borr|elimin|suprim|apag|exclu)\w*",
        r"\b(?:borr|elimin|suprim)\w*\b~\b(?:mis|nuestros) (?:\w+ )?datos\b|\bderecho (?:al olvido|de supresion)\b",
        r"\b(?:apag|exclu|elimin)\w*\b~\b(?:meus|nossos) (?:\w+ )?dados\b|\bdireito ao (?:esquecimento|apagamento)\b",
    ),
    "payment_detail_change": _any(
        r"\b(?:new|changed?|changing|updated?|updating|different|switched)\b"
        r"~\b(?:bank(?:ing)? (?:account|details?|information)|account (?:number|details)|iban|routing number|sort code"
        r"|wire instructions|payment details|remittance (?:details|address))\b",
        r"\b(?:bank(?:ing)? (?:account|details?|information)|account (?:number|details)|iban|payment details)\b"
        r"~\b(?:has|have) (?:been )?(?:changed|updated|moved)\b",
        r"\b(?:nuev[oa]s?|cambio|cambiado|cambiamos|actualiza\w+|modific\w+)\b"
        r"~\b(?:datos bancarios|cuenta bancaria|numero de cuenta|iban|clabe|datos de pago)\b",
        r"\b(?:datos bancarios|cuenta bancaria|numero de cuenta|clabe)\b~\b(?:ha|han) (?:cambiado|sido)\b",
        r"\b(?:nov[oa]s?|mudanca|mudamos|mudou|atualiza\w+|alter\w+)\b"
        r"~\b(?:dados bancarios|conta bancaria|numero d[ae] conta|chave pix|dados de pagamento)\b",
        r"\b(?:dados bancarios|conta bancaria|chave pix)\b~\b(?:mudou|mudaram|foi alterad|foram alterad)\w*",
    ),
}

FROM_ANYBODY = frozenset({"legal_threat", "threat_to_person", "data_erasure_demand"})
"""What counts whoever writes; the rest only from a known account, for spam speaks of money all day."""


@dataclass(frozen=True, slots=True)
class Found:
    """A trigger with the sentence that pulled it."""

    trigger: str
    quote: str


def search(*texts: str) -> list[Found]:
    """The triggers in these texts, each once, with the first sentence that holds it."""
    found: dict[str, Found] = {}
    for sentence in (each for text in texts for each in _sentences(text)):
        plain = _plain(sentence)
        for trigger, pattern in TRIGGERS.items():
            if trigger not in found and pattern.search(plain):
                found[trigger] = Found(trigger, sentence[:QUOTE_CHARACTERS])
    return list(found.values())


def _sentences(text: str) -> list[str]:
    # lines are often wrapped in the middle of a sentence; only an empty one ends it
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", text.replace("\r\n", "\n"))
    return [" ".join(each.split()) for each in re.split(r"(?<=[.!?])\s+|\n+", joined) if each.strip()]


def _plain(text: str) -> str:
    spelled = unicodedata.normalize("NFKD", text.casefold().replace("’", "'"))
    return "".join(each for each in spelled if not unicodedata.combining(each))
