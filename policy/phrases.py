"""The words of what may not be said: payment details, secrets, threats, promises; English, Spanish and Portuguese."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Patterns that mean one thing. A text that holds none of `hints` is not searched further."""

    hints: tuple[str, ...]
    patterns: tuple[re.Pattern[str], ...]

    def found(self, plain: str) -> tuple[str, ...]:
        """What was found in a text that `letters.plain` has spelled, three excerpts at most."""
        if not any(hint in plain for hint in self.hints):
            return ()
        excerpts = [match.group() for pattern in self.patterns for match in pattern.finditer(plain)]
        return tuple(dict.fromkeys(" ".join(excerpt.split())[:80] for excerpt in excerpts))[:3]


def _family(hints: str, *patterns: str) -> Family:
    return Family(tuple(hints.split("|")), tuple(re.compile(pattern) for pattern in patterns))


_NEAR = r"[^.!?\n]{0,60}?"
_BANK = (
    r"(?:bank(?:ing)? (?:account|details?|information|info|coordinates)|account (?:number|details)|routing number|sort code|"
    r"iban|swift(?: code)?|wire (?:instructions|details|transfer details)|payment (?:details|instructions|information|account)|"
    r"remittance (?:details|instructions|address)|ach details|billing account|bank|"
    r"(?:datos|detalles|informacion) (?:bancari[oa]s?|de pago|de la cuenta)|cuenta (?:bancaria|corriente|de ahorros?)|clabe|"
    r"dados (?:bancarios|de pagamento|da conta)|conta (?:bancaria|corrente|poupanca)|chave pix|coordenadas bancarias)"
)
_CHANGE = (
    r"(?:chang(?:e|ed|es|ing)|updat(?:e|ed|es|ing)|new|switch(?:ed|ing)?|replac(?:e|ed|es|ing)|different|moved|"
    r"cambi(?:o|ado|amos|aron|ar|e|o de)|actualiz(?:ar|ado|ada|amos|acion|ados)|nuev[oa]s?|modific(?:ar|ado|amos|acion)|"
    r"mud(?:ou|amos|anca|aram|ar)|atualiz(?:ar|ado|amos|acao|ados)|nov[oa]s?|alter(?:ar|ado|amos|acao))"
)
PAYMENT_DETAILS = _family(
    "bank|iban|routing|sort code|swift|wire|account|payment|remittance|ach|transfer|cuenta|bancari|pago|clabe|conta|pix|pagamento",
    rf"\b{_CHANGE}\b{_NEAR}\b{_BANK}\b",
    rf"\b{_BANK}\b{_NEAR}\b(?:(?:has|have) (?:been )?(?:changed|updated|moved)|(?:is|are) (?:now|new)|will change|"
    r"ha(?:n)? (?:cambiado|sido (?:actualizad|modificad))|cambi(?:o|aron)|mudou|mudaram|fo(?:i|ram) (?:alterad|atualizad))",
    r"\b(?:send|wire|transfer|remit|deposit|pay)\b[^.!?\n]{0,40}?\b(?:to|into) (?:the |our |this )?(?:following|new|below|attached)[^.!?\n]{0,20}?\baccount\b",
    r"\b(?:transfier\w*|deposit\w*|pag(?:ue|uen|ar)|abon\w*)\b[^.!?\n]{0,40}?\b(?:siguiente|nueva) cuenta\b",
    r"\b(?:transfir\w*|deposit\w*|pagu?e\w*)\b[^.!?\n]{0,40}?\b(?:seguinte|nova) conta\b",
    r"\b(?:account|routing|sort code|cuenta|conta|agencia|clabe|pix)\b[^.!?\n]{0,24}?[:#=]\s*\d[\d -]{5,}",
)

