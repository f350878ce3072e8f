"""The words of what may not be said: payment details, secrets, threats, free gifts, discounts; in three languages."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """Patterns that mean one thing. A text that holds none of `hints` is not searched further."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def found(self, plain: str) -> tuple[str, ...]:
        """What was found in a text that `letters.plain` has spelled; three excerpts at most."""
        if not holds_any(plain, self.hints):
            return ()
        excerpts = dict.fromkeys(" ".join(match.group().split())[:80] for match in self.pattern.finditer(plain))
        return tuple(excerpts)[:3]


def holds_any(plain: str, hints: Iterable[str]) -> bool:
    """Whether a text holds one of some hints."""
    # a loop, because `any` with a generator takes twice as long, and this runs a hundred times for each mail
    for hint in hints:  # noqa: SIM110
        if hint in plain:
            return True
    return False


_SOME_WORDS = r"[^.!?\n]{0,60}?"
"""Some words of the same sentence: what `~` stands for in a pattern."""


def family(hints: str, *patterns: str) -> Family:
    """A family from its hints (parted by spaces, `+` for a space) and patterns (`~` for some words between)."""
    joined = "|".join(patterns).replace("~", _SOME_WORDS)
    return Family(tuple(hint.replace("+", " ") for hint in hints.split()), re.compile(joined))


_CHANGE = (
    r"(?:chang(?:e|ed|es|ing)|updat(?:e|ed|es|ing)|new|switch(?:ed|ing)?|replac(?:e|ed|es|ing)|different|moved"
    r"|cambi(?:o|ado|amos|aron|ar|e)|actualiz(?:ar|ado|ada|ados|amos|acion)|nuev[oa]s?|modific(?:ar|ado|amos|acion)"
    r"|mud(?:ou|amos|anca|aram|ar)|atualiz(?:ar|ado|ados|amos|acao)|nov[oa]s?|alter(?:ar|ado|amos|acao))"
)
_BANK = (
    r"(?:bank(?:ing)? (?:account|details?|information|info|coordinates)|our bank|account (?:number|details)"
    r"|routing number|sort code|iban|swift(?: code)?|wire (?:transfer )?(?:instructions|details)|ach details"
    r"|(?:payment|billing) (?:details|instructions|information|account)|remittance (?:details|instructions|address)"
    r"|(?:datos|detalles|informacion) (?:bancari[oa]s?|de pago|de la cuenta)|cuenta (?:bancaria|corriente|de ahorros?)"
    r"|clabe|nuestro banco|dados (?:bancarios|de pagamento|da conta)|conta (?:bancaria|corrente|poupanca)|chave pix"
    r"|coordenadas bancarias|nosso banco)"
)
PAYMENT_DETAILS = family(
    "bank iban routing sort+code swift wire account payment billing remittance ach+ cuenta datos banc pago clabe"
    " conta pix dados pagamento agencia",
    rf"\b{_CHANGE}\b~\b{_BANK}\b",
    rf"\b{_BANK}\b~\b(?:(?:has|have) (?:been )?(?:changed|updated|moved)|(?:is|are) (?:now|new)\b|will change"
    r"|ha(?:n)? (?:cambiado|sido (?:actualizad|modificad))|cambi(?:o|aron)\b|mudou|mudaram"
    r"|fo(?:i|ram) (?:alterad|atualizad))",
    r"\b(?:send|wire|transfer|remit|deposit|pay)\b~\b(?:to|into) (?:the |our |this )?(?:following|new|below|attached)\b"
    r"[^.!?\n]{0,20}?\baccount\b",
    r"\b(?:transfier\w*|deposit\w*|pag(?:ue|uen|ar)|abon\w*)\b~\b(?:siguiente|nueva) cuenta\b",
    r"\b(?:transfir\w*|deposit\w*|pagu?e\w*)\b~\b(?:seguinte|nova) conta\b",
    r"\b(?:account|routing|sort code|cuenta|conta|agencia|clabe|pix)\b[^.!?\n]{0,24}?[:#=]\s*\d[\d -]{5,}",
)

