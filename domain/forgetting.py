"""A person forgotten: their record becomes a blank one, what they wrote goes, every other row is gone through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from domain import (
    blobs,
    cards,
    clients,
    clocks,
    compliance_checks,
    contacts,
    feedback_answers,
    outbound,
    settings,
    suppressions,
)
from domain.db import Row, Tx
from domain.traces import ERASED, Traces
from domain.vault import Vault

OURS: frozenset[str] = frozenset({"tenants", "users", "mailboxes", "api_keys", "tenant_credentials", "erasures"})
"""Tables about the tenant itself and its own people; a client who is one of them stays there."""


class StillSending(Exception):
    """A mail to this person is on its way at this moment: ask again in half a minute."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table in which words may stand, and by what its rows are named."""

    table: str
    key: tuple[str, ...]
    texts: tuple[str, ...]
    lists: tuple[str, ...]
    jsons: tuple[str, ...]
    unique: frozenset[str]


def known_by(tx: Tx, *, contact_id: UUID | None, address: str | None) -> tuple[UUID | None, Traces]:
    """Who is meant, and by what they are known. Raises UnknownContact."""
    if contact_id is None and address is not None:
        found = contacts.by_addresses(tx, [address])
        contact_id = next(iter(found.values())).id if found else None
    if contact_id is None:
        return None, Traces.of(addresses=[address or ""])
    person = contacts.get(tx, contact_id)
    if person is None:
        raise contacts.UnknownContact(f"there is no contact {contact_id}")
    mine = contacts.addresses_of(tx, [contact_id]).get(contact_id, ())
    told = [*mine, *([person.email] if person.email else []), *([address] if address else [])]
    return contact_id, Traces.of(addresses=told, name=person.name, phones=[person.phone] if person.phone else [])


def suppress(tx: Tx, vault: Vault, traces: Traces) -> None:
    """Never write to them again; only the keyed hashes of their addresses stay."""
    for address in traces.addresses:
        suppressions.suppress(tx, vault, address, reason="erased", source="erasure")
        suppressions.forget(tx, vault, address)
    allowed = settings.readable(tx).allow_list
    kept = [each for each in allowed if each not in traces.addresses]
    if len(kept) < len(allowed):
        settings.change(tx, {"allow_list": kept}, reason="a person was erased")


def blank_contact(tx: Tx, contact_id: UUID) -> None:
    """Their record stays as a blank: what was done stays countable, for whom is not known. Raises StillSending."""
    rows = tx.rows(
        """SELECT id, state, executing_until > hourhand.db_now() AS sending FROM kanban_cards
           WHERE tenant_id = :t AND contact_id = :id ORDER BY id FOR UPDATE""",
        t=tx.tenant_id, id=contact_id,
    )  # fmt: skip
    if any(row["state"] == "executing" and row["sending"] for row in rows):
        raise StillSending(StillSending.__doc__)
    clocks.exempt(tx, [contact_id], "erased")
    compliance_checks.let_go(tx, contact_id)
    cards.cancel_waiting(tx, of="contact_id", whose=contact_id, types=sorted(cards.TYPES), rule="person.erased",
                         reason="the person was erased")  # fmt: skip
    tx.run(
        """UPDATE kanban_cards SET title = :erased, payload = '{}', evidence = '{}', outcome = '{}'
           WHERE tenant_id = :t AND contact_id = :id""",
        erased=ERASED, t=tx.tenant_id, id=contact_id,
    )  # fmt: skip
    outbound.blank(tx, contact_id, ERASED)
    feedback_answers.blank(tx, contact_id, ERASED)
    tx.run("UPDATE mail_threads SET subject = '' WHERE tenant_id = :t AND contact_id = :id",
           t=tx.tenant_id, id=contact_id)  # fmt: skip
    tx.run("DELETE FROM contact_addresses WHERE tenant_id = :t AND contact_id = :id", t=tx.tenant_id, id=contact_id)
    tx.run(
        """UPDATE contacts SET name = :erased, email = NULL, title = NULL, phone = NULL, language = NULL,
               timezone = NULL, country = NULL, external_id = NULL, provenance = '{}', broadcast_consent = false,
               updated_at = :now, erased_at = coalesce(erased_at, :now)
           WHERE tenant_id = :t AND id = :id""",
        erased=ERASED, now=tx.now, t=tx.tenant_id, id=contact_id,
    )  # fmt: skip


def blank_account(tx: Tx, traces: Traces) -> None:
    """Who came in without a company is an account, too, which has their name."""
    tx.run(
        """UPDATE clients SET name = :erased, external_id = NULL, updated_at = :now
           WHERE tenant_id = :t AND external_id = ANY(:keys)""",
        erased=ERASED, now=tx.now, t=tx.tenant_id, keys=clients.keys_of_people(traces.addresses),
    )  # fmt: skip


