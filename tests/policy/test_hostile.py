"""Whatever a mail, a model or an import puts into a card, judging it ends in verdicts and never in an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from time import process_time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cards import Card
from domain.ports import OutboundMail
from domain.settings import Mode, TenantSettings
from policy import content, windows
from policy.judge import judge
from policy.model import Facts, Message, Person
from policy.windows import Hours

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
ID = UUID(int=7)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from([
    "basis", "message_id", "quote", "trigger", "check_id", "due_at", "goals", "pipeline", "backed", "operation", "ids",
    "count", "delete", "code", "campaign_id", "answers_message_id", "mode", "action", "where",
])  # fmt: skip
PAYLOADS = st.dictionaries(
    NAMES, JSON | st.sampled_from(["client_request", "delete", "all", "legal_threat"]), max_size=6
)
TYPES = st.sampled_from(
    ["send_email", "follow_up", "create_task", "research", "run_script", "update_deal", "broadcast_email"]
)


def card(kind: str, payload: Mapping[str, Any]) -> Card:
    return Card(
        id=ID, type=kind, state="queued", engine="engagement", run_id=None, title="", client_id=ID, contact_id=ID,
        thread_id=None, subject_type="contact", subject_id="7", payload=payload, evidence=payload, priority=0,
        dedupe_key="k", due_at=NOW, not_before=NOW, latest_at=datetime(2026, 3, 3, tzinfo=UTC), reason=None, rule=None,
        outcome={}, attempts=0, owner=None, fence=None, executing_until=None, reserved_at=None, idempotency_key=None,
        provider_id=None, resolve_after=None, approval_hash=None, approval_expires_at=None, approved_by=None,
        approved_at=None, created_at=NOW, state_changed_at=NOW,
    )  # fmt: skip


def facts(kind: str, payload: Mapping[str, Any], mail: OutboundMail | None, **changes: Any) -> Facts:
    hours = Hours(ZoneInfo("America/New_York"), "US", time(8, 30), time(17, 30))
    made = Facts(
        now=NOW, card=card(kind, payload), settings=TenantSettings(), policy_version=1, mode=Mode.live, mail=mail,
        content=content.read(mail, payload) if mail else None, recipients=mail.to if mail else (), hours=hours,
        wall=hours.local(NOW), hour=windows.hour_of(NOW), day=windows.day_of(NOW, hours.zone),
        person=Person(ID, ID, frozenset({"bill@initech.example"}), "client", True, None, None, frozenset(), (), False),
        evidence=Message(ID, True, "reply", frozenset(), "bill@initech.example", ID, ID, "Can you call me?"),
    )  # fmt: skip
    return replace(made, **changes)


def letter(text: str, **changes: Any) -> OutboundMail:
    plain = OutboundMail(
        ID, "k", "<m@acme.example>", "Ana <ana@acme.example>", ("bill@initech.example",), "Hello", text
    )
    return replace(plain, **changes)


@given(TYPES, PAYLOADS)
def test_no_payload_makes_judging_fail(kind: str, payload: dict[str, Any]) -> None:
    judged = judge(facts(kind, payload, letter("Hello")))
    json.dumps([verdict.stored() for verdict in judged.verdicts])


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=60))
def test_no_text_makes_judging_fail(text: str, source: str, subject: str) -> None:
    mail = letter(text, html=source, subject=subject)
    assert judge(facts("send_email", {}, mail)).verdicts


@given(
    st.lists(
        st.sampled_from(
            ["<a href=", '"', "'", ">", "http://", "evil.example", "@", "\\", "﹫", "%40", "xn--", ".", "。", " "]
        ),
        max_size=12,
    )
)
def test_no_link_makes_judging_fail(parts: list[str]) -> None:
    assert judge(facts("send_email", {}, letter("".join(parts), html="".join(parts)))).verdicts


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=4))
def test_no_header_makes_judging_fail(headers: dict[str, str]) -> None:
    assert judge(facts("send_email", {}, letter("Hello", headers=headers))).verdicts


@pytest.mark.parametrize(
    "piece",
    [
        "a ", "1", "1 ", "a.", "a-", "<a ", '<a href="', "a:/", "we will ", "new bank ", "password is ", "es91 ", "$ ",
        "1,111", "a@", "www.", "data:a/", "we guarantee ", "a offer your ", "<style>", "&amp;", "user name: a ", "\n",
        "take legal ",
    ],
)  # fmt: skip
def test_no_text_is_searched_for_long(piece: str) -> None:
    """Ten times the text takes some ten times as long, where a quadratic search would take a hundred times."""
    short, long = (piece * (size // len(piece)) for size in (3_000, 30_000))

    def spent(text: str) -> float:
        began = process_time()
        content.search.__wrapped__("Hello", text, text, ())
        return process_time() - began

    spent(short)
    assert spent(long) < 40 * max(spent(short), 0.002)


@pytest.mark.parametrize("rule", ["recipient_truth.own_contact", "no_spam.opted_out"])
def test_neither_mode_nor_approval_opens_what_is_blocked(rule: str) -> None:
    mail = letter("Hello", to=("evil@evil.example",))
    for mode in Mode:
        stopped = facts("send_email", {}, mail, mode=mode, recipients=mail.to, suppressed={mail.to[0]: "opted_out"})
        judged = judge(stopped)
        assert judged.decision == "block"
        assert rule in {verdict.rule for verdict in judged.verdicts if verdict.decision == "block"}
