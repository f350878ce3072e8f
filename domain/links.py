"""Whom and what a message is about: each link to thread, card, contact and account, with its reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from domain import addresses, threads, vouching
from domain.contacts import Contact
from domain.db import Row, Tx
from domain.incoming import Incoming
from domain.known import ByPeople, Known, provider_key
from domain.mailboxes import MailboxRow
from domain.threads import News, Thread
from domain.vouching import Word

REFERENCES_KEPT = 20
"""How many of a message's references become keys of its thread."""


@dataclass(slots=True)
class Linked:
    """A message with its links, and what they say about it."""

    id: UUID
    incoming: Incoming
    direction: str
    thread: News
    cls: str
    flags: frozenset[str]
    card: Row | None = None
    """Our mail that it answers or reports on."""
    is_ours: bool = False
    """It is a copy of a card's own mail."""
    is_copy: bool = False
    is_loop: bool = False
    client_id: UUID | None = None
    contact_id: UUID | None = None
    word_of: Word = "stranger"
    """As whose word it counts at that account."""
    is_theirs: bool = False
    """It was written from an address of the contact or of the account's own domain, or so it says."""
    answers_ours: bool = False
    """It names a mail that we, or the tenant's people, wrote to that account."""
    alias_of: UUID | None = None
    """The contact who wrote it from an address that nobody knew."""
    recipients: tuple[Contact, ...] = ()
    """With direction out: the contacts it was written to."""
    strangers: tuple[tuple[str, str, UUID], ...] = ()
    """(name, address, client) of unknown people at known accounts."""
    tied: Mapping[str, Row] = field(default_factory=dict)
    """Our mails by the Message-IDs that it names."""
    wrote_to: frozenset[str] = frozenset()
    """Whom a person of the tenant wrote to in the mail that this reports on."""
    reasons: list[dict[str, str]] = field(default_factory=list)

    def because(self, to: str, subject_id: UUID, reason: str) -> None:
        """Note one link."""
        self.reasons.append({"to": to, "id": str(subject_id), "reason": reason})


def link(tx: Tx, mailbox: MailboxRow, known: Known, one: Incoming, *, ceiling: int) -> Linked:
    """Link one message; its thread and keys are noted in `known` for those that follow it."""
    tied = {each: known.cards[each] for each in one.answered_ids if each in known.cards}
    is_ours = one.message_id in known.cards and _claims_to_be_ours(known, one)
    direction = "out" if is_ours or _is_out(known, one) else "in"
    linked = Linked(tx.clock.uuid(), one, direction, _thread(tx, mailbox, known, one, tied), one.cls, one.flags,
                    card=next(iter(tied.values()), None), is_ours=is_ours, tied=tied)  # fmt: skip
    _explain_thread(linked, mailbox)
    if is_ours and one.message_id is not None:
        linked.because("card", known.cards[one.message_id]["card_id"], "it carries the Message-ID of this card's mail")
    if linked.card is not None and direction == "in":
        linked.because("card", linked.card["card_id"], "it answers or reports on the mail of this card")
    if direction == "out":
        _link_recipients(linked, known)
        if one.message_id is not None:
            # its answer may have come in the same batch
            known.by_people[one.message_id] = ByPeople(frozenset((*one.to, *one.cc)), linked.client_id)
    else:
        _link_writer(linked, known)
        _weigh(linked, known)
        _count(linked, known, ceiling, tx)
        if one.cls == "reply" and linked.contact_id is None and _begins(linked.thread):
            linked.cls = "other"  # it answers something, but nothing of ours
        elif one.cls == "reply" and linked.card is not None and linked.card["card_type"] == "request_feedback":
            linked.cls = "feedback_answer"  # whatever its subject says: that is what was asked
    if one.cls == "bounce":
        linked.wrote_to = frozenset(
            address for each in one.answered_ids if each in known.by_people for address in known.by_people[each].to
        )
    if one.cls in ("bounce", "complaint_report") and linked.card is None and not linked.wrote_to:
        linked.flags |= {"untied"}  # perhaps forged: nobody is suppressed for it
    linked.is_copy = one.message_id is not None and (one.message_id, one.from_address) in known.copies
    _tell_thread(linked)
    return linked


