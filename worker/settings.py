"""The process's settings: every environment variable it reads, checked by name and type before anything starts."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from worker.key_ring import parse_keys

OURS = ("HOURHAND_", "AGENT_", "EMAIL_SEND_")
"""Prefixes under which a name that we don't know is a mistake; others may be meant for other programs."""

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
DEFAULT_MODEL = "anthropic/claude-sonnet-5-5"
AFTER_A_QUESTION_SECONDS = 2.0
"""What is left of a process's last wait when its last question to a model is over: to write down what came of it."""
_MODEL = re.compile(r"rulebook|(?:anthropic|openai|gemini|local)/[\w.:/-]+")


class InvalidSettings(Exception):
    """The environment holds a setting that does not exist or can't be read."""


def _plain_yes_or_no(value: Any) -> Any:
    # pydantic's own list also takes "y", "t" and 2 forms of "on": a kill switch must not depend on such fine print
    if isinstance(value, str):
        told = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
        if value.strip().lower() not in told:
            raise ValueError("must be true or false")
        return told[value.strip().lower()]
    return value


YesNo = Annotated[bool, BeforeValidator(_plain_yes_or_no)]


class Settings(BaseSettings):
    """Read once at start. The field's alias is the variable's name, its description the README's sentence."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    # brakes that work without the database
    kill_switch: YesNo = Field(False, alias="AGENT_KILL_SWITCH", description="true stops the agent on this host.")
    kill_reason: str = Field("", alias="AGENT_KILL_SWITCH_REASON", description="Why; shown wherever the state is.")
    mail_disabled: YesNo = Field(False, alias="EMAIL_SEND_DISABLED", description="true stops mail alone, on this host.")
    send_mode: Literal["dry_run", "internal_only", "limited_live", "live"] = Field(
        "live",
        alias="EMAIL_SEND_MODE",
        description="The most that any tenant may do; the stricter of this and its own wins.",
    )
    flag_file: Path | None = Field(
        None,
        alias="HOURHAND_FLAG_FILE",
        description="While this file exists the host does nothing (default: STOP in the data folder).",
    )

    # where things are
    data_dir: Path | None = Field(
        None,
        alias="HOURHAND_DATA_DIR",
        description="Data folder of the embedded PostgreSQL and the key file (default: /var/lib/hourhand for root, "
        "else ./.hourhand).",
    )
    database_url: SecretStr | None = Field(
        None,
        alias="DATABASE_URL",
        description="PostgreSQL 17 or newer with pgvector, logging in as hourhand_app; empty: the embedded server.",
    )
    database_admin_url: SecretStr | None = Field(
        None,
        alias="DATABASE_ADMIN_URL",
        description="A role that may create roles; only used to upgrade the database at DATABASE_URL.",
    )
    public_url: str | None = Field(
        None,
        alias="HOURHAND_PUBLIC_URL",
        description="Where the API is reached from outside; unsubscribe links point there (default: its own address).",
    )
    host: str = Field(
        "127.0.0.1",
        alias="HOURHAND_HOST",
        description="Address to listen on; other than loopback only once an admin key exists.",
    )
    port: int = Field(8321, ge=0, le=65535, alias="HOURHAND_PORT", description="Port to listen on.")

    # secrets
    master_keys: SecretStr | None = Field(
        None,
        alias="HOURHAND_MASTER_KEYS",
        description="id:base64 of 32 bytes, several by commas: the first seals, all open (default: a key file in the "
        "data folder).",
    )
    cron_secret: SecretStr | None = Field(
        None, alias="CRON_SECRET", description="Opens POST /cron/agent and /cron/gmail for a scheduler of your own."
    )

    # the outside world
    gmail_api_url: str = Field("https://gmail.googleapis.com", alias="GMAIL_API_URL", description="Gmail's API.")
    google_token_url: str = Field(
        "https://oauth2.googleapis.com/token", alias="GOOGLE_TOKEN_URL", description="Google's token endpoint."
    )
    google_authorization_url: str = Field(
        "https://accounts.google.com/o/oauth2/v2/auth",
        alias="GOOGLE_AUTHORIZATION_URL",
        description="Google's consent page.",
    )
    google_client_id: str = Field(
        "", alias="GOOGLE_CLIENT_ID", description="The OAuth client that Gmail grants belong to."
    )
    google_client_secret: SecretStr | None = Field(
        None, alias="GOOGLE_CLIENT_SECRET", description="That client's secret."
    )
    resend_api_url: str = Field("https://api.resend.com", alias="RESEND_API_URL", description="Resend's API.")
    resend_api_key: SecretStr | None = Field(
        None, alias="RESEND_API_KEY", description="Used for tenants that have no Resend key of their own."
    )
    smtp_url: SecretStr | None = Field(
        None,
        alias="SMTP_URL",
        description="smtp://user:password@host:587 (STARTTLS), smtps://…:465 or smtp+plain://…:25, for tenants without "
        "their own.",
    )
    provider_deadline_seconds: float = Field(
        10.0, gt=0, le=60, alias="HOURHAND_PROVIDER_DEADLINE_SECONDS", description="Total time of one provider call."
    )

    # language models; without a key rules and templates do all the work
    models: str = Field(
        "",
        alias="HOURHAND_MODELS",
        description="Models as provider/name by commas, in the order in which they are asked, for tenants that set no "
        "order (default: Claude where there is a key, else none).",
    )
    anthropic_api_key: SecretStr | None = Field(
        None, alias="ANTHROPIC_API_KEY", description="Used for tenants that have no key of their own."
    )
    anthropic_base_url: str = Field(
        "https://api.anthropic.com",
        alias="ANTHROPIC_BASE_URL",
        description="Anthropic's API, or any server that speaks as it does.",
    )
    openai_api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY", description="The same for OpenAI.")
    openai_base_url: str = Field(
        "https://api.openai.com/v1", alias="OPENAI_BASE_URL", description="Where models called openai/… answer."
    )
    gemini_api_key: SecretStr | None = Field(None, alias="GEMINI_API_KEY", description="The same for Gemini.")
    gemini_api_url: str = Field(
        "https://generativelanguage.googleapis.com", alias="GEMINI_API_URL", description="Gemini's API."
    )
    local_model_url: str | None = Field(
        None,
        alias="HOURHAND_LOCAL_MODEL_URL",
        description="A server of your own with OpenAI's interface, where models called local/… answer.",
    )
    model_deadline_seconds: float = Field(
        10.0,
        gt=0,
        le=18,
        alias="HOURHAND_MODEL_DEADLINE_SECONDS",
        description="Total time of one question to models, whoever answers in the end; a stop waits for it. "
        "A stopping process does too, so that it is never more than HOURHAND_DRAIN_SECONDS less two.",
    )

    # who is told of the whole house
    alert_webhook_url: str | None = Field(
        None, alias="HOURHAND_ALERT_WEBHOOK_URL", description="Where the house's own alerts are posted, signed."
    )
    alert_webhook_secret: SecretStr | None = Field(
        None, alias="HOURHAND_ALERT_WEBHOOK_SECRET", description="Signs what is posted there."
    )
    alive_url: str | None = Field(
        None,
        alias="HOURHAND_ALIVE_URL",
        description="Pinged every minute while all is well, so that somebody outside notices silence.",
    )
    private_webhooks: YesNo = Field(
        False,
        alias="HOURHAND_PRIVATE_WEBHOOKS",
        description="true lets webhooks lead to loopback and private addresses, and over http.",
    )

    # the process
    concurrency: int = Field(4, ge=1, le=64, alias="HOURHAND_CONCURRENCY", description="Cycles at once in one process.")
    mailbox_concurrency: int = Field(
        2, ge=1, le=32, alias="HOURHAND_MAILBOX_CONCURRENCY", description="Mailbox jobs at once in one process."
    )
    slot_spread_seconds: int = Field(
        300,
        ge=1,
        le=3600,
        alias="HOURHAND_SLOT_SPREAD_SECONDS",
        description="New tenants' hourly slots are spread over this much of the hour; 3600 for fleets.",
    )
    queue_depth: int = Field(
        2000,
        ge=10,
        le=10_000,
        alias="HOURHAND_QUEUE_DEPTH",
        description="The ticker leaves tenants due while this many jobs wait.",
    )
    poll_seconds: float = Field(
        0.5, gt=0, le=60, alias="HOURHAND_POLL_SECONDS", description="How often a worker asks for jobs."
    )
    heartbeat_seconds: float = Field(
        10.0, gt=0, le=60, alias="HOURHAND_HEARTBEAT_SECONDS", description="How often a worker says that it lives."
    )
    stalled_seconds: float = Field(
        30.0,
        gt=0,
        le=600,
        alias="HOURHAND_STALLED_SECONDS",
        description="Silence after which a worker's jobs are taken over.",
    )
    drain_seconds: float = Field(
        13.0,
        ge=0,
        le=600,
        alias="HOURHAND_DRAIN_SECONDS",
        description="How long a stopping process waits for work under way.",
    )
    clock_shift_seconds: int = Field(
        0,
        alias="HOURHAND_CLOCK_SHIFT_SECONDS",
        description="For rehearsals: moves the process's clock. Refused unless every vendor's address is on loopback.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", alias="HOURHAND_LOG_LEVEL", description="Least serious kind of line that is logged to stderr."
    )

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource, dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:  # fmt: skip
        """Only what `load` hands over: it knows unknown names too, and no forgotten .env file steers an agent."""
        return (init_settings,)

    @field_validator("models")
    @classmethod
    def _models(cls, value: str) -> str:
        if wrong := [each for each in _listed(value) if not _MODEL.fullmatch(each)]:
            raise ValueError(f"{wrong[0]!r} is no model: write provider/name (anthropic, openai, gemini, local)")
        return value

    @field_validator(
        "public_url", "gmail_api_url", "google_token_url", "google_authorization_url", "resend_api_url",
        "anthropic_base_url", "openai_base_url", "gemini_api_url", "local_model_url",
        "alert_webhook_url", "alive_url",
    )  # fmt: skip
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an address such as https://host")
        return value.rstrip("/")

    @field_validator("database_url", "database_admin_url")
    @classmethod
    def _postgres(cls, value: SecretStr | None) -> SecretStr | None:
        if value and urlsplit(value.get_secret_value()).scheme not in ("postgresql", "postgres"):
            raise ValueError("must be an address such as postgresql://hourhand_app:password@host/hourhand")
        return value

    @field_validator("master_keys")
    @classmethod
    def _keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value:
            parse_keys(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _rehearsals_stay_at_home(self) -> Settings:
        vendors = (self.gmail_api_url, self.google_token_url, self.resend_api_url)
        if self.clock_shift_seconds and not (
            all(urlsplit(each).hostname in LOOPBACK for each in vendors) and self.smtp_url is None
        ):
            raise ValueError(
                "a clock moved by HOURHAND_CLOCK_SHIFT_SECONDS is for rehearsals: point GMAIL_API_URL, "
                "GOOGLE_TOKEN_URL and RESEND_API_URL at loopback and leave out SMTP_URL, or remove the shift"
            )
        return self

    @model_validator(mode="after")
    def _what_is_posted_is_signed(self) -> Settings:
        if self.alert_webhook_url and self.alert_webhook_secret is None:
            raise ValueError("HOURHAND_ALERT_WEBHOOK_URL needs HOURHAND_ALERT_WEBHOOK_SECRET to sign with")
        return self

    @property
    def folder(self) -> Path:
        """The data folder."""
        from worker.embedded import default_data_dir

        return self.data_dir.expanduser().resolve() if self.data_dir else default_data_dir({})

    @property
    def address(self) -> str:
        """Where our own pages answer, without a trailing slash."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{host}:{self.port}"

    @property
    def model_order(self) -> tuple[str, ...]:
        """The models that the house asks, in their order."""
        if self.models:
            return tuple(_listed(self.models))
        return (DEFAULT_MODEL,) if self.anthropic_api_key else ()

    @property
    def question_seconds(self) -> float:
        """How long a question to models may take: a process that is told to end must live to see its answer."""
        return min(self.model_deadline_seconds, max(1.0, self.drain_seconds - AFTER_A_QUESTION_SECONDS))

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the API."""
        return self.host in LOOPBACK


class Described(BaseModel):
    """One setting as the README lists it."""

    model_config = ConfigDict(frozen=True)

    name: str
    default: str
    description: str


def load(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment. Raises InvalidSettings, which names each variable and the mend."""
    given = dict(os.environ if environment is None else environment)
    wrong = _unknown(given)
    kept = {name: given[name] for name in _names() if given.get(name, "").strip()}
    try:
        settings = Settings.model_validate(kept)
    except ValidationError as error:
        wrong += [": ".join(filter(None, (".".join(map(str, one["loc"])), _told(one)))) for one in error.errors()]
    if wrong:
        raise InvalidSettings("; ".join(wrong))
    return settings


def describe() -> list[Described]:
    """Every setting, in the order of this page."""
    described = []
    for field in Settings.model_fields.values():
        default = "" if field.default is None else str(field.default)
        default = default.lower() if isinstance(field.default, bool) else default
        described.append(Described(name=str(field.alias), default=default, description=field.description or ""))
    return described


def _listed(told: str) -> list[str]:
    return [each.strip() for each in told.split(",") if each.strip()]


def _names() -> list[str]:
    return [str(field.alias) for field in Settings.model_fields.values()]


def _unknown(given: Mapping[str, str]) -> list[str]:
    known = _names()
    wrong = []
    for name in sorted(given):
        if name.startswith(OURS) and name not in known:
            close = get_close_matches(name, known, n=1)
            wrong.append(f"{name}: there is no such setting; {f'did you mean {close[0]}' if close else 'remove it'}")
    return wrong


def _told(error: Any) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    return message[:1].lower() + message[1:]
