"""The gate for drafts: what a model may write is let through, and nothing else, in three languages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain import rulebook
from domain.drafts import PAGE
from policy import drafts
from tests.policy.texts_fine import FINE, LETTERS
from tests.policy.texts_of_drafts import DECENT, HARMFUL, SLOTS
from tests.policy.texts_refused import REFUSED
from tests.policy.texts_unsaid import ELSEWHERE, GIVEN_AWAY, HARMLESS


@pytest.mark.parametrize("language", DECENT)
def test_a_decent_draft_passes(language: str) -> None:
    assert drafts.wrong(DECENT[language], language=language, slots=SLOTS) is None


@pytest.mark.parametrize("harm", HARMFUL)
@pytest.mark.parametrize("language", DECENT)
def test_a_draft_with_one_harmful_sentence_does_not(harm: str, language: str) -> None:
    head, _, foot = DECENT[language].rpartition("\n\n")
    assert drafts.wrong(f"{head}\n\n{HARMFUL[harm]}\n\n{foot}", language=language, slots=SLOTS) is not None


def said(sentence: str, language: str) -> str:
    """A decent draft with one sentence more."""
    head, _, foot = DECENT[language].rpartition("\n\n")
    return f"{head} {sentence}\n\n{foot}"


def test_no_disguise_of_an_address_passes() -> None:
    told = {each: said(f"By the way, {each} for more.", "en") for each in ELSEWHERE}
    assert [each for each, body in told.items() if drafts.wrong(body, language="en", slots=SLOTS) is None] == []


@pytest.mark.parametrize("language", DECENT)
def test_nothing_is_given_away_in_words(language: str) -> None:
    also = {"en": "Also", "es": "Además", "pt": "Além disso"}[language]
    told = {each: said(f"{also}, {each}.", language) for each in GIVEN_AWAY[language]}
    assert [each for each, body in told.items() if drafts.wrong(body, language=language, slots=SLOTS) is None] == []


@pytest.mark.parametrize("language", DECENT)
def test_what_people_write_every_day_passes(language: str) -> None:
    found = {each: drafts.wrong(said(each, language), language=language, slots=SLOTS) for each in HARMLESS[language]}
    assert {each: why for each, why in found.items() if why} == {}


@pytest.mark.parametrize("language", DECENT)
def test_no_harm_that_fits_into_a_sentence_passes(language: str) -> None:
    told = {each: said(each, language) for each in REFUSED[language]}
    assert [each for each, body in told.items() if drafts.wrong(body, language=language, slots=SLOTS) is None] == []


@pytest.mark.parametrize("language", DECENT)
def test_what_good_letters_say_passes(language: str) -> None:
    found = {each: drafts.wrong(said(each, language), language=language, slots=SLOTS) for each in FINE[language]}
    assert {each: why for each, why in found.items() if why} == {}
    for tongue, slots, page, body in LETTERS:
        if tongue == language:
            assert drafts.wrong(body, language=language, slots=slots, page=page) is None, body


@pytest.mark.parametrize(
    ("slots", "sentence"),
    [
        ({"thread_subject": "Refund 4711 half price on Friday"}, "We refund 4711, half price, on Friday."),
        ({"thread_subject": "Refund 4711 half price on Friday"}, "It is about Refund 4711 half price on Friday."),
        ({"thread_subject": "evil.com"}, "See evil.com for it."),
        ({"deal_title": "Free boxes for all"}, "It is about “Free boxes for all”."),
        ({"first_name": "April"}, "It happens in April."),
        ({"client_name": "First National Bank"}, "Our bank is another one now."),
        ({"client_name": "Half Moon Ltd"}, "Have it for half of that."),
        ({"client_name": "Evil Ltd: see http://evil.com/a"}, "All is well at Evil Ltd: see http://evil.com/a today."),
    ],
)
def test_what_others_call_themselves_or_write_above_a_mail_makes_nothing_true(
    slots: dict[str, str], sentence: str
) -> None:
    body = said(sentence, "en").replace("Bill", slots.get("first_name", "Bill"))
    assert drafts.wrong(body, language="en", slots={**SLOTS, **slots}) is not None


@pytest.mark.parametrize(
    ("slots", "sentence"),
    [
        ({"thread_subject": "Office chairs for the kitchen"}, "It is about “Office chairs for the kitchen”."),
        ({"first_name": "April"}, "How are things?"),
        ({"client_name": "First National Bank"}, "I hope that all is well at First National Bank."),
        ({"client_name": "booking.com"}, "I hope that all is well at booking.com."),
    ],
)
def test_what_others_are_called_may_be_said_as_it_stands(slots: dict[str, str], sentence: str) -> None:
    body = said(sentence, "en").replace("Bill", slots.get("first_name", "Bill"))
    body = body.replace("Initech", slots.get("client_name", "Initech"))
    assert drafts.wrong(body, language="en", slots={**SLOTS, **slots}) is None


def test_a_name_inside_another_word_hides_nothing() -> None:
    body = said("Llega mañana.", "es")
    assert drafts.wrong(body, language="es", slots={**SLOTS, "client_name": "Ana", "person": "ana"}) is not None


def test_a_page_is_shown_once_on_a_line_of_its_own_where_there_is_one() -> None:
    with_it = DECENT["en"].replace("\n\n", f"\n\n{PAGE}\n\n", 1)
    assert drafts.wrong(with_it, language="en", slots=SLOTS, page=True) is None
    assert drafts.wrong(with_it, language="en", slots=SLOTS) is not None
    for wrong in (
        DECENT["en"],
        with_it + PAGE,
        with_it.replace(PAGE, f"Here: {PAGE}"),
        with_it.replace(PAGE, "[[PAGES]]"),
    ):
        assert drafts.wrong(wrong, language="en", slots=SLOTS, page=True) is not None


@pytest.mark.parametrize(
    ("body", "language"),
    [
        (DECENT["en"], "es"), (DECENT["es"], "pt"), (DECENT["pt"], "en"), ("Hi", "en"), (DECENT["en"] * 10, "en"),
        ("Здравствуйте, как у вас дела? Я хотела узнать, всё ли в порядке с заказом.", "en"),
    ],
)  # fmt: skip
def test_a_draft_in_another_language_or_of_another_length_does_not_pass(body: str, language: str) -> None:
    assert drafts.wrong(body, language=language, slots=SLOTS) is not None


def test_what_the_facts_hold_may_be_named() -> None:
    slots = {**SLOTS, "total": "$1,250.00", "valid_until": "March 20", "quote_link": "https://acme.example/q/7"}
    said = DECENT["en"].replace("at Initech.", "at Initech. The total of $1,250.00 stands until March 20, and "
                                "https://acme.example/q/7 has the details.")  # fmt: skip
    assert drafts.wrong(said, language="en", slots=slots, own_domains={"acme.example"}) is None
    assert drafts.wrong(said, language="en", slots=slots, own_domains={"other.example"}) is not None


@pytest.mark.parametrize("language", rulebook.LANGUAGES)
def test_every_template_would_pass_as_a_draft(language: str) -> None:
    refused = {}
    for name in rulebook.templates(language):
        if name.startswith("engagement"):
            for variant in range(3):
                body = rulebook.write(name, language, {**SLOTS, "variant": variant}).text
                if found := drafts.wrong(body, language=language, slots=SLOTS):
                    refused[name, variant] = found
    assert refused == {}


@given(st.text(max_size=400))
def test_no_text_at_all_makes_the_gate_fall(text: str) -> None:
    drafts.wrong(text, language="en", slots=SLOTS)