_SECRET = (
    r"(?:pass ?(?:word|code|phrase)s?|passwd|pwd|login credentials|(?:api|secret|access|private|encryption|ssh)[ _-]?keys?|client secret|"
    r"(?:access|auth|bearer|refresh|security)[ _-]?token|one[- ]time (?:code|password)|otp|pin(?: code)?|cvv2?|cvc|"
    r"contrasenas?|clave(?: de acceso| secreta)?|codigo de (?:seguridad|verificacion)|"
    r"senhas?|chave(?: de acesso| secreta| de api)|codigo de (?:seguranca|verificacao))"
)
CREDENTIALS = _family(
    "pass|pwd|login|key|token|secret|otp|pin|cvv|cvc|one-time|contrasena|clave|codigo|senha|chave|sk-|akia|ghp_|xox|eyj|re_|aiza|"
    "credential|credencia|glpat|whsec|sk_|rk_",
    rf"\b{_SECRET}\b\s*(?:is|are|was|es|son|e|sao)?\s*[:=]\s*[^\s,;]{{3,}}",
    rf"\b(?:your|the|my|our|su|tu|la|el|sua|seu|a|o)\s+(?:new |temporary |nueva |nova )?{_SECRET}\s+(?:is|es|e|sera|will be|would be)\s+(?!(?:being|going|not|no|nao|safe|secure|important|required|needed|ready|about|to|the|a|que|muy|muito|segur)\b)[^\s,;]{{4,}}",
    rf"\b(?:send|give|tell|share|confirm|provide|reply with|enter|verify|envi\w*|indiqu\w*|confirm\w*|comparta\w*|inform\w*|diga\w*|forne\w*)\b[^.!?\n]{{0,30}}?\b(?:your|su|tu|sua|seu|la|a)\s+(?:\w+ )?{_SECRET}\b",
    r"\b(?:user ?name|usuario|login)\s*[:=]\s*\S+[\s\S]{0,40}?\b(?:pass\w*|contrasena|senha|clave|pwd)\s*[:=]",
    r"\bsk-(?:ant-|proj-)?[a-z0-9_-]{16,}|\bakia[0-9a-z]{16}\b|\bgh[pousr]_[a-z0-9]{20,}|\bgithub_pat_\w{20,}|\bxox[abprs]-[a-z0-9-]{10,}|"
    r"\baiza[0-9a-z_-]{30,}|\bre_[a-z0-9_]{16,}|\bglpat-[\w-]{16,}|\bwhsec_[a-z0-9+/=]{16,}|\b[sr]k_(?:live|test)_[a-z0-9]{10,}|"
    r"\beyj[a-z0-9_-]{10,}\.[a-z0-9_-]{10,}\.[a-z0-9_-]{5,}|-----begin [a-z ]*private key-----",
)

