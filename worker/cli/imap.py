"""`hourhand mailbox connect-imap`: connect an IMAP mailbox, or give it another password or server."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.imap_accounts import Security


def connect(
    address: Annotated[str, typer.Option("--address", help="The mailbox's own address.")],
    host: Annotated[str, typer.Option("--host", help="The IMAP server.")],
    user: Annotated[str, typer.Option("--user", help="Who logs in; default the address.")] = "",
    port: Annotated[int, typer.Option("--port", help="Default 993 with tls, else 143.")] = 0,
    security: Annotated[str, typer.Option("--security", help="tls, starttls, or plain on this machine alone.")] = "tls",
    untried: Annotated[bool, typer.Option("--untried", help="Keep it without logging in now.")] = False,
    tenant: TenantName = None,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Connect an IMAP mailbox: its password is read from stdin or asked for, tried, and only then kept."""
    from domain import mailboxes
    from domain.imap_accounts import ImapAccount, InvalidAccount
    from jobs import connect as trying

    # from a pipe or a prompt, never from an argument: those are seen by everybody on the machine
    told = typer.prompt("Password", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline()
    try:
        account = ImapAccount(host, user or address, str(told).rstrip("\r\n"), cast("Security", security), port)
    except InvalidAccount as error:
        raise WrongUse(
            f"--{error}" if not str(error).startswith("password") else f"{error}: give it on stdin"
        ) from error
    with visiting.house() as standing:
        found = visiting.tenant_of(standing, tenant)
        if not (untried or dry_run):
            trying.try_password(standing.house, account)
        with visiting.inside(standing, found, dry_run=dry_run) as tx:
            row = mailboxes.configure_imap(tx, standing.house.vault, address, account, untried=untried)
    sentence = f"{found.slug}: {row.address} {'would be' if dry_run else 'is'} {row.status}"
    speaking.say({**speaking.plain(row), "done": not dry_run}, as_json, sentence=sentence)
