"""What people tell when they were asked: a telephone number or a role of their own, put down where nothing stands."""

from __future__ import annotations

from uuid import UUID

from domain import clients, compliance_life, contacts, inbox, schedule, vouching
from domain.events import Event
from domain.inbox import Message
from engines.contract import Context

OWN = {"phone": "phone", "contact_phone": "phone", "title": "title", "contact_title": "title"}
"""Which gap is filled by which field of the writer's own record."""

SIGNED, SAID = 0.8, 0.6
"""How sure it is what stands under a mail, and what its words hold."""


def taken_in(ctx: Context, event: Event) -> None:
    """Put down what the writer of a mail tells of themselves, if it is what they were asked for.

    What they were not asked for, what is said of others, and what a record holds already is left to people; so is a
    mail that may be anybody's: the check stays open, and whoever sees to it reads the mail.
    """
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or message.direction != "in" or message.contact_id is None or message.client_id is None:
        return
    if not message.by_person:
        return
    if not vouching.by_contact(message):
        return
    wanted = {OWN[gap] for gap in compliance_life.asked_of(ctx.tx, message.client_id, message.contact_id) if gap in OWN}
    filled: tuple[str, ...] = ()
    for name, (value, confidence) in _told(ctx, message, wanted).items():
        filled += contacts.fill(ctx.tx, message.contact_id, message_id=message.id, confidence=confidence,
                                **{name: value})  # fmt: skip
    if filled:
        schedule.bring_forward(ctx.tx, ctx.now, extra=True)


def _told(ctx: Context, message: Message, wanted: set[str]) -> dict[str, tuple[str, float]]:
    """Of what is wanted, what the mail tells: under it, or a number that is the only one in its words."""
    found = {
        fact["kind"]: (str(fact["value"]), SIGNED) for fact in reversed(message.reading.get("people") or [])
        if fact["source"] == "signature" and fact["about"] == message.from_address
    }  # fmt: skip
    told = {name: found[name] for name in wanted if name in found}
    if "phone" in wanted - set(told) and message.reply_to_card_id is not None:
        from brain.reading import signature  # reading takes time to load, and most mails answer nothing

        account = clients.get(ctx.tx, message.client_id) if message.client_id else None
        region = (account.country if account else None) or ctx.settings.country
        words = str(message.reading.get("reply") or "")
        numbers = {number for line in words.splitlines() for number in signature.phones_in(line, region)}
        if len(numbers) == 1:
            told["phone"] = (numbers.pop(), SAID)
    return told
