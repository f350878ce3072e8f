"""Registrable domains from the public suffix list that ships with tldextract; never fetched."""

from __future__ import annotations

from functools import cache, lru_cache

import tldextract


@cache
def _extractor() -> tldextract.TLDExtract:
    return tldextract.TLDExtract(cache_dir=None, suffix_list_urls=(), fallback_to_snapshot=True)


@lru_cache(maxsize=4096)
def registrable(host: str) -> str:
    """`mail.acme.co.uk` → `acme.co.uk`; a host without a known suffix keeps its last two labels."""
    found = _extractor()(host).top_domain_under_public_suffix
    return found or ".".join(host.split(".")[-2:])
