"""Links to quotes: each opens one revision for one tenant, is signed so that nobody can guess it, and runs out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.vault import Vault

READABLE = timedelta(days=30)
"""So long after its validity a quote can still be read, whatever became of it."""

PAGE = re.compile(r"/q/[0-9a-f]{32}/[0-9a-f]{32}/\d{1,6}\.\d{1,12}/[\w-]{43}(?![\w./-])")
"""What such a link looks like below the house's own address."""


class DeadLink(Exception):
    """The link is none of ours, or its time is up (`expired`)."""

    def __init__(self, *, expired: bool = False) -> None:
        super().__init__("the link has run out" if expired else "the link is none of ours")
        self.expired = expired


def address(
    vault: Vault, public_url: str, tenant_id: UUID, quote_id: UUID, revision: int, valid_until: datetime
) -> str:  # fmt: skip
    """The page of one revision; the same quote always has the same address."""
    terms = f"{revision}.{int((valid_until + READABLE).timestamp())}"
    signature = vault.sign("quote", _signed(tenant_id, quote_id, terms))
    return f"{public_url}/q/{tenant_id.hex}/{quote_id.hex}/{terms}/{signature}"


def revision(
    vault: Vault, tenant_id: UUID, quote_id: UUID, terms: str, signature: str, *, now: datetime
) -> int:  # fmt: skip
    """The revision that a link opens. Raises DeadLink."""
    if not re.fullmatch(r"[0-9]{1,6}\.[0-9]{1,12}", terms) or not vault.verify(
        "quote", _signed(tenant_id, quote_id, terms), signature
    ):
        raise DeadLink()
    number, _, until = terms.partition(".")
    if datetime.fromtimestamp(int(until), UTC) <= now:
        raise DeadLink(expired=True)
    return int(number)


def pages(text: str, public_url: str) -> tuple[str, ...]:
    """The addresses of quotes' pages that stand in a text, whole ones alone."""
    if "/q/" not in text:
        return ()
    return tuple(dict.fromkeys(
        public_url + match.group() for match in PAGE.finditer(text)
        if text.endswith(public_url, 0, match.start())
    ))  # fmt: skip


def _signed(tenant_id: UUID, quote_id: UUID, terms: str) -> str:
    return f"{tenant_id}:{quote_id}:{terms}"
