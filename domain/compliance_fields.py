"""What a record can be required to hold, and whom a schedule can be about: closed lists, each with its SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from domain import places

AppliesTo = Literal["client", "contact"]

MOST_CHOICES = 50


class InvalidRequirement(Exception):
    """A schedule requires fields and chooses records by the words of a closed list alone."""


@dataclass(frozen=True, slots=True)
class Field:
    """One thing that a record can be required to hold."""

    present: str
    """SQL for whether it is there; `l` is the account, `c` the contact."""
    asked: bool = True
    """Whether they can tell us; what is our own to fill in is never asked of them."""


def _somebody(condition: str) -> str:
    # a scalar look-up and no EXISTS: the planner would hash all contacts of the tenant for it
    return f"""(SELECT true FROM contacts p WHERE p.tenant_id = l.tenant_id AND p.client_id = l.id AND {condition}
                LIMIT 1) IS NOT NULL"""


FIELDS: Mapping[AppliesTo, Mapping[str, Field]] = {
    "client": {
        "domain": Field("l.domain IS NOT NULL"),
        "country": Field("l.country IS NOT NULL"),
        "timezone": Field("l.timezone IS NOT NULL"),
        "language": Field("l.language IS NOT NULL"),
        "contact": Field(_somebody("p.email IS NOT NULL")),
        "contact_phone": Field(_somebody("p.phone IS NOT NULL")),
        "contact_title": Field(_somebody("p.title IS NOT NULL")),
        "external_id": Field("l.external_id IS NOT NULL", asked=False),
        "manager": Field("l.manager_id IS NOT NULL", asked=False),
        "annual_value": Field("l.annual_value > 0", asked=False),
        "credit_limit": Field("""(SELECT true FROM client_credit r WHERE r.tenant_id = l.tenant_id
            AND r.client_id = l.id AND r.credit_limit IS NOT NULL) IS NOT NULL""", asked=False),
    },
    "contact": {
        "email": Field("c.email IS NOT NULL"),
        "phone": Field("c.phone IS NOT NULL"),
        "title": Field("c.title IS NOT NULL"),
        "country": Field("c.country IS NOT NULL"),
        "timezone": Field("c.timezone IS NOT NULL"),
        "language": Field("c.language IS NOT NULL"),
        "external_id": Field("c.external_id IS NOT NULL", asked=False),
    },
}  # fmt: skip

ASKED: frozenset[str] = frozenset(name for some in FIELDS.values() for name, field in some.items() if field.asked)
"""What the people of an account can be asked for."""


def missing(applies_to: AppliesTo, required: str) -> str:
    """SQL for the required fields (`required`: SQL of their names) that a record does not hold, as an array.

    A field that is not required is not looked at.
    """
    cases = ", ".join(
        f"CASE WHEN '{name}' = ANY({required}) THEN CASE WHEN {field.present} THEN NULL ELSE '{name}' END END"
        for name, field in FIELDS[applies_to].items()
    )
    return f"array_remove(ARRAY[{cases}]::text[], NULL)"


def required(applies_to: AppliesTo, names: Sequence[str]) -> list[str]:
    """The names as they are kept, each once, in the list's own order. Raises InvalidRequirement."""
    known = FIELDS[applies_to]
    if unknown := sorted(set(names) - set(known)):
        raise InvalidRequirement(
            f"required_fields: {', '.join(unknown)}: of a {applies_to} only {', '.join(known)} can be required"
        )
    if not names:
        raise InvalidRequirement("required_fields: say what a record must hold")
    return [name for name in known if name in names]


@dataclass(frozen=True, slots=True)
class _Choice:
    """One word of a filter: how its value is spelled, and the SQL that it stands for."""

    spell: Callable[[str, Any], Any]
    of_clients: str
    of_contacts: str = ""
    """Where it says something else of a contact than of their account."""


def _one_of(*allowed: str) -> Callable[[str, Any], list[str]]:
    def spell(name: str, told: Any) -> list[str]:
        return _list(name, told, lambda each: each if each in allowed else None, f"of {', '.join(allowed)}")

    return spell


def _places(kind: Callable[[str], str], what: str) -> Callable[[str, Any], list[str]]:
    def spelled(each: str) -> str | None:
        try:
            return kind(each)
        except places.InvalidPlace:
            return None

    return lambda name, told: _list(name, told, spelled, what)


def _list(name: str, told: Any, spell: Callable[[str], str | None], what: str) -> list[str]:
    given = [told] if isinstance(told, str) else told
    if not isinstance(given, list | tuple) or not 0 < len(given) <= MOST_CHOICES:
        raise InvalidRequirement(f"filter.{name}: a list {what}")
    found = [spell(each) if isinstance(each, str) else None for each in given]
    if wrong := [each for each, kept in zip(given, found, strict=True) if kept is None]:
        raise InvalidRequirement(f"filter.{name}: {wrong[0]!r} is none {what}")
    return sorted({each for each in found if each is not None})


