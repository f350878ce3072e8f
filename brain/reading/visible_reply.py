"""What the writer wrote this time: quotes, forwards, and what programs put below are cut off."""

from __future__ import annotations

import re
from dataclasses import dataclass

from brain.reading import reply_words as words

_DIRECTION = dict.fromkeys([0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])
MAX_LINES = 20_000
LONG_ANSWER_LINES = 7
"""An answer below a quote that is at least this long is taken for an answer between the quotes."""


def _any(choices: tuple[str, ...]) -> str:
    return "|".join(re.escape(choice) for choice in sorted(choices, key=len, reverse=True))


_WROTE = rf"(?:{_any(words.WROTE)})"
_OPENER = rf"(?:{_any(words.OPENERS)})"
_DAY = r"(?:\d{1,4}[./\-年]\s?\d{1,2}|\d{1,2}:\d{2}|\d{1,2}\.\d{2}|\d{4}|\d{1,2}\.? \w{3,})"
_ADDRESS = r"[^\s<>()]{1,64}@[^\s<>()]{1,128}"
_HEAD_END = r"[:：]\s*[>*-]*\s*$"
_LEAD = r"^[>\s*_-]*"
# "On <date>, <somebody> wrote:" and "<somebody> wrote on <date>:", whole or folded over a few lines.
_OPENED = re.compile(rf"{_LEAD}{_OPENER}\W", re.IGNORECASE)
_DATED = re.compile(rf"{_LEAD}(?:\w+\.?,? )?{_DAY}", re.IGNORECASE)
_DATE = re.compile(_DAY)
_MAILBOX = re.compile(_ADDRESS)
_BY_NAME = re.compile(
    rf"{_LEAD}[\w.'\"-]+(?: [\w.'\"-]+){{0,3}} (?:wrote|writes|schrieb|écrivait|skrev|a écrit){_HEAD_END}",
    re.IGNORECASE,
)
_OLD_GMAIL = re.compile(rf"{_LEAD}\d{{4}}[/-]\d{{1,2}}[/-]\d{{1,2}},? [^\n]{{0,80}}<?{_ADDRESS}>?:?\s*$")
_BY_NAME_DATED = re.compile(
    rf"{_LEAD}[\w.'\"-]+(?: [\w.'\"-]+){{0,3}} {_WROTE}\W[^\n]{{0,40}}{_DAY}[^\n]{{0,40}}{_HEAD_END}", re.IGNORECASE
)
_QUOTING = re.compile(
    rf"{_LEAD}(?:{_any(words.QUOTING)}) [^\n]{{0,120}}{_ADDRESS}[^\n]{{0,80}}{_HEAD_END}", re.IGNORECASE
)
# In whatever language: a year, a time of day and an address, then a colon.
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_CLOCK = re.compile(r"(?<!\d)\d{1,2}[:.]\d{2}(?!\d)")
_OURS = re.compile(r"\b(?:I|we|you|they|he|she|it)\b", re.IGNORECASE)
_USENET = re.compile(rf"{_LEAD}in (?:article|message) <.*(?:wrote|writes|says).*{_HEAD_END}", re.IGNORECASE | re.DOTALL)
_MAY_START = re.compile(
    rf"{_LEAD}(?:{_OPENER}\W|(?:\w+\.?,? )?\d|in (?:article|message)\b|.*@|[\"<\[(]?\w+(?: \S+){{0,5}}$)",
    re.IGNORECASE,
)
_VERB = re.compile(_WROTE, re.IGNORECASE)
_MAY_CLOSE = re.compile(rf"[@\d]|{_WROTE}", re.IGNORECASE)
_MAY_END = re.compile(r"[:：]\s*[>*-]*\s*$")

