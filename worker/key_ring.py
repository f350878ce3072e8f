"""Master keys as they are written down: an id and 32 bytes in base64 for each, the first of which seals."""

from __future__ import annotations

import base64
import binascii
import re

KEYS_WANTED = "must be id:base64 of 32 bytes, several by commas, each id once (make one: openssl rand -base64 32)"
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


def parse_keys(text: str) -> dict[str, bytes]:
    """Master keys by id, in order. Raises ValueError, without the keys in it."""
    keys: dict[str, bytes] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        key_id, _, coded = part.partition(":")
        try:
            key = base64.b64decode(coded, validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not _KEY_ID.fullmatch(key_id) or len(key) != 32 or key_id in keys:
            raise ValueError(KEYS_WANTED)
        keys[key_id] = key
    if not keys:
        raise ValueError("must hold at least one key")
    return keys
