"""Parts within parts: what would taking them apart cost? Told by one look, before the mail library pays for it."""

from __future__ import annotations

import re

MAX_COST = 8_000_000
"""Lines times the levels around each; a second or two. 60 MB of files three levels deep come to a third of it."""

_MARK = re.compile(
    rb"boundary[\s*0-9]{0,20}=\s*\"?(?P<opened>[^\"\s;]{1,200})|^--(?P<met>[^\n]+)",
    re.IGNORECASE | re.MULTILINE,
)


def is_too_dear(data: bytes) -> bool:
    """The library holds every line against the boundary of every level around it: 900 levels make minutes of a MB."""
    if data.lower().count(b"boundary") * data.count(b"\n") <= MAX_COST:
        return False  # nearly all mail: no arrangement of so few boundaries is dear
    open_parts: dict[bytes, None] = {}  # the outermost first
    cost = at = 0
    for hit in _MARK.finditer(data):
        cost += len(open_parts) * data.count(b"\n", at, hit.start())
        at = hit.start()
        if cost > MAX_COST:
            return True
        name = hit["opened"]
        if name is not None:
            open_parts.setdefault(name)
            continue
        met = hit["met"].rstrip(b" \t")
        part = met if met in open_parts else met.removesuffix(b"--")
        if part in open_parts:
            while next(reversed(open_parts)) != part:
                open_parts.popitem()
            if part != met:
                open_parts.popitem()
    return cost + len(open_parts) * data.count(b"\n", at) > MAX_COST
