"""IMAP servers that are hostile, broken or in the way: whatever they say ends in a declared error, within bounds."""

from __future__ import annotations

import pytest

from domain.imap_accounts import ImapAccount, InvalidAccount, Security, read
from domain.ports import NeverWill, NothingHappened, Page, ProviderError, TokenRevoked
from providers import imap_folders
from providers.imap import ImapMailbox
from providers.imap_answers import Malformed, answers, fetched, readable
from tests.hand_clock import HandClock
from tests.providers.haste import AMPLE, SHORT
from tests.providers.strange_imap import RAW, StrangeImap


def a_box(server: StrangeImap, *, seconds: float = AMPLE, security: Security = "plain") -> ImapMailbox:
    account = ImapAccount("127.0.0.1", "ana", "secret", security, server.port)
    return ImapMailbox(account, address="ana@acme.example", clock=HandClock(), call_seconds=seconds)


def pages(server: StrangeImap, cursor: str | None = None) -> list[Page]:
    return list(a_box(server).changes(cursor))


def test_an_old_server_without_special_folders_is_read() -> None:
    with StrangeImap() as server:
        (page,) = pages(server)
    assert [message.raw for message in page.messages] == [RAW]
    assert page.messages[0].labels == ("INBOX", "UNREAD")


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        ("GREETING", b"HTTP/1.1 400 Bad Request\r\n\r\n<html>"),
        ("GREETING", b"* BYE too many connections\r\n"),
        ("GREETING", b"* \xff\xfe\r\n"),
        ("GREETING", b"* OK " + b"x" * 2_000_000),
        ("CAPABILITY", b"%s OK none\r\n"),
        ("CAPABILITY", b"* CAPABILITY IMAP2\r\n%s OK done\r\n"),
        ("LIST", b'* LIST (\\Sent "/" INBOX\r\n%s OK done\r\n'),
        ("LIST", b"* LIST INBOX\r\n%s OK done\r\n"),
        ("LIST", b"* LIST " + b"(" * 5000 + b")" * 5000 + b"\r\n%s OK done\r\n"),
        ("LIST", b'* LIST () "/" {99999999999999}\r\n'),
        ("LIST", b'* LIST () "/" {' + b"9" * 5000 + b"}\r\n"),
        ("LIST", b'* LIST () "/" {5}\r\nIN'),
        ("LIST", b"%s BAD never heard of it\r\n"),
        ("STATUS", b"* STATUS INBOX (UIDNEXT 2)\r\n%s OK done\r\n"),
        ("STATUS", b"* STATUS INBOX (UIDVALIDITY 0 UIDNEXT 2)\r\n%s OK done\r\n"),
        ("STATUS", b"* STATUS INBOX (UIDVALIDITY 7 UIDNEXT)\r\n%s OK done\r\n"),
        ("STATUS", b"%s OK done\r\n"),
        ("EXAMINE", b"%s OK done\r\n"),
        ("EXAMINE", b"* OK [UIDVALIDITY 8] valid\r\n%s OK done\r\n"),
        ("SEARCH", b"* SEARCH 1 -2\r\n%s OK done\r\n"),
        ("SEARCH", b"* SEARCH 99999999999\r\n%s OK done\r\n"),
        ("SEARCH", b"* SEARCH " + b"1 " * 600_000 + b"\r\n%s OK done\r\n"),
        ("HEAD", b"* 1 FETCH (UID 1 FLAGS)\r\n%s OK done\r\n"),
        ("HEAD", b"* 1 FETCH UID\r\n%s OK done\r\n"),
        ("HEAD", b'* 1 FETCH (UID 1 FLAGS x INTERNALDATE "" RFC822.SIZE 7 BODY[HEADER] "")\r\n%s OK done\r\n'),
        ("HEAD", b'* 1 FETCH (UID 1 FLAGS () INTERNALDATE "" RFC822.SIZE -7 BODY[HEADER] "")\r\n%s OK done\r\n'),
        ("WHOLE", b"* 1 FETCH (UID 1 BODY[] {1073741824}\r\nx"),
        ("WHOLE", b"* 1 FETCH (UID 1 BODY[] {100}\r\nx)\r\n%s OK done\r\n"),
        ("WHOLE", b"* BYE shutting down\r\n"),
        ("WHOLE", b"a999 OK not yours\r\n"),
    ],
    ids=str,
)  # fmt: skip
def test_what_a_broken_server_says_is_a_declared_error(step: str, answer: bytes) -> None:
    with StrangeImap(**{step: answer}) as server, pytest.raises(ProviderError) as error:
        for _ in a_box(server, seconds=0.5).changes(None):
            pass
    assert not isinstance(error.value, TokenRevoked)


