"""Answers to questions about an order: what plainly stands there is taken, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from brain.reading.order_answers import LONGEST, find

ALL = ("borrower_contact", "property_address", "property_contact")


def details(text: str, *asked: str, region: str = "US") -> dict[str, str]:
    """Everything that was understood, in one."""
    found = find(text, asked or ALL, region=region)
    return {name: told for answer in found.values() for name, told in answer.details.items()}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Borrower: Jane Roe, 217-555-0123\nProperty address: 12 Elm Street, Springfield, IL 62704",
            {"borrower_name": "Jane Roe", "borrower_phone": "+12175550123",
             "property_address": "12 Elm Street, Springfield, IL 62704"},
        ),
        (
            "Sure!\n- The borrower is Jane O'Neil (jane@oneil.example)\n- the property is at 9 Oak Ave\n"
            "Springfield, IL 62704",
            {"borrower_name": "Jane O'Neil", "borrower_email": "jane@oneil.example",
             "property_address": "9 Oak Ave, Springfield, IL 62704"},
        ),
        (
            "1) Jane Roe\n   tel. (217) 555-0123\n2) 12 Elm Street, Springfield\n3) Tom Park - tom@park.example",
            {"borrower_name": "Jane Roe", "borrower_phone": "+12175550123",
             "property_address": "12 Elm Street, Springfield", "property_contact_name": "Tom Park",
             "property_contact_email": "tom@park.example"},
        ),
        (
            "For access please call Tom Park at 217-555-0188.",
            {"property_contact_name": "Tom Park", "property_contact_phone": "+12175550188"},
        ),
    ],
)  # fmt: skip
def test_what_is_named_or_numbered_is_taken(text: str, told: dict[str, str]) -> None:
    assert details(text) == told


@pytest.mark.parametrize(
    ("text", "region", "told"),
    [
        (
            "Prestatario: José Núñez, +34 612 345 678\nDirección de la propiedad: Calle Mayor 14, 28013 Madrid", "ES",
            {"borrower_name": "José Núñez", "borrower_phone": "+34612345678",
             "property_address": "Calle Mayor 14, 28013 Madrid"},
        ),
        (
            "Mutuária: Inês Araújo, ines@araujo.example\nEndereço do imóvel: Rua Augusta 100, São Paulo", "BR",
            {"borrower_name": "Inês Araújo", "borrower_email": "ines@araujo.example",
             "property_address": "Rua Augusta 100, São Paulo"},
        ),
    ],
)  # fmt: skip
def test_answers_are_understood_in_three_languages(text: str, region: str, told: dict[str, str]) -> None:
    assert details(text, region=region) == told


def test_the_only_answer_to_the_only_question_needs_no_name() -> None:
    assert details("Sorry! It is 12 Elm Street, Springfield, IL 62704.\n\nBill", "property_address") == {
        "property_address": "12 Elm Street, Springfield, IL 62704"}  # fmt: skip
    assert details("Jane Roe, 217-555-0123", "borrower_contact")["borrower_name"] == "Jane Roe"
    assert details("lockbox code: 4711", "lockbox_code") == {"lockbox_code": "4711"}


@pytest.mark.parametrize(
    "text",
    [
        "", "I don't know yet.", "Property address: TBD", "Borrower: I will find out later", "Property address?",
        "Which property do you mean?", "Borrower: Jane Roe", "Property address: soon", "Please call me on Thursday.",
        "1. see attached\n2. see attached", "Dirección: no lo sé", "The address is wrong",
    ],
)  # fmt: skip
def test_what_is_put_off_asked_back_or_half_is_no_answer(text: str) -> None:
    assert details(text) == {}


def test_two_candidates_are_none() -> None:
    assert (
        details("12 Elm Street, Springfield, IL 62704\n9 Oak Avenue, Springfield, IL 62704", "property_address") == {}
    )


@given(st.text(max_size=400), st.lists(st.sampled_from([*ALL, "po_number"]), unique=True))
def test_any_text_is_read_without_an_error(text: str, asked: list[str]) -> None:
    for what, answer in find(text, asked).items():
        assert what in asked
        assert all(told and len(told) <= LONGEST for told in answer.details.values())
