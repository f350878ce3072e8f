"""Intentions on the board: what stands there for what an engine would propose, and what else is in its way."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain import sequences
from domain.cards import WAITING
from domain.db import Tx
from domain.sequences import Running
from domain.switches import OUTWARD

RESTING = frozenset({"blocked", "rejected", "failed", "expired"})
CARRIED_OUT = frozenset({"done", "uncertain"})
UNDER_WAY = WAITING | {"executing"}


@dataclass(frozen=True, slots=True)
class Standing:
    """What already stands on the board for an intention."""

    state: str
    not_before: datetime
    state_changed_at: datetime
    rule: str | None = None
    type: str = ""

    def speaks(self, now: datetime, reconsider_hours: float) -> bool:
        """Whether it answers the intention; held and cancelled ones don't, and refused ones only for a while."""
        if self.state in RESTING:
            return self.state_changed_at > now - timedelta(hours=reconsider_hours)
        return self.state in UNDER_WAY or self.state in CARRIED_OUT

    def silent_until(self, now: datetime, reconsider_hours: float) -> datetime | None:
        """When what was refused is proposed anew; None where it is not resting."""
        return self.state_changed_at + timedelta(hours=reconsider_hours) if self.state in RESTING else None


@dataclass(frozen=True, slots=True)
class Meant:
    """A mail that waits to go to somebody, whichever engine's."""

    client_id: UUID
    contact_id: UUID
    engine: str
    dedupe_key: str
    state: str
    priority: int
    not_before: datetime
    state_changed_at: datetime


@dataclass(frozen=True, slots=True)
class Board:
    """What stands for some intentions, and what their accounts and people hear from us besides."""

    standing: Mapping[str, Standing] = field(default_factory=dict)
    """The newest card of each intention, by its dedupe key."""
    meant: Sequence[Meant] = ()
    mailed: Mapping[UUID, frozenset[UUID]] = field(default_factory=dict)
    """By account the people whom mail went to since the day began."""
    wrote: Mapping[UUID, datetime] = field(default_factory=dict)
    """By person when mail last went to them, where that was lately."""
    running: Mapping[UUID, Sequence[Running]] = field(default_factory=dict)
    """By person the sequences that run with them."""
    later: int = 0
    """How many mails of all engines wait for a later hour and go by themselves, as far as they were counted."""


def standing(tx: Tx, keys: Sequence[str]) -> Mapping[str, Standing]:
    """The newest card of each intention, by its dedupe key."""
    return board(tx, keys).standing


def board(
    tx: Tx, keys: Sequence[str], people: Mapping[UUID, UUID] | None = None, *, day: datetime | None = None,
    since: datetime | None = None, holding: bool = False, enough: int = 0, approved: Collection[str] = (),
) -> Board:  # fmt: skip
    """All that bears on whether these intentions can be carried out soon; one statement.

    `people` are the contacts who would be written to, each with their account; `day`: when the tenant's day began;
    `since`: how far back the last mail is looked for. With `holding`, mails that a mode held count as written.
    Of what waits for a later hour so many are counted as are `enough`; what waits for a person goes by itself, in the
    end, only where all of its type are `approved`.
    """
    if not keys:
        return Board()
    contacts = people or {}
    row = tx.row(
        f"""SELECT (SELECT jsonb_object_agg(c.dedupe_key, jsonb_build_array(
                        c.state, c.not_before, c.state_changed_at, c.rule, c.type))
                    FROM (SELECT DISTINCT ON (dedupe_key) dedupe_key, state, not_before, state_changed_at, rule, type
                          FROM kanban_cards WHERE tenant_id = :t AND dedupe_key = ANY(:keys)
                          ORDER BY dedupe_key, state_changed_at DESC, id DESC) AS c) AS cards,
                   (SELECT jsonb_agg(jsonb_build_array(c.client_id, c.contact_id, c.engine, c.dedupe_key, c.state,
                                                       c.priority, c.not_before, c.state_changed_at))
                    FROM kanban_cards c
                    WHERE c.tenant_id = :t AND c.client_id = ANY(:clients) AND c.type = ANY(:outward)
                      AND c.state = ANY(:waiting) AND c.contact_id IS NOT NULL) AS meant,
                   (SELECT jsonb_agg(DISTINCT jsonb_build_array(o.client_id, o.contact_id)) FROM outbound_messages o
                    WHERE o.tenant_id = :t AND o.reserved_at >= :day AND o.client_id = ANY(:clients)
                      AND o.contact_id IS NOT NULL AND o.state <> 'failed') AS mailed,
                   (SELECT jsonb_agg(jsonb_build_array(p.id, o.at, s.running)) FROM unnest(CAST(:contacts AS uuid[]))
                        AS p (id)
                    LEFT JOIN LATERAL (SELECT o.reserved_at AS at FROM outbound_messages o
                                       WHERE o.tenant_id = :t AND o.contact_id = p.id AND o.reserved_at > :since
                                         AND o.state <> 'failed' AND (:holding OR o.state <> 'held')
                                       ORDER BY o.reserved_at DESC LIMIT 1) o ON true
                    -- in the words of the index of running sequences: whoever is in none costs no row
                    LEFT JOIN LATERAL (SELECT * FROM engagement_clocks k
                                       WHERE k.tenant_id = :t AND k.contact_id = p.id AND k.follow_up_due_at IS NOT NULL
                                         AND k.sequence_thread_id IS NOT NULL OFFSET 0) k ON true
                    LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(r.engine, r.thread_id, r.next_at)) AS running
                                       FROM ({sequences.running("p.id", "k")}) AS r) s ON true
                    WHERE o.at IS NOT NULL OR s.running IS NOT NULL) AS heard,
                   -- in the words of the index of cards that wait; what is enough is not read beyond
                   (SELECT count(*) FROM (SELECT FROM kanban_cards c
                       WHERE c.tenant_id = :t AND c.state IN ('proposed', 'queued', 'deferred', 'awaiting_approval')
                         AND c.not_before > :now AND c.type = ANY(:outward)
                         AND (c.state <> 'awaiting_approval' OR c.type = ANY(:approved)) LIMIT :enough) w) AS later""",
        t=tx.tenant_id, keys=list(keys), clients=list(set(contacts.values())), contacts=list(contacts),
        outward=sorted(OUTWARD), waiting=sorted(UNDER_WAY), day=day or tx.now, since=since or tx.now, holding=holding,
        now=tx.now, enough=enough, approved=sorted(approved),
    )  # fmt: skip
    assert row is not None
    mailed: dict[UUID, set[UUID]] = {}
    for client, contact in row["mailed"] or ():
        mailed.setdefault(UUID(client), set()).add(UUID(contact))
    return Board(
        standing={key: Standing(state, _at(before), _at(changed), rule, kind)
                  for key, (state, before, changed, rule, kind) in (row["cards"] or {}).items()},
        meant=[Meant(UUID(client), UUID(contact), engine, key, state, priority, _at(before), _at(changed))
               for client, contact, engine, key, state, priority, before, changed in row["meant"] or ()],
        mailed={client: frozenset(some) for client, some in mailed.items()},
        wrote={UUID(contact): _at(at) for contact, at, _ in row["heard"] or () if at},
        running={UUID(contact): [Running(engine, UUID(thread), _at(then)) for engine, thread, then in some]
                 for contact, _, some in row["heard"] or () if some},
        later=row["later"],
    )  # fmt: skip


def _at(told: str) -> datetime:
    return datetime.fromisoformat(told)
