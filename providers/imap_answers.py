"""What an IMAP server says, taken apart (RFC 9051): nested lists, quoted strings, literals, and folder names."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

Token: TypeAlias = "bytes | list[Token]"  # noqa: S105 - a token of the protocol
Data: TypeAlias = "Sequence[bytes | tuple[bytes, bytes] | None]"
"""What imaplib hands over: a pair ends in a literal, and the bytes behind the last pair end the answer."""

DEEPEST = 20
LARGEST_UID = 2**32 - 1
TOKEN = re.compile(rb'\s*(?:([()])|"((?:[^"\\]|\\.)*)"|([^\s()"\[]*\[[^\]]*\][^\s()"]*|[^\s()"]+))', re.DOTALL)
ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
LITERAL = re.compile(rb"\{\d+\+?\}$")
SHIFTED = re.compile(r"&([^-]*)-")


class Malformed(ValueError):
    """The server's answer can't be read."""


def answers(data: Data) -> Iterator[list[Token]]:
    """Each answer as its tokens. Raises Malformed."""
    parts: list[tuple[bytes, bytes | None]] = []
    for item in data:
        if isinstance(item, tuple):
            parts.append((LITERAL.sub(b"", item[0]), item[1]))
        elif item is not None:
            yield _tokens([*parts, (item, None)])
            parts = []
    if parts:
        raise Malformed("an answer broke off behind a literal")


def _tokens(parts: Sequence[tuple[bytes, bytes | None]]) -> list[Token]:
    stack: list[list[Token]] = [[]]
    for text, literal in parts:
        text = text.rstrip()
        at = 0
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise Malformed("an answer holds what is no token")
            at = found.end()
            bracket, quoted, atom = found.groups()
            if bracket == b"(":
                if len(stack) > DEEPEST:
                    raise Malformed("an answer is nested too deeply")
                stack.append([])
            elif bracket == b")":
                if len(stack) == 1:
                    raise Malformed("an answer closes what it never opened")
                closed = stack.pop()
                stack[-1].append(closed)
            else:
                stack[-1].append(atom if quoted is None else ESCAPED.sub(rb"\1", quoted))
        if literal is not None:
            stack[-1].append(literal)
    if len(stack) != 1:
        raise Malformed("an answer ends inside a list")
    return stack[0]


def fetched(data: Data) -> dict[int, dict[str, Token]]:
    """The items of each message by its UID; what says no UID is news about flags, not an answer. Raises Malformed."""
    by_uid: dict[int, dict[str, Token]] = {}
    for answer in answers(data):
        if len(answer) != 2 or not isinstance(answer[1], list) or len(answer[1]) % 2:
            raise Malformed("an answer to FETCH is no list of pairs")
        pairs = zip(answer[1][::2], answer[1][1::2], strict=True)
        items = {_item(name): value for name, value in pairs}
        if "UID" in items:
            by_uid.setdefault(number(items.pop("UID")), {}).update(items)
    return by_uid


def _item(name: Token) -> str:
    """`BODY[HEADER.FIELDS (…)]` is HEADER, whatever spelling the server repeats; `BODY[]` is BODY."""
    told = word(name).upper()
    if told.startswith("BODY[HEADER"):
        return "HEADER"
    return "BODY" if told.startswith("BODY[]") else told


def uids(data: Data) -> list[int]:
    """The UIDs that a search found, each once, lowest first. Raises Malformed."""
    return sorted({number(token) for answer in answers(data) for token in answer})


def number(token: Token) -> int:
    """An unsigned number of 32 bits that is not zero, as UIDs are. Raises Malformed."""
    told = word(token)
    if not (told.isascii() and told.isdigit() and len(told) <= 10 and 0 < int(told) <= LARGEST_UID):
        raise Malformed("an answer holds no number where one belongs")
    return int(told)


def size(token: Token) -> int:
    """A size in bytes. Raises Malformed."""
    told = word(token)
    if not (told.isascii() and told.isdigit() and len(told) <= 18):
        raise Malformed("an answer holds no size where one belongs")
    return int(told)


def word(token: Token) -> str:
    """A token that is no list, as text. Raises Malformed."""
    if isinstance(token, list):
        raise Malformed("an answer holds a list where a word belongs")
    return token.decode("latin-1")


def words(token: Token) -> frozenset[str]:
    """A list of flags or attributes in lower case. Raises Malformed."""
    if not isinstance(token, list):
        raise Malformed("an answer holds no list where one belongs")
    return frozenset(word(each).lower() for each in token)


def readable(name: str) -> str:
    """A folder's name out of modified UTF-7 (RFC 3501, 5.1.3); one that is not well formed stays as it is."""

    def shifted(found: re.Match[str]) -> str:
        if not found[1]:
            return "&"
        coded = found[1].replace(",", "/")
        return base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True).decode("utf-16-be")

    try:
        return SHIFTED.sub(shifted, name)
    except (binascii.Error, ValueError):
        return name
