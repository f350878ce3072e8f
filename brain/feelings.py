"""Feelings in words, by rules: what pleases, what is wrong, and what a denial turns round; in three languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

Feeling = Literal["negative", "neutral", "positive"]

LONGEST = 20_000
SPAN_CHARACTERS = 500


class Felt(NamedTuple):
    """A feeling, and the sentence that shows it."""

    feeling: Feeling
    span: str


_DISPLEASED = re.compile(
    r"\b(?:disappoint\w*|unhappy|unacceptable|terrible|awful|horrible|worst|frustrat\w*|annoy(?:ed|ing)"
    r"|dissatisf\w*|unsatisf\w*|too (?:late|slow|expensive)|waste of|let (?:me|us) down|rude|unprofessional|bad(?:ly)?"
    r"|poor(?:ly)?|careless|sloppy|useless|regret|nightmare|mess|appalling|upset|angry|never again"
    r"|decepcion\w*|insatisfech\w*|descontent\w*|inaceptable\w*|pesim\w*|mal[oa]?s?|fatal|enfadad\w*|molest[oa]s?|"
    r"grosero\w*|nunca mas|nunca mais|desastr\w*|lament\w*|deficient\w*|verguenza"
    r"|ruim|ruins|mau|pessim\w*|horrive\w*|inaceitave\w*|decepcionad\w*|decepcao|irritad\w*|grosseir\w*|lamentave\w*"
    r"|vergonha|deixou a desejar|1/10|2/10|3/10|4/10|[12]/5)\b"
)
"""What says how they feel."""

_FAULTS = re.compile(
    r"\b(?:late|delay\w*|slow|wrong(?:ly)?|broken|damaged|missing|complain\w*|mistakes?|errors?|problem\w*|issues?"
    r"|incomplete|incorrect|defect\w*|fault\w*|scratched|torn|dented|cracked|leak(?:ed|ing|s)?"
    r"|tarde|tardo|tardaron|retras\w*|equivocad\w*|danad\w*|rot[oa]s?|queja\w*|falt(?:a|an|am|aba|aban|ava|avam|aron|aram|o|ou)|fallo\w*|"
    r"incomplet[oa]s?|incorrect[oa]s?|defectuos\w*|lent[oa]s?"
    r"|atras(?:o|os|ad\w*|ou)|errad\w*|erros?|danificad\w*|quebrad\w*|reclam\w*|incomplet[oa]s?|incorret[oa]s?"
    r"|defeitu\w*|defeitos?|demor(?:ou|ad\w*|aram))\b"
)
"""What was wrong with the work: it counts unless it is denied, or only spoken of."""

_PLEASED = re.compile(
    r"\b(?:excellent|delighted|perfect\w*|wonderful|fantastic|thank you so much|well done|in good time"
    r"|lov(?:e|ed|ely)|impressed|recommend|smooth\w*|satisf(?:ied|ying)|top[- ]notch"
    r"|superb|amazing|brilliant|praise|helpful|as (?:promised|agreed|described|expected)"
    r"|excelente\w*|content[oa]s?|encant(?:ad\w*|o|aron)|perfect[oa]\w*|satisfech\w*|muy (?:bien|buen\w*)|genial\w*"
    r"|recomend\w*|recomiend\w*|estupend\w*|impecable\w*|fenomenal|(?:me|nos) gusto|todo conforme"
    r"|todo (?:bien|perfecto)|tudo (?:bem|certo)|all good"
    r"|otim[oa]s?|satisfeit\w*|muito b(?:om|em|oa|ons)|perfeit\w*|ador(?:ei|amos)|maravilh\w*|parabens"
    r"|impecave\w*|gostei|gostamos|8/10|9/10|10/10|[45]/5)\b"
)
"""What pleases, whatever it stands beside."""

_KIND = re.compile(
    r"\b(?:great|happy|happier|good|pleased|fast|quick(?:ly)?|professional|better|nice"
    r"|buen[oa]?s?|rapid[oa]s?|felices|feliz|conforme|mejor|gusto|b(?:om|oa|ons|oas)|melhor)\b"
)
"""Kind words that greetings and requests hold as well: they please only as a verdict, or beside a word of the work."""
_WORK = re.compile(
    r"^\s+(?:with|con|com\b|(?:[\w'-]+\s+){0,2}?(?:work|job|service|team|quality|deliver\w*|products?|experience"
    r"|communication|people|company|prices?|value|order|goods|packag\w*|stuff|results?|support|response|turnaround"
    r"|shipping|staff|effort|condition|shape|items?|boxes|finish|driver|care"
    r"|trabajo|servicio|equipo|calidad|entrega|productos?|experiencia|trato|atencion|comunicacion|precios?|pedido"
    r"|resultados?|estado|gente|empresa|acabado|labor"
    r"|trabalho|servicos?|equip[ea]|qualidade|produtos?|atendimento|comunicacao|precos?|encomenda|pessoal|acabamento)\b)"
)
_VERDICT = re.compile(
    r"(?:\b(?:is|are|was|were|been|am|looks?|looked|went|works?|worked|arrived|came|felt|turned out|everything|very"
    r"|really|so|pretty|extremely|super|quite|es|son|fue|fueron|era|eran|esta|estan|estaba|estuvo|quedo|quedaron|llego"
    r"|llegaron|salio|estamos|estoy|quedamos|muy|todo|servicio|entrega|trabajo|trato"
    r"|sao|foi|foram|estava|ficou|ficaram|chegou|chegaram|veio|estou|ficamos|fiquei|muito|tudo|servico|trabalho"
    r"|atendimento)|'s|'re|'m)\s+(?:[\w'-]+\s+)?$"
)
_NO_VERDICT = re.compile(r"^\s+(?:to|if|than|que|se|si|for you|options?|ligar|llamar)\b")
_ALONE = re.compile(
    rf"^\W*(?:(?:{_KIND.pattern}|very|so|really|all|just|and|thanks?|thank you|as always|it|everything|muy|todo|y|e"
    r"|gracias|muchas|como siempre|muito|tudo|obrigad[oa]|como sempre)\W*)+$"
)
_ASKS = re.compile(r"\?\s*$|\b(?:please|would like|need|want|por favor|favor|necesit\w*|quier\w*|quer\w*|precis\w*)\b")

_KIND_OF_TIME = (r"(?:great|good|nice|lovely|wonderful|happy|fantastic|excellent|pleasant|amazing|perfect|brilliant"
                 r"|buen[oa]?s?|feliz|felices|excelentes?|lind[oa]s?|bonit[oa]s?|genial|estupend[oa]s?|otim[oa]s?"
                 r"|b(?:om|oa|ons|oas)|maravilhos[oa]s?|perfeit[oa]s?|perfect[oa]s?)")  # fmt: skip
_TIME = (r"(?:days?|mornings?|afternoons?|evenings?|nights?|week|weekend|month|year|holidays?|vacation|summer|trip"
         r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|christmas|easter|birthday"
         r"|dias?|tardes?|noches?|semana|fin(?:es)? de semana|finde|puente|jornada|ano|navidad(?:es)?|fiestas|pascuas?"
         r"|vacaciones|verano|viaje|lunes|martes|miercoles|jueves|viernes|sabado|domingo"
         r"|noites?|fim de semana|final de semana|fds|feriado|natal|pascoa|ferias|viagem|segunda|terca|quarta|quinta"
         r"|sexta)(?:-feira)?")  # fmt: skip
_POLITE = re.compile(
    rf"\b(?:{_KIND_OF_TIME} (?:new |rest of (?:the|your) )?{_TIME}\b(?: ahead)?"
    r"|quick (?:question|note|one|call|reply|update|check|word|chat|response)|good ?bye"
    r"|good (?:luck|news|question|point)"
    r"|(?:would|might|will) be (?:\w+ )?(?:great|good|better|happy|nice|lovely|perfect|wonderful|fantastic)"
    r"|(?:love|recommend) to|(?:would|'d) love|(?:happy|pleased|delighted|good|great|nice) to"
    r"|thank(?:s| you)\b[^.!?]{0,80}\bin advance"
    r"|hope (?:you|this|that|all|everything|your)\b(?: [\w']+){0,5}? (?:great|good|nice|lovely|well|wonderful|happy)\b"
    r"|(?:pregunta|consulta|duda|pergunta|duvida|respuesta|resposta) rapida|rapida (?:pregunta|consulta|duda|pergunta)"
    r"|(?:mucho )?gusto en|con (?:mucho )?gusto|com (?:muito )?gosto|encantad[oa]s? de"
    r"|(?:seria|estaria) (?:\w+ )?(?:buen[oa]|bom|genial|mejor|melhor|estupendo|perfecto|perfeito|otimo|excelente)"
    r"|(?:lo|o) (?:mejor|melhor) (?:posible|possivel)|buena suerte|boa sorte"
    r"|(?:espero|esperamos) que(?: \w+){0,5}? (?:bien|bem|bueno|content[oa]s?|excelentes?))\b"
)
"""Greetings, wishes and manners: they say nothing of the work."""

_NOT = re.compile(
    r"\b(?:not|no|never|nothing|none|hardly|barely|without|neither|nor|cannot|(?:\w+n't)|any|far from|anything but"
    r"|sin|nunca|jamas|nada|ningun\w*|tampoco|ni|apenas|nem|sem|nao|nenhum\w*|longe de)\b"
)
_NOT_HERE = re.compile(
    r"\b(?:(?:have|has|had|did|do|was|were|is|are)(?:n't| not| never| still not)|never|still not|no|nunca|aun no|nao)"
    r"(?: (?:yet|still|been|he|hemos|han|ha|me|nos|todavia|ainda|foi|foram|fue|fueron|esta|estan)){0,3}"
    r" (?:received|receive|arrived|arrive|delivered|turned up|here|recib\w+|lleg\w+|entregad\w+|receb\w+|cheg\w+"
    r"|entregue\w*)\b(?!.*\b(?:complain\w*|quejas?|reclam\w*))"
)
"""What was ordered and is not there is no less than a fault."""
_BETWEEN = r"(?:[\s,]+[\w'-]+){0,3}?[\s,]*$"
"""So few words may stand between a denial and what it denies."""
_DENIED = re.compile(rf"(?:{_NOT.pattern}){_BETWEEN}")
_CLAUSE = re.compile(r"[;:()]|,\s*(?=(?:but|pero|mas|sino|although|though|aunque|embora)\b)|"
                     r"\b(?:but|pero|sino|porem|contudo|however|although|though|aunque|embora)\b")  # fmt: skip

_PRAISE = re.compile(
    r"\b(?:could(?:n't| not) (?:be|have been|ask for|wish for|have asked for)(?: (?:any|more|a))?"
    r" ?(?:happier|better|more|smoother|pleased|satisfied)?"
    r"|(?:can(?:'t|not)|could(?:n't| not)) (?:fault|complain)|nothing but (?:praise|good|positive)|never (?:been )?"
    r"(?:happier|better)|no complaints?|nothing to complain"
    r"|no (?:podria|puedo) (?:estar mas|quejarme)|sin quejas?|nada (?:de que|que) (?:quejarme|reclamar|objetar)"
    r"|no pued(?:o|e) ser mejor|nao (?:poderia|podia) (?:estar mais|ser melhor)|nada a reclamar|sem reclamac\w*"
    r"|nao tenho (?:do|nada a|de) que? ?(?:reclamar|queixar)\w*)\b"
)
"""Praise that sounds like its contrary."""
_NO_DENIAL = re.compile(r"\b(?:not (?:only|just)|no (?:solo|solamente)|nao (?:so|apenas|somente)|no doubt|sin duda"
                        r"|sem duvida|no hay duda|nao ha duvida)\b")  # fmt: skip
_SUPPOSED = re.compile(r"^\W*(?:if|should|in case|unless|si|en caso|se|caso|quando houver|whenever)\b")
_MENDED = re.compile(r"\b(?:solved|resolved|fixed|sorted|handled|solucion\w*|resuelt\w*|resolvi\w*|resolv(?:ieron|eram)"
                     r"|arregl\w*|corrig\w*|consert\w*)\b")  # fmt: skip


def felt(words: str) -> Felt:
    """How somebody feels about the work by what they write. Anything wrong counts for more than what pleases."""
    best = Felt("neutral", "")
    for sentence in _sentences(words[:LONGEST]):
        feeling = _of_sentence(_plain(sentence))
        if feeling == "negative":
            return Felt("negative", sentence[:SPAN_CHARACTERS])
        if feeling == "positive" and best.feeling == "neutral":
            best = Felt("positive", sentence[:SPAN_CHARACTERS])
    return best


def _of_sentence(plain: str) -> Feeling:
    praised = bool(_PRAISE.search(plain))
    rest = _NO_DENIAL.sub(" ", _POLITE.sub(" ", _PRAISE.sub(" ", plain)))
    pleased, asks = praised, plain.endswith("?")
    for clause in _CLAUSE.split(rest):
        good, bad = _weighed(clause or "", supposed=asks or bool(_SUPPOSED.search(plain)), asks=asks)
        if bad:
            return "negative"
        pleased = pleased or good
    return "positive" if pleased else "neutral"


def _weighed(clause: str, *, supposed: bool, asks: bool) -> tuple[bool, bool]:
    """Whether a clause shows pleasure, and whether it shows displeasure; a denial turns what it stands before."""
    good = bad = False
    for words, kind in ((_PLEASED, False), (_KIND, True)):
        for found in words.finditer(clause):
            if _denied(clause, found.start()):
                bad = bad or not supposed
            elif not asks:
                good = good or not kind or _is_verdict(clause, found)
    bad = bad or any(not _denied(clause, found.start()) for found in _DISPLEASED.finditer(clause))
    bad = bad or (not asks and _NOT_HERE.search(clause) is not None)
    spoken_of = (supposed and not asks) or (good and _MENDED.search(clause) is not None)
    if not spoken_of:
        bad = bad or any(not _denied(clause, found.start()) for found in _FAULTS.finditer(clause))
    return good, bad


def _is_verdict(clause: str, found: re.Match[str]) -> bool:
    """Whether a kind word judges the work: as what something was, beside a word of the work, or all by itself."""
    after = clause[found.end() :]
    if _ASKS.search(clause) or _NO_VERDICT.search(after):
        return False
    before = clause[: found.start()]
    return bool(_VERDICT.search(before) or _WORK.search(after) or _ALONE.search(clause))


def _denied(clause: str, at: int) -> bool:
    return _DENIED.search(clause[:at]) is not None


def _sentences(words: str) -> Iterator[str]:
    # lines are often wrapped in the middle of a sentence; only an empty one ends it
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", words.replace("\r\n", "\n"))
    return (part.strip() for part in re.split(r"(?<=[.!?…])\s+|\n+", joined) if part.strip())


def _plain(sentence: str) -> str:
    spelled = unicodedata.normalize("NFKD", sentence.lower().replace("’", "'"))
    return "".join(each for each in spelled if not unicodedata.combining(each))
