"""Settings: what is unknown or of the wrong kind stops the start, in a sentence that names it and the mend."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest

from worker import settings
from worker.key_ring import parse_keys
from worker.settings import InvalidSettings

KEY = base64.b64encode(bytes(32)).decode()


def test_without_any_variable_everything_has_its_default() -> None:
    loaded = settings.load({})
    assert (loaded.host, loaded.port, loaded.send_mode, loaded.kill_switch) == ("127.0.0.1", 8321, "live", False)
    assert loaded.address == "http://127.0.0.1:8321"
    assert loaded.on_loopback


def test_a_question_to_a_model_is_over_before_a_stopping_process_gives_up() -> None:
    assert settings.load({}).question_seconds == 10
    assert settings.load({"HOURHAND_DRAIN_SECONDS": "6"}).question_seconds == 4
    assert settings.load({"HOURHAND_MODEL_DEADLINE_SECONDS": "3"}).question_seconds == 3


def test_an_empty_variable_counts_as_not_set() -> None:
    assert settings.load({"HOURHAND_PORT": "", "DATABASE_URL": " "}) == settings.load({})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("HOURHAND_PROT", "8321", "did you mean HOURHAND_PORT"),
        ("AGENT_KILL_SWICH", "true", "did you mean AGENT_KILL_SWITCH"),
        ("EMAIL_SEND_MOD", "live", "did you mean EMAIL_SEND_MODE"),
        ("AGENT_KILL_SWITCH", "maybe", "true or false"),
        ("EMAIL_SEND_DISABLED", "2", "true or false"),
        ("EMAIL_SEND_MODE", "test", "'dry_run'"),
        ("HOURHAND_PORT", "http", "integer"),
        ("HOURHAND_PORT", "70000", "65535"),
        ("HOURHAND_CONCURRENCY", "0", "greater than or equal to 1"),
        ("HOURHAND_SLOT_SPREAD_SECONDS", "7200", "3600"),
        ("HOURHAND_LOG_LEVEL", "loud", "'debug'"),
        ("HOURHAND_PUBLIC_URL", "acme.example", "https://host"),
        ("RESEND_API_URL", "ftp://resend", "https://host"),
        ("DATABASE_URL", "mysql://root@host/db", "postgresql://"),
        ("HOURHAND_MASTER_KEYS", "k1:short", "id:base64"),
        ("HOURHAND_MASTER_KEYS", f"k1:{KEY},k1:{KEY}", "each id once"),
    ],
)
def test_a_wrong_variable_is_named_with_its_mend(name: str, value: str, told: str) -> None:
    with pytest.raises(InvalidSettings, match=f"{name}: .*{re.escape(told)}"):
        settings.load({name: value})


def test_every_wrong_variable_is_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as refused:
        settings.load({"HOURHAND_PORT": "x", "AGENT_KILL_SWITCH": "perhaps", "HOURHAND_PORTT": "1"})
    assert all(name in str(refused.value) for name in ("HOURHAND_PORT:", "AGENT_KILL_SWITCH:", "HOURHAND_PORTT:"))


def test_other_programs_variables_are_none_of_our_business() -> None:
    settings.load({"PATH": "/bin", "HOME": "/", "RESEND_SOMETHING": "1", "DATABASE_POOL": "x"})


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "TRUE", " On "])
def test_a_switch_takes_plain_words(word: str) -> None:
    assert settings.load({"AGENT_KILL_SWITCH": word}).kill_switch


def test_no_secret_shows_in_errors_or_in_the_settings_themselves() -> None:
    secrets = {
        "HOURHAND_MASTER_KEYS": f"k1:{KEY}", "DATABASE_URL": "postgresql://hourhand_app:hunter2@db/hourhand",
        "CRON_SECRET": "hunter2", "RESEND_API_KEY": "re_hunter2", "SMTP_URL": "smtp://a:hunter2@host",
    }  # fmt: skip
    told = repr(settings.load(secrets))
    assert "hunter2" not in told
    assert KEY not in told
    with pytest.raises(InvalidSettings) as refused:
        settings.load({"HOURHAND_MASTER_KEYS": "k1:hunter2", "DATABASE_URL": "mysql://a:hunter2@db"})
    assert "hunter2" not in str(refused.value)


def test_master_keys_keep_their_order() -> None:
    assert list(parse_keys(f"new:{KEY}, old:{KEY}")) == ["new", "old"]


def test_the_data_folder_and_the_public_address_can_be_chosen(tmp_path: Path) -> None:
    loaded = settings.load({"HOURHAND_DATA_DIR": str(tmp_path), "HOURHAND_PUBLIC_URL": "https://hh.acme.example/"})
    assert loaded.folder == tmp_path
    assert loaded.address == "https://hh.acme.example"


def test_every_setting_is_described_in_a_sentence() -> None:
    described = settings.describe()
    assert len({each.name for each in described}) == len(described)
    assert all(each.description.endswith(".") for each in described)
    assert {"AGENT_KILL_SWITCH", "EMAIL_SEND_MODE", "DATABASE_URL", "CRON_SECRET"} <= {each.name for each in described}
