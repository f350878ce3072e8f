"""Who opens a page: what looks like a person at a browser, and what shows that it is a machine that follows links."""

from __future__ import annotations

import re
from collections.abc import Mapping

_MACHINES = re.compile(
    r"bot\b|bot/|crawl|spider|slurp|scan|preview|prefetch|fetch|monitor|check|headless|phantom|selenium|puppeteer"
    r"|playwright|python|curl|wget|libwww|okhttp|java/|go-http|ruby|perl|axios|node|httpclient|http_request"
    r"|proofpoint|mimecast|barracuda|safelinks|ironport|messagelabs|symantec|trendmicro|trend micro|sophos|fortinet"
    r"|forcepoint|zscaler|fireeye|trellix|cisco|avanan|checkpoint|mailguard|hornetsecurity|vade|antivirus|urldefense"
    r"|googleimageproxy|googleother|yahoomailproxy|facebookexternalhit|whatsapp|telegram|slack|discord|skype|linkedin"
    r"|twitter|embedly|microsoft office|ms-office|outlook-|exchange|bitdefender|kaspersky|eset|norton|virustotal",
    re.IGNORECASE,
)
"""What mail scanners, link previews and programs call themselves."""

_BROWSER = re.compile(r"^(?:mozilla|opera)/", re.IGNORECASE)


def scanner(method: str, headers: Mapping[str, str]) -> str | None:
    """What shows that a request comes from a machine that looks ahead; None: it looks like a person.

    `headers` by lower-case name. A scanner that dresses up as a browser is told apart by its haste alone, elsewhere.
    """
    if method != "GET":
        return f"it asks by {method}, as no person does"
    agent = headers.get("user-agent", "").strip()
    if not agent:
        return "it says nothing of itself"
    if found := _MACHINES.search(agent):
        return f"it calls itself {found.group().strip('/').lower()}"
    if not _BROWSER.search(agent):
        return "it calls itself no browser"
    for name in ("purpose", "sec-purpose", "x-purpose", "x-moz"):
        if any(word in headers.get(name, "").lower() for word in ("prefetch", "preview", "prerender")):
            return f"{name}: {headers[name][:40]}"
    if "html" not in headers.get("accept", "").lower():
        return "it does not ask for a page to read"
    if not headers.get("accept-language"):
        return "it speaks no language"
    return None


def looks(headers: Mapping[str, str]) -> dict[str, str]:
    """What is kept of a visit: what it calls itself and its language, and nothing that says where it came from."""
    return {"agent": headers.get("user-agent", "")[:200], "language": headers.get("accept-language", "")[:60]}
