"""What a sentence looks like to the small linear model that tells requests from statements."""

from __future__ import annotations

import re
from itertools import pairwise

from brain.reading.ask_weights import BIAS, WEIGHTS

MAX_TOKENS = 60
_NOTHING: frozenset[str] = frozenset()

_TOKEN = re.compile(r"<at>|<link>|<n>|[a-z]+(?:'[a-z]+)?|[?!]")
_LINK = re.compile(r"\$link\b|https?://\S+|www\.\S+", re.IGNORECASE)
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,128}\.\S+")
_NUMBER = re.compile(r"\$?\d[\d,.:/-]*")
_VOCATIVE = re.compile(
    r"^(?:(?:hi|hello|hey|dear|ok|okay|so|also|and|but|then|thanks|well|anyway|again|finally|next|now"
    r"|first)\b[\s,.:;-]*)*"
    r"(?:[A-Z][\w.'/&]+(?:(?: and | ?[/&] ?|, | )[A-Z][\w.'/&]+){0,3}\s*(?:,|--?|:|\.\.+)\s*)?"
    r"(?:(?:also|so|and|then|if possible|asap|when you (?:get|have) a (?:chance|minute|moment)|in the meantime|as "
    r"soon as possible)\b[\s,]*)*",
)
_PLEASE = re.compile(r"^(?:please|pls|plse|plz|kindly)\b[\s,.:]*", re.IGNORECASE)

_VERBS = (
    "add advise allow answer apply approve arrange ask assign attach attend be book bring buy call cancel change "
    "check choose circulate clarify click close come comment complete confirm consider contact coordinate copy "
    "correct create delete deliver describe discuss distribute do don't download draft drop email e-mail ensure "
    "enter explain fax feel file fill find finish fix follow forget forward get give go have help hold include "
    "indicate inform install invite join keep leave let look mail make mark meet move need note notify open order "
    "pass pay pick place plan post prepare print proceed process provide pull put read register remember remind "
    "remove rename reply request respond resend reset reserve return review run save say schedule see select send "
    "set share ship show sign sit speak start stay stop submit subscribe take talk tell think touch track transfer "
    "try turn type update upload use verify view visit wait wake watch work write"
)
_VERB = "|".join(sorted(_VERBS.split(), key=len, reverse=True))

