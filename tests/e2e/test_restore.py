"""A house that is lost in the middle of a campaign and comes back, by the commands that its operator gives."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.e2e.rehearsal import Rehearsal, rehearsal
from tests.staff import Room
from worker import embedded

KEY = "re_acme"
ARRIVAL = datetime(2026, 2, 3, 15, tzinfo=UTC)
TUESDAY = datetime(2026, 3, 3, 15, tzinfo=UTC)
"""Mid-morning in New York, when the first touches of a file that came with the arrival are due."""
PEOPLE = 7
LAST = 1
"""Who was not written to when the house was lost: the campaign goes on with them."""


def test_a_backup_restored_in_the_middle_of_a_campaign_sends_nothing_twice(room: Room) -> None:
    with rehearsal(room, ARRIVAL) as stage:
        stage.resend.account(KEY)
        # one server for all commands; each would start its own otherwise
        server = embedded.start(stage.folder, throwaway=True)
        _found(stage)
        stage.go_to(TUESDAY)
        stage.command("cycle")
        assert len(_posts(stage)) == 2
        stage.command("backup", str(stage.folder.parent / "tuesday"))
        for hours in (1, 2):
            stage.go_to(TUESDAY + timedelta(hours=hours))
            stage.command("cycle")
        before = _posts(stage)
        assert Counter(before.values()) == {1: PEOPLE - LAST}
        server.stop()

        restored = stage.command("restore", str(stage.folder.parent / "tuesday"), "--replace")
        assert restored["kept"] is not None
        server = embedded.start(stage.folder, throwaway=True)
        try:
            # nobody asked the provider yet: an hour does nothing, and resuming opens the mail of nobody
            stage.go_to(TUESDAY + timedelta(hours=3))
            stage.try_command("cycle")
            assert _posts(stage) == before
            stage.command("resume", "--reason", "too early", "-y", "-y")
            stage.command("cycle")
            assert _posts(stage) == before
            [told] = stage.command("reconcile")["tenants"]
            assert (told["opened"], told["counts"]) == (True, {"carried_out_since": PEOPLE - LAST - 2})
            for hours in (4, 5, 24):
                stage.go_to(TUESDAY + timedelta(hours=hours))
                stage.command("cycle")
            # nobody twice, and nobody left out for it
            assert Counter(_posts(stage).values()) == {1: PEOPLE}
            assert {card["state"] for card in stage.command("cards")} == {"done"}
        finally:
            server.stop()


def _found(stage: Rehearsal) -> None:
    """A tenant whose campaign sends two mails an hour."""
    stage.command("tenant", "add", "acme", "--name", "Acme Ltd")
    stage.command("tenant", "set", "sender_address=ana@acme.example", "sender_name=Ana Diaz", "country=US",
                  "timezone=America/New_York", "postal_address=Acme Ltd, 1 High Street, Springfield",
                  "max_emails_per_hour=2")  # fmt: skip
    stage.command("credential", "set", "resend_api_key", stdin=f"{KEY}\n")
    people = stage.folder.parent / "people.csv"
    rows = [f"Ann Example,ann@client-{at}.example,Client {at},US" for at in range(PEOPLE)]
    people.write_text("\n".join(["name,email,client,country", *rows]), encoding="utf-8")
    assert stage.command("import", str(people), "--kind", "contacts")["created"] == PEOPLE
    stage.command("mode", "live", "--reason", "a campaign")


def _posts(stage: Rehearsal) -> Counter[str]:
    """How often each address was written to, as the provider knows it."""
    return Counter(address for mail in stage.resend.sent(KEY) for address in mail["to"])