def blank_messages(tx: Tx, contact_id: UUID | None, traces: Traces, *, limit: int = 200) -> int:
    """Empty some mails that they wrote or got; their shells stay, so that no mailbox brings them again. How many."""
    rows = tx.rows(
        """SELECT id, raw_sha256 FROM gmail_messages WHERE tenant_id = :t AND NOT 'erased' = ANY(flags)
             AND (contact_id = :id OR from_address = ANY(:addresses)
                  OR EXISTS (SELECT FROM unnest(CAST(:addresses AS text[])) AS a (address)
                             WHERE position(a.address IN lower(recipients::text)) > 0))
           ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, id=contact_id, addresses=list(traces.addresses), limit=limit,
    )  # fmt: skip
    empty(tx, [row["id"] for row in rows])
    _without_people(tx, [row["id"] for row in rows])
    return len(rows)


def empty(tx: Tx, message_ids: Sequence[UUID]) -> None:
    """Take the contents from mails: their bytes, their files, and what was read in them."""
    if not message_ids:
        return
    ids = list(message_ids)
    freed = tx.rows(
        """SELECT raw_sha256 AS digest FROM gmail_messages WHERE tenant_id = :t AND id = ANY(:ids)
           UNION SELECT sha256 FROM attachments WHERE tenant_id = :t AND message_id = ANY(:ids)""",
        t=tx.tenant_id, ids=ids,
    )  # fmt: skip
    tx.run("DELETE FROM attachments WHERE tenant_id = :t AND message_id = ANY(:ids)", t=tx.tenant_id, ids=ids)
    tx.run("UPDATE feedback_answers SET span = NULL WHERE tenant_id = :t AND message_id = ANY(:ids)",
           t=tx.tenant_id, ids=ids)  # fmt: skip
    tx.run(
        """UPDATE gmail_messages SET snippet = NULL, reading = '{}', raw_sha256 = :nothing, raw_size = 0
           WHERE tenant_id = :t AND id = ANY(:ids)""",
        nothing=blobs.put(tx, b""), t=tx.tenant_id, ids=ids,
    )  # fmt: skip
    drop_blobs(tx, [bytes(row["digest"]) for row in freed])


def _without_people(tx: Tx, message_ids: Sequence[UUID]) -> None:
    tx.run(
        """UPDATE gmail_messages SET from_address = NULL, from_name = NULL, recipients = '{}', subject = NULL,
               links = '[]', contact_id = NULL, flags = array_append(flags, 'erased')
           WHERE tenant_id = :t AND id = ANY(:ids)""",
        t=tx.tenant_id, ids=list(message_ids),
    )  # fmt: skip


def drop_blobs(tx: Tx, digests: Sequence[bytes]) -> int:
    """Throw away those of the blobs that nothing names any more."""
    unless = " AND ".join(
        f"NOT EXISTS (SELECT FROM {table} x WHERE x.tenant_id = b.tenant_id AND x.{column} = b.sha256)"
        for table, column in _naming_blobs(tx)
    )
    return tx.run(
        f"DELETE FROM blobs b WHERE b.tenant_id = :t AND b.sha256 = ANY(:digests) AND b.size > 0 AND {unless}",
        t=tx.tenant_id, digests=list(digests),
    )  # fmt: skip


def blobs_behind(tx: Tx, after: bytes, *, limit: int, most_bytes: int) -> Sequence[Row]:
    """Some blobs in the order of their digests, each with whether it is a message.

    Together they have at most so many bytes, where the first alone does not have more.
    """
    return tx.rows(
        """WITH next AS (SELECT sha256, size FROM blobs WHERE tenant_id = :t AND sha256 > :after
                        ORDER BY sha256 LIMIT :limit),
                few AS (SELECT sha256, size, sum(size) OVER (ORDER BY sha256) AS so_far FROM next)
           SELECT b.sha256, b.bytes, EXISTS (SELECT FROM gmail_messages m
                  WHERE m.tenant_id = b.tenant_id AND m.raw_sha256 = b.sha256) AS is_message
           FROM few JOIN blobs b ON b.tenant_id = :t AND b.sha256 = few.sha256
           WHERE so_far <= :most OR so_far = few.size ORDER BY b.sha256""",
        t=tx.tenant_id, after=after, limit=limit, most=most_bytes,
    )  # fmt: skip


def replace_blobs(tx: Tx, digests: Sequence[bytes]) -> None:
    """Put nothing in the place of some blobs, wherever they are named; worn by the eraser."""
    nothing = blobs.digest(b"")
    for table, column in _naming_blobs(tx):
        tx.run(f"UPDATE {table} SET {column} = :nothing WHERE tenant_id = :t AND {column} = ANY(:digests)",
               nothing=nothing, t=tx.tenant_id, digests=list(digests))  # fmt: skip
    drop_blobs(tx, digests)


def _naming_blobs(tx: Tx) -> list[tuple[str, str]]:
    rows = tx.rows(
        """SELECT c.relname AS name, a.attname AS part FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'hourhand'
           JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped AND a.atttypid = 'bytea'::regtype
           WHERE c.relkind = 'r' AND a.attname LIKE '%sha256' AND c.relname NOT IN ('blobs', 'imports')
           ORDER BY 1, 2"""
    )
    return [(row["name"], row["part"]) for row in rows]


def worded(tx: Tx) -> list[Columns]:
    """Every table of the tenant's in which words may stand, by the catalogue: whoever adds one need not say so here."""
    rows = tx.rows(
        """SELECT c.relname AS name, a.attname AS part, format_type(a.atttypid, NULL) AS kind,
                  EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisprimary
                          AND a.attnum = ANY(x.indkey::int2[])) AS names,
                  EXISTS (SELECT FROM pg_index x WHERE x.indrelid = c.oid AND x.indisunique
                          AND a.attnum = ANY(x.indkey::int2[])) AS unique
           FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'hourhand'
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
           WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND EXISTS (
               SELECT FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id')
           ORDER BY c.relname, a.attnum"""
    )
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return [_columns(name, some) for name, some in found.items() if name not in OURS]


def _columns(name: str, rows: Sequence[Row]) -> Columns:
    def parts(*kinds: str) -> tuple[str, ...]:
        return tuple(row["part"] for row in rows if row["kind"] in kinds)

    return Columns(
        name, tuple(row["part"] for row in rows if row["names"]), parts("text", "character varying"), parts("text[]"),
        parts("jsonb", "json"), frozenset(row["part"] for row in rows if row["unique"]),
    )  # fmt: skip


def speaking(tx: Tx, columns: Columns, traces: Traces, *, limit: int) -> Sequence[Row]:
    """Some rows of a table that speak of the person: what names each, and its words."""
    words = (*columns.texts, *columns.lists, *columns.jsons)
    if not words or not traces.pattern:
        return ()
    chosen = ", ".join(dict.fromkeys((*columns.key, *words)))
    return tx.rows(
        f"SELECT {chosen} FROM {columns.table} WHERE tenant_id = :t AND ({_told(columns)}) ~* :pattern LIMIT :limit",
        t=tx.tenant_id, pattern=traces.pattern, limit=limit,
    )  # fmt: skip


def count(tx: Tx, columns: Columns, traces: Traces) -> int:
    """How many rows of a table speak of the person."""
    told = _told(columns)
    if not told or not traces.pattern:
        return 0
    return int(tx.value(
        f"SELECT count(*) FROM {columns.table} WHERE tenant_id = :t AND ({told}) ~* :pattern",
        t=tx.tenant_id, pattern=traces.pattern,
    ))  # fmt: skip


def _told(columns: Columns) -> str:
    """Everything that a row says, as one text."""
    plain = [f"coalesce({name}, '')" for name in columns.texts]
    return " || E'\\n' || ".join(plain + [f"coalesce({n}::text, '')" for n in (*columns.lists, *columns.jsons)])


def rewrite(tx: Tx, columns: Columns, rows: Sequence[Row], traces: Traces) -> int:
    """Write the same rows without the person; worn by the eraser. How many are free of them now."""
    done = 0
    for row in rows:
        # two rows that named the same person must not come to have the same key
        fresh = dict(_fresh(columns, row, traces, f"[erased {tx.clock.uuid().hex[-12:]}]"))
        if not fresh:
            continue
        sets = ", ".join(f"{name} = :new_{name}" for name in fresh)
        which = " AND ".join(f"{name} = :key_{name}" for name in columns.key)
        values: dict[str, Any] = {f"new_{name}": value for name, value in fresh.items()}
        values |= {f"key_{name}": row[name] for name in columns.key}
        done += tx.run(f"UPDATE {columns.table} SET {sets} WHERE {which}", **values)
    return done


def _fresh(columns: Columns, row: Row, traces: Traces, mark: str) -> Iterator[tuple[str, Any]]:
    for name in (*columns.texts, *columns.lists, *columns.jsons):
        without = traces.without(row[name], mark if name in columns.unique else ERASED)
        if without != row[name]:
            yield name, Jsonb(without) if name in columns.jsons else without
