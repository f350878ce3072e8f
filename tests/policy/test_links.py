"""Links where a reader's program finds them, and links that lead on: no page of ours is a way out to anywhere."""

from __future__ import annotations

import pytest

from policy import links


@pytest.mark.parametrize(
    "target",
    [
        "https://acme.example/go?to=https://evil.example",
        "https://acme.example/go?to=%2F%2Fevil.example",
        "https://acme.example/go?to=%252F%252Fevil.example",
        "https://acme.example/r/https%3A%2F%2Fevil.example/x",
        "https://acme.example//evil.example/x",
        "https://acme.example/#//evil.example",
        "https://acme.example/go?to=http:/evil.example",
    ],
)
def test_a_link_that_holds_another_address_leads_on(target: str) -> None:
    assert links.canonical(target).trick == "it leads on to another address"


@pytest.mark.parametrize(
    "target",
    [
        "https://acme.example/", "https://acme.example/q/7?a=1&b=c/d#e", "https://acme.example/a/b.html",
        "https://acme.example/slots?at=2026-01-01T10:00:00", "https://acme.example/a:b/c",
    ],
)  # fmt: skip
def test_an_ordinary_link_does_not(target: str) -> None:
    assert links.canonical(target).trick is None


@pytest.mark.parametrize("target", ["tel:/http://evil.example", "mailto:/http://evil.example/x"])
def test_nothing_hides_behind_a_harmless_scheme(target: str) -> None:
    assert [link.trick for link in links.of_text(target)] == ["it leads on to another address"]


@pytest.mark.parametrize(
    "text",
    [
        "Good news :/http://evil.example/x", "1:/x:http://evil.example", "Visit:www.evil.example", "at=evil.com",
        "http:evil.com", "here/www.evil.example", "10:/www.evil.example",
    ],
)  # fmt: skip
def test_a_link_is_found_whatever_stands_right_before_it(text: str) -> None:
    assert any("evil." in link.host for link in links.of_text(text))


@pytest.mark.parametrize(
    "text", ["at 10:30.", "Re:Order.pdf", "see src/main.rs", "12:/", "write to mailto:jo@acme.example", "either/or.it"]
)
def test_ordinary_words_are_no_links(text: str) -> None:
    assert list(links.of_text(text)) == []
