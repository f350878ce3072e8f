"""Small records: users, tasks, cases, credentials, alerts, counts, repeated requests and what is thrown away."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from domain import addresses, alerts, cases, clients, credentials, idempotency, retention, rollup, tasks, users
from domain.db import Database
from domain.vault import SecretUnreadable, Vault
from tests import build
from tests.build import VAULT
from tests.hand_clock import HandClock

ASKED = {"message_id": "m-1", "quote": "Can you call me Thursday?"}


@pytest.fixture
def acme(clone: Database) -> UUID:
    """The tenant that these tests work in."""
    return build.acme(clone)


def test_the_same_client_is_recognised_by_id_domain_or_name(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        first = clients.upsert(tx, name="Initech", external_id="a-1", domain="www.Initech.example")
        assert clients.upsert(tx, external_id="a-1").id == first.id
        assert clients.upsert(tx, domain="initech.example", country="spain").changed == ("country",)
        assert clients.upsert(tx, name="Initech").id == first.id
        assert clients.upsert(tx, name="Initech", annual_value=1200).changed == ("annual_value",)
        assert clients.upsert(tx, name="Initech", annual_value=1200).changed == ()
        assert len(clients.listed(tx)) == 1


def test_people_with_free_mail_are_not_one_company(clone: Database, acme: UUID) -> None:
    assert addresses.company_domain("ana@gmail.com") is None
    with clone.tenant(acme) as tx:
        one = clients.upsert(tx, name="One", domain="gmail.com")
        other = clients.upsert(tx, name="Other", external_id="x", domain="gmail.com")
        assert one.id != other.id


@pytest.mark.parametrize(
    ("field", "value"), [("domain", "no domain"), ("country", "XX"), ("relationship", "friend"), ("status", "asleep")]
)
def test_a_wrong_field_of_a_client_is_named(clone: Database, acme: UUID, field: str, value: str) -> None:
    given: dict[str, Any] = {"name": "Initech", field: value}
    with clone.tenant(acme) as tx, pytest.raises(clients.InvalidClient, match=f"^{field}: "):
        clients.upsert(tx, **given)


def test_two_at_once_make_one_client_and_one_contact(clone: Database, acme: UUID) -> None:
    made, start = [], threading.Barrier(4)

    def make() -> None:
        start.wait()
        with clone.tenant(acme) as tx:
            made.append((build.client(tx), build.contact(tx)))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1


def test_a_user_is_told_things_only_once_verified(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        boss = users.add(tx, email="Boss@Acme.example", name="Boss", role="manager")
        assert users.listed(tx, verified=True) == []
        assert users.verify(tx, boss.id).verified_at == tx.now
        assert [each.email for each in users.listed(tx, roles=["manager"], verified=True)] == ["boss@acme.example"]
        assert users.add(tx, email="boss@acme.example", name="Boss", role="admin").id == boss.id
        with pytest.raises(users.InvalidUser):
            users.add(tx, email="x@acme.example", name="X", role="king")  # type: ignore[arg-type]
        with pytest.raises(users.UnknownUser):
            users.verify(tx, UUID(int=1))


def test_a_task_shows_who_asked_for_it(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        made = tasks.create(tx, title="Call Bill", basis="client_request", evidence=ASKED)
        assert tasks.listed(tx) == [made]
        assert tasks.finish(tx, made.id).state == "done"
        with pytest.raises(tasks.UnknownTask):
            tasks.finish(tx, made.id)


@pytest.mark.parametrize(
    ("basis", "evidence"),
    [
        ("client_request", {}),
        ("client_request", {"message_id": "m-1", "quote": "  "}),
        ("compliance_deadline", {"message_id": "m-1"}),
        ("safety_escalation", {**ASKED, "trigger": "a feeling"}),
        ("because", ASKED),
    ],
)
def test_a_task_without_its_evidence_is_refused(clone: Database, acme: UUID, basis: Any, evidence: Any) -> None:
    with clone.tenant(acme) as tx, pytest.raises(tasks.InvalidTask):
        tasks.create(tx, title="Call Bill", basis=basis, evidence=evidence)


def test_a_case_opens_with_evidence_and_closes_with_an_outcome(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        client = build.client(tx)
        with pytest.raises(cases.InvalidCase):
            cases.open(tx, kind="complaint", title="Late", evidence={})
        made = cases.open(tx, kind="complaint", title="Late", evidence={"message_id": "m"}, client_id=client)
        assert cases.open_for(tx, [client]) == {client: [made]}
        assert cases.close(tx, made.id, outcome="refunded").evidence["outcome"] == "refunded"
        assert cases.open_for(tx, [client]) == {}
        with pytest.raises(cases.UnknownCase):
            cases.close(tx, made.id, outcome="again")


def test_a_secret_is_stored_sealed_and_listed_without_its_value(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        credentials.put(tx, VAULT, "resend_api_key", "a secret")
        credentials.put(tx, VAULT, "resend_api_key", "a better secret")
        assert credentials.get(tx, VAULT, "resend_api_key") == "a better secret"
        assert b"secret" not in bytes(tx.value("SELECT ciphertext FROM tenant_credentials"))
        assert [each.name for each in credentials.listed(tx)] == ["resend_api_key"]
        assert credentials.remove(tx, "resend_api_key")
        with pytest.raises(credentials.NoCredential):
            credentials.get(tx, VAULT, "resend_api_key")


def test_a_secret_that_nobody_would_read_is_refused(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx, pytest.raises(credentials.UnknownCredential, match="resend_api_key"):
        credentials.put(tx, VAULT, "resend.api_key", "a secret")


def test_secrets_follow_the_vault_to_its_new_key(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        credentials.put(tx, VAULT, "resend_api_key", "a secret")
        new = Vault({"k2": bytes(32), "k1": bytes(range(32))})
        assert credentials.rotate(tx, new) == 1
        assert credentials.rotate(tx, new) == 0
        assert credentials.get(tx, Vault({"k2": bytes(32)}), "resend_api_key") == "a secret"


def test_a_secret_copied_to_another_tenants_row_does_not_open(clone: Database, acme: UUID) -> None:
    globex = build.globex(clone)
    with clone.tenant(acme) as tx:
        credentials.put(tx, VAULT, "resend_api_key", "a secret")
        row = tx.row("SELECT * FROM tenant_credentials")
        assert row is not None
    with clone.tenant(globex) as tx:
        tx.run("INSERT INTO tenant_credentials VALUES (:t, :name, :sealed, :key, 'x', :now)", t=globex,
               name=row["name"], sealed=bytes(row["ciphertext"]), key=row["key_id"], now=tx.now)  # fmt: skip
        with pytest.raises(SecretUnreadable):
            credentials.get(tx, VAULT, "resend_api_key")


def test_an_alert_opens_once_until_it_is_resolved(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        first = alerts.open(tx, "bounce_breaker", "too many bounces", severity="critical", bounces=7)
        assert first is not None
        assert alerts.open(tx, "bounce_breaker", "too many bounces") is None
        assert alerts.acknowledge(tx, first.id, by="root") is not None
        assert alerts.open(tx, "bounce_breaker", "too many bounces") is None
        assert alerts.resolve(tx, "bounce_breaker", by="root") is not None
        assert alerts.resolve(tx, "bounce_breaker", by="root") is None
        assert alerts.open(tx, "bounce_breaker", "too many bounces") is not None
        assert tx.value("SELECT count(*) FROM warehouse_events WHERE type = 'alert.opened'") == 2


def test_counts_add_up_within_the_hour_and_measures_replace(clone: Database, acme: UUID, clock: HandClock) -> None:
    globex = build.globex(clone)
    since = clock.now().replace(minute=0)
    for tenant in (acme, globex):
        with clone.tenant(tenant) as tx:
            rollup.add(tx, emails_sent=2, contacts_clocked=10, contacts_compliant=9)
            rollup.add(tx, emails_sent=1, contacts_clocked=10, contacts_compliant=8)
    clock.advance(hours=1)
    with clone.tenant(acme) as tx:
        rollup.add(tx, emails_sent=5)
        own = rollup.own(tx, since=since, until=clock.now() + timedelta(hours=1))
        assert [row["emails_sent"] for row in own] == [3, 5]
        with pytest.raises(KeyError):
            rollup.add(tx, emails=1)
    total = rollup.totals(clone, since=since, until=clock.now() + timedelta(hours=1))
    assert (total["tenants"], total["emails_sent"], total["contacts_compliant"]) == (2, 11, 16)


def test_a_repeated_request_gets_the_first_answer_and_another_body_a_refusal(clone: Database, acme: UUID) -> None:
    with clone.tenant(acme) as tx:
        assert idempotency.claim(tx, route="POST /v1/clients", key="k", body=b"{}") is None
        idempotency.complete(tx, route="POST /v1/clients", key="k", status=201, body=[{"id": 1}])
    with clone.tenant(acme) as tx:
        first = idempotency.Answer(201, [{"id": 1}])
        assert idempotency.claim(tx, route="POST /v1/clients", key="k", body=b"{}") == first
        with pytest.raises(idempotency.KeyReused):
            idempotency.claim(tx, route="POST /v1/clients", key="k", body=b"{ }")
        assert idempotency.claim(tx, route="POST /v1/contacts", key="k", body=b"{ }") is None


def test_a_request_whose_process_died_is_taken_over(clone: Database, clock: HandClock) -> None:
    with clone.wearing("control") as tx:
        assert idempotency.claim(tx, route="POST /v1/stop", key="k", body=b"", house=True) is None
    with clone.wearing("control") as tx, pytest.raises(idempotency.StillRunning):
        idempotency.claim(tx, route="POST /v1/stop", key="k", body=b"", house=True)
    clock.advance(seconds=idempotency.ABANDONED_SECONDS)
    with clone.wearing("control") as tx:
        assert idempotency.claim(tx, route="POST /v1/stop", key="k", body=b"", house=True) is None
        idempotency.release(tx, route="POST /v1/stop", key="k", house=True)
        assert idempotency.claim(tx, route="POST /v1/stop", key="k", body=b"", house=True) is None


def test_only_what_is_of_no_use_any_more_is_thrown_away(clone: Database, acme: UUID, clock: HandClock) -> None:
    with clone.tenant(acme) as tx:
        idempotency.claim(tx, route="r", key="k", body=b"")
        tx.run("INSERT INTO agent_rate_limits VALUES (:t, 'mail', :now, 3)", t=acme, now=tx.now)
        tx.run("INSERT INTO agent_tenant_locks VALUES (:t, 'h', 1, :now, :now, :now)", t=acme, now=tx.now)
        assert retention.sweep(tx) == {}
    clock.advance(hours=25)
    with clone.tenant(acme) as tx:
        assert retention.sweep(tx) == {"idempotent_requests": 1, "agent_tenant_locks": 1}
    clock.advance(hours=24)
    with clone.tenant(acme) as tx:
        assert retention.sweep(tx) == {"agent_rate_limits": 1}
