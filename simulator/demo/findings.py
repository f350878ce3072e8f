"""What the story came to, read back from the database and the emulators alone: nothing here trusts the story itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from domain import ledger, quarantine, reflections, runs
from domain.db import Tx
from policy.judge import sentence
from simulator.demo.story import Story


@dataclass(frozen=True, slots=True)
class Refusal:
    """One rule, and what it kept from happening."""

    rule: str
    sentence: str
    cards: int
    decision: str
    example: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """One run's obligations by what became of them."""

    number: int
    due: int
    dispositions: dict[str, int]
    adds_up: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """What one company has to show."""

    slug: str
    name: str
    mode: str
    contacts: int
    clients: int
    countries: int
    mailbox: int
    """Messages that were put into its mailbox."""
    stored: int
    classes: dict[str, int]
    attachments: int
    malformed: int
    cards: dict[str, int]
    sent: int
    """Mails that the provider took."""
    posted: list[dict[str, str]]
    """Every raw POST of a mail that the provider saw: its idempotency key, its recipient and its subject."""
    doubled: int
    """Idempotency keys that came with more than one effect, and people who got the same words twice."""
    unrecorded: int
    """Mails that the provider took and no card of ours knows, or the other way round."""
    held: list[dict[str, str]]
    refusals: list[Refusal]
    suppressed: dict[str, int]
    tasks: list[str]
    cases: list[str]
    orders: dict[str, int]
    """By how far they came."""
    done: dict[str, int]
    """What each engine did: its cards that were carried out or held."""
    moved: list[str]
    """The engines whose numbers moved, as the reflections tell."""
    quotes: dict[str, int]
    """By how far they came."""
    deals: dict[str, int]
    exceptions: dict[str, int]
    """What was found wrong with them, by code, and how it ended."""
    feedback: dict[str, int]
    """What clients were asked and said of what they got, by how it stands."""
    checks: dict[str, int]
    """Compliance checks, by where they stand."""
    cycles: int
    ledgers_add_up: bool
    ledger: Ledger
    """Of the last hour."""
    busiest: Ledger
    reflection: str
    """The last hour in its own words."""
    fullest: str
    """So is the hour in which most engines did something."""
    errors: list[str]
    """What the runs noted as gone wrong: nothing, where all is well."""
    why: UUID | None
    """A card that is worth asking about."""


def find(story: Story, slug: str) -> Findings:
    """Look at one company."""
    company, tenant_id = story.companies[slug], story.tenants[slug]
    taken = story.world.taken(slug)
    with story.house.database.tenant(tenant_id, actor="demo") as tx:
        done = _done(tx)
        ledgers = [_ledger(tx, row) for row in runs.recent(tx, limit=200)]
        told = reflections.last(tx)
        refusals = _refusals(tx)
        return Findings(
            slug=slug, name=company.name, mode=company.mode,
            contacts=_count(tx, "contacts"), clients=_count(tx, "clients"),
            countries=tx.value("""SELECT count(DISTINCT coalesce(c.country, l.country)) FROM contacts c
                                  JOIN clients l ON l.tenant_id = c.tenant_id AND l.id = c.client_id
                                  WHERE c.tenant_id = :t""", t=tx.tenant_id),
            mailbox=story.world.put_in[slug], stored=_count(tx, "gmail_messages"),
            classes=_by(tx, "class", "gmail_messages"), attachments=_count(tx, "attachments"),
            malformed=tx.value("SELECT count(*) FROM gmail_messages WHERE tenant_id = :t AND quarantined IS NOT NULL",
                               t=tx.tenant_id) + len(quarantine.waiting(tx, "message", "")),
            cards=_by(tx, "state", "kanban_cards"), sent=len(taken), posted=story.world.posted(slug),
            doubled=_doubled(taken), unrecorded=len({each["id"] for each in taken} ^ done), held=_held(tx),
            refusals=refusals, suppressed=_by(tx, "reason", "suppressions"), tasks=_titles(tx, "tasks"),
            cases=_titles(tx, "cases"), orders=_by(tx, "status", "orders"),
            done=_by(tx, "engine", "(SELECT * FROM kanban_cards WHERE state IN ('done', 'held')) AS k"),
            moved=_moved(tx),
            quotes=_by(tx, "status", "quotes"), deals=_by(tx, "state", "deals"),
            exceptions=_by(tx, "lower(code) || ' ' || state", "order_processing_exceptions"),
            feedback=_by(tx, "concat_ws(' ', state, sentiment)", "feedback_requests"),
            checks=_by(tx, "state", "compliance_checks"),
            cycles=len(ledgers), ledgers_add_up=all(each.adds_up for each in ledgers),
            ledger=ledgers[0], busiest=max(ledgers, key=lambda each: each.due), reflection=told["text"] if told else "",
            fullest=_fullest(tx),
            errors=_errors(tx),
            why=_worth_asking(tx),
        )  # fmt: skip


def _done(tx: Tx) -> set[str]:
    """The provider's ids of our cards that are done."""
    rows = tx.rows("SELECT provider_id FROM kanban_cards WHERE tenant_id = :t AND state = 'done' "
                   "AND provider_id IS NOT NULL", t=tx.tenant_id)  # fmt: skip
    return {row["provider_id"] for row in rows}