_LONE_HEADER = re.compile(r"(?<![hfbqds])(?<![hfbqd][te])(?<!h[te][te])h(?![te]{0,2}h|e*[qbfd])")
# A rule, then these words; or alone on their line the words that need no rule. The rule is taken off first: sought in
# one pattern, a line of nothing but stars would be divided in every way.
_FORWARDED = re.compile(rf"(?:{_any(words.FORWARDED)}).{{0,80}}", re.IGNORECASE)
_FORWARD_OPENS = re.compile(rf"(?:{_any(words.FORWARD_OPENS)})", re.IGNORECASE)
_RULE_CHARS = "-_=*—"
_RULES = frozenset("-_,=+~#*ᐧ—–")
_DELIMITER = re.compile(r"^[ \t]*+(?:[-_,=+~#*ᐧ—–][ \t]*+){2,}+$|^[ \t]*+[—–][ \t]*+$|^-- ?$")
_HEADER = re.compile(rf"^\s*\*?(?:{_any(words.HEADER_KEYS)})\s?\*?\s?[:：]\*?(?:[\s\u200e*]|$|\S)", re.IGNORECASE)
_QUOTE = re.compile(r"^\s*(?:>|\|\s|[A-Z]{1,2}>)")
_MOBILE = re.compile(rf"^[\s<(\[*_~]*(?:{'|'.join(words.MOBILE)})$", re.IGNORECASE)
_MOBILE_START = re.compile(
    r"sent|writ|mail|compos|typed|from|via|get|envoy|t[ée]l|obte|vo|gesen|diese|holen|envi|mens|obter|inv|scar|ver"
    r"|outl|send|skick|l[äa]h|hent|hanki"
    r"|wys|pob|отп|над|посл|odes|odos|ip|k[üu]l|trim|posl|στά|someone|從|从|发|發|נש|أ|đã|dik|나",
    re.IGNORECASE,
)
_MOBILE_END = re.compile(
    r"(?:から送信|에서 보냄|gönderildi|傳送|寄出|发送|küldve|gesendet|geschickt)[.!]?$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Cut:
    """The visible reply and what was found below it."""

    reply: str
    below: str
    """Text under a signature rule, before any quote."""
    forwarded: bool
    quoted: bool


def cut(text: str) -> Cut:
    """Cut `text` (plain, LF newlines) down to what was written this time."""
    lines = text.split("\n")[:MAX_LINES]
    lines = _join_markers(lines)
    kinds = _spare_lone_headers([_kind(line) for line in lines])
    forwarded = "f" in kinds
    quoted = any(kind in "bqhf" for kind in kinds)
    lines, kinds, below = _cut_at_rule(lines, kinds)
    kept = [(line, kind) for line, kind in zip(lines, kinds, strict=True) if kind != "s"]
    lines, pattern = [line for line, _ in kept], "".join(kind for _, kind in kept)
    lines, pattern = _answer_below(lines, pattern)
    lines, pattern = _cut_at_marker(lines, pattern)
    lines, pattern = _without(lines, pattern, "b")
    lines, pattern = _cut_at_headers(lines, pattern)
    lines, pattern = _without(lines, pattern, "hf")
    if "t" in pattern:
        lines = lines[: len(pattern.rstrip("eq"))]
    return Cut("\n".join(lines).strip(), below, forwarded, quoted)


def _kind(line: str) -> str:
    """One letter a line: empty, delimiter, forward mark, b "… wrote:", header, quote, s phone's signature, text.

    The first and the last character rule most kinds out, so that few patterns are tried on a line of words.
    """
    if len(line) > 2_000:
        return "t" if _without_direction(line).strip() else "e"
    line = _without_direction(line)
    bare = line.strip()
    if not bare:
        return "e"
    first, colon = bare[0], bare.rstrip(">*- ")[-1:] in (":", "：")
    if first in _RULES and _DELIMITER.match(line):
        return "d"
    if (colon or first in _RULES or first == ">") and _is_forward(bare):
        return "f"
    if _is_marker(line, bare, colon):
        return "b"
    if (":" in line or "：" in line) and _HEADER.match(line):
        return "h"
    if (first in ">|" or ">" in bare[1:3]) and _QUOTE.match(line):
        return "q"
    if len(line) < 160 and is_mobile_signature(bare):
        return "s"
    return "t"


def _is_forward(bare: str) -> bool:
    """`---- Forwarded message ----`, or `Begin forwarded message:`."""
    words_on = bare.lstrip(f"> \t{_RULE_CHARS}")
    ruled = sum(map(bare[: len(bare) - len(words_on)].count, _RULE_CHARS)) >= 2
    words_on = words_on[:400].rstrip(f": \t{_RULE_CHARS}")
    return bool((ruled and _FORWARDED.fullmatch(words_on)) or _FORWARD_OPENS.fullmatch(words_on))


def _without_direction(line: str) -> str:
    """Marks of writing direction, which programs put around names and addresses, are no part of the words."""
    return line if line.isascii() else line.translate(_DIRECTION)


def is_mobile_signature(line: str) -> bool:
    """`Sent from my phone`, in any of its languages."""
    bare = line.lstrip("<([*_~ ").rstrip(">)*_~ .")
    if not _MOBILE_START.match(bare):
        if bare.isascii() and not bare.lower().endswith(("gesendet", "geschickt", "gesendet!", "geschickt!")):
            return False
        if not _MOBILE_END.search(bare):
            return False
    return bool(_MOBILE.match(bare))


def _is_marker(line: str, bare: str, colon: bool) -> bool:
    if not colon:
        return bool(bare[:5].strip("> ")[:4].isdigit() and _OLD_GMAIL.match(line))
    if len(line) > 600:
        return False
    return _introduces(line) or (bool(_BY_NAME.match(line)) and not _OURS.search(line))


def _introduces(text: str, any_kind: bool = True) -> bool:
    """`text`, which ends with a colon, is a "… wrote:"; with `any_kind` false, only one that begins with a name.

    Each part is sought behind the one before it: a pattern of them all would try every way to divide the line.
    """
    verb = _VERB.search(text)
    if verb is None and "@" not in text:
        return False
    if any_kind and (_begins_with_its_date(text) or _USENET.match(text)):
        return True
    if _names_an_address(text) or (verb is not None and verb.start() < 120 and _BY_NAME_DATED.match(text)):
        return True
    if len(text) < 250 and "@" in text and (_QUOTING.match(text) or (_YEAR.search(text) and _CLOCK.search(text))):
        return True
    # Whatever the language's order: a date, an address, then the verb and a colon.
    at = text.find("@")
    dated = 0 < at < 200 and any(char.isdigit() for char in text[:at])
    verb = _VERB.search(text, at) if dated else None
    return verb is not None and verb.start() - at < 90 and len(text) - verb.end() < 70


def _begins_with_its_date(text: str) -> bool:
    """`On <date> … wrote:`, or `<date> … wrote:`, or `<date> … <address>:`."""
    opened = _OPENED.match(text)
    day = _DATE.search(text, opened.end()) if opened else None
    if day is not None and _VERB.search(text, day.end()):
        return True
    dated = _DATED.match(text)
    if dated is None:
        return False
    return _VERB.search(text, dated.end()) is not None or _MAILBOX.search(text, dated.end()) is not None


def _names_an_address(text: str) -> bool:
    """`<somebody> <address> wrote …:`."""
    at = text.find("@")
    if at < 0 or at > 160:
        return False
    hit = _MAILBOX.search(text)
    if hit is None or hit.start() > 90 or ":" in text[: hit.start()]:
        return False
    verb = _VERB.search(text, at + 2)
    return verb is not None and verb.start() <= hit.end() + 40


def _join_markers(lines: list[str]) -> list[str]:
    """Bring a "… wrote:" that was folded over several lines back onto one."""
    ends = [
        (":" in line or "：" in line)
        and _without_direction(line).rstrip("> *\t")[-1:] in (":", "：")
        and bool(_MAY_CLOSE.search(line))
        for line in lines
    ]
    if not any(ends):
        return lines
    joined: list[str] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        size = _folded_marker(lines, index) if any(ends[index + 1 : index + 9]) else 1
        if size > 1:
            joined.append(
                " ".join(
                    piece.strip().lstrip("> ") if at else piece for at, piece in enumerate(lines[index : index + size])
                )
            )
            index += size
        else:
            joined.append(line)
            index += 1
    return joined


def _folded_marker(lines: list[str], index: int) -> int:
    """How many lines from `index` on make one "… wrote:"; 1 when none or unfolded."""
    first = _without_direction(lines[index])
    if not first.strip() or len(first) > 300 or _MAY_END.search(first):
        return 1
    if not _MAY_START.match(first) and not (_YEAR.search(first) and _CLOCK.search(first)):
        return 1
    dated = re.match(rf"{_LEAD}{_OPENER}\W.*\d", first, re.IGNORECASE) is not None
    if dated or re.search(r"[\d@]", first):
        any_kind = True
    elif index + 1 < len(lines) and lines[index + 1].lstrip("> ").startswith("<"):
        any_kind = False  # only a name stands on the first line
    else:
        return 1
    text, used = first, 1
    for line in lines[index + 1 : index + (9 if dated else 4)]:
        used += 1
        if not line.strip():
            if not dated or used > 8:
                return 1
            continue
        if len(text) > 500:
            return 1
        line = _without_direction(line)
        text = f"{text} {line.strip().lstrip('> ')}"
        if _MAY_END.search(line):
            return used if len(line) < 200 and _introduces(text, any_kind) else 1
    return 1


def _spare_lone_headers(kinds: list[str]) -> list[str]:
    """`To: be decided` alone among words is no mail header."""
    if "h" not in kinds:
        return kinds
    pattern = "".join(kinds)
    return list(_LONE_HEADER.sub("t", pattern))


def _cut_at_rule(lines: list[str], kinds: list[str]) -> tuple[list[str], list[str], str]:
    """Everything from the first rule on goes; what stood right under it may be a signature."""
    for index, kind in enumerate(kinds):
        if kind == "d" or (kind == "f" and "t" in kinds[:index]):
            end = next((at for at in range(index + 1, len(kinds)) if kinds[at] in "bfqdh"), len(lines))
            below = "" if kind == "f" else "\n".join(lines[index + 1 : end]).strip()
            return lines[:index], kinds[:index], below
    return lines, kinds, ""


def _answer_below(lines: list[str], pattern: str) -> tuple[list[str], str]:
    """A mail that starts with the quote has its answer at the end."""
    head = pattern.rstrip("te")
    quote = head[len(head.rstrip("bqeh")) :]
    if not head.startswith("b") or "q" not in quote or "q" in head[: len(head) - len(quote)]:
        return lines, pattern
    start = pattern.find("t", len(head))
    return (lines[start:], pattern[start:]) if start >= 0 else (lines, pattern)


def _cut_at_marker(lines: list[str], pattern: str) -> tuple[list[str], str]:
    """Cut at "… wrote:" unless the writer answers between the quotes."""
    after_quotes = pattern.rfind("q") + 1
    hit = re.search(r"te*b", pattern[after_quotes:])
    if hit:
        end = after_quotes + hit.start() + 1
        return lines[:end], pattern[:end]
    head = pattern.rstrip("te")
    end = len(head.rstrip("eqbh"))
    answered = pattern.count("t", len(head))
    if end and pattern[end - 1] == "t" and re.match(r"e*b", pattern[end:]) and answered < LONG_ANSWER_LINES:
        return lines[:end], pattern[:end]
    return lines, pattern


def _without(lines: list[str], pattern: str, kinds: str) -> tuple[list[str], str]:
    kept = [index for index, kind in enumerate(pattern) if kind not in kinds]
    return [lines[index] for index in kept], "".join(pattern[index] for index in kept)


def _cut_at_headers(lines: list[str], pattern: str) -> tuple[list[str], str]:
    """Three header lines in a row start a forwarded mail; a long one among them may be folded."""
    folded = re.search(r"h{1,12}[hte]{1,12}?h{1,12}e", pattern)
    if folded and folded.group().count("h") >= 3 and len(folded.group()) < 14:
        start, end = folded.span()
        pattern = pattern[:start] + "h" * (end - start) + pattern[end:]
    hit = re.search(r"t[eq]*h{3,}", pattern)
    if hit:
        end = hit.start() + 1
        return lines[:end], pattern[:end]
    return lines, pattern
