"""The gate for what a model wrote: nothing in it that the card's own facts don't hold, whoever told it to write so."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from domain.drafts import PAGE
from policy import content, letters, links, tongues, unsaid
from policy.phrases import family

SHORTEST, LONGEST = 40, 2_000
"""Characters of a body."""
MOST_LINES = 40
LONGEST_SLOT = 300
NO_FACT = frozenset({"variant", "tone", "person_informed"})
"""Slots that steer the wording and say nothing."""
NAMES = frozenset({"client_name", "person"})
"""Slots that others chose for themselves: said whole, or not at all; `first_name` excuses nothing but its greeting."""
HEADINGS = frozenset({"thread_subject", "deal_title"})
"""Slots in which the words of whoever wrote first may stand: repeated whole, and only where they do no harm."""

_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffc]|[\U000e0000-\U000e007f]"
)
_HTML = re.compile(r"<\s*/?\s*[a-zA-Z!?]|&(?:[a-z]{2,8}|#\w{1,6});|!\[|\]\s*\(")
_MARKS = re.compile(
    r"\{\{|\}\}|\{%|%\}|\[\[|\]\]|\[[^\]\n]{1,60}\]|<[^>\n]{1,60}>|\$\{|\{[a-z_ ]{1,40}\}|%[a-z_]+%"
    r"|_{4,}|\bx{3,}\b|lorem ipsum"
    r"|\b(?:to be (?:filled|completed)|insert (?:name|date|link)|nombre aqui|inserir)\b"
)
_OF_A_MODEL = family(
    "language+model +ai +bot modelo inteligencia assistant asistente assistente instruct instruc prompt system"
    " previous+message above+message original+message",
    r"\bas an? (?:ai|language model|assistant)\b|\blanguage model\b|\bi am an? (?:ai|bot|assistant)\b",
    r"\b(?:system|previous|above|original) (?:prompt|instructions?|message)\b|\bignore (?:all |the |your "
    r"|any )?\w* ?instruc",
    r"\b(?:modelo de (?:lenguaje|linguagem)|inteligencia artificial|como asistente|como assistente)\b",
    r"\b(?:instrucciones|instrucoes) (?:anteriores|previas|do sistema|del sistema)\b",
)
_COMMITS = family(
    "refund reimburs credit compensat waiv cancel agree accept contract sign liab fault mistake admit replac guarantee"
    " warrant reembols devolu abon compens cancel acept acord contrat firm respons culpa garant reemplaz substitu"
    " ressarc estorn aceit assin indeniz indemniz invoice factura fatura transfer deposit pay paid pag wire gift bonus"
    " prize premio exclusive approv aprob aprov confirm",
    r"\brefund\w*|\breimburs\w*|\b(?:full|store|account) credit\b|\bcredit(?:ed)? (?:your|the|you)\b|\bcompensat\w*",
    r"\bwaiv\w*|\b(?:i|we)(?:'ll| will| have| can|'ve)? (?:\w+ )?(?:cancel\w*|agree\w*|accept\w*"
    r"|replac\w*|sign(?:ed)?)\b",
    r"\b(?:our|my) (?:fault|liability|mistake)\b|\bliab(?:le|ility)\b|\bguarantee\w*|\bwarrant(?:y|ies"
    r"|ed)\b|\badmit\w*",
    r"\b(?:pay|paid|payment|invoice|deposit|transfer|wire)\b|\bgift\b|\bbonus\b|\bprize\b|\b(?:is|are"
    r"|been) (?:approved|confirmed)\b",
    r"\breembols\w*|\bdevolu(?:cion|cao|ciones|coes)\b|\bcompens\w*|\babon(?:ar|amos|aremos|o)\b"
    r"|\bindemniz\w*|\bindeniz\w*",
    r"\b(?:acept|cancel|firm|reemplaz)(?:amos|o|aremos|e)\b|\bacord(?:amos|aremos)\b|\b(?:aceit|cancel|assin"
    r"|substitu)(?:amos|o|aremos|imos|iremos)\b",
    r"\bnuestra (?:culpa|responsabilidad)\b|\bnossa (?:culpa|responsabilidade)\b|\bgarant(?:ia|izamos|imos|izo)\b",
    r"\b(?:pago|pagos|pague|pagar|factura|deposito|transferencia|pagamento|fatura|ressarc\w*|estorn\w*)\b|\bpremio\b",
    r"\b(?:esta|fue|foi) (?:aprobad[oa]|confirmad[oa]|aprovad[oa])\b",
)
_ADDRESS = re.compile(
    r"[\w.+-]+\s?(?:@|\(at\)|\[at\]| at (?=\w+ dot ))\s?[\w-]+(?:(?:\.|\s?\(dot\)\s?| dot )[\w-]+)+", re.IGNORECASE
)
_NUMBERS = re.compile(r"\d+")
_ITEM = re.compile(r"(?m)^\s*\d[.)] ")
"""Where an item of a list begins."""
_NAME = re.compile(r"(?<![\w@.'’-])[A-ZÀ-ÖØ-Þ][\w'’&.-]*[\w]")
_STARTS = re.compile(r"(?:^|[.!?:;…\n]\s*|[\"“«(¿¡—–-]\s*)$")
_LIKE_A_NAME = re.compile(r"[^\W_](?:[^\W_]|[ .,'’&()+<>/-]){0,98}")
_FIRST_NAME = re.compile(r"[^\W\d_][^\W\d_'’ -]{0,59}")
_ORDINARY = frozenset({
    "i", "i'm", "i'd", "i'll", "i've", "usted", "ustedes", "ud", "uds", "sr", "sra", "dr", "dra", "mr",
    "mrs", "ms", "senhor", "senhora", "senor", "senora", "re", "ok", "hi", "hello", "dear", "hola", "ola",
    "estimado", "estimada", "prezado",
    "prezada", "warm", "kind", "best", "regards", "saludos", "atentamente", "atenciosamente", "abraco", "english",
})  # fmt: skip


def wrong(
    body: str, *, language: str, slots: Mapping[str, Any], own_domains: Collection[str] = (), page: bool = False
) -> str | None:  # fmt: skip
    """What speaks against a body, or None. The slots are what records hold: all that may be named.

    With `page` the mark of the page that the mail leads to must stand on a line of its own, once.
    """
    if page and [line.strip() for line in body.splitlines() if PAGE in line] != [PAGE]:
        return "it does not show the page that it is about, once and on a line of its own"
    return next(_objections(body.replace(PAGE, " ") if page else body, language, slots, own_domains), None)


def _objections(
    body: str, language: str, slots: Mapping[str, Any], own_domains: Collection[str]
) -> Iterator[str]:  # fmt: skip
    ours, quotable, called = _facts(slots, language)
    facts = sorted((*ours, *quotable), key=len, reverse=True)
    bare = _without(_ungreeted(body, called), facts)
    known = letters.plain("\n".join(ours))
    yield from _form(body, bare)
    yield from _said(bare)
    yield from _links(body, own_domains, facts)
    yield from _unknown(letters.plain(bare), known, language, slots)
    names = letters.plain("\n".join((*facts, called)))
    if told := next((name for name in _names(body) if not _stands(letters.plain(name), names)), None):
        yield f"it names somebody or something ({told[:40]}) that no record holds"
    if not tongues.is_in(_without(body, facts), language):
        yield f"it is not written in {language}"


def _form(body: str, bare: str) -> Iterator[str]:
    """Plain text of a decent length, with nothing left to be filled in."""
    if not SHORTEST <= len(body.strip()) <= LONGEST:
        yield f"it has {len(body.strip())} characters, and not {SHORTEST} to {LONGEST}"
    if body.count("\n") > MOST_LINES:
        yield f"it has over {MOST_LINES} lines"
    if _UNSEEN.search(body):
        yield "it holds characters that nobody sees"
    if _HTML.search(bare):
        yield "it is not plain text"
    if _MARKS.search(letters.plain(bare)):
        yield "it holds a mark that was never filled in"


def _said(bare: str) -> Iterator[str]:
    """Nothing that only a person of the tenant may say."""
    found = content.search("", bare, "", ())
    plain = letters.plain(bare)
    loose = (
        (found.payment_details, "it is about payment details"),
        (found.credentials, "it carries or asks for credentials"),
        (found.personal_numbers, "it carries a personal number"),
        (found.legal_threats, "it threatens with the law"),
        (found.free_of_charge, "it offers something for free"),
        (found.discounts, "it offers a discount"),
        (_COMMITS.found(plain), "it commits the tenant to something"),
        (_OF_A_MODEL.found(plain), "it speaks of its own making"),
    )
    yield from (reason for words, reason in loose if words)


def _links(body: str, own_domains: Collection[str], facts: Sequence[str]) -> Iterator[str]:
    """No address that leads or writes anywhere, but for a tenant's own page that the facts name letter by letter."""
    for link in links.of_text(body):
        ours = link.trick is None and bool(link.host) and links.belongs(link.host, own_domains)
        named = any(link.written in fact for fact in facts)
        if not (named and (ours or _only_a_name(link, facts))):
            yield f"it holds a link ({link.written[:60]})"
    if _ADDRESS.search(body):
        yield "it holds an address"


