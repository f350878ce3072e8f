"""Nothing secret, and nothing of one machine, is in the repository."""

from __future__ import annotations

import pytest

from tests.architecture import leaks

# In pieces, for the same reason as in the scanner.
LEAKS = {
    "private key": "-----BEGIN RSA PRIVATE " + "KEY-----",
    "Anthropic key": "ANTHROPIC_API_KEY=sk-" + "ant-api03-AbCdEfGhIjKlMnOpQrSt",
    "OpenAI key": "sk-" + "proj-AbCdEfGhIjKlMnOpQrStUvWx12",
    "Resend key": "re_" + "AbCdEfGh_1234567890abcdefGHIJ",
    "Google key": "AI" + "za" + "SyA1234567890abcdefghijklmnopqrstuv",
    "Google refresh token": "1//0" + "gAbCdEfGhIjKlMnOpQrStUvWxYz0123456789_-AbCd",
    "Google access token": "ya" + "29.a0AfH6SMBabcdefghijklmnopqrstuvwxyz",
    "GitHub token": "gh" + "p_" + "a" * 36,
    "AWS key": "AK" + "IA" + "ABCDEFGHIJKLMNOP",
    "Slack token": "xox" + "b-123456789012-abcdefghijkl",
    "Hourhand key": "hh" + "_acme_k1_" + "A" * 43,
    "webhook secret": "wh" + "sec_" + "c2VlZGVkLWRlZmVjdC1mb3ItdGhlLXNjYW5uZXI=",
    "assigned password": 'password = "' + "h7Gd92kLqPz81mNvXw45TyRb" + '"',
    "password in a URL": "postgresql://app:" + "s3cretpassw0rd@db.acme.example/hourhand",
    "registry host": "https://files.python" + "hosted.org/packages/x.whl",
    "download mirror": "http://deb.deb" + "ian.org/debian bookworm main",
    "path of one machine": 'open("/ho' + 'me/ana/hourhand/x.py")',
}
HARMLESS = [
    "DATABASE_URL=postgresql://hourhand_app:${POSTGRES_PASSWORD}@postgres/hourhand",
    "the default is /var/lib/hourhand, or ./.hourhand",
    "https://docs.acme.example/work/later",
    'password = os.environ["POSTGRES_PASSWORD"]',
    "api_key: SecretStr",
    "postgresql://postgres@/hourhand?host=/run/x",
]


def test_the_repository_holds_no_secret_registry_or_machine_path() -> None:
    assert not list(leaks.leaks())


@pytest.mark.parametrize("name", leaks.PATTERNS)
def test_each_kind_of_leak_is_found(name: str) -> None:
    assert any(found.endswith(name) for found in leaks.leaks_in(f"first line\n{LEAKS[name]}\n"))


@pytest.mark.parametrize("line", HARMLESS)
def test_what_only_looks_like_a_leak_passes(line: str) -> None:
    assert not list(leaks.leaks_in(line))


def test_a_finding_never_repeats_the_secret() -> None:
    assert "AbCdEfGh" not in "".join(leaks.leaks_in(LEAKS["Resend key"]))
