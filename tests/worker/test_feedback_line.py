"""Feedback from the command line: orders by their names, answers as somebody told them, and figures."""

from __future__ import annotations

from uuid import UUID

from domain import orders
from domain.db import Database
from tests import build
from tests.worker.line import Line


def test_an_answer_by_telephone_is_recorded_and_counted(database: Database, hh: Line) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    acme = UUID(hh("tenant", "show")["tenant_id"])
    with database.tenant(acme) as tx:
        person = build.contact(tx, account := build.client(tx))
        orders.put(tx, external_id="PO-1", client_id=account, contact_id=person, status="delivered", fee="1",
                   total_amount="1")  # fmt: skip
    assert hh("feedback", "due") == []
    assert hh("feedback", "ask", "PO-1", "--dry-run")["done"] is False
    assert hh("feedback", "skip", "PO-1", "--reason", "they are friends")["state"] == "skipped"
    assert hh("feedback", "ask", "PO-1")["state"] == "queued"
    assert len(hh("feedback", "due")) == 1
    told = ("feedback", "record", "PO-1", "--by", "Bill", "--rating", "2", "--comment", "It broke")
    assert hh(*told, "--dry-run")["done"] is False
    assert hh(*told)["sentiment"] == "negative"
    assert [each["comment"] for each in hh("feedback", "show", "PO-1")["answers"]] == ["It broke"]
    assert len(hh("feedback", "recoveries")) == len(hh("feedback", "list", "--sentiment", "negative")) == 1
    assert hh("feedback", "stats")["now"]["score"] == 2