_KEY = (
    r"(?:pass ?(?:word|code|phrase)s?|passwd|pwd|login credentials|client secret"
    r"|(?:api|secret|access|private|encryption|ssh)[ _-]?keys?|(?:access|auth|bearer|refresh|security)[ _-]?token"
    r"|one[- ]time (?:code|password)|otp|pin(?: code)?|cvv2?|cvc"
    r"|contrasenas?|clave(?: de acceso| secreta)?|codigo de (?:seguridad|verificacion)"
    r"|senhas?|chave(?: de acesso| secreta| de api)|codigo de (?:seguranca|verificacao))"
)
_OWNER = r"(?:your|the|my|our|su|tu|la|el|sua|seu|a|o)"
_NO_VALUE = (
    r"(?!(?:being|going|not|no|nao|safe|secure|important|required|needed|ready|about|to|the|a|que|muy|muito|segur\w*"
    r"|never|always|still|also|what|how|importante|necesari[oa])\b)"
)
CREDENTIALS = family(
    "pass pwd login key token secret otp pin cvv cvc one-time one+time contrasena clave codigo senha chave usuario user"
    " sk- sk_ rk_ akia ghp_ gho_ ghu_ ghs_ ghr_ github_pat xox eyj re_ aiza glpat whsec",
    rf"\b{_KEY}\b\s*(?:is|are|was|es|son|e|sao)?\s*[:=]\s*[^\s,;]{{3,}}",
    rf"\b{_OWNER}\s+(?:new |temporary |nueva |nova )?{_KEY}\s+(?:is|es|e|sera|will be)\s+{_NO_VALUE}[^\s,;]{{4,}}",
    r"\b(?:send|give|tell|share|confirm|provide|reply with|enter|verify|envi\w*|indiqu\w*|confirm\w*|comparta\w*"
    rf"|inform\w*|diga\w*|forne\w*)\b[^.!?\n]{{0,30}}?\b(?:your|su|tu|sua|seu|la|a)\s+(?:\w+ )?{_KEY}\b",
    r"\b(?:user ?name|usuario|login)\s*[:=]\s*\S+[\s\S]{0,40}?\b(?:pass\w*|contrasena|senha|clave|pwd)\s*[:=]",
    r"\bsk-(?:ant-|proj-)?[a-z0-9_-]{16,}|\bakia[0-9a-z]{16}\b|\bgh[pousr]_[a-z0-9]{20,}|\bgithub_pat_\w{20,}",
    r"\bxox[abprs]-[a-z0-9-]{10,}|\baiza[0-9a-z_-]{30,}|\bre_[a-z0-9_]{16,}|\bglpat-[\w-]{16,}",
    r"\bwhsec_[a-z0-9+/=]{16,}|\b[sr]k_(?:live|test)_[a-z0-9]{10,}|-----begin [a-z ]*private key-----",
    r"\beyj[a-z0-9_-]{10,}\.[a-z0-9_-]{10,}\.[a-z0-9_-]{5,}",
)

