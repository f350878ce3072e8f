"""Looks through every file of the repository for secrets, download addresses and paths of one machine."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import ROOT, tracked

# Written in pieces, so that this file doesn't find itself.
PATTERNS: dict[str, re.Pattern[str]] = {
    "private key": re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE " + r"KEY-----"),
    "Anthropic key": re.compile(r"\bsk-" + r"ant-[A-Za-z0-9_-]{16,}"),
    "OpenAI key": re.compile(r"\bsk-" + r"(?:proj-)?[A-Za-z0-9]{24,}"),
    "Resend key": re.compile(r"\bre_" + r"[A-Za-z0-9]{8,}_[A-Za-z0-9]{16,}"),
    "Google key": re.compile(r"\bAI" + r"za[0-9A-Za-z_-]{35}"),
    "Google refresh token": re.compile(r"\b1//0" + r"[0-9A-Za-z_-]{40,}"),
    "Google access token": re.compile(r"\bya" + r"29\.[0-9A-Za-z_-]{30,}"),
    "GitHub token": re.compile(r"\bgh" + r"[pousr]_[A-Za-z0-9]{36,}"),
    "AWS key": re.compile(r"\bAK" + r"IA[0-9A-Z]{16}\b"),
    "Slack token": re.compile(r"\bxox" + r"[abprs]-[A-Za-z0-9-]{20,}"),
    "Hourhand key": re.compile(r"\bhh" + r"_[a-z0-9-]+_[A-Za-z0-9]+_[A-Za-z0-9_-]{40,}"),
    "webhook secret": re.compile(r"\bwh" + r"sec_[A-Za-z0-9+/=]{32,}"),
    "assigned password": re.compile(
        r"(?i)\b(?:password|passwd|secret|api_?key|auth_?token)\b[\"']?\s*[:=]\s*[\"'](?=[^\"']*\d)(?=[^\"']*[A-Za-z])"
        r"[A-Za-z0-9+/_=-]{24,}[\"']"
    ),
    "password in a URL": re.compile(
        r"\b[a-z][a-z0-9+]*://[^\s/:@\"'{}<>$]+:(?!password@)[^\s/@\"'{}<>$]{8,}@(?!localhost|127\.)"
    ),
    "registry host": re.compile(
        r"(?i)\b(?:python" + r"hosted\.|pyp" + r"i\.org|registry\.np" + r"mjs|crates\.i" + r"o)"
    ),
    "download mirror": re.compile(
        r"(?i)\b(?:deb|snapshot|security)\.deb" + r"ian\.org|://[a-z0-9.-]*artif" + r"actory"
    ),
    "path of one machine": re.compile(
        r"(?<![\w.~$}/-])/(?:wo" + r"rk|home/[a-z][\w-]*|Us" + r"ers/\w+|fa" + r"rm)/[\w.-]+"
    ),
}
# An emulator on loopback needs a secret that works; it opens nothing. Each is listed with its reason.
ALLOWED: dict[str, str] = {
    "wh" + "sec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw": "the example in the vendor's public documentation",
}
SKIPPED_SUFFIXES = {".png", ".jpg", ".ico", ".woff2", ".pdf", ".docx", ".zip", ".gz"}


def leaks_in(text: str) -> Iterator[str]:
    """Each line that holds something which must not be published, without repeating what it holds."""
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    for number, line in enumerate(text.splitlines(), 1):
        for name, pattern in PATTERNS.items():
            if pattern.search(line):
                yield f"line {number}: {name}"


def leaks(root: Path = ROOT) -> Iterator[str]:
    """Everything found in the repository's files."""
    for name in tracked():
        path = root / name
        if path.suffix in SKIPPED_SUFFIXES:
            continue
        for leak in leaks_in(path.read_bytes().decode("utf-8", errors="replace")):
            yield f"{name}, {leak}"


if __name__ == "__main__":
    found = list(leaks())
    print("\n".join(found) or f"no secrets, registry hosts or machine paths in {len(tracked())} files")
    sys.exit(bool(found))
