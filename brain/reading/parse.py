"""Bytes to a parsed message, whatever the bytes: newlines, charsets and encoded words are settled here."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import mktime_tz, parsedate_tz

from brain.reading.nesting import is_too_dear

MAX_PARTS = 400
MAX_DEPTH = 40
MAX_HEADER_CHARS = 65_536

_ENCODED_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]*)?\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]+\?[bBqQ]\?)")
_Q_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_MESSAGE_ID = re.compile(r"<([^<>\s]+)>")
_BARE_ID = re.compile(r"^[^\s<>]+@[^\s<>]+$")
_HEADER_LINE = re.compile(rb"^[!-9;-~]+[ \t]*:", re.MULTILINE)

_KNOWN_HEADER = re.compile(
    rb"^(?:from|to|cc|subject|date|received|message-id|mime-version|content-[a-z-]+|return-path|reply-to|sender"
    rb"|delivered-to|x-[a-z0-9-]+|references|in-reply-to|auto-submitted|list-[a-z]+|precedence|dkim-signature"
    rb"|authentication-results)[ \t]*:",
    re.MULTILINE | re.IGNORECASE,
)

_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "utf-8",
    "ascii": "utf-8",
    "unknown-8bit": "utf-8",
    "x-unknown": "utf-8",
    "utf8": "utf-8",
    "x-sjis": "cp932",
    "shift_jis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman",
    "utf-16": "utf-16",
}
# Codecs that are not charsets of mail, some of them quadratic in their input.
_REFUSED = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}


def normalise_newlines(raw: bytes) -> bytes:
    """CR, CRLF and LF copies of one message become the same bytes."""
    if b"\r" not in raw:
        return raw
    if raw.count(b"\r\r\n") == raw.count(b"\n"):
        # a CRLF that was translated once more, on every line; here and there it is a blank line of the writer's
        raw = raw.replace(b"\r\r\n", b"\n")
    return raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def decode(data: bytes, charset: str | None) -> str:
    """Text from bytes: the stated charset, else UTF-8, else Windows-1252; never raises."""
    if charset:
        name = charset.strip().strip("\"'").lower()
        name = _ALIASES.get(name, name)
        try:
            known = codecs.lookup(name).name
            if known not in _REFUSED:
                return data.decode(known)
        except (LookupError, UnicodeError, ValueError, TypeError):
            pass
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    if charset and b"\x1b" in data:
        return data.decode("iso2022_jp_ext", "replace")
    return data.decode("cp1252", "replace")


def decode_header(value: str) -> str:
    """One header's text: unfolded, encoded words (RFC 2047) and raw 8-bit bytes turned into characters."""
    value = value[:MAX_HEADER_CHARS]
    if not value.isascii():
        value = mend(value)
    if "\n" in value or "\r" in value:
        value = _FOLD.sub(" ", value)
    if "=?" not in value:
        return value.strip()
    value = _BETWEEN_WORDS.sub(r"\1", value)
    # An encoded line break must not become a header of its own when the text is used again.
    return _CONTROL.sub(" ", "".join(_decode_runs(value))).strip()


def _decode_runs(value: str) -> Iterator[str]:
    """Neighbouring words of one charset are joined before decoding: some mailers split characters."""
    position, pending, charset = 0, b"", ""
    for match in _ENCODED_WORD.finditer(value):
        between = value[position : match.start()]
        data = _word_bytes(match[2], match[3])
        if between or match[1].lower() != charset:
            if pending:
                yield decode(pending, charset)
            pending = b""
        yield between
        charset, pending, position = match[1].lower(), pending + data, match.end()
    if pending:
        yield decode(pending, charset)
    yield value[position:]


