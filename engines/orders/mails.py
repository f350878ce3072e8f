"""Mails about orders: a new one becomes a draft, an answer fills the gaps that were asked for, the rest waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from domain import cards, catalogue, inbox, money, order_exceptions, order_lines, orders, products, quotes, vouching
from domain import order_queue as queue
from domain.events import Event
from domain.inbox import Message
from domain.order_exceptions import Fault, OrderException
from domain.orders import InvalidOrder, Line, Order
from engines.contract import Context
from engines.orders import requirements
from engines.orders.codes import CODES

if TYPE_CHECKING:
    from brain.reading.order_answers import Answer

QUOTE = 300
STILL_OURS = ("draft", "new", "accepted", "in_progress")
"""Orders about which something may still be changed."""


def taken_in(ctx: Context, event: Event) -> list[UUID]:
    """Make of a mail what it is to orders; those that are to be checked anew."""
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or message.direction != "in" or not message.by_person:
        return []
    about = [] if vouching.forged(message) else _about(ctx, message)
    if any(order.message_id == message.id for order in about):
        return []  # told of again: an order was made of it already
    gaps = {order.id: _gaps(ctx, order, message) for order in about}
    answered = [order for order in about if gaps[order.id]]
    if answered:
        return _answers(ctx, message, answered, gaps, vouched=vouching.by_contact(message))
    if about:
        return _changes(ctx, message, about)
    if message.cls == "order" and not _spoken_for(ctx, message):
        return [_draft(ctx, message, vouched=vouching.by_contact(message))]
    return []


def _about(ctx: Context, message: Message) -> list[Order]:
    """The account's own orders that a mail is about: by the question it answers, its conversation, or its numbers."""
    if message.client_id is None:
        return []
    card = cards.get(ctx.tx, message.reply_to_card_id) if message.reply_to_card_id else None
    asked = UUID(card.subject_id) if card is not None and card.type == "request_order_info" else None
    numbers = [str(each).upper() for each in message.reading.get("reference_numbers") or ()]
    rows = ctx.tx.rows(
        f"""SELECT {orders.COLUMNS} FROM orders WHERE tenant_id = :t AND status = ANY(:ours) AND (
                id = :asked OR thread_id = :thread OR number = ANY(:numbers)
                OR external_id = ANY(:numbers)) AND client_id = :client ORDER BY id DESC LIMIT 20""",
        t=ctx.tenant_id, client=message.client_id, ours=list(STILL_OURS), asked=asked, thread=message.thread_id,
        numbers=numbers,
    )  # fmt: skip
    found = [orders.load(row) for row in rows]
    named = [order for order in found if order.id == asked] or [
        order for order in found if (order.number or "") in numbers or (order.external_id or "").upper() in numbers
    ]
    if named or found or message.cls != "order_update":
        return named or found
    # "please cancel our order" is plain enough where there is just one
    only = [order for status in STILL_OURS
            for order in orders.listed(ctx.tx, status=status, client_id=message.client_id, limit=2)]  # fmt: skip
    return only if len(only) == 1 else []


def _gaps(ctx: Context, order: Order, message: Message) -> list[OrderException]:
    """What the client was asked for before this mail, and is still missing."""
    standing = order_exceptions.of(ctx.tx, [order.id]).get(order.id, [])
    # a mail may be told of again, long after it came: what was asked since, it cannot answer
    return [each for each in standing if each.asked_at is not None and each.asked_card_id is not None
            and (message.reply_to_card_id == each.asked_card_id or message.received_at >= each.asked_at)]  # fmt: skip


def _answers(
    ctx: Context, message: Message, answered: Sequence[Order], gaps: Mapping[UUID, Sequence[OrderException]], *,
    vouched: bool,
) -> list[UUID]:  # fmt: skip
    """Fill in what plainly stands in the answer; what doesn't, a person reads."""
    told = _words(message)
    for order in answered:
        found: dict[str, Answer] = {}
        # an answer that may mean any of several orders, or that may be anybody's, is nobody's to fill in
        if vouched and len(answered) == 1:
            asked = [each.field for each in gaps[order.id] if each.code != "PRODUCT_UNKNOWN"]
            found = _read(ctx, told, asked)
            _fill(ctx, order, message, found)
            _name_products(ctx, order, told, gaps[order.id])
        _leave_the_rest(ctx, order, message, [each for each in gaps[order.id] if each.field not in found])
    for order in answered:
        queue.enter(ctx.tx, order.id)
    return [order.id for order in answered]


def _fill(ctx: Context, order: Order, message: Message, found: Mapping[str, Answer]) -> None:
    details = {name: told for answer in found.values() for name, told in answer.details.items()}
    if not details:
        return
    evidence = {name: {"message_id": str(message.id), "quote": answer.quote[:QUOTE]}
                for answer in found.values() for name in answer.details}  # fmt: skip
    orders.apply(ctx.tx, order, {"details": {**order.details, **details}, "evidence": {**order.evidence, **evidence}})


def _name_products(ctx: Context, order: Order, told: str, gaps: Sequence[OrderException]) -> None:
    """The one product that an answer names takes the place of the one line that named none."""
    unknown = [each for each in gaps if each.code == "PRODUCT_UNKNOWN"]
    product = catalogue.meant(told, catalogue.sold(ctx.tx)) if len(unknown) == 1 else None
    if product is None:
        return
    lines = list(order_lines.of(ctx.tx, [order.id]).get(order.id, ()))
    at = int(unknown[0].field) - 1
    if at < len(lines):
        lines[at] = Line(lines[at].description, lines[at].quantity, product.code, lines[at].unit_price, product.id)
        orders.put(ctx.tx, order_id=order.id, lines=lines)


