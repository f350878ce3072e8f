"""What several checks ask of one person: it is asked once, by the most pressing of them, for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from domain import compliance_fields
from domain.compliance_validation import Standing as Due

Want = tuple[UUID, str]
"""Of whose record what is wanted: the contact's, or the account's."""

OWN = {"contact_phone": "phone", "contact_title": "title"}
"""What an account lacks and whoever is asked can tell of themselves: it is the same number and role."""


@dataclass(frozen=True, slots=True)
class Request:
    """One mail: of the check that asks, with what others ask along with it."""

    due: Due
    gaps: tuple[str, ...]
    also: tuple[Due, ...] = ()


@dataclass
class Sharing:
    """Who is asked for what, by what waits on the board and by what is proposed in this hour."""

    under_way: dict[tuple[UUID, Want], str] = field(default_factory=dict)
    """By who is asked and for what: the intention of the request that asks."""
    requests: list[Request] = field(default_factory=list)

    def wait(self, due: Due, key: str) -> None:
        """A request waits to be sent to them that asks for what this check lacks."""
        if due.asked is not None:
            self.under_way |= {(due.asked.id, want): key for want in wants(due)}

    def leader(self, due: Due) -> int | None:
        """Which request of this hour goes to the same person about the same record: it asks for both."""
        assert due.asked is not None
        for at, each in enumerate(self.requests):
            if each.due.asked == due.asked and each.due.check.entity_id == due.check.entity_id:
                return at
        return None

    def join(self, at: int, due: Due, key: str) -> None:
        """Have a request of this hour ask for what this check lacks as well."""
        one = self.requests[at]
        told = {*one.gaps, *self.left(due)}
        known = compliance_fields.FIELDS["client" if due.check.contact_id is None else "contact"]
        self.requests[at] = replace(one, gaps=tuple(name for name in known if name in told), also=(*one.also, due))
        self.wait(due, key)

    def ask(self, due: Due, key: str) -> None:
        """Have them asked, for what nobody asks them for already."""
        self.requests.append(Request(due, self.left(due)))
        self.wait(due, key)

    def left(self, due: Due) -> tuple[str, ...]:
        """What of its gaps they are asked for neither now nor lately."""
        assert due.asked is not None
        lately = asked_lately(due)
        return tuple(name for name in due.to_ask if (want := _want(due, name)) not in lately
                     and (due.asked.id, want) not in self.under_way)  # fmt: skip

    def waits_for(self, due: Due) -> str | None:
        """The intention of the first request under way to them that asks for something of the same."""
        assert due.asked is not None
        return next((key for want in wants(due) if (key := self.under_way.get((due.asked.id, want)))), None)


def asked_lately(due: Due) -> Mapping[Want, datetime]:
    """What they were asked for lately about other checks, and for how long that counts; a person may insist."""
    if due.check.insisted or due.asked is None:
        return {}
    who = due.asked.id
    return {_same(who, each.contact_id, due.account_id, name): each.until
            for each in sorted(due.lately, key=lambda one: one.until) for name in each.gaps}  # fmt: skip


def wants(due: Due) -> tuple[Want, ...]:
    """What it would ask for."""
    return tuple(_want(due, name) for name in due.to_ask)


def _want(due: Due, name: str) -> Want:
    assert due.asked is not None
    return _same(due.asked.id, due.check.contact_id, due.account_id, name)


def _same(who: UUID, contact_id: UUID | None, account_id: UUID, name: str) -> Want:
    if contact_id is None and name in OWN:
        return who, OWN[name]
    return contact_id or account_id, name
