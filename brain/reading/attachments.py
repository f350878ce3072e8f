"""Files that came with a message: true names (RFC 2231, RFC 2047), sniffed types, sizes, hashes."""

from __future__ import annotations

import hashlib
import mimetypes
import re
from email.message import Message
from urllib.parse import unquote_to_bytes

from brain.reading.model import Attachment
from brain.reading.parse import clean, decode, decode_header, mend, payload

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_SEGMENT = re.compile(r"^(filename|name)\*(\d+)(\*?)$")
_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"{\\rtf", "application/rtf"),
    (b"\xd0\xcf\x11\xe0", "application/x-ole-storage"),
)
_VAGUE = {"application/octet-stream", "application/unknown", "application/download", "application/x-download", ""}


def disposition_of(part: Message) -> str:
    value = str(part.get("content-disposition", "") or "")
    return value.partition(";")[0].strip().lower()


def filename_of(part: Message) -> str:
    """The name its sender gave it, without any path; empty when there is none."""
    for header in ("content-disposition", "content-type"):
        name = _name_param(part, header)
        if name:
            return name
    return ""


def _name_param(part: Message, header: str) -> str:
    try:
        pairs = _mended(part, header).get_params(None, header, unquote=True)
    except Exception:  # noqa: BLE001 - malformed RFC 2231 parameters raise undeclared errors
        pairs = None
    if not pairs:
        return ""
    wanted = [(str(key).lower(), value) for key, value in pairs[1:]]
    for key, value in wanted:
        if key in ("filename", "name", "filename*", "name*"):
            return _tidy(_value(value))
    segments = sorted((int(hit[2]), bool(hit[3]), str(value)) for key, value in wanted if (hit := _SEGMENT.match(key)))
    return _tidy(_join(segments)) if segments else ""


def _mended(part: Message, header: str) -> Message:
    """The part, or a stand-in whose header has its raw 8-bit bytes decoded."""
    raw = next((str(value) for name, value in part.raw_items() if name.lower() == header), "")
    if raw.isascii():
        return part
    stand_in = Message()
    stand_in[header] = mend(raw)
    return stand_in


def _value(value: object) -> str:
    if isinstance(value, tuple):  # (charset, language, text) as RFC 2231 gives it
        charset, _, text = value
        return decode(str(text).encode("latin-1", "replace"), str(charset or "utf-8"))
    text = str(value)
    if text.lower().startswith(("utf-8''", "iso-8859-1''", "us-ascii''")):
        charset, _, quoted = text.partition("''")
        return decode(unquote_to_bytes(quoted), charset)
    return decode_header(text)


def _join(segments: list[tuple[int, bool, str]]) -> str:
    charset, data = None, b""
    for number, encoded, text in segments:
        if number == 0 and encoded and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "surrogateescape")
    return decode(data, charset or "utf-8")


def _tidy(name: str) -> str:
    name = clean(name).replace("\\", "/").rsplit("/", 1)[-1]
    return _UNSAFE.sub("_", name).strip(" .")[:255]


def content_type_of(part: Message, name: str, data: bytes) -> str:
    """The stated type, unless it is vague; then what the bytes or the name say."""
    stated = part.get_content_type()
    if stated not in _VAGUE:
        return stated
    by_name = mimetypes.guess_type(name)[0] if name else None
    for magic, found in _MAGIC:
        if data.startswith(magic):
            return by_name if by_name and found in ("application/zip", "application/x-ole-storage") else found
    return by_name or "application/octet-stream"


def attachment_of(part: Message) -> Attachment:
    """The part as a file."""
    data = _content(part)
    name = filename_of(part)
    kind = content_type_of(part, name, data)
    if not name:
        name = _made_name(part, kind)
    content_id = str(part.get("content-id", "") or "").strip() or None
    return Attachment(
        filename=name,
        content_type=kind,
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        content=data,
        inline=disposition_of(part) != "attachment" and content_id is not None,
        content_id=clean(content_id) if content_id else None,
    )


def _content(part: Message) -> bytes:
    if part.get_content_maintype() != "message" or not part.is_multipart():
        return payload(part)
    children = part.get_payload()
    try:
        return b"\n".join(_bytes_of(child) for child in children if isinstance(child, Message))
    except Exception:  # noqa: BLE001 - undeclared errors of the library's generator on malformed inner messages
        return b""


def _bytes_of(message: Message) -> bytes:
    """An embedded mail as it stood; the library's generator, which is slow and folds anew, only where it has parts."""
    inner = message.get_payload()
    if not isinstance(inner, str):
        return message.as_bytes()
    head = "".join(f"{name}:{value if value[:1].isspace() else f' {value}'}\n" for name, value in message.raw_items())
    return f"{head}\n{inner}".encode("utf-8", "surrogateescape")


def _made_name(part: Message, kind: str) -> str:
    if kind == "message/rfc822":
        children = part.get_payload()
        inner = children[0] if isinstance(children, list) and children else None
        subject = decode_header(str(inner.get("subject", ""))) if isinstance(inner, Message) else ""
        return (_tidy(subject.replace("/", "-")) or "message") + ".eml"
    extension = mimetypes.guess_extension(kind) or ".bin"
    return f"{part.get_content_maintype()}{extension}"
