"""Deals: what an account may come to order, where it stands, and by what it is known to stand there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from domain import agreements, deal_stages, events, money, quotes, schedule, storable
from domain import deal_book as book
from domain.clients import Upserted
from domain.db import Row, Tx
from domain.deal_book import COLUMNS, Deal, Evidence, IllegalDealMove, InvalidDeal, State, UnknownDeal, load
from domain.deal_stages import Stage
from domain.money import InvalidMoney
from domain.quotes import IllegalQuoteMove

__all__ = ["COLUMNS", "Deal", "Evidence", "IllegalDealMove", "InvalidDeal", "State", "UnknownDeal", "load"]


def by_person(tx: Tx, what: str) -> Evidence:
    """The evidence that a person of the tenant says so, in their words."""
    return Evidence("person", tx.actor, what.strip(), tx.now)


def get(tx: Tx, deal_id: UUID) -> Deal | None:
    """One deal of the tenant, or None."""
    row = tx.row(f"SELECT {COLUMNS} FROM deals WHERE tenant_id = :t AND id = :id", t=tx.tenant_id, id=deal_id)
    return load(row) if row else None


def by_external_id(tx: Tx, external_id: str) -> Deal | None:
    """The deal that another system knows by `external_id`, or None."""
    row = tx.row(
        f"SELECT {COLUMNS} FROM deals WHERE tenant_id = :t AND external_id = :told", t=tx.tenant_id, told=external_id
    )
    return load(row) if row else None


def listed(
    tx: Tx, *, state: str | None = None, stage: str | None = None, client_id: UUID | None = None,
    stalled: bool | None = None, due: bool = False, after: UUID | None = None, limit: int = 100,
) -> Sequence[Deal]:  # fmt: skip
    """The tenant's deals, oldest first, from behind `after`; with `due`, those whose follow-up is due by now."""
    filters = {"state": state, "stage": stage, "client_id": client_id}
    wanted = {name: value for name, value in filters.items() if value is not None}
    where = "".join(f" AND {name} = :{name}" for name in wanted)
    if stalled is not None:
        where += f" AND state = 'open' AND stalled_at IS {'NOT ' if stalled else ''}NULL"
    if due:
        where += " AND planned_at <= :now"
    rows = tx.rows(
        f"""SELECT {COLUMNS} FROM deals
            WHERE tenant_id = :t AND (CAST(:after AS uuid) IS NULL OR id > :after){where} ORDER BY id LIMIT :limit""",
        t=tx.tenant_id, after=after, limit=limit, **({"now": tx.now} if due else {}), **wanted,
    )  # fmt: skip
    return [load(row) for row in rows]


def history(tx: Tx, deal_id: UUID) -> Sequence[Row]:
    """Where a deal has been, oldest first, with durations and the evidence of each step."""
    return tx.rows(
        """SELECT stage, from_stage, by, evidence_kind, evidence_who, evidence_what, evidence_at, card_id, entered_at,
                  left_at, extract(epoch FROM duration)::float8 AS seconds
           FROM deal_stage_history WHERE tenant_id = :t AND deal_id = :id ORDER BY entered_at, id""",
        t=tx.tenant_id, id=deal_id,
    )  # fmt: skip


def put(
    tx: Tx, *, deal_id: UUID | None = None, external_id: str | None = None, title: str | None = None,
    client_id: UUID | None = None, contact_id: UUID | None = None, value: Decimal | int | str | None = None,
    currency: str | None = None, stage: str | None = None, expected_close_on: date | None = None,
    owner_id: UUID | None = None, opened_at: datetime | None = None, source: str = "person", spread: bool = False,
) -> Upserted:  # fmt: skip
    """Make a deal, or change the fields that are given of the one it already is; None leaves a field alone.

    It is recognised by `deal_id`, else `external_id`; the same call again changes nothing. `stage` is a stage's key or
    name, or `won` or `lost`, and moves the deal on the word of the record itself. With `spread`, the first follow-up
    falls somewhere in the stage's interval, so that an import does not make all of them due at once.
    Raises InvalidDeal, UnknownDeal, deal_stages.UnknownStage.
    """
    wished = _spelled({
        "external_id": external_id, "title": title, "client_id": client_id, "contact_id": contact_id, "value": value,
        "currency": currency, "expected_close_on": expected_close_on, "owner_id": owner_id, "opened_at": opened_at,
    })  # fmt: skip
    word = storable.text(stage, book.LONGEST).strip() if stage else ""
    deal_stages.ensure(tx)
    if word.casefold() not in ("", *deal_stages.CLOSED):
        word = deal_stages.named(tx, word).key
    evidence = Evidence("record", tx.actor, f"{source} {wished.get('external_id', '')}".strip(), tx.now)
    found = _recognise(tx, deal_id, wished)
    if found is None:
        made = _create(tx, wished, word.casefold(), evidence, spread=spread)
        if made is not None:
            return made
        found = _recognise(tx, None, wished)
        assert found is not None, "somebody else made it this very moment"
    return _change(tx, found, wished, word.casefold(), evidence)


