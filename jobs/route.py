"""What follows from a message at once, in the transaction that stores it: the safety of the people behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from brain.reading import Bounce, Reading
from domain import (
    alerts,
    breakers,
    clocks,
    deal_activity,
    deliveries,
    events,
    hearing,
    schedule,
    settings,
    suppressions,
    vouching,
)
from domain.db import Row, Tx
from domain.events import News
from domain.links import Linked
from domain.settings import TenantSettings
from domain.vault import Vault

OLD = timedelta(days=30)
"""Mail older than this, as a first sync brings it, makes history and no work."""

LONGEST_ABSENCE = timedelta(days=120)
"""A return later than this is taken for a misprint: the contact is left in peace so long and no longer."""

FEW_RECIPIENTS = 3
"""A mail of the tenant's own people to no more than so many is an individual one."""

Heard = dict[tuple[UUID, bool], datetime]
"""When each account wrote last, apart for what is believed to be theirs and what may be anybody's."""


def route(vault: Vault, tx: Tx, taken: Sequence[tuple[Linked, Reading]]) -> Counter[str]:
    """Carry out what each new message means, and tell the engines; how many there were of each kind."""
    chosen = settings.readable(tx)
    counts: Counter[str] = Counter()
    news: list[News] = []
    heard: Heard = {}
    for linked, reading in taken:
        counts["messages"] += 1
        counts[f"class.{linked.cls}"] += 1
        counts["attachments"] += len(linked.incoming.attachments)
        if linked.incoming.quarantined:
            counts["malformed"] += 1
        if linked.is_copy:
            counts["copies"] += 1
        else:
            counts += _act(vault, tx, chosen, linked, reading, heard)
        news.append(_news(tx, linked, reading))
    _stop_what_runs(tx, heard)
    events.record_all(tx, news)
    counts["events"] = sum(each.react for each in news)
    if any(_brings_work(linked, each) for (linked, _), each in zip(taken, news, strict=True)):
        schedule.bring_forward(tx, tx.now, extra=True)
    return +counts


def _act(vault: Vault, tx: Tx, chosen: TenantSettings, linked: Linked, reading: Reading, heard: Heard) -> Counter[str]:
    """One message's own consequences; which accounts wrote, and when last, is noted in `heard`."""
    if linked.is_ours:
        return Counter()
    if linked.direction == "out":
        return _own_people_wrote(tx, linked)
    by_class: Mapping[str, Callable[[], Counter[str]]] = {
        "bounce": lambda: _came_back(vault, tx, linked, reading),
        "complaint_report": lambda: _called_spam(vault, tx, linked, reading),
        "out_of_office": lambda: _is_away(tx, chosen, linked, reading),
    }
    counts = by_class[linked.cls]() if linked.cls in by_class else Counter()
    if linked.incoming.by_person:
        counts += _person_wrote(tx, linked, heard)
    if linked.cls == "unsubscribe" or "wants_unsubscribe" in linked.flags:
        counts += _wants_out(vault, tx, linked)
    return counts


def _person_wrote(tx: Tx, linked: Linked, heard: Heard) -> Counter[str]:
    """What a mail by a person moves: a reply winds the clock; the account's sequences stop with the batch.

    A reply is one from any alias or from a colleague. What may be anybody's stops the sequences as well, and moves
    nothing else: a person is told of it.
    """
    one, card = linked.incoming, linked.card
    counts: Counter[str] = Counter()
    fresh = one.received_at >= tx.now - OLD
    words = {linked.client_id: linked.word_of} if linked.client_id else {}
    if card is not None and card["client_id"] is not None:
        # whoever answers a mail that another account got has it from there
        words.setdefault(card["client_id"], "doubtful")
    for account, word in words.items():
        believed = word in vouching.BELIEVED
        who = linked.contact_id or linked.alias_of
        if believed and who is not None and not linked.is_loop:
            clocks.touch(tx, who, "reply", by="contact", at=one.received_at, message_id=linked.id)
        if fresh and word in vouching.STOPS:
            if believed:
                hearing.heard(tx, account, contact_id=who, thread_id=linked.thread.id, message_id=linked.id,
                              at=one.received_at, asks=_asks(linked))  # fmt: skip
            else:
                hearing.hushed(tx, account, at=one.received_at)
            noted = (account, believed)
            heard[noted] = max(heard.get(noted, one.received_at), one.received_at)
        if fresh and word in ("doubtful", "forged"):
            _tell(tx, account, linked, forged=word == "forged")
        counts["replies" if believed else "unproven_replies"] = 1
    return counts


