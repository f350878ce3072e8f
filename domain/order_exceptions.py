"""Order exceptions: what is wrong with an order, each by its code, until it is mended, answered or waived."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as has
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain import events, schedule, storable
from domain.db import Row, Tx

Handling = Literal["fix", "ask", "person"]


class InvalidResolution(Exception):
    """An exception is resolved or waived by a person, with a reason."""


class UnknownException(LookupError):
    """The tenant has no such open exception."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that a check found wrong."""

    code: str
    field: str
    """What it is about: a field of the order, a detail, or the position of a line; one fault per code and field."""
    handling: Handling
    """fix: the agent may correct it by itself; ask: the client can tell; person: somebody has to decide."""
    message: str
    facts: Mapping[str, Any] = has(default_factory=dict)
    """What it rests on, as text: a waived fault stays waived while these are the same."""


@dataclass(frozen=True, slots=True)
class OrderException:
    """An exception as it stands."""

    id: UUID
    order_id: UUID
    code: str
    field: str
    handling: Handling
    message: str
    facts: Mapping[str, Any]
    state: Literal["open", "fixed", "resolved", "waived"]
    asked_at: datetime | None
    asked_card_id: UUID | None
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None


COLUMNS = ", ".join(OrderException.__slots__)

NEVER_WAIVED = {
    "CREDIT_CURRENCY": "what an account owes is one sum in one currency: change that of its credit, or of the order",
}
"""What nobody can let pass, and why."""


def found(
    tx: Tx, order_id: UUID, faults: Sequence[Fault], *, own: Collection[str], client_id: UUID | None = None
) -> list[OrderException]:  # fmt: skip
    """Bring an order's exceptions to what a check found: new ones open, those gone are resolved, the rest stay.

    Found again, nothing changes and nothing is told. What was waived stays so while its facts are the same. Codes that
    are not the check's `own` are left alone. The exceptions that are open now.
    """
    waived = _waived(tx, order_id)
    wanted = {(each.code, each.field): each for each in faults
              if dict(each.facts) not in waived.get((each.code, each.field), ())}  # fmt: skip
    standing = {(each.code, each.field): each for each in of(tx, [order_id]).get(order_id, ())}
    news = [_event("order.exception_opened", order_id, client_id, each.code, each.field)
            for key, each in wanted.items() if key not in standing]  # fmt: skip
    _open(tx, order_id, [each for key, each in wanted.items() if key not in standing])
    _refresh(tx, [(standing[key].id, each) for key, each in wanted.items()
                  if key in standing and _differs(standing[key], each)])  # fmt: skip
    gone = [each for key, each in standing.items() if key not in wanted and each.code in own]
    _close(tx, [each.id for each in gone], "resolved", by=tx.actor, reason="no longer found")
    news += [_event("order.exception_resolved", order_id, client_id, each.code, each.field) for each in gone]
    events.record_all(tx, news)
    return of(tx, [order_id]).get(order_id, []) if news else list(standing.values())


def open_one(tx: Tx, order_id: UUID, fault: Fault, *, client_id: UUID | None = None) -> bool:
    """Open one exception that no check finds, such as a client's wish to change something; False if it is open."""
    if any((each.code, each.field) == (fault.code, fault.field) for each in of(tx, [order_id]).get(order_id, ())):
        return False
    _open(tx, order_id, [fault])
    events.record_all(tx, [_event("order.exception_opened", order_id, client_id, fault.code, fault.field)])
    return True


def fixed(tx: Tx, order_id: UUID, fields: Sequence[str]) -> None:
    """The agent has corrected these fields: what was wrong with them is mended."""
    rows = tx.rows(
        """UPDATE order_processing_exceptions SET state = 'fixed', closed_at = :now, closed_by = :by
           WHERE tenant_id = :t AND order_id = :id AND state = 'open' AND handling = 'fix' AND field = ANY(:fields)
           RETURNING code, field""",
        now=tx.now, by=tx.actor, t=tx.tenant_id, id=order_id, fields=list(fields),
    )  # fmt: skip
    events.record_all(tx, [_event("order.exception_fixed", order_id, None, row["code"], row["field"]) for row in rows])


def resolve(tx: Tx, exception_id: UUID, *, by: str, reason: str) -> OrderException:
    """A person has seen to it. Raises InvalidResolution without a reason, UnknownException."""
    return _decide(tx, exception_id, "resolved", by, reason)


