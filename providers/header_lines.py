"""The few header fields that a mailbox itself needs of a message, read so that hostile bytes can't break anything."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

HEAD_BYTES = 256 << 10
IDS = re.compile(rb"<[^<>\s]{1,500}>")


def first_values(raw: bytes) -> Mapping[str, str]:
    """The first value of each field of a message, by its name in lower case."""
    text = raw[:HEAD_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n").lstrip(b"\n").partition(b"\n\n")[0]
    unfolded = re.sub(rb"\n[ \t]+", b" ", text)
    headers: dict[str, str] = {}
    for line in unfolded.split(b"\n"):
        name, colon, value = line.partition(b":")
        if colon:
            headers.setdefault(name.strip().lower().decode("latin-1"), value.strip().decode("latin-1"))
    return headers


def conversation(headers: Mapping[str, str]) -> str | None:
    """The root of the conversation: the first reference, else what is answered, else the message itself."""
    for name in ("references", "in-reply-to", "message-id"):
        found = IDS.findall(headers.get(name, "").encode("latin-1"))
        if found:
            return digest(found[0])
    return None


def digest(data: bytes) -> str:
    """A short name for some bytes."""
    return hashlib.sha256(data).hexdigest()[:40]