def _tell(tx: Tx, account: UUID, linked: Linked, *, forged: bool) -> None:
    """A person reads what moved nothing: it may be theirs after all."""
    told = "A mail about an account may be anybody's: nothing was moved by it, and nobody there is pressed on. "
    if forged:
        told = "The domain that a mail claims to be from disowns it (DMARC): nothing was moved by it. "
    told += "If its writer is one of theirs, add the address to the contact."
    alerts.open(tx, f"unproven_mail:{account}", told, client_id=str(account), message_id=str(linked.id))


def _stop_what_runs(tx: Tx, heard: Heard) -> None:
    """Every sequence to an account stops when anybody there writes, once however much they wrote."""
    for (account, believed), at in sorted(heard.items()):
        hearing.stop(tx, account, at, how="mail", believed=believed)


def _asks(linked: Linked) -> bool:
    return deal_activity.asks(linked.cls, linked.flags, str(linked.incoming.reading.get("reply") or ""))


def _own_people_wrote(tx: Tx, linked: Linked) -> Counter[str]:
    """A person of the tenant wrote: in this conversation the agent stays silent; the contact was touched."""
    one = linked.incoming
    if not one.by_person or len({*one.to, *one.cc}) > FEW_RECIPIENTS:
        return Counter()
    for contact in linked.recipients:
        clocks.touch(tx, contact.id, "email", by="person", at=one.received_at, message_id=linked.id)
    for account in {contact.client_id for contact in linked.recipients}:
        wrote_to = [contact.id for contact in linked.recipients if contact.client_id == account]
        deal_activity.written(tx, account, contact_ids=wrote_to, thread_id=linked.thread.id, message_id=linked.id,
                              at=one.received_at)  # fmt: skip
    return Counter(person_wrote=1)


def _is_away(tx: Tx, chosen: TenantSettings, linked: Linked, reading: Reading) -> Counter[str]:
    """Left in peace until the day after the return, or a week where none is named; never answered.

    Where it answers our mail and no server vouches for it, as is so of many servers' own notes, it is believed for
    that week and no longer. Anybody else's note says nothing of the contact.
    """
    who = linked.contact_id
    if who is None or linked.is_loop:
        return Counter()
    if linked.word_of not in vouching.BELIEVED and not (linked.word_of == "doubtful" and linked.answers_ours
                                                        and linked.is_theirs):  # fmt: skip
        return Counter(unproven_absences=1)
    until = linked.incoming.received_at + timedelta(days=chosen.out_of_office_days)
    if reading.return_date is not None and linked.word_of in vouching.BELIEVED:
        until = datetime.combine(reading.return_date, time.min, UTC) + timedelta(days=1)
    until = min(until, tx.now + LONGEST_ABSENCE)
    return Counter(pauses=1) if clocks.pause(tx, who, until) else Counter()


