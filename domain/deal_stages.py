"""The stages of a tenant's deals: their order, what a deal there is worth hoping for, and when it stands too long."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal

from domain import audit, events, schedule, storable
from domain.db import Row, Tx

KINDS = frozenset({"reply", "quote_request", "quote_sent", "quote_viewed", "order", "quote_accepted"})
"""What may show, without a person saying so, that a deal has come to a stage."""

CLOSED = ("won", "lost")

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")


class InvalidStage(Exception):
    """A stage needs a key, a name, a probability from 0 to 1, and days that are at least 1."""


class UnknownStage(LookupError):
    """The tenant has no such stage."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way to an order."""

    key: str
    name: str
    position: int
    win_probability: Decimal
    stall_days: int
    """A deal to which nothing has happened for so long stands still."""
    follow_up_days: int
    """From the last word about a deal to its next follow-up, and from one follow-up to the next."""
    shown_by: tuple[str, ...] = ()
    """The kinds of evidence by which a deal comes here."""

    @property
    def stall(self) -> timedelta:
        return timedelta(days=self.stall_days)

    @property
    def follow_up(self) -> timedelta:
        return timedelta(days=self.follow_up_days)


DEFAULTS: tuple[Stage, ...] = (
    Stage("new", "New", 1, Decimal("0.10"), 14, 5),
    Stage("qualified", "In conversation", 2, Decimal("0.25"), 12, 4, ("reply",)),
    Stage("proposal", "Proposal", 3, Decimal("0.50"), 10, 3, ("quote_request", "quote_sent")),
    Stage("negotiation", "Negotiation", 4, Decimal("0.75"), 7, 3, ("quote_viewed",)),
)
"""What a tenant has that has set up no stages of its own."""

COLUMNS = ", ".join(Stage.__slots__)


def of(tx: Tx) -> tuple[Stage, ...]:
    """The tenant's stages in their order."""
    if "deal_stages" not in tx.memo:
        rows = tx.rows(
            f"SELECT {COLUMNS} FROM deal_stage_config WHERE tenant_id = :t ORDER BY position", t=tx.tenant_id
        )
        tx.memo["deal_stages"] = tuple(_load(row) for row in rows) or DEFAULTS
    found: tuple[Stage, ...] = tx.memo["deal_stages"]
    return found


def get(tx: Tx, key: str) -> Stage:
    """One stage. Raises UnknownStage, which names those that there are."""
    found = next((stage for stage in of(tx) if stage.key == key), None)
    if found is None:
        raise UnknownStage(f"stage: {key!r} is none of {', '.join(stage.key for stage in of(tx))}")
    return found


def named(tx: Tx, told: str) -> Stage:
    """A stage by its key or, as people write it, by its name. Raises UnknownStage."""
    bare = " ".join(told.split()).casefold()
    found = next((stage for stage in of(tx) if bare in (stage.key.casefold(), stage.name.casefold())), None)
    return found or get(tx, told)


def after(tx: Tx, key: str, evidence_kind: str) -> Stage | None:
    """The first stage behind `key` to which this kind of evidence brings a deal; None where it brings it no further."""
    here = get(tx, key)
    return next((each for each in of(tx) if each.position > here.position and evidence_kind in each.shown_by), None)


def ensure(tx: Tx) -> None:
    """Lay the default stages down where the tenant has none; records refer to them."""
    if tx.memo.get("deal_stages_laid_down"):
        return
    if not tx.value("SELECT 1 FROM deal_stage_config WHERE tenant_id = :t LIMIT 1", t=tx.tenant_id):
        _store(tx, DEFAULTS)
    tx.memo["deal_stages_laid_down"] = True


def configure(tx: Tx, stages: Sequence[Stage], *, renamed: Mapping[str, str] | None = None) -> tuple[Stage, ...]:
    """Set the tenant's stages, first to last; deals in one that goes move by `renamed` (old key to new).

    Due instants of open deals follow at once. Raises InvalidStage; UnknownStage when deals would be left in no stage.
    """
    wished = tuple(_checked(stage, number) for number, stage in enumerate(stages, start=1))
    keys = [stage.key for stage in wished]
    if not wished or len(set(keys)) < len(keys):
        raise InvalidStage("stages: there must be at least one, and no two of one key")
    ensure(tx)
    before = of(tx)
    moved = {old: new for old, new in (renamed or {}).items() if old not in keys}
    if unknown := set(moved.values()) - set(keys):
        raise UnknownStage(f"renamed: there is no stage {', '.join(sorted(unknown))}")
    _refuse_orphans(tx, [*keys, *moved])
    _store(tx, wished)
    for old, new in moved.items():
        tx.run("UPDATE deals SET stage = :new WHERE tenant_id = :t AND stage = :old", new=new, t=tx.tenant_id, old=old)
        tx.run("UPDATE deal_stage_history SET stage = :new WHERE tenant_id = :t AND stage = :old AND left_at IS NULL",
               new=new, t=tx.tenant_id, old=old)  # fmt: skip
    tx.run("DELETE FROM deal_stage_config WHERE tenant_id = :t AND key <> ALL(:keys)", t=tx.tenant_id, keys=keys)
    _follow_up_anew(tx)
    tx.memo.pop("deal_stages", None)
    audit.record(tx, "deal_stages.change", ", ".join(keys), before=[_told(each) for each in before],
                 after=[_told(each) for each in wished])  # fmt: skip
    events.record(tx, "deal_stages.changed", "tenant", tx.tenant_id, stages=keys)
    return wished