def _truth(name: str, told: Any) -> bool:
    if not isinstance(told, bool):
        raise InvalidRequirement(f"filter.{name}: true or false")
    return told


def _amount(name: str, told: Any) -> str:
    try:
        amount = Decimal(str(told))
    except InvalidOperation:
        amount = Decimal("NaN")
    if isinstance(told, bool) or not amount.is_finite() or not 0 <= amount < Decimal("1e12"):
        raise InvalidRequirement(f"filter.{name}: an amount, such as 5000")
    return str(amount)


def _orders(condition: str) -> str:
    return f"""((SELECT true FROM orders o WHERE o.tenant_id = l.tenant_id AND o.client_id = l.id
                 AND o.status NOT IN ('draft', 'cancelled') AND {condition} LIMIT 1) IS NOT NULL) = :f_"""


FILTERS: Mapping[str, _Choice] = {
    "status": _Choice(_one_of("active", "inactive"), "l.status = ANY(:f_status)"),
    "relationship": _Choice(_one_of("client", "prospect"), "l.relationship = ANY(:f_relationship)"),
    "country": _Choice(_places(places.country, "of countries' two-letter codes"), "l.country = ANY(:f_country)",
                       "coalesce(c.country, l.country) = ANY(:f_country)"),
    "language": _Choice(_places(places.language, "of languages' two-letter codes"), "l.language = ANY(:f_language)",
                        "coalesce(c.language, l.language) = ANY(:f_language)"),
    "min_annual_value": _Choice(_amount, "l.annual_value >= CAST(:f_min_annual_value AS numeric)"),
    "managed": _Choice(_truth, "(l.manager_id IS NOT NULL) = :f_managed"),
    "has_orders": _Choice(_truth, _orders("true") + "has_orders"),
    "orders_on_bill": _Choice(_truth, _orders("o.billing = 'bill'") + "orders_on_bill"),
    "may_order_on_bill": _Choice(_truth, """((SELECT true FROM client_credit r WHERE r.tenant_id = l.tenant_id
        AND r.client_id = l.id AND r.terms = 'bill') IS NOT NULL) = :f_may_order_on_bill"""),
    "has_address": _Choice(_truth, "", "(c.email IS NOT NULL) = :f_has_address"),
}  # fmt: skip
"""The words that a filter is made of; of a contact most speak of the account."""

UNLESS_TOLD: Mapping[str, Any] = {"status": ["active"], "relationship": ["client"]}
"""Whom a schedule is about that doesn't say otherwise."""


def spelled(applies_to: AppliesTo, told: Mapping[str, Any]) -> dict[str, Any]:
    """A filter as it is kept. Raises InvalidRequirement, which names what is wrong."""
    if unknown := sorted(name for name in told if name not in FILTERS or not _sql(applies_to, name)):
        known = ", ".join(name for name in FILTERS if _sql(applies_to, name))
        raise InvalidRequirement(f"filter: {', '.join(unknown)}: {applies_to}s are chosen by {known}")
    return {name: FILTERS[name].spell(name, told[name]) for name in FILTERS if name in told}


def condition(applies_to: AppliesTo, kept: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """SQL for whether a record is chosen, and its values; every word of it is this module's own."""
    chosen = {**UNLESS_TOLD, **kept}
    values = {f"f_{name}": value for name, value in chosen.items()}
    return " AND ".join(f"({_sql(applies_to, name)})" for name in chosen), values


def kept_condition(applies_to: AppliesTo, kept: str) -> str:
    """SQL for whether a record is chosen by the words of a filter that a row holds (`kept`: SQL of it)."""
    return " AND ".join(
        f"CASE WHEN {kept} ? '{name}' THEN coalesce({_by_row(applies_to, name, kept)}, false) ELSE true END"
        for name in FILTERS if _sql(applies_to, name)
    )  # fmt: skip


def _by_row(applies_to: AppliesTo, name: str, kept: str) -> str:
    sql, value = _sql(applies_to, name), f"({kept} ->> '{name}')"
    sql = sql.replace(f"ANY(:f_{name})", f"ANY(ARRAY(SELECT jsonb_array_elements_text({kept} -> '{name}')))")
    return sql.replace(f":f_{name}", f"CAST({value} AS boolean)" if FILTERS[name].spell is _truth else value)


def _sql(applies_to: AppliesTo, name: str) -> str:
    choice = FILTERS[name]
    return (choice.of_contacts or choice.of_clients) if applies_to == "contact" else choice.of_clients
