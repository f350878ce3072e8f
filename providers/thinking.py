"""How little each model is asked to think: a reading or a short mail needs no long thought, and thought is charged.

Models of today think before they answer unless told otherwise, and what they think counts against the longest answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from domain.models import Completion, ModelFailed

_Wishes = tuple[tuple[re.Pattern[str], Mapping[str, Any]], ...]


def _table(*lines: tuple[str, Mapping[str, Any]]) -> _Wishes:
    return tuple((re.compile(name), told) for name, told in lines)


_CLAUDE = _table(
    (r"claude-sonnet-5-5", {"thinking": {"type": "between_tools"}, "effort": "low"}),
    (r"claude-haiku-5-5|claude-(?:opus|sonnet)-5(?!-?\d)", {"thinking": {"type": "disabled"}, "effort": "low"}),
    (r"claude-(?:opus-5-5|fable-5)", {"effort": "low"}),
)
_OPENAI = _table(
    (r"gpt-6-astra|gpt-6\.\d|o\d", {"reasoning_effort": "low"}),
    (r"gpt-6|gpt-5\.\d", {"reasoning_effort": "none"}),
    (r"gpt-5", {"reasoning_effort": "minimal"}),
)
_GEMINI = _table(
    (r"gemini-2\.5-flash", {"thinkingBudget": 0}),
    (r"gemini-(?:[3-9]|\d\d)", {"thinkingLevel": "low"}),
)
_BY_PROVIDER: Mapping[str, _Wishes] = {"anthropic": _CLAUDE, "openai": _OPENAI, "gemini": _GEMINI}


def least(provider: str, model: str) -> Mapping[str, Any]:
    """The fields that ask a model to think as little as it can; none for a name that nobody here knows."""
    return next((told for name, told in _BY_PROVIDER.get(provider, ()) if name.match(model)), {})


def ask(
    once: Callable[[Mapping[str, Any]], Completion], wishes: Mapping[str, Any], key: str, refused: set[str]
) -> Completion:  # fmt: skip
    """Ask with those fields; a server that takes them for a mistake is asked without, and so from then on.

    `refused` remembers which did, by `key`. Raises ModelFailed.
    """
    if not wishes or key in refused:
        return once({})
    try:
        return once(wishes)
    except ModelFailed as error:
        if error.wrong != "invalid":
            raise
    completion = once({})
    refused.add(key)
    return completion
