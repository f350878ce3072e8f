"""Quotes: what is offered to an account at which price, from the first draft to the client's yes or no."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import money, quote_arithmetic, quote_lines, schedule, settings, storable
from domain import quote_book as book
from domain.db import Row, Tx
from domain.money import InvalidMoney
from domain.quote_book import COLUMNS, IllegalQuoteMove, Quote, UnknownQuote, load
from domain.quote_lines import InvalidQuote, Line

__all__ = ["COLUMNS", "IllegalQuoteMove", "InvalidQuote", "Line", "Quote", "UnknownQuote", "draft", "get", "listed"]

WITHOUT_END = frozenset({"accepted", "rejected", "withdrawn"})

_FIELDS = frozenset({
    "client_id", "contact_id", "deal_id", "title", "currency", "discount_percent", "validity_days", "terms",
    "thread_id", "message_id", "evidence", "source",
})  # fmt: skip


def get(tx: Tx, quote_id: UUID) -> Quote | None:
    """One quote of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM quotes WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=quote_id)
    return load(row) if row else None


def by_number(tx: Tx, number: str) -> Quote:
    """The quote that people call by this number. Raises UnknownQuote."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM quotes WHERE tenant_id = :t AND number = :n",
        t=tx.tenant_id, n=storable.text(number.strip().upper(), 60),
    )  # fmt: skip
    if row is None:
        raise UnknownQuote(f"there is no quote {number!r}")
    return load(row)


def of_message(tx: Tx, message_id: UUID) -> Quote | None:
    """The quote that a mail asked for, if one was drafted."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM quotes WHERE tenant_id = :t AND message_id = :id", t=tx.tenant_id, id=message_id
    )
    return load(row) if row else None


def open_of(tx: Tx, client_id: UUID, *, limit: int = 500) -> list[Quote]:
    """The quotes of an account that wait for an answer, newest first."""
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM quotes WHERE tenant_id = :t AND client_id = :client AND status IN ('sent', 'viewed')
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, client=client_id, limit=limit,
    )  # fmt: skip
    return [load(row) for row in rows]