def _word_bytes(encoding: str, text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    if encoding in "qQ":
        return _Q_ESCAPE.sub(lambda hit: bytes([int(hit[1], 16)]), data.replace(b"_", b" "))
    try:
        return base64.b64decode(data + b"=" * (-len(data) % 4))
    except (binascii.Error, ValueError):
        return data


def mend(value: str) -> str:
    """Raw 8-bit bytes of a header, which the parser keeps as surrogates, become characters."""
    return decode(value.encode("utf-8", "surrogateescape"), None) if _has_surrogates(value) else value


def _has_surrogates(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


def clean(text: str) -> str:
    """Text that any database takes: no NUL, no lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8") if _has_surrogates(text) else text


@dataclass(slots=True)
class Parsed:
    """A message with its headers decoded on demand."""

    message: Message
    size: int
    malformed: str | None = None
    _headers: dict[str, list[str]] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        """Every value of a header, raw and unfolded as it stood, topmost first; `name` in lower case."""
        return self._headers.get(name, [])

    def raw(self, name: str) -> str:
        values = self._headers.get(name)
        return values[0] if values else ""

    def text(self, name: str) -> str:
        values = self._headers.get(name)
        return clean(decode_header(values[0])) if values else ""

    def has(self, name: str) -> bool:
        return name in self._headers

    def names(self) -> Iterator[str]:
        return iter(self._headers)


def headers_of(message: Message) -> dict[str, list[str]]:
    """Lower-case header names to their raw values, in order."""
    found: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        found.setdefault(name.strip().lower(), []).append(str(value))
    return found


def parse(raw: bytes) -> Parsed:
    """Never raises on bytes; what is too deep to parse whole keeps its headers and its text."""
    data = normalise_newlines(raw)
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    data = data.lstrip(b"\n")
    if data.startswith(b">From "):
        data = data.partition(b"\n")[2]
    malformed = None
    if not data.strip(b"\x00 \t\n"):
        malformed = "empty: no header and no body"
    elif not _HEADER_LINE.search(data[:4096]):
        malformed = "no header line found: not an RFC 5322 message"
        data = b"\n" + data
    elif not _KNOWN_HEADER.search(data[:16_384]):
        malformed = "no header of a mail found: taken for a bare body"
        data = b"\n" + data
    parser = BytesParser(policy=compat32)
    if is_too_dear(data):
        message = parser.parsebytes(data, headersonly=True)
        return Parsed(message, len(raw), "parts nested too deep; headers only", headers_of(message))
    try:
        message = parser.parsebytes(data)
    except Exception as error:  # noqa: BLE001 - the library's parser raises undeclared errors on hostile input
        malformed = f"structure unreadable ({type(error).__name__}); headers only"
        message = parser.parsebytes(data, headersonly=True)
    return Parsed(message, len(raw), malformed, headers_of(message))


def walk(message: Message) -> Iterator[tuple[Message, int]]:
    """Leaf parts and message/* parts in order, with their depth; embedded messages are not entered."""
    stack = [(message, 0)]
    seen = 0
    while stack:
        part, depth = stack.pop()
        seen += 1
        if seen > MAX_PARTS:
            return
        if part.get_content_maintype() == "multipart" and part.is_multipart():
            if depth < MAX_DEPTH:
                children = part.get_payload()
                if isinstance(children, list):
                    stack.extend((child, depth + 1) for child in reversed(children) if isinstance(child, Message))
            continue
        yield part, depth


def payload(part: Message) -> bytes:
    """The decoded bytes of a leaf part; never raises."""
    try:
        data = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - undeclared errors of the library's decoders: fall back to the undecoded text
        data = None
    if isinstance(data, bytes):
        return data
    inner = part.get_payload()
    if isinstance(inner, str):
        return inner.encode("utf-8", "surrogateescape")
    return b""


def part_text(part: Message) -> str:
    """The characters of a text part."""
    return clean(decode(payload(part), charset_of(part)))


def charset_of(part: Message) -> str | None:
    try:
        value = part.get_param("charset")
    except Exception:  # noqa: BLE001 - malformed RFC 2231 parameters raise undeclared errors
        return None
    if isinstance(value, tuple):
        value = value[2]
    return str(value) if value else None


def message_ids(value: str) -> tuple[str, ...]:
    """All ids of a header, with angle brackets; a bare `a@b` is taken too."""
    value = _FOLD.sub(" ", value[:MAX_HEADER_CHARS]).strip()
    found = [f"<{clean(hit)}>" for hit in _MESSAGE_ID.findall(value)]
    if not found and _BARE_ID.match(value):
        found = [f"<{clean(value)}>"]
    return tuple(dict.fromkeys(found))


def parse_date(value: str) -> datetime | None:
    """A Date header in the writer's own offset; None when it says nothing usable."""
    try:
        parts = parsedate_tz(value.strip())
        if parts is None:
            return None
        offset = timezone(timedelta(seconds=parts[9] or 0))
        return datetime.fromtimestamp(mktime_tz(parts), UTC).astimezone(offset)
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None
