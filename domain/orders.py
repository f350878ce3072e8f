"""Orders: what a client ordered, at which price, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import clients, credit, events, feedback, money, order_exceptions, order_lines, order_queue, storable
from domain.db import Row, Tx
from domain.order_lines import InvalidOrder, Line
from domain.order_spelling import spelled, spelled_number

__all__ = ["COLUMNS", "MOVES", "InvalidOrder", "Line", "Order", "Put", "UnknownOrder", "get", "listed", "move", "put"]

MOVES: Mapping[str, frozenset[str]] = {
    "draft": frozenset({"new", "accepted", "in_progress", "delivered", "closed", "cancelled"}),
    "new": frozenset({"accepted", "in_progress", "delivered", "closed", "cancelled"}),
    # changed after it was accepted, an order is new again
    "accepted": frozenset({"new", "in_progress", "delivered", "closed", "cancelled"}),
    "in_progress": frozenset({"delivered", "closed", "cancelled"}),
    "delivered": frozenset({"closed"}),
    "closed": frozenset(),
    "cancelled": frozenset(),
}
"""The lifecycle; the database holds the same in `hourhand.order_moves`."""

UNCHECKED = frozenset({"draft", "new"})
"""What is still to be checked; an order that comes in further on was accepted by somebody else."""

CHECKED_FIELDS = frozenset({"client_id", "billing", "currency", "fee", "tech_fee", "total_amount", "details", "lines"})
"""What checking looks at: a change of any of them means checking anew."""

TOLD = ("fee", "tech_fee", "total_amount", "status")
"""What another system repeats with each of its messages, while we may know better by now."""

STANDING = ("currency", "client_id", "contact_id", "credit_reserved")

ORDER_LOCK = 15
"""Class of the lock under which an order's external reference is looked up and made, so that none is doubled."""


class UnknownOrder(LookupError):
    """The tenant has no such order."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands, without its lines."""

    id: UUID
    external_id: str | None
    number: str | None
    client_id: UUID | None
    contact_id: UUID | None
    status: str
    source: str
    billing: str
    currency: str
    fee: Decimal | None
    tech_fee: Decimal | None
    total_amount: Decimal | None
    credit_reserved: Decimal
    details: Mapping[str, str]
    evidence: Mapping[str, Any]
    told: Mapping[str, Any]
    """The amounts, status and details that its own system told last: told again, they are no news."""
    thread_id: UUID | None
    message_id: UUID | None
    deal_id: UUID | None
    """The deal that was won by it, or that it came of."""
    quote_id: UUID | None
    """The quote that the client accepted; its lines and figures are what was agreed."""
    revision: int
    """Rises with every change of what is checked."""
    ordered_at: datetime
    delivered_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def called(self) -> str:
        """How people speak of it."""
        return self.number or self.external_id or str(self.id)[-8:].upper()


COLUMNS = ", ".join(Order.__slots__)


@dataclass(frozen=True, slots=True)
class Put:
    """What putting came to: the record, whether it is new, and which of its fields changed."""

    id: UUID
    created: bool
    changed: tuple[str, ...] = ()


def put(
    tx: Tx, *, external_id: str | None = None, order_id: UUID | None = None, lines: Sequence[Line] | None = None,
    details: Mapping[str, str | None] | None = None, **fields: Any,
) -> Put:  # fmt: skip
    """Make an order, or change the fields that are given of the one it already is; None leaves a field alone.

    It is recognised by `order_id`, else by `external_id`; the same again changes nothing and leaves no event.
    `fields`: client_id, contact_id, number, status, source, billing (prepaid, bill), currency, fee, tech_fee,
    total_amount (text or Decimal, never a float), ordered_at, delivered_at, thread_id, message_id, deal_id, quote_id,
    evidence.
    `details` are merged, an empty one is taken away; `lines` take the place of those that are there. What is new, and
    what changed before it was under way, is checked at the next hour. Raises InvalidOrder, UnknownOrder.
    """
    found = _recognise(tx, order_id, external_id)
    if found is None and external_id:
        tx.run("SELECT pg_advisory_xact_lock(:class, hashtext(:key))", **{"class": ORDER_LOCK},
               key=f"{tx.tenant_id}:{external_id}")  # fmt: skip
        found = _recognise(tx, None, external_id)
    standing = {name: getattr(found, name) for name in STANDING} if found else {}
    if found is None and not fields.get("currency") and fields.get("client_id"):
        # an order speaks its account's money unless it says otherwise
        account = clients.get(tx, fields["client_id"])
        fields["currency"] = account.currency if account else None
    wished = spelled(tx, {**fields, "external_id": external_id, "details": details}, standing)
    if found is not None and order_id is None:
        wished = _news(found, wished)
    matched = order_lines.matched(tx, lines, wished.get("currency") or (found.currency if found else "USD"))
    return _create(tx, wished, matched) if found is None else _change(tx, found, wished, matched)


