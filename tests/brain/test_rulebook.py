"""The rulebook: mails a person could have written, and an hour told without one invented number."""

from __future__ import annotations

import re
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from brain import rulebook
from brain.rulebook import LANGUAGES, TemplateFailed, reflect, unsupported_numbers, write

SLOTS: dict[str, Any] = {
    "first_name": "Ana", "client_name": "Initech", "sender_name": "Maya Cole", "company": "Acme", "variant": 0,
    "thread_subject": "Checking in from Acme", "deal_title": "New shelves", "tone": "warm",
}  # fmt: skip
ENGAGEMENT = ["engagement_first_touch", *(f"engagement_follow_up_{at}" for at in range(1, 5))]
EVERY = [(name, language, variant) for language in LANGUAGES for name in ENGAGEMENT
         for variant in ((0, 1, 2) if name.endswith("touch") else (0,))]  # fmt: skip
DEALS = [f"deal_follow_up_{at}" for at in range(1, 5)]
COMMITMENTS = re.compile(
    r"[$€£%]|\d|\b(?:promise|guarantee|discount|deadline|tomorrow|today|price|free|descuento|precio|garantiz|mañana|hoy|gratis|"
    r"desconto|preço|garant|amanhã|hoje|grátis)", re.IGNORECASE,
)  # fmt: skip


def test_every_language_has_the_same_templates() -> None:
    for language in LANGUAGES:
        assert set(rulebook.templates(language)) == set(rulebook.templates("en")) >= {*ENGAGEMENT, *DEALS}


@pytest.mark.parametrize(("name", "language", "variant"), EVERY)
def test_a_mail_is_whole_short_and_commits_to_nothing(name: str, language: str, variant: int) -> None:
    draft = write(name, language, {**SLOTS, "variant": variant})
    assert draft.subject
    assert "\n" not in draft.subject
    assert "Ana" in draft.text.splitlines()[0]
    assert draft.text.rstrip().endswith("Maya Cole")
    assert 100 < len(draft.text) < 700
    assert not re.search(r"[{}]|\n\n\n|  |None|undefined", draft.text)
    assert not COMMITMENTS.search(draft.subject + draft.text)


