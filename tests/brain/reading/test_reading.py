"""Headers, addresses, files, invitations, signatures and authentication of one message."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from brain.reading import Person, Reading, explain, explain_text, read
from tests.brain.reading import samples


def _mail(headers: str, body: str = "Hello\n") -> bytes:
    return (headers.rstrip("\n") + "\n\n" + body).encode("utf-8", "surrogateescape")


def test_names_and_addresses_are_brought_to_one_spelling() -> None:
    reading = read(
        _mail(
            'From: "Díaz, Ana" <Ana.DIAZ@ACME.Example>\n'
            "To: =?utf-8?B?SsO8cmdlbg==?= <j@müller.example>, kim@globex.example\n"
            "Cc: undisclosed-recipients:;\nReply-To: Sales <sales@acme.example>"
        )
    )
    assert (reading.from_name, reading.from_address) == ("Díaz, Ana", "ana.diaz@acme.example")
    assert reading.to == (Person("Jürgen", "j@xn--mller-kva.example"), Person("", "kim@globex.example"))
    assert reading.cc == ()
    assert reading.reply_to == (Person("Sales", "sales@acme.example"),)
    assert reading.contacts[0].address == "ana.diaz@acme.example"


def test_encoded_words_that_split_a_character_are_joined() -> None:
    assert read(_mail("Subject: =?utf-8?B?w4E=?=\n =?utf-8?Q?rbol_a=C3?= =?utf-8?Q?=B1o?=")).subject == "Árbol año"


def test_an_encoded_line_break_makes_no_header() -> None:
    reading = read(
        _mail("From: =?utf-8?q?Ana=0ABcc=3A_x?= <a@b.example>\nSubject: =?utf-8?q?Hi=0D=0ABcc:_victim@x.example?=")
    )
    assert "\n" not in reading.subject + reading.from_name
    assert "\r" not in reading.subject


def test_an_encoded_word_hides_no_second_address() -> None:
    reading = read(_mail("From: <=?utf-8?q?a@evil.example,kim?=@globex.example>"))
    assert len(reading.contacts) <= 1
    assert all(person.address.endswith("@globex.example") and "," not in person.address for person in reading.contacts)


def test_a_date_is_kept_in_utc_and_in_the_writers_offset() -> None:
    reading = read(_mail("Date: Mon, 06 Jul 2026 09:00:00 +0200"))
    assert reading.date == datetime(2026, 7, 6, 7, 0, tzinfo=UTC)
    assert reading.written is not None
    assert reading.written.hour == 9


def test_threads_are_read_from_their_headers() -> None:
    reading = read(_mail("Message-ID: <3@x>\nIn-Reply-To: Your message <2@x>\nReferences: <1@x>\n <2@x>"))
    assert (reading.message_id, reading.in_reply_to, reading.references) == ("<3@x>", "<2@x>", ("<1@x>", "<2@x>"))
    assert "reply" in reading.flags


def test_a_noreply_address_and_a_machine_are_flagged() -> None:
    reading = read(_mail("From: Shop <no-reply@shop.example>\nSubject: Your receipt"))
    assert reading.is_noreply
    assert reading.cls == "automatic"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: All",
        "Return-Path: <>",
        "From: root@host.example",
        "Auto-Submitted: auto-replied; owner-email=x",
    ],
)
def test_automatic_mail_is_never_taken_for_a_person(header: str) -> None:
    raw = _mail(
        f"{header}\nSubject: Hi" if header.startswith("From") else f"From: a@b.example\n{header}\nSubject: Hi",
        "Please call me.",
    )
    assert read(raw).cls == "automatic"
    assert read(raw).task_request is None


def test_a_newsletter_does_not_unsubscribe_anybody() -> None:
    raw = _mail(
        "From: News <news@shop.example>\nList-Unsubscribe: <https://shop.example/u>\nPrecedence: bulk",
        "Please unsubscribe me from your list.",
    )
    assert (read(raw).cls, "wants_unsubscribe" in read(raw).flags) == ("automatic", False)


def test_files_have_their_true_names_types_and_sizes() -> None:
    files = read(samples.with_files()).attachments
    assert [(file.filename, file.content_type, file.inline) for file in files] == [
        ("informe año.pdf", "application/pdf", False),
        ("logo café.png", "image/png", True),
        ("older mail.eml", "message/rfc822", False),
    ]
    assert files[0].content == b"%PDF-1.4\n"
    assert files[0].size == 9


def test_a_file_name_carries_no_path() -> None:
    raw = _mail(
        'MIME-Version: 1.0\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="../../etc/passwd"'
    )
    assert read(raw).attachments[0].filename == "passwd"


def test_an_invitation_is_read() -> None:
    reading = read(samples.invitation())
    assert "invitation" in reading.flags
    assert reading.invitation is not None
    assert (reading.invitation.method, reading.invitation.uid) == ("REQUEST", "visit-1")
    assert reading.invitation.start == datetime(2026, 7, 9, 8, 0, tzinfo=UTC)
    assert reading.invitation.organizer == "kim@globex.example"


_RECEIVED = (
    "Received: from out.globex.example (out.globex.example [192.0.2.7]) by mx.acme.example with ESMTPS; Mon, 6 Jul 2026"
)


@pytest.mark.parametrize(
    ("results", "aligned"),
    [
        ("mx.acme.example; dmarc=pass header.from=globex.example; spf=fail smtp.mailfrom=x.example", True),
        ("mx.acme.example; dkim=pass header.d=mail.globex.example", True),
        ("mx.acme.example; spf=pass smtp.mailfrom=bounce@globex.example", True),
        ("mx.acme.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=evil.example", False),
        ("mx.acme.example; dkim=fail header.d=globex.example; dmarc=fail", False),
        ("mx.evil.example; dmarc=pass header.from=globex.example", None),
    ],
)
def test_only_the_receiving_servers_own_verdict_counts(results: str, aligned: bool | None) -> None:
    reading = read(_mail(f"{_RECEIVED}\nAuthentication-Results: {results}\nFrom: kim@globex.example"))
    assert reading.authentication.aligned is aligned


def test_a_forged_verdict_below_the_real_one_is_ignored() -> None:
    reading = read(
        _mail(
            f"Authentication-Results: mx.acme.example; dmarc=fail\n{_RECEIVED}\n"
            "Authentication-Results: mx.acme.example; dmarc=pass\nFrom: kim@globex.example"
        )
    )
    assert reading.authentication.aligned is False


def test_a_signature_becomes_a_profile() -> None:
    reading = read(
        samples.plain(
            "Please call me.\n\nBest regards,\n\nKim Client\nPurchasing Manager | Globex Industries Inc.\n"
            "Tel: (415) 555-0132 | Fax: (415) 555-0199\n500 Market Street, San Francisco, CA "
            "94105\nwww.globex.example\n"
            "linkedin.com/in/kimclient\n"
        )
    )
    found = reading.signature
    assert found is not None
    assert (found.name, found.title, found.company) == ("Kim Client", "Purchasing Manager", "Globex Industries Inc.")
    assert found.phones == ("+14155550132",)
    assert found.links == ("www.globex.example", "linkedin.com/in/kimclient")
    assert found.address == "500 Market Street, San Francisco, CA 94105"
    phone = next(fact for fact in reading.people if fact.kind == "phone")
    assert (phone.value, phone.source, phone.about) == ("+14155550132", "signature", "kim@globex.example")
    assert 0 < phone.confidence < 1


def test_national_numbers_are_read_by_region() -> None:
    raw = samples.plain("Saludos.\n\nUn saludo,\nJuan Pérez\nDirector Comercial\nTel. 912 345 678")
    signed = read(raw, region="ES").signature
    assert signed is not None
    assert signed.phones == ("+34912345678",)


def test_words_on_both_sides_of_a_quote_are_never_told_as_one_request() -> None:
    before = "the page of yours that everybody here looks at every day"
    request = read(samples.plain(f"{before}\n> everything is fine\nplease call me about it today")).task_request
    assert request is not None
    assert request.span == "please call me about it today"


def test_a_request_carries_its_words_and_its_due_time() -> None:
    request = read(samples.plain("Hi,\n\nCan you call me on Thursday at 3 pm? Thanks.")).task_request
    assert request is not None
    assert request.span == "Can you call me on Thursday at 3 pm?"
    assert request.due == datetime.fromisoformat("2026-07-09T15:00:00+02:00")
    assert (request.call, request.is_explicit) == (True, True)


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("Please find our details below.", False), ("please find attached the signed contract", False),
        ("Please see the attached drawing.", False), ("Please find me the invoice.", True),
        ("Please find attached our order and confirm the price.", True),
        ("Please find attached the contract, can you sign it?", True),
    ],
)  # fmt: skip
def test_what_somebody_hands_over_is_no_request(words: str, asks: bool) -> None:
    assert (read(samples.plain(f"Hello,\n\n{words}\n\nBill")).task_request is not None) == asks


@pytest.mark.parametrize(
    "words", ["We should call them.", "I called Ann yesterday.", "They asked you for a call?", "Thanks for your call."]
)
def test_talk_about_calls_is_no_request(words: str) -> None:
    reading = read(samples.plain(words))
    assert "asks_call" not in reading.flags
    assert reading.cls != "task_request"


def test_nothing_is_understood_from_quotes_and_signatures() -> None:
    body = (
        "Thanks!\n\nOn Mon, 6 Jul 2026, Ana <ana@acme.example> wrote:\n> Please unsubscribe me and cancel order 4711.\n"
    )
    reading = read(samples.plain(body, subject="Re: Hello", headers={"In-Reply-To": "<x@acme.example>"}))
    assert reading.cls == "reply"
    assert reading.reference_numbers == ()


def test_a_return_date_is_counted_from_the_message() -> None:
    raw = samples.plain("I am out of the office and back next Monday.", headers={"Auto-Submitted": "auto-replied"})
    assert read(raw).return_date == date(2026, 7, 13)


def test_explain_tells_one_json_object_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "one.eml"
    path.write_bytes(samples.dsn())
    told = explain(path)
    assert list(told) == [
        "path", "class", "flags", "bounces", "return_date", "reply", "signature", "task_request", "attachments",
        "language", "quarantined",
    ]  # fmt: skip
    assert told["bounces"] == [
        {
            "address": "ana@globex.example",
            "permanent": True,
            "suppress": True,
            "status": "5.1.1",
            "reason": "unknown_user",
        }
    ]


def test_explain_text_reads_a_body_without_headers() -> None:
    told = explain_text("Could you send me the contract by Friday?\r\n\r\nOn Mon, Ana <a@b.example> wrote:\r\n> x")
    assert told["reply"] == "Could you send me the contract by Friday?"
    assert told["task_request"] == {"span": "Could you send me the contract by Friday?", "due": None}


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Out of Office: Re: Hello", "I am away until 20 July 2026."),
        ("Out of Office AutoReply: Hello", "I will be back on 20 July."),
        ("Abwesenheitsnotiz: Angebot", "Ich bin bis 20. Juli im Urlaub."),
        ("Fuera de la oficina: Re: oferta", "Estaré ausente hasta el 20 de julio."),
        ("Absence du bureau : offre", "Je suis absent jusqu'au 20 juillet."),
        ("Ausência: Re: oferta", "Estou de férias até 20 de julho."),
        ("Re: Hello [Automatic reply]", "On leave until 20 July."),
    ],
)
def test_an_absence_is_known_by_its_subject_where_no_header_tells(subject: str, body: str) -> None:
    reading = read(samples.plain(body, subject=subject))
    assert (reading.cls, reading.return_date) == ("out_of_office", date(2026, 7, 20))
    assert "automatic" in reading.flags


@pytest.mark.parametrize(
    ("subject", "body"),
    [
        ("Out of office next week", "I will be out of the office next week, can we move the visit to 20 July?"),
        ("Re: Hello", "I am on holiday until 20 July, let's talk after. Kim"),
        ("Urlaub", "Ich bin ab 20. Juli im Urlaub, bitte vorher liefern."),
        ("Re: Automatic reply: Out of office", "Saw you are out until Monday. Please send me the prices then."),
        ("Re: Abwesenheitsnotiz: Angebot", "Alles klar, bitte nach Ihrem Urlaub am 20. Juli liefern."),
    ],
)
def test_a_person_who_tells_of_an_absence_is_no_machine(subject: str, body: str) -> None:
    reading = read(samples.plain(body, subject=subject))
    assert reading.cls not in ("out_of_office", "automatic")
    assert "automatic" not in reading.flags


@pytest.mark.parametrize(
    ("words", "wished"),
    [
        ("We no longer want to receive the pumps in March.", False),
        ("I don't want to get into details now.", False),
        ("I do not like to be on hold for an hour.", False),
        ("I do not want to hear excuses.", False),
        ("I don't want to receive the weekly newsletter.", True),
        ("I don't like getting so many emails.", True),
        ("We do not wish to receive anything.", True),
        ("I don't want to be on this mailing list.", True),
        ("I no longer want to hear from you.", True),
    ],
)
def test_who_does_not_want_something_else_still_wants_our_mail(words: str, wished: bool) -> None:
    assert ("wants_unsubscribe" in read(samples.plain(words)).flags) is wished


def test_a_text_that_may_be_of_several_languages_is_told_alike_in_every_process() -> None:
    asked = "from brain.reading import language; print(language.guess('on i'), language.guess('no'))"
    told = {
        subprocess.run(
            [sys.executable, "-c", asked],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert told == {b"en es\n"}


@pytest.mark.parametrize(
    "words",
    ["We would like to order if the price were lower.", "I'd love to order 20 boxes but it is too expensive.",
     "We'd order 20 boxes at half the price.", "Unfortunately we can't order 20 boxes now.",
     "We don't want to buy 20 boxes.", "My boss would not go ahead with 20 boxes.",
     "No necesitamos 20 cajas.", "Queremos pedir 20 cajas, pero es demasiado caro.",
     "No podemos hacer un pedido ahora.",
     "Si nos bajan el precio, queremos pedir 20 cajas.", "Não precisamos de 20 caixas.",
     "Queremos encomendar 20 caixas, mas é muito caro.", "Infelizmente não podemos fazer uma encomenda.",
     "Wir möchten leider nichts bestellen.", "Nous ne souhaitons pas passer commande.",
     "We'd order 20 boxes at a better price.", "Please do not send us 20 boxes.", "We will not be ordering 20 boxes.",
     "Queremos pedir 20 cajas, pero a un mejor precio.", "Por favor no envíen 20 cajas.",
     "No confirmamos el pedido de 20 cajas.", "Leider können wir die 20 Kartons nicht bestellen.",
     "Wir bestellen die 20 Kartons leider nicht.", "Nous ne commandons plus 20 cartons.",
     "Nous ne pouvons malheureusement pas passer commande."],
)  # fmt: skip
def test_a_no_a_perhaps_and_a_haggle_are_no_order(words: str) -> None:
    assert answer(words).cls != "order"


@pytest.mark.parametrize(
    "words",
    ["We would like to order 20 boxes.", "Please send us 20 boxes.", "No more waiting: please order 20 boxes.",
     "Queremos pedir 20 cajas.", "Necesitamos 20 cajas.", "Precisamos de 20 caixas.", "Queremos encomendar 20 caixas.",
     "Wir möchten 20 Kartons bestellen.", "Nous souhaitons commander 20 cartons.",
     "We order 40 boxes at the better price you offered.", "We order 40 boxes, please do not send an invoice yet.",
     "Please order 40 boxes for us, but do not ship them before Monday.", "Please don't forget to order 40 boxes.",
     "Unfortunately we have run out: please send us 40 boxes.",
     "Necesitamos 40 cajas, no las envíen antes del lunes.", "Queremos pedir 40 cajas, no hace falta factura.",
     "Lamentablemente ya no quedan: queremos pedir 40 cajas al mejor precio que nos dieron.",
     "Queremos encomendar 40 caixas, não enviem antes de segunda.",
     "Infelizmente acabaram: queremos encomendar 40 caixas, não precisamos de fatura.",
     "Wir bestellen 40 Kartons, bitte nicht vor Montag liefern.", "Leider sind sie aus: wir bestellen 40 Kartons.",
     "Nous commandons 40 cartons, ne les livrez pas avant lundi.",
     "Malheureusement nous n'avons plus de cartons : nous souhaitons commander 40 cartons."],
)  # fmt: skip
def test_a_plain_order_is_one(words: str) -> None:
    assert answer(words).cls == "order"


@pytest.mark.parametrize(
    "words",
    ["No aceptamos el presupuesto.", "Adelante con el presupuesto.", "Rechazamos su oferta.", "Aceitamos o orçamento.",
     "Não aceitamos o orçamento.", "Pode seguir com o orçamento.", "We must decline your quote.",
     "We reject the proposal, please don't quote again."],
)  # fmt: skip
def test_whoever_answers_a_quote_asks_for_none(words: str) -> None:
    assert answer(words).cls not in ("quote_request", "order")


def answer(words: str) -> Reading:
    """A reply of Bill's with these words."""
    headers = (
        "From: Bill <bill@initech.example>\nTo: ana@acme.example\nSubject: Re: Quote Q-0001\n"
        "Message-ID: <1@x.example>\nIn-Reply-To: <q@acme.example>\nContent-Type: text/plain; charset=utf-8"
    )
    return read(_mail(headers, f"Hi Ana,\n\n{words}\n\nBill\n"))
