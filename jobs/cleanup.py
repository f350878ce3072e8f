"""The night's clean-up: what nobody can ask about any more goes, tenant by tenant, and none holds up another."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import structlog

from domain import alerts, erasures, errands, imports, retention, tenants
from domain.house import House, Leaving
from jobs import erase

log = structlog.get_logger(__name__)

FAILED_JOBS_KEPT = timedelta(days=30)
DEAD_WORKERS_KEPT = timedelta(days=1)
STILL_IMPORTS_KEPT = timedelta(days=7)
"""For so long a file that was cut short may be gone on with, as one that was sent and not taken in."""
TENANTS_PER_PAGE = 500


def run(house: House, *, tenants_per_page: int = TENANTS_PER_PAGE) -> Counter[str]:
    """Sweep every tenant, the house and the queue; how many lines of each table. Raises Leaving between tenants."""
    gone: Counter[str] = Counter()
    after = ""
    while page := tenants.listed(house.database, after=after, limit=tenants_per_page):
        for tenant in page:
            if house.leaving.is_set():
                raise Leaving(Leaving.__doc__)
            gone.update(_sweep(house, tenant))
        after = page[-1].slug
    with house.database.wearing("control") as tx:
        gone["control.idempotent_requests"] += retention.sweep_house(tx)
    gone.update(_sweep_queue(house))
    log.info("cleanup.done", **{name: count for name, count in gone.items() if count})
    return gone


def _sweep(house: House, tenant: tenants.Tenant) -> dict[str, int]:
    try:
        with house.database.tenant(tenant.tenant_id, actor="clean_up") as tx:
            gone = retention.sweep(tx)
            begun = erasures.unfinished(tx)
            given_up = imports.give_up_still(tx, tx.now - STILL_IMPORTS_KEPT)
            passed = alerts.let_pass(tx, by="clean_up")
            gone |= {name: count for name, count in
                     (("imports_given_up", given_up), ("alerts_passed", passed)) if count}  # fmt: skip
            if imports.under_way(tx) is not None:
                errands.ask(tx)
        gone |= _past_keeping(house, tenant)
        for erasure in begun:
            erase.go_on(house.database, house.vault, tenant.tenant_id, erasure, by="clean_up")
            gone["erasures"] = gone.get("erasures", 0) + 1
        return gone
    except Exception as error:
        log.exception("cleanup.failed", tenant=str(tenant.tenant_id), error=type(error).__name__)
        return {"failed": 1}


def _past_keeping(house: House, tenant: tenants.Tenant) -> dict[str, int]:
    """What the tenant itself wants to be rid of after some time, a batch to a transaction."""
    gone: Counter[str] = Counter()
    while not house.leaving.is_set():
        with house.database.tenant(tenant.tenant_id, actor="clean_up") as tx:
            emptied = retention.empty_mails(tx)
        with house.database.rewriting(tenant.tenant_id, actor="clean_up") as tx:
            dropped = retention.drop_records(tx)
        if not emptied and not dropped:
            break
        gone.update({"mails_emptied": emptied} if emptied else {}, **dropped)
    return dict(gone)


def _sweep_queue(house: House) -> dict[str, int]:
    with house.database.wearing("dispatcher") as tx:
        jobs = tx.run(
            """DELETE FROM queue.procrastinate_jobs j WHERE status IN ('succeeded', 'failed', 'cancelled', 'aborted')
               AND NOT EXISTS (SELECT FROM queue.procrastinate_events e
                               WHERE e.job_id = j.id AND e.at > hourhand.db_now() - CAST(:kept AS interval))""",
            kept=FAILED_JOBS_KEPT,
        )
        workers = tx.run(
            """DELETE FROM queue.procrastinate_workers
               WHERE last_heartbeat < hourhand.db_now() - CAST(:kept AS interval)""",
            kept=DEAD_WORKERS_KEPT,
        )
    return {"queue.jobs": jobs, "queue.workers": workers}