LEGAL_THREATS = family(
    "legal court sue suing prosecut suit against+you lawyer attorney solicitor litigat collect demanda judicial"
    " tribunal abogad juicio querella acciones process acionar advogad medidas acoes acao protesto",
    r"\b(?:tak(?:e|ing)|pursu(?:e|ing)|initiat(?:e|ing)|start(?:ing)?|begin(?:ning)?|commenc(?:e|ing)|face"
    r"|consider(?:ing)?|seek(?:ing)?|bring(?:ing)?|resort to)\b~"
    r"\blegal (?:action|proceedings|steps|measures|remedies)\b",
    r"\b(?:see|take|meet|drag) you (?:in|to) court\b|\b(?:sue|suing|prosecute) (?:you|your)\b",
    r"\bfile (?:a |suit|legal )?\s?(?:lawsuit|suit|claim|charges)? ?against (?:you|your)\b",
    r"\b(?:our|my) (?:lawyers?|attorneys?|solicitors?|legal (?:team|department|counsel))\b~"
    r"\b(?:will|shall|contact you|be in touch|have been instructed)\b",
    r"\bhear from (?:our|my) (?:lawyers?|attorneys?|solicitors?)\b",
    r"\b(?:refer|hand|pass|send|turn)\w*\b~"
    r"\b(?:to|over to) (?:a |our |the )?(?:debt collect\w+|collections?(?: agency)?)\b",
    r"\b(?:failure to (?:pay|respond|comply)|if you (?:do not|don't|fail to) (?:pay|respond|comply))\b[^.!?\n]{0,80}?"
    r"\b(?:legal|court|lawsuit|litigation)\b",
    r"\b(?:tomar|iniciar|emprender|ejercer|presentar|interpon\w*)(?:emos)?\b~"
    r"\b(?:acci(?:on|ones) legal(?:es)?|medidas legales|demanda|querella|acciones judiciales)\b",
    r"\b(?:lo|la|le|te|los|les) (?:demandar(?:e|emos)|llevar(?:e|emos) a (?:juicio|los tribunales))\b",
    r"\bnuestr[oa]s? abogad[oa]s?\b~\b(?:contactar|comunicar|pondra|proceder)\w*",
    r"\b(?:por )?via judicial\b|\bcobranza judicial\b",
    r"\b(?:tomar|iniciar|mover|ajuizar|entrar com)(?:emos)?\b~"
    r"\b(?:medidas (?:legais|judiciais|cabiveis)|ac(?:ao|oes) (?:judicial|judiciais)|processo judicial)\b",
    r"\b(?:vamos|iremos|vou) (?:processar|acionar)\b~\b(?:voces?|sua empresa|judicialmente|na justica)\b",
    r"\bnoss[oa]s? advogad[oa]s?\b~\b(?:entrar|contatar|procurar)\w*|\bprotesto (?:em cartorio|do titulo)\b",
)

FREE_OF_CHARGE = family(
    "free no+charge no+cost no+extra no+additional complimentary gratis gratuit sin+cost sin+cargo sem+custo"
    " sem+cobranca de+graca cortesia on+the+house waiv",
    r"\b(?:free of (?:charge|cost)|for free|at no (?:extra |additional )?(?:cost|charge)|complimentary|on the house)\b",
    r"\bfree (?:shipping|delivery|trial|month|upgrade|installation|sample|consultation|of fees)\b",
    r"\bwaiv(?:e|ed|ing)\b~\b(?:fee|charge|cost)s?\b",
    r"\b(?:gratis|gratuit[oa]s?|gratuitamente|sin (?:costo|coste|cargo)s?|sem (?:custos?|cobranca)|de graca)\b",
    r"\b(?:de|por) cortesia\b",
)

DISCOUNTS = family(
    "discount % percent rebate price+match special+price best+price lower+price descuent rebaj bonific"
    " precio descont abatiment preco promo cupon coupon voucher cupom 2x1 2+for+1 two+for+one cheaper reduction",
    r"\b(?:offer\w*|giv(?:e|ing)|grant\w*|appl(?:y|ied)|extend\w*|includ\w*|get|receive|enjoy|with|save|exclusive|special"
    r"|extra|additional|a|an|your|our|off?)\b[^.!?\n]{0,30}?"
    r"\b(?:discounts?|rebates?)\b(?! (?:request|question|policy))",
    r"\d{1,3}(?:[.,]\d+)?\s?(?:%|percent)\s?(?:off|discount|rebate|reduction|cheaper|less)\b",
    r"\b(?:price match|special price|best price|lower price)\b",
    r"\b(?:descuentos?|rebajas?|bonificacion(?:es)?|precios? especial(?:es)?|mejor precio|precio promocional)\b",
    r"\b(?:descontos?|abatimentos?|precos? especia(?:l|is)|melhor preco|preco promocional)\b",
    r"\bpromo(?:tional)? (?:code|price)\b|\b(?:coupon|voucher|cupon|cupom|2x1|2 for 1|two for one)\b",
)
