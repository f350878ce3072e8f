"""Delivery reports: whom to suppress, and whom to spare."""

from __future__ import annotations

import pytest

from brain.reading import read
from brain.reading.reasons import action_of, reason_of, status_of
from tests.brain.reading import samples
from tests.brain.reading.labelled import answers


def test_a_permanent_unknown_user_is_suppressed_and_tied_to_our_message() -> None:
    reading = read(samples.dsn())
    (bounce,) = reading.bounces
    assert reading.cls == "bounce"
    assert bounce.address == "ana@globex.example"
    assert (bounce.permanent, bounce.suppress, bounce.status, bounce.reason) == (True, True, "5.1.1", "unknown_user")
    assert bounce.original_message_id == "<card-1@acme.example>"
    assert reading.original_message_ids == ("<card-1@acme.example>",)


@pytest.mark.parametrize(
    ("status", "words", "permanent", "reason"),
    [
        ("5.2.2", "550 5.2.2 Mailbox full", True, "mailbox_full"),
        ("4.2.2", "452 4.2.2 The email account that you tried to reach is over quota", False, "mailbox_full"),
        ("5.7.1", "550 5.7.1 Message rejected due to local policy", True, "policy"),
        ("5.7.26", "550 5.7.26 Unauthenticated email is not accepted due to DMARC policy", True, "authentication"),
        ("5.7.1", "554 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org", True, "blocked"),
        ("5.1.8", "553 5.1.8 Domain of sender address does not exist", True, "sender"),
        ("5.3.4", "552 5.3.4 Message size exceeds fixed limit", True, "too_big"),
        ("4.4.1", "connect to mx.globex.example[192.0.2.9]:25: Connection timed out", False, "network"),
        ("5.1.1", "550 5.1.1 over quota: mailbox is full", True, "mailbox_full"),
        ("5.0.0", "550 Too many connections, try again later", True, "rate"),
    ],
)
def test_nothing_but_a_missing_mailbox_suppresses(status: str, words: str, permanent: bool, reason: str) -> None:
    (bounce,) = read(samples.dsn(status=status, diagnostic=f"smtp; {words}")).bounces
    assert (bounce.permanent, bounce.suppress, bounce.reason) == (permanent, False, reason)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("5.1.1", "550 5.1.1 User unknown"),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        ("5.1.2", "Host or domain name not found. Name service error for name=globex.example type=A: Host not found"),
        ("5.2.1", "550 5.2.1 mailbox disabled, not accepting messages"),
        ("5.0.0", "550 <ana@globex.example>: no such user here (in reply to RCPT TO command)"),
        ("5.4.4", "unable to route: no mail hosts for domain"),
    ],
)
def test_a_missing_mailbox_or_domain_suppresses(status: str, words: str) -> None:
    (bounce,) = read(samples.dsn(status=status, diagnostic=f"smtp; {words}")).bounces
    assert bounce.suppress, bounce


def test_servers_words_for_a_mailbox_that_is_gone_suppress_and_no_others_do() -> None:
    def suppresses(said: str, where: str) -> bool:
        words = said + where
        status = status_of("", words) or "5.0.0"
        return action_of(reason_of(status, words, words, "kim@globex.example"), status).suppress

    gone, spared = answers(suppress=True), answers(suppress=False)
    assert (len(gone), len(spared)) >= (100, 70)
    assert [said for said in gone if not suppresses(said, " (in reply to RCPT TO command)")] == []
    assert [said for said in spared if suppresses(said, "")] == []
    assert [said for said in spared if suppresses(said, " (in reply to RCPT TO command)")] == []


def test_a_filter_that_answers_unknown_after_the_text_was_sent_proves_nothing() -> None:
    told = "   ----- Transcript of session follows -----\n>>> DATA\n<<< 550 : User unknown"
    (bounce,) = read(samples.dsn(status="5.2.0", diagnostic="SMTP; 550 : User unknown", note=told)).bounces
    assert (bounce.permanent, bounce.suppress, bounce.reason) == (True, False, "filtered")


def test_a_delay_is_a_bounce_that_is_not_permanent() -> None:
    reading = read(samples.dsn(status="4.4.7", action="delayed", diagnostic="smtp; connection timed out"))
    (bounce,) = reading.bounces
    assert (reading.cls, bounce.permanent, bounce.suppress) == ("bounce", False, False)