def advance(tx: Tx, deal_id: UUID, to: str, *, evidence: Evidence, card_id: UUID | None = None) -> Deal:
    """Move an open deal to another stage, because of `evidence`.

    Raises UnknownDeal, IllegalDealMove, deal_stages.UnknownStage.
    """
    deal = book.hold(tx, deal_id)
    if deal.state != "open":
        raise IllegalDealMove(f"deal {deal_id} is {deal.state}: reopen it first")
    stage = deal_stages.named(tx, to)
    if stage.key == deal.stage:
        raise IllegalDealMove(f"deal {deal_id} is in stage {stage.key} already")
    return _move(tx, deal, stage, evidence, card_id)


def win(tx: Tx, deal_id: UUID, *, evidence: Evidence, reason: str | None = None, card_id: UUID | None = None) -> Deal:
    """Close an open deal as won. Raises UnknownDeal, IllegalDealMove."""
    return _close(tx, deal_id, "won", evidence, reason, card_id)


def lose(tx: Tx, deal_id: UUID, *, evidence: Evidence, reason: str, card_id: UUID | None = None) -> Deal:
    """Close an open deal as lost, saying why. Raises UnknownDeal, IllegalDealMove."""
    if not storable.says(reason):
        raise InvalidDeal("reason: say why the deal was lost")
    return _close(tx, deal_id, "lost", evidence, reason, card_id)


def reopen(tx: Tx, deal_id: UUID, *, evidence: Evidence, card_id: UUID | None = None) -> Deal:
    """Take a closed deal up again in the stage that it was closed in; an order of it goes, unless it is under way.

    Quotes that were closed with it stay so. Raises UnknownDeal, IllegalDealMove.
    """
    deal = book.hold(tx, deal_id)
    if deal.state == "open":
        raise IllegalDealMove(f"deal {deal_id} is open already")
    agreements.take_back(tx, deal_id, reason="its deal was taken up again")
    stage = deal_stages.get(tx, deal.stage)
    book.enter(tx, deal, stage.key, deal.state, evidence, card_id)
    return book.write(tx, deal, "deal.reopened", evidence, state="open", reason=None, closed_at=None,
                    **book.begun(tx.now, stage))  # fmt: skip


def switch(tx: Tx, deal_id: UUID, *, on: bool, reason: str | None = None) -> Deal:
    """Let the agent work on a deal or leave it to people; saying it again changes nothing. Raises UnknownDeal."""
    deal = book.hold(tx, deal_id)
    if deal.automation == on:
        return deal
    told = storable.optional(reason, book.LONGEST)
    due = {} if not on or deal.state != "open" else book.begun(tx.now, deal_stages.get(tx, deal.stage))
    due.pop("stage_entered_at", None)
    book.cancel_waiting(tx, deal, told or "the deal was switched off") if not on else None
    return book.write(tx, deal, "deal.switched_on" if on else "deal.switched_off", None, automation=on,
                    automation_reason=None if on else told, **due)  # fmt: skip


def set_next_step(
    tx: Tx, deal_id: UUID, step: str | None, *, evidence: Evidence, at: datetime | None = None
) -> Deal:  # fmt: skip
    """Say what comes next for a deal and by what it is known; None: nothing in particular. Raises UnknownDeal."""
    deal = book.hold(tx, deal_id)
    told = storable.optional(step, book.LONGEST)
    return book.write(tx, deal, "deal.next_step", evidence, next_step=told, next_step_at=at if told else None,
                    next_step_evidence=evidence.told() if told else None)  # fmt: skip