@pytest.mark.parametrize(("name", "language", "variant"), EVERY)
def test_a_mail_to_nobody_by_name_still_reads_well(name: str, language: str, variant: int) -> None:
    draft = write(
        name, language, {**SLOTS, "variant": variant, "first_name": "", "client_name": "", "thread_subject": ""}
    )
    assert not re.search(r" [,.:?!]|,,|\(\)|  ", draft.subject + "\n" + draft.text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_follow_up_of_a_deal_is_whole_in_both_tones_and_commits_to_nothing(language: str) -> None:
    said = set()
    for name in DEALS:
        for tone in ("warm", "plain"):
            draft = write(name, language, {**SLOTS, "tone": tone})
            said.add(draft.text)
            assert "Ana" in draft.text.splitlines()[0]
            assert "New shelves" in draft.text
            assert draft.text.rstrip().endswith("Maya Cole")
            assert 100 < len(draft.text) < 700
            assert not re.search(r"[{}]|\n\n\n|  |None|undefined", draft.text)
            assert not COMMITMENTS.search(draft.subject + draft.text)
            bare = {"first_name": "", "client_name": "", "thread_subject": "", "deal_title": ""}
            draft = write(name, language, {**SLOTS, "tone": tone, **bare})
            assert not re.search(r" [,.:?!]|,,|\(\)|  ", draft.subject + "\n" + draft.text)
    assert len(said) == 8


def test_every_attempt_says_something_else() -> None:
    for language in LANGUAGES:
        texts = {
            write(name, language, {**SLOTS, "variant": variant}).text
            for name, spoken, variant in EVERY
            if spoken == language
        }
        assert len(texts) == 7


def test_a_follow_up_answers_under_the_subject_of_its_thread() -> None:
    assert write("engagement_follow_up_1", "en", SLOTS).subject == "Re: Checking in from Acme"


@pytest.mark.parametrize(
    "nasty",
    [
        "{{ 7 * 7 }}", "{% for x in y %}", "{# hidden #}", "Eve\r\nBcc: all@acme.example", "Eve\x00\x1b[31m",
        "{{{% raw %}}}",
        "\u202egnihtemos", "{{ ''.__class__.__mro__ }}", "x" * 5000, "{{% {{ %}}",
    ],
)  # fmt: skip
def test_nothing_in_a_slot_is_executed_or_breaks_out_of_its_line(nasty: str) -> None:
    first = write("engagement_first_touch", "en", {**SLOTS, "variant": 1, "client_name": nasty})
    assert "49" not in first.subject + first.text
    assert not re.search(r"\{\{|\}\}|\{%|%\}|\{#|[\x00-\x09\x0b-\x1f\u202e]", first.subject + first.text)
    assert "\n" not in first.subject
    assert len(first.subject) <= rulebook.SUBJECT_CHARACTERS


@given(st.dictionaries(st.sampled_from(["first_name", "client_name", "sender_name", "company"]), st.text()))
def test_any_text_in_the_slots_gives_a_mail_of_the_same_shape(slots: dict[str, str]) -> None:
    draft = write("engagement_follow_up_1", "es", {**SLOTS, **slots})
    assert draft.text.count("\n\n") == 3
    assert "\r" not in draft.subject + draft.text


@pytest.mark.parametrize(
    ("template", "language"),
    [("no_such_thing", "en"), ("../en/engagement_first_touch", "en"), ("_reflection", "en"), ("", "en"),
     ("engagement_first_touch", "fr"), ("engagement_first_touch", "../en")],
)  # fmt: skip
def test_what_is_no_template_is_refused(template: str, language: str) -> None:
    with pytest.raises(TemplateFailed):
        write(template, language, SLOTS)


def test_a_missing_slot_fails_and_leaves_no_hole() -> None:
    with pytest.raises(TemplateFailed, match="sender_name"):
        write("engagement_follow_up_1", "en", {name: value for name, value in SLOTS.items() if name != "sender_name"})


def test_a_slot_of_another_kind_is_refused() -> None:
    with pytest.raises(TemplateFailed):
        write("engagement_follow_up_1", "en", {**SLOTS, "company": object()})


FACTS: dict[str, Any] = {
    "run": {"number": 12, "kind": "scheduled", "idle_hours": 3},
    "period": {"from": "2026-03-02T08:00:00+00:00", "to": "2026-03-02T09:00:00+00:00"},
    "mail_in": {"reply": 2, "out_of_office": 1, "something_new": 4},
    "mail_out": {"accepted": 3, "held": 1},
    "did": {"engagement": {"follow_up": 2, "send_email": 1, "held": 1}, "quotes": {"quote.accepted": 1},
            "weather": {"make_rain": 2}},
    "ledger": {"acted": 3, "deferred": 5, "blocked": 1},
    "metrics": {"engagement.compliance_rate": 0.934, "engagement.contacts_overdue": 7},
    "moved": {"engagement.compliance_rate": {"before": 0.912, "after": 0.934},
              "engagement.contacts_overdue": {"before": 9, "after": 7},
              "orders.total_usd": {"before": 1.5, "after": 2500}},
    "refused": [{"disposition": "deferred", "rule": "no_spam.send_window", "n": 5, "next": "2026-03-02T13:30:00+00:00"},
                {"disposition": "blocked", "rule": "no_spam.suppressed", "n": 1, "next": None},
                {"disposition": "awaiting_approval", "rule": "approval", "n": 1, "next": "2026-03-04T09:00:00+00:00"}],
    "failures": [{"card_id": "c", "type": "send_email", "state": "failed", "reason": "resend: 422 invalid from"}],
    "errors": [{"where": "x"}],
    "next": {"awaiting_approval": 1, "deferred": 5, "queued": 0, "next_at": "2026-03-03T13:30:00+00:00"},
}  # fmt: skip


def test_an_hour_reads_like_a_morning_paper() -> None:
    assert (
        reflect(FACTS)
        == """\
Hour 12 of 2026-03-02, 08:00 to 09:00 UTC. The 3 hours before it passed with nothing to do.

In the mailbox: 4 something new, 2 replies and 1 out-of-office note.
Of our own mails, 3 were handed to the provider and 1 was written but held back by the send mode.

What each engine did:
- Engagement: 2 follow-ups, 1 mail written and held back and 1 mail.
- Quotes: 1 quote accepted.
- weather: 2 make rain.

Of what was due, 5 were put off, 3 were acted on and 1 was blocked.

What moved:
- Compliance rose from 91.2 % to 93.4 %.
- Overdue contacts fell from 9 to 7.
- Total usd rose from 1.5 to 2500.

What stood in the way:
- 5 were put off, by the rule “no spam: send window”; the next chance is 13:30 UTC.
- 1 was blocked, by the rule “no spam: suppressed”.
- 1 waits for somebody's approval, by the rule “approval”; they are asked until 2026-03-04 09:00 UTC.

What went wrong:
- A card of type send email failed: resend: 422 invalid from.
The run itself noted 1 error; the log has the details.

1 card waits for somebody's yes or no. Next: 5 cards that were put off, from 2026-03-03 13:30 UTC on.
"""
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_quiet_hour_is_told_in_three_lines(language: str) -> None:
    told = reflect({"run": {"number": 4, "idle_hours": 0}, "period": FACTS["period"], "next": {}}, language)
    assert len([line for line in told.splitlines() if line]) == 3


COUNTS = st.dictionaries(
    st.sampled_from(["acted", "reply", "held", "deferred", "bounce", "x_y"]), st.integers(0, 10_000)
)
FIGURES = st.integers(0, 10**9) | st.floats(0, 1e6).map(lambda x: round(x, 4))


@given(
    st.fixed_dictionaries({
        "run": st.fixed_dictionaries({"number": st.integers(1, 10**6), "idle_hours": st.integers(0, 9999)}),
        "mail_in": COUNTS, "mail_out": COUNTS, "ledger": COUNTS,
        "did": st.dictionaries(st.sampled_from(["orders", "deals", "odd"]), COUNTS.filter(bool), max_size=2),
        "moved": st.dictionaries(
            st.sampled_from(["engagement.compliance_rate", "engagement.contacts_overdue", "orders.rate"]),
            st.fixed_dictionaries({"before": FIGURES, "after": FIGURES}),
        ),
        "refused": st.lists(st.fixed_dictionaries({
            "disposition": st.sampled_from(["deferred", "blocked", "held", "odd"]),
            "rule": st.sampled_from(["a.b", None]),
            "n": st.integers(1, 999), "next": st.sampled_from([None, "2026-03-02T13:30:00+00:00"])}), max_size=3),
        "next": st.fixed_dictionaries({"awaiting_approval": st.integers(0, 99), "deferred": st.integers(0, 99),
                                       "queued": st.integers(0, 99)}),
    }), st.sampled_from(LANGUAGES),
)  # fmt: skip
def test_no_reflection_holds_a_number_that_is_not_among_the_facts(facts: dict[str, Any], language: str) -> None:
    facts["period"] = FACTS["period"]
    told = reflect(facts, language)
    assert unsupported_numbers(told, facts) == []
    assert not re.search(r"[{}]|\n\n\n", told)


def test_an_invented_number_is_noticed() -> None:
    assert unsupported_numbers("3 were acted on, 93.4 % in time, 17 gained", FACTS) == ["17"]
