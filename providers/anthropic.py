"""Claude by Anthropic's own SDK: structured answers, a cached prefix, our own transport and deadline below it."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from domain.models import Completion, ModelFailed, Prompt, Usage
from providers import model_calls, thinking
from providers.circuit import Circuit
from providers.deadlines import Deadline
from providers.wire import Unanswered, Unsent, Wire

if TYPE_CHECKING:
    import anthropic
    import httpx2


class AnthropicModels:
    """One tenant's key at Anthropic, or at any server that speaks as Anthropic does."""

    name = "anthropic"

    def __init__(
        self, api_key: str, base_url: str, *, wire: Wire | None = None, circuit: Circuit | None = None,
        refused: set[str] | None = None,
    ) -> None:  # fmt: skip
        self._api_key = api_key
        self._base_url = base_url
        self._refused = refused if refused is not None else set()
        self._wire = wire or Wire()
        self._circuit = circuit
        # Its import takes longer than many an answer, and belongs to nobody's deadline.
        importlib.import_module("anthropic")
        importlib.import_module("httpx2")

    def ask(self, prompt: Prompt, model: str, *, deadline_seconds: float) -> Completion:
        """Ask one model. Raises ModelFailed."""

        def once(deadline: Deadline) -> Completion:
            return thinking.ask(
                lambda wishes: self._once(prompt, model, deadline, wishes), thinking.least(self.name, model),
                f"{self._base_url} {model}", self._refused,
            )  # fmt: skip

        return model_calls.in_time(once, self._circuit, deadline_seconds=deadline_seconds)

    def _once(self, prompt: Prompt, model: str, deadline: Deadline, wishes: Mapping[str, Any]) -> Completion:
        import anthropic

        carrier = _carrier(self._wire, deadline)
        try:
            with anthropic.Anthropic(
                api_key=self._api_key, base_url=self._base_url, max_retries=0, http_client=carrier.client,
                timeout=deadline.seconds,
            ) as client:  # fmt: skip
                return _completion(_ask(client, prompt, model, wishes))
        except ModelFailed:
            raise
        except anthropic.APIStatusError as error:
            told = model_calls.retry_after(error.response.headers.get("retry-after"))
            raise model_calls.meaning_of_status(error.status_code, str(error.type or ""), told) from error
        except Exception as error:
            if carrier.failure is not None:
                raise model_calls.meaning_of_silence(carrier.failure) from error
            # an answer in no shape that the SDK knows
            raise ModelFailed("malformed", f"the answer could not be read ({type(error).__name__})") from error


def _ask(
    client: anthropic.Anthropic, prompt: Prompt, model: str, wishes: Mapping[str, Any]
) -> anthropic.types.Message:  # fmt: skip
    import anthropic

    schema = anthropic.transform_schema(cast("dict[str, Any]", dict(prompt.schema)))
    return client.messages.create(
        model=model,
        max_tokens=prompt.most_tokens,
        # the stable part stands first and ends with the mark up to which it may be kept
        system=[{"type": "text", "text": prompt.system, "cache_control": {"type": "ephemeral"}}],
        messages=[{"role": "user", "content": prompt.user}],
        output_config={
            "format": {"type": "json_schema", "schema": schema},
            **({"effort": wishes["effort"]} if "effort" in wishes else {}),
        },
        thinking=wishes.get("thinking", anthropic.omit),
    )


def _completion(message: anthropic.types.Message) -> Completion:
    usage = _usage(message)
    if message.stop_reason == "refusal":
        raise ModelFailed("refused", "the model declined to answer", usage=usage)
    if message.stop_reason in ("max_tokens", "model_context_window_exceeded"):
        raise ModelFailed("truncated", "the answer was cut off", usage=usage)
    text = "".join(block.text for block in message.content if block.type == "text")
    if not text.strip() or usage is None:
        raise ModelFailed("malformed", "the answer holds no text or no count of tokens", usage=usage)
    return Completion(text, usage)


def _usage(message: anthropic.types.Message) -> Usage | None:
    # an answer is not checked against its type: what a server leaves out is not there
    told = getattr(message.usage, "__dict__", None)
    usage = Usage(
        tokens_in=model_calls.counted(told, "input_tokens"),
        tokens_out=model_calls.counted(told, "output_tokens"),
        tokens_cached=model_calls.counted(told, "cache_read_input_tokens"),
        tokens_written=model_calls.counted(told, "cache_creation_input_tokens"),
    )
    return usage if usage.total else None


class _Carrier:
    """The SDK's HTTP client over our wire, and what went wrong on it."""

    client: httpx2.Client
    failure: Unsent | Unanswered | None = None


def _carrier(wire: Wire, deadline: Deadline) -> _Carrier:
    import httpx2

    carrier = _Carrier()

    class Transport(httpx2.BaseTransport):
        def handle_request(self, request: httpx2.Request) -> httpx2.Response:
            headers: Mapping[str, str] = dict(request.headers)
            try:
                answer = wire.request(request.method, str(request.url), headers=headers, body=request.read(),
                                      deadline=deadline)  # fmt: skip
            except (Unsent, Unanswered) as error:
                carrier.failure = error
                raise httpx2.TransportError(type(error).__name__, request=request) from error
            return httpx2.Response(answer.status, headers=list(answer.headers.items()), content=answer.body,
                                   request=request)  # fmt: skip

    carrier.client = httpx2.Client(transport=Transport())
    return carrier