def restore(tx: Tx, deal_id: UUID, *, to: Mapping[str, Any], seen: Mapping[str, Any]) -> Deal:
    """Take back what a card changed: stage, state and next step as in `to`, while they are still as in `seen`.

    An order that was made of it goes as well; quotes that were closed with it stay so. Raises UnknownDeal;
    IllegalDealMove when somebody has moved the deal on since, or its order is under way.
    """
    deal = book.hold(tx, deal_id)
    now = snapshot(deal)
    if changed := sorted(name for name, value in seen.items() if now[name] != value):
        raise IllegalDealMove(f"deal {deal_id} has changed since: {', '.join(changed)}")
    if now["state"] == "won" and to["state"] != "won":
        for order in agreements.take_back(tx, deal_id, reason="that its deal was won was taken back"):
            raise IllegalDealMove(f"order {order.called} of the deal is {order.status.replace('_', ' ')} already")
    evidence = by_person(tx, "taken back")
    moved: dict[str, Any] = {}
    if (to["stage"], to["state"]) != (now["stage"], now["state"]):
        moved = {"stage_entered_at": tx.now, "closed_at": None if to["state"] == "open" else tx.now}
        book.enter(tx, deal, to["stage"] if to["state"] == "open" else to["state"],
               now["stage"] if now["state"] == "open" else now["state"], evidence, None)  # fmt: skip
    moment = to["next_step_at"]
    stage = deal_stages.get(tx, to["stage"])
    began = book.begun(tx.now, stage) if to["state"] == "open" and now["state"] != "open" else {}
    return book.write(
        tx, deal, "deal.restored", evidence, stage=stage.key, state=to["state"], reason=to["reason"],
        next_step=to["next_step"], next_step_at=datetime.fromisoformat(moment) if moment else None,
        next_step_evidence=to["next_step_evidence"], **{**moved, **began},
    )  # fmt: skip


def snapshot(deal: Deal) -> dict[str, Any]:
    """What a card may change of a deal, in a form that `restore` takes."""
    return {
        "stage": deal.stage, "state": deal.state, "reason": deal.reason, "next_step": deal.next_step,
        "next_step_at": deal.next_step_at.isoformat() if deal.next_step_at else None,
        "next_step_evidence": dict(deal.next_step_evidence) if deal.next_step_evidence else None,
    }  # fmt: skip


def _recognise(tx: Tx, deal_id: UUID | None, wished: Mapping[str, Any]) -> Deal | None:
    if deal_id is not None:
        return book.hold(tx, deal_id)
    if "external_id" not in wished:
        return None
    found = by_external_id(tx, wished["external_id"])
    return book.hold(tx, found.id) if found else None


def _create(
    tx: Tx, wished: dict[str, Any], word: str, evidence: Evidence, *, spread: bool
) -> Upserted | None:  # fmt: skip
    """A new deal; None when somebody else has made it meanwhile."""
    if missing := [name for name in ("title", "client_id") if name not in wished]:
        raise InvalidDeal(f"{' and '.join(missing)}: a new deal needs a title and an account")
    currency = _account(tx, wished["client_id"], wished.get("contact_id"))
    stage = deal_stages.get(tx, word) if word not in ("", *deal_stages.CLOSED) else deal_stages.of(tx)[0]
    deal_id = tx.clock.uuid()
    opened = min(wished.pop("opened_at", tx.now), tx.now)
    begun = {**book.begun(tx.now, stage), "stage_entered_at": opened}
    if spread:
        begun["follow_up_due_at"] = tx.now + stage.follow_up * ((deal_id.int % 9973 + 1) / 9973)
    told = {"currency": currency, **wished, "stage": stage.key, "opened_at": opened, **begun}
    if not tx.run(
        f"""INSERT INTO deals (tenant_id, id, created_at, updated_at, {", ".join(told)})
            VALUES (:t, :id, :now, :now, {", ".join(f":{name}" for name in told)}) ON CONFLICT DO NOTHING""",
        t=tx.tenant_id, id=deal_id, now=tx.now, **told,
    ):  # fmt: skip
        return None
    book.remember(tx, deal_id, stage.key, None, evidence, None, at=opened)
    events.record(tx, "deal.created", "deal", deal_id, client_id=wished["client_id"],
                  contact_id=wished.get("contact_id"), stage=stage.key)  # fmt: skip
    schedule.bring_forward(tx, begun["follow_up_due_at"])
    if word in deal_stages.CLOSED:
        _close(tx, deal_id, word, evidence, "as recorded", None)
    return Upserted(deal_id, created=True, changed=tuple(sorted(wished)))


def _change(tx: Tx, found: Deal, wished: Mapping[str, Any], word: str, evidence: Evidence) -> Upserted:
    fresh = {name: value for name, value in wished.items() if getattr(found, name) != value}
    if "client_id" in fresh or "contact_id" in fresh:
        _account(tx, fresh.get("client_id", found.client_id), wished.get("contact_id", found.contact_id))
        # another person was never written to in this conversation
        fresh |= {"thread_id": None, "follow_ups": 0}
        book.cancel_waiting(tx, found, "the deal is with somebody else now")
    if fresh:
        book.write(tx, found, "deal.changed", None, **fresh)
    moved = _follow_record(tx, found, word, evidence)
    changed = sorted((set(fresh) & set(wished)) | ({"stage"} if moved else set()))
    return Upserted(found.id, created=False, changed=tuple(changed))


