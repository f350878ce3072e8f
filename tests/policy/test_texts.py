"""What a mail says: every disguise of what may not be said is found, and ordinary words are left alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from brain import rulebook
from domain.ports import OutboundMail
from policy import content, letters
from policy.content import Content
from policy.rules.promises import DISCOUNT_NAMES
from tests.policy.texts import ALLOWED, BLOCKED

OWN = ("acme.example",)
SLOTS = {
    "variant": 0, "first_name": "Bill", "client_name": "Initech", "sender_name": "Ana Diaz", "company": "Acme",
    "thread_subject": "Checking in",
}  # fmt: skip


def mail(text: str, *, subject: str = "Hello", html: str | None = None) -> OutboundMail:
    return OutboundMail(
        UUID(int=1), "key", "<m@acme.example>", "Ana <ana@acme.example>", ("bill@initech.example",), subject, text, html
    )


def read(text: str, payload: Mapping[str, Any] | None = None, **how: Any) -> Content:
    return content.read(mail(text, **how), payload or {})


def findings(found: Content) -> set[str]:
    """The rules that would block such a text, nothing being backed."""
    told = {
        "sensitive.payment_details": found.payment_details,
        "sensitive.credentials": found.credentials,
        "sensitive.personal_numbers": found.personal_numbers,
        "sensitive.legal_threat": found.legal_threats,
        "sensitive.price_promise": found.prices or found.free_of_charge,
        "sensitive.discount_promise": found.discounts,
        "sensitive.deadline_promise": found.deadlines,
        "sensitive.unknown_links": [link for link in found.links if link.trick or not _ours(link.host)],
    }
    return {rule for rule, what in told.items() if what}


def _ours(host: str) -> bool:
    return host in OWN or host.endswith(tuple(f".{domain}" for domain in OWN))


@pytest.mark.parametrize("rule", BLOCKED)
def test_what_may_not_be_said_is_found(rule: str) -> None:
    for text in BLOCKED[rule]:
        assert rule in findings(read(text)), text
        assert rule in findings(read("Fine words.", subject=text)), text
        assert rule in findings(read("Fine words.", html=f"<p>{text}</p>")), text


@pytest.mark.parametrize("rule", ALLOWED)
def test_what_only_sounds_like_it_is_left_alone(rule: str) -> None:
    for text in ALLOWED[rule]:
        assert not findings(read(text)), text


@pytest.mark.parametrize("language", rulebook.LANGUAGES)
def test_our_own_templates_are_clean(language: str) -> None:
    templates = sorted(path.stem for path in (rulebook.TEMPLATES / language).glob("engagement_*.txt"))
    assert templates
    for template in templates:
        for variant in range(3):
            draft = rulebook.write(template, language, {**SLOTS, "variant": variant})
            assert not findings(read(draft.text, subject=draft.subject)), (template, variant)


@pytest.mark.parametrize(
    "text",
    [
        "Your p\u200bass\u00adword is Tr0ub4dor",
        "Your ｐａｓｓｗｏｒｄ is Tr0ub4dor",
        "Your раѕѕwоrd is Tr0ub4dor",
        "Your PÁSSWORD is Tr0ub4dor",
        "Your password\u00a0is Tr0ub4dor",
    ],
)
def test_a_disguised_word_is_the_word(text: str) -> None:
    assert "sensitive.credentials" in findings(read(text))


@pytest.mark.parametrize(
    "digits",
    ["٤١١١ ١١١١ ١١١١ ١١١١", "４１１１１１１１１１１１１１１１", "4111-1111-1111-1111", "4111\u200b111111111111"],
)
def test_a_disguised_number_is_the_number(digits: str) -> None:
    assert "payment card" in read(f"Card {digits}").personal_numbers


@pytest.mark.parametrize(
    "text",
    [
        "order 4111 1111 1111 1112", "ES91 2100 0418 4502 0005 1333", "RUT 12.345.678-9", "CPF 529.982.247-26",
        "CNPJ 11.222.333/0001-82", "DNI 12345678A", "call +34 600 123 456 or +55 11 98765-4321", "078-051-120",
        "111.111.111-11",
    ],
)  # fmt: skip
def test_a_number_whose_check_digits_are_wrong_is_only_a_number(text: str) -> None:
    assert not read(text).personal_numbers


def test_secrets_are_never_among_the_findings() -> None:
    secret = "Your password is Tr0ub4dor, your card 4111 1111 1111 1111"
    found = replace(read(secret), links=())
    assert "tr0ub4dor" not in repr(found).lower()
    assert "4111" not in repr(found)


@pytest.mark.parametrize(
    ("text", "backed"),
    [
        ("It is $1,250.00.", {"price": 1250}),
        ("It is 1.250,50 EUR.", {"price": "1,250.50"}),
        ("Es cuesta 900 euros.", {"prices": [800, 900]}),
        ("R$ 3.500,00", {"quote": {"total": "3500.00", "record": "quote:7"}}),
    ],
)
def test_an_amount_is_backed_however_it_is_written(text: str, backed: Mapping[str, Any]) -> None:
    found = read(text, {"backed": backed})
    assert found.prices
    assert all(amount in found.backing.amounts for _, amount in found.prices)


def test_backing_that_is_no_mapping_backs_nothing() -> None:
    for backed in ("$5", ["$5"], 5, None):
        assert not read("It is $5.", {"backed": backed}).backing.amounts
    assert "discount" in DISCOUNT_NAMES


@pytest.mark.parametrize(
    ("written", "host", "tricked"),
    [
        ("https://acme.example/x", "acme.example", False),
        ("HTTPS://ACME.EXAMPLE:443/x", "acme.example", False),
        ("https://acme.example@evil.example", "evil.example", True),
        ("https://evil.example\\@acme.example", "evil.example", True),
        ("https://acme.example%40evil.example/", None, True),
        ("https:////evil.example", "evil.example", False),
        ("http://2130706433/", "2130706433", True),
        ("http://[::1]/", "[::1]", True),
        ("https://аcme.example", "xn--cme-5cd.example", False),
        ("https://ａｃｍｅ.example", "acme.example", False),
        ("https://acme。example", "acme.example", False),
        ("ftp://acme.example", "", True),
    ],
)
def test_a_link_leads_where_a_browser_would_go(written: str, host: str | None, tricked: bool) -> None:
    [link] = read(f"See {written} now").links
    assert host is None or link.host == host
    assert bool(link.trick) == tricked


@pytest.mark.parametrize(
    "text", ["bill@initech.com", "a.b@c.co.uk", "report.pdf", "3.5.2026", "e.g. this", "S.A. de C.V.", "end.New"]
)
def test_what_is_no_link_is_none(text: str) -> None:
    assert not read(text).links


def test_every_attribute_that_leads_somewhere_is_read() -> None:
    source = """<a href='https://evil.example'>x</a><form action=https://two.example><b data="https://three.example">"""
    assert {link.host for link in read("x", html=source).links} == {"evil.example", "two.example", "three.example"}