def _only_a_name(link: links.Link, facts: Sequence[str]) -> bool:
    """A client may be called like its domain, and nothing more than that stands there."""
    return "/" not in link.written and any(link.written == fact for fact in facts)


def _unknown(plain: str, known: str, language: str, slots: Mapping[str, Any]) -> Iterator[str]:
    """No number, time, commitment or way elsewhere that the facts don't hold."""
    numbers = set(_NUMBERS.findall(known))
    if loose := next((told for told in _NUMBERS.findall(_ITEM.sub("", plain)) if told not in numbers), None):
        yield f"it names a number ({loose[:20]}) that no record holds"
    for words, what in unsaid.found(plain, known, language, priced="total" in slots):
        yield f"it holds {what} ({words[:40]}) that no record does"


def _names(body: str) -> Iterator[str]:
    """Words with a capital letter in the middle of a sentence; German is not among the languages that we write."""
    for hit in _NAME.finditer(body):
        word = hit[0].rstrip(".")
        if letters.plain(word) not in _ORDINARY and not _STARTS.search(body[max(0, hit.start() - 3) : hit.start()]):
            yield word


def _stands(word: str, known: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", known) is not None


def _facts(slots: Mapping[str, Any], language: str) -> tuple[list[str], list[str], str]:
    """What the tenant's own records say, what of others' words may be repeated as it stands, and whom the mail greets.

    A client chooses its name, and a stranger the subject of a mail: neither makes a word, a figure or a link true.
    """
    ours = _told(value for name, value in slots.items() if name not in NO_FACT | NAMES | HEADINGS | {"first_name"})
    names = [told for told in _told(slots.get(name) for name in sorted(NAMES)) if _LIKE_A_NAME.fullmatch(told)]
    known = letters.plain("\n".join(ours))
    headings = [
        told for told in _told(slots.get(name) for name in sorted(HEADINGS))
        if _is_harmless(told, _without(told, (*ours, *names)), known, language, slots)
    ]  # fmt: skip
    called = str(slots.get("first_name") or "").strip()
    return ours, [*names, *headings], called if _FIRST_NAME.fullmatch(called) else ""


def _is_harmless(told: str, bare: str, known: str, language: str, slots: Mapping[str, Any]) -> bool:
    """Whether somebody else's words may stand in a mail of ours because they would be let through by themselves."""
    objections = (_form(told.ljust(SHORTEST, "."), bare), _said(bare), _links(told, (), ()),
                  _unknown(letters.plain(bare), known, language, slots))  # fmt: skip
    return not any(True for some in objections for _ in some)


def _told(values: Iterable[Any]) -> list[str]:
    """Every text and number that says something, longest first."""
    return sorted((told[:LONGEST_SLOT] for told in _texts(list(values))), key=len, reverse=True)


def _ungreeted(body: str, called: str) -> str:
    """The text without the name of whoever it greets: April is a month, and only where she is greeted a person."""
    first, parted, rest = body.lstrip().partition("\n")
    return _without(first, (called,)) + parted + rest if called else body


def _texts(told: Any) -> Iterator[str]:
    if isinstance(told, Mapping):
        for value in told.values():
            yield from _texts(value)
    elif isinstance(told, list | tuple):
        for value in told:
            yield from _texts(value)
    elif told is not None and not isinstance(told, bool) and str(told).strip():
        yield str(told).strip()


def _without(text: str, facts: Sequence[str]) -> str:
    """The text with the facts that it quotes taken out, whole words only: "Widgets <2> Ltd" is a name, and no HTML."""
    for fact in facts:
        if len(fact) > 2 and fact in text:
            text = re.sub(rf"(?<!\w){re.escape(fact)}(?!\w)", " ", text)
    return text