def _checked(stage: Stage, position: int) -> Stage:
    if not _KEY.fullmatch(stage.key) or stage.key in CLOSED:
        raise InvalidStage(f"key: {stage.key!r} is no key: lower-case letters, digits and _, and neither won nor lost")
    if not storable.says(stage.name):
        raise InvalidStage("name: a stage needs a name")
    if not Decimal(0) <= stage.win_probability <= Decimal(1):
        raise InvalidStage("win_probability: from 0 to 1")
    for name in ("stall_days", "follow_up_days"):
        if not 1 <= getattr(stage, name) <= 3650:
            raise InvalidStage(f"{name}: from 1 to 3650 days")
    if unknown := set(stage.shown_by) - KINDS:
        raise InvalidStage(f"shown_by: {', '.join(sorted(unknown))} is none of {', '.join(sorted(KINDS))}")
    return Stage(stage.key, stage.name.strip(), position, stage.win_probability.quantize(Decimal("0.0001")),
                 stage.stall_days, stage.follow_up_days, tuple(stage.shown_by))  # fmt: skip


def _refuse_orphans(tx: Tx, keys: Sequence[str]) -> None:
    left = tx.rows(
        "SELECT DISTINCT stage FROM deals WHERE tenant_id = :t AND stage <> ALL(:keys) ORDER BY 1",
        t=tx.tenant_id, keys=list(keys),
    )  # fmt: skip
    if left:
        raise UnknownStage(f"renamed: deals stand in {', '.join(row['stage'] for row in left)}: say where they go")


def _store(tx: Tx, stages: Sequence[Stage]) -> None:
    tx.run_many(
        """INSERT INTO deal_stage_config (tenant_id, key, name, position, win_probability, stall_days, follow_up_days,
                                          shown_by)
           VALUES (:t, :key, :name, :position, :win_probability, :stall_days, :follow_up_days, :shown_by)
           ON CONFLICT (tenant_id, key) DO UPDATE SET name = excluded.name, position = excluded.position,
               win_probability = excluded.win_probability, stall_days = excluded.stall_days,
               follow_up_days = excluded.follow_up_days, shown_by = excluded.shown_by""",
        [{"t": tx.tenant_id, **asdict(stage), "shown_by": list(stage.shown_by)} for stage in stages],
    )


def _follow_up_anew(tx: Tx) -> None:
    """Open deals count from their last activity by the new days; what is stalled stays so until something happens."""
    soonest = tx.value(
        """WITH anew AS (
               UPDATE deals d SET stalls_at = d.last_activity_at + make_interval(days => s.stall_days),
                   follow_up_due_at = CASE WHEN d.follow_up_due_at IS NOT NULL
                                           THEN d.last_activity_at + make_interval(days => s.follow_up_days) END
               FROM deal_stage_config s
               WHERE d.tenant_id = :t AND d.state = 'open' AND s.tenant_id = :t AND s.key = d.stage
               RETURNING d.planned_at, CASE WHEN d.stalled_at IS NULL THEN d.stalls_at END AS stalls_at)
           SELECT least(min(planned_at), min(stalls_at)) FROM anew""",
        t=tx.tenant_id,
    )  # fmt: skip
    if soonest is not None:
        # a tenant that was to sleep until the old instants is woken for the new ones
        schedule.bring_forward(tx, soonest)


def _told(stage: Stage) -> str:
    return (f"{stage.key}: {stage.win_probability}, stalls after {stage.stall_days} days, "
            f"followed up every {stage.follow_up_days}")  # fmt: skip


def _load(row: Row) -> Stage:
    return Stage(**{**{name: row[name] for name in Stage.__slots__}, "shown_by": tuple(row["shown_by"])})
