"""The house that a command works in, and the tenant whom it is about."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from worker.cli.speaking import WrongUse

if TYPE_CHECKING:
    from domain.db import Tx
    from domain.tenants import Tenant
    from domain.vault import Vault
    from worker.assembly import Standing

ACTOR = "command line"


class _Undone(Exception):
    """Ends a trial transaction."""


@contextlib.contextmanager
def house(*, logs: bool = True) -> Iterator[Standing]:
    """The house for one command: a running server is joined, else one is started for the command.

    Without `logs` none of the modules that the command uses may log: it is spared the import of what they log with.
    """
    from worker import assembly, settings, telemetry

    told = settings.load()
    set_up = telemetry.configure if logs else telemetry.listen
    set_up("debug" if told.log_level == "debug" else "warning")
    with assembly.standing(told) as standing:
        collect_garbage()
        yield standing


@dataclass(frozen=True, slots=True)
class Visit:
    """One transaction with one tenant."""

    standing: Standing
    tenant: Tenant
    tx: Tx

    @property
    def slug(self) -> str:
        """The tenant's."""
        return self.tenant.slug

    @property
    def vault(self) -> Vault:
        """The house's."""
        return self.standing.house.vault


@contextlib.contextmanager
def visit(slug: str | None, *, dry_run: bool = False) -> Iterator[Visit]:
    """The house, and a transaction of the tenant that was named or of the only one. Raises as `tenant_of` does."""
    with house() as standing:
        found = tenant_of(standing, slug)
        with inside(standing, found, dry_run=dry_run) as tx:
            yield Visit(standing, found, tx)


def collect_garbage() -> None:
    """From here on, where `main` has put it off; what was imported until now is never looked through."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@contextlib.contextmanager
def inside(standing: Standing, tenant: Tenant, *, dry_run: bool = False) -> Iterator[Tx]:
    """A transaction of one tenant; with `dry_run` everything is done and then undone."""
    with contextlib.suppress(_Undone), standing.house.database.tenant(tenant.tenant_id, actor=ACTOR) as tx:
        yield tx
        if dry_run:
            raise _Undone


@contextlib.contextmanager
def control(standing: Standing, *, dry_run: bool = False) -> Iterator[Tx]:
    """A transaction of the house's control room; with `dry_run` everything is done and then undone."""
    with contextlib.suppress(_Undone), standing.house.database.wearing("control", actor=ACTOR) as tx:
        yield tx
        if dry_run:
            raise _Undone


def tenant_of(standing: Standing, slug: str | None) -> Tenant:
    """The tenant that was named, or the only one. Raises UnknownTenant, WrongUse."""
    from domain import tenants

    if slug:
        return tenants.by_slug(standing.house.database, slug)
    everybody = tenants.listed(standing.house.database, limit=2)
    if len(everybody) != 1:
        raise WrongUse("--tenant: name the tenant; `hourhand tenant list` shows them" if everybody
                       else "there is no tenant yet: `hourhand tenant add <slug> --name <name>`")  # fmt: skip
    return everybody[0]
