"""As much of Prometheus' query language as our rules and dashboards use: read strictly, worked out on given values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Labels = frozenset[tuple[str, str]]
Vector = dict[Labels, float]
Value = Vector | float
Series = Mapping[tuple[str, str], Vector]
"""By metric and range (`""` for the instant, `"offset 1h"` for an earlier one).

What a range function such as `increase` makes of it.
"""

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+(?:\.\d+)?)(?![\w])|(?P<name>[a-zA-Z_:][\w:]*)|(?P<range>\[\d+[smhd]\])|(?P<span>\d+[smhd])\b"""
    r"""|(?P<text>"[^"]*")|(?P<sign>>=|<=|==|!=|=~|!~|[-+*/<>(){},=]))"""
)
_OVER_RANGES = {"increase", "rate"}
_AGGREGATES: dict[str, Callable[[list[float]], float]] = {"sum": sum, "max": max, "min": min}
_COMPARES: dict[str, Callable[[float, float], bool]] = {
    ">": lambda a, b: a > b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b, "<=": lambda a, b: a <= b,
    "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
}  # fmt: skip
_SUMS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip
_BINDING = (("or",), ("and", "unless"), tuple(_COMPARES), ("+", "-"), ("*", "/"))
"""Weakest first."""


class NotPromQL(Exception):
    """The expression can't be read."""


@dataclass
class Query:
    """One expression, taken apart; `metrics` are the names of series that it reads."""

    text: str
    metrics: set[str] = field(default_factory=set)
    _tokens: list[str] = field(default_factory=list)
    _at: int = 0

    def __post_init__(self) -> None:
        place = 0
        while place < len(self.text.rstrip()):
            found = _TOKEN.match(self.text, place)
            if not found:
                raise NotPromQL(f"{self.text!r} at {place}")
            self._tokens.append(found.group().strip())
            place = found.end()
        self._tree = self._binary(0)
        if self._at != len(self._tokens):
            raise NotPromQL(f"{self.text!r}: {self._tokens[self._at]!r} is left over")

    def value(self, series: Series, *, now: float = 0.0) -> Value:
        """What it comes to."""
        result: Value = self._tree(series, now)
        return result

    def _next(self, *wanted: str) -> str:
        token = self._tokens[self._at] if self._at < len(self._tokens) else ""
        if not token or (wanted and token not in wanted):
            raise NotPromQL(f"{self.text!r}: {token or 'the end'!r} where {wanted or 'more'} was due")
        self._at += 1
        return token

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _binary(self, level: int) -> Any:
        if level == len(_BINDING):
            return self._primary()
        left = self._binary(level + 1)
        while self._peek() in _BINDING[level]:
            sign, before, after = self._next(), left, self._binary(level + 1)
            left = lambda s, now, sign=sign, a=before, b=after: _join(sign, a(s, now), b(s, now))  # noqa: E731
        return left

    def _primary(self) -> Any:
        token = self._next()
        if token == "(":
            inner = self._binary(0)
            self._next(")")
            return inner
        if re.fullmatch(r"\d+(\.\d+)?", token):
            return lambda _s, _now: float(token)
        if token in _AGGREGATES:
            return self._aggregate(token)
        if self._peek() == "(":
            return self._function(token)
        return self._selector(token)

    def _aggregate(self, name: str) -> Any:
        by: list[str] = []
        if self._peek() == "by":
            self._next("by")
            self._next("(")
            by = self._names()
        self._next("(")
        inner = self._binary(0)
        self._next(")")

        def work(series: Series, now: float) -> Vector:
            groups: dict[Labels, list[float]] = {}
            for labels, value in inner(series, now).items():
                groups.setdefault(frozenset(each for each in labels if each[0] in by), []).append(value)
            return {labels: _AGGREGATES[name](values) for labels, values in groups.items()}

        return work

    def _names(self) -> list[str]:
        names = [self._next()]
        while self._next(",", ")") == ",":
            names.append(self._next())
        return names

    def _function(self, name: str) -> Any:
        self._next("(")
        if name == "time":
            self._next(")")
            return lambda _s, now: now
        if name in _OVER_RANGES:
            metric, over = self._next(), self._next()
            if not over.startswith("["):
                raise NotPromQL(f"{self.text!r}: {name} needs a range")
            self._next(")")
            self.metrics.add(metric)
            return lambda s, _now: dict(s.get((metric, over[1:-1]), {}))
        inner = self._binary(0)
        if name == "absent":
            self._next(")")
            return lambda s, now: {} if inner(s, now) else {frozenset(): 1.0}
        if name == "clamp_min":
            self._next(",")
            least = float(self._next())
            self._next(")")
            return lambda s, now: {labels: max(value, least) for labels, value in inner(s, now).items()}
        raise NotPromQL(f"{self.text!r}: {name} is no function that we use")

    def _selector(self, metric: str) -> Any:
        self.metrics.add(metric)
        wanted: set[tuple[str, str]] = set()
        if self._peek() == "{":
            self._next()
            while True:
                name = self._next()
                self._next("=")
                wanted.add((name, self._next().strip('"')))
                if self._next(",", "}") == "}":
                    break
        moment = ""
        if self._peek() == "offset":
            moment = f"{self._next()} {self._next()}"
        return lambda s, _now: {k: v for k, v in s.get((metric, moment), {}).items() if wanted <= set(k)}


def _join(sign: str, left: Value, right: Value) -> Value:
    if sign in ("and", "or", "unless"):
        assert isinstance(left, dict)
        assert isinstance(right, dict)
        if sign == "or":
            return {**right, **left}
        return {labels: value for labels, value in left.items() if (labels in right) == (sign == "and")}
    if sign in _SUMS:
        return _each(_SUMS[sign], left, right)
    compare = _COMPARES[sign]
    if isinstance(left, float):
        raise NotPromQL("only series are compared here")
    kept = {}
    for labels, value in left.items():
        other = right if isinstance(right, float) else right.get(labels)
        if other is not None and compare(value, other):
            kept[labels] = value
    return kept


def _each(work: Callable[[float, float], float], left: Value, right: Value) -> Value:
    if isinstance(left, float):
        return work(left, right) if isinstance(right, float) else {k: work(left, v) for k, v in right.items()}
    if isinstance(right, float):
        return {labels: work(value, right) for labels, value in left.items()}
    return {labels: work(value, right[labels]) for labels, value in left.items() if labels in right}
