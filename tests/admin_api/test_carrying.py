"""Files in and out by the API: sent in pieces, tried, taken in by the worker, taken back; people forgotten."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import zipfile
from typing import Any

import pytest

from domain import contacts, imports
from domain.traces import ERASED
from jobs import carry, import_file, import_sources
from tests import build
from tests.admin_api.desk import Desk, assert_problem

PEOPLE = ("name,email,company,country\n"
          "Ana,ana@hooli.example,Hooli,US\nBroken,not an address,Hooli,US\nBo,bo@hooli.example,Hooli,US\n")  # fmt: skip


def send(desk: Desk, content: bytes, *, of: int = 1 << 20, who: str = "acme.operator") -> str:
    """Send a file in pieces of so many bytes; the upload's id."""
    upload: str = desk.post("/v1/uploads", {"filename": "people.csv"}, who).json()["id"]
    for number, at in enumerate(range(0, len(content), of), 1):
        answer = put(desk, upload, number, content[at : at + of], who)
        assert answer.status_code == 200, answer.text
    return upload


def put(desk: Desk, upload: str, number: int, content: bytes, who: str = "acme.operator") -> Any:
    """The response to one piece."""
    return desk.ask("PUT", f"/v1/uploads/{upload}/pieces/{number}", who, content=content,
                    headers={"Content-Type": "application/octet-stream"})  # fmt: skip


def work(desk: Desk, *, seconds: float = 60.0) -> int:
    """Do the errands that wait, as the worker would; how many slices there were."""
    slices = 0
    while True:
        with desk.database.wearing("dispatcher") as tx:
            waiting = tx.rows("DELETE FROM queue.procrastinate_jobs WHERE task_name = 'carry' RETURNING args")
        for row in waiting:
            carry.run(desk.house, row["args"]["tenant_id"], seconds=seconds)
            slices += 1
        if not waiting:
            return slices


def test_a_file_is_sent_tried_taken_in_mended_and_taken_back(desk: Desk) -> None:
    upload = send(desk, PEOPLE.encode(), of=40)
    wish = {"upload_id": upload, "kind": "contacts"}
    tried = desk.post("/v1/imports/preview", wish, "acme.operator").json()
    begun = desk.post("/v1/imports", wish, "acme.operator", key="one")
    assert begun.status_code == 202
    path = f"/v1/imports/{begun.json()['id']}"
    assert desk.get(path, "acme.analyst")["state"] == "running"
    assert_problem(put(desk, upload, 9, b"more"), 409)
    assert_problem(desk.ask("DELETE", f"/v1/uploads/{upload}"), 409)
    assert work(desk, seconds=0.0) >= 1
    done = desk.get(path, "acme.analyst")
    counted = ("rows", "created", "changed", "unchanged", "skipped", "bad", "accounts_created")
    assert {name: done[name] for name in counted} == {name: tried[name] for name in counted}
    assert (done["state"], done["created"], done["bad"], done["size"]) == ("done", 2, 1, len(PEOPLE))
    assert tried["put_aside"][0]["line"] == 3
    assert desk.get("/v1/uploads", "acme.operator")["items"] == []
    again = desk.post("/v1/imports", wish, "acme.operator", key="one")
    assert (again.headers["idempotent-replayed"], again.json()["id"]) == ("true", done["id"])

    left_out = desk.ask("GET", f"{path}/errors", "acme.operator")
    assert left_out.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(left_out.text)))
    assert rows[0] == ["name", "email", "company", "country", "Import line", "Import reason"]
    mended = left_out.text.replace("not an address", "carl@hooli.example")
    second = desk.post("/v1/imports", {"upload_id": send(desk, mended.encode()), "kind": "contacts"}).json()
    work(desk)
    assert desk.get(f"/v1/imports/{second['id']}")["created"] == 1

    desk.house.clock.advance(hours=1)  # type: ignore[attr-defined]
    assert [each["id"] for each in desk.get("/v1/imports?limit=1")["items"]] == [second["id"]]
    tried_back = desk.post(f"{path}/undo/preview").json()
    assert desk.post(f"{path}/undo", key="two").json()["state"] == "undoing"
    work(desk, seconds=0.0)
    taken_back = desk.get(path)
    assert (taken_back["state"], taken_back["undone"], taken_back["left_alone"]) == (
        "undone", tried_back["undone"], tried_back["left_alone"])  # fmt: skip
    # the account stays for Carl, who came with the other file
    assert [(each["subject_type"], bool(each["undo_reason"])) for each in taken_back["left"]] == [("client", True)]
    assert tried_back["left"] == taken_back["left"]
    assert [each["email"] for each in desk.get("/v1/contacts")["items"]] == ["carl@hooli.example"]
    assert_problem(desk.post(f"{path}/undo"), 409)


