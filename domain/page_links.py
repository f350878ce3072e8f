"""Links to hosted pages: each opens one thing for one tenant, is signed so that nobody can guess it, and runs out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from domain.vault import Vault

DOORS = ("q", "f")
"""The first part of their paths: quotes, and feedback requests."""

PAGE = re.compile(rf"/(?:{'|'.join(DOORS)})/[0-9a-f]{{32}}/[0-9a-f]{{32}}/\d{{1,6}}\.\d{{1,12}}/[\w-]{{43}}(?![\w./-])")
"""What such a link looks like below the house's own address."""


class DeadLink(Exception):
    """The link is none of ours, or its time is up (`expired`)."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("the link has run out" if expired else "the link is none of ours")
        self.expired = expired


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of page: the first part of its path, and the purpose under which its links are signed."""

    door: str
    purpose: str

    def address(
        self, vault: Vault, public_url: str, tenant_id: UUID, subject_id: UUID, edition: int, until: datetime
    ) -> str:  # fmt: skip
        """The page of one edition of a subject, which opens until then; the same always has the same address."""
        terms = f"{edition}.{int(until.timestamp())}"
        signature = vault.sign(self.purpose, f"{tenant_id}:{subject_id}:{terms}")
        return f"{public_url}/{self.door}/{tenant_id.hex}/{subject_id.hex}/{terms}/{signature}"

    def edition(
        self, vault: Vault, tenant_id: UUID, subject_id: UUID, terms: str, signature: str, *, now: datetime
    ) -> int:  # fmt: skip
        """The edition that a link opens. Raises DeadLink."""
        if not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,12}", terms) or not vault.verify(
            self.purpose, f"{tenant_id}:{subject_id}:{terms}", signature
        ):
            raise DeadLink()
        number, _, until = terms.partition(".")
        if datetime.fromtimestamp(int(until), UTC) <= now:
            raise DeadLink(expired=True)
        return int(number)

    def path(self, tenant_id: UUID, subject_id: UUID, terms: str, signature: str) -> str:
        """The path of a page whose link has been checked."""
        return f"/{self.door}/{tenant_id.hex}/{subject_id.hex}/{terms}/{signature}"


QUOTE = Kind("q", "quote")
FEEDBACK = Kind("f", "feedback")


def pages(text: str, public_url: str) -> tuple[str, ...]:
    """The addresses of hosted pages that stand in a text, whole ones alone."""
    if not any(f"/{door}/" in text for door in DOORS):
        return ()
    return tuple(dict.fromkeys(
        public_url + match.group() for match in PAGE.finditer(text)
        if text.endswith(public_url, 0, match.start())
    ))  # fmt: skip
