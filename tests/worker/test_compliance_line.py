"""Compliance from the command line: a schedule by name, its checks made and looked at, and let be for a reason."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from domain.db import Database
from tests import build
from tests.worker.line import Line


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
    assert hh("compliance", "change", "Phones", "--off", "--name", "Telephones")["active"] is False