def _follow_record(tx: Tx, found: Deal, word: str, evidence: Evidence) -> bool:
    """Bring the deal to the stage or the end that a record names; whether it was elsewhere."""
    if word in ("", found.state) or (found.state == "open" and word == found.stage):
        return False
    if found.state != "open":
        reopen(tx, found.id, evidence=evidence)
    if word in deal_stages.CLOSED:
        _close(tx, found.id, word, evidence, "as recorded", None)
    elif word != found.stage:
        advance(tx, found.id, word, evidence=evidence)
    return True


def _move(tx: Tx, deal: Deal, stage: Stage, evidence: Evidence, card_id: UUID | None) -> Deal:
    book.enter(tx, deal, stage.key, deal.stage, evidence, card_id)
    return book.write(tx, deal, "deal.stage_changed", evidence, stage=stage.key, **book.begun(tx.now, stage))


def _close(
    tx: Tx, deal_id: UUID, state: str, evidence: Evidence, reason: str | None, card_id: UUID | None
) -> Deal:  # fmt: skip
    deal = book.hold(tx, deal_id)
    if deal.state != "open":
        raise IllegalDealMove(f"deal {deal_id} is {deal.state} already")
    book.enter(tx, deal, state, deal.stage, evidence, card_id)
    book.cancel_waiting(tx, deal, f"the deal was {state}")
    agreed = _close_quotes(tx, deal_id, state, evidence)
    # what another system reports as won is history to it: an order follows only from what was agreed with us
    react = state == "won" and (agreed or evidence.kind != "record")
    if react:
        schedule.bring_forward(tx, tx.now, extra=True)
    return book.write(
        tx, deal, f"deal.{state}", evidence, react=react, state=state, reason=storable.optional(reason, book.LONGEST),
        closed_at=tx.now, follow_up_due_at=None, stalled_at=None, next_step=None, next_step_at=None,
        next_step_evidence=None, our_turn_since=None, shadow_follow_ups=None, shadow_follow_up_due_at=None,
    )  # fmt: skip


def _close_quotes(tx: Tx, deal_id: UUID, state: str, evidence: Evidence) -> bool:
    """What is still offered for a deal that has come to an end is taken back; whether any of it had been accepted."""
    rows = tx.rows(
        """SELECT id, number, status FROM quotes WHERE tenant_id = :t AND deal_id = :deal
             AND status IN ('draft', 'sent', 'viewed', 'accepted') ORDER BY id""",
        t=tx.tenant_id, deal=deal_id,
    )  # fmt: skip
    by = next((f" by quote {row['number']}" for row in rows if evidence.what == f"quote {row['id']}"), "")
    for row in rows:
        if row["status"] == "accepted":
            continue
        try:
            quotes.withdraw(tx, row["id"], reason=f"the deal was {state}{by}")
        except IllegalQuoteMove:
            # it is on its way at this moment and closes once it is out, or was answered just now
            continue
    return any(row["status"] == "accepted" for row in rows)


def _account(tx: Tx, client_id: UUID, contact_id: UUID | None) -> str:
    """The account's currency. Raises InvalidDeal where there is no such account, or the contact is not of it."""
    row = tx.row(
        """SELECT l.currency, c.id AS contact FROM clients l
           LEFT JOIN contacts c ON c.tenant_id = :t AND c.client_id = l.id AND c.id = :contact
           WHERE l.tenant_id = :t AND l.id = :client""",
        t=tx.tenant_id, client=client_id, contact=contact_id,
    )  # fmt: skip
    if row is None:
        raise InvalidDeal(f"client_id: there is no client {client_id}")
    if contact_id is not None and row["contact"] is None:
        raise InvalidDeal(f"contact_id: the account has no contact {contact_id}")
    return str(row["currency"])


def _spelled(given: Mapping[str, Any]) -> dict[str, Any]:
    """The given fields, each in its one spelling; empty text counts as not given."""
    told = {name: storable.unbroken(each, book.LONGEST) if isinstance(each, str) else each
            for name, each in given.items()}  # fmt: skip
    told = {name: each for name, each in told.items() if not isinstance(each, str | None) or storable.says(each)}
    if "value" in told:
        told["value"] = _amount(told["value"])
    if "currency" in told:
        try:
            told["currency"] = money.currency(told["currency"], bygone=True)
        except InvalidMoney as error:
            raise InvalidDeal(f"currency: {error}") from error
    return told


def _amount(told: Any) -> Decimal:
    if isinstance(told, float | bool):
        raise InvalidDeal("value: an exact number, never a float")
    try:
        amount = Decimal(told)
        fits = amount.is_finite() and 0 <= amount < Decimal(10) ** 14 and amount == amount.quantize(Decimal("0.0001"))
    except ArithmeticError as error:
        raise InvalidDeal(f"value: {told!r} is no number") from error
    if not fits:
        raise InvalidDeal(f"value: {told!r} is not between 0 and 10^14 with four places at most")
    return amount
