"""The house: the small typed bundle of everything a job may use, built once and handed down."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from uuid import UUID

from domain.clock import Clock
from domain.db import Database, Tx
from domain.gate import Gate
from domain.locks import TenantLocks
from domain.models import Models
from domain.ports import AuthorizationServer, HookPoster, LogIn, Mailbox, MailSender
from domain.settings import Mode
from domain.vault import Vault


class Leaving(Exception):
    """This process is ending: what is not done stays as it is, for the next process to take up."""


class Hands(Protocol):
    """Where the ways out and in come from; the executor alone lends a sender, for one card."""

    def sender(self, tx: Tx, name: str) -> MailSender:
        """The tenant's own sender, with its own credentials. Raises NeverWill when it has none."""
        ...

    def mailbox(self, tx: Tx, mailbox_id: UUID) -> Mailbox:
        """One of the tenant's mailboxes. Raises NeverWill when it is not configured."""
        ...


@dataclass(frozen=True, slots=True)
class Outlook:
    """Who watches the whole house from outside: a webhook for its alerts, an address to ping while all is well."""

    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    alive_url: str = ""


class Fault(Protocol):
    """A hook at every step boundary; does nothing in production, kills in the laboratory."""

    def __call__(self, step: str) -> None:
        """Pass the boundary named `step`, or raise."""
        ...


@dataclass(frozen=True, slots=True)
class LocalBrakes:
    """The brakes that work without the database: environment at start, and a flag file polled per host."""

    kill_switch: bool = False
    kill_reason: str = ""
    mail_disabled: bool = False
    send_mode: Mode = Mode.live
    flag_file: Path | None = None

    def stopped(self) -> str | None:
        """Why this host must do nothing at all, or None."""
        if self.kill_switch:
            return f"AGENT_KILL_SWITCH is set{': ' + self.kill_reason if self.kill_reason else ''}"
        if self.flag_file is not None and self.flag_file.exists():
            return f"the flag file {self.flag_file.name} is present"
        return None

    def mail_stopped(self) -> str | None:
        """Why this host must not send mail, or None."""
        return self.stopped() or ("EMAIL_SEND_DISABLED is set" if self.mail_disabled else None)


def no_fault(step: str) -> None:
    """The production hook: passes."""


@dataclass(frozen=True, slots=True)
class House:
    """Everything a job may use."""

    clock: Clock
    database: Database
    gate: Gate
    locks: TenantLocks
    hands: Hands
    vault: Vault
    brakes: LocalBrakes
    public_url: str
    """Where our own pages answer (unsubscribe), without a trailing slash."""
    holder: str
    """This process's name in locks and cards: host, pid and start."""
    google: AuthorizationServer | None = None
    """Where people consent to have their Gmail read."""
    imap: LogIn | None = None
    """How the password of an IMAP mailbox is tried; without it, one is only kept untried."""
    models: Models | None = None
    """Where language models come from; without any, rules and templates do all the work."""
    hooks: HookPoster | None = None
    """How notices reach webhooks; without it they reach none."""
    outlook: Outlook = Outlook()
    """Where the house's own watchers are."""
    fault: Fault = no_fault
    provider_deadline_seconds: float = 10.0
    lease_seconds: float = 15.0
    stalled_seconds: float = 30.0
    """Silence after which a worker counts as dead and its jobs are taken over."""
    leaving: threading.Event = field(default_factory=threading.Event)
    """Set when this process is to end: between two pieces of work, whoever sees it raises Leaving."""
