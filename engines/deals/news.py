"""What is news about a deal: answers in its conversation and the fate of its quotes, each a proposal with evidence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from domain import deal_stages, deals, inbox, sequences, vouching
from domain.cards import Proposal
from domain.db import Row
from domain.deals import Deal, Evidence
from domain.events import Event
from engines.contract import Context
from engines.deals.due import Stall

NAME = "deals"

LATEST_DAYS = 7
"""News of a deal outlives a weekend behind the kill switch."""

PRIORITY = 1100
"""Above every follow-up: what is known comes before what is asked."""

UNHAPPY = frozenset({"unsubscribe", "complaint"})
"""An answer of this kind is no sign of progress."""

CLOSES: dict[str, tuple[str, str]] = {
    "quote.accepted": ("won", "the quote was accepted"),
    "quote.rejected": ("lost", "the quote was rejected"),
}
SHOWS: dict[str, str] = {"quote.sent": "quote_sent", "quote.viewed": "quote_viewed"}
"""What happened to a deal's quote, and what it shows; an engine of quotes records these events with a `deal_id`."""


def from_mail(ctx: Context, event: Event) -> Iterator[Proposal]:
    """What a mail shows of the deals that it is about.

    A mail in a conversation that another engine began is that engine's; one that answers a mere greeting tells
    nothing of a deal, unless it asks for a quote. One that may be anybody's moves nothing; an order that wins a deal is
    written by a contact.
    """
    kinds = {str(event.data.get("class")), *event.data.get("flags", ())}
    message = inbox.get(ctx.tx, UUID(event.subject_id))
    if message is None or kinds & UNHAPPY:
        return
    linked = _linked(ctx, message.id)
    if not linked or not vouching.by_account(message):
        return
    owner = sequences.owner(ctx.tx, message.thread_id) if message.thread_id else None
    if owner not in (None, NAME, sequences.KEEPS_IN_TOUCH):
        return
    who = f"contact {message.contact_id}" if message.contact_id else f"account {message.client_id}"
    for row in linked:
        deal = deals.get(ctx.tx, row["deal_id"])
        kind = _shown(kinds, row["link"])
        if deal is None or deal.state != "open" or kind is None:
            continue
        evidence = Evidence(kind, who, f"message {message.id}", message.received_at)
        step = f"Answer {message.from_name or 'the mail'}" if deal.our_turn_since is not None else None
        if kind == "order" and vouching.by_contact(message):
            yield _closing(ctx, deal, "won", "an order came in its conversation", evidence, str(message.id))
        elif (stage := deal_stages.after(ctx.tx, deal.stage, kind)) or step:
            yield _moving(ctx, deal, stage.key if stage else None, step, evidence, str(message.id))


def from_quote(ctx: Context, event: Event) -> Iterator[Proposal]:
    """What the fate of a quote shows of its deal."""
    told = event.data.get("deal_id")
    deal = deals.get(ctx.tx, UUID(str(told))) if told else None
    if deal is None or deal.state != "open" or not deal.automation:
        return
    who = f"contact {event.contact_id}" if event.contact_id else event.actor
    what = f"{event.subject_type} {event.subject_id}"
    if event.type in CLOSES:
        state, reason = CLOSES[event.type]
        evidence = Evidence(event.type.replace(".", "_"), who, what, event.at)
        yield _closing(ctx, deal, state, str(event.data.get("reason") or reason), evidence, str(event.id))
        return
    kind = SHOWS[event.type]
    if stage := deal_stages.after(ctx.tx, deal.stage, kind):
        yield _moving(ctx, deal, stage.key, None, Evidence(kind, who, what, event.at), str(event.id))


def _linked(ctx: Context, message_id: UUID) -> list[Row]:
    return list(ctx.tx.rows(
        """SELECT a.deal_id, a.link FROM deal_activities a JOIN deals d ON d.tenant_id = :t AND d.id = a.deal_id
           WHERE a.tenant_id = :t AND a.message_id = :message AND a.kind = 'mail_in' AND d.automation
           ORDER BY a.deal_id""",
        t=ctx.tenant_id, message=message_id,
    ))  # fmt: skip


def _shown(kinds: set[str], link: str) -> str | None:
    """The strongest thing that a mail of these kinds shows of a deal to which it is linked so."""
    if "quote_request" in kinds:
        return "quote_request"
    if link != "thread":
        return None
    return "order" if "order" in kinds else "reply"


def _moving(
    ctx: Context, deal: Deal, to: str | None, step: str | None, evidence: Evidence, mark: str
) -> Proposal:  # fmt: skip
    what = f"to {to}" if to else "has an answer"
    payload: dict[str, Any] = {"to_stage": to, "next_step": step}
    return proposal(ctx, deal, f"Deal {what}: {deal.title}", payload, evidence, f"deals:news:{deal.id}:{mark}")


def _closing(ctx: Context, deal: Deal, state: str, reason: str, evidence: Evidence, mark: str) -> Proposal:
    payload = {"to_state": state, "reason": reason}
    return proposal(ctx, deal, f"Deal {state}: {deal.title}", payload, evidence, f"deals:news:{deal.id}:{mark}")


def proposal(
    ctx: Context, deal: Deal | Stall, title: str, payload: dict[str, Any], evidence: Evidence, key: str
) -> Proposal:  # fmt: skip
    """An update of a deal, with what shows that it is due."""
    return Proposal(
        type="update_deal", engine=NAME, title=title, subject_type="deal", subject_id=str(deal.id), dedupe_key=key,
        due_at=ctx.now, latest_at=ctx.now + timedelta(days=LATEST_DAYS), client_id=deal.client_id,
        contact_id=deal.contact_id, priority=PRIORITY, evidence=evidence.told(),
        payload={"deal_id": str(deal.id), "from_stage": deal.stage,
                 **{name: value for name, value in payload.items() if value is not None}},
    )  # fmt: skip