def _claims_to_be_ours(known: Known, one: Incoming) -> bool:
    return "SENT" in one.labels or one.from_address in known.own_addresses


def _is_out(known: Known, one: Incoming) -> bool:
    """A person of the tenant wrote it: the mailbox says so, or its address does and no server contradicts."""
    if "SENT" in one.labels:
        return True
    if one.aligned is False or one.from_address is None or not one.by_person:
        return False
    if one.from_address in known.own_addresses:
        return True
    outside = {address for address in (*one.to, *one.cc) if addresses.company_domain(address) not in known.own_domains}
    return one.domain is not None and one.domain in known.own_domains and bool(outside)


def _thread(tx: Tx, mailbox: MailboxRow, known: Known, one: Incoming, tied: Mapping[str, Row]) -> News:
    """The conversation that a message belongs to: by what it answers, by its own id, by its mailbox; else a new one."""
    keys = [threads.key(each) for each in one.answered_ids]
    if one.message_id:
        keys.append(threads.key(one.message_id))
    keys.append(provider_key(mailbox, one))
    found = next((known.threads[key] for key in keys if key in known.threads), None)
    if found is None:
        card_thread = next((row["thread_id"] for row in tied.values() if row["thread_id"]), None)
        found = News(card_thread or tx.clock.uuid(), subject=one.subject, is_new=card_thread is None)
    if isinstance(found, Thread):
        news = News(found.id, found.subject, found.client_id, found.contact_id)
        for key, thread in known.threads.items():
            if isinstance(thread, Thread) and thread.id == found.id:
                known.threads[key] = news
        found = news
    for key in (*keys[-2:], *keys[:-2][:REFERENCES_KEPT]):
        if key not in known.threads:
            known.threads[key] = found
            known.fresh_keys.append((key, found.id))
    return found


def _explain_thread(linked: Linked, mailbox: MailboxRow) -> None:
    one = linked.incoming
    if linked.tied:
        reason = "it names the Message-ID of a mail of ours"
    elif _begins(linked.thread):
        reason = "it begins a conversation"
    elif one.answered_ids:
        reason = "In-Reply-To or References name a message of this conversation"
    else:
        reason = f"{mailbox.provider} keeps it in this conversation"
    linked.because("thread", linked.thread.id, reason)


def _begins(thread: News) -> bool:
    return thread.is_new and thread.inbound_at is None and thread.person_wrote_at is None


def _link_writer(linked: Linked, known: Known) -> None:
    """The contact and account behind a message that came in."""
    one, card = linked.incoming, linked.card
    writer = known.contacts.get(one.from_address or "")
    if writer is not None:
        _link_contact(linked, writer, "the writer's address is theirs")
    elif alias := next((known.contacts[each] for each in one.reply_to if each in known.contacts), None):
        _link_contact(linked, alias, "Reply-To is their address")
    elif card is not None and card["client_id"] is not None:
        _link_client(linked, card["client_id"], "it answers or reports on a mail of ours to this account")
        if not one.by_person:
            linked.contact_id = card["contact_id"]
        elif one.domain and one.domain in {addresses.company_domain(each) for each in card["recipients"]}:
            linked.strangers = ((one.from_name, one.from_address or "", card["client_id"]),)
    elif (one.domain or "") in known.clients:
        _link_client(linked, known.clients[one.domain or ""], f"the domain {one.domain} is this account's")
    elif linked.thread.client_id is not None:
        _link_client(linked, linked.thread.client_id, "its conversation is with this account")
    if one.by_person:
        linked.strangers += _strangers(one, known, {each[1] for each in linked.strangers})


