"""Links in a text: where each one really leads, and what makes it untrustworthy."""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import idna

from policy import letters

_SCHEMES = frozenset({"http", "https"})
_HARMLESS = frozenset({"mailto", "tel"})
"""They open a mail or a call, and lead nowhere."""

_WITH_SCHEME = re.compile(
    r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{1,20}):(?:[/\\]{1,4}|(?<=javascript:)|(?<=data:)|(?<=vbscript:))([^\s<>\"'`{}|^]+)"
)
_ATTRIBUTE = re.compile(r"(?is)\b(?:href|src|action|formaction|background|poster|srcset|ping|cite|data)\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>]+)")
_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_BARE = re.compile(rf"(?i)(?<![\w@.:/\\=-])((?:{_LABEL}[.。．｡])+(?:[^\W\d_]{{2,24}}|xn--[a-z0-9-]+))(?![\w@-])(:\d+)?([/?#][^\s<>\"']*)?")
_IP = re.compile(r"(?<![\w@./-])(?:\d{1,3}\.){3}\d{1,3}(?=[:/?])[^\s<>\"']*")
_TRAILING = ".,;:!?)]}>\u201d\u2019"

# Endings that mail programs turn into links without further ado.
_GENERIC = frozenset(
    ["com", "net", "org", "info", "biz", "io", "ai", "app", "dev", "co", "online", "site", "store", "shop", "xyz", "top", "club", "icu", "vip", "live", "link", "click", "work", "buzz", "pro", "tech", "space", "website", "cloud", "email", "agency", "digital", "page", "web", "host", "fun", "world", "group", "today", "life", "support"]
)
# Country endings that are no common word in the languages we write; the others need a path or `www.` to count.
_COUNTRIES = frozenset(
    ["ar", "au", "bo", "br", "ca", "ch", "cl", "cn", "cr", "cu", "cz", "dk", "ec", "eu", "fi", "fr", "gr", "gt", "hk", "hn", "hu", "id", "ie", "il", "jp", "kr", "kz", "lt", "lu", "lv", "mx", "my", "nl", "nz", "pa", "pe", "ph", "pk", "pl", "pt", "py", "ro", "rs", "ru", "se", "sg", "sk", "su", "th", "tk", "tr", "tw", "ua", "uk", "us", "uy", "uz", "ve", "vn", "za", "ly", "cc", "ws", "tv", "gg", "ml", "ga", "cf", "gq", "pw"]
)


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
    if "." not in text and "://" not in text and ":" not in text and "。" not in text:
        return
    seen: list[tuple[int, int]] = []
    if ":" in text:
        for match in _WITH_SCHEME.finditer(text):
            seen.append(match.span())
            yield canonical(match.group().rstrip(_TRAILING))
    for match in _BARE.finditer(text):
        if not _within(match.start(), seen) and _clickable(match[1], match[2] or match[3]):
            yield canonical("http://" + match.group().rstrip(_TRAILING), written=match.group().rstrip(_TRAILING))
    for match in _IP.finditer(text):
        if not _within(match.start(), seen):
            yield canonical("http://" + match.group(), written=match.group())


def of_html(source: str) -> Iterator[Link]:
    """Every address in an HTML attribute that a reader's program would follow or fetch."""
    for match in _ATTRIBUTE.finditer(source):
        target = html.unescape(match[1].strip("\"'")).strip()
        if target and not target.startswith("#"):
            yield canonical(target)


def canonical(target: str, *, written: str = "") -> Link:
    """Where a link leads when a browser has had its way with it; `written` is how it stood there, where that differs."""
    shown = written or target
    address = re.sub(r"[\t\r\n\u200b-\u200f\u2060\ufeff\u00ad]", "", target)
    scheme, _, rest = address.partition(":")
    scheme = scheme.strip().lower()
    if scheme in _HARMLESS:
        return Link(shown, rest.rpartition("@")[2].partition("?")[0].lower() if scheme == "mailto" else "")
    if scheme not in _SCHEMES:
        return Link(shown, "", f"the scheme {scheme[:20]!r} is not http or https")
    authority = re.split(r"[/?#]", rest.lstrip("/\\").replace("\\", "/"), maxsplit=1)[0]
    userinfo, at, host_and_port = authority.rpartition("@")
    host, reason = _host(host_and_port)
    if "\\" in rest:
        reason = "it has a backslash"
    elif at or "@" in unquote(authority):
        reason = f"what looks like its host ({userinfo[:40] or authority[:40]}) is only a user name"
    return Link(shown, host, reason)


def belongs(host: str, domains: Collection[str]) -> bool:
    """Whether a host is one of the domains, or below one of them."""
    return any(host == domain or host.endswith("." + domain) for domain in domains)


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
    for seen, like in (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"), ("i", "l"), ("5", "s"), ("-", "")):
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
    labels = re.split(r"[.。．｡]", host)
    ending = labels[-1].lower()
    if labels[0].lower() == "www" or ending.startswith("xn--") or not ending.isascii():
        return True
    if rest:
        return len(ending) >= 2
    return (ending in _GENERIC or ending in _COUNTRIES) and len(labels[-2]) > 1


def _within(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)