def _came_back(vault: Vault, tx: Tx, linked: Linked, reading: Reading) -> Counter[str]:
    """A permanent failure of a mail that we really sent: its touch is void, the address suppressed if it is dead."""
    counts: Counter[str] = Counter()
    for bounce in reading.bounces:
        mail = _mail_behind(tx, linked, bounce)
        if mail is None and bounce.address in linked.wrote_to:
            # a mail of the tenant's own people came back: the address is as dead for us
            counts["bounces"] += bounce.permanent
            if bounce.suppress:
                suppressions.suppress(tx, vault, bounce.address, reason="bounced", source="mail",
                                      status=bounce.status, cause=bounce.reason)  # fmt: skip
        elif mail is None:
            counts["untied"] += 1
        elif bounce.permanent:
            fresh = deliveries.bounced(
                tx, vault, mail, bounce.address, linked.incoming.received_at, suppress=bounce.suppress, source="mail",
                status=bounce.status, cause=bounce.reason, message_id=str(linked.id),
            )  # fmt: skip
            counts["bounces"] += fresh
            if fresh:
                breakers.check(tx)
        else:
            counts["delays"] += 1
    return counts


def _mail_behind(tx: Tx, linked: Linked, bounce: Bounce) -> Row | None:
    """Our mail that a bounce speaks of; a forged bounce knows no Message-ID of ours."""
    named = linked.tied.get(bounce.original_message_id or "", linked.card)
    return deliveries.mail_by_card(tx, named["card_id"]) if named is not None else None


def _called_spam(vault: Vault, tx: Tx, linked: Linked, reading: Reading) -> Counter[str]:
    """A complaint about a mail that we really sent."""
    if linked.card is None:
        return Counter(untied=1)
    mail = deliveries.mail_by_card(tx, linked.card["card_id"])
    if mail is None:
        return Counter(untied=1)
    told = next(iter(reading.complainants), None)
    if not deliveries.complained(tx, vault, mail, told, linked.incoming.received_at, source="mail"):
        return Counter()
    breakers.check(tx)
    return Counter(complaints=1)


def _wants_out(vault: Vault, tx: Tx, linked: Linked) -> Counter[str]:
    """A wish to be left alone counts when the writer is who they say: nobody opts others out by a forged mail.

    The receiving server's word proves it, and so does the Message-ID of our own mail to their account: only who got it
    knows that.
    Where the server says nothing against it, the contact's own address is enough.
    """
    one, card = linked.incoming, linked.card
    counts = vouching.may_opt_out(linked.word_of, aligned=one.aligned, knows_mail=linked.answers_ours,
                                  is_known=linked.contact_id is not None)  # fmt: skip
    if one.from_address is None or not counts:
        return Counter(unproven_wishes=1)
    meant = [one.from_address]
    mine = card is not None and card["client_id"] == linked.client_id
    if card is not None and mine and linked.contact_id in (None, card["contact_id"]) and len(card["recipients"]) == 1:
        # written from another address of theirs: the one that we wrote to is meant as well
        meant += card["recipients"]
    fresh = [each for each in dict.fromkeys(meant)
             if deliveries.opted_out(tx, vault, each, source="mail", message_id=str(linked.id))]  # fmt: skip
    return Counter(opt_outs=1) if fresh else Counter()


def _news(tx: Tx, linked: Linked, reading: Reading) -> News:
    """What the engines are told: ids, class, flags and the names of the evidence, never words or addresses."""
    one = linked.incoming
    known = linked.client_id is not None or linked.card is not None
    fresh = one.received_at >= tx.now - OLD
    react = linked.direction == "in" and fresh and not linked.is_copy and not linked.is_loop
    return News(
        "mail.received" if linked.direction == "in" else "mail.sent_by_person" if not linked.is_ours else "mail.copied",
        "message", linked.id, linked.client_id, linked.contact_id, react=react and (one.by_person or known),
        data={
            "class": linked.cls, "flags": sorted(linked.flags), "thread_id": str(linked.thread.id),
            "reply_to_card": str(linked.card["card_id"]) if linked.card else None, "copy": linked.is_copy,
            "evidence": sorted(reading.evidence), "task_request": reading.task_request is not None,
            "items": len(reading.items), "attachments": len(one.attachments), "word_of": linked.word_of,
        },
    )  # fmt: skip


def _brings_work(linked: Linked, news: News) -> bool:
    return news.react and (linked.client_id is not None or linked.card is not None)
