"""Every rule, by family; importing this package registers them all."""

from __future__ import annotations

from policy.rules import (
    approval,
    compliance,
    conversations,
    drafts,
    feedback,
    human_task,
    limits,
    marking,
    modes,
    no_spam,
    order_questions,
    pacing,
    promises,
    research,
    sending_times,
    sensitive,
    switches,
    timing,
    truth,
    wording,
)

FAMILIES = (
    switches, timing, wording, human_task, research, truth, no_spam, pacing, sending_times, conversations,
    order_questions, feedback, compliance, marking, sensitive, promises, drafts, limits, modes, approval,
)  # fmt: skip
"""In the order in which verdicts are told."""
