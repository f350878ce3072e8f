"""What looks like a report of failure and is none, and reports in words alone that are."""

from __future__ import annotations

import pytest

from brain.reading import read
from tests.brain.reading import samples
from tests.brain.reading.labelled import bounces, no_bounces

NO_BOUNCES, BOUNCES = no_bounces(), bounces()


@pytest.mark.parametrize("told", NO_BOUNCES)
def test_who_only_speaks_of_mail_that_failed_sends_no_bounce(told: str) -> None:
    reading = read(NO_BOUNCES[told])
    assert reading.cls not in ("bounce", "delivery_report", "complaint_report")
    assert reading.bounces == ()


@pytest.mark.parametrize("told", BOUNCES)
def test_each_mail_systems_own_words_tell_who_failed_and_whether_for_good(told: str) -> None:
    raw, failed = BOUNCES[told]
    reading = read(raw)
    assert reading.cls == "bounce"
    assert [(one.address, one.permanent, one.suppress) for one in reading.bounces] == failed


@pytest.mark.parametrize(
    ("sender", "subject", "body"),
    [
        ("postmaster@globex.example", "Delivery failure", "Your message had problems.\n\nana@globex.example"),
        ("noreply@mail.globex.example", "Your message: delivery failed",
         "Your message could not be delivered to\nana@globex.example\n"),
        ("MAILER-DAEMON@globex.example", "", "I wasn't able to deliver the following message. I've given up."),
        ("MAILER-DAEMON@globex.example", "Fehler", "Mail konnte nicht zugestellt werden:\n\n<ana@globex.example>:"),
        ("it@globex.example", "Non-Delivery: Hello",
         "The email below could not be delivered to the following user:\n\n\"ana\" <ana@globex.example>\n"),
        ("Ana <ana.b@acme.example>", "Fwd: Returned mail: see transcript for details",
         "Begin forwarded message:\n\n> From: Mail Delivery Subsystem <MAILER-DAEMON>\n"
         "> Subject: Returned mail: see transcript for details\n>\n"
         ">    ----- The following addresses had permanent fatal errors -----\n> <ana@globex.example>\n"
         ">     (reason: 550 5.1.1 User unknown)\n>\n>    ----- Original message -----\n"
         "> From: agent@acme.example\n> To: ana@globex.example\n> Subject: Hello\n>\n> Hello Ana"),
    ],
)  # fmt: skip
def test_a_terse_report_without_a_structure_is_still_a_bounce(sender: str, subject: str, body: str) -> None:
    reading = read(samples.notice(body, subject=subject, sender=sender).replace(b"Return-Path: <>\n", b""))
    assert reading.cls == "bounce"


def test_a_report_about_mail_that_others_sent_in_our_name_is_backscatter_and_names_nobody() -> None:
    report = samples.dsn(original_id="<N1msdrbJ>")
    reading = read(report.replace(b"From: Agent <agent@acme.example>", b"From: x91@elsewhere.example"))
    assert (reading.cls, reading.bounces) == ("automatic", ())
    assert "backscatter" in reading.flags


def test_mail_of_ours_that_went_out_through_another_address_is_tied_all_the_same() -> None:
    reading = read(samples.dsn().replace(b"From: Agent <agent@acme.example>", b"From: Agent <agent@acme-mail.example>"))
    assert (reading.cls, len(reading.bounces)) == ("bounce", 1)