def listed(
    tx: Tx, *, status: str | None = None, client_id: UUID | None = None, deal_id: UUID | None = None,
    due: bool = False, before: UUID | None = None, limit: int = 50,
) -> list[Quote]:  # fmt: skip
    """The tenant's quotes, newest first, those made before quote `before`; with `due`, to be followed up by now."""
    filters = {"status": status, "client_id": client_id, "deal_id": deal_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted) + (" AND planned_at <= :now" if due else "")
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM quotes
            WHERE tenant_id = :t AND (CAST(:before AS uuid) IS NULL OR id < :before){where}
            ORDER BY id DESC LIMIT :limit""",
        t=tx.tenant_id, before=before, limit=limit, **({"now": tx.now} if due else {}), **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def parties(tx: Tx, quote: Quote) -> Row:
    """Who offers and to whom: company, client, and the language of the client."""
    row = tx.row(
        """SELECT n.name AS company, l.name AS client, l.language FROM tenants n
           JOIN clients l ON l.tenant_id = :t AND l.id = :client WHERE n.tenant_id = :t""",
        t=tx.tenant_id, client=quote.client_id,
    )  # fmt: skip
    assert row is not None, "a quote goes with its account"
    return row


def activities(tx: Tx, quote_id: UUID, *, limit: int = 50) -> Sequence[Row]:
    """What happened around a quote, newest first."""
    return tx.rows(
        """SELECT kind, at, by, revision, card_id, message_id, data FROM quote_activities
           WHERE tenant_id = :t AND quote_id = :id ORDER BY at DESC, id DESC LIMIT :limit""",
        t=tx.tenant_id, id=quote_id, limit=limit,
    )  # fmt: skip


def draft(tx: Tx, *, client_id: UUID, lines: Sequence[Line] = (), **fields: Any) -> Quote:
    """Draft a quote under the tenant's next number.

    `fields`: contact_id, deal_id, title, currency (else the account's), discount_percent, validity_days, terms, source
    (person, api, mail), and where a mail asked for it message_id, thread_id and evidence. Raises InvalidQuote.
    """
    wished = _spelled({"client_id": client_id, **fields})
    wished["currency"] = _refer(tx, wished)
    chosen = settings.of(tx)
    priced = _priced(tx, lines, wished["currency"], wished.get("discount_percent", Decimal(0)))
    quote_id = tx.clock.uuid()
    told = {"source": "person", **wished, **priced.columns, "number": _next_number(tx, chosen.quote_prefix)}
    row = tx.row(
        f"""INSERT INTO quotes (tenant_id, id, created_at, updated_at, {", ".join(told)})
            VALUES (:t, :id, :now, :now, {", ".join(f":{name}" for name in told)}) RETURNING {COLUMNS}""",
        t=tx.tenant_id, id=quote_id, now=tx.now, **told,
    )  # fmt: skip
    assert row is not None
    quote_lines.replace(tx, quote_id, priced.lines)
    made = load(row)
    book.note(tx, made, "created")
    book.tell(tx, made, "created", source=made.source, deal_id=book.deal_of(tx, made))
    if made.message_id is not None:
        schedule.bring_forward(tx, tx.now)
    return made


def change(tx: Tx, quote_id: UUID, *, lines: Sequence[Line] | None = None, **fields: Any) -> Quote:
    """Change the fields that are given, and the lines if they are; what a client may have seen becomes a new draft.

    The new draft is the next revision: links and follow-ups of the earlier one are dead, and what it offered is kept
    with the quote's activities. A draft that was meant to be sent has to be offered again. For another contact it
    leaves the conversation in which it stood. The same again changes nothing. Raises UnknownQuote, InvalidQuote;
    IllegalQuoteMove where it was answered, withdrawn, or is on its way.
    """
    quote = book.hold(tx, quote_id)
    before = quote_lines.of(tx, [quote_id]).get(quote_id, ())
    wished = _spelled(fields)
    merged = {name: wished.get(name, getattr(quote, name)) for name in ("client_id", "contact_id", "deal_id")}
    if "client_id" in wished and wished["client_id"] != quote.client_id and quote.sent_at is not None:
        raise InvalidQuote("client_id: what was offered to one account is not offered to another: draft a new quote")
    # money that is gone meanwhile stays, until a person says what took its place
    kept = "currency" not in wished
    currency = _refer(tx, {**merged, "currency": wished.get("currency", quote.currency)}, bygone=kept)
    discount = wished.get("discount_percent", quote.discount_percent)
    anew = lines if lines is not None else [dataclasses.replace(line, amount=None) for line in before]
    priced = _priced(tx, anew, currency, discount)
    wished |= {**priced.columns, "currency": currency}
    fresh = {name: value for name, value in wished.items() if getattr(quote, name) != value}
    if not fresh and priced.lines == before:
        return quote
    if "contact_id" in fresh and quote.contact_id is not None:
        # what was said so far was said with somebody else
        fresh |= {"thread_id": None, "message_id": None}
    if quote.status != "draft":
        book.check_move(quote, "draft")
    book.cancel_waiting(tx, quote, "the quote was changed")
    quote_lines.replace(tx, quote_id, priced.lines)
    if quote.status == "draft":
        return book.write(tx, quote, "changed", {**fresh, "valid_until": None, "offered_at": None,
                                                 "shadow_sent_at": None}, fields=sorted(fresh))  # fmt: skip
    offered = {
        "revision": quote.revision, "status": quote.status, "total": money.told(quote.total),
        "currency": quote.currency, "discount_percent": money.told(quote.discount_percent),
        "sent_at": _iso(quote.sent_at), "valid_until": _iso(quote.valid_until),
        "lines": [quote_lines.told(line) for line in before],
    }  # fmt: skip
    return book.write(tx, quote, "revised", {**fresh, **book.FRESH, "status": "draft",
                                             "revision": quote.revision + 1}, data=offered)  # fmt: skip


def offer(tx: Tx, quote_id: UUID) -> Quote:
    """Say that a draft is meant to be sent; at the next hour a card does it. Raises UnknownQuote, InvalidQuote.

    Raises IllegalQuoteMove where it is no draft (any more).
    """
    quote = book.hold(tx, quote_id)
    book.check_move(quote, "sent")
    if quote.unpriced:
        raise InvalidQuote(f"lines: {quote.unpriced} of them have no price yet")
    if not quote_lines.of(tx, [quote_id]):
        raise InvalidQuote("lines: a quote offers something")
    if not quote.total:
        raise InvalidQuote("lines: they come to nothing, and what costs nothing is agreed without a quote")
    if quote.contact_id is None:
        raise InvalidQuote("contact_id: say to whom it goes")
    _paid_in(quote.currency)
    if quote.offered_at is not None:
        return quote
    schedule.bring_forward(tx, tx.now, extra=True)
    # a person who says it again after a dry run means it again
    return book.write(tx, quote, "offered", {"offered_at": tx.now, "shadow_sent_at": None})


def take_back_offer(tx: Tx, quote_ids: Sequence[UUID]) -> int:
    """Whoever was asked did not want these drafts sent: they wait for a person; how many."""
    return tx.run(
        """UPDATE quotes SET offered_at = NULL, updated_at = :now
           WHERE tenant_id = :t AND id = ANY(:ids) AND status = 'draft' AND offered_at IS NOT NULL""",
        now=tx.now, t=tx.tenant_id, ids=list(quote_ids),
    )  # fmt: skip


def valid_until(tx: Tx, validity_days: int | None = None) -> datetime:
    """Until when a quote holds that goes out now: the end of its last day where the tenant is."""
    chosen = settings.of(tx)
    days = validity_days or chosen.quote_validity_days
    last = (tx.now.astimezone(chosen.zone) + timedelta(days=days)).date()
    return datetime.combine(last + timedelta(days=1), time.min, chosen.zone).astimezone(tx.now.tzinfo)


def accept(tx: Tx, quote_id: UUID, *, by: str, revision: int | None = None, words: str | None = None) -> Quote:
    """The client says yes, to exactly what was sent; said again, it stays the same.

    `by` is who says so. Raises UnknownQuote; IllegalQuoteMove where it can't be accepted (any more): it is a draft, it
    has expired, it was answered otherwise, or `revision` is not the one that stands.
    """
    return _answer(tx, quote_id, "accepted", by, revision, words)


def reject(tx: Tx, quote_id: UUID, *, by: str, reason: str, revision: int | None = None) -> Quote:
    """The client says no, and why; said again, it stays the same. Raises as accept; InvalidQuote without a reason."""
    told = storable.line(reason, book.LONGEST)
    if not told:
        raise InvalidQuote("reason: say why it was rejected")
    return _answer(tx, quote_id, "rejected", by, revision, told)


def withdraw(tx: Tx, quote_id: UUID, *, reason: str) -> Quote:
    """Take a quote back: its link is dead from now on. Raises UnknownQuote, IllegalQuoteMove, InvalidQuote."""
    quote = book.hold(tx, quote_id)
    if quote.status == "withdrawn":
        return quote
    told = storable.line(reason, book.LONGEST)
    if not told:
        raise InvalidQuote("reason: say why it is withdrawn")
    book.check_move(quote, "withdrawn")
    book.cancel_waiting(tx, quote, "the quote was withdrawn")
    return book.write(tx, quote, "withdrawn", {**book.SETTLED, "status": "withdrawn", "reason": told}, reason=told)


def _answer(
    tx: Tx, quote_id: UUID, to: book.Status, by: str, revision: int | None, words: str | None
) -> Quote:  # fmt: skip
    who = storable.line(by, 200)
    if not who:
        raise InvalidQuote("by: say who says so")
    quote = book.hold(tx, quote_id)
    if revision is not None and revision != quote.revision:
        raise IllegalQuoteMove(f"quote {quote.number} has been changed since: revision {quote.revision} stands now")
    if quote.status == to:
        return quote
    book.check_move(quote, to)
    if quote.valid_until is not None and quote.valid_until <= tx.now:
        raise IllegalQuoteMove(f"quote {quote.number} was valid until {quote.valid_until:%Y-%m-%d}")
    book.cancel_waiting(tx, quote, f"the quote was {to}")
    reason = storable.optional(words, book.LONGEST)
    changes = {**book.SETTLED, "status": to, "answered_at": tx.now, "answered_by": who, "reason": reason}  # fmt: skip
    deal = book.deal_of(tx, quote, deciding=to == "rejected")
    schedule.bring_forward(tx, tx.now, extra=True)
    return book.write(tx, quote, to, changes, by=who, react=True, reason=reason, deal_id=deal,
                      total=money.told(quote.total), currency=quote.currency)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class _Priced:
    lines: tuple[Line, ...]
    columns: Mapping[str, Any]


def _priced(tx: Tx, lines: Sequence[Line], currency: str, discount_percent: Decimal) -> _Priced:
    """The lines with what each comes to, and the columns of what they come to together. Raises InvalidQuote."""
    spelled = quote_lines.matched(tx, lines, currency, tax_percent=settings.of(tx).quote_tax_percent)
    summed = quote_arithmetic.totals([line.item for line in spelled], currency, discount_percent)
    if max(summed.subtotal, summed.total) > money.LARGEST:
        raise InvalidQuote("lines: they come to more than can be kept")
    counted = tuple(dataclasses.replace(line, amount=amount)
                    for line, amount in zip(spelled, summed.amounts, strict=True))  # fmt: skip
    return _Priced(counted, {
        "subtotal": summed.subtotal, "discount_amount": summed.discount, "tax_amount": summed.tax,
        "total": summed.total, "unpriced": sum(line.unit_price is None for line in counted),
    })  # fmt: skip


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling; None and empty text count as not given. Raises InvalidQuote."""
    if unknown := set(given) - _FIELDS:
        raise InvalidQuote(f"{', '.join(sorted(unknown))}: a quote has no such field")
    longest = {"terms": 10 * book.LONGEST}
    told = {name: storable.text(each, longest.get(name, book.LONGEST)).strip() if isinstance(each, str) else each
            for name, each in given.items()}  # fmt: skip
    told = {name: each for name, each in told.items() if not isinstance(each, str | None) or storable.says(each)}
    if "discount_percent" in told:
        told["discount_percent"] = quote_lines.percent(told["discount_percent"], "discount_percent")
    if "validity_days" in told and not 1 <= int(told["validity_days"]) <= 365:
        raise InvalidQuote("validity_days: from 1 to 365")
    if "evidence" in told:
        told["evidence"] = storable.value(told["evidence"])
    return told


def _refer(tx: Tx, wished: Mapping[str, Any], *, bygone: bool = False) -> str:
    """The quote's currency, the account's where none is given. Raises InvalidQuote, also for what is another's."""
    row = tx.row(
        """SELECT l.currency, c.id AS contact, d.id AS deal FROM clients l
           LEFT JOIN contacts c ON c.tenant_id = :t AND c.client_id = l.id AND c.id = :contact
           LEFT JOIN deals d ON d.tenant_id = :t AND d.client_id = l.id AND d.id = :deal
           WHERE l.tenant_id = :t AND l.id = :client""",
        t=tx.tenant_id, client=wished["client_id"], contact=wished.get("contact_id"), deal=wished.get("deal_id"),
    )  # fmt: skip
    if row is None:
        raise InvalidQuote(f"client_id: there is no client {wished['client_id']}")
    for name in ("contact", "deal"):
        if wished.get(f"{name}_id") is not None and row[name] is None:
            raise InvalidQuote(f"{name}_id: the account has no {name} {wished[f'{name}_id']}")
    return _paid_in(wished.get("currency") or row["currency"], bygone=bygone)


def _paid_in(told: str, *, bygone: bool = False) -> str:
    """A currency's one spelling; with `bygone` also of one that is gone. Raises InvalidQuote."""
    try:
        return money.currency(told, bygone=bygone)
    except InvalidMoney as error:
        raise InvalidQuote(f"currency: {error}") from error


def _next_number(tx: Tx, prefix: str) -> str:
    """The tenant's next number; two at once wait for each other, and none is left out."""
    last = tx.value(
        """INSERT INTO quote_numbers AS n (tenant_id, last) VALUES (:t, 1)
           ON CONFLICT (tenant_id) DO UPDATE SET last = n.last + 1 RETURNING last""",
        t=tx.tenant_id,
    )
    return f"{prefix.upper()}{last:04d}"


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