_PATTERNS = {
    "imperative": rf"^(?:{_VERB})\b(?! (?:is|was|are|were|has|will|by|of)\b)",
    "please_verb": rf"\b(?:please|pls|plse|kindly)\b(?: \w+ly)? (?:{_VERB})\b",
    "please": r"\b(?:please|pls|plse|plz|kindly)\b",
    "can_you": r"\b(?:can|could|would|will|might|may) (?:you|u|one of you|someone|somebody|anyone|we|i)\b",
    "starts_modal_you": r"^(?:can|could|would|will|might) (?:you|u|someone|somebody|anyone|one of you)\b",
    "starts_modal_we": r"^(?:can|could|should|shall|may) (?:we|i)\b",
    "do_you": r"^(?:do|did|have|are|were|is|does|has|was|any|possible|what|when|where|who|why|how|which)\b.*\?",
    "let_me_know": r"\blet (?:me|us|\w+) know\b",
    "lets": r"\b(?:let's|let us|lets)\b",
    "give_call": (
        r"\b(?:give|gimme|giving) (?:me|us|him|her|them|\w+) (?:a )?(?:quick )?(?:call|ring|buzz|shout|holler)\b"
    ),
    "call_me": r"\b(?:call|phone|ring|page|reach|contact|email|e-mail) (?:me|us)\b",
    "call_at": r"\b(?:call|phone|reach|contact|reached|called) (?:\w+ ){0,3}(?:at|on) (?:my |the )?<n>",
    "need_you": (
        r"\b(?:need|want|like|ask|asking|expect|require|requested|encourage|urge|advise|remind|trust|invite"
        r"|love)\w* (?:all of |each of |for )?you(?:r)?\b"
    ),
    "you_to": r"\byou (?:all )?to (?:\w+)",
    "you_need": (
        r"\byou(?:'ll| will| should| must| may| might| can| could| have| need|'d better| ought| are requested| "
        r"still need| would need)\b.{0,20}"
    ),
    "you_must": (
        r"\byou(?:'ll| will)? (?:need|should|must|have|ought|are (?:asked|requested|invited|required|encouraged)|'d "
        r"better)\b"
    ),
    "we_need": r"\b(?:we|i)(?:'ll| will| would| may| might)? (?:still |also |really )?need\b",
    "we_should": r"\b(?:we|i) (?:should|need to|must|have to|ought to|would like to|want to|'d like to|could)\b",
    "id_like": (
        r"\b(?:i'd|i would|we'd|we would) (?:also )?(?:like|love|appreciate|suggest|recommend|prefer|propose|be "
        r"(?:grateful|happy))\b"
    ),
    "appreciate": r"\b(?:appreciate|grateful|thankful)\b",
    "wonder": (
        r"\b(?:wonder(?:ing)? if|was hoping|hoping (?:you|we|to)|would it be possible|is it possible|any chance|do "
        r"you mind|would you mind)\b"
    ),
    "make_sure": (
        r"\b(?:make sure|be sure|ensure|don't (?:forget|hesitate)|do not hesitate|feel free|remember to|take a "
        r"(?:look|minute|moment))\b"
    ),
    "question": r"\?\s*$",
    "question_inside": r"\?",
    "if_questions": r"\bif you (?:have|need|want|would like|wish|are|'d like|any|can|could)\b",
    "any_questions": (
        r"\b(?:any|further|other) (?:questions?|comments?|concerns?|problems?|thoughts|suggestions|changes|input)\b"
    ),
    "available": r"\b(?:available|free|convenient|works? (?:best )?for you|open)\b",
    "meet": (
        r"\b(?:meet(?:ing)?|get together|lunch|dinner|conference call|schedule|appointment|discuss(?:ion)?|talk"
        r"|chat|touch base|coordinate)\b"
    ),
    "reached": r"\b(?:i|we) (?:can|may|could|will) be reached\b",
    "told": r"\b(?:he|she|they|who|which|it|that|this|there|his|her|their|our)\b",
    "past": (
        r"\b(?:was|were|had|did|sent|received|got|went|told|asked|said|called|thought|wanted|agreed|been|met|made"
        r"|came|left|seen|heard|\w+ed)\b"
    ),
    "you": r"\byou\b",
    "your": r"\byour\b",
    "starts_i": r"^(?:i|i'm|i've|i'll|i'd)\b",
    "starts_we": r"^(?:we|we're|we've|we'll|we'd)\b",
    "starts_it": r"^(?:it|this|that|these|those|there|the|a|an|he|she|they|his|her|their|our|my)\b",
    "starts_if": (
        r"^(?:if|when|once|in case|should you|after|before|as|since|because|while|although|though|for|in|on|at|to"
        r"|from|with)\b"
    ),
    "if_then_verb": (
        rf"^(?:if|when|once|in case|should you|after|before|as|for|to)\b.*?, (?:please |just |then )?(?:{_VERB})\b"
    ),
    "link": r"<link>",
    "address": r"<at>",
    "sell": (
        r"\b(?:free|offer|sale|save|deal|discount|subscribe|unsubscribe|click|newsletter|app|account|download"
        r"|exclusive|shop|store|sign up|upgrade|win|earn)\b"
    ),
    "click": r"\b(?:click|visit|follow) (?:on )?(?:here|the|this|below)\b",
    "thank": r"^(?:thanks|thank you)\b",
    "you_can": r"\byou (?:can|may|could|might)\b",
    "will_you": r"\b(?:i|we)(?:'ll| will| shall| am going to)\b",
    "when_date": (
        r"\b(?:today|tomorrow|tonight|monday|tuesday|wednesday|thursday|friday|asap|this (?:week|afternoon|morning"
        r"|evening|weekend)|next week|soon|deadline|by <n>|noon)\b"
    ),
    "imperative_later": (
        rf"(?:[,;:.]|--?| and| but| so| or| then) (?:please |pls |just |also |then |do |do not )?(?:{_VERB}) (?:me"
        rf"|us|him|her|them|it|this|the|that|a|an|your|my|to|back|with|out|in|on|up|at|sure|know)\b"
    ),
}  # fmt: skip
# A pattern is tried only where one of these words stands (or a token such as `?`): most sentences hold few of them.
_NEEDS = {
    "please_verb": "please pls plse kindly",
    "please": "please pls plse plz kindly",
    "can_you": "can could would will might may",
    "do_you": "?",
    "let_me_know": "let",
    "lets": "let's let lets",
    "give_call": "give gimme giving",
    "call_me": "call phone ring page reach contact email mail",
    "call_at": "call phone reach contact reached called",
    "you_to": "you",
    "you_need": "you you'll you'd",
    "you_must": "you you'll you'd",
    "we_need": "need",
    "we_should": "should need must have ought would want like could we'd i'd",
    "id_like": "i'd i would we'd we",
    "appreciate": "appreciate grateful thankful",
    "wonder": "wonder wondering was hoping would possible any mind",
    "make_sure": "make sure ensure don't do not free remember take",
    "question": "?",
    "question_inside": "?",
    "if_questions": "if",
    "any_questions": "any further other",
    "available": "available free convenient work works open",
    "meet": (
        "meet meeting get lunch dinner conference schedule appointment discuss discussion talk chat touch coordinate"
    ),
    "reached": "reached",
    "told": "he she they who which it that this there his her their our",
    "you": "you",
    "your": "your",
    "link": "<link>",
    "address": "<at>",
    "sell": (
        "free offer sale save deal discount subscribe unsubscribe click newsletter app account download exclusive shop "
        "store sign upgrade win earn"
    ),
    "click": "click visit follow",
    "you_can": "you",
    "when_date": (
        "today tomorrow tonight monday tuesday wednesday thursday friday asap this next soon deadline by noon"
    ),
}
_AT_START = frozenset(name for name, pattern in _PATTERNS.items() if pattern.startswith("^"))
_COMPILED = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}
_ALWAYS = frozenset(_PATTERNS) - _NEEDS.keys()
_CALLED_BY: dict[str, frozenset[str]] = {
    word: frozenset(name for name, words in _NEEDS.items() if word in words.split())
    for word in {word for words in _NEEDS.values() for word in words.split()}
}

