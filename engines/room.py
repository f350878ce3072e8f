"""Room: who of those that are due can be written to when, so that what can go goes first and nobody is kept back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from domain import intentions
from domain.intentions import UNDER_WAY, Board, Meant, Standing
from domain.sequences import KEEPS_IN_TOUCH
from domain.settings import Mode, TenantSettings
from engines import timing
from engines.contract import Context

WORKING_HOURS = 8
"""No more mails are made to wait for another hour than go out in so many at the tenant's cap: the rest would die."""

ENOUGH = "enough mails wait already for the next hours"
"""What the ledger says of a mail that would be one too many."""

LATER = "room.later"
"""Where a transaction remembers how many mails wait for another hour: those of one engine count for the next."""

MAILED = 1_000_000
"""How much a mail weighs that went out today: more than any that is only meant."""


@dataclass
class Later:
    """How many mails wait for another hour, whichever engine's: those on the board, and those about to be proposed."""

    mails: int


class Wish(NamedTuple):
    """A mail that is due, as far as it needs room."""

    key: str
    engine: str
    client_id: UUID
    contact_id: UUID
    timezone: str | None
    priority: int
    thread_id: UUID | None = None
    awaited: bool = False
    """It waits for no conversation of another engine to end: it has its day, or somebody waits for it."""


