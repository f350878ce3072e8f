"""`hourhand gmail`, `mailbox`, `mail` and `credential`: connect mailboxes, take mail in, and the providers' secrets."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli import connect, explaining, imap, speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse

if TYPE_CHECKING:
    from worker.assembly import Standing

COLUMNS = ("provider", "address", "status", "status_cause", "last_sync_at", "failures", "id", "mend")
Address = Annotated[str, typer.Option("--address", help="The mailbox's own address.")]


def register(app: typer.Typer) -> None:
    """Add them to the command line."""
    gmail = typer.Typer(help="Gmail: connect, set-token, status, revoke.", no_args_is_help=True)
    gmail.command()(connect.connect)
    gmail.command("set-token")(set_token)
    gmail.command()(status)
    gmail.command()(revoke)
    mailbox = typer.Typer(
        help="Mailboxes: connect-imap, import a folder or mbox, status, sync, revoke.", no_args_is_help=True
    )
    mailbox.command("import")(import_folder)
    mailbox.command("connect-imap")(imap.connect)
    mailbox.command("list")(status)
    mailbox.command()(status)
    mailbox.command()(sync)
    mailbox.command("revoke")(revoke_any)
    mail = typer.Typer(help="Mail: what do we make of a message?", no_args_is_help=True)
    mail.command("explain")(explaining.explain)
    credential = typer.Typer(help="Providers' secrets of a tenant: set, list, remove.", no_args_is_help=True)
    credential.command("set")(set_credential)
    credential.command("list")(list_credentials)
    credential.command("remove")(remove_credential)
    for name, group in (("gmail", gmail), ("mailbox", mailbox), ("mail", mail), ("credential", credential)):
        app.add_typer(group, name=name)


def set_token(
    address: Address,
    tenant: TenantName = None,
    client_id: Annotated[str, typer.Option(help="The OAuth client; default GOOGLE_CLIENT_ID.")] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Connect a Gmail mailbox, or rotate its token: the refresh token is read from stdin or asked for."""
    from domain import mailboxes

    token = _secret("Refresh token")
    with visiting.visit(tenant, dry_run=dry_run) as at:
        settings = at.standing.settings
        secret = settings.google_client_secret.get_secret_value() if settings.google_client_secret else ""
        grant = mailboxes.Grant(token, client_id or settings.google_client_id, secret)
        row = mailboxes.configure_gmail(at.tx, at.vault, address, grant)
    sentence = f"{at.slug}: {row.address} {'would be' if dry_run else 'is'} {row.status}"
    speaking.say({**speaking.plain(row), "done": not dry_run}, as_json, sentence=sentence)


def status(tenant: TenantName = None, as_json: Json = False) -> None:
    """How each mailbox stands, and the mend where it does not."""
    from domain import mailboxes

    with visiting.visit(tenant) as at:
        rows = [{**speaking.plain(row), "mend": row.mend} for row in mailboxes.listed(at.tx)]
    speaking.table(
        rows, COLUMNS, as_json, empty=f"{at.slug} has no mailbox: `hourhand gmail connect` or `mailbox connect-imap`"
    )


Reason = Annotated[str, typer.Option("--reason", help="Why.")]
GONE = "disconnected by a person"