@pytest.mark.parametrize("step", ["GREETING", "LOGIN", "LIST", "STATUS", "EXAMINE", "SEARCH", "HEAD", "WHOLE"])
def test_a_server_that_falls_silent_is_left_at_the_deadline(step: str) -> None:
    with StrangeImap(**{step: None}) as server, pytest.raises(NothingHappened, match=r"(?i)time|no answer"):
        list(a_box(server, seconds=SHORT).changes(None))


def test_a_server_that_never_ends_its_answer_is_cut_off() -> None:
    flood = (b"* LIST () NIL " + b"x" * 10_000 + b"\r\n") * 2_000
    with StrangeImap(LIST=flood) as server, pytest.raises(NothingHappened, match="broke off"):
        pages(server)


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (b"%s NO [AUTHENTICATIONFAILED] no\r\n", TokenRevoked),
        (b"%s NO no\r\n", TokenRevoked),
        (b"%s NO [UNAVAILABLE] later\r\n", NothingHappened),
        (b"* BYE overloaded\r\n", NothingHappened),
    ],
)
def test_only_a_refused_password_asks_for_another(refusal: bytes, kind: type[ProviderError]) -> None:
    with StrangeImap(LOGIN=refusal) as server, pytest.raises(kind) as error:
        pages(server)
    assert "secret" not in str(error.value)


def test_without_starttls_the_password_is_never_sent() -> None:
    with StrangeImap() as server, pytest.raises(NeverWill, match="STARTTLS"):
        list(a_box(server, security="starttls").changes(None))
    assert server.asked == ["CAPABILITY"]
    with StrangeImap(GREETING=b"* PREAUTH welcome\r\n") as server, pytest.raises(NeverWill, match="STARTTLS"):
        list(a_box(server, security="starttls").changes(None))


def test_a_folder_that_cant_be_opened_is_told_once_and_hides_no_other() -> None:
    listing = b'* LIST () "/" INBOX\r\n* LIST () "/" {4}\r\na\nbc\r\n%s OK done\r\n'
    with StrangeImap(LIST=listing) as server:
        (page,) = pages(server)
        (again,) = pages(server, page.next_cursor)
    assert len(page.messages) == len(page.broken) == 1
    assert (again.broken, again.messages) == ((), ())
    with StrangeImap(EXAMINE=b"%s NO denied\r\n") as server:
        (page,) = pages(server)
    assert "denied" in page.broken[0][1]


def test_a_message_that_the_server_cant_give_is_set_aside_and_fetched_later() -> None:
    with StrangeImap(WHOLE=b"%s NO [SERVERBUG] corrupt\r\n") as server:
        (page,) = pages(server)
        ((name, reason),) = page.broken
        assert "bytes" in reason
        server.answers["WHOLE"] = StrangeImap().answers["WHOLE"]
        box = a_box(server)
        list(box.changes(page.next_cursor))
        found = box.fetch(name)
    assert found is not None
    assert (found.provider_message_id, found.raw) == (name, RAW)


def test_a_message_without_a_readable_header_has_its_own_name_once_it_can_be_read() -> None:
    with StrangeImap(HEAD=b"%s NO [SERVERBUG] corrupt\r\n") as server:
        (page,) = pages(server)
        ((name, _),) = page.broken
        server.answers["HEAD"] = StrangeImap().answers["HEAD"]
        box = a_box(server)
        list(box.changes(page.next_cursor))
        found = box.fetch(name)
        (fresh,) = pages(server)
    assert found is not None
    assert found.provider_message_id == fresh.messages[0].provider_message_id != name


