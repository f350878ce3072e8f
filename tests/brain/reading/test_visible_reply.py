"""Quotes, forwards and signatures are cut off, whatever the mail program and its language."""

from __future__ import annotations

import pytest

from brain.reading import explain_text, read
from brain.reading.visible_reply import cut
from tests.brain.reading import samples
from tests.brain.reading.labelled import replies

REPLIES = replies()

INTRODUCTIONS = [
    "On Mon, Jul 6, 2026 at 8:15 AM, Ana Diaz <ana@acme.example> wrote:",
    "On 6 July 2026 at 08:15:02, Ana Diaz\n<ana@acme.example> wrote:",
    "Ana Diaz <ana@acme.example> wrote:",
    "El lun, 6 jul 2026 a las 8:15, Ana Diaz (<ana@acme.example>) escribió:",
    "Em seg., 6 de jul. de 2026 às 08:15, Ana Diaz <ana@acme.example> escreveu:",
    "Le lun. 6 juil. 2026 à 08:15, Ana Diaz <ana@acme.example> a écrit :",
    "Am Mo., 6. Juli 2026 um 08:15 Uhr schrieb Ana Diaz <ana@acme.example>:",
    "Il giorno lun 6 lug 2026 alle ore 08:15 Ana Diaz <ana@acme.example> ha scritto:",
    "Op ma 6 jul. 2026 om 08:15 schreef Ana Diaz <ana@acme.example>:",
    "Den mån 6 juli 2026 kl 08:15 skrev Ana Diaz <ana@acme.example>:",
    "man. 6. jul. 2026 kl. 08.15 skrev Ana Diaz <ana@acme.example>:",
    "ma 6. heinäk. 2026 klo 8.15 Ana Diaz <ana@acme.example> kirjoitti:",
    "pon., 6 lip 2026 o 08:15 Ana Diaz <ana@acme.example> napisał(a):",
    "po 6. 7. 2026 v 8:15 odesílatel Ana Diaz <ana@acme.example> napsal:",
    "пн, 6 июл. 2026 г. в 08:15, Ana Diaz <ana@acme.example>:",
    "06.07.2026 08:15, Ana Diaz пишет:",
    "пн, 6 лип. 2026 р. о 08:15 Ana Diaz <ana@acme.example> пише:",
    "Ana Diaz <ana@acme.example>, 6 Tem 2026 Pzt, 08:15 tarihinde şunu yazdı:",
    "Ana Diaz <ana@acme.example> 于2026年7月6日周一 08:15写道：",
    "2026年7月6日(月) 8:15 Ana Diaz <ana@acme.example>:",
    "2026년 7월 6일 (월) 오전 8:15, Ana Diaz <ana@acme.example>님이 작성:",
    "În lun., 6 iul. 2026 la 08:15, Ana Diaz <ana@acme.example> a scris:",
    "Ana Diaz <ana@acme.example> ezt írta (időpont: 2026. júl. 6., H, 8:15):",
    "Στις Δευ 6 Ιουλ 2026 στις 8:15 π.μ., ο χρήστης Ana Diaz <ana@acme.example> έγραψε:",
    "Vào Th 2, 6 thg 7, 2026 vào lúc 08:15 Ana Diaz <ana@acme.example> đã viết:",
    "Quoting Ana Diaz <ana@acme.example>:",
    "* Ana Diaz <ana@acme.example> [2026-07-06 08:15]:",
    "-----Ana Diaz <ana@acme.example> wrote: -----",
    "Wiadomość napisana przez Ana Diaz <ana@acme.example> w dniu 06.07.2026, o godz. 08:15:",
    "Ana Diaz kirjoitti 6.7.2026 klo 8.15:",
    "Kuupäev E, 6. juuli 2026 kell 08:15\nkirjutas Ana Diaz <ana@acme.example>:",
    "2026 m. liepos 6 d., pr 08:15 Ana Diaz <ana@acme.example> rašė:",
    "pon, 6. srp 2026. u 08:15 Ana Diaz <ana@acme.example> napisao je:",
    "На пн, 6.07.2026 г. в 8:15 Ana Diaz\n<ana@acme.example> написа:",
    "Missatge de Ana Diaz <ana@acme.example> del dia dl., 6 de jul. 2026 a les 8:15:",
    "\u202bבתאריך יום ב׳, 6 ביולי 2026 ב-8:15 מאת \u202aAna Diaz\u202c <\u202aana@acme.example\u202c>:\u202c",
    "في الاثنين، 6 يوليو 2026 في 8:15 ص تمت كتابة ما يلي بواسطة Ana Diaz <ana@acme.example>:",
    "سه‌شنبه 6 ژوئیهٔ 2026، 8:15 Ana Diaz <ana@acme.example> نوشت:",
    "सोम, 6 जुल॰ 2026 को 8:15 am बजे को Ana Diaz <ana@acme.example> ने लिखा:",
    "เมื่อ จ. 6 ก.ค. 2026 เวลา 08:15 Ana Diaz\n<ana@acme.example> เขียนว่า:",
    "Pada tanggal Sen, 6 Jul 2026 pukul 08.15 Ana Diaz <ana@acme.example> menulis:",
]

