"""What people, contacts and providers do to the house, each written into the machine's book once it is committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import UUID

from domain import cards, contacts, suppressions, switches
from domain.switches import Switch
from engines.registry import ENGINES
from jobs import approvals, resolve
from simulator.emulators.resend_webhooks import bounce
from tests import build, houses
from tests.jobs import letters
from tests.machine import records
from tests.machine.book import Person, Tenant

if TYPE_CHECKING:
    from tests.machine.machine import Machine

NEWS = ("sent", "delivered", "opened", "bounced", "bounced", "complained", "delayed", "transient", "failed",
        "suppressed", "an old one again")  # fmt: skip


def person(tenant: Tenant, who: int) -> Person:
    """One of the tenant's people."""
    everybody = sorted(tenant.people.values(), key=lambda each: each.id)
    return everybody[who % len(everybody)]


def propose(machine: Machine, tenant: Tenant, kind: str, who: int, to: str) -> None:
    """Somebody or some engine means to do something; most of it is harmless."""
    about, colleague = person(tenant, who), person(tenant, who + 1)
    payload: dict[str, Any] = {"subject": f"{kind} for you", "text": "How are you?"}
    match to:
        case "alias":
            payload["to"] = [max(about.addresses)]
        case "colleague":
            payload["cc"] = [colleague.main]
        case "stranger":
            payload["to"] = ["mallory@evil.example"]
    now = machine.now()
    with machine.world.database.tenant(tenant.id, actor="person") as tx:
        key = f"machine:{tx.clock.uuid()}"
        made = build.proposal(tx, about.id, kind=kind, payload=payload, dedupe_key=key,
                              latest_at=now + timedelta(days=3))  # fmt: skip
        cards.propose(tx, [made])


def decide(machine: Machine, tenant: Tenant, nth: int, what: str) -> None:
    """A person goes through what waits for them; they approve what they saw when they last looked."""
    machine.at_the_door()
    waiting = records.waiting_for_a_person(machine.world.database, tenant)
    if not waiting:
        return
    card = waiting[nth % len(waiting)]
    with machine.world.database.tenant(tenant.id, actor="boss") as tx:
        match what:
            case "approve":
                _approve(machine, tx, tenant, card)
            case "edit":
                words = {"text": f"How are you doing, number {nth}?"}
                machine.looks[card] = approvals.edit(machine.world.house, tx, card, changes=words, by="boss")
            case "reject":
                approvals.reject(tx, card, by="boss", reason="not now")
            case "snooze":
                approvals.snooze(tx, card, until=machine.now() + timedelta(hours=5))
            case _:
                machine.looks[card] = approvals.show(machine.world.house, tx, card)


def _approve(machine: Machine, tx: Any, tenant: Tenant, card: UUID) -> None:
    if card not in machine.looks:
        machine.looks[card] = approvals.show(machine.world.house, tx, card)
    shown = machine.looks.pop(card)
    try:
        approvals.approve(machine.world.house, tx, card, seen=shown.seen, by="boss")
    except (approvals.ApprovalVoid, approvals.ApprovalExpired):
        machine.counts["approvals void"] += 1
        return
    machine.counts["approvals"] += 1
    tenant.approved[card] = (shown.subject, shown.text)


def stop(machine: Machine, scope: str, switch: tuple[str, str], *, patience: float = 20.0) -> None:
    """A switch is closed; what it governs has stopped when the call returns."""
    machine.at_the_door()
    machine.counts["stops"] += 1
    tenant = None if scope == "house" else machine.tenant(scope)
    closed = machine.world.house_closed if tenant is None else tenant.closed
    where = Switch(tenant.id if tenant else None, switch[0], switch[1])  # type: ignore[arg-type]
    flip = switches.stop(machine.world.database, where, by="boss", reason="stop", timeout_seconds=patience)
    if flip.settled:
        machine.at_the_door()
        closed.add(switch)
    else:
        # what it lists may still go out; nothing does once the hour it was flipped in is over
        machine.hooks.append(lambda: closed.add(switch))


def resume_all(machine: Machine, tenant: Tenant) -> None:
    """Everything that was stopped for a tenant goes on."""
    for owner, closed in ((None, machine.world.house_closed), (tenant.id, tenant.closed)):
        for level, name in sorted(closed):
            switches.resume(machine.world.database, Switch(owner, level, name),  # type: ignore[arg-type]
                            by="boss", reason="go on")  # fmt: skip
        closed.clear()


def change_mode(machine: Machine, tenant: Tenant, mode: str) -> None:
    """Another send mode."""
    machine.change(tenant, send_mode=mode)
    tenant.mode = mode


