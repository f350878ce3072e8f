"""What a model's mail leaves unsaid unless its facts hold it: figures, times and promises in words, ways elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from policy import doings
from policy.subjects import LEFT_ALONE

_OF_WORDS = (
    r"(?! (?:details|lines|words|sentences|things|points|questions|datos|lineas|palabras|frases|cosas|puntos|preguntas"
    r"|dados|linhas|palavras|coisas|pontos|perguntas)\b)"
)
"""What may be counted: how much there is to answer."""
_FIGURES_EVERYWHERE = (
    r"(?:three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty\w*|hundreds?|thousands?|millions?|dozens?|percent|twice|triple[ds]?"
    r"|tres|cuatro|cinco|siete|ocho|nueve|diez|trece|catorce|quince|dieci\w+|veint\w+|treinta\w*|(?:cuar|cincu|ses|set"
    r"|och|nov)enta\w*|cien|cientos?|(?:dos|tres|cuatro|quin|seis|sete|ocho|nove)(?:c|g)?ient[oa]s|quinient[oa]s"
    r"|mil(?:es|har(?:es)?)?|millon(?:es)?|milhao|milhoes|docenas?|por ciento|mitad|tercios?"
    r"|quatro|sete|oito|nove|dez|treze|quatorze|quinze|dezess?\w+|dezoito|dezenove|vinte|trinta|quarenta|cinquenta"
    r"|sessenta|setenta|oitenta|noventa|cem|cento|duzent\w+|trezent\w+|(?:quatro|sete|oito|nove)cent\w+|quinhent\w+"
    r"|seiscent\w+|duzias?|por cento|metade|tercos?)"
)
_FIGURES: Mapping[str, str] = {
    "en": rf"(?<!or )two{_OF_WORDS}|twofold|couple of|few (?:hundred|thousand)|half|thirds?|quarters?|double[ds]?"
    rf"|zero|nil"
    r"|zilch|grand|bucks",
    "es": rf"(?<!o )dos{_OF_WORDS}|once|doce|seis|par de (?!lineas|palabras)|doble|triple|medi[oa] (?:millon|precio)"
    rf"|cero",
    "pt": rf"dois{_OF_WORDS}|(?<!ou )duas{_OF_WORDS}|onze|doze|seis|meia duzia|par de (?!linhas|palavras)|dobro"
    rf"|triplo|meio milhao|zero",
}
_TIMES_EVERYWHERE = (
    r"(?:tomorrow|tonight|today|(?:mon|tues|wednes|thurs|fri|satur|sun)day|january|february|march|april|june|july"
    r"|august|september|october|november|december|next (?:week|month|year|quarter)"
    r"|(?<!good )(?<!nice )(?<!great )weekend|fortnight"
    r"|this (?:afternoon|evening|morning|month|quarter|year|summer|spring|autumn|winter)|end of (?:the |this )?"
    r"(?:day|week|month|quarter|year)|by end of|within (?:the|an?|one) (?:hour|day|week|month)"
    r"|in an? (?:day|week|month)"
    r"|one (?:day|week|month|hour)|in (?:summer|spring|autumn|winter)|(?:at )?(?:noon|midnight)|new year"
    r"|christmas|easter"
    r"|asap|at once|immediately|right away|straight ?away|shortly|in the morning|at the latest|deadline|no later"
    r"|on the (?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\w+(?:teen|tie)th|last)"
    r"|hoy|lunes|martes|miercoles|jueves|viernes|sabado|domingo|enero|febrero|marzo|abril|mayo|junio|julio|agosto"
    r"|septiembre|octubre|noviembre|diciembre|la proxima semana|el proximo (?:mes|ano|lunes)|la semana que viene"
    r"|pasado manana|esta (?:tarde|noche|manana)|este (?:mes|ano)|fin(?:es)? de(?:l)? (?:mes|semana|ano)|navidad"
    r"|de inmediato|inmediatamente|cuanto antes|en breve|en un(?:a|os|as)? (?:dias?|horas?|semanas?"
    r"|mes(?:es)?)(?! (?:complicad|ocupad|agitad))"
    r"|a mas tardar|hoje|amanha|segunda-feira|terca-feira|quarta-feira|quinta-feira|sexta-feira|janeiro|fevereiro|maio"
    r"|junho|julho|setembro|outubro|novembro|dezembro|semana que vem|mes que vem|ano que vem|a proxima semana"
    r"|no proximo (?:mes|ano)|na proxima semana|esta (?:tarde|noite)|fim d[oae] (?:mes|semana|ano)|natal"
    r"|imediatamente|o quanto antes|em breve|em um(?:a)? (?:dia|hora|semana|mes)|no maximo|prazo)"
)
_TIMES: Mapping[str, str] = {
    "en": r"dec|nov",
    "es": r"manana",
    "pt": r"na (?:segunda|terca|quarta|quinta|sexta)",
}
_HARMLESS_EN = (
    r"(?!\s+(?:gladly |happily |just |simply |then |not |of course |certainly )*"
    r"(?:leave|be|stop|wait|write|ask|understand|bother|keep|read|put|pick))"
)
_HARMLESS = (
    r"(?!(?:dejar|deixar|estar|quedar|ficar|seguir|esperar|aguardar|insistir|alegrar|molestar|incomodar"
    r"|leer|ler|agradecer"
    r"|encantar|volver|voltar|ser)\w*\b)"
)
"""Verbs that give nothing away: somebody leaves it here, is glad, waits."""
_COMMITMENTS = (
    rf"(?:i|we)(?:'ll| will| shall){_HARMLESS_EN}",
    r"(?:i|we)(?: am|'m| are|'re) going to",
    r"(?:it|this|that|they|everything|all|you|your \w+)(?:'ll| will) (?:be|get|receive|have|arrive|reach(?! me)"
    r"|happen|close)",
    r"promis\w+|assur\w+|my word|without fail|consider it done|make (?:it|this|that|things) right|responsib\w+"
    r"|to blame|(?:i|we) owe|commit(?:s|ted)? to",
    rf"{_HARMLESS}\w{{2,}}(?:aremos|eremos|iremos|arei|erei|irei)",
    rf"(?:le|les|lo|la|los|las|se|te|yo) {_HARMLESS}\w{{2,}}(?:are|ere|ire)",
    rf"(?:voy a|vamos(?: a)?|vou|iremos|irei) {_HARMLESS}\w+r",
    r"(?:sera[no]?|serao)(?! un placer| um prazer| bo[mn]| bueno| genial| otimo)",
    r"(?:quedara|llegara|recibira|obtendra)n?|(?:ficara|chegara|recebera|tera)o?",
    r"promet\w+|asegur(?:o|amos|ado)|(?:mi|nuestra) palabra|garantiz\w+|sin falta|responsabilidad(?:es)?|culpa"
    r"|(?:estamos|estoy) de acuerdo|comprometemos|prorrog\w+|bonific\w+|(?:le|les) regal\w+",
    r"promessas?|garant\w+|(?:minha|nossa) palavra|sem falta|responsabilidades?|concordamos|comprometo",
)
_OFFERS = (
    r"cheap\w*|discount\w*|rates?(?! (?:it|us|this|the|your|how|our)\b)|charg(?:e|es|ed|ing)|fees?|bargains?"
    r"|a deal for you|sav(?:e|es|ing)s? (?:money|you)"
    r"|(?:cash|money)[ -]?back|on us|special terms|reduc\w+|price cuts?|pays?|pagar|pagos?|pague\w*"
    r"|pagamentos?|gratis|vouchers?|last chance|second chance"
    r"|final notice|act now|you (?:have )?won|for less|better price|best price|costs? nothing"
    r"|barat\w+|descuent\w+|descont\w+|rebaj\w+|de regalo|de brinde|brindes?|cobr\w+|dinero|dinheiro|bonus|isent\w+"
    r"|ultima (?:oportunidad|chance|oportunidade)|abatiment\w+"
)
_PRICES = r"pric(?:e|es|ed|ing)|costs?|precios?|precos?|costos?|costes?|custos?"
_DEMANDS = (
    r"(?:call|ring|phone|text|meet|whatsapp|message) me|llam(?:e|ar|en)me|me (?:liga|ligue|ligar)|sue"
    r"|legal|(?<!your )court|lawyers?"
    r"|judicial\w*|demandas?|abogad\w+|advogad\w+|passwords?|contrasenas?|senhas?|cards?|card number|tarjetas?|cartao"
    r"|banks?|banc[oa]s?|(?:update|confirm|verify|check) (?:your|my|our) \w+|your account|su cuenta"
    r"|sua conta|cancell?\w*|extend\w*|ignor\w+"
)
_ELSEWHERE = (
    r"\bhxxps?\b|\bhttps?\b|\bwww\b|\bslash\b|\bdot\b|\[\.\]|\(\.\)|\b(?:punto|ponto)\s+(?:com|net|org"
    r"|info|io|co|app|dev|site"
    r"|online|shop|xyz|es|mx|ar|cl|pe|br|pt|example)\b|//|\\\\"
    r"|(?<![\w@])@\w|\b(?:telegram|whats ?app|facebook|instagram|linkedin|skype|zoom|wechat|tiktok|tinyurl|qr)\b"
    r"|\b(?:scan|download|log ?in|sign ?in|descarg\w+|baix(?:e|ar)|acess(?:e|ar)|inici(?:e|ar) sesion)\b"
    r"|\battach\w*|\badjunt\w+|\banex[oa]\w*|\bportal\b"
)
_DOTTED = re.compile(
    r"(?!(?:p\.ej|e\.g|i\.e)\b)[a-z0-9][\w-]*\s?\.[a-z][a-z-]+|[a-z]\s\.\s?[a-z]|\b[a-z],[a-z]{2}|[a-z]{2},[a-z]{2}"
    r"|(?!(?:and/or|y/o|e/ou|s/n)\b)\b[a-z-]{2,}/[a-z-]{2,}|(?:\b[a-z] ){3}[a-z]\b"
)
"""What looks like a name of the network, however it is stretched: in plain words a dot ends a sentence."""

_WORDS = r"(?<![\w'-])(?:{})(?![\w])"


def _pattern(*patterns: str) -> re.Pattern[str]:
    return re.compile(_WORDS.format("|".join(patterns)))


_BY_LANGUAGE = {
    language: (
        (_pattern(_FIGURES_EVERYWHERE, _FIGURES[language]), "a number in words"),
        (_pattern(_TIMES_EVERYWHERE, _TIMES[language]), "a time"),
        (_pattern(*_COMMITMENTS), "a commitment"),
        (_pattern(_OFFERS), "an offer"),
        (_pattern(_DEMANDS), "a demand"),
        *((_pattern(words[language]), what) for words, what in LEFT_ALONE),
        (re.compile(_ELSEWHERE), "a way elsewhere"),
        (_DOTTED, "what looks like an address"),
    )
    for language in _FIGURES
}
_ASKED_PRICES = _pattern(_PRICES)


def found(plain: str, known: str, language: str, *, priced: bool) -> Iterator[tuple[str, str]]:
    """The words of a text that its facts don't hold, each with what they are; both as `letters.plain` spells them.

    `priced`: the facts hold a total, and a price may be spoken of.
    """
    for pattern, what in _BY_LANGUAGE.get(language, _BY_LANGUAGE["en"]):
        for hit in pattern.finditer(plain):
            if not _stands(hit[0].strip(), known):
                yield hit[0].strip(), what
    for told in doings.untold(plain, language):
        if not _stands(told, known):
            yield told, "a deed"
    if not priced and (asked := _ASKED_PRICES.search(plain)) is not None and not _stands(asked[0], known):
        yield asked[0], "a price"


def _stands(words: str, known: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(words)}(?!\w)", known) is not None
