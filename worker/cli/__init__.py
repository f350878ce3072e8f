"""The command line `hourhand`: each command calls a domain verb or a job, and loads only what it needs."""

from __future__ import annotations

import gc
import os
import sys

import typer

from worker.cli import (
    accounts,
    alerts,
    brain,
    brakes,
    carrying,
    checks,
    compliance,
    contacts,
    database,
    dead_letters,
    deals,
    feedback,
    imports,
    keys,
    mail,
    orders,
    quotes,
    running,
    safekeeping,
    speaking,
    tenants,
    users,
    whatif,
    work,
)

app = typer.Typer(
    name="hourhand",
    help="An autonomous back-office worker: every hour, for every tenant, it plans, acts, reacts and reflects.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help: drawing it with Rich would take longer than everything else
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (
    running, work, tenants, users, mail, accounts, contacts, orders, quotes, deals, feedback, compliance, imports,
    carrying, safekeeping, brakes, alerts, whatif, keys, checks, brain, dead_letters, database,
):  # fmt: skip
    room.register(app)


def main(arguments: list[str] | None = None) -> None:
    """Run one command: exit code 0, 2 for what a person can mend, 1 for what we did not foresee."""
    # what imports make stays for good: looking through it for garbage takes a quarter of a short command's time
    gc.disable()
    # there is none of ours, and pydantic would read the description of every installed package to find that out
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    sys.exit(speaking.run(app, sys.argv[1:] if arguments is None else arguments))