def test_a_message_over_50_mib_is_set_aside_unread() -> None:
    head = StrangeImap().answers["HEAD"] or b""
    with StrangeImap(HEAD=head.replace(b"RFC822.SIZE 70", b"RFC822.SIZE 52428801")) as server:
        (page,) = pages(server)
    assert page.broken[0][1] == "larger than 50 MiB"
    assert "WHOLE" not in server.asked


def test_news_about_flags_between_the_answers_does_no_harm() -> None:
    whole = StrangeImap().answers["WHOLE"] or b""
    with StrangeImap(WHOLE=b"* 1 FETCH (FLAGS (\\Seen))\r\n* 3 EXPUNGE\r\n" + whole) as server:
        (page,) = pages(server)
    assert page.messages[0].raw == RAW


def test_answers_are_taken_apart_with_their_literals() -> None:
    data: list[bytes | tuple[bytes, bytes] | None] = [
        (b'1 (UID 4 X ("a \\"b\\\\" NIL) BODY[HEADER.FIELDS (FROM "TO")] {3}', b"a)("),
        (b" BODY[]<0> {2}", b"\r\n"),
        b" FLAGS (\\Seen))",
        b"2 (FLAGS ())",
    ]
    assert list(answers(data))[1] == [b"2", [b"FLAGS", []]]
    assert fetched(data) == {4: {"X": [b'a "b\\', b"NIL"], "HEADER": b"a)(", "BODY": b"\r\n", "FLAGS": [b"\\Seen"]}}
    for wrong in (b"1 (", b"1 )", b'1 "a', b"1 (UID x)", b"1 (UID 1 FLAGS)"):
        with pytest.raises(Malformed):
            fetched([wrong])


def test_folder_names_are_read_out_of_modified_utf_7() -> None:
    assert readable("Entw&APw-rfe") == "Entwürfe"
    assert readable("~peter/mail/&U,BTFw-/&ZeVnLIqe-") == "~peter/mail/台北/日本語"
    assert readable("A&-B") == "A&B"
    assert readable("&###-") == "&###-"


def test_names_tell_what_a_folder_is_for_only_where_the_server_does_not() -> None:
    old = [b'() "." INBOX', b'() "." "INBOX.Gesendete Objekte"', b'() "." INBOX.Entw&APw-rfe',
           b'() "." INBOX.Papierkorb', b'() "." INBOX.Papierkorb.Alt',
           b'(\\Noselect) "." Shared', b'() NIL "Kunden"']  # fmt: skip
    folders, strange = imap_folders.of(old)
    assert [(each.name, each.labels) for each in folders] == [
        ("INBOX", ("INBOX",)), ("INBOX.Gesendete Objekte", ("SENT",)), ("Kunden", ())
    ]  # fmt: skip
    assert strange == []
    new = [b'(\\Sent) "/" Outgoing', b'() "/" Sent', b'(\\Junk) "/" INBOX']
    assert [each.labels for each in imap_folders.of(new)[0]] == [("INBOX",), ("SENT",), ()]


def test_an_account_is_kept_without_its_password() -> None:
    account = ImapAccount("Mail.acme.example", "ana@acme.example", "se:cr@t/", "starttls")
    assert account.source == "imap+starttls://ana%40acme.example@mail.acme.example:143"
    assert read(account.source, "se:cr@t/").true_port == 143
    assert read(account.source, "se:cr@t/").user == "ana@acme.example"
    assert "se:cr@t/" not in repr(account) + account.source
    for wrong in (
        {"host": "mail.acme.example", "security": "plain"}, {"host": "a b"}, {"user": "a\r\nb"}, {"password": " "},
        {"port": 70000}, {"security": "none"},
    ):  # fmt: skip
        with pytest.raises(InvalidAccount):
            ImapAccount(**{"host": "127.0.0.1", "user": "ana", "password": "x", **wrong})  # type: ignore[arg-type]
    with pytest.raises(InvalidAccount):
        read("smtp://a@b", "x")
