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
    r"grosero\w*|nunca mas|desastr\w*|lament\w*|deficient\w*|verguenza"
    r"|ruim|ruins|mau|pessim\w*|horrive\w*|inaceitave\w*|decepcionad\w*|decepcao|irritad\w*|grosseir\w*|lamentave\w*"
    r"|vergonha|deixou a desejar|1/10|2/10|3/10|4/10|[12]/5)\b"
)
"""What says how they feel."""

_FAULTS = re.compile(
    r"\b(?:late|delay\w*|slow|wrong(?:ly)?|broken|damaged|missing|complain\w*|mistakes?|errors?|problem\w*|issues?"
    r"|incomplete|incorrect|defect\w*|fault\w*|scratched|leak(?:ed|ing|s)?"
    r"|tarde|tardo|tardaron|retras\w*|equivocad\w*|danad\w*|rot[oa]s?|queja\w*|falt(?:a|aba|aron|an|o)|fallo\w*|"
    r"incomplet[oa]s?|incorrect[oa]s?|defectuos\w*|lent[oa]s?"
    r"|atras(?:o|os|ad\w*|ou)|errad\w*|erros?|danificad\w*|quebrad\w*|reclam\w*|incomplet[oa]s?|incorret[oa]s?"
    r"|defeitu\w*|defeitos?|demor(?:ou|ad\w*|aram))\b"
)
"""What was wrong with the work: it counts unless it is denied, or only spoken of."""

_PLEASED = re.compile(
    r"\b(?:great|excellent|happy|happier|delighted|perfect\w*|wonderful|fantastic|thank you so much|good|well done"
    r"|lov(?:e|ed|ely)|impressed|recommend|smooth\w*|satisf(?:ied|ying)|pleased|top[- ]notch|fast|quick(?:ly)?"
    r"|professional|superb|amazing|brilliant|better|praise|helpful|as (?:promised|agreed|described|expected)"
    r"|excelente\w*|content[oa]s?|encant(?:ad\w*|o|aron)|perfect[oa]\w*|satisfech\w*|muy bien|buen[oa]?s?|genial\w*"
    r"|recomend\w*|recomiend\w*|estupend\w*|rapid[oa]s?|impecable\w*|felices|feliz|fenomenal|conforme\w*|gusto|mejor"
    r"|todo (?:bien|perfecto)|tudo (?:bem|certo)|all good"
    r"|otim[oa]s?|satisfeit\w*|muito b(?:om|em|oa)|b(?:om|oa)|bons|perfeit\w*|ador(?:ei|amos)|maravilh\w*|parabens"
    r"|impecave\w*|gostei|gostamos|melhor|8/10|9/10|10/10|[45]/5)\b"
)

_NOT = re.compile(
    r"\b(?:not|no|never|nothing|none|hardly|barely|without|neither|nor|cannot|(?:\w+n't)|any|far from|anything but"
    r"|sin|nunca|jamas|nada|ningun\w*|tampoco|ni|apenas|nem|sem|nao|nenhum\w*|longe de)\b"
)
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
    rest = _NO_DENIAL.sub(" ", _PRAISE.sub(" ", plain))
    pleased = praised
    for clause in _CLAUSE.split(rest):
        good, bad = _weighed(clause or "", supposed=bool(_SUPPOSED.search(plain)))
        if bad:
            return "negative"
        pleased = pleased or good
    return "positive" if pleased else "neutral"


def _weighed(clause: str, *, supposed: bool) -> tuple[bool, bool]:
    """Whether a clause shows pleasure, and whether it shows displeasure; a denial turns what it stands before."""
    good = bad = False
    for found in _PLEASED.finditer(clause):
        if _denied(clause, found.start()):
            bad = bad or not supposed
        else:
            good = True
    bad = bad or any(not _denied(clause, found.start()) for found in _DISPLEASED.finditer(clause))
    spoken_of = supposed or (good and _MENDED.search(clause) is not None)
    if not spoken_of:
        bad = bad or any(not _denied(clause, found.start()) for found in _FAULTS.finditer(clause))
    return good, bad


def _denied(clause: str, at: int) -> bool:
    return _DENIED.search(clause[:at]) is not None


def _sentences(words: str) -> Iterator[str]:
    # lines are often wrapped in the middle of a sentence; only an empty one ends it
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", words.replace("\r\n", "\n"))
    return (part.strip() for part in re.split(r"(?<=[.!?…])\s+|\n+", joined) if part.strip())


def _plain(sentence: str) -> str:
    spelled = unicodedata.normalize("NFKD", sentence.lower().replace("’", "'"))
    return "".join(each for each in spelled if not unicodedata.combining(each))
