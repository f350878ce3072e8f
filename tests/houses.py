"""A whole house for tests: the real ports and SDKs, wired to emulators on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from uuid import UUID

from domain.clock import Clock
from domain.db import Database, Tx
from domain.gate import Gate
from domain.house import Fault, House, LocalBrakes, no_fault
from domain.locks import TenantLocks
from domain.models import ModelProvider, Models
from domain.ports import LogIn, Mailbox, MailSender, NeverWill
from domain.vault import Vault
from providers.anthropic import AnthropicModels
from providers.resend import ResendSender
from simulator.emulators.resend import ResendEmulator

VAULT = Vault({"test": bytes(range(32))})


@dataclass
class TestHands:
    """Senders and mailboxes as the test lays them out."""

    __test__ = False

    senders: dict[UUID, MailSender] = field(default_factory=dict)
    mailboxes: dict[UUID, Mailbox] = field(default_factory=dict)

    def sender(self, tx: Tx, name: str) -> MailSender:
        if tx.tenant_id not in self.senders:
            raise NeverWill("this tenant has no sender")
        return self.senders[tx.tenant_id]

    def mailbox(self, tx: Tx, mailbox_id: UUID) -> Mailbox:
        if mailbox_id not in self.mailboxes:
            raise NeverWill("this mailbox is not configured")
        return self.mailboxes[mailbox_id]


@dataclass
class TestModels:
    """Claude on the emulator for every tenant, unless another provider is laid out under its name."""

    __test__ = False

    url: str
    order: tuple[str, ...] = ("anthropic/claude-sonnet-5-5",)
    deadline_seconds: float = 5.0
    providers: dict[str, ModelProvider] = field(default_factory=dict)

    def provider(self, tx: Tx, name: str) -> ModelProvider:
        if name == "anthropic":
            return AnthropicModels("sk-ant-test", self.url)
        if name not in self.providers:
            raise NeverWill(f"this tenant has no key for {name}")
        return self.providers[name]


@contextmanager
def house(
    database: Database, *, holder: str = "test-1", hands: TestHands | None = None, brakes: LocalBrakes | None = None,
    fault: Fault = no_fault, models: Models | None = None, imap: LogIn | None = None,
) -> Iterator[House]:  # fmt: skip
    """A house on `database`; its lock and gate connections close with the block."""
    clock: Clock = database.clock
    built = House(
        clock=clock, database=database, gate=Gate(database), locks=TenantLocks(database, holder),
        hands=hands or TestHands(), vault=VAULT, brakes=brakes or LocalBrakes(), public_url="http://127.0.0.1:8321",
        holder=holder, fault=fault, provider_deadline_seconds=2.0, lease_seconds=4.0, models=models, imap=imap,
    )  # fmt: skip
    try:
        yield built
    finally:
        built.locks.close()
        built.gate.close()


def resend_for(hands: TestHands, emulator: ResendEmulator, tenant_id: UUID, key: str) -> None:
    """Give a tenant its own Resend account on the emulator."""
    emulator.account(key)
    hands.senders[tenant_id] = ResendSender(key, emulator.url)


def with_fault(built: House, fault: Fault) -> House:
    """The same house with a hook at its step boundaries."""
    return replace(built, fault=fault)
