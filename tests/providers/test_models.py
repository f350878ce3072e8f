"""Providers of models: one answer or one named failure, within the deadline, whatever the server does."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from brain import questions
from brain.given import Letter
from domain.models import Completion, ModelFailed, ModelProvider, Prompt
from providers.anthropic import AnthropicModels
from providers.circuit import Circuit
from providers.gemini import GeminiModels
from providers.openai_compatible import OpenAICompatibleModels
from simulator.emulators.anthropic import AnthropicEmulator, overloaded
from simulator.emulators.faults import Fault, fail, refuse, throttle
from simulator.emulators.loopback import Asked, Loopback, Told, tell
from tests.hand_clock import HandClock

FACTS = Letter("engagement_first_touch", "en", {"first_name": "Bill", "sender_name": "Ana Diaz", "company": "Acme"})
BODY = {"body": "Hi Bill,\n\nHow are things?\n\nWarm regards,\nAna Diaz"}


@pytest.fixture
def claude(clock: HandClock) -> Iterator[AnthropicEmulator]:
    with AnthropicEmulator(clock=clock) as emulator:
        emulator.answers(lambda _: BODY)
        yield emulator


def prompt() -> Prompt:
    return questions.FIRST_TOUCH.prompt(FACTS)


def ask(claude: AnthropicEmulator, *, deadline_seconds: float = 5.0, **more: Any) -> Completion:
    return AnthropicModels("sk-ant-test", claude.url, **more).ask(
        prompt(), "claude-sonnet-5-5", deadline_seconds=deadline_seconds
    )


def test_a_structured_answer_comes_back_with_what_it_consumed(claude: AnthropicEmulator) -> None:
    answer = ask(claude)
    assert json.loads(answer.text) == BODY
    [request] = claude.asked()
    assert request["output_config"]["format"]["type"] == "json_schema"
    assert "tools" not in request
    assert answer.usage.tokens_out > 0


def test_the_stable_prefix_is_marked_and_read_from_the_cache_the_second_time(claude: AnthropicEmulator) -> None:
    first, second = ask(claude), ask(claude)
    assert claude.asked()[0]["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert first.usage.tokens_written > 300
    assert (second.usage.tokens_written, second.usage.tokens_cached) == (0, first.usage.tokens_written)


@pytest.mark.parametrize(
    ("fault", "wrong"),
    [
        (throttle(30), "throttled"),
        (overloaded(times=9), "overloaded"),
        (fail(500, times=9), "overloaded"),
        (refuse(401, "authentication_error"), "unauthorised"),
        (refuse(400, "invalid_request_error", times=2), "invalid"),
        (Fault("hang"), "timeout"),
        (Fault("drip", seconds=0.2), "timeout"),
        (Fault("truncate"), "timeout"),
        (Fault("reset", acts=True), "timeout"),
    ],
    ids=lambda told: getattr(told, "kind", "") and f"{told.kind}-{told.status}",
)
def test_each_failure_has_its_name_and_keeps_the_deadline(claude: AnthropicEmulator, fault: Fault, wrong: str) -> None:
    claude.break_next(fault)
    began = time.monotonic()
    with pytest.raises(ModelFailed) as failed:
        ask(claude, deadline_seconds=0.9)
    assert failed.value.wrong == wrong
    assert (failed.value.usage is None) == (wrong == "timeout"), "only what may have been charged counts"
    assert time.monotonic() - began < 10


def test_a_short_throttle_is_waited_for(claude: AnthropicEmulator) -> None:
    claude.break_next(throttle(0))
    claude.break_next(overloaded())
    assert json.loads(ask(claude).text) == BODY
    assert len(claude.asked()) == 3


@pytest.mark.parametrize(
    ("content", "wrong"),
    [(None, "refused"), ("x" * 30_000, "truncated"), ("   ", "malformed")],
)
def test_an_answer_that_is_none_is_charged_and_named(claude: AnthropicEmulator, content: Any, wrong: str) -> None:
    claude.answers(lambda _: content)
    with pytest.raises(ModelFailed) as failed:
        ask(claude)
    assert failed.value.wrong == wrong
    assert failed.value.usage is not None
    assert failed.value.usage.total > 0


class Says(Loopback):
    """A server that answers every request with the same JSON."""

    def __init__(self, clock: HandClock, told: Any) -> None:
        super().__init__(clock=clock)
        self.told = told

    def act(self, asked: Asked) -> Told:
        return Told(200, self.told) if isinstance(self.told, bytes) else tell(200, self.told)

    def error(self, status: int, name: str, message: str) -> object:
        return {"error": {"type": name, "message": message}}


USAGE = {"prompt_tokens": 500, "completion_tokens": 40, "prompt_tokens_details": {"cached_tokens": 300}}
COUNTS = {"promptTokenCount": 500, "candidatesTokenCount": 40, "cachedContentTokenCount": 300}


def chat(content: Any, ended: str = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content, **more}, "finish_reason": ended}], "usage": USAGE}


def generated(text: str, ended: str = "STOP") -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"text": text}]}, "finishReason": ended}], "usageMetadata": COUNTS}


def other(name: str, url: str) -> ModelProvider:
    return GeminiModels("key", url) if name == "gemini" else OpenAICompatibleModels(name, "key", url)


@pytest.mark.parametrize(
    ("name", "told", "path"),
    [
        ("openai", chat(json.dumps(BODY)), "/chat/completions"),
        ("local", chat(json.dumps(BODY)), "/chat/completions"),
        ("gemini", generated(json.dumps(BODY)), "/v1beta/models/some-model:generateContent"),
    ],
)
def test_other_providers_answer_behind_the_same_port(clock: HandClock, name: str, told: Any, path: str) -> None:
    with Says(clock, told) as server:
        answer = other(name, server.url).ask(prompt(), "some-model", deadline_seconds=5)
        [seen] = server.witness.requests
    assert json.loads(answer.text) == BODY
    assert (answer.usage.tokens_in, answer.usage.tokens_cached, answer.usage.tokens_out) == (200, 300, 40)
    assert seen.path == path
    assert "additionalProperties" in json.dumps(seen.json)


@pytest.mark.parametrize(
    ("name", "told", "wrong"),
    [
        ("openai", chat(None, refusal="No."), "refused"),
        ("openai", chat("{", "length"), "truncated"),
        ("openai", {"choices": []}, "malformed"),
        ("openai", b"<html>", "malformed"),
        ("openai", [1, 2], "malformed"),
        ("gemini", generated("", "SAFETY"), "refused"),
        ("gemini", generated("{", "MAX_TOKENS"), "truncated"),
        ("gemini", {"promptFeedback": {"blockReason": "OTHER"}}, "refused"),
        ("gemini", {"candidates": "?"}, "malformed"),
    ],
)
def test_other_providers_failures_have_the_same_names(clock: HandClock, name: str, told: Any, wrong: str) -> None:
    with Says(clock, told) as server, pytest.raises(ModelFailed) as failed:
        other(name, server.url).ask(prompt(), "some-model", deadline_seconds=5)
    assert failed.value.wrong == wrong


WEATHER = [
    (throttle(30), "throttled"),
    (overloaded(times=9), "overloaded"),
    (refuse(401, "unauthenticated"), "unauthorised"),
    (Fault("hang"), "timeout"),
    (Fault("drip", seconds=0.2), "timeout"),
    (Fault("truncate"), "timeout"),
    (Fault("reset", acts=True), "timeout"),
]


@pytest.mark.parametrize("name", ["openai", "gemini"])
@pytest.mark.parametrize(("fault", "wrong"), WEATHER, ids=lambda told: getattr(told, "kind", "") or told)
def test_the_weather_is_the_same_for_every_provider(
    clock: HandClock, name: str, fault: Fault, wrong: str
) -> None:  # fmt: skip
    told = chat(json.dumps(BODY)) if name == "openai" else generated(json.dumps(BODY))
    with Says(clock, told) as server:
        server.break_next(fault)
        with pytest.raises(ModelFailed) as failed:
            other(name, server.url).ask(prompt(), "some-model", deadline_seconds=0.6)
    assert failed.value.wrong == wrong


def said(name: str, model: str, server: Says, **more: Any) -> dict[str, Any]:
    """What one provider sends for a question to one of its models."""
    maker = AnthropicModels("sk-ant-test", server.url, **more) if name == "anthropic" else other(name, server.url)
    maker.ask(prompt(), model, deadline_seconds=5)
    sent: dict[str, Any] = server.witness.requests[-1].json
    return sent


def message(text: str) -> dict[str, Any]:
    return {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "any", "stop_reason": "end_turn",
        "content": [{"type": "thinking", "thinking": "Well.", "signature": "x"}, {"type": "text", "text": text}],
        "usage": {"input_tokens": 500, "output_tokens": 40}, "nobody_knows": {"this": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "model", "told"),
    [
        ("anthropic", "claude-sonnet-5-5", {"thinking": {"type": "between_tools"}, "effort": "low"}),
        ("anthropic", "claude-haiku-5-5", {"thinking": {"type": "disabled"}, "effort": "low"}),
        ("anthropic", "claude-opus-5", {"thinking": {"type": "disabled"}, "effort": "low"}),
        ("anthropic", "claude-opus-5-5", {"effort": "low"}),
        ("anthropic", "claude-haiku-4-5", {}),
        ("anthropic", "a-model-of-our-own", {}),
        ("openai", "gpt-6-luna", {"reasoning_effort": "none", "store": False}),
        ("openai", "gpt-6.1-sol", {"reasoning_effort": "low", "store": False}),
        ("openai", "gpt-5-mini", {"reasoning_effort": "minimal", "store": False}),
        ("openai", "gpt-4o", {"store": False}),
        ("local", "gpt-6-luna", {}),
        ("gemini", "gemini-3.8-flash", {"thinkingConfig": {"thinkingLevel": "low"}}),
        ("gemini", "gemini-2.5-flash-lite", {"thinkingConfig": {"thinkingBudget": 0}}),
        ("gemini", "gemma-3", {}),
    ],
)
def test_each_model_is_asked_to_think_as_little_as_it_can(
    clock: HandClock, name: str, model: str, told: dict[str, Any]
) -> None:  # fmt: skip
    text = json.dumps(BODY)
    answers = {"anthropic": message(text), "gemini": generated(text)}
    with Says(clock, answers.get(name, chat(text))) as server:
        sent = said(name, model, server)
    shown = {**sent.get("generationConfig", {}), **sent.get("output_config", {}), **sent}
    wanted = ("thinking", "effort", "reasoning_effort", "store", "thinkingConfig")
    assert {each: shown[each] for each in wanted if each in shown} == told
    longest = {shown.get(each) for each in ("max_tokens", "max_completion_tokens", "maxOutputTokens")}
    assert max(each or 0 for each in longest) > 2 * prompt().max_tokens, "thought has room before the answer"


def test_a_server_that_takes_such_a_wish_for_a_mistake_is_asked_without_from_then_on(clock: HandClock) -> None:
    refused: set[str] = set()
    with Says(clock, message(json.dumps(BODY))) as server:
        server.break_next(refuse(400, "invalid_request_error"))
        assert "thinking" not in said("anthropic", "claude-sonnet-5-5", server, refused=refused)
        said("anthropic", "claude-sonnet-5-5", server, refused=refused)
        assert ["thinking" in seen.json for seen in server.witness.requests] == [True, False, False]


def test_what_a_server_leaves_of_its_thought_before_the_answer_is_no_answer(clock: HandClock) -> None:
    with Says(clock, chat(f"<think>They want {{JSON}}.</think>\n{json.dumps(BODY)}")) as server:
        answer = other("local", server.url).ask(prompt(), "some-model", deadline_seconds=5)
    assert json.loads(answer.text) == BODY


def test_a_provider_that_keeps_failing_is_left_in_peace(claude: AnthropicEmulator, clock: HandClock) -> None:
    circuit = Circuit(clock, failures=2)
    claude.break_next(fail(500, times=99))
    for _ in range(3):
        with pytest.raises(ModelFailed) as failed:
            ask(claude, deadline_seconds=0.5, circuit=circuit)
    assert failed.value.wrong == "unreachable"
    assert len(claude.asked()) == 2


@pytest.mark.parametrize("body", [b"", b"{", b"null", b'{"content": 1}', b'{"type":"message","content":[]}', b"\xff"])
def test_whatever_bytes_come_as_an_answer_one_failure_is_named(clock: HandClock, body: bytes) -> None:
    with Says(clock, body) as server, pytest.raises(ModelFailed):
        AnthropicModels("sk-ant-test", server.url).ask(prompt(), "claude-sonnet-5-5", deadline_seconds=1)


def test_the_question_is_the_same_bytes_up_to_the_facts(claude: AnthropicEmulator) -> None:
    ask(claude)
    AnthropicModels("sk-ant-other", claude.url).ask(
        questions.FIRST_TOUCH.prompt(replace(FACTS, slots={"first_name": "Eva"})), "claude-sonnet-5-5",
        deadline_seconds=5,
    )  # fmt: skip
    one, two = claude.asked()
    assert {name: value for name, value in one.items() if name != "messages"} == {
        name: value for name, value in two.items() if name != "messages"
    }