def test_a_report_of_success_is_no_bounce() -> None:
    reading = read(samples.dsn(status="2.1.5", action="delivered", diagnostic="smtp; 250 2.1.5 OK"))
    assert (reading.cls, reading.bounces) == ("delivery_report", ())


def test_cr_crlf_and_lf_copies_give_one_answer() -> None:
    for raw in samples.everything():
        lf = read(raw)
        assert read(raw.replace(b"\n", b"\r\n")) == lf
        assert read(raw.replace(b"\n", b"\r")) == lf
        assert read(raw.replace(b"\n", b"\r\r\n")) == lf


def test_a_blank_line_made_by_a_stray_cr_is_one_in_every_copy() -> None:
    lf = samples.notice("<ana@globex.example>:\n550 5.1.1 unknown\r\n\r\n\n550 no such user")
    assert read(lf) == read(lf.replace(b"\r\n", b"\n").replace(b"\n", b"\r"))
    mixed = samples.notice("<ana@globex.example>:\n550 5.1.1 unknown\r\r\n550 no such user")
    assert read(mixed) == read(mixed.replace(b"\r\r\n", b"\n\n")) == read(mixed.replace(b"\r\r\n", b"\r\r"))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "Hi. This is the qmail-send program at mx.acme.example.\nI'm afraid I wasn't able to deliver your "
            "message.\n\n"
            "<ana@globex.example>:\n192.0.2.1 does not like recipient.\n"
            "Remote host said: 550 5.1.1 <ana@globex.example>: no such user\n\n"
            "--- Below this line is a copy of the message.\n\nTo: ana@globex.example\nCc: bob@globex.example\n",
            [("ana@globex.example", True, True)],
        ),
        (
            "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
            "delivered to one or more of its\nrecipients. The following address(es) failed:\n\n  ana@globex.example\n"
            "    SMTP error from remote mail server after RCPT TO:<ana@globex.example>:\n    550 5.2.2 Mailbox full\n"
            "  bob@globex.example\n    SMTP error from remote mail server after RCPT TO:<bob@globex.example>:\n"
            "    550 5.1.1 User unknown\n\n------ This is a copy of the message, including all the headers. ------\n",
            [("ana@globex.example", True, False), ("bob@globex.example", True, True)],
        ),
        (
            "Your message to:\n\n  ana@globex.example\n\nhas not yet been delivered. Delivery attempts will "
            "continue.\n",
            [("ana@globex.example", False, False)],
        ),
        (
            "Su mensaje no se ha podido entregar a ana@globex.example: el usuario no existe.\n",
            [("ana@globex.example", True, True)],
        ),
        (
            "Il messaggio non è stato recapitato a ana@globex.example: utente inesistente.\n",
            [("ana@globex.example", True, True)],
        ),
        (
            "Wiadomość nie została dostarczona: ana@globex.example, nieznany użytkownik.\n",
            [("ana@globex.example", True, True)],
        ),
        (
            "Ihre Nachricht ist unzustellbar. ana@globex.example: Das Postfach ist nicht vorhanden.\n",
            [("ana@globex.example", True, True)],
        ),
    ],
)
def test_failures_told_in_words_are_understood(body: str, expected: list[tuple[str, bool, bool]]) -> None:
    reading = read(samples.notice(body))
    assert reading.cls == "bounce"
    assert [(bounce.address, bounce.permanent, bounce.suppress) for bounce in reading.bounces] == expected


def test_a_person_who_writes_about_bounces_is_no_bounce() -> None:
    body = (
        "Hi, the mail I sent you yesterday was returned: user unknown. Do you have a new address for "
        "ana@globex.example?"
    )
    reading = read(
        samples.plain(
            body,
            subject="Re: undeliverable mail",
            headers={"In-Reply-To": "<x@acme.example>", "References": "<x@acme.example>"},
        )
    )
    assert reading.cls != "bounce"
    assert reading.bounces == ()


def test_a_mail_with_another_mail_attached_is_no_bounce() -> None:
    assert read(samples.with_files()).bounces == ()


def test_a_spam_report_names_who_complained_and_about_what() -> None:
    reading = read(samples.feedback_report())
    assert reading.cls == "complaint_report"
    assert reading.complainants == ("ana@globex.example",)
    assert reading.original_message_ids == ("<card-7@acme.example>",)


def test_a_report_that_says_not_spam_names_nobody() -> None:
    assert read(samples.feedback_report("not-spam")).complainants == ()
