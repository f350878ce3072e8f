"""Whether a tenant is ready to send: what it still lacks, and the exact mend for each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from domain import credentials
from domain.db import Tx
from domain.settings import Mode, TenantSettings
from domain.vault import SecretUnreadable
from worker.assembly import Standing
from worker.settings import LOOPBACK

Verdict = Literal["ok", "note", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, and what to do about it."""

    name: str
    verdict: Verdict
    told: str
    mend: str = ""


def missing(standing: Standing, tx: Tx, told: TenantSettings) -> list[str]:
    """What a tenant still lacks before its mail can go out: keys and settings, in a few words each."""
    return [f"{check.name}: {check.told}" for look in LOOKS for check in look(standing, tx, told) if check.mend]


def _identity(standing: Standing, _tx: Tx, told: TenantSettings) -> Iterator[Check]:
    missing = [name for name in ("sender_address", "sender_name", "postal_address") if not getattr(told, name)]
    sends = told.mode is not Mode.dry_run
    if missing:
        yield Check("identity", "failed" if sends else "warning", f"{', '.join(missing)} not set",
                    f"`hourhand tenant set {' '.join(f'{name}=<{name}>' for name in missing)}`")  # fmt: skip
    address = standing.house.public_url
    if sends and any(name in address for name in LOOPBACK):
        cause = f"they point to {address}, which nobody else reaches"
        yield Check("unsubscribe links", "failed", cause, "set HOURHAND_PUBLIC_URL")
    yield Check("send mode", "ok", told.send_mode)


def _provider(standing: Standing, tx: Tx, told: TenantSettings) -> Iterator[Check]:
    name, default = {
        "resend": ("resend_api_key", standing.settings.resend_api_key),
        "smtp": ("smtp_url", standing.settings.smtp_url),
    }[told.provider]
    missing: Verdict = "failed" if told.mode is not Mode.dry_run else "note"
    try:
        credentials.get(tx, standing.house.vault, name)
        yield Check("mail out", "ok", f"{told.provider}, with its own credential")
    except credentials.NoCredential:
        if default is not None:
            yield Check("mail out", "ok", f"{told.provider}, with the house's credential")
        else:
            yield Check("mail out", missing, f"{name} is not stored", f"`hourhand credential set {name}`")
    except SecretUnreadable as error:
        yield Check(
            "mail out", "failed", str(error), "restore the master key that sealed it, or store the secret again"
        )


LOOKS = (_identity, _provider)
"""What is looked at, in order; each yields its checks."""
