"""Who vouches for a mail: whether what it says may count as the word of its contact, or of anybody at its account."""

from __future__ import annotations

from domain import contacts
from domain.contacts import Contact
from domain.db import Tx
from domain.events import Event
from domain.inbox import Message


def by_contact(tx: Tx, event: Event, message: Message) -> bool:
    """Whether it came from its contact's own address, and no server refuses to vouch for that.

    Anybody can name a contact's address in Reply-To, and pass every check for their own domain. What is put down in
    records as somebody's own word needs this.
    """
    writer = None if refused(event, message) else _writer(tx, message)
    return writer is not None and writer.id == message.contact_id


def by_account(tx: Tx, event: Event, message: Message) -> bool:
    """Whether it came from somebody at its account whom no server refuses to vouch for, known by name or not.

    Enough for what only turns a person's eyes to the mail. A contact that Reply-To alone names proves nothing.
    """
    if message.client_id is None or refused(event, message):
        return False
    if message.contact_id is None:
        return True  # it is the account's by its domain, or by the mail of ours that it answers
    writer = _writer(tx, message)
    return writer is not None and writer.client_id == message.client_id


def refused(event: Event, message: Message) -> bool:
    """Whether the server that took it in says that it is not from whom it claims."""
    stored = (message.reading.get("authentication") or {}).get("aligned")
    return event.data.get("aligned") is False or stored is False


def _writer(tx: Tx, message: Message) -> Contact | None:
    """Whose the address is that it was written from."""
    if message.from_address is None:
        return None
    return contacts.by_addresses(tx, [message.from_address]).get(message.from_address)
