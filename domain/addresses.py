"""E-mail addresses in one spelling, so that equal ones are equal: lower case, the domain in its ASCII form."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

import idna

MAX_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
MAX_LOCAL_CHARACTERS = 64

_IN_TEXT = re.compile(r"[^\s\"(),:;<>@\[\\\]|']+@[\w.-]+\w")
_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f\"(),:;<>@\[\\\]]+")
_DOMAIN = re.compile(r"(?=.{4,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z][a-z0-9-]*[a-z0-9])")

FREE_MAIL = frozenset({
    "aim.com", "alice.it", "aliceadsl.fr", "aol.co.uk", "aol.com", "aol.de", "aol.fr", "arcor.de", "att.net",
    "bbox.fr", "bell.net", "bellsouth.net", "bigpond.com", "bluewin.ch", "bol.com.br", "btinternet.com",
    "btopenworld.com", "centurylink.net", "charter.net", "comcast.net", "cox.net", "daum.net", "duck.com",
    "earthlink.net", "email.cz", "fastmail.com", "fastmail.fm", "foxmail.com", "free.fr", "freenet.de",
    "frontier.com", "frontiernet.net", "globo.com", "globomail.com", "gmail.com", "gmx.at", "gmx.ch",
    "gmx.co.uk", "gmx.com", "gmx.de", "gmx.es", "gmx.fr", "gmx.net", "gmx.us", "googlemail.com", "hanmail.net",
    "hey.com", "hotmail.be", "hotmail.ca", "hotmail.co.jp", "hotmail.co.uk", "hotmail.com", "hotmail.com.ar",
    "hotmail.com.br", "hotmail.com.mx", "hotmail.de", "hotmail.es", "hotmail.fr", "hotmail.it", "hotmail.nl",
    "hotmail.pt", "icloud.com", "ig.com.br", "inbox.com", "inbox.lv", "inwind.it", "juno.com", "kpnmail.nl",
    "laposte.net", "libero.it", "live.be", "live.ca", "live.co.uk", "live.com", "live.com.ar", "live.com.au",
    "live.com.mx", "live.com.pt", "live.de", "live.fr", "live.it", "live.nl", "mac.com", "mail.com", "mail.de",
    "mail.ru", "mailbox.org", "me.com", "movistar.es", "msn.com", "naver.com", "netscape.net", "neuf.fr",
    "ntlworld.com", "numericable.fr", "o2.pl", "oi.com.br", "onet.pl", "online.de", "ono.com", "optonline.net",
    "optusnet.com.au", "orange.fr", "outlook.at", "outlook.be", "outlook.com", "outlook.com.ar",
    "outlook.com.au", "outlook.com.br", "outlook.de", "outlook.es", "outlook.fr", "outlook.ie", "outlook.it",
    "outlook.pt", "planet.nl", "pm.me", "poczta.onet.pl", "posteo.de", "prodigy.net.mx", "proton.me",
    "protonmail.com", "proximus.be", "qq.com", "r7.com", "rediffmail.com", "roadrunner.com", "rocketmail.com",
    "rogers.com", "sapo.pt", "sbcglobal.net", "seznam.cz", "sfr.fr", "shaw.ca", "sina.com", "sky.com",
    "skynet.be", "sohu.com", "swbell.net", "sympatico.ca", "t-online.de", "talktalk.net", "telefonica.net",
    "telenet.be", "telus.net", "terra.com.br", "tin.it", "tiscali.it", "tuta.io", "tutanota.com", "uol.com",
    "uol.com.br", "verizon.net", "videotron.ca", "virgilio.it", "virginmedia.com", "vodafone.it", "wanadoo.es",
    "wanadoo.fr", "web.de", "windstream.net", "wp.pl", "xs4all.nl", "xtra.co.nz", "yahoo.ca", "yahoo.co.in",
    "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.com.ar", "yahoo.com.au", "yahoo.com.br", "yahoo.com.mx",
    "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.in", "yahoo.it", "yahoo.pt", "yandex.com", "yandex.ru",
    "ymail.com", "ziggo.nl", "zoho.com", "zoho.eu", "zohomail.com", "126.com", "139.com", "163.com",
})  # fmt: skip
"""Domains that anybody may have an address at: sharing one makes nobody colleagues."""


class InvalidAddress(Exception):
    """This is not an e-mail address that mail can be sent to."""


@functools.lru_cache(maxsize=4096)
def normalise(address: str) -> str:
    """The one spelling of an address. Raises InvalidAddress."""
    told = address.strip().strip("<>").strip()
    if told[:7].lower() == "mailto:":
        told = told[7:]
    local, at, host = told.rpartition("@")
    if not at or not _plausible_local(local):
        raise InvalidAddress(f"{address!r} is not an e-mail address such as ana@example.com")
    spelled = f"{local.lower()}@{normalise_domain(host)}"
    if len(spelled) > MAX_CHARACTERS:
        raise InvalidAddress(f"an e-mail address of {len(spelled)} characters is longer than {MAX_CHARACTERS}")
    return spelled


def normalise_domain(host: str) -> str:
    """The one spelling of a host name. Raises InvalidAddress."""
    told = host.strip().rstrip(".").lower()
    try:
        ascii_form = told if told.isascii() else idna.encode(told, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise InvalidAddress(f"{host!r} is not a domain name: {error}") from error
    if not _DOMAIN.fullmatch(ascii_form):
        raise InvalidAddress(f"{host!r} is not a domain name such as example.com")
    return ascii_form


def known(addresses: Iterable[str]) -> list[str]:
    """The addresses of a list in their one spelling, once each; what is no address is left out."""
    spelled: dict[str, None] = {}
    for address in addresses:
        try:
            spelled[normalise(address)] = None
        except InvalidAddress:
            # nobody can be known by it, so it names nobody
            continue
    return list(spelled)


def found_in(text: str) -> list[str]:
    """Every address that stands in a text, in its one spelling, once each."""
    return known(_IN_TEXT.findall(text))


def domain_of(address: str) -> str:
    """What stands behind the @ of a normalised address."""
    return address.rpartition("@")[2]


def company_domain(address: str) -> str | None:
    """The domain of a normalised address where it says who employs the person; None for free mail."""
    domain = domain_of(address)
    return None if domain in FREE_MAIL else domain


def _plausible_local(local: str) -> bool:
    if not _LOCAL.fullmatch(local) or len(local) > MAX_LOCAL_CHARACTERS:
        return False
    return not (local.startswith(".") or local.endswith(".") or ".." in local)
