"""A tenant's settings: every number of the product page that a tenant may change, with its default and its limits."""

from __future__ import annotations

import functools
import json
from datetime import datetime, time
from decimal import Decimal
from difflib import get_close_matches
from enum import IntEnum
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from domain import addresses, alerts, audit, cards, events, order_queue, rest_news, schedule, shadows
from domain.db import Tx

Autonomy = Literal["suggest", "approve", "auto"]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
AtLeastOne = Annotated[int, Field(ge=1, le=1_000_000)]
Days = Annotated[int, Field(ge=0, le=3_650)]
Hours = Annotated[float, Field(ge=0, le=8_760)]
"""At most a year: what has no end makes moments that can't be written."""
ModelName = Annotated[str, Field(max_length=120, pattern=r"^(?:rulebook|(?:anthropic|openai|gemini|local)/[\w.:/-]+)$")]
OneLine = Annotated[str, Field(max_length=320, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Mode(IntEnum):
    """Send modes, strictest first: of two, the smaller wins."""

    dry_run = 0
    internal_only = 1
    limited_live = 2
    live = 3


UNREADABLE = "settings_invalid"
"""The alert that is open while a stored setting lets the agent rest."""


class InvalidSetting(Exception):
    """A setting has no such name or not this kind of value."""


class TenantSettings(BaseModel):
    """What one tenant has set; unknown names and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    # who the tenant is in its mails
    sender_name: OneLine = ""
    sender_address: OneLine = ""
    postal_address: str = Field(default="", max_length=500)
    reply_to: OneLine = ""
    language: Literal["en", "es", "pt"] = "en"
    country: str = Field(default="US", pattern="^[A-Z]{2}$")
    timezone: str = "UTC"
    registered_domains: tuple[str, ...] = ()
    """Domains that links in outgoing mail may point to, subdomains included."""

    # the outward brakes
    send_mode: Literal["dry_run", "internal_only", "limited_live", "live"] = "dry_run"
    provider: Literal["resend", "smtp"] = "resend"
    allow_list: tuple[str, ...] = ()
    """Addresses and domains that `internal_only` may reach."""
    max_emails_per_hour: Count = 20
    sends_per_second: float = Field(default=5.0, ge=0.1, le=1_000)
    """The provider's own pace; Resend lets a team make 5 requests a second."""
    limited_live_emails_per_day: Count = 25
    limited_live_new_contacts_per_day: Count = 5
    max_research_per_hour: Count = 5
    max_sandbox_jobs_per_hour: Count = 5
    max_actions_per_hour: dict[str, Count] = Field(default_factory=dict)
    """Further caps by action type."""
    max_people_per_account_per_day: AtLeastOne = 2
    max_emails_per_campaign_per_day: Count = 100
    max_follow_ups: Count = 4
    minimum_gap_hours: Hours = 72
    conversation_gap_hours: Hours = 24
    send_window_start: time = time(8, 30)
    send_window_end: time = time(17, 30)
    mass_recipients: AtLeastOne = 5
    autonomy: dict[str, Autonomy] = Field(default_factory=dict)
    """By action type; what is not named is `auto`."""
    approval_hours: Hours = Field(default=48, gt=0)
    latest_hours: Hours = Field(default=24, gt=0)
    latest_reply_hours: Hours = Field(default=8, gt=0)
    person_silence_hours: Hours = 72
    """How long the agent stays out of a thread after a person of the tenant wrote in it."""

    # breakers
    bounce_breaker_count: AtLeastOne = 5
    bounce_breaker_rate: float = Field(default=0.02, gt=0, le=1)
    complaint_breaker_count: AtLeastOne = 2
    complaint_breaker_rate: float = Field(default=0.001, gt=0, le=1)

    # mail in
    sender_ceiling_per_hour: AtLeastOne = 20
    """Past so many messages from one sender within an hour they are kept, and nothing more is made of them."""
    out_of_office_days: int = Field(default=7, ge=1, le=90)
    """How long an absence counts that names no return."""

    # alerts
    alert_webhook_url: OneLine = ""
    """Where alerts are posted, signed with the credential `alert_webhook_secret`; empty: nowhere."""

    # engagement
    engagement_days: Days = Field(default=21, ge=1)
    due_soon_days: Days = 3
    follow_up_days: tuple[Days, ...] = Field(default=(4, 4, 5, 5), max_length=4)
    """Days from each mail of a sequence to its next follow-up."""
    touches_per_cycle: AtLeastOne = 50

    # deals
    deal_follow_ups_per_cycle: AtLeastOne = 25
    deal_urgent_after: Count = 3
    """So many follow-ups without an answer, and the next is urgent."""
    deal_tone: Literal["warm", "plain"] = "warm"

    # quotes
    quote_prefix: str = Field(default="Q-", pattern=r"^[A-Za-z0-9/-]{0,12}$")
    """What a quote's number begins with."""
    quote_validity_days: int = Field(default=30, ge=1, le=365)
    quote_tax_percent: Decimal = Field(default=Decimal(0), ge=0, le=100, decimal_places=2)
    """The tax of a line that names none."""
    quote_follow_up_days: tuple[Days, ...] = Field(default=(3, 6, 9), max_length=3)
    """Days after sending; one more follow-up comes last, as the next two say."""
    quote_last_follow_up_days: Days = 12
    quote_last_follow_up_hours: Hours = 48
    """The last follow-up goes out so long before the quote expires, if that is later than those days after sending."""
    quote_scan_seconds: Count = 60
    """Whoever opens a quote, or a page that asks for feedback, so soon after its mail is taken for a mail scanner."""
    quotes_per_cycle: AtLeastOne = 50
    send_requested_quotes: bool = False
    """Whether a quote that a mail asked for goes out without approval where the catalogue knows all of it."""

    # feedback
    ask_feedback: bool = True
    """Whether clients are asked what they think of what they got."""
    feedback_days: Days = 7
    """Days from an order's delivery to the question."""
    feedback_latest_days: Days = Field(default=21, ge=1)
    """Past so many days more nobody is asked: it would be too late."""
    feedback_again_days: Days = 90
    """Nobody is asked twice within so many days."""
    feedback_answer_days: int = Field(default=45, ge=1, le=365)
    """How long an answer is waited for, and how long its link opens."""
    feedback_change_days: Days = 7
    """How long an answer may be changed."""
    feedback_reminders: int = Field(default=0, ge=0, le=1)
    """How often somebody who does not answer is reminded."""
    feedback_reminder_days: Days = Field(default=7, ge=1)
    feedback_per_cycle: AtLeastOne = 50
    feedback_thanks: bool = False
    """Whether praise by mail is answered by a word of thanks; the page thanks everybody."""
    send_service_recovery: bool = False
    """Whether a dissatisfied client is written to without approval."""

    # compliance
    compliance_window_days: int = Field(default=14, ge=0, le=90)
    """So long before it falls due a check is made, and whoever lacks something is asked."""
    compliance_escalate_days: Days = 7
    """So long after it was due a check is taken to the manager."""
    compliance_reminder_days: Days = Field(default=5, ge=1)
    """Days from one request to the next."""
    compliance_max_reminders: Count = 3
    compliance_answer_days: Days = 3
    """So long after somebody of the account has written nobody there is asked again."""
    compliance_checks_per_cycle: AtLeastOne = 5_000
    """So many records are looked at in one hour for new checks; the rest follows in the next ones."""
    compliance_reminders_per_cycle: AtLeastOne = 50
    compliance_escalations_per_cycle: AtLeastOne = 50

    # the brain
    model_order: tuple[ModelName, ...] = Field(default=(), max_length=5)
    """Models as provider/name in the order in which they are asked; empty is the house's own order."""
    model_order_by_question: dict[str, tuple[ModelName, ...]] = Field(default_factory=dict)
    """Other orders for single questions, by the question's name."""
    model_cheaper: ModelName = "anthropic/claude-haiku-5-5"
    """What is asked once 80 % of a day's budget is used."""
    model_usd_per_day: Decimal = Field(default=Decimal(2), ge=0, le=10_000, decimal_places=6)
    model_tokens_per_day: int = Field(default=2_000_000, ge=0, le=1_000_000_000)
    max_model_calls_per_hour: Count = 300
    keep_model_contents: bool = False
    """Whether prompts and answers are kept beside the figures of each call."""
    model_contents_days: int = Field(default=14, ge=1, le=90)
    mask_personal_data: bool = False
    """Whether names, addresses, phones and identity numbers are masked before anything goes to a provider."""

    # orders
    price_tolerance_percent: Decimal = Field(default=Decimal(5), ge=0, le=100)
    """How far a price may lie from the catalogue's, where the product itself names no tolerance."""
    order_answer_days: Days = 3
    """How long a client's answer to a question about an order is waited for, before a person sees to it."""
    orders_per_cycle: AtLeastOne = 200
    accept_mail_orders: bool = False
    """Whether an order that came by mail and is right is accepted; otherwise it stays a draft for a person."""

    won_deals_become: Literal["order", "draft", "nothing"] = "order"
    """What a won deal's accepted quote becomes: an order that is checked, a draft for a person, or nothing."""

    # what is kept, in days; 0: for good
    keep_message_days: Days = 0
    """Of mails and their files: who wrote to whom, when, and what became of it stays."""
    keep_event_days: Days = 0
    keep_run_days: Days = 0
    """Of hours with their ledgers and reflections."""
    keep_verdict_days: Days = 0

    # the cycle
    cycle_deadline_minutes: float = Field(default=20, gt=0, le=1_440)
    reconsider_hours: Hours = 24
    """How long a blocked, rejected or failed intention rests before it may be proposed again."""
    figures_rows_per_hour: AtLeastOne = 20_000
    """From so many records an engine's numbers are counted in an hour; of more they are counted less often."""

    @field_validator("allow_list", "registered_domains")
    @classmethod
    def _lower(cls, values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.strip().lower().lstrip("@") for value in values if value.strip())

    @field_validator("sender_address", "reply_to")
    @classmethod
    def _reachable(cls, value: str) -> str:
        try:
            return value and addresses.normalise(value) and value.strip()
        except addresses.InvalidAddress as error:
            raise ValueError(str(error)) from error

    @field_validator("alert_webhook_url")
    @classmethod
    def _an_address_on_the_web(cls, value: str) -> str:
        parts = urlsplit(value.strip())
        if value.strip() and (parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc):
            raise ValueError("must be an address such as https://host/path, without a login in it")
        return value.strip()

    @field_validator("autonomy", "max_actions_per_hour")
    @classmethod
    def _by_known_types(cls, values: dict[str, Any]) -> dict[str, Any]:
        if unknown := set(values) - cards.TYPES:
            raise ValueError(f"there is no action type {', '.join(sorted(unknown))}")
        return values

    @model_validator(mode="after")
    def _a_day_has_a_window(self) -> TenantSettings:
        if self.send_window_start >= self.send_window_end:
            raise ValueError("send_window_start must come before send_window_end")
        return self

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is no time zone: write it like Europe/Madrid") from error

    @property
    def mode(self) -> Mode:
        """The tenant's own send mode."""
        return Mode[self.send_mode]

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's own time zone."""
        return ZoneInfo(self.timezone)


def of(tx: Tx) -> TenantSettings:
    """The tenant's settings as they stand when a transaction begins. Raises InvalidSetting."""
    if "settings" not in tx.memo:
        told = tx.settings_told
        if told is None:
            told = tx.value("SELECT settings::text FROM tenants WHERE tenant_id = :t", t=tx.tenant_id)
        tx.memo["settings"] = _parsed(told or "{}")
    chosen: TenantSettings = tx.memo["settings"]
    return chosen


def readable(tx: Tx) -> TenantSettings:
    """The tenant's settings as far as they can be read; what can't counts as not set.

    For what no broken setting may stop: taking in mail, opt-outs and bounces. Whatever goes out asks `of`.
    """
    return tx.memo.get("settings") or _as_far_as_valid(_stored(tx))


def _stored(tx: Tx) -> dict[str, Any]:
    return tx.value("SELECT settings FROM tenants WHERE tenant_id = :t", t=tx.tenant_id) or {}


@functools.lru_cache(maxsize=4096)
def _parsed(stored: str) -> TenantSettings:
    """They are read in every transaction and hardly ever change."""
    return parse(json.loads(stored))


def parse(stored: dict[str, Any]) -> TenantSettings:
    """Settings from their stored or given form. Raises InvalidSetting, which names the field."""
    try:
        return TenantSettings.model_validate(stored)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "settings"
        raise InvalidSetting(f"{field}: {_mend(field, first)}") from error


def _mend(field: str, wrong: Any) -> str:
    if wrong["type"] != "extra_forbidden":
        return str(wrong["msg"]).removeprefix("Value error, ")
    close = get_close_matches(field, TenantSettings.model_fields, n=1)
    return f"there is no such setting{f'; did you mean {close[0]}' if close else ''}"


def change(tx: Tx, changes: dict[str, Any], *, reason: str | None = None) -> TenantSettings:
    """Change some settings; every change makes a new policy version, which voids approvals given under the old one.

    Leaving dry_run forgets the shadow clocks, so that planning starts again from the real ones. Raises InvalidSetting.
    """
    # no key: whoever writes rows of the tenant holds its key until they commit, and a change of mode waits for no plan
    stored = dict(tx.value("SELECT settings FROM tenants WHERE tenant_id = :t FOR NO KEY UPDATE", t=tx.tenant_id) or {})
    # names that nothing reads any more go with the next change
    stored = {name: value for name, value in stored.items() if name in TenantSettings.model_fields}
    # what a later version no longer takes must still be open to mending
    before = _as_far_as_valid(stored)
    after = parse({**stored, **changes})
    kept = after.model_dump(mode="json", exclude_defaults=True)
    tx.memo.pop("settings", None)
    tx.settings_told = None
    tx.run(
        """UPDATE tenants SET settings = :settings, policy_version = policy_version + 1, updated_at = :now
           WHERE tenant_id = :t""",
        settings=kept, now=tx.now, t=tx.tenant_id,
    )  # fmt: skip
    names = ", ".join(sorted(changes))
    audit.record(
        tx, "settings.change", names, reason=reason, after=_json(changes),
        before={n: getattr(before, n) for n in changes
                if n in TenantSettings.model_fields and _plain(getattr(before, n))},
    )  # fmt: skip
    events.record(tx, "settings.changed", "tenant", tx.tenant_id, names=sorted(changes))
    # whatever was stored before can be read now
    alerts.resolve(tx, UNREADABLE, by=tx.actor)
    if before.price_tolerance_percent != after.price_tolerance_percent:
        order_queue.judged_otherwise(tx, ["FEE_OFF_CATALOGUE", "LINE_OFF_CATALOGUE"])
    # by some of them it is judged what can be done, and how many at once
    rest_news.of_all(tx)
    if before.mode != after.mode:
        shadows.forget(tx)
        schedule.bring_forward(tx, tx.now)
        events.record(tx, "mode.changed", "tenant", tx.tenant_id, before=before.send_mode, after=after.send_mode)
    return after


def changed_since(tx: Tx, moment: datetime) -> bool:
    """Whether any setting may have been changed after `moment`."""
    return bool(tx.value("SELECT updated_at > :moment FROM tenants WHERE tenant_id = :t",
                         moment=moment, t=tx.tenant_id))  # fmt: skip


def policy_version(tx: Tx) -> int:
    """The number of the policy in force; it rises with every change of a setting."""
    return int(tx.value("SELECT policy_version FROM tenants WHERE tenant_id = :t", t=tx.tenant_id))


def _as_far_as_valid(stored: dict[str, Any]) -> TenantSettings:
    kept = dict(stored)
    while kept:
        try:
            return TenantSettings.model_validate(kept)
        except ValidationError as error:
            # an error without a place is about fields that don't fit together: the window's
            wrong = {each["loc"][0] for each in error.errors() if each["loc"]} or {"send_window_start"} & set(kept)
            kept = {name: value for name, value in kept.items() if name not in (wrong or kept)}
    return TenantSettings()


def _plain(value: Any) -> bool:
    return isinstance(value, str | int | float | bool | None.__class__ | UUID)


def _json(changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value if _plain(value) else str(value) for name, value in changes.items()}