@dataclass
class Room:
    """How much can be written in this hour, to whom; what is picked takes its place."""

    board: Board
    settings: TenantSettings
    now: datetime
    later: Later = field(default_factory=lambda: Later(0))
    _turned_away: int = 0
    _people: dict[tuple[UUID, date], list[tuple[UUID, str, int]]] = field(default_factory=dict)
    """By account and day: who is written to, by which engine, and how much that matters."""
    _meant: dict[UUID, list[Meant]] = field(default_factory=dict)
    _chances: dict[str, datetime] = field(default_factory=dict)
    _openings: dict[str | None, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for client, some in self.board.mailed.items():
            self._people[client, self._day(self.now)] = [(contact, "", MAILED) for contact in some]
        for each in self.board.meant:
            self._meant.setdefault(each.contact_id, []).append(each)
            # what a person was asked about holds its place on the day on which they were, and no longer
            asked = each.state == "awaiting_approval"
            at = max(each.not_before, each.state_changed_at if asked else self.now)
            there = self._people.setdefault((each.client_id, self._day(at)), [])
            there.append((each.contact_id, each.engine, each.priority))

    @property
    def standing(self) -> Mapping[str, Standing]:
        """What stands on the board for each intention."""
        return self.board.standing

    def left(self, an_hour: int, keys: Iterable[str] | None = None) -> int:
        """Of so many in an hour, what those leave over that are ready and still wait their turn."""
        return an_hour - sum(each.not_before <= self.now for each in self._going(keys))

    def rank(self, wish: Wish) -> int:
        """What can go now comes first (0), then what can go today (1), then the rest (2)."""
        at = self.chance(wish)
        return 0 if at <= self.now else 1 if self._day(at) == self._day(self.now) else 2

    def chance(self, wish: Wish) -> datetime:
        """When the mail could first go: not within the gap after another, in the recipient's hours, in its turn.

        Roughly, for the choice alone: the rules and arbitration have the last word.
        """
        if wish.key not in self._chances:
            self._chances[wish.key] = self._opens(self._free(wish), wish.timezone)
        return self._chances[wish.key]

    def _free(self, wish: Wish) -> datetime:
        """When nothing else that we write, or have written, keeps the mail back."""
        at = self.now
        if (wrote := self.board.wrote.get(wish.contact_id)) is not None:
            at = max(at, wrote + timedelta(hours=self.settings.minimum_gap_hours))
        for each in self._meant.get(wish.contact_id, ()):
            if each.dedupe_key != wish.key and each.priority >= wish.priority:
                at = max(at, each.not_before + timedelta(hours=self.settings.minimum_gap_hours))
        if wish.awaited:
            return at
        return max([at, *(each.next_at for each in self.board.running.get(wish.contact_id, ())
                          if each.thread_id != wish.thread_id
                          and (each.engine != KEEPS_IN_TOUCH or wish.engine == KEEPS_IN_TOUCH))])  # fmt: skip

    def _opens(self, at: datetime, zone: str | None) -> datetime:
        if at > self.now:
            return timing.first_chance(at, zone, self.settings)
        if zone not in self._openings:
            self._openings[zone] = timing.first_chance(at, zone, self.settings)
        return self._openings[zone]

    def full(self, wish: Wish) -> tuple[int, datetime] | None:
        """How many colleagues are written to on the day of the mail's chance, if it has no room, and when the day ends.

        What another engine only means to send, and matters less, keeps nobody out.
        """
        day = self._day(self.chance(wish))
        there = self._people.get((wish.client_id, day), ())
        others = len({contact for contact, engine, weight in there
                      if contact != wish.contact_id
                      and (engine == wish.engine or weight >= wish.priority)})  # fmt: skip
        if others < self.settings.max_people_per_account_per_day:
            return None
        midnight = datetime.combine(day + timedelta(days=1), time(), self.settings.zone)
        return others, midnight.astimezone(UTC)

    def turn_away(self, wish: Wish | None, an_hour: int) -> datetime | None:
        """When a mail that can't go now is looked at again, if so many wait already that it could not go in time.

        So many as an hour may do have their turn in the next, and the others after them. None: there is room.
        """
        if wish is None or self.rank(wish) == 0 or self.later.mails < enough(self.settings):
            return None
        at = timing.turn(self.now, self._turned_away, an_hour)
        self._turned_away += 1
        return at

    def take(self, wish: Wish | None) -> None:
        """The mail is to be proposed: whoever finds no room beside it waits for another hour, or another day."""
        self.keep(wish)
        assert wish is not None
        self.later.mails += self.rank(wish) > 0

    def keep(self, wish: Wish | None) -> None:
        """The mail has its place at its account, and is to be proposed now or in its turn."""
        assert wish is not None, "who can't be written to stands behind a barrier"
        there = self._people.setdefault((wish.client_id, self._day(self.chance(wish))), [])
        there.append((wish.contact_id, wish.engine, wish.priority))

    def _going(self, keys: Iterable[str] | None = None) -> list[Standing]:
        """The cards that go by themselves: one that waits for a person on its own account keeps no other back."""
        some = (
            self.standing.values()
            if keys is None
            else [self.standing[key] for key in dict.fromkeys(keys) if key in self.standing]
        )
        return [each for each in some if each.state in UNDER_WAY and (
            each.state != "awaiting_approval" or self.settings.autonomy.get(each.type, "auto") != "auto")]  # fmt: skip

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.settings.zone).date()


def enough(chosen: TenantSettings) -> int:
    """How many mails may wait for another hour, of all engines together."""
    return chosen.max_emails_per_hour * WORKING_HOURS


def look(ctx: Context, keys: Sequence[str], people: Mapping[UUID, UUID]) -> Room:
    """The room for these intentions, about these contacts with their accounts; one statement."""
    chosen = ctx.settings
    began = ctx.now.astimezone(chosen.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    later: Later | None = ctx.tx.memo.get(LATER)
    board = intentions.board(
        ctx.tx, keys, people, day=began, since=ctx.now - timedelta(hours=chosen.minimum_gap_hours),
        holding=chosen.mode in (Mode.dry_run, Mode.internal_only),
        enough=enough(chosen) if later is None else 0,
        approved=[kind for kind, how in chosen.autonomy.items() if how != "auto"],
    )  # fmt: skip
    if later is None:
        later = ctx.tx.memo[LATER] = Later(board.later)
    return Room(board, chosen, ctx.now, later)