def test_a_piece_that_differs_is_missing_or_too_large_is_told_and_changes_nothing(shared: Desk) -> None:
    upload = send(shared, b"email\n")
    assert put(shared, upload, 1, b"email\n").json()["size"] == 6
    assert_problem(put(shared, upload, 1, b"other\n"), 409)
    assert put(shared, upload, 3, b"b@hooli.example\n").status_code == 200
    told = assert_problem(shared.post("/v1/imports", {"upload_id": upload, "kind": "contacts"}), 409)
    assert "piece 2" in told["detail"]
    assert_problem(put(shared, upload, 2, b"a" * ((1 << 20) + 1)), 413)
    assert_problem(put(shared, upload, 2, b""), 422)
    assert_problem(put(shared, upload, 257, b"a"), 422)
    assert_problem(put(shared, upload, 2, b"a", "globex.operator"), 404)
    assert shared.get("/v1/uploads", "globex.operator")["items"] == []
    assert shared.ask("DELETE", f"/v1/uploads/{upload}").status_code == 204
    assert_problem(shared.ask("DELETE", f"/v1/uploads/{upload}"), 404)


def test_a_file_that_is_no_table_of_its_kind_is_refused_with_its_mend(shared: Desk) -> None:
    for content, word in ((b"shoe size\n44\n", "shoe size"), (b"PK\x03\x04zip", "CSV"), (b"\n\n", "empty")):
        upload = send(shared, content)
        for door in ("/v1/imports", "/v1/imports/preview"):
            told = assert_problem(shared.post(door, {"upload_id": upload, "kind": "contacts"}), 422)
            assert word in told["detail"]
        assert shared.ask("DELETE", f"/v1/uploads/{upload}").status_code == 204
    assert shared.get("/v1/imports")["items"] == []


def test_an_import_that_died_is_gone_on_with_when_the_file_is_sent_again(desk: Desk) -> None:
    content = b"email\n" + b"".join(b"p%d@hooli.example\n" % at for at in range(30))
    first = desk.post("/v1/imports", {"upload_id": send(desk, content), "kind": "contacts"}).json()
    with desk.inside() as tx:
        batch = imports.get(tx, first["id"])
        assert batch.upload_id is not None
        source = import_sources.Uploaded(desk.database, desk.tenants["acme"], batch.upload_id)
    import_file.go_on(desk.database, desk.house.vault, desk.tenants["acme"], source, batch, by="t", chunk_rows=10,
                      seconds=0.0)  # fmt: skip
    second = desk.post("/v1/imports", {"upload_id": send(desk, content), "kind": "contacts"}).json()
    assert (second["id"], second["rows"]) == (first["id"], 10)
    work(desk)
    done = desk.get(f"/v1/imports/{first['id']}")
    assert (done["state"], done["rows"], done["created"]) == ("done", 30, 30)


def test_a_file_that_cannot_be_read_on_fails_with_its_reason_and_is_in_nobodys_way(desk: Desk) -> None:
    content = b"email\n" + b"".join(b"p%d@hooli.example\n" % at for at in range(3))
    first = desk.post("/v1/imports", {"upload_id": send(desk, content, of=20), "kind": "contacts"}).json()
    odd = desk.post("/v1/imports", {"upload_id": send(desk, PEOPLE.encode()), "kind": "contacts"}).json()
    second = desk.post("/v1/imports", {"upload_id": send(desk, b"email\nz@hooli.example\n"), "kind": "contacts"}).json()
    with desk.inside() as tx:
        tx.run("""DELETE FROM upload_pieces WHERE number > 1
                  AND upload_id = (SELECT upload_id FROM imports WHERE id = :id)""", id=first["id"])  # fmt: skip
        tx.run("UPDATE imports SET reading = reading - 'decimal' WHERE id = :id", id=odd["id"])
    # nobody foresaw this one: the others go first, and it is tried again
    for _ in range(2 * imports.MOST_STUMBLES):
        with contextlib.suppress(KeyError):
            carry.run(desk.house, desk.tenants["acme"])
    states = {each["id"]: (each["state"], each["failure"]) for each in desk.get("/v1/imports")["items"]}
    assert states[second["id"]] == ("done", None)
    assert states[first["id"]][0] == states[odd["id"]][0] == "failed"
    assert "ended after 20 of" in states[first["id"]][1]
    assert "KeyError" in states[odd["id"]][1]
    assert desk.post(f"/v1/imports/{first['id']}/undo").status_code == 202
    work(desk)
    assert desk.get(f"/v1/imports/{first['id']}")["state"] == "undone"


