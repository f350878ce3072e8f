"""One-click unsubscribe (RFC 8058): asking changes nothing, a POST acts at once, and only our own links count."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from starlette.testclient import TestClient

from admin_api import app as admin_app
from domain import contacts, suppressions
from domain.vault import Vault
from tests import build
from tests.admin_api.desk import Desk, assert_problem


@pytest.fixture
def bill(desk: Desk) -> UUID:
    """A contact of acme's with an alias."""
    with desk.inside() as tx:
        contact = build.contact(tx)
        contacts.add_address(tx, desk.house.vault, contact, "william@initech.example", source="person")
    return contact


def link(desk: Desk, contact: UUID, tenant: str = "acme") -> str:
    told = desk.tenants[tenant]
    return f"/u/{told}/{contact}/{desk.house.vault.sign('unsubscribe', f'{told}:{contact}')}"


def suppressed(desk: Desk) -> dict[str | None, str]:
    with desk.inside() as tx:
        return {each.address: each.reason for each in suppressions.listed(tx)}


def events(desk: Desk) -> Any:
    with desk.inside() as tx:
        return tx.value("SELECT count(*) FROM warehouse_events")


def test_a_get_asks_and_changes_nothing(desk: Desk, bill: UUID) -> None:
    before = events(desk)
    answer = desk.client.get(link(desk, bill))
    assert answer.status_code == 200
    assert '<form method="post">' in answer.text
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; form-action 'self'")
    assert (suppressed(desk), events(desk)) == ({}, before)
    assert desk.client.head(link(desk, bill)).status_code == 405


def test_a_post_opts_the_person_out_at_every_address_without_a_login(desk: Desk, bill: UUID) -> None:
    for _ in range(2):  # mail clients repeat
        answer = desk.client.post(link(desk, bill), data={"List-Unsubscribe": "One-Click"})
        assert (answer.status_code, "<form" in answer.text) == (200, False)
    assert suppressed(desk) == {"bill@initech.example": "opted_out", "william@initech.example": "opted_out"}
    assert desk.get(f"/v1/contacts/{bill}/clock")["standing"] == "exempt"


@pytest.mark.parametrize("kind", ["form", "multipart", "nothing", "json"])
def test_the_form_of_the_post_does_not_matter(desk: Desk, bill: UUID, kind: str) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "form": {"data": {"List-Unsubscribe": "One-Click"}},
        "multipart": {"files": {"List-Unsubscribe": (None, "One-Click")}},
        "nothing": {},
        "json": {"json": {"any": "thing"}},
    }
    assert desk.client.post(link(desk, bill), **bodies[kind]).status_code == 200
    assert set(suppressed(desk).values()) == {"opted_out"}


def test_a_link_outlives_the_rotation_of_the_master_key(desk: Desk, bill: UUID) -> None:
    old = link(desk, bill)
    rotated = replace(desk.house, vault=Vault({"new": bytes(reversed(range(32))), "test": bytes(range(32))}))
    client = TestClient(admin_app.create(rotated), raise_server_exceptions=False)
    assert client.post(old).status_code == 200
    assert "bill@initech.example" in suppressed(desk)
    assert link(desk, bill) == old
    lost = replace(desk.house, vault=Vault({"other": bytes(32)}))
    assert_problem(TestClient(admin_app.create(lost), raise_server_exceptions=False).post(old), 404)


def test_only_our_own_links_count(desk: Desk, bill: UUID) -> None:
    path = link(desk, bill)
    start, _, signature = path.rpartition("/")
    other = start.replace(str(bill), str(UUID(int=7)))
    elsewhere = start.replace(str(desk.tenants["acme"]), str(desk.tenants["globex"]))
    for forged in (f"{start}/x", f"{other}/{signature}", f"{elsewhere}/{signature}", f"{start}/{signature[:-1]}",
                   f"{start}/{'é' * 10}"):  # fmt: skip
        assert_problem(desk.client.get(forged), 404)
        assert_problem(desk.client.post(forged), 404)
    assert suppressed(desk) == {}


def test_the_page_speaks_the_persons_language(desk: Desk) -> None:
    with desk.inside() as tx:
        ana = build.contact(tx, email="ana@initech.example", language="es")
        rui = build.contact(tx, email="rui@initech.example", language="pt")
        kim = build.contact(tx, email="kim@initech.example", language="ko")
    assert "Darme de baja" in desk.client.get(link(desk, ana)).text
    assert 'lang="pt"' in desk.client.get(link(desk, rui)).text
    assert 'lang="en"' in desk.client.get(link(desk, kim)).text
