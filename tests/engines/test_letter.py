"""What a touch says: the right language, and a name only where it surely is one."""

from __future__ import annotations

import pytest

from domain.settings import TenantSettings
from engines import greeting


@pytest.mark.parametrize(
    ("name", "greeted"),
    [
        ("Ana Lopez", "Ana"),
        ("Lopez, Ana", "Ana"),
        ("Dr. Ana Lopez", "Ana"),
        ("María José García", "María"),
        ("JOHN SMITH", "John"),
        ("Jean-Luc Picard", "Jean-Luc"),
        ("Ken O'Neill", "Ken"),
        ("Accounts Payable", ""),
        ("Recepción", ""),
        ("Equipe de Administração", ""),
        ("jsmith", ""),
        ("info", ""),
        ("ana.lopez", ""),
        ("ana@initech.example", ""),
        ("4711", ""),
        ("", ""),
        ("{{ 7*7 }}", ""),
    ],
)
def test_only_a_persons_own_name_is_greeted(name: str, greeted: str) -> None:
    assert greeting.first_name(name) == greeted


@pytest.mark.parametrize(
    ("said", "language"),
    [
        (("es", "pt"), "es"),
        ((None, "pt-BR"), "pt"),
        (("fr", "es_MX"), "es"),
        (("fr", None), "en"),
        ((None, None), "en"),
    ],
)
def test_the_contacts_language_comes_before_the_accounts_and_the_tenants(
    said: tuple[str | None, ...], language: str
) -> None:
    assert greeting.language(said, TenantSettings(language="en")) == language
