"""The backlog: how many jobs wait, run and have failed, and how many workers are there to do them."""

from __future__ import annotations

from datetime import timedelta

from domain.house import House


def depth(house: House) -> dict[str, int]:
    """How full the queue is, how many jobs of the house itself failed for good, and how many workers live."""
    with house.database.wearing("dispatcher") as tx:
        row = tx.row(
            """SELECT count(*) FILTER (WHERE status = 'todo') AS waiting,
                      count(*) FILTER (WHERE status = 'doing') AS running,
                      count(*) FILTER (WHERE status = 'failed') AS failed,
                      (SELECT count(*) FROM queue.procrastinate_workers
                       WHERE last_heartbeat > hourhand.db_now() - CAST(:silence AS interval)) AS workers
               FROM queue.procrastinate_jobs""",
            silence=timedelta(seconds=house.stalled_seconds),
        )
    assert row is not None
    return {name: int(count) for name, count in row.items()}