def change_cap(machine: Machine, tenant: Tenant, what: str, most: int) -> None:
    """A cap is tightened or loosened."""
    caps = tenant.caps
    match what:
        case "hour":
            machine.change(tenant, max_emails_per_hour=most)
            caps.hour = most
        case "people":
            machine.change(tenant, max_people_per_account_per_day=most + 1)
            caps.people = most + 1
        case "limited":
            machine.change(tenant, limited_live_emails_per_day=most)
            caps.day_limited = most
        case "new":
            machine.change(tenant, limited_live_new_contacts_per_day=most)
            caps.new_limited = most
        case "gap":
            hours = (1, 24, 72, 100)[most]
            machine.change(tenant, minimum_gap_hours=hours, conversation_gap_hours=min(hours, 24))
            caps.gap_hours, caps.conversation_hours = hours, min(hours, 24)
        case _:
            machine.change(tenant, max_actions_per_hour={"send_email": most} if most else {})
            caps.kinds = {"send_email": (most, len(tenant.mails))} if most else {}


def allow(machine: Machine, tenant: Tenant, who: int, whole: bool) -> None:
    """An address, or its whole domain, is put on the allow list."""
    address = person(tenant, who).main
    tenant.allowed.add(address.partition("@")[2] if whole else address)
    machine.change(tenant, allow_list=sorted(tenant.allowed))


def autonomy(machine: Machine, tenant: Tenant, kind: str, level: str) -> None:
    """How much the agent may do by itself."""
    asks = tenant.asks - {kind} if level == "auto" else tenant.asks | {kind}
    machine.change(tenant, autonomy=dict.fromkeys(sorted(asks), "approve" if level == "auto" else level))
    tenant.asks = asks


