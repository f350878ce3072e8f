"""How fast mail goes out and comes in through the real SDKs and the emulators, both in one process."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from domain.clock import SystemClock
from providers.folder import FolderMailbox
from providers.resend import ResendSender
from providers.wire import Wire
from simulator.emulators.gmail import GmailEmulator
from simulator.emulators.resend import ResendEmulator
from tests.providers.gmail_boxes import a_mailbox, a_raw, ids
from tests.providers.outbound import a_mail


def test_sends_through_resend() -> None:
    clock, threads, each = SystemClock(), 4, 500
    with ResendEmulator(clock=clock) as resend:
        resend.account("re_acme")
        wire = Wire()

        def send_many() -> None:
            sender = ResendSender("re_acme", resend.url, wire=wire)
            for _ in range(each):
                sender.send(a_mail(clock), deadline_seconds=30)

        workers = [threading.Thread(target=send_many) for _ in range(threads)]
        began = time.perf_counter()
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        seconds = time.perf_counter() - began
        assert len(resend.sent("re_acme")) == threads * each
        print(
            f"\nresend: {threads * each / seconds:,.0f} sends/s in {threads} threads, {resend.connections} connections"
        )


def test_a_full_sync_from_gmail() -> None:
    count = 1000
    with GmailEmulator(clock=SystemClock()) as gmail:
        account = gmail.account("ana@acme.example")
        for number in range(count):
            account.deliver(a_raw(number) + b"x" * 20_000)
        began = time.perf_counter()
        assert len(ids(list(a_mailbox(gmail, account).changes(None)))) == count
        print(f"\ngmail: {count / (time.perf_counter() - began):,.0f} messages/s of 20 kB in a full sync")


def test_a_folder_of_messages(tmp_path: Path) -> None:
    count = 5000
    for number in range(count):
        (tmp_path / f"{number}.eml").write_bytes(a_raw(number) + b"x" * 20_000)
    box = FolderMailbox(tmp_path, address="ana@acme.example", clock=SystemClock())
    began = time.perf_counter()
    pages = list(box.changes(None))
    first = time.perf_counter() - began
    began = time.perf_counter()
    list(box.changes(pages[-1].next_cursor))
    again = time.perf_counter() - began
    assert len(ids(pages)) == count
    print(f"\nfolder: {count / first:,.0f} messages/s of 20 kB at first, {again * 1000:.0f} ms when nothing is new")
