"""The doctor: looks at everything that can be looked at without doing anything, and names each mend."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

from domain import (
    alerts,
    credentials,
    given_up,
    hooks,
    keys,
    mailboxes,
    models,
    notices,
    schedule,
    settings,
    switches,
    tenants,
    users,
)
from domain.alerts import HOUSE
from domain.clock import SystemClock
from domain.db import Tx
from domain.settings import Mode, TenantSettings
from domain.tenants import Tenant
from jobs import backlog, brain_status, connect, timetable
from worker import assembly, queue, readiness
from worker import settings as process_settings
from worker.assembly import Standing
from worker.readiness import Check, Verdict
from worker.settings import LOOPBACK, InvalidSettings, Settings

SCARCE_BYTES = 2 << 30
SKEW_SECONDS = 2.0
TESTING = "a consent screen in testing ends every grant after 7 days"


def examine(tenant: str | None = None) -> list[Check]:
    """Every check, in the order in which things depend on one another; later ones need the earlier."""
    try:
        loaded = process_settings.load()
    except InvalidSettings as error:
        return [Check("settings", "failed", str(error), "correct or remove the named variables")]
    checks = [Check("settings", "ok", "every variable is known and of its type"), *_folder(loaded), *_brakes(loaded)]
    try:
        with assembly.standing(loaded) as standing:
            checks += _standing(standing, tenant)
    except Exception as error:  # noqa: BLE001 - whatever keeps the house from standing is the finding
        checks.append(Check("database", "failed", f"{type(error).__name__}: {error}", _database_mend(loaded)))
    return checks


def _folder(loaded: Settings) -> Iterator[Check]:
    folder = loaded.folder
    place = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not os.access(place, os.W_OK):
        yield Check(
            "data folder", "failed", f"{place} can't be written to", "set HOURHAND_DATA_DIR to a folder of yours"
        )
        return
    free = shutil.disk_usage(place).free
    verdict: Verdict = "warning" if free < SCARCE_BYTES else "ok"
    mend = "make room, or move the folder with HOURHAND_DATA_DIR" if verdict == "warning" else ""
    yield Check("data folder", verdict, f"{folder}, {free >> 30} GiB free", mend)
    if loaded.master_keys is None and (folder / assembly.KEY_FILE).exists():
        yield Check("master key", "note", f"in {folder / assembly.KEY_FILE}",
                    "keep a copy apart from the data: without it no stored secret can be read")  # fmt: skip


def _brakes(loaded: Settings) -> Iterator[Check]:
    brakes = assembly.brakes(loaded)
    stopped = brakes.stopped() or brakes.mail_stopped()
    if stopped:
        yield Check(
            "this machine's brakes", "warning", stopped, "unset the variable and restart, or `hourhand resume --host`"
        )
    elif brakes.send_mode is not Mode.live:
        yield Check("this machine's brakes", "note", f"EMAIL_SEND_MODE allows {brakes.send_mode.name} at most")
    else:
        yield Check("this machine's brakes", "ok", "none is set")


def _standing(standing: Standing, tenant: str | None) -> Iterator[Check]:
    database = standing.house.database
    kind = "embedded" if standing.server is not None else "at DATABASE_URL"
    yield Check("database", "ok", f"{kind}, schema {assembly.head()}, logged in behind the walls")
    for look in (_queue, _clock, _timetable, _switches, _door, _outlook, _google):
        yield from look(standing)
    chosen = [tenants.by_slug(database, tenant)] if tenant else tenants.listed(database)
    if not chosen:
        yield Check("tenants", "note", "there is none yet", "`hourhand tenant add <slug> --name <name>`")
    for each in chosen:
        yield from _tenant(standing, each)


def _queue(standing: Standing) -> Iterator[Check]:
    try:
        queue.check(standing.house.database)
    except queue.QueueUnfit as error:
        yield Check("queue", "failed", str(error), "`hourhand db upgrade`")
        return
    depth = backlog.depth(standing.house)
    told = f"{depth['waiting']} jobs wait, {depth['running']} run, {depth['workers']} workers live"
    if not depth["workers"]:
        yield Check("queue", "warning", f"{told}: nobody works", "`hourhand up`")
    elif depth["failed"]:
        yield Check(
            "queue", "warning", f"{told}, {depth['failed']} of the house's own failed", "read the log around them"
        )
    else:
        yield Check("queue", "ok", told)


def _clock(standing: Standing) -> Iterator[Check]:
    with standing.house.database.wearing("fleet") as tx:
        skew = abs((tx.value("SELECT hourhand.db_now()") - SystemClock().now()).total_seconds())
    if skew > SKEW_SECONDS:
        yield Check("clock", "failed", f"this machine and the database differ by {skew:.1f} s", "let both follow NTP")
    else:
        yield Check("clock", "ok", "this machine and the database agree")


def _timetable(standing: Standing) -> Iterator[Check]:
    on_schedule, late = schedule.lateness(standing.house.database)
    if late > timetable.CYCLE.too_late_seconds:
        yield Check("timetable", "failed", f"a slot has waited {late / 60:.0f} minutes",
                    "`hourhand up`; if it runs, raise HOURHAND_CONCURRENCY or add `hourhand worker`")  # fmt: skip
    else:
        yield Check("timetable", "ok", f"{on_schedule} tenants, none late")


def _switches(standing: Standing) -> Iterator[Check]:
    with standing.house.database.wearing("control") as tx:
        closed = [each for each in switches.states(tx) if each["stopped"]]
    for each in closed:
        yield Check(
            "kill switch",
            "warning",
            f"{switches.spoken(str(each['switch']))} is stopped by {each['by']}: {each['reason']}",
            _resume(str(each["switch"])),
        )
    if not closed:
        yield Check("kill switch", "ok", "the house is switched on")


def _resume(switch: str) -> str:
    """The command that opens a switch of the house again."""
    level, _, name = switch.removesuffix("_disabled").partition("_disabled.")
    flag = {"global_enabled": "", "email_send": " --mail"}.get(level, f" --{level} {name}")
    return f"`hourhand resume{flag} --reason <why>`"


def _door(standing: Standing) -> Iterator[Check]:
    with standing.house.database.wearing("control") as tx:
        admins = [key for key in keys.listed_house(tx) if key.role == "admin" and key.revoked_at is None]
    if not admins:
        verdict: Verdict = "note" if standing.settings.on_loopback else "failed"
        yield Check("admin key", verdict, "there is none: the API lets nobody in", "`hourhand key create`")
    else:
        yield Check("admin key", "ok", f"{len(admins)} in use")


def _outlook(standing: Standing) -> Iterator[Check]:
    """Who would notice if something were wrong with all of it, or if nothing happened any more."""
    outlook = standing.house.outlook
    if not outlook.alive_url:
        yield Check("watcher outside", "note", "nobody outside would notice silence",
                    "set HOURHAND_ALIVE_URL to the ping address of a dead man's switch")  # fmt: skip
    with standing.house.database.wearing("control") as tx:
        known = alerts.listed(tx, book=HOUSE)
        dead = hooks.listed(tx, state="dead", limit=100, book=HOUSE)
    for alert in known:
        yield Check("house alert", "warning", f"{alert.kind}: {alert.message}", "`hourhand alerts list --house`")
    if dead:
        yield Check("house webhook", "warning", f"{len(dead)} posts were given up: {dead[0].last_error}",
                    f"mend HOURHAND_ALERT_WEBHOOK_URL, then `hourhand alerts replay --house {dead[0].id}`")  # fmt: skip


def _google(standing: Standing) -> Iterator[Check]:
    if not standing.settings.google_client_id:
        yield Check("Gmail's consent", "note", "GOOGLE_CLIENT_ID is not set: nobody can be asked for consent",
                    "make an OAuth client as docs/connect-gmail.md says, or `hourhand gmail set-token --address "
                    "<address>`")  # fmt: skip
        return
    address = urlsplit(standing.house.public_url)
    back = f"{standing.house.public_url}{connect.CALLBACK}"
    if address.scheme != "https" and address.hostname not in LOOPBACK:
        yield Check("Gmail's consent", "warning", f"Google sends nobody back to {back}: it is not https",
                    "set HOURHAND_PUBLIC_URL to an https address")  # fmt: skip
    else:
        yield Check("Gmail's consent", "note", f"a web client must name {back} among its redirect URIs; a desktop "
                    "client serves `hourhand gmail connect --address <address>` without any")  # fmt: skip
    yield Check("Gmail's consent", "note", TESTING, "publish the OAuth consent screen")


def _tenant(standing: Standing, tenant: Tenant) -> Iterator[Check]:
    with standing.house.database.tenant(tenant.tenant_id, actor="doctor") as tx:
        told = settings.of(tx)
        for look in (*readiness.LOOKS, _mailboxes, _models, _dead_letters, _alerts, _people):
            for check in look(standing, tx, told):
                yield Check(f"{tenant.slug}: {check.name}", check.verdict, check.told, _named(check.mend, tenant.slug))


def _named(mend: str, slug: str) -> str:
    """A mend whose commands say for which tenant they are, so that they run as printed whoever else is here."""
    return re.sub(r"`(hourhand [^`]+)`", rf"`\1 --tenant {slug}`", mend)


def _mailboxes(_standing: Standing, tx: Tx, _told: TenantSettings) -> Iterator[Check]:
    rows = mailboxes.listed(tx)
    for row in rows:
        verdict: Verdict = "ok" if row.status == "connected" and not row.failures else "warning"
        cause = f": {row.status_cause}" if row.status_cause else ""
        yield Check("mailbox", verdict, f"{row.address} ({row.provider}) {row.status}{cause}", row.mend)
        if row.provider == "gmail" and row.status == "revoked":
            yield Check("mailbox", "note", TESTING, "publish the OAuth consent screen")
    if not rows:
        yield Check(
            "mailbox",
            "note",
            "there is none",
            "`hourhand gmail connect --address <address>`, `hourhand mailbox connect-imap --host <host> --address "
            "<address>` or `hourhand mailbox import <folder> --address <address>`",
        )


def _models(standing: Standing, tx: Tx, _told: TenantSettings) -> Iterator[Check]:
    asked = [each for each in brain_status.status(standing.house, tx)["order"] if each["model"] != models.RULEBOOK]
    ready = [each["model"] for each in asked if each["ready"]]
    if ready:
        yield Check("model", "ok", f"{', '.join(ready)}; without an answer, templates and rules do the work")
    elif asked:
        yield Check("model", "note", f"no key for {asked[0]['model']}: templates and rules do the work",
                    f"`hourhand credential set {asked[0]['model'].partition('/')[0]}_api_key`")  # fmt: skip
    else:
        yield Check("model", "note", "none: templates and rules do the work")


def _dead_letters(_standing: Standing, tx: Tx, _told: TenantSettings) -> Iterator[Check]:
    dead = len(given_up.listed(tx, limit=1000))
    if dead:
        yield Check(
            "dead letters",
            "warning",
            f"{dead} were given up",
            "`hourhand dead list`, then `hourhand dead replay <letter>`",
        )


def _alerts(_standing: Standing, tx: Tx, told: TenantSettings) -> Iterator[Check]:
    for alert in alerts.listed(tx, states=("open",)):
        yield Check("alert", "warning", f"{alert.kind}: {alert.message}",
                    f"mend its cause, then `hourhand alerts ack {alert.id}`")  # fmt: skip
    if told.alert_webhook_url and not any(each.name == "alert_webhook_secret" for each in credentials.listed(tx)):
        yield Check("alert webhook", "failed", "nothing is posted: no secret signs it",
                    "`hourhand credential set alert_webhook_secret`")  # fmt: skip
    if dead := hooks.listed(tx, state="dead", limit=100):
        yield Check("alert webhook", "warning", f"{len(dead)} posts were given up: {dead[0].last_error}",
                    f"mend alert_webhook_url, then `hourhand alerts replay {dead[0].id}`")  # fmt: skip


def _people(_standing: Standing, tx: Tx, told: TenantSettings) -> Iterator[Check]:
    if not any(user.verified_at and user.role in notices.ROLES["alert"] for user in users.listed(tx)):
        verdict: Verdict = "note" if told.alert_webhook_url or told.mode is Mode.dry_run else "warning"
        mend = "`hourhand user add <address> --name <name> --role admin`, then `hourhand user verify <address>`"
        yield Check("who is told", verdict, "no verified admin or operator: alerts reach nobody by mail", mend)


def _database_mend(loaded: Settings) -> str:
    if loaded.database_url is None:
        return "read the end of postgres/server.log in the data folder"
    return "check DATABASE_URL and that the server runs; DATABASE_ADMIN_URL is needed for the first start and upgrades"