def opt_out(machine: Machine, tenant: Tenant, who: int, how: str) -> None:
    """Somebody wants to be left alone, or is to be."""
    machine.at_the_door()
    machine.counts["opt-outs"] += 1
    meant = person(tenant, who)
    if how == "mail":
        _deliver(machine, tenant, "Please remove me from your list.", frm=meant.main)
        _once_read(machine, tenant, lambda: meant.refuse("opted_out"))
        machine.read_mail(tenant.slug.partition("-")[0])
        return
    if how == "link":
        signature = machine.world.house.vault.sign("unsubscribe", f"{tenant.id}:{meant.id}")
        path = urlsplit(f"http://127.0.0.1/u/{tenant.id}/{meant.id}/{signature}").path
        answer = machine.stage.desk(machine.world.house).post(path, data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        meant.refuse("opted_out")
        return
    with machine.world.database.tenant(tenant.id, actor="boss") as tx:
        suppressions.suppress(tx, houses.VAULT, meant.main, reason="manual" if how == "manual" else "erased",
                              source="person")  # fmt: skip
    meant.refuse(how, meant.main if how == "manual" else None)


def webhook(machine: Machine, tenant: Tenant, nth: int, kind: str, times: int, forged: bool) -> None:
    """The provider tells of a mail, perhaps twice, perhaps late; or somebody pretends to be the provider."""
    machine.at_the_door()
    mails = machine.stage.resend.sent(tenant.slug)
    if not mails:
        return
    desk, path = machine.stage.desk(machine.world.house), f"/webhooks/resend/{tenant.slug}"
    email = mails[-1 - nth % len(mails)]
    if kind == "an old one again":
        for slug, old in machine.old_hooks[-2:]:
            desk.post(f"/webhooks/resend/{slug}", content=old.body, headers=old.headers())
            machine.touched.update(machine.world.tenants)
        return
    extra = bounce() if kind == "bounced" else bounce("Transient", "MailboxFull", "full") if kind == "transient" else {}
    name = {"transient": "bounced", "delayed": "delivery_delayed"}.get(kind, kind)
    made = machine.stage.resend.forgery if forged else machine.stage.resend.hook
    hook = made(tenant.slug, email["id"], name, **extra)
    for _ in range(times):
        answer = desk.post(path, content=hook.body, headers=hook.headers())
        assert answer.status_code == (401 if forged else 200)
    if forged:
        return
    machine.old_hooks.append((tenant.slug, hook))
    machine.counts["webhooks"] += 1
    card = UUID({tag["name"]: tag["value"] for tag in email["tags"]}["card"])
    _told(machine, tenant, kind, card, email["to"][0])


def _told(machine: Machine, tenant: Tenant, kind: str, card: UUID, address: str) -> None:
    whom = tenant.person_at(address)
    assert whom is not None
    match kind:
        case "bounced":
            whom.refuse("bounced", address)
            tenant.troubled("bounced", card, machine.now())
        case "suppressed":
            whom.refuse("bounced", address)
            tenant.uncounted.add(card)
        case "complained":
            whom.refuse("complained")
            tenant.troubled("complained", card, machine.now())
        case "failed":
            tenant.uncounted.add(card)


def letter(machine: Machine, tenant: Tenant, who: int, what: str) -> None:
    """A letter comes into the tenant's mailbox; nobody knows of it before the mailbox is read."""
    about, sent = person(tenant, who), records.sent(machine.world.database, tenant)
    at = machine.now()
    headers = {"in_reply_to": sent[-1 - who % len(sent)][1]} if sent else {}
    match what:
        case "away":
            back = (at + timedelta(days=6)).date()
            words = f"I am out of the office until {back:%d %B %Y} and will answer when I am back."
            _deliver(
                machine, tenant, words, frm=about.main, subject="Out of office: Hello", auto_submitted="auto-replied"
            )
        case "bounce" if sent:
            card, message_id = sent[-1 - who % len(sent)]
            address = _recipient(machine, tenant, card)
            _raw(machine, tenant, letters.bounce(message_id, address))
            _once_read(machine, tenant, lambda: _told(machine, tenant, "bounced", card, address))
        case _:
            frm = max(about.addresses) if what == "alias" else about.main
            given = {} if what == "fresh" else headers
            _deliver(machine, tenant, "Thank you, see you soon.", frm=frm, **given)
            _once_read(machine, tenant, lambda: tenant.heard(about, at))


def _recipient(machine: Machine, tenant: Tenant, card: UUID) -> str:
    for email in machine.stage.resend.sent(tenant.slug):
        if {tag["name"]: tag["value"] for tag in email["tags"]}["card"] == str(card):
            return str(email["to"][0])
    raise AssertionError("an accepted mail that the provider does not know")


def _deliver(
    machine: Machine, tenant: Tenant, words: str, *, frm: str, subject: str = "Re: Hello", **headers: str
) -> None:
    machine.world.letters += 1
    own = machine.world.own(tenant)
    headers = {"message_id": f"<{machine.world.letters}@somewhere.example>", **headers}
    date = f"{machine.now():%a, %d %b %Y %H:%M:%S} +0000"
    raw = letters.letter(words, frm=frm, to=own, subject=subject, number=machine.world.letters, date=date, **headers)
    _raw(machine, tenant, raw)


def _raw(machine: Machine, tenant: Tenant, raw: bytes) -> None:
    machine.stage.gmail.account(machine.world.own(tenant)).deliver(raw)
    machine.counts["letters"] += 1


def _once_read(machine: Machine, tenant: Tenant, known: Callable[[], None]) -> None:
    machine.unread.setdefault(tenant.slug, []).append(known)


def unread(machine: Machine, tenant: Tenant) -> list[Callable[[], None]]:
    """What the letters say that were read just now."""
    return machine.unread.pop(tenant.slug, [])


def people_change(machine: Machine, tenant: Tenant, who: int, how: str) -> None:
    """Somebody joins, has another address from now on, or one more."""
    about = person(tenant, who)
    if how == "joins":
        machine.join(tenant, about.account)
        return
    machine.world.letters += 1
    address = f"{about.main[0]}{machine.world.letters}@{about.account.lower()}.example"
    with machine.world.database.tenant(tenant.id, actor="boss") as tx:
        if how == "alias":
            contacts.add_address(tx, houses.VAULT, about.id, address, source="person")
        else:
            contacts.upsert(tx, houses.VAULT, contact_id=about.id, email=address)
    about.learn(address)
    if how == "moves":
        about.main = address


def settle(machine: Machine, tenant: Tenant) -> None:
    """A person finds out what became of a mail whose outcome nobody knew, and says so."""
    machine.at_the_door()
    arrived = {each.card for each in tenant.mails}
    for card, _since in records.uncertain(machine.world.database, tenant)[:1]:
        with machine.world.database.tenant(tenant.id, actor="boss") as tx:
            resolve.say(tx, ENGINES, card, arrived=card in arrived, by="boss", reason="looked it up")


def _stop_tenant(machine: Machine, tenant: Tenant, who: int) -> None:
    level = [("all", ""), ("mail", ""), ("engine", "engagement"), ("action", "send_email")][who % 4]
    stop(machine, tenant.slug.partition("-")[0], level, patience=0.3)


def _stop_house(machine: Machine, tenant: Tenant, who: int) -> None:
    stop(machine, "house", [("all", ""), ("mail", "")][who % 2], patience=0.3)


def _another_runs_too(machine: Machine, tenant: Tenant, who: int) -> None:
    other = machine.world.another_house()
    try:
        assert machine.work(other, tenant) is None
    finally:
        other.locks.close()
        other.gate.close()


def _colleague_answers(machine: Machine, tenant: Tenant, who: int) -> None:
    letter(machine, tenant, who, "reply")
    machine.read_mail(tenant.slug.partition("-")[0])


MEANWHILE: Mapping[str, Callable[[Machine, Tenant, int], None]] = {
    "stop of the tenant": _stop_tenant,
    "stop of the house": _stop_house,
    "opt-out by link": lambda machine, tenant, who: opt_out(machine, tenant, who, "link"),
    "opt-out by hand": lambda machine, tenant, who: opt_out(machine, tenant, who, "manual"),
    "opt-out by mail": lambda machine, tenant, who: opt_out(machine, tenant, who, "mail"),
    "dry run": lambda machine, tenant, who: change_mode(machine, tenant, "dry_run"),
    "internal only": lambda machine, tenant, who: change_mode(machine, tenant, "internal_only"),
    "cap of the hour": lambda machine, tenant, who: change_cap(machine, tenant, "hour", who % 3),
    "another process": _another_runs_too,
    "colleague answers": _colleague_answers,
}  # fmt: skip
"""What may happen between two steps of an hour."""