def _leave_the_rest(ctx: Context, order: Order, message: Message, unclear: Sequence[OrderException]) -> None:
    """Nothing is asked twice: what the answer does not plainly hold is a person's, who has its words beside it."""
    if not unclear:
        return
    fault = Fault("ANSWER_UNCLEAR", str(message.id), "person", CODES["ANSWER_UNCLEAR"].sentence,
                  {"message_id": str(message.id), "quote": _words(message)[:QUOTE]})  # fmt: skip
    order_exceptions.open_one(ctx.tx, order.id, fault, client_id=order.client_id)
    order_exceptions.hand_over(ctx.tx, [order.id], "the client answered, and it does not plainly say")


def _changes(ctx: Context, message: Message, about: Sequence[Order]) -> list[UUID]:
    """A wish to change an order, or a question about it, is for a person; an order not accepted yet waits for them."""
    if message.cls not in ("order_update", "order"):
        return []
    quote = (message.reading.get("evidence") or {}).get("order_update") or _words(message)
    touched = []
    for order in about:
        fault = Fault("CLIENT_CHANGE", str(message.id), "person", CODES["CLIENT_CHANGE"].sentence,
                      {"message_id": str(message.id), "quote": str(quote)[:QUOTE]})  # fmt: skip
        if (order_exceptions.open_one(ctx.tx, order.id, fault, client_id=order.client_id)
                and order.status in orders.UNCHECKED):  # fmt: skip
            queue.enter(ctx.tx, order.id)
            touched.append(order.id)
    return touched


def _draft(ctx: Context, message: Message, *, vouched: bool) -> UUID:
    """An order as it was written, for the catalogue to price and a person to confirm."""
    lines = _lines(ctx, message)
    numbers = [str(each) for each in message.reading.get("reference_numbers") or ()]
    quote = (message.reading.get("evidence") or {}).get("order") or _words(message)
    evidence: dict[str, Any] = {"order": {"message_id": str(message.id), "quote": str(quote)[:QUOTE]}}
    if "asks_call" in message.flags or (message.reading.get("task_request") or {}).get("call"):
        evidence["order"]["wants_a_call"] = True
    if not vouched:
        evidence["order"]["unproven"] = True  # it may be anybody's: only a person confirms it
    found = _told_already(ctx, message, lines)
    for answer in found.values():
        evidence |= {name: {"message_id": str(message.id), "quote": answer.quote[:QUOTE]} for name in answer.details}
    currency = next((product.currency for product in _products(ctx, lines)), None)
    made = orders.put(
        ctx.tx, status="draft", source="mail", client_id=message.client_id,
        contact_id=message.contact_id if message.client_id else None, number=numbers[0] if numbers else None,
        currency=currency, ordered_at=message.received_at, thread_id=message.thread_id, message_id=message.id,
        evidence=evidence, lines=lines,
        details={name: told for answer in found.values() for name, told in answer.details.items()},
    )  # fmt: skip
    return made.id


def _lines(ctx: Context, message: Message) -> list[Line]:
    """The items that were read out of a mail, each with the product that it names; what is no line is left out."""
    sold = catalogue.sold(ctx.tx)
    lines: list[Line] = []
    for item in message.reading.get("items") or ():
        product = catalogue.meant(f"{item.get('code') or ''} {item.get('description') or ''}", sold)
        try:
            lines.append(Line(
                str(item.get("description") or item.get("code") or ""),
                order_lines.quantity(_exact(item.get("quantity")) or "1"),
                product.code if product else item.get("code"), _price(item.get("unit_price"), product),
            ))  # fmt: skip
        except (InvalidOrder, money.InvalidMoney):
            continue
    return lines


def _told_already(ctx: Context, message: Message, lines: Sequence[Line]) -> dict[str, Answer]:
    """What its products need and the order itself plainly says, each under its name."""
    needed = [name for product in _products(ctx, lines) for name in product.required]
    asked = list(dict.fromkeys([*needed, *requirements.CODE_OF]))
    return _read(ctx, _words(message), asked)


def _read(ctx: Context, told: str, asked: Sequence[str]) -> dict[str, Answer]:
    from brain.reading import order_answers  # reading takes time to load, and most hours read nothing here

    return order_answers.find(told, asked, region=ctx.settings.country)


def _products(ctx: Context, lines: Sequence[Line]) -> list[products.Product]:
    return list(products.by_codes(ctx.tx, [line.code for line in lines if line.code]).values())


def _price(told: Any, product: products.Product | None) -> str | None:
    """A unit price as it was written, where the currency can be known."""
    written = _exact(told)
    if written is None or product is None:
        return None
    return money.told(money.rounded(Decimal(written), product.currency))


def _exact(told: Any) -> str | None:
    """A number that was read out of a text, in its shortest form, which is the one in which it was written."""
    return None if told is None or isinstance(told, bool) else str(told)


def _spoken_for(ctx: Context, message: Message) -> bool:
    """Whether this very mail has its order already, or is the yes to a quote, which becomes an order once it is noted.

    A mail that names items of its own may order something else in the same conversation: a person sees.
    """
    if ctx.tx.value("SELECT 1 FROM orders WHERE tenant_id = :t AND message_id = :id", t=ctx.tenant_id, id=message.id):
        return True
    if message.client_id is None or message.thread_id is None or message.reading.get("items"):
        return False
    return any(each.thread_id == message.thread_id for each in quotes.open_of(ctx.tx, message.client_id))


def _words(message: Message) -> str:
    """What the writer wrote this time, without quotes."""
    return str(message.reading.get("reply") or message.snippet or "")
