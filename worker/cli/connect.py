"""`hourhand gmail connect`: a person consents in a browser, and Google's answer comes back to this machine."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli import speaking, visiting
from worker.cli.speaking import DryRun, Json, TenantName, WrongUse

if TYPE_CHECKING:
    from domain.consents import Begun

LONGEST_WAIT_SECONDS = 600


def connect(
    address: Annotated[str, typer.Option("--address", help="The mailbox's own address.")],
    tenant: TenantName = None,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the page in this machine's browser.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where to listen on 127.0.0.1; 0 takes a free one.")] = 0,
    seconds: Annotated[int, typer.Option(min=1, max=LONGEST_WAIT_SECONDS, help="How long to wait.")] = 300,
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Connect a Gmail mailbox, or rotate its grant, by the owner's consent at Google in a browser."""
    import webbrowser

    from jobs import connect as consent
    from worker import loopback

    with visiting.house() as standing, loopback.listening(port) as back:
        found = visiting.tenant_of(standing, tenant)
        with visiting.inside(standing, found, dry_run=dry_run) as tx:
            begun, url = consent.begin(standing.house, tx, address, redirect_uri=back.url)
        if dry_run:
            row = begun.mailbox
            told = f"{found.slug}: would ask for the right to read {row.address}, and wait {seconds} s"
        else:
            back.expect(begun.state)
            _tell(begun, url, as_json)
            if open_browser and not webbrowser.open(url):
                speaking.note("No browser could be opened here.")
            answer = back.wait(seconds)
            if answer is None:
                raise WrongUse(f"nobody consented within {seconds} seconds: run the command again")
            row = consent.complete(standing.house, **answer).mailbox
            told = f"{found.slug}: {row.address} is {row.status}"
    speaking.say({**speaking.plain(row), "done": not dry_run}, as_json, sentence=told)


def _tell(begun: Begun, url: str, as_json: bool) -> None:
    """Where to consent, on stderr and at once: the answer on stdout comes only when somebody has."""
    if as_json:
        told = {"authorization_url": url, "expires_at": begun.expires_at.isoformat()}
        speaking.note(json.dumps(told))
    else:
        speaking.note(f"Consent in a browser, as {begun.mailbox.address}, here:\n{url}")
