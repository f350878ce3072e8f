"""The kinds of fields that requests are made of, each with its bounds."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Moment = Annotated[
    AwareDatetime, Field(ge=EARLIEST, lt=LATEST, description="RFC 3339 with its offset, between 2000 and 2200")
]
"""Moments at the ends of what can be written overflow as soon as anything is added to them."""

Text = Annotated[str | None, Field(min_length=1, max_length=300)]
Reason = Annotated[str, Field(min_length=1, max_length=500, description="Why; it goes into the audit log")]
Address = Annotated[str, Field(min_length=3, max_length=320)]


class Given(BaseModel):
    """A body; a field that it has no name for is refused rather than overlooked."""

    model_config = ConfigDict(extra="forbid")