def _doubled(taken: list[dict[str, Any]]) -> int:
    tags = Counter(tag["value"] for each in taken for tag in each["tags"] if tag["name"] == "card")
    words = Counter((each["to"][0], each["subject"], each["text"]) for each in taken)
    return sum(n - 1 for n in (*tags.values(), *words.values()) if n > 1)


def _ledger(tx: Tx, row: Any) -> Ledger:
    lines = ledger.lines(tx, row["id"])
    counts: Counter[str] = Counter()
    for line in lines:
        counts[line["disposition"]] += line["count"]
    planned = [block["counts"] for block in row["work_blocks"] if block["phase"] == "plan"]
    opened = planned[0].get("obligations", 0) if planned else 0
    known = sum(counts[name] for name in ledger.DISPOSITIONS)
    return Ledger(row["cycle_number"], opened, dict(counts), adds_up=opened == known)


def _refusals(tx: Tx) -> list[Refusal]:
    """Every rule that decided against a card, or that an engine named for leaving somebody alone."""
    rows = tx.rows(
        """WITH told AS (
               SELECT e.data ->> 'rule' AS rule, k.title, e.data ->> 'reason' AS reason, e.subject_id, e.id,
                      substr(e.type, 6) AS became
               FROM warehouse_events e JOIN kanban_cards k ON k.tenant_id = :t AND k.id::text = e.subject_id
               WHERE e.tenant_id = :t AND e.subject_type = 'card' AND e.data ->> 'rule' IS NOT NULL
               UNION ALL
               SELECT o.rule, coalesce(c.name, o.kind), o.reason, o.subject_id, o.run_id, o.disposition
               FROM run_obligations o LEFT JOIN contacts c ON c.tenant_id = :t AND c.id::text = o.subject_id
               WHERE o.tenant_id = :t AND o.rule IS NOT NULL AND o.card_id IS NULL AND NOT o.of_many
                 AND o.disposition <> 'acted')
           SELECT rule, count(DISTINCT subject_id) AS n, (array_agg(became ORDER BY id))[1] AS became,
                  (array_agg(title ORDER BY id))[1] AS title, (array_agg(reason ORDER BY id))[1] AS reason
           FROM told GROUP BY rule ORDER BY n DESC, rule""",
        t=tx.tenant_id,
    )  # fmt: skip
    return [
        Refusal(row["rule"], _sentence(row["rule"]), row["n"], row["became"], row["title"], row["reason"] or "")
        for row in rows
    ]


ENGINE_SENTENCES = {
    "engagement.existing_relationship": "Individual mail goes to clients; a prospect is never approached by itself.",
    "engagement.active_account": "An inactive account is left alone.",
    "engagement.reachable": "A person without an address can't be written to.",
    "engagement.account_conversation": "While somebody at the account is talking to us, their colleagues are spared.",
    "engagement.account_people": "At most so many people of one account are written to on one day.",
    "engagement.crowd": "No more mails wait for a later hour than go out in eight.",
    "engagement.budget": "An hour takes on no more touches than its budget; the most urgent come first.",
    "orders.waiting_for_answer": "The client was asked about an order once; nobody is asked twice.",
    "orders.needs_a_person": "What the agent may not decide about an order is left to a person.",
    "orders.budget": "An hour takes on no more orders than its budget; the oldest come first.",
    "orders.answered": "A question about an order is withdrawn when its answer has come.",
    "deals.existing_relationship": "A deal with a prospect is followed up by people.",
    "deals.active_account": "The deals of an inactive account are left alone.",
    "deals.named_contact": "A deal that names nobody is not followed up.",
    "deals.reachable": "A person who may not be reached is not written to about a deal.",
    "deals.our_turn": "Whoever waits for our answer is not asked how things stand.",
    "deals.quote_out": "Whoever has a quote before them is asked about that, and not about its deal as well.",
    "deals.away": "Nobody is followed up while they are away.",
    "deals.crowd": "No more mails wait for a later hour than go out in eight.",
    "deals.budget": "An hour takes on no more follow-ups than its budget; the most pressing come first.",
    "deals.moved_on": "What was meant for a deal is withdrawn when the deal has moved on.",
    "quotes.unpriced": "A quote with a line that has no price is completed by a person.",
    "quotes.for_nothing": "A quote that comes to nothing is not sent.",
    "quotes.not_offered": "A draft that nobody asked to send waits for a person.",
    "quotes.not_wanted": "A quote that a person did not want sent is not sent.",
    "quotes.named_contact": "A quote that names nobody is not sent.",
    "quotes.active_account": "The quotes of an inactive account are left alone.",
    "quotes.reachable": "A person who may not be reached is not written to about a quote.",
    "quotes.away": "Nobody is asked about a quote while they are away.",
    "quotes.crowd": "No more mails wait for a later hour than go out in eight.",
    "quotes.budget": "An hour takes on no more quotes than its budget; the most pressing come first.",
    "quotes.moved_on": "What was meant for a quote is withdrawn when the quote has moved on.",
    "feedback.delivered": "Nobody is asked about an order that they did not get.",
    "feedback.too_late": "Nobody is asked about an order that they got long ago.",
    "feedback.active_account": "An inactive account is not asked what it thinks.",
    "feedback.relationship": "Only clients are asked what they think.",
    "feedback.away": "Nobody is asked what they think while they are away.",
    "feedback.one_at_a_time": "A person is asked about one order at a time.",
    "feedback.crowd": "No more mails wait for a later hour than go out in eight.",
    "feedback.budget": "An hour asks no more people what they think than its budget; the oldest orders come first.",
    "feedback.not_wanted": "An order that a person did not want asked about is not asked about.",
    "feedback.refused": "A question that a rule refused rests for a while before it is meant again.",
    "feedback.held": "A question that the send mode held is asked once the mode lets it out.",
    "feedback.moved_on": "A question is withdrawn when it has been answered, or need not be asked any more.",
    "compliance.existing_relationship": "A prospect is not asked to complete our records.",
    "compliance.active_account": "The people of an inactive account are not asked for anything.",
    "compliance.reachable": "What a record lacks is asked of nobody who may not be reached.",
    "compliance.away": "Nobody is asked to complete a record while they are away.",
    "compliance.crowd": "No more mails wait for a later hour than go out in eight.",
    "compliance.budget": "An hour asks for no more than its budget; the most pressing come first.",
    "compliance.waiting_for_answer": "What was asked for is waited for, and taken to a manager a week after its day.",
    "compliance.left_to_people": "A check whose escalation was taken back is left to people.",
    "compliance.refused": "A request that a rule refused rests for a while before it is meant again.",
    "compliance.held": "A request that the send mode held is made once the mode lets it out.",
    "compliance.settled": "What was to be asked is withdrawn once the record is whole, waived or spoken of.",
    "engines.gave_way": "One contact hears one thing at a time: what matters less gives way, and says to what.",
    "limits": "A cap that was used up in the very instant of sending.",
    "approval.rejected": "A person said no.",
}
"""What the engine itself leaves out before there is a card to judge."""


