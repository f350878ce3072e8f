"""PF12 engine by engine: the rows that an hour reads when one engine has the same to do beside ever more history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

from domain.db import Database
from jobs import cycle
from tests import build, gears, houses, volume
from tests.bench import history
from tests.bench.bench_growth import SCALES, Ground, told
from tests.hand_clock import HandClock

BAR = 1.2
APART = timedelta(minutes=61)
ENGINE = {"orders": "orders", "deals": "deals", "stalls": "deals", "quotes": "quotes", "feedback": "feedback",
          "checks": "compliance", "contacts": "engagement"}  # fmt: skip
SIZE = volume.Size(3_000, 800, 1_000)
CARDS = 200


def test_pf12_of_each_engine(cluster: gears.Cluster, clock: HandClock, figures: Callable[..., None]) -> None:
    clock.advance(hours=6)
    read: dict[tuple[str, int], Counter[str]] = {}
    with ExitStack() as open_:
        grounds = {scale: open_.enter_context(_ground(cluster, clock, scale)) for scale in SCALES}
        for kind in volume.EACH:
            clock.advance(seconds=APART.total_seconds())
            for scale, each in grounds.items():
                read[kind, scale] = _hour(each, kind)
    for kind, due in volume.EACH.items():
        rows = {scale: sum(read[kind, scale].values()) for scale in SCALES}
        more = read[kind, SCALES[-1]] - read[kind, 1]
        figures(
            "PF12 by engine", engine=ENGINE[kind], due={kind: due}, bar=BAR, rows_read=rows,
            rows_stored={scale: each.rows for scale, each in grounds.items()},
            read_more={name: n for name, n in more.most_common(8) if n > 20},
        )  # fmt: skip
    grown = {kind: round(sum(read[kind, scale].values()) / sum(read[kind, 1].values()), 2)
             for kind in volume.EACH for scale in SCALES[1:]
             if sum(read[kind, scale].values()) > BAR * sum(read[kind, 1].values())}  # fmt: skip
    assert grown == {}


@contextmanager
def _ground(cluster: gears.Cluster, clock: HandClock, scale: int) -> Iterator[Ground]:
    """A tenant with so much behind it, of which one kind after the other falls due."""
    cloned = cluster.clone()
    database = Database(cloned.url(), clock, pool_size=2)
    tenant = build.tenant(database, "acme", {**build.ACME, "max_emails_per_hour": 1_000})
    rows = history.lay_down(cloned, [tenant], clock.now(), items=CARDS * scale, people=50)
    size = volume.Size(SIZE.contacts, SIZE.deals * scale, SIZE.quotes * scale)
    rows += 2 * size.contacts + size.deals + 5 * size.quotes
    with houses.house(database) as house:
        # what was under another mode, and since when, is seen to once
        assert cycle.run(house, tenant, kind="manual") is not None
        volume.lay_down(cloned, tenant, size, clock.now(), apart=APART, begin=APART - volume.AN_HOUR, running=False)
        yield Ground(cloned, house, tenant, rows)
    database.dispose()
    cluster.retire(cloned)


def _hour(each: Ground, kind: str) -> Counter[str]:
    """The rows of each table that the hour reads in which this kind falls due, whole tables among them."""
    before = told(each)
    assert cycle.run(each.house, each.tenant_id, kind="manual") is not None
    after = told(each)
    with each.house.database.tenant(each.tenant_id) as tx:
        run = tx.row("SELECT id, errors FROM agent_autonomous_runs ORDER BY started_at DESC LIMIT 1")
        assert run is not None
        assert run["errors"] == []
        made = tx.value("SELECT count(*) FROM kanban_cards WHERE tenant_id = :t AND run_id = :id AND engine = :engine",
                        t=tx.tenant_id, id=run["id"], engine=ENGINE[kind])  # fmt: skip
    # each thing that is due became a card
    assert made >= volume.EACH[kind], (kind, made)
    return Counter({name: count - before[name] for name, count in after.items() if count > before[name]})
