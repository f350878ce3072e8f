"""Compliance from the command line: a schedule by name, its checks made and looked at, and let be for a reason."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from domain import contacts
from domain.db import Database
from tests import build
from tests.worker.line import Line, Spoken


def test_a_schedule_is_added_its_check_made_waived_and_counted(database: Database, hh: Line) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = UUID(hh("tenant", "show")["tenant_id"])
    with database.tenant(acme) as tx:
        build.contact(tx, build.client(tx, country="PT"))
        day = (tx.now + timedelta(days=5)).date().isoformat()
    new = ("compliance", "add", "Phones", "--every", "monthly", "--of", "contact", "--first", day, "--require", "phone",
           "--where", "country=PT,ES", "--where", "has_orders=false")  # fmt: skip
    assert hh(*new, "--dry-run")["done"] is False
    assert hh("compliance", "schedules") == []
    assert hh(*new)["filter"] == {"country": ["ES", "PT"], "has_orders": False}
    assert hh("compliance", "generate", "Phones", "--dry-run")["checks"] == 1
    assert hh("compliance", "generate", "Phones")["checks"] == 1
    [check] = hh("compliance", "checks", "--schedule", "Phones", "--state", "pending")
    assert hh("compliance", "validate", check["id"])["missing"] == ["phone"]
    assert hh("compliance", "remind", check["id"])["remind_at"]
    assert hh("compliance", "waive", check["id"], "--reason", "he has none")["state"] == "waived"
    assert hh("compliance", "reopen", check["id"], "--reason", "he bought one")["state"] == "pending"
    assert hh("compliance", "show", check["id"])["required"] == ["phone"]
    assert [row["due"] for row in hh("compliance", "stats")] == [1, 1]
    tried = hh("compliance", "change", "Phones", "--off", "--name", "Telephones", "--dry-run")
    assert (tried["withdrawn"], tried["done"], hh("compliance", "show", check["id"])["state"]) == (1, False, "pending")
    off = hh("compliance", "change", "Phones", "--off", "--name", "Telephones")
    assert (off["active"], off["withdrawn"]) == (False, 1)
    on = hh("compliance", "change", "Telephones", "--on", "--require", "title", "--where", "country=PT")
    assert (on["reopened"], on["required_fields"], on["filter"]) == (1, ["title"], {"country": ["PT"]})
    with database.tenant(acme) as tx:
        contacts.upsert(tx, build.VAULT, contact_id=UUID(check["contact_id"]), title="Clerk")
        late = build.check(tx, UUID(check["client_id"]), due_days=-1, required=("language",))
    assert hh("compliance", "complete", check["id"])["state"] == "completed"
    assert late.escalate_at is not None
    assert hh("compliance", "escalate", str(late.id))["escalate_at"] < late.escalate_at.isoformat()
    with pytest.raises(Spoken, match="completed"):
        hh("compliance", "escalate", check["id"])
