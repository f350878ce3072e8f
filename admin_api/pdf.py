"""A PDF of plain lines: version 1.4, one font of even width, pages of A4; no picture, no script, nothing to fetch."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

COLUMNS = 82
"""Characters of a line."""

LINES = 62
"""Lines of a page."""

_SIZE, _LEADING, _LEFT, _TOP = 10, 12, 50, 790


def document(lines: Sequence[str], *, title: str) -> bytes:
    """A PDF with these lines, the same bytes for the same lines.

    Lines longer than `COLUMNS` are cut: whoever writes them wraps them. The font knows the letters of western Europe;
    others are written without their marks, and where that is not enough, as a question mark.
    """
    pages = [lines[at : at + LINES] for at in range(0, len(lines), LINES)] or [()]
    first = 5
    kids = " ".join(f"{first + 2 * at} 0 R" for at in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode("ascii"),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>",
        b"<< /Title (" + _literal(title) + b") /Producer (Hourhand) >>",
    ]
    for at, page in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
            + f"/Contents {first + 2 * at + 1} 0 R >>".encode("ascii")
        )
        drawn = _drawn(page)
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn))
    return _file(objects)


_BESIDE = str.maketrans(
    "ŁłĐđĦħŦŧıȷĸŊŋ\u2010\u2011\u2012\u2015\u2212\u2032\u2033\u201b\u2044", "LlDdHhTtijkNn----" + "-'\"'/"
)
"""Letters and signs beside those that it knows, which no rule of Unicode takes apart."""


def legible(text: str) -> str:
    """The text as the font can write it: without marks that it lacks, and with ? for what it lacks altogether."""
    told = []
    for each in " ".join(text.translate(_BESIDE).split()):
        if unicodedata.category(each) == "Cf":
            continue  # nobody sees it
        if _known(each):
            told.append(each)
            continue
        bare = "".join(part for part in unicodedata.normalize("NFKD", each) if not unicodedata.combining(part))
        told.append(bare if bare and _known(bare) else "?")
    return "".join(told)


def _known(text: str) -> bool:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return text.isprintable()


def _literal(text: str) -> bytes:
    """A string between parentheses: these and the backslash are escaped, everything else is a byte of its own."""
    kept = "".join(each if each == " " or _known(each) else "?" for each in text)
    return kept.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")


def _drawn(lines: Sequence[str]) -> bytes:
    """The operators that write lines below one another."""
    shown = b"\n".join(b"(" + _literal(line[:COLUMNS]) + b") '" for line in lines)
    return b"BT\n/F1 %d Tf\n%d TL\n%d %d Td\n%s\nET" % (_SIZE, _LEADING, _LEFT, _TOP, shown)


def _file(objects: Sequence[bytes]) -> bytes:
    """Objects with their cross-reference table."""
    # four bytes above 127 tell whoever carries it that it is no text
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, each in enumerate(objects, 1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    begins = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, begins)
    return bytes(out)