def revoke(
    address: Address, tenant: TenantName = None, reason: Reason = GONE, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """End a Gmail mailbox's grant, here and at Google, and stop asking it; what was read stays."""
    _revoke(("gmail",), address, tenant, reason, dry_run, as_json)


def revoke_any(
    address: Address, tenant: TenantName = None, reason: Reason = GONE, dry_run: DryRun = False, as_json: Json = False
) -> None:
    """Forget a mailbox's password or grant, and stop asking it; what was read stays."""
    _revoke(("imap", "gmail", "folder"), address, tenant, reason, dry_run, as_json)


def _revoke(
    providers: Sequence[str], address: str, tenant: str | None, reason: str, dry_run: bool, as_json: bool
) -> None:
    from domain import mailboxes
    from jobs.connect import revoke as end

    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        with visiting.inside(standing, found, dry_run=dry_run) as tx:
            known = sorted(mailboxes.listed(tx), key=lambda row: (row.status == "revoked", row.provider != "imap"))
            row = next((row for row in known if row.provider in providers and row.address == address.strip().lower()),
                       None)  # fmt: skip
            if row is None:
                raise WrongUse(f"--address: {found.slug} has no such mailbox; `hourhand mailbox status` lists them")
            if dry_run:
                row = mailboxes.revoke(tx, row.id, cause=reason)
        if not dry_run:
            row = end(standing.house, found.tenant_id, row.id, cause=reason, actor=visiting.ACTOR)
    sentence = f"{found.slug}: {row.address} {'would be' if dry_run else 'is'} {row.status}: {row.status_cause}"
    speaking.say({**speaking.plain(row), "done": not dry_run}, as_json, sentence=sentence)


def import_folder(
    path: Annotated[Path, typer.Argument(help="A folder of messages, at any depth, or an mbox file.")],
    address: Address,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Take a folder or an mbox file in; again after an interruption it goes on where it stood."""
    if not path.exists():
        raise WrongUse(f"path: {path} does not exist")
    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        if dry_run:
            counts = _look(standing, path.resolve(), address)
        else:
            from jobs import ingest

            counts = ingest.import_folder(
                standing.house, found.tenant_id, path.resolve(), address=address, progress=_progress(as_json)
            )
    _counted(found.slug, counts, as_json, done=not dry_run)


def sync(tenant: TenantName = None, as_json: Json = False, dry_run: DryRun = False) -> None:
    """Ask the tenant's mailboxes now, as the five-minute poll does."""
    from domain import mailboxes

    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        with visiting.inside(standing, found) as tx:
            due = [row.address for row in mailboxes.due(tx)]
        counts: Counter[str] = Counter()
        if not dry_run:
            from jobs import ingest

            counts = ingest.run(standing.house, found.tenant_id, progress=_progress(as_json))
        with visiting.inside(standing, found) as tx:
            asked = {row.id for row in mailboxes.due(tx)}
            silent = [row for row in mailboxes.listed(tx) if row.id not in asked]
    if dry_run:
        told = {"tenant": found.slug, "mailboxes": due, "done": False}
        speaking.say(told, as_json, sentence=f"{found.slug}: would ask {', '.join(due) or 'no mailbox'}")
        return
    for row in silent:
        until = f" until {row.back_off_until:%H:%M} UTC" if row.back_off_until else ""
        speaking.note(f"{row.address} is not asked{until}: {row.status}, {row.status_cause or 'it rests'}")
    _counted(found.slug, counts, as_json, done=True, not_asked=[row.address for row in silent])


def set_credential(
    name: Annotated[str, typer.Argument(help="resend_api_key, resend_webhook_secret or smtp_url.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Store a provider's secret, sealed for the tenant: it is read from stdin or asked for."""
    from domain import credentials

    if name not in credentials.NAMES:
        raise credentials.UnknownCredential(f"name: {name!r} is none of {', '.join(credentials.NAMES)}")
    secret = _secret(name)
    if name == "resend_webhook_secret":
        from providers import resend_webhooks

        resend_webhooks.check_secret(secret)
    with visiting.visit(tenant, dry_run=dry_run) as at:
        credentials.put(at.tx, at.vault, name, secret)
    sentence = f"{at.slug}: {name} {'would be' if dry_run else 'is'} stored"
    speaking.say({"tenant": at.slug, "name": name, "done": not dry_run}, as_json, sentence=sentence)


def list_credentials(tenant: TenantName = None, as_json: Json = False) -> None:
    """List what is stored, never what it says."""
    from domain import credentials

    with visiting.visit(tenant) as at:
        rows = [speaking.plain(row) for row in credentials.listed(at.tx)]
    speaking.table(rows, ("name", "key_id", "updated_by", "updated_at"), as_json, empty=f"{at.slug} has stored none")


def remove_credential(
    name: Annotated[str, typer.Argument(help="As `hourhand credential list` shows it.")],
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Forget a provider's secret."""
    from domain import credentials

    with visiting.visit(tenant, dry_run=dry_run) as at:
        removed = credentials.remove(at.tx, name)
    if not removed:
        raise WrongUse(f"name: {at.slug} has no {name}")
    sentence = f"{at.slug}: {name} {'would be' if dry_run else 'is'} forgotten"
    speaking.say({"tenant": at.slug, "name": name, "done": not dry_run}, as_json, sentence=sentence)


def _secret(what: str) -> str:
    """From a pipe or a prompt, never from an argument: those are seen by everybody on the machine."""
    told = typer.prompt(what, hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    if not str(told).strip():
        raise WrongUse(f"{what}: give it on stdin")
    return str(told).strip()


def _look(standing: Standing, path: Path, address: str) -> Counter[str]:
    """Read everything, store nothing."""
    from brain import reading
    from providers.folder import FolderMailbox

    counts: Counter[str] = Counter()
    for page in FolderMailbox(path, address=address, clock=standing.house.clock).changes(None):
        counts["messages"] += len(page.messages)
        counts["broken"] += len(page.broken)
        counts.update(reading.read(message.raw).cls for message in page.messages)
    return counts


def _progress(as_json: bool) -> Any:
    if as_json or not sys.stderr.isatty():
        return None
    return lambda counts: typer.echo(f"\r{counts['messages']} messages", err=True, nl=False)


def _counted(
    slug: str, counts: Counter[str], as_json: bool, *, done: bool, not_asked: Sequence[str] | None = None
) -> None:  # fmt: skip
    told = {name: count for name, count in sorted(counts.items()) if count}
    nothing = f"nothing new, but {', '.join(not_asked)} can't be asked" if not_asked else "nothing new"
    sentence = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in told.items()) or nothing
    sentence = f"{slug}: {'' if done else 'would take in '}{sentence}"
    answer = {"tenant": slug, "counts": told, "done": done}
    speaking.say(answer if not_asked is None else {**answer, "not_asked": not_asked}, as_json, sentence=sentence)
