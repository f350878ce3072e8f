"""Who is asking, for which tenant, and what their role lets them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from admin_api.problems import Problem
from domain import keys, tenants
from domain.house import House
from domain.keys import Principal, Role

RANK: dict[Role, int] = {"analyst": 0, "operator": 1, "admin": 2}

# the key comes in a header only; one in a URL would end up in every log on its way
_bearer = HTTPBearer(auto_error=False, description="An API key: `hh_<tenant>_<id>_<secret>`")


def house_of(request: Request) -> House:
    """The house that the app was built on."""
    house: House = request.app.state.house
    return house


TheHouse = Annotated[House, Depends(house_of)]


def principal(
    house: TheHouse, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Principal:
    """Who presents the key."""
    if credentials is None:
        raise Problem(401, "A key is needed.", "Send `Authorization: Bearer hh_…`; `hourhand key create` makes one.")
    return keys.verify(house.database, house.vault, credentials.credentials)


Who = Annotated[Principal, Depends(principal)]


@dataclass(frozen=True, slots=True)
class Seat:
    """A principal at one tenant's desk."""

    who: Principal
    tenant_id: UUID

    @property
    def actor(self) -> str:
        """The name under which their doings are recorded."""
        return actor_of(self.who)


def actor_of(who: Principal) -> str:
    """Who did it, for the records: names of keys are chosen freely, so the id stands beside it."""
    return f"{who.name} ({'key' if who.tenant_id else 'house key'} {who.key_id})"


def seat(
    house: TheHouse, who: Who,
    hourhand_tenant: Annotated[
        str | None,
        Header(
            alias="Hourhand-Tenant", pattern="^[0-9a-z-]{1,63}$",
            description="Slug or id; a key of the house must name the tenant here",
        ),
    ] = None,
) -> Seat:  # fmt: skip
    """The tenant that the request is about: the key's own, or for a key of the house the one that it names."""
    if who.tenant_id is not None:
        own = hourhand_tenant in (None, str(who.tenant_id))
        if not own and tenants.get(house.database, who.tenant_id).slug != hourhand_tenant:
            raise Problem(403, "This key belongs to another tenant.", "Leave out Hourhand-Tenant, or use its own key.")
        return Seat(who, who.tenant_id)
    if not hourhand_tenant:
        raise Problem(400, "Which tenant?", "A key of the house must name the tenant in the header Hourhand-Tenant.")
    return Seat(who, tenants.by_slug(house.database, hourhand_tenant).tenant_id)


def seated(role: Role) -> Callable[..., Seat]:
    """A dependency: a seat whose key has at least `role`."""

    def check(at: Annotated[Seat, Depends(seat)]) -> Seat:
        _require(at.who, role)
        return at

    return check


def of_the_house(role: Role) -> Callable[..., Principal]:
    """A dependency: a key of the house with at least `role`."""

    def check(who: Who) -> Principal:
        if who.tenant_id is not None:
            raise Problem(403, "This is for the house's own admins.", "A tenant's key can't reach beyond its tenant.")
        _require(who, role)
        return who

    return check


def _require(who: Principal, role: Role) -> None:
    if RANK[who.role] < RANK[role]:
        raise Problem(403, f"This needs the role {role}.", f"The key {who.name!r} has the role {who.role}.")


Reader = Annotated[Seat, Depends(seated("analyst"))]
Operator = Annotated[Seat, Depends(seated("operator"))]
Admin = Annotated[Seat, Depends(seated("admin"))]
HouseReader = Annotated[Principal, Depends(of_the_house("analyst"))]
HouseOperator = Annotated[Principal, Depends(of_the_house("operator"))]
HouseAdmin = Annotated[Principal, Depends(of_the_house("admin"))]