def waive(tx: Tx, exception_id: UUID, *, by: str, reason: str) -> OrderException:
    """A person lets it pass as it is. Raises InvalidResolution without a reason or for what can't, UnknownException."""
    meant = get(tx, exception_id)
    if meant is not None and meant.code in NEVER_WAIVED:
        raise InvalidResolution(f"{meant.code} can't be waived: {NEVER_WAIVED[meant.code]}")
    return _decide(tx, exception_id, "waived", by, reason)


def reopen(tx: Tx, exception_id: UUID) -> OrderException:
    """Take a resolution or waiver back. Raises UnknownException where there is none."""
    row = tx.row(
        f"""UPDATE order_processing_exceptions e SET state = 'open', closed_at = NULL, closed_by = NULL, reason = NULL
            WHERE tenant_id = :t AND id = :id AND state IN ('resolved', 'waived') AND NOT EXISTS (
                SELECT FROM order_processing_exceptions o WHERE o.tenant_id = :t AND o.order_id = e.order_id
                AND o.code = e.code AND o.field = e.field AND o.state = 'open') RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=exception_id,
    )  # fmt: skip
    if row is None:
        raise UnknownException(f"exception {exception_id} is not closed by a person, or found again")
    again = _load(row)
    events.record_all(tx, [_event("order.exception_opened", again.order_id, None, again.code, again.field)])
    return again


def unfixed(tx: Tx, order_id: UUID, fields: Sequence[str], *, by: str) -> None:
    """A correction was taken back: what was wrong is so again, and a person's to decide."""
    tx.run(
        """UPDATE order_processing_exceptions e SET state = 'open', handling = 'person', closed_at = NULL,
                  closed_by = NULL, message = message || ' (corrected, and taken back by ' || :by || ')'
           WHERE tenant_id = :t AND order_id = :id AND state = 'fixed' AND field = ANY(:fields) AND id = (
               SELECT n.id FROM order_processing_exceptions n WHERE n.tenant_id = :t AND n.order_id = :id
               AND n.code = e.code AND n.field = e.field ORDER BY n.id DESC LIMIT 1)""",
        by=by, t=tx.tenant_id, id=order_id, fields=list(fields),
    )  # fmt: skip


def settle(tx: Tx, order_id: UUID, *, reason: str) -> None:
    """Close everything that is open of an order that went on without."""
    open_now = of(tx, [order_id]).get(order_id, ())
    _close(tx, [each.id for each in open_now], "resolved", by=tx.actor, reason=reason)


def asked(tx: Tx, order_id: UUID, card_id: UUID, fields: Sequence[str]) -> None:
    """The client was asked for these fields by the mail of this card."""
    tx.run(
        """UPDATE order_processing_exceptions SET asked_at = :now, asked_card_id = :card
           WHERE tenant_id = :t AND order_id = :id AND state = 'open' AND handling = 'ask' AND field = ANY(:fields)""",
        now=tx.now, card=card_id, t=tx.tenant_id, id=order_id, fields=list(fields),
    )  # fmt: skip


def unasked(tx: Tx, order_ids: Sequence[UUID]) -> None:
    """What was only asked inside was never asked."""
    if order_ids:
        tx.run(
            """UPDATE order_processing_exceptions SET asked_at = NULL, asked_card_id = NULL
               WHERE tenant_id = :t AND order_id = ANY(:ids) AND state = 'open' AND asked_at IS NOT NULL""",
            t=tx.tenant_id, ids=list(order_ids),
        )  # fmt: skip


def hand_over(tx: Tx, order_ids: Sequence[UUID], why: str) -> None:
    """What the client was asked for is a person's to find out from now on."""
    if order_ids:
        tx.run(
            """UPDATE order_processing_exceptions SET handling = 'person', message = message || ': ' || :why
               WHERE tenant_id = :t AND order_id = ANY(:ids) AND state = 'open' AND handling = 'ask'
                 AND asked_at IS NOT NULL""",
            why=why, t=tx.tenant_id, ids=list(order_ids),
        )  # fmt: skip


def of(tx: Tx, order_ids: Sequence[UUID]) -> dict[UUID, list[OrderException]]:
    """The open exceptions of each of these orders that has any."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM order_processing_exceptions
            WHERE tenant_id = :t AND state = 'open' AND order_id = ANY(:ids) ORDER BY order_id, code, field""",
        t=tx.tenant_id, ids=list(order_ids),
    )  # fmt: skip
    told: dict[UUID, list[OrderException]] = {}
    for row in rows:
        told.setdefault(row["order_id"], []).append(_load(row))
    return told