HEADERS = [
    "From: Ana Diaz <ana@acme.example>\nSent: Monday, July 6, 2026 8:15 AM\nTo: Kim\nSubject: Offer",
    "De: Ana Diaz <ana@acme.example>\nEnviado el: lunes, 6 de julio de 2026 8:15\nPara: Kim\nAsunto: Oferta",
    "De : Ana Diaz <ana@acme.example>\nEnvoyé : lundi 6 juillet 2026 08:15\nÀ : Kim\nObjet : Offre",
    "Von: Ana Diaz <ana@acme.example>\nGesendet: Montag, 6. Juli 2026 08:15\nAn: Kim\nBetreff: Angebot",
    "Da: Ana Diaz <ana@acme.example>\nInviato: lunedì 6 luglio 2026 08:15\nA: Kim\nOggetto: Offerta",
    "Van: Ana Diaz <ana@acme.example>\nVerzonden: maandag 6 juli 2026 08:15\nAan: Kim\nOnderwerp: Aanbod",
    "Od: Ana Diaz <ana@acme.example>\nWysłano: poniedziałek, 6 lipca 2026 08:15\nDo: Kim\nTemat: Oferta",
    "От: Ana Diaz <ana@acme.example>\nОтправлено: 6 июля 2026 г. 8:15\nКому: Kim\nТема: Предложение",
    "Från: Ana Diaz <ana@acme.example>\nSkickat: den 6 juli 2026 08:15\nTill: Kim\nÄmne: Erbjudande",
    "发件人: Ana Diaz <ana@acme.example>\n发送时间: 2026年7月6日 8:15\n收件人: Kim\n主题: 报价",
    "差出人: Ana Diaz <ana@acme.example>\n送信日時: 2026年7月6日 8:15\n宛先: Kim\n件名: 見積",
    "De la: Ana Diaz <ana@acme.example>\nTrimis: luni, 6 iulie 2026 08:15\nCătre: Kim\nSubiect: Ofertă",
    "От: Ana Diaz <ana@acme.example>\nИзпратено: понеделник, 6 юли 2026 г. 8:15\nДо: Kim\nОтносно: Оферта",
    "Pošiljatelj: Ana Diaz <ana@acme.example>\nPoslano: 6. srpnja 2026. 08:15\nPrima: Kim\nPredmet: Ponuda",
    "Saatja: Ana Diaz <ana@acme.example>\nSaadetud: 6. juuli 2026 8:15\nAdressaat: Kim\nTeema: Pakkumine",
    "Từ: Ana Diaz <ana@acme.example>\nĐã gửi: 6 tháng 7, 2026 8:15\nĐến: Kim\nChủ đề: Báo giá",
    "Dari: Ana Diaz <ana@acme.example>\nDikirim: 06 Juli 2026 8:15\nKepada: Kim\nSubjek: Penawaran",
]


@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_the_line_above_a_quote_ends_the_reply(introduction: str) -> None:
    quoted = cut(f"Yes, that works.\n\nKim\n\n{introduction}\n\n> Does Tuesday work?\n> Ana\n")
    assert quoted.reply == "Yes, that works.\n\nKim"
    bare = cut(f"Yes, that works.\n\n{introduction}\n\nDoes Tuesday work?\nAna\n")
    assert bare.reply == "Yes, that works."


