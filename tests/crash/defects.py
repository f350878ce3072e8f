"""Defects on purpose: ports that misbehave, and a database that has forgotten one of its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from uuid import UUID

import psycopg

from domain import mailboxes
from domain.db import Database
from domain.ports import Accepted, Mailbox, OutboundMail, Page, RawMessage
from providers.resend import ResendSender


class NewKeyEachTry(ResendSender):
    """Makes up another key for every try."""

    tries = 0

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        self.tries += 1
        again = replace(mail, idempotency_key=f"{mail.idempotency_key}-{self.tries}")
        return super().send(again, deadline_seconds=deadline_seconds)


class Pausing(ResendSender):
    """No defect: whoever sends first sleeps once the provider has answered, and `meanwhile` something else happens."""

    meanwhile: Callable[[], None] | None = None

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        try:
            return super().send(mail, deadline_seconds=deadline_seconds)
        finally:
            sleeps, self.meanwhile = self.meanwhile, None
            if sleeps is not None:
                sleeps()


class MovesTheCursorFirst:
    """A mailbox that moves its cursor as soon as it knows what is new, before any of it is stored."""

    name = "gmail"

    def __init__(self, real: Mailbox, database: Database, tenant_id: UUID, mailbox_id: UUID) -> None:
        self._real, self._database, self._tenant_id, self._mailbox_id = real, database, tenant_id, mailbox_id

    def changes(self, cursor: str | None, *, known: Sequence[str] = ()) -> Iterator[Page]:
        pages = list(self._real.changes(cursor, known=known))
        with self._database.tenant(self._tenant_id) as tx:
            mailboxes.advance(tx, self._mailbox_id, frm=cursor, to=pages[-1].next_cursor)
        yield from pages

    def recent_ids(self, days: int) -> frozenset[str]:
        return self._real.recent_ids(days)

    def fetch(self, provider_message_id: str) -> RawMessage | None:
        return self._real.fetch(provider_message_id)

    def address(self) -> str:
        return self._real.address()


CHANGED_BYTES = ("outbound_messages", "UPDATE", """
    IF new.state = 'uncertain' AND old.state = 'reserved' THEN
        new.mail := jsonb_set(new.mail, '{text}', to_jsonb(new.mail ->> 'text' || ' Did you get this?'));
    END IF;""")  # fmt: skip
"""What was frozen with the reservation changes before the second try."""

AGE_FROM_THE_LAST_TRY = ("outbound_messages", "INSERT OR UPDATE", "new.first_try_at := new.last_try_at;")
"""A mail's age counts from its last try, so that it never gets too old to be tried again."""

STOP_NOT_KEPT = ("tenant_switches", "INSERT OR UPDATE", "new.stopped := false;")
"""A stop that is told, and not stored."""

NO_COMPARE_AND_SET = ("kanban_cards", "UPDATE", """
    new.owner := CASE WHEN new.owner IS NOT NULL THEN 'somebody' END;
    new.attempts := 0;
    new.fence := CASE WHEN new.fence IS NOT NULL THEN 0 END;""")  # fmt: skip
"""All claims look the same, so that whoever finishes can't be told from whoever holds the card now."""


def plant(admin_url: str, defect: tuple[str, str, str]) -> None:
    """Let a trigger of the owner of the database put the defect into every row that is written."""
    table, when, body = defect
    with psycopg.connect(admin_url, autocommit=True) as owner:
        owner.execute(f"""
            CREATE FUNCTION hourhand.defect() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN {body} RETURN new; END $$""")
        owner.execute(f"""
            CREATE TRIGGER a_defect BEFORE {when} ON hourhand.{table}
            FOR EACH ROW EXECUTE FUNCTION hourhand.defect()""")
