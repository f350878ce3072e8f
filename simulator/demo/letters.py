"""Letters as people would keep them in a file: headers of ours, a blank line, a text; one file holds many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from email.parser import Parser
from email.policy import compat32
from pathlib import Path

FOLDER = Path(__file__).parent / "mail"
RULE = "\n%%\n"
KNOWN = frozenset({
    "id", "from", "to", "cc", "at", "when", "nth", "after", "re", "subject", "kind", "attach", "html", "about",
    "status", "said",
})  # fmt: skip


class BadLetter(Exception):
    """A letter has a header that nobody knows, or lacks one that it needs."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter of the story, before it is put into an envelope."""

    id: str
    sender: str
    """A person's key, `me` for the company's own sender, or a whole address."""
    text: str = field(repr=False)
    kind: str = "letter"
    subject: str = ""
    at: str = ""
    """When it is put into the mailbox, as `Days.when` reads it."""
    when: str = ""
    """Whose mail it answers: a person's key; it comes `after` that was sent."""
    nth: int = 1
    after: timedelta = timedelta()
    re: str = ""
    """The letter that it answers."""
    about: str = ""
    """The person whose mail a report is about; with `forged`, a mail that we never sent."""
    to: Sequence[str] = ()
    cc: Sequence[str] = ()
    attach: Sequence[str] = ()
    html: bool = False
    status: str = ""
    said: str = ""


def read(name: str, *, needed: bool = True) -> list[Letter]:
    """Every letter of a file; none where the file is not needed and not there. Raises BadLetter."""
    if not needed and not (FOLDER / name).exists():
        return []
    written = (FOLDER / name).read_text(encoding="utf-8")
    return [_letter(part, name) for part in written.split(RULE) if part.strip()]


def _letter(part: str, name: str) -> Letter:
    told: Message = Parser(policy=compat32).parsestr(part.strip("\n") + "\n")
    headers = {key.lower(): str(value) for key, value in told.items()}
    unknown = set(headers) - KNOWN
    if unknown or not headers.get("id") or not (headers.get("at") or headers.get("when")):
        wrong = ", ".join(sorted(unknown)) or "id, at or when is missing"
        raise BadLetter(f"{name}: {headers.get('id', part[:40])!r}: {wrong}")
    return Letter(
        id=headers["id"],
        sender=headers.get("from", headers.get("when", "")),
        text=str(told.get_payload()).strip() + "\n",
        kind=headers.get("kind", "letter"),
        subject=headers.get("subject", ""),
        at=headers.get("at", ""),
        when=headers.get("when", ""),
        nth=int(headers.get("nth", "1")),
        after=timedelta(minutes=float(headers.get("after", "30"))),
        re=headers.get("re", ""),
        about=headers.get("about", ""),
        to=_list(headers.get("to", "")),
        cc=_list(headers.get("cc", "")),
        attach=_list(headers.get("attach", "")),
        html=headers.get("html", "") == "yes",
        status=headers.get("status", "5.1.1"),
        said=headers.get("said", "550 5.1.1 The email account that you tried to reach does not exist"),
    )


def _list(told: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in told.split(";") if part.strip())