def get(tx: Tx, order_id: UUID, *, lock: bool = False) -> Order | None:
    """One order of the tenant, or None; with `lock`, it is ours until the commit."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM orders WHERE tenant_id = :t AND id = :id{' FOR UPDATE' if lock else ''}",
        t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    return load(row) if row else None


def known(tx: Tx, order_id: UUID) -> Order:
    """One order, ours until the commit. Raises UnknownOrder."""
    found = get(tx, order_id, lock=True)
    if found is None:
        raise UnknownOrder(f"there is no order {order_id}")
    return found


def by_external_id(tx: Tx, external_id: str) -> Order:
    """The order that another system knows by `external_id`. Raises UnknownOrder."""
    found = _recognise(tx, None, external_id)
    if found is None:
        raise UnknownOrder(f"there is no order with external_id {external_id!r}")
    return found


def called(tx: Tx, told: str) -> list[Order]:
    """The orders that people or another system call so."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM orders WHERE tenant_id = :t AND (external_id = :told OR number = :number)
            ORDER BY id DESC LIMIT 10""",
        t=tx.tenant_id, told=told.strip(), number=spelled_number(told),
    )  # fmt: skip
    return [load(row) for row in rows]


def listed(
    tx: Tx, *, status: str | None = None, client_id: UUID | None = None, before: UUID | None = None, limit: int = 50
) -> list[Order]:  # fmt: skip
    """The tenant's orders, newest first, those made before order `before`."""
    wanted = {name: value for name, value in (("status", status), ("client_id", client_id)) if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM orders
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def move(tx: Tx, order_id: UUID, to: str, *, reason: str | None = None, at: datetime | None = None) -> Order:
    """Move an order on: in_progress, delivered (at `at`), closed, cancelled; `new` confirms a draft.

    What it had reserved of its account's credit is owed once it is delivered, and given back when it is cancelled or
    closed undelivered. Raises UnknownOrder, InvalidOrder where it can't go there.
    """
    found = known(tx, order_id)
    if found.status == to:
        return found
    check_move(found, to, found.client_id)
    row = tx.row(
        f"""UPDATE orders SET status = :to, updated_at = :now, credit_reserved = CASE WHEN :keeps THEN credit_reserved
                ELSE 0 END, delivered_at = CASE WHEN :to = 'delivered' THEN :at ELSE delivered_at END
            WHERE tenant_id = :t AND id = :id RETURNING {COLUMNS}""",
        to=to, keeps=to in ("accepted", "in_progress"), at=at or tx.now, now=tx.now, t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    assert row is not None
    if found.credit_reserved and found.client_id and to not in ("accepted", "in_progress"):
        (credit.owe if to == "delivered" else credit.release)(tx, found.client_id, found.credit_reserved)
    if to in UNCHECKED:
        order_queue.enter(tx, order_id)
    elif to != "accepted":
        order_queue.close(tx, order_id, reason=f"the order is {to.replace('_', ' ')}")
    if to in ("delivered", "closed", "cancelled"):
        # a wish to change it, which may have come after it was accepted, is past as well
        order_exceptions.settle(tx, order_id, reason=f"the order is {to}")
    events.record(tx, f"order.{to}", "order", order_id, client_id=found.client_id, contact_id=found.contact_id,
                  react=True, before=found.status, reason=reason)  # fmt: skip
    if to == "delivered":
        feedback.queue(tx, row)
    return load(row)


def accept(tx: Tx, found: Order, *, beyond_limit: bool = False) -> bool:
    """Accept an order that is right, and reserve its account's credit where it is on bill; False when that is gone.

    `beyond_limit` reserves all the same: a person has waived the limit.
    """
    if found.billing == "bill" and found.client_id is not None and found.total_amount:
        if not credit.reserve(tx, found.client_id, found.total_amount, found.currency, beyond=beyond_limit):
            return False
        tx.run("UPDATE orders SET credit_reserved = :amount WHERE tenant_id = :t AND id = :id",
               amount=found.total_amount, t=tx.tenant_id, id=found.id)  # fmt: skip
    move(tx, found.id, "accepted")
    return True


def check_move(found: Order, to: str, client_id: UUID | None) -> None:
    """Raises InvalidOrder where an order of this account can't go."""
    if to not in MOVES:
        raise InvalidOrder(f"status: {to!r} is none of {', '.join(MOVES)}")
    if to not in MOVES[found.status]:
        raise InvalidOrder(f"status: an order that is {found.status} can't become {to}")
    if client_id is None and to != "cancelled":
        raise InvalidOrder("client_id: nobody has said whose order it is")


def _recognise(tx: Tx, order_id: UUID | None, external_id: str | None) -> Order | None:
    if order_id is not None:
        return known(tx, order_id)
    if not external_id:
        return None
    row = tx.row(
        f"SELECT {COLUMNS} FROM orders WHERE tenant_id = :t AND external_id = :told FOR UPDATE",
        t=tx.tenant_id, told=storable.unbroken(external_id, 500),
    )  # fmt: skip
    return load(row) if row else None


def _news(found: Order, wished: Mapping[str, Any]) -> dict[str, Any]:
    """Without what another system said before: a correction or an answer that came since stands until it says more."""
    before = found.told
    fresh = {name: told for name, told in wished.items() if name not in TOLD or _plain(told) != before.get(name)}
    if "details" in fresh:
        said = before.get("details", {})
        fresh["details"] = {name: told for name, told in fresh["details"].items() if said.get(name, "") != told}
    return fresh


def _told(wished: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    now = {**before, **{name: _plain(wished[name]) for name in TOLD if name in wished}}
    if "details" in wished:
        now["details"] = {**before.get("details", {}), **wished["details"]}
    return now


def _plain(told: Any) -> Any:
    return money.told(told) if isinstance(told, Decimal) else told


def _create(tx: Tx, wished: Mapping[str, Any], lines: Sequence[Line] | None) -> Put:
    given: dict[str, Any] = {
        "status": "new",
        "source": "api",
        "ordered_at": tx.now,
        "told": _told(wished, {}),
        **wished,
    }
    if "billing" not in given and given.get("client_id"):
        standing = credit.get(tx, given["client_id"])
        given["billing"] = standing.terms if standing else "prepaid"
    status, order_id = given["status"], tx.clock.uuid()
    if status == "delivered":
        given.setdefault("delivered_at", tx.now)
    if given.get("client_id") is None and status not in ("draft", "cancelled"):
        raise InvalidOrder("client_id: whose order is it?")
    names = ", ".join(given)
    values = ", ".join(f":{name}" for name in given)
    tx.run(
        f"""INSERT INTO orders (tenant_id, id, created_at, updated_at, {names})
            VALUES (:t, :id, :now, :now, {values})""",
        t=tx.tenant_id, id=order_id, now=tx.now, **given,
    )  # fmt: skip
    order_lines.replace(tx, order_id, lines or ())
    if status in UNCHECKED:
        order_queue.enter(tx, order_id)
    events.record(tx, "order.created", "order", order_id, client_id=given.get("client_id"), status=status,
                  contact_id=given.get("contact_id"), source=given["source"])  # fmt: skip
    if status == "delivered":
        feedback.queue(tx, {**given, "id": order_id})
    return Put(order_id, created=True, changed=tuple(given) + (("lines",) if lines else ()))


def _change(tx: Tx, found: Order, wished: Mapping[str, Any], lines: Sequence[Line] | None) -> Put:
    # whichever way it comes again, it came the first time as it did
    wished = {name: each for name, each in wished.items() if name != "source"}
    to = wished.get("status", found.status)
    told = _told(wished, found.told)
    if to != found.status:
        check_move(found, to, wished.get("client_id", found.client_id))
    if "details" in wished:
        merged = {**found.details, **wished["details"]}
        wished = {**wished, "details": {name: told for name, told in merged.items() if told}}
    moved_at = wished.get("delivered_at") if to == "delivered" != found.status else None
    fresh = {name: value for name, value in wished.items() if name != "status" and getattr(found, name) != value}
    if lines is not None and tuple(lines) != order_lines.of(tx, [found.id]).get(found.id, ()):
        order_lines.replace(tx, found.id, lines)
        fresh["lines"] = True
    if fresh or told != found.told:
        apply(tx, found, fresh, told=told)
    if to != found.status:
        move(tx, found.id, to, at=moved_at)
        fresh["status"] = to
    return Put(found.id, created=False, changed=tuple(sorted(fresh)))


def apply(tx: Tx, found: Order, fresh: Mapping[str, Any], *, told: Mapping[str, Any] | None = None) -> None:
    """Write changed fields with their event; an order that is not yet under way is checked anew.

    `told` is what its own system has told by now; None leaves that as it is.
    """
    matters = bool(fresh.keys() & CHECKED_FIELDS)
    written = {name: value for name, value in fresh.items() if name != "lines"}
    written |= {"told": dict(told)} if told is not None else {}
    sets = "".join(f", {name} = :{name}" for name in written)
    tx.run(
        f"UPDATE orders SET updated_at = :now, revision = revision + :step{sets} WHERE tenant_id = :t AND id = :id",
        now=tx.now, step=int(matters), t=tx.tenant_id, id=found.id, **written,
    )  # fmt: skip
    if not fresh:
        return
    open_again = matters and found.status in UNCHECKED | {"accepted"}
    events.record(tx, "order.changed", "order", found.id, client_id=found.client_id, contact_id=found.contact_id,
                  react=open_again, fields=sorted(fresh))  # fmt: skip
    if "client_id" in fresh:
        order_queue.of_another(tx, found.id, fresh["client_id"])
        feedback.of_another(tx, found.id, fresh["client_id"])
    if found.status == "delivered" and fresh.get("delivered_at") is not None:
        feedback.queue(tx, {"id": found.id, "client_id": found.client_id, **fresh})
    if not open_again:
        return
    if found.status == "accepted":
        move(tx, found.id, "new", reason="it was changed after it had been accepted")
    else:
        order_queue.enter(tx, found.id)


def load(row: Row) -> Order:
    """An order from a row that has every column of `COLUMNS`."""
    return Order(**{name: row[name] for name in Order.__slots__})