@pytest.mark.parametrize("headers", HEADERS)
def test_a_block_of_headers_ends_the_reply(headers: str) -> None:
    assert cut(f"Agreed.\n\n{headers}\n\nOlder text\nof many lines\n").reply == "Agreed."
    assert cut(f"Agreed.\n\n________________________________\n{headers}\n\nOlder text\n").reply == "Agreed."


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Enviado desde mi móvil",
        "Envoyé de mon iPhone",
        "Von meinem iPad gesendet",
        "Get Outlook for Android",
        "Enviado do meu telemóvel",
        "Inviato da iPhone",
        "iPhoneから送信",
    ],
)
def test_what_a_phone_adds_is_cut(line: str) -> None:
    assert cut(f"On my way.\n\n{line}\n").reply == "On my way."


@pytest.mark.parametrize("told", REPLIES)
def test_what_each_mail_program_puts_around_an_answer_is_cut(told: str) -> None:
    body, reply = REPLIES[told]
    assert cut(body).reply == reply


def test_a_signature_rule_ends_the_reply() -> None:
    assert cut("Fine with me.\n\n-- \nKim Client\nGlobex").reply == "Fine with me."


def test_an_answer_below_the_quote_is_found() -> None:
    assert cut("On 6 Jul 2026, at 8:15, Ana wrote:\n> Tuesday?\n\nTuesday is fine.").reply == "Tuesday is fine."


def test_answers_between_the_quotes_are_kept_but_quotes_are_not_understood() -> None:
    body = (
        "Hi Ana,\nOn 6 Jul 2026, at 8:15, Ana wrote:\n> Please unsubscribe me.\nNo, we keep you.\n"
        "> I want to order 500 boxes.\nThat is not possible.\nSorry.\nBest\nKim\nGlobex\nBuyer\nOffice\n"
    )
    explained = explain_text(body)
    assert "No, we keep you." in explained["reply"]
    assert explained["class"] not in ("unsubscribe", "order")


def test_a_sentence_that_only_looks_like_an_introduction_stays() -> None:
    text = "On this day\n\nI wrote something\n\nvery interesting."
    assert cut(text).reply == text


@pytest.mark.parametrize(
    "text",
    [
        "Here is the list:\n- one\n- two\n\nTo: be decided later.",
        "From: Berlin\nwe go by train.",
        "On Monday we wrote:\n\nThe shop is closed.\n\nOk?",
        "At 10:30 I spoke with Tom, who wrote: yes.\nSo go on.",
    ],
)
def test_a_lone_line_that_looks_like_a_header_stays(text: str) -> None:
    assert cut(text).reply == text


def test_lists_and_spaces_stay_as_they_were() -> None:
    text = "We need\n\n- a\n- b\n\n    1. first\n    2. second"
    assert cut(text).reply == text


def test_a_forward_without_a_word_shows_what_was_forwarded() -> None:
    text = (
        "---------- Forwarded message ---------\nFrom: Ana <ana@acme.example>\nDate: 6 Jul 2026\nSubject: x\nTo: "
        "Kim\n\nLook."
    )
    found = cut(text)
    assert found.reply == "Look."
    assert found.forwarded


@pytest.mark.parametrize(
    "markup",
    [
        "<div>Fine.</div><br><div class='gmail_quote'>On Mon, Ana wrote:<blockquote>Older</blockquote></div>",
        "<p>Fine.</p><hr tabindex='-1' style='width:98%'><div id='divRplyFwdMsg'><b>From:</b> Ana</div>"
        "<div>Older</div>",
        "<div>Fine.</div><div><div style='border:none;border-top:solid #E1E1E1'><p><b>From:</b> Ana</p></div></div>"
        "<p>Older</p>",
        '<p>Fine.</p><p>6.7.2026, 8:15, "Ana" &lt;ana@acme.example&gt;:</p><blockquote>Older</blockquote>',
        "<body>Fine.<div id='yahoo_quoted_1' class='yahoo_quoted'>On Monday Ana wrote:<div>Older</div></div></body>",
    ],
)
def test_quotes_in_html_are_cut_too(markup: str) -> None:
    assert read(samples.html(markup)).reply == "Fine."


def test_html_becomes_text_without_trackers_and_hidden_words() -> None:
    text = read(
        samples.html(
            "<html><head><style>p{}</style></head><body><span style='display:none'>secret "
            "preheader</span><p>Hello&nbsp;Ana</p>"
            "<ul><li>one</li><li>two</li></ul><img src='https://t.example/open.gif' width=1 "
            "height=1><script>x()</script></body></html>"
        )
    ).text
    assert text == "Hello Ana\n\n- one\n- two"
