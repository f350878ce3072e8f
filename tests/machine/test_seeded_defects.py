"""The machine bites: houses with a seeded defect, each of which it must catch within a bounded number of steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RULE_MARKER, rule, run_state_machine_as_test

from domain import settings as tenant_settings
from domain import switches
from domain.db import Tx
from domain.ports import Accepted, OutboundMail
from domain.switches import Switch
from providers.resend import ResendSender
from tests import gears
from tests.machine import deeds
from tests.machine.book import Tenant
from tests.machine.machine import NTH, TENANTS, Machine, Violated
from tests.machine.stage import Stage, open_stage

TRIES, EXAMPLES, STEPS_EACH = 9, 9, 25
"""Within so many steps each defect must show: 2,025 at most. Hypothesis begins with the simplest there is, and of ten
examples and more it spends the first ones near to that."""


@pytest.fixture(scope="module")
def stage(cluster: gears.Cluster) -> Iterator[Stage]:
    with open_stage(cluster) as opened:
        yield opened


class Spoilt(Machine):
    """A machine over a house that somebody tampers with behind its book's back, after each step, in every tenant."""

    def spoil(self) -> None:
        self.touched.update(self.world.tenants)
        for tenant in self.world.tenants.values():
            with self.world.database.tenant(tenant.id, actor="nobody") as tx:
                self.tamper(tx, tenant)

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        """The defect."""


class SwitchThatDoesNotHold(Spoilt):
    """A stop that returns, while its flag is written nowhere that a send looks."""

    @rule(name=TENANTS)
    def mail_is_stopped(self, name: str) -> None:
        deeds.stop(self, name, ("mail", ""))

    def spoil(self) -> None:
        self.touched.update(self.world.tenants)
        for tenant in self.world.tenants.values():
            for level, name in tenant.closed:
                where = Switch(tenant.id, level, name)  # type: ignore[arg-type]
                switches.write(self.world.database, where, stopped=False, by="nobody", reason="seeded")


class ForgottenSuppressions(Spoilt):
    """Opt-outs, bounces and complaints are taken in, and forgotten."""

    @rule(name=TENANTS, who=NTH)
    def a_person_puts_an_address_down(self, name: str, who: int) -> None:
        deeds.opt_out(self, self.tenant(name), who, "manual")

    def spoil(self) -> None:
        # the house's own role may not even do this
        with psycopg.connect(self.stage.clone.admin_url, autocommit=True) as connection:
            connection.execute("DELETE FROM hourhand.suppressions")


class CapsThatMeanNothing(Spoilt):
    """Whatever cap is set, another one is in force."""

    @rule(name=TENANTS)
    def the_hour_is_capped(self, name: str) -> None:
        deeds.change_cap(self, self.tenant(name), "hour", 0)

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        if tenant_settings.readable(tx).max_emails_per_hour < 1000:
            tenant_settings.change(tx, {"max_emails_per_hour": 1000})


class GapThatMeansNothing(Spoilt):
    """The minimum gap is switched off."""

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        if tenant_settings.readable(tx).minimum_gap_hours:
            tenant_settings.change(tx, {"minimum_gap_hours": 0, "conversation_gap_hours": 0})


class ModeThatMeansNothing(Spoilt):
    """Whatever mode is set, the tenant is live."""

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        if tenant_settings.readable(tx).send_mode != "live":
            tenant_settings.change(tx, {"send_mode": "live"})


class NobodyIsAsked(Spoilt):
    """What a person wants to approve is approved already."""

    @rule(name=TENANTS, kind=st.sampled_from(["send_email", "request_feedback"]))
    def a_person_wants_to_see_it_first(self, name: str, kind: str) -> None:
        deeds.autonomy(self, self.tenant(name), kind, "approve")

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        if tenant_settings.readable(tx).autonomy:
            tenant_settings.change(tx, {"autonomy": {}})


class LedgerWithAHole(Spoilt):
    """An obligation is struck off."""

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        tx.run("""DELETE FROM run_obligations WHERE tenant_id = :t AND subject_id = (
                      SELECT min(subject_id) FROM run_obligations WHERE tenant_id = :t)""", t=tenant.id)  # fmt: skip


class MoveWithoutAnEvent(Spoilt):
    """A card is put aside by a hand that leaves no trace."""

    def tamper(self, tx: Tx, tenant: Tenant) -> None:
        tx.run("""UPDATE kanban_cards SET state = 'cancelled', reason = 'seeded', rule = 'seeded'
                  WHERE tenant_id = :t AND state = 'deferred'""", t=tenant.id)  # fmt: skip


