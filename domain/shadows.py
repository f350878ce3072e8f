"""Shadows: what held messages moved for planning alone, forgotten once the send mode has changed."""

from __future__ import annotations

from domain.db import Tx


def forget(tx: Tx) -> None:
    """The send mode has changed: what earlier modes held moves nothing any more."""
    forget_of_contacts(tx)
    forget_of_deals(tx)
    forget_of_quotes(tx)
    forget_of_feedback(tx)
    forget_of_checks(tx)


def forget_of_contacts(tx: Tx) -> int:
    """How many clocks had a shadow."""
    return tx.run(
        """UPDATE engagement_clocks SET shadow_due_at = NULL, shadow_step = NULL, shadow_follow_up_due_at = NULL
           WHERE tenant_id = :t AND (shadow_due_at IS NOT NULL OR shadow_step IS NOT NULL)""",
        t=tx.tenant_id,
    )  # fmt: skip


def forget_of_deals(tx: Tx) -> int:
    """How many deals had a shadow."""
    return tx.run(
        """UPDATE deals SET shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL
           WHERE tenant_id = :t AND state = 'open' AND automation AND shadow_follow_ups IS NOT NULL""",
        t=tx.tenant_id,
    )  # fmt: skip


def forget_of_quotes(tx: Tx) -> int:
    """How many quotes had a shadow; until when a held one was to be valid is decided anew."""
    return tx.run(
        """UPDATE quotes SET shadow_sent_at = NULL, shadow_follow_ups = NULL, shadow_follow_up_due_at = NULL,
               valid_until = CASE WHEN status = 'draft' THEN NULL ELSE valid_until END
           WHERE tenant_id = :t AND (shadow_sent_at IS NOT NULL OR shadow_follow_ups IS NOT NULL)""",
        t=tx.tenant_id,
    )  # fmt: skip


def forget_of_feedback(tx: Tx) -> int:
    """How many feedback requests had a shadow."""
    return tx.run(
        "UPDATE feedback_requests SET shadow_sent_at = NULL WHERE tenant_id = :t AND shadow_sent_at IS NOT NULL",
        t=tx.tenant_id,
    )


def forget_of_checks(tx: Tx) -> int:
    """How many compliance checks had a shadow."""
    return tx.run(
        """UPDATE compliance_checks SET shadow_reminders = NULL, shadow_remind_at = NULL
           WHERE tenant_id = :t AND state IN ('pending', 'reminded', 'overdue') AND shadow_reminders IS NOT NULL""",
        t=tx.tenant_id,
    )  # fmt: skip