LEGAL_THREATS = _family(
    "legal|court|sue|lawsuit|lawyer|attorney|solicitor|litigat|collection|prosecut|demanda|judicial|tribunal|abogado|juicio|"
    "cobranza|processo|processar|advogad|justica|protest|querella|penal|breach",
    r"\b(?:tak(?:e|ing)|pursu(?:e|ing)|initiat(?:e|ing)|start(?:ing)?|begin(?:ning)?|commenc(?:e|ing)|consider(?:ing)?|seek(?:ing)?|bring(?:ing)?|resort to|face)\b[^.!?\n]{0,24}?\blegal (?:action|proceedings|steps|measures|remedies|recourse)\b",
    r"\b(?:see|take|meet|drag) you (?:in|to) court\b|\b(?:sue|suing|prosecute) (?:you|your)\b|\bfile (?:a|suit|legal)?\s?(?:lawsuit|suit|claim|charges) against\b",
    r"\b(?:our|my) (?:lawyers?|attorneys?|solicitors?|legal (?:team|department|counsel))\b[^.!?\n]{0,40}?\b(?:will|shall|contact you|be in touch|have been instructed)\b|\bhear from (?:our|my) (?:lawyers?|attorneys?|solicitors?)\b",
    r"\b(?:refer|hand|pass|send|turn)\w*\b[^.!?\n]{0,40}?\b(?:debt collect\w+|collections? agency|collections)\b",
    r"\b(?:failure to (?:pay|respond|comply)|if you (?:do not|don't|fail to) (?:pay|respond|comply))\b[^.!?\n]{0,80}?\b(?:legal|court|lawsuit|litigation)\b",
    r"\b(?:tomar(?:emos)?|iniciar(?:emos)?|emprender(?:emos)?|ejercer(?:emos)?|interpon\w*|presentar(?:emos)?)\b[^.!?\n]{0,30}?\b(?:acciones? legal(?:es)?|medidas legales|demanda|querella|acciones judiciales)\b",
    r"\b(?:lo|la|le|te|los|les) (?:demandar(?:emos)?|llevar(?:emos)? a (?:juicio|los tribunales))\b|\bnuestros? abogados?\b[^.!?\n]{0,40}?\b(?:contactar|comunicar|pondra|proceder)\w*|\b(?:via judicial|cobranza judicial)\b",
    r"\b(?:tomar(?:emos)?|iniciar(?:emos)?|entrar(?:emos)? com|mover(?:emos)?|ajuizar(?:emos)?)\b[^.!?\n]{0,30}?\b(?:medidas (?:legais|judiciais|cabiveis)|acao judicial|acoes judiciais|processo(?: judicial)?)\b",
    r"\b(?:vamos|iremos) (?:processar|acionar)\b[^.!?\n]{0,20}?\b(?:voce|sua empresa|judicialmente|na justica)\b|\bnossos? advogados?\b[^.!?\n]{0,40}?\b(?:entrar|contatar|procurar)\w*|\bprotesto (?:em cartorio|do titulo)\b",
)

FREE_OF_CHARGE = _family(
    "free|no charge|no cost|no extra|no additional|complimentary|gratis|gratuit|sin cost|sin cargo|sem custo|de graca|cortesia|on the house|waive",
    r"\b(?:free of (?:charge|cost)|for free|at no (?:extra |additional )?(?:cost|charge)|complimentary|on the house|free (?:shipping|delivery|trial|month|upgrade|installation|of fees))\b",
    r"\bwaiv(?:e|ed|ing)\b[^.!?\n]{0,20}?\b(?:fee|charge|cost)s?\b",
    r"\b(?:gratis|gratuit[oa]s?|gratuitamente|sin (?:costo|coste|cargo)s?|sem (?:custos?|cobranca)|de graca|por cortesia)\b",
)
DISCOUNTS = _family(
    "discount|% off|percent off|rebate|price match|special price|best price|lower price|descuent|rebaj|bonific|precio especial|mejor precio|"
    "descont|abatiment|preco especial|melhor preco|promo|cupon|coupon|voucher|cupom|2x1|2 for 1|two for one",
    r"\b(?:offer\w*|giv(?:e|ing)|grant\w*|appl(?:y|ied)|extend\w*|includ\w*|get|receive|enjoy|with|save|exclusive|special|extra|additional|a|an|your|our|of|off)\b[^.!?\n]{0,30}?\b(?:discounts?|rebates?)\b(?! (?:request|question|you asked|policy))",
    r"\d{1,3}(?:[.,]\d+)?\s?(?:%|percent)\s?(?:off|discount|rebate|reduction|cheaper|less)\b|\b(?:price match|special price|best price|lower price)\b",
    r"\b(?:descuentos?|rebajas?|bonificacion(?:es)?|precios? especial(?:es)?|mejor precio)\b",
    r"\b(?:descontos?|abatimentos?|precos? especia(?:l|is)|melhor preco)\b",
    r"\b(?:promo(?:tional)? (?:code|price)|coupon|voucher|cupon|cupom|precio promocional|preco promocional|2x1|2 for 1|two for one)\b",
)
