"""Links that lead on: a redirecting page on a domain of ours is no way out to anywhere."""

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
