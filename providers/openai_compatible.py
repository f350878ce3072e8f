"""Models behind OpenAI's chat completions: OpenAI itself, and any local server that speaks the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from domain.models import Completion, ModelFailed, Prompt
from providers import model_calls, thinking
from providers.circuit import Circuit
from providers.deadlines import Deadline
from providers.wire import Wire

_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.DOTALL)


class OpenAICompatibleModels:
    """One key at one address; a local server needs none."""

    def __init__(
        self, name: str, api_key: str | None, base_url: str, *, wire: Wire | None = None,
        circuit: Circuit | None = None, refused: set[str] | None = None,
    ) -> None:  # fmt: skip
        self.name = name
        self._api_key = api_key
        self._base_url = base_url.rstrip("/")
        self._wire = wire or Wire()
        self._circuit = circuit
        self._refused = refused if refused is not None else set()

    def ask(self, prompt: Prompt, model: str, *, deadline_seconds: float) -> Completion:
        """Ask one model. Raises ModelFailed."""

        def once(deadline: Deadline) -> Completion:
            return thinking.ask(
                lambda wishes: self._once(prompt, model, deadline, wishes), thinking.least(self.name, model),
                f"{self._base_url} {model}", self._refused,
            )  # fmt: skip

        return model_calls.in_time(once, self._circuit, deadline_seconds=deadline_seconds)

    def _once(self, prompt: Prompt, model: str, deadline: Deadline, wishes: Mapping[str, Any]) -> Completion:
        # servers that imitate the interface know the older name alone
        most = "max_completion_tokens" if self.name == "openai" else "max_tokens"
        schema = {"name": prompt.question, "strict": True, "schema": dict(prompt.schema)}
        told = model_calls.post(
            self._wire,
            f"{self._base_url}/chat/completions",
            {
                "model": model,
                "messages": [
                    {"role": "system", "content": prompt.system},
                    {"role": "user", "content": prompt.user},
                ],
                most: prompt.most_tokens,
                "response_format": {"type": "json_schema", "json_schema": schema},
                # nobody keeps what was asked
                **({"store": False} if self.name == "openai" else {}),
                **wishes,
            },
            {"Authorization": f"Bearer {self._api_key}"} if self._api_key else {},
            deadline,
        )
        return _completion(told)


def _completion(told: Any) -> Completion:
    try:
        choice, counts = told["choices"][0], told.get("usage") or {}
        text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
        ended = choice.get("finish_reason")
        cached = model_calls.counted(counts.get("prompt_tokens_details"), "cached_tokens")
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelFailed("malformed", "the answer is in no shape that we know") from error
    usage = model_calls.usage_of(
        model_calls.counted(counts, "prompt_tokens"), cached, model_calls.counted(counts, "completion_tokens")
    )
    if refusal or ended == "content_filter":
        raise ModelFailed("refused", "the model declined to answer", usage=usage)
    if ended == "length":
        raise ModelFailed("truncated", "the answer was cut off", usage=usage)
    # some servers leave what a model thought in front of what it answers
    text = _THOUGHT.sub("", text) if isinstance(text, str) else ""
    if not text.strip() or usage is None:
        raise ModelFailed("malformed", "the answer holds no text or no count of tokens", usage=usage)
    return Completion(text, usage)
