"""Links to quotes: each opens one revision, and so long after its validity that it can still be read."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from domain.page_links import QUOTE
from domain.vault import Vault

READABLE = timedelta(days=30)
"""So long after its validity a quote can still be read, whatever became of it."""


def address(
    vault: Vault, public_url: str, tenant_id: UUID, quote_id: UUID, revision: int, valid_until: datetime
) -> str:  # fmt: skip
    """The page of one revision; the same quote always has the same address."""
    return QUOTE.address(vault, public_url, tenant_id, quote_id, revision, valid_until + READABLE)