def get(tx: Tx, exception_id: UUID) -> OrderException | None:
    """One exception, or None."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM order_processing_exceptions WHERE tenant_id = :t AND id = :id",
        t=tx.tenant_id, id=exception_id,
    )  # fmt: skip
    return _load(row) if row else None


def listed(
    tx: Tx, *, state: str | None = None, code: str | None = None, order_id: UUID | None = None,
    before: UUID | None = None, limit: int = 50,
) -> list[OrderException]:  # fmt: skip
    """The tenant's exceptions, newest first, those opened before exception `before`."""
    filters = {"state": state, "code": code, "order_id": order_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM order_processing_exceptions
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **wanted,
    )  # fmt: skip
    return [_load(row) for row in rows]


def _decide(
    tx: Tx, exception_id: UUID, state: Literal["resolved", "waived"], by: str, reason: str
) -> OrderException:  # fmt: skip
    why = storable.line(reason, 500)
    if not why:
        raise InvalidResolution("reason: say why, for whoever asks later")
    decided = _close(tx, [exception_id], state, by=by, reason=why)
    if not decided:
        raise UnknownException(f"there is no open exception {exception_id}")
    told = decided[0]
    events.record(tx, f"order.exception_{state}", "order", told.order_id, react=True, code=told.code,
                  field=told.field, exception_id=str(told.id), by=by)  # fmt: skip
    schedule.bring_forward(tx, tx.now, extra=True)
    return told


def _waived(tx: Tx, order_id: UUID) -> Mapping[tuple[str, str], list[Mapping[str, Any]]]:
    rows = tx.rows(
        """SELECT code, field, facts FROM order_processing_exceptions
           WHERE tenant_id = :t AND order_id = :id AND state = 'waived'""",
        t=tx.tenant_id, id=order_id,
    )  # fmt: skip
    told: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        told.setdefault((row["code"], row["field"]), []).append(row["facts"])
    return told


def _differs(standing: OrderException, fault: Fault) -> bool:
    """Whether a fault that is open already is about other facts by now; who sees to it was decided when it opened."""
    return dict(standing.facts) != dict(fault.facts)


def _open(tx: Tx, order_id: UUID, faults: Sequence[Fault]) -> None:
    if not faults:
        return
    tx.run(
        """INSERT INTO order_processing_exceptions (tenant_id, order_id, opened_at, id, code, field, handling, message,
                                                    facts)
           SELECT :t, :order, :now, f.* FROM unnest(CAST(:ids AS uuid[]), CAST(:codes AS text[]),
               CAST(:fields AS text[]), CAST(:handlings AS text[]), CAST(:messages AS text[]),
               CAST(:facts AS jsonb[])) AS f
           ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, order=order_id, now=tx.now, ids=[tx.clock.uuid() for _ in faults],
        codes=[each.code for each in faults], fields=[each.field for each in faults],
        handlings=[each.handling for each in faults],
        messages=[storable.text(each.message, 500) for each in faults],
        facts=[storable.value(dict(each.facts)) for each in faults],
    )  # fmt: skip


def _refresh(tx: Tx, changed: Sequence[tuple[UUID, Fault]]) -> None:
    """The same is wrong for other reasons: told anew, and open to being asked or fixed again."""
    tx.run_many(
        """UPDATE order_processing_exceptions SET handling = :handling, message = :message, facts = :facts,
                  asked_at = NULL, asked_card_id = NULL
           WHERE tenant_id = :t AND id = :id AND state = 'open'""",
        [{"t": tx.tenant_id, "id": exception_id, "handling": each.handling,
          "message": storable.text(each.message, 500), "facts": storable.value(dict(each.facts))}
         for exception_id, each in changed],
    )  # fmt: skip


def _close(tx: Tx, ids: Sequence[UUID], state: str, *, by: str, reason: str | None) -> list[OrderException]:
    if not ids:
        return []
    rows = tx.rows(
        f"""UPDATE order_processing_exceptions SET state = :state, closed_at = :now, closed_by = :by, reason = :reason
            WHERE tenant_id = :t AND id = ANY(:ids) AND state = 'open' RETURNING {COLUMNS}""",
        state=state, now=tx.now, by=by, reason=reason, t=tx.tenant_id, ids=list(ids),
    )  # fmt: skip
    return [_load(row) for row in rows]


def _event(
    event_type: str, order_id: UUID, client_id: UUID | None, code: str, field_name: str
) -> events.News:  # fmt: skip
    return events.News(event_type, "order", order_id, client_id, data={"code": code, "field": field_name})


def _load(row: Row) -> OrderException:
    return OrderException(**{name: row[name] for name in OrderException.__slots__})
