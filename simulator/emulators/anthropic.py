"""A server that speaks as Anthropic does, on loopback: structured answers as told, a cache, and every way to fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from domain.clock import Clock
from simulator.emulators import commandline
from simulator.emulators.faults import Fault
from simulator.emulators.loopback import Asked, Loopback, Told, tell

Answering = Callable[[dict[str, Any]], Any]
"""From a request to the answer's content: data becomes JSON, text stays as it is, None declines."""


class AnthropicEmulator(Loopback):
    """`with AnthropicEmulator(clock=clock) as claude: claude.answers(lambda request: {…})`; it is at `claude.url`."""

    def __init__(self, *, clock: Clock, port: int = 0, log: Path | None = None) -> None:
        super().__init__(clock=clock, port=port, log=log)
        self._answering: Answering = from_schema
        self._lock = threading.Lock()
        self._cached: set[tuple[str, str]] = set()
        self.known_keys: frozenset[str] | None = None
        """Keys that it takes; None takes any."""
        self.smallest_cached = 0
        """Prefixes of fewer tokens are not cached; the real ones begin at a thousand or more."""

    def answers(self, answering: Answering) -> None:
        """Let it answer so from now on."""
        self._answering = answering

    def asked(self) -> list[dict[str, Any]]:
        """Every question that arrived, as it was."""
        return [seen.json for seen in list(self.witness.requests) if seen.path.startswith("/v1/messages")]

    def error(self, status: int, name: str, message: str) -> object:
        """Anthropic's words for a failure."""
        return {"type": "error", "error": {"type": name, "message": message}, "request_id": "req_emulated"}

    def act(self, asked: Asked) -> Told:
        """Answer as the real service would."""
        key = asked.account or asked.headers.get("x-api-key", "")
        if not key or (self.known_keys is not None and key not in self.known_keys):
            return tell(401, self.error(401, "authentication_error", "invalid key"))
        if (asked.method, asked.path) != ("POST", "/v1/messages"):
            return tell(404, self.error(404, "not_found_error", "no such resource"))
        try:
            request = json.loads(asked.body)
            system = request["system"][0]
            words = (system["text"], request["messages"][0]["content"], request["model"], int(request["max_tokens"]))
        except (ValueError, KeyError, IndexError, TypeError):
            return tell(400, self.error(400, "invalid_request_error", "the request is not understood"))
        if (wrong := _thinks_wrongly(request)) is not None:
            return tell(400, self.error(400, "invalid_request_error", wrong))
        if "anthropic-version" not in asked.headers:
            return tell(400, self.error(400, "invalid_request_error", "anthropic-version: header is required"))
        asked.seen.acted = True
        return tell(200, self._message(request, "cache_control" in system, *words))

    def _message(
        self, request: dict[str, Any], marked: bool, system: str, user: str, model: str, most: int
    ) -> dict[str, Any]:  # fmt: skip
        content = self._answering(request)
        text = content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)
        stop_reason = "refusal" if content is None else "end_turn"
        # what it thinks comes first, and counts
        thought = _thought(request)
        if tokens(text) > most - thought:
            text, stop_reason = text[: 3 * max(0, most - thought)], "max_tokens"
        prefix, fresh = tokens(system), tokens(user)
        written = cached = 0
        if marked and prefix >= self.smallest_cached:
            with self._lock:
                known = (model, system) in self._cached
                self._cached.add((model, system))
            written, cached = (0, prefix) if known else (prefix, 0)
        return {
            "id": f"msg_{self.clock.uuid().hex}",
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": [] if content is None else [{"type": "text", "text": text}],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {
                "input_tokens": fresh if written or cached else fresh + prefix,
                "cache_creation_input_tokens": written,
                "cache_read_input_tokens": cached,
                "output_tokens": 0 if content is None else min(most, thought + tokens(text)),
            },
        }


_OFF = {"claude-sonnet-5-5": "between_tools", "claude-haiku-5-5": "disabled", "claude-opus-5": "disabled",
        "claude-sonnet-5": "disabled"}  # fmt: skip
"""How thinking is turned off, where it can be; those that are not named here can't, or don't think by themselves."""
_ALWAYS = frozenset({"claude-opus-5-5"})
_THOUGHT = {"low": 200, "medium": 600, "high": 1_500, "xhigh": 4_000, "max": 9_000}


def _thinks_wrongly(request: dict[str, Any]) -> str | None:
    kind, model = (request.get("thinking") or {}).get("type", "adaptive"), request.get("model", "")
    known = model in _OFF or model in _ALWAYS
    if known and kind not in ("adaptive", _OFF.get(model)):
        return f"thinking.type {kind!r} is not supported by {model}"
    return None


def _thought(request: dict[str, Any]) -> int:
    """How many tokens it thinks before it answers."""
    kind, model = (request.get("thinking") or {}).get("type", "adaptive"), request["model"]
    if model not in (*_OFF, *_ALWAYS) or kind == _OFF.get(model):
        return 0
    return _THOUGHT[(request.get("output_config") or {}).get("effort") or "high"]


def tokens(text: str) -> int:
    """About as many as a real tokenizer finds."""
    return -(-len(text.encode()) // 4)


def overloaded(times: int = 1) -> Fault:
    """529, as Anthropic says that it is overloaded; nothing is done."""
    return Fault("answer", status=529, error="overloaded_error", message="Overloaded", times=times)


def from_schema(request: dict[str, Any]) -> Any:
    """The plainest answer that fits the schema of a request."""
    schema = request.get("output_config", {}).get("format", {}).get("schema", {})
    return _plainest(schema, schema.get("$defs", {}))


def _plainest(schema: dict[str, Any], named: dict[str, Any]) -> Any:
    if "$ref" in schema:
        return _plainest(named[schema["$ref"].rpartition("/")[2]], named)
    if "enum" in schema:
        return schema["enum"][-1]
    for either in schema.get("anyOf", []):
        if either.get("type") == "null":
            return None
    match schema.get("type"):
        case "object":
            return {name: _plainest(each, named) for name, each in schema.get("properties", {}).items()}
        case "array":
            return []
        case "boolean":
            return False
        case "integer" | "number":
            return 0
        case _:
            return ""


def main(arguments: list[str] | None = None) -> None:
    """Run as a process of its own: `python -m simulator.emulators.anthropic --port 8026`."""
    options = commandline.options("Anthropic on loopback", arguments)
    with AnthropicEmulator(clock=options.clock, port=options.port, log=options.log) as emulator:
        commandline.announce_and_wait({"url": emulator.url})


if __name__ == "__main__":
    main()