_PAIRS = (
    ("imperative", "link"),
    ("imperative", "sell"),
    ("please", "link"),
    ("question", "you"),
    ("question", "told"),
    ("question", "past"),
    ("if_questions", "please"),
    ("if_questions", "imperative_later"),
    ("you_can", "sell"),
    ("you_can", "link"),
    ("meet", "when_date"),
    ("meet", "id_like"),
    ("meet", "we_should"),
    ("starts_i", "meet"),
    ("starts_i", "you"),
    ("starts_we", "you"),
    ("sell", "link"),
    ("starts_it", "past"),
    ("call_me", "if_questions"),
)


def _table(kind: str) -> dict[str, float]:
    return {name.removeprefix(kind): weight for name, weight in WEIGHTS.items() if name.startswith(kind)}


_OF_PATTERN, _OF_PAIR, _OF_LENGTH = _table("p:"), _table("pp:"), _table("l:")
_OF_TOKEN, _OF_START, _OF_STARTS = _table("u:"), _table("s:"), _table("s2:")
_OF_NEIGHBOURS = {tuple(name.split(" ")): weight for name, weight in _table("b:").items()}
_WEIGHED_PAIRS = tuple((*pair, _OF_PAIR["+".join(pair)]) for pair in _PAIRS if "+".join(pair) in _OF_PAIR)


def score(sentence: str) -> float:
    """The sum of the weights of what holds of `sentence`: the more above 0, the surer it asks its reader something.

    Counted are patterns and pairs of them (p:, pp:), words and neighbours (u:, b:), the first one and two (s:, s2:),
    and the length (l:), each once.
    """
    text = _NUMBER.sub("<n>", _EMAIL.sub("<at>", _LINK.sub("<link>", sentence.replace("’", "'").strip())))
    bare = text[_vocative(text) :]
    lowered = bare.lower()
    started = _PLEASE.sub("", lowered)
    whole = text.lower()
    tokens = _TOKEN.findall(whole)
    hits = _hits(whole, lowered, started, tokens)
    if len(bare) < len(text):
        hits.add("vocative")
    if len(started) < len(lowered):
        hits.add("starts_please")
    del tokens[MAX_TOKENS:]
    first = _TOKEN.findall(started, 0, 200)[:2]
    total = BIAS + _OF_LENGTH.get(str(min(len(tokens) // 5, 8)), 0.0)
    total += sum(_OF_PATTERN.get(name, 0.0) for name in hits)
    total += sum(weight for one, other, weight in _WEIGHED_PAIRS if one in hits and other in hits)
    total += sum(_OF_TOKEN[token] for token in _OF_TOKEN.keys() & tokens)
    total += sum(_OF_NEIGHBOURS[pair] for pair in _OF_NEIGHBOURS.keys() & pairwise(tokens))
    return total + (_OF_START.get(first[0], 0.0) + _OF_STARTS.get(" ".join(first), 0.0) if first else 0.0)


def _hits(whole: str, lowered: str, started: str, tokens: list[str]) -> set[str]:
    """The patterns that hold; most are tried only where one of their words stands."""
    tried = set(_ALWAYS)
    for token in tokens:
        tried |= _CALLED_BY.get(token, _NOTHING)
        if "'" in token:
            tried |= _CALLED_BY.get(token.partition("'")[0], _NOTHING)
    hits = set()
    for name in tried:
        if name in _AT_START:
            found = _COMPILED[name].match(started if name == "imperative" else lowered)
        else:
            found = _COMPILED[name].search(whole)
        if found:
            hits.add(name)
    return hits


def _vocative(text: str) -> int:
    hit = _VOCATIVE.match(text)
    return hit.end() if hit and hit.end() < len(text) - 2 else 0