def _sentence(rule: str) -> str:
    return ENGINE_SENTENCES.get(rule) or sentence(rule)


def _held(tx: Tx) -> list[dict[str, str]]:
    rows = tx.rows(
        """SELECT o.recipients[1] AS "to", o.mail ->> 'subject' AS subject, c.name, k.rule, k.reason
           FROM outbound_messages o JOIN kanban_cards k ON k.tenant_id = :t AND k.id = o.card_id
           LEFT JOIN contacts c ON c.tenant_id = :t AND c.id = o.contact_id
           WHERE o.tenant_id = :t AND o.state = 'held' ORDER BY o.reserved_at, o.card_id""",
        t=tx.tenant_id,
    )  # fmt: skip
    return [{name: str(value) for name, value in row.items()} for row in rows]


def _fullest(tx: Tx) -> str:
    row = tx.row(
        """SELECT text FROM agent_hourly_reflections WHERE tenant_id = :t
           ORDER BY (SELECT count(*) FROM jsonb_object_keys(facts -> 'did')) DESC, id LIMIT 1""",
        t=tx.tenant_id,
    )
    return str(row["text"]) if row else ""


def _moved(tx: Tx) -> list[str]:
    rows = tx.rows(
        """SELECT DISTINCT split_part(jsonb_object_keys(facts -> 'moved'), '.', 1) AS engine
           FROM agent_hourly_reflections WHERE tenant_id = :t ORDER BY 1""",
        t=tx.tenant_id,
    )  # fmt: skip
    return [row["engine"] for row in rows]


def _titles(tx: Tx, table: str) -> list[str]:
    rows = tx.rows(f"SELECT title FROM {table} WHERE tenant_id = :t ORDER BY id", t=tx.tenant_id)
    return [row["title"] for row in rows]


def _errors(tx: Tx) -> list[str]:
    return [
        f"hour {row['cycle_number']}, {error['where']}: {error['error']}"
        for row in runs.recent(tx, limit=200)
        for error in row["errors"] or ()
    ]


def _worth_asking(tx: Tx) -> UUID | None:
    """The card with the most interesting answer: blocked, else held, else deferred, else any."""
    found: UUID | None = tx.value(
        """SELECT id FROM kanban_cards WHERE tenant_id = :t
           ORDER BY array_position(:states, state) NULLS LAST, id DESC LIMIT 1""",
        t=tx.tenant_id, states=["blocked", "held", "deferred", "expired"],
    )  # fmt: skip
    return found


def _count(tx: Tx, table: str) -> int:
    return int(tx.value(f"SELECT count(*) FROM {table} WHERE tenant_id = :t", t=tx.tenant_id))


def _by(tx: Tx, column: str, table: str) -> dict[str, int]:
    rows = tx.rows(
        f"SELECT {column} AS name, count(*) AS n FROM {table} WHERE tenant_id = :t GROUP BY 1 ORDER BY 2 DESC, 1",
        t=tx.tenant_id,
    )
    return {row["name"]: row["n"] for row in rows}
