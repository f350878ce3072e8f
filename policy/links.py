"""Links in a text: where each one really leads, and what makes it untrustworthy."""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

import idna

from policy import letters
from policy.phrases import holds_any

_SCHEMES = frozenset({"http", "https"})
_HARMLESS = frozenset({"mailto", "tel"})
"""They open a mail or a call, and lead nowhere."""

_COLON = re.compile(r":[/\\]")
_AFTER_SCHEME = re.compile(r":[/\\]{1,4}[^\s<>\"'`{}|^]+")
_SCHEME = re.compile(r"(?i)[a-z][a-z0-9+.-]*$")
_RUNS = re.compile(r"(?i)(?<![a-z0-9+.-])(?:(?:java|vb|live)script\s*:\S+|data:[a-z]+/\S+)")
_ATTRIBUTE = re.compile(
    r"(?is)\b(?:href|src|action|formaction|background|poster|srcset|ping|cite|data)\s*=\s*"
    r"(\"[^\"]*\"|'[^']*'|[^\s>]+)"
)
_TAG = re.compile(r"<[a-zA-Z!?/](?:[^\"'<>]|\"[^\"]*\"|'[^']*')*(?:>|$|(?=<))")
_DOT = "[.。．｡]"
_DOTTED = re.compile(rf"\w{_DOT}\w")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_BARE = re.compile(
    rf"(?i)(?:(?<![\w@./\\-])|(?<=[/\\])(?=www{_DOT}))"
    rf"((?:{_LABEL}{_DOT})+(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]+))(?![\w@-])"
    r"(:\d+)?([/?#][^\s<>\"']*)?"
)
_IP = re.compile(r"(?<![\w@./-])(?:\d{1,3}\.){3}\d{1,3}(?=[:/?])[^\s<>\"']*")
_TRAILING = ".,;:!?)]}>\u201d\u2019"
_TIMES_QUOTED = 3
_ONWARD = re.compile(r"(?i)[a-z][a-z0-9+.-]{2,9}:[/\\]|[=?&#;,][/\\]{2}\w|[/\\]{2}(?:www\.|\w[\w-]*\.\w)")
"""An address with its scheme, or without one, behind the host."""
_LEADS_ON = "it leads on to another address"
_SLASHES = (":/", ":\\", "//", "/\\", "\\/", "\\\\")
"""What no such address is without."""
_UNSEEN = re.compile(r"[\t\r\n\u200b-\u200f\u2060\ufeff\u00ad]")

# Endings that mail programs turn into links without further ado.
_GENERIC = frozenset({
    "agency", "ai", "app", "biz", "buzz", "click", "cloud", "club", "co", "com", "dev", "digital", "email", "fun",
    "group", "host", "icu", "info", "io", "life", "link", "live", "net", "online", "org", "page", "pro", "shop", "site",
    "space", "store", "support", "tech", "today", "top", "vip", "web", "website", "work", "world", "xyz",
})  # fmt: skip
# Country endings that are no common word in the languages we write; the others need a path or `www.` to count.
_COUNTRIES = frozenset({
    "ar", "au", "bo", "br", "ca", "cc", "cf", "ch", "cl", "cn", "cr", "cu", "cz", "dk", "ec", "eu", "fi", "fr", "ga",
    "gg", "gq", "gr", "gt", "hk", "hn", "hu", "id", "ie", "il", "jp", "kr", "kz", "lt", "lu", "lv", "ly", "ml", "mx",
    "my", "nl", "nz", "pa", "pe", "ph", "pk", "pl", "pt", "pw", "py", "ro", "rs", "ru", "se", "sg", "sk", "su", "th",
    "tk", "tr", "tv", "tw", "ua", "uk", "us", "uy", "uz", "ve", "vn", "ws", "za",
})  # fmt: skip
_LIKE = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("-", ""))
"""What a hasty reader takes for what."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link as it is written, and the host that it leads to."""

    written: str
    host: str
    """Lower case, in its ASCII form; empty when it leads to no host."""
    trick: str | None = None
    """What is wrong with its very form, whatever its host."""


def of_text(text: str) -> Iterator[Link]:
    """Every link of a plain text: with a scheme, and bare domains that a mail program would make clickable."""
    spans = list(_with_scheme(text)) if ":" in text else []
    for start, end in spans:
        yield canonical(text[start:end].rstrip(_TRAILING))
    for token in _dotted(text, spans):
        for match in _BARE.finditer(token):
            if _clickable(match[1], match[2] or match[3]):
                written = match.group().rstrip(_TRAILING)
                yield canonical(f"http://{written}", written=written)
        for match in _IP.finditer(token):
            yield canonical(f"http://{match.group()}", written=match.group())


def of_html(source: str) -> Iterator[Link]:
    """Every address in an HTML attribute that a reader's program would follow or fetch."""
    for tag in tags(source):
        for match in _ATTRIBUTE.finditer(tag):
            target = html.unescape(match[1].strip("\"'")).strip()
            if target and not target.startswith("#"):
                yield canonical(target)


