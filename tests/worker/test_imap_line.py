"""An IMAP mailbox from the command line alone: connected, read, refused, and mended."""

from __future__ import annotations

import json

import pytest

from tests.providers.dovecot import PASSWORDS, Dovecot
from tests.worker.line import Line, Spoken

ANA = "ana@acme.example"


def test_a_mailbox_is_connected_read_refused_and_mended(hh: Line, dovecot: Dovecot) -> None:
    hh("tenant", "add", "acme", "--name", "Acme")
    with dovecot.program(ANA) as client:
        for number in range(3):
            raw = f"From: bo@client.example\r\nMessage-ID: <{number}@client.example>\r\n\r\nHello\r\n".encode()
            assert client.append("INBOX", "", "", raw)[0] == "OK"
    given = ("mailbox", "connect-imap", "--host", "127.0.0.1", "--user", ANA, "--address", "Ana@Acme.example",
             "--port", str(dovecot.plain), "--security", "plain")  # fmt: skip
    assert not hh(*given, "--dry-run", stdin="x\n")["done"]
    assert hh("mailbox", "status") == []

    with pytest.raises(Spoken, match="user and password"):
        hh(*given, stdin="not it\n")
    assert hh("mailbox", "status") == [], "what can't log in is not kept"
    kept = hh(*given, "--untried", stdin="not it\n")
    assert (kept["status"], "nobody has logged in" in kept["status_cause"]) == ("connected", True)
    assert hh("mailbox", "sync")["not_asked"] == [ANA]
    [row] = hh("mailbox", "status")
    assert (row["status"], "connect-imap" in row["mend"]) == ("revoked", True)
    assert "user and password" in row["status_cause"]
    [check] = [each for each in _doctor(hh) if each["name"] == "acme: mailbox"]
    assert (check["verdict"], "imap" in check["told"], "connect-imap" in check["mend"]) == ("warning", True, True)

    assert hh(*given, stdin=f"{PASSWORDS[ANA]}\n")["id"] == row["id"]
    assert hh("mailbox", "sync")["counts"]["messages"] == 3
    assert "messages" not in hh("mailbox", "sync")["counts"]
    [row] = hh("mailbox", "status")
    assert (row["provider"], row["status"], row["failures"]) == ("imap", "connected", 0)
    assert PASSWORDS[ANA] not in json.dumps(row)

    assert hh("mailbox", "revoke", "--address", ANA, "--dry-run")["status"] == "revoked"
    assert hh("mailbox", "status")[0]["status"] == "connected"
    assert hh("mailbox", "revoke", "--address", ANA, "--reason", "moved away")["status_cause"] == "moved away"
    assert hh("mailbox", "sync")["not_asked"] == [ANA]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (("--host", "mail.acme.example", "--security", "plain"), "this machine alone"),
        (("--host", "a b"), "no host name"),
        (("--host", "mail.acme.example", "--security", "none"), "tls, starttls, plain"),
        (("--host", "mail.acme.example", "--port", "99999"), "port"),
    ],
)
def test_a_wrong_account_is_refused_with_its_mend(hh: Line, wrong: tuple[str, ...], told: str) -> None:
    with pytest.raises(Spoken, match=told) as refused:
        hh("mailbox", "connect-imap", "--address", ANA, *wrong, stdin="secret\n")
    assert refused.value.code == 2


def _doctor(hh: Line) -> list[dict[str, str]]:
    _, said, _ = hh.plain("doctor", "--json")
    told = json.loads(said)
    return list(told["checks"] if isinstance(told, dict) else told)
