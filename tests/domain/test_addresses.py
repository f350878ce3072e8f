"""Addresses and places: one spelling for what is the same, and a plain word for what is not one at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import addresses, places
from domain.place_names import COUNTRIES, LANGUAGES, bare


@pytest.mark.parametrize(
    ("told", "spelled"),
    [
        ("Bill@Initech.Example", "bill@initech.example"),
        (" <bill@initech.example> ", "bill@initech.example"),
        ("mailto:bill@initech.example", "bill@initech.example"),
        ("bill@initech.example.", "bill@initech.example"),
        ("bill+tag@initech.example", "bill+tag@initech.example"),
        ("josé@münchen.example", "josé@xn--mnchen-3ya.example"),
        ("o'neil@initech.example", "o'neil@initech.example"),
    ],
)
def test_an_address_has_one_spelling(told: str, spelled: str) -> None:
    assert addresses.normalise(told) == spelled
    assert addresses.normalise(spelled) == spelled


@pytest.mark.parametrize(
    "told",
    [
        "", "@", "bill", "bill@", "@initech.example", "bill@initech", "bill lumbergh@initech.example",
        "bill@ini tech.example", "bill@-initech.example", "bill@initech..example", ".bill@initech.example",
        "bill@initech.example, milton@initech.example", "a@b@initech.example", "bill@127.0.0.1", "bill@[127.0.0.1]",
        "bill\n@initech.example", "bill@initech.example\nBcc: x@y.example", "b" * 65 + "@initech.example",
        "bill@" + "a." * 130 + "example", "<script>@initech.example",
    ],
)  # fmt: skip
def test_what_mail_cannot_be_sent_to_is_refused(told: str) -> None:
    with pytest.raises(addresses.InvalidAddress):
        addresses.normalise(told)


@given(st.text(max_size=80))
def test_any_text_is_an_address_in_its_one_spelling_or_refused(told: str) -> None:
    try:
        spelled = addresses.normalise(told)
    except addresses.InvalidAddress:
        return
    assert addresses.normalise(spelled) == spelled
    assert not any(each.isspace() or each in '<>,;:"' for each in spelled)


def test_a_list_keeps_what_is_an_address_once() -> None:
    assert addresses.known(["A@x.example", "a@X.example", "nobody", "b@x.example"]) == ["a@x.example", "b@x.example"]


@pytest.mark.parametrize(("told", "code"), [
    ("us", "US"), ("Spain", "ES"), (" españa ", "ES"), ("United States", "US"), ("ÖSTERREICH", "AT"), ("Suíça", "CH"),
    ("Großbritannien", "GB"), ("Países Bajos", "NL"), ("EE.UU.", "US"),
])  # fmt: skip
def test_a_country_has_one_code(told: str, code: str) -> None:
    assert places.country(told) == code


@pytest.mark.parametrize(
    ("told", "code"), [("en", "en"), ("EN-us", "en"), ("pt_BR", "pt"), ("Spanish", "es"), ("Português", "pt"),
                         ("Spanisch", "es"), ("Französisch", "fr"), ("Alemán", "de")],
)  # fmt: skip
def test_a_language_has_one_code(told: str, code: str) -> None:
    assert places.language(told) == code


@pytest.mark.parametrize(
    ("told", "name"), [("europe/madrid", "Europe/Madrid"), ("America/New York", "America/New_York"), ("utc", "UTC")]
)
def test_a_time_zone_has_one_name(told: str, name: str) -> None:
    assert places.timezone(told) == name


@pytest.mark.parametrize(
    ("told", "region", "number"),
    [("+34 912 345 678", None, "+34912345678"), ("(212) 555-0123", "US", "+12125550123"), ("00 44 20 7946 0018", "GB",
                                                                                           "+442079460018")],
)  # fmt: skip
def test_a_telephone_number_has_one_form(told: str, region: str | None, number: str) -> None:
    assert places.phone(told, region) == number


@given(st.text(max_size=40))
def test_any_text_is_a_place_or_refused(told: str) -> None:
    for spell in (places.country, places.timezone, places.language, lambda text: places.phone(text, "US")):
        try:
            spelled = spell(told)
        except places.InvalidPlace:
            continue
        assert spell(spelled) == spelled


@pytest.mark.parametrize(("names", "spell"), [(COUNTRIES, places.country), (LANGUAGES, places.language)])
def test_each_name_of_a_place_stands_as_names_are_compared(
    names: Mapping[str, str], spell: Callable[[str], str]
) -> None:
    assert [name for name, code in names.items() if bare(name) != name or spell(name) != code] == []