class NoisyNeighbour(Machine):
    """What happens to acme leaves its mark on globex."""

    def spoil(self) -> None:
        if self.touched == {"acme"}:
            with self.world.database.tenant(self.world.tenants["globex"].id, actor="nobody") as tx:
                tenant_settings.change(tx, {"language": "es"})


class PostedTwice(ResendSender):
    """A sender that makes sure, and posts each mail again under another key."""

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        super().send(mail, deadline_seconds=deadline_seconds)
        again = replace(mail, idempotency_key=f"{mail.idempotency_key}-again")
        return super().send(again, deadline_seconds=deadline_seconds)


class NewKeyEachTry(ResendSender):
    """A sender that makes up another key for every further try."""

    tries = 0

    def send(self, mail: OutboundMail, *, deadline_seconds: float = 10.0) -> Accepted:
        self.tries += 1
        key = f"{mail.idempotency_key}-{self.tries}"
        return super().send(replace(mail, idempotency_key=key), deadline_seconds=deadline_seconds)


SOON = {"SwitchThatDoesNotHold": 3, "ForgottenSuppressions": 6, "CapsThatMeanNothing": 3, "GapThatMeansNothing": 2,
        "NobodyIsAsked": 6, "MoveWithoutAnEvent": 2}  # fmt: skip
"""The first try's seed, from which a defect shows soon; once the house has changed it may take more steps and tries."""

WORKED = ("something_new_is_worked_at_once", "a_day_is_worked", "people_change")

DEFECTS: list[tuple[type[Machine], str, tuple[str, ...]]] = [
    (SwitchThatDoesNotHold, "sent after a stop", ("mail_is_stopped",)),
    (ForgottenSuppressions, "sent after the address was refused", ("a_person_puts_an_address_down",)),
    (CapsThatMeanNothing, "over the cap of the hour", ("the_hour_is_capped",)),
    (GapThatMeansNothing, "a second mail within the gap", ("time_passes",)),
    (ModeThatMeansNothing, "sent in a dry run|internal_only reached somebody outside", ("the_mode_changes",)),
    (NobodyIsAsked, "sent without an approval", ("a_person_wants_to_see_it_first",)),
    (LedgerWithAHole, "ledger of an hour does not add up", ()),
    (MoveWithoutAnEvent, "its events say", ("an_hour_is_worked_later",)),
    (NoisyNeighbour, "changed by what happened to its neighbour", ()),
]
"""Each with what the machine must say of it, and the rules that it takes beside work itself."""


@pytest.mark.parametrize(("defect", "said", "rules"), DEFECTS, ids=[each[0].__name__ for each in DEFECTS])
def test_a_house_with_a_defect_is_caught(
    stage: Stage, defect: type[Machine], said: str, rules: tuple[str, ...], figures: Callable[..., None]
) -> None:
    caught(stage, defect, said, rules, figures)


@pytest.mark.parametrize("sender", [PostedTwice, NewKeyEachTry])
def test_a_sender_with_a_defect_is_caught(
    stage: Stage, sender: type[ResendSender], figures: Callable[..., None]
) -> None:
    honest, stage.sender = stage.sender, sender
    try:
        caught(stage, Machine, "one card, two keys|sent without its record", ("the_weather_turns",), figures)
    finally:
        stage.sender = honest


def caught(
    stage: Stage, machine: type[Machine], said: str, rules: tuple[str, ...], figures: Callable[..., None]
) -> None:
    """Run the machine until it raises, with few of its rules so that it is soon; fail when it does not."""
    defect = machine.__name__ if stage.sender is ResendSender else stage.sender.__name__
    others = {name: None for name in rule_names(machine) if name not in (*WORKED, *rules)}
    before = stage.counts["steps"]
    with pytest.raises(Violated, match=said):
        walk(type(machine.__name__, (machine,), {"stage": stage, **others}), SOON.get(defect, 1))
    figures("machine's controls", defect=defect, caught_within_steps=stage.counts["steps"] - before)


def walk(machine: type[Machine], first: int) -> None:
    """Go through the machine's rules, try after try, each by a seed of its own."""
    for number in range(first, first + TRIES):
        run_state_machine_as_test(
            seed(number)(machine),
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS_EACH, suppress_health_check=list(HealthCheck),
                phases=(Phase.generate,), report_multiple_bugs=False,
            ),
        )  # fmt: skip


def rule_names(machine: type[Machine]) -> list[str]:
    """Everything that may happen in a machine."""
    marked = [name for name in dir(machine) if hasattr(getattr(machine, name), RULE_MARKER)]
    assert set(WORKED) <= set(marked)
    return marked
