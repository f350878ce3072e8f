"""Gemini over its REST interface: structured answers, with the same deadline and refusals as every other model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from domain.models import Completion, ModelFailed, Prompt
from providers import model_calls, thinking
from providers.circuit import Circuit
from providers.deadlines import Deadline
from providers.wire import Wire

DECLINED = frozenset({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE"})


class GeminiModels:
    """One tenant's key at Google's Gemini."""

    name = "gemini"

    def __init__(
        self, api_key: str, base_url: str, *, wire: Wire | None = None, circuit: Circuit | None = None,
        refused: set[str] | None = None,
    ) -> None:  # fmt: skip
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
        told = model_calls.post(
            self._wire,
            f"{self._base_url}/v1beta/models/{quote(model, safe='')}:generateContent",
            {
                "systemInstruction": {"parts": [{"text": prompt.system}]},
                "contents": [{"role": "user", "parts": [{"text": prompt.user}]}],
                "generationConfig": {
                    "maxOutputTokens": prompt.most_tokens,
                    "responseMimeType": "application/json",
                    "responseJsonSchema": dict(prompt.schema),
                    **({"thinkingConfig": dict(wishes)} if wishes else {}),
                },
            },
            {"x-goog-api-key": self._api_key},
            deadline,
        )
        return _completion(told)


def _completion(told: Any) -> Completion:
    try:
        counts = told.get("usageMetadata") or {}
        blocked = (told.get("promptFeedback") or {}).get("blockReason")
        first = (told.get("candidates") or [{}])[0]
        ended = first.get("finishReason")
        parts = (first.get("content") or {}).get("parts") or []
        text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ModelFailed("malformed", "the answer is in no shape that we know") from error
    out = model_calls.counted(counts, "candidatesTokenCount") + model_calls.counted(counts, "thoughtsTokenCount")
    cached = model_calls.counted(counts, "cachedContentTokenCount")
    usage = model_calls.usage_of(model_calls.counted(counts, "promptTokenCount"), cached, out)
    if blocked or ended in DECLINED:
        raise ModelFailed("refused", "the model declined to answer", usage=usage)
    if ended == "MAX_TOKENS":
        raise ModelFailed("truncated", "the answer was cut off", usage=usage)
    if not text.strip() or usage is None:
        raise ModelFailed("malformed", "the answer holds no text or no count of tokens", usage=usage)
    return Completion(text, usage)