def _weigh(linked: Linked, known: Known) -> None:
    """As whose word it counts; whom a mail names that may be anybody's is nobody to know."""
    one, account = linked.incoming, linked.client_id
    if account is None:
        return
    writer = known.contacts.get(one.from_address or "")
    is_contact = writer is not None and writer.client_id == account
    to = {addresses.company_domain(address) for row in linked.tied.values() if row["client_id"] == account
          for address in row["recipients"]}  # fmt: skip
    linked.alias_of = _alias_of(linked, account) if writer is None else None
    linked.is_theirs = is_contact or linked.alias_of is not None or (
        one.domain is not None and one.domain not in known.own_domains
        and (one.domain in to or known.clients.get(one.domain) == account)
    )  # fmt: skip
    linked.answers_ours = _answers_ours(linked, known, account)
    linked.word_of = vouching.word(
        is_contact=is_contact, is_theirs=linked.is_theirs, answers_ours=linked.answers_ours, aligned=one.aligned,
        disowned=one.disowned,
    )  # fmt: skip
    if linked.word_of in ("doubtful", "forged"):
        linked.strangers = ()


def _alias_of(linked: Linked, account: UUID) -> UUID | None:
    """The contact whom our mail went to, where who answers it bears their full name, and a server knows the address."""
    one, card = linked.incoming, linked.card
    if card is None or card["client_id"] != account or one.aligned is False:
        return None
    name = _words(card["contact_name"] or "")
    contact: UUID | None = card["contact_id"]
    return contact if len(name) > 1 and name == _words(one.from_name) else None


def _words(name: str) -> list[str]:
    """A name's words, in whichever order, case and accents it is written."""
    bare = (letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))
    return sorted("".join(bare).casefold().replace(",", " ").split())


def _answers_ours(linked: Linked, known: Known, account: UUID) -> bool:
    """Whether it names a mail that we, or the tenant's people, wrote to this account: one to another proves nothing."""
    if any(row["client_id"] == account for row in linked.tied.values()):
        return True
    named = (known.by_people.get(each) for each in linked.incoming.answered_ids)
    return any(mail is not None and mail.client_id == account for mail in named)


def _link_recipients(linked: Linked, known: Known) -> None:
    """The contacts that a message of the tenant's own people went to."""
    one = linked.incoming
    found = [known.contacts[each] for each in (*one.to, *one.cc) if each in known.contacts]
    linked.recipients = tuple({each.id: each for each in found}.values())
    if linked.recipients:
        _link_contact(linked, linked.recipients[0], "it was written to their address")
    elif linked.thread.client_id is not None:
        _link_client(linked, linked.thread.client_id, "its conversation is with this account")
    else:
        domains = (addresses.company_domain(each) or "" for each in (*one.to, *one.cc))
        client = next((known.clients[each] for each in domains if each in known.clients), None)
        if client is not None:
            _link_client(linked, client, "it was written to this account's domain")


def _strangers(one: Incoming, known: Known, named: set[str]) -> tuple[tuple[str, str, UUID], ...]:
    found = []
    for name, address in one.people[:10]:
        domain = addresses.company_domain(address) or ""
        if domain in known.clients and address not in known.contacts and address not in known.own_addresses | named:
            found.append((name, address, known.clients[domain]))
    return tuple(found)


def _link_contact(linked: Linked, contact: Contact, reason: str) -> None:
    linked.contact_id, linked.client_id = contact.id, contact.client_id
    linked.because("contact", contact.id, reason)
    linked.because("client", contact.client_id, "it is the contact's account")


def _link_client(linked: Linked, client_id: UUID, reason: str) -> None:
    linked.client_id = client_id
    linked.because("client", client_id, reason)


def _count(linked: Linked, known: Known, ceiling: int, tx: Tx) -> None:
    """The ceiling per sender: two machines that answer each other must not keep us busy."""
    one = linked.incoming
    if one.from_address is None or one.received_at <= tx.now - timedelta(hours=1):
        return
    known.heard[one.from_address] += 1
    if known.heard[one.from_address] > ceiling:
        linked.is_loop = True
        linked.flags |= {"loop"}


def _tell_thread(linked: Linked) -> None:
    thread, at = linked.thread, linked.incoming.received_at
    thread.client_id = thread.client_id or linked.client_id
    thread.contact_id = thread.contact_id or linked.contact_id
    if linked.direction == "in":
        thread.inbound_at = max(thread.inbound_at or at, at)
    elif not linked.is_ours and linked.incoming.by_person:
        thread.person_wrote_at = max(thread.person_wrote_at or at, at)