def test_an_ascii_text_is_only_lowered() -> None:
    assert letters.plain("Hello, World") == "hello, world"
    assert letters.plain("Ação à ñandú") == "acao a nandu"


@pytest.mark.parametrize(
    "source", ["<p>Your pass<b>word</b> is Tr0ub4dor</p>", "<p>Your<br>password<br>is Tr0ub4dor</p>"]
)
def test_tags_hide_no_word(source: str) -> None:
    assert "sensitive.credentials" in findings(read("Fine words.", html=source))


@pytest.mark.parametrize(
    "text", ["We will deliver\nby Friday.", "Our bank\r\naccount has\r\nchanged.", "ES91 2100 0418\n4502 0005 1332"]
)
def test_a_line_break_hides_nothing(text: str) -> None:
    assert findings(read(text))


def test_html_that_says_the_same_is_searched_once() -> None:
    html = "<html><body><p>We will deliver<br>by Friday.</p></body></html>"
    assert len(read("We will deliver\nby Friday.", html=html).deadlines) == 1


@pytest.mark.parametrize("tail", ["7cad-8f2e", "4111111111111111", "a1b2-usd7-eur9", "re_a1b2c3d4e5f6a7b8c9"])
def test_the_opt_out_link_holds_no_amount_number_or_secret(tail: str) -> None:
    page = f"https://acme.example/u/{tail}/{tail}"
    letter = replace(mail(f"Hello.\n\n-- \nUnsubscribe: {page}\n"), headers={"List-Unsubscribe": f"<{page}>"})
    assert findings(content.read(letter, {})) == set()
    bare = replace(letter, text=f"It is {tail} {page}")
    assert findings(content.read(bare, {})) == findings(read(f"It is {tail}"))