def tags(source: str) -> list[str]:
    """Every tag of an HTML text; what is escaped is text and no tag."""
    return _TAG.findall(source)


# a mail's text and its HTML hold the same links, and it is read when it is planned and when it goes out
@functools.lru_cache(maxsize=1024)
def canonical(target: str, *, written: str = "") -> Link:
    """Where a link leads when a browser has had its way with it; `written` is how it stood there, if otherwise."""
    shown = written or target
    address = _UNSEEN.sub("", target)
    scheme, _, rest = address.partition(":")
    scheme = scheme.strip().lower()
    if scheme in _HARMLESS:
        host = rest.rpartition("@")[2].partition("?")[0].lower() if scheme == "mailto" else ""
        return Link(shown, host, _LEADS_ON if _leads_on(rest) else None)
    if scheme not in _SCHEMES:
        return Link(shown, "", f"the scheme {scheme[:20]!r} is not http or https")
    authority = re.split(r"[/?#]", rest.lstrip("/\\").replace("\\", "/"), maxsplit=1)[0]
    userinfo, at, host_and_port = authority.rpartition("@")
    host, reason = _host(host_and_port)
    if "\\" in rest:
        reason = "it has a backslash"
    elif _leads_on(rest):
        reason = _LEADS_ON
    elif at or "@" in unquote(authority):
        reason = f"what looks like its host ({userinfo[:40] or authority[:40]}) is only a user name"
    return Link(shown, host, reason)


def _leads_on(rest: str) -> bool:
    """Whether a path, query or fragment holds an address of its own, as those of redirecting pages do."""
    told = rest.lstrip("/\\")
    for _ in range(_TIMES_QUOTED):
        if holds_any(told, _SLASHES) and _ONWARD.search(told):
            return True
        if "%" not in told:
            return False
        told = unquote(told)
    return False


def belongs(host: str, domains: Collection[str]) -> bool:
    """Whether a host is one of the domains, or below one of them."""
    return host in domains or any(host.endswith("." + domain) for domain in domains)


def imitates(host: str, domains: Collection[str]) -> str | None:
    """The domain of ours that a foreign host is made to look like, or None."""
    try:
        shown = idna.decode(host, uts46=True) if "xn--" in host else host
    except (idna.IDNAError, UnicodeError):
        shown = host
    looks = _skeleton(shown)
    for domain in domains:
        like = _skeleton(domain)
        if like in looks or _one_apart(looks, like):
            return domain
    return None


def _host(host_and_port: str) -> tuple[str, str | None]:
    host = unquote(host_and_port)
    if host.startswith("["):
        return host.lower(), "it leads to a bare IP address"
    host = host.partition(":")[0].replace("。", ".").replace("．", ".").replace("｡", ".").strip(".").lower()
    if re.fullmatch(r"[\d.]+|0x[0-9a-f.x]+", host):
        return host, "it leads to a bare IP address"
    if host.isascii():
        return host, None if re.fullmatch(r"[a-z0-9._-]+", host) else "its host is no host name"
    try:
        return idna.encode(host, uts46=True).decode(), None
    except (idna.IDNAError, UnicodeError):
        return letters.plain(host), "its host is no host name"


def _skeleton(host: str) -> str:
    """A host as a hasty reader sees it."""
    plain = letters.plain(host)
    for seen, like in _LIKE:
        plain = plain.replace(seen, like)
    return plain


def _one_apart(a: str, b: str) -> bool:
    if abs(len(a) - len(b)) > 1 or len(b) < 7:
        return False
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    return a[start + 1 :] == b[start + 1 :] or a[start + 1 :] == b[start:] or a[start:] == b[start + 1 :]


def _clickable(host: str, rest: str | None) -> bool:
    labels = re.split(_DOT, host)
    ending = labels[-1].lower()
    if labels[0].lower() == "www" or ending.startswith("xn--") or not ending.isascii():
        return True
    if rest:
        return len(ending) >= 2
    return (ending in _GENERIC or ending in _COUNTRIES) and len(labels[-2]) > 1


def _with_scheme(text: str) -> Iterator[tuple[int, int]]:
    """Where links with a scheme stand; looked for from their colon, because colons are rare."""
    done = 0
    for colon in _COLON.finditer(text):
        at = colon.start()
        # a colon behind no scheme is passed over alone: what stands behind it may be a link
        if at < done or (scheme := _SCHEME.search(text, max(0, at - 20), at)) is None:
            continue
        if (rest := _AFTER_SCHEME.match(text, at)) is not None:
            done = rest.end()
            yield scheme.start(), done
    for match in _RUNS.finditer(text):
        yield match.span()


def _dotted(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[str]:
    """The words with a dot inside that are no part of a link with a scheme."""
    done = 0
    for match in _DOTTED.finditer(text):
        at = match.start()
        if at < done or any(start <= at < end for start, end in spans):
            continue
        start = max(text.rfind(blank, 0, at) for blank in " \n\t") + 1
        done = min((found for blank in " \n\t" if (found := text.find(blank, at)) >= 0), default=len(text))
        yield text[start:done]