def test_an_undo_that_keeps_stumbling_has_failed_and_may_be_asked_for_again(desk: Desk) -> None:
    first = desk.post("/v1/imports", {"upload_id": send(desk, PEOPLE.encode()), "kind": "contacts"}).json()
    work(desk)
    path = f"/v1/imports/{first['id']}"

    def renamed(old: str, new: str) -> None:
        with desk.inside() as tx:
            tx.run("UPDATE import_rows SET subject_type = :new, outcome = 'changed' WHERE subject_type = :old",
                   old=old, new=new)  # fmt: skip

    renamed("client", "nonsense")
    assert desk.post(f"{path}/undo").status_code == 202
    for _ in range(imports.MOST_STUMBLES):
        assert desk.get(path)["state"] == "undoing"
        with pytest.raises(KeyError):
            carry.run(desk.house, desk.tenants["acme"])
    failed = desk.get(path)
    assert (failed["state"], failed["undone"]) == ("failed", 0)
    assert "KeyError" in failed["failure"]
    work(desk)
    renamed("nonsense", "client")
    assert desk.post(f"{path}/undo").json()["failure"] is None
    work(desk)
    assert desk.get(path)["state"] == "undone"
    with desk.inside() as tx:
        actions = tx.rows("SELECT action FROM audit_log WHERE action LIKE 'import.%' ORDER BY seq")
    assert [row["action"] for row in actions] == ["import.done", "import.undo_failed", "import.undo"]


def test_everything_may_be_fetched_for_a_day_as_one_archive(desk: Desk) -> None:
    with desk.inside() as tx:
        build.contact(tx, name="Bill")
    asked = desk.post("/v1/exports", key="one").json()
    assert desk.post("/v1/exports", key="one").json()["id"] == asked["id"]
    path = f"/v1/exports/{asked['id']}/archive"
    answer = desk.ask("GET", path)
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("manifest.json"))["tenant"] == "acme"
        assert b"Bill" in archive.read("tables/contacts.jsonl")
    [listed] = desk.get("/v1/exports")["items"]
    assert (listed["fetched"], bool(listed["fetched_by"])) == (1, True)
    with desk.inside() as tx:
        row = tx.row("SELECT actor, subject FROM audit_log WHERE action = 'tenant.export_fetched'")
        assert row is not None
        assert (row["actor"], row["subject"]) == (listed["fetched_by"], asked["id"])
    assert_problem(desk.ask("GET", path, "acme.operator"), 403)
    assert_problem(desk.ask("GET", path, "globex.admin"), 404)
    desk.house.clock.advance(hours=25)  # type: ignore[attr-defined]
    assert_problem(desk.ask("GET", path), 404)


def test_a_person_is_forgotten_by_the_worker_and_suppressed_at_once(desk: Desk) -> None:
    with desk.inside() as tx:
        bill = build.contact(tx, name="Bill Lumbergh")
    waiting = send(desk, b"email,name\nbill@initech.example,Bill Lumbergh\n")
    whom = {"address": "bill@initech.example"}
    assert desk.post("/v1/erasures/preview", whom).json()["found"]["contacts"] == 1
    assert_problem(desk.post("/v1/erasures", {**whom, "reason": "asked", "for_good": False}), 422)
    assert_problem(desk.post("/v1/erasures", {"reason": "asked", "for_good": True}), 422)
    begun = desk.post("/v1/erasures", {**whom, "reason": "bill@initech.example asked", "for_good": True}, key="one")
    assert (begun.status_code, begun.json()["finished_at"]) == (202, None)
    assert "bill" not in begun.text
    work(desk)
    told = desk.get(f"/v1/erasures/{begun.json()['id']}")
    assert told["finished_at"] is not None
    assert told["found"]["self"] == 1
    with desk.inside() as tx:
        person = contacts.get(tx, bill)
        assert person is not None
        assert (person.email, person.name) == (None, ERASED)
    assert_problem(desk.ask("DELETE", f"/v1/uploads/{waiting}"), 404)
    [suppressed] = desk.get("/v1/suppressions")["items"]
    assert (suppressed["reason"], suppressed["address"]) == ("erased", None)


@pytest.mark.parametrize("who", ["globex.admin", "globex.operator"])
def test_nothing_of_it_is_another_tenants(shared: Desk, who: str) -> None:
    upload = send(shared, PEOPLE.encode())
    for door in ("/v1/imports", "/v1/imports/preview"):
        assert_problem(shared.post(door, {"upload_id": upload, "kind": "contacts"}, who), 404)
    assert shared.get("/v1/imports", who)["items"] == []
    assert shared.ask("DELETE", f"/v1/uploads/{upload}").status_code == 204
