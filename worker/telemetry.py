"""What the process tells: JSON lines without secrets or addresses on stderr, and figures for Prometheus."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from domain.house import House

if TYPE_CHECKING:
    from structlog.stdlib import ProcessorFormatter

LIBRARIES_TO_QUIETEN = (
    "procrastinate",
    "apscheduler",
    "uvicorn.access",
    "googleapiclient",
    "httpx",
    "httpx2",
    "asyncio",
    "alembic",
)
WITHHELD_FIELDS = frozenset({
    "authorization", "api_key", "body", "ciphertext", "html", "key", "password", "raw", "refresh_token", "secret",
    "signature", "subject", "text", "token",
})  # fmt: skip
_SCRUBBED: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"hh_(?:house|admin|[0-9a-f]{32})_[0-9a-zA-Z]+_[A-Za-z0-9_-]{16,}"), "<key>"),
    (re.compile(r"\b(?:re|sk|whsec|rk|pk)[_-](?:live_|test_|ant-)?[A-Za-z0-9+/=_-]{12,}"), "<key>"),
    (re.compile(r"\bya29\.[\w.-]+|\b1//[\w-]{10,}|\bGOCSPX-[\w-]+"), "<token>"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+"), "<token>"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 <token>"),
    (re.compile(r"(?i)\b(password|passwd|secret|token|api_?key|code)=[^&\s\"']+"), r"\1=<withheld>"),
    (re.compile(r"://[^/@\s]*:[^/@\s]*@"), "://<login>@"),
    (re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)*"), "<address>"),
)


def configure(level: str, *, stream: Any = None) -> None:
    """Send every logger of the process, ours and the libraries', through one scrubbed JSON line per event."""
    import structlog

    listen(level, stream=stream)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def listen(level: str, *, stream: Any = None) -> None:
    """The same for the libraries' loggers alone, where none of our own modules logs: free until a line comes.

    Importing structlog takes as long as all that a short command does.
    """
    handler = logging.StreamHandler(stream) if stream is not None else _Stderr()
    handler.setFormatter(_Formatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in LIBRARIES_TO_QUIETEN:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))


def _shared() -> list[Any]:
    """What is done to each event, whoever logs it."""
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        _correlation,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(allow=()),
    ]


class _Formatter(logging.Formatter):
    """structlog's, made at the first line."""

    @cached_property
    def _made(self) -> ProcessorFormatter:
        import structlog

        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                scrub,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        return self._made.format(record)


class _Stderr(logging.StreamHandler[Any]):
    """Writes to stderr as it is at that moment: it may be redirected while the process runs."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, _: Any) -> None:
        return


def scrub(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take addresses, keys, tokens and mail out of an event, however deep."""
    return {name: _clean(name, value) for name, value in event.items()}


def scrubbed(text: str) -> str:
    """A text without addresses, keys and tokens."""
    for pattern, replacement in _SCRUBBED:
        text = pattern.sub(replacement, text)
    return text


def _clean(name: str, value: Any) -> Any:
    if name.lower() in WITHHELD_FIELDS:
        return "<withheld>"
    if isinstance(value, dict):
        return {str(inner): _clean(str(inner), each) for inner, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean("", each) for each in value]
    if isinstance(value, bool | int | float | None.__class__):
        return value
    return scrubbed(str(value))


def _correlation(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    from asgi_correlation_id import correlation_id

    if told := correlation_id.get():
        event.setdefault("correlation_id", told)
    return event


class Metrics:
    """Figures of this process, and of the whole fleet as `tenant_rollup` has them."""

    def __init__(self, house: House) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge

        from worker import figures

        self.registry = CollectorRegistry()
        self._jobs = Counter("hourhand_jobs", "Jobs of this process", ("task", "result"), registry=self.registry)
        self._up = Gauge("hourhand_started_timestamp_seconds", "When this process started", registry=self.registry)
        self._up.set(house.clock.now().timestamp())
        self.registry.register(figures.fleet(house))

    def count(self, task: str, result: str) -> None:
        """One more job, done or failed."""
        self._jobs.labels(task, result).inc()

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)
