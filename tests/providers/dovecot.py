"""A real IMAP server for tests: Debian's Dovecot as an ordinary child process, with its own port and mail folders."""

from __future__ import annotations

import fcntl
import imaplib
import os
import pwd
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import Self

from domain.clock import SystemClock
from domain.imap_accounts import ImapAccount, Security

PROGRAM = "/usr/sbin/dovecot"
MAIL_USER = "nobody"
PASSWORDS = {"ana@acme.example": "acme secret", "gus@globex.example": 'globex "sécret" \\'}

CONFIGURATION = """
base_dir = {folder}/run
log_path = {folder}/log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
disable_plaintext_auth = yes
auth_mechanisms = plain
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
default_process_limit = 20
service imap-login {{
  inet_listener imap {{
    port = {plain}
  }}
  inet_listener imaps {{
    port = {secure}
    ssl = yes
  }}
}}
mail_location = maildir:{folder}/mail/%u
passdb {{
  driver = passwd-file
  args = scheme=PLAIN {folder}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/mail/%u
}}
namespace public {{
  type = public
  separator = /
  prefix = Public/
  location = maildir:{folder}/mail/public
  list = yes
  subscriptions = no
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Sent {{
    auto = create
    special_use = \\Sent
  }}
  mailbox Drafts {{
    auto = create
    special_use = \\Drafts
  }}
  mailbox Junk {{
    auto = create
    special_use = \\Junk
  }}
  mailbox Trash {{
    auto = create
    special_use = \\Trash
  }}
  mailbox Archive {{
    auto = create
    special_use = \\Archive
  }}
}}
"""


def why_not() -> str | None:
    """Why no Dovecot can run here; it is installed first, where this process may. None says that it can."""
    if os.geteuid() != 0:
        return "Dovecot runs only when its tests run as root"
    with (Path(tempfile.gettempdir()) / "hourhand-dovecot.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not Path(PROGRAM).exists() and shutil.which("apt-get"):
            apt = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300"]
            subprocess.run([*apt, "update"], check=False, capture_output=True)
            subprocess.run([*apt, "install", "-y", "--no-install-recommends", "dovecot-imapd"], check=False,
                           capture_output=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})  # fmt: skip
    return None if Path(PROGRAM).exists() else "Debian's package dovecot-imapd is not installed"


class Dovecot:
    """`with Dovecot(certificate) as server:` listens on loopback for the users of PASSWORDS."""

    def __init__(self, certificate: Path) -> None:
        self._certificate = certificate

    def __enter__(self) -> Self:
        # its sockets' paths may not be long
        self.folder = Path(tempfile.mkdtemp(prefix="hh-imap-"))
        self.folder.chmod(0o755)
        mail = self.folder / "mail"
        mail.mkdir()
        nobody = pwd.getpwnam(MAIL_USER)
        os.chown(mail, nobody.pw_uid, nobody.pw_gid)
        (self.folder / "users").write_text("".join(f"{user}:{word}\n" for user, word in PASSWORDS.items()))
        # somebody else may take a free port first
        while not self._starts(nobody):
            assert "Address already in use" in (self.folder / "log").read_text(), (self.folder / "log").read_text()
        return self

    def _starts(self, nobody: pwd.struct_passwd) -> bool:
        self.plain, self.secure = _free_ports(2)
        told = CONFIGURATION.format(folder=self.folder, certificate=self._certificate, plain=self.plain,
                                    secure=self.secure, uid=nobody.pw_uid, gid=nobody.pw_gid)  # fmt: skip
        (self.folder / "conf").write_text(told)
        self.process = subprocess.Popen([PROGRAM, "-F", "-c", str(self.folder / "conf")], start_new_session=True)
        return self._listens()

    def __exit__(self, *_: object) -> None:
        self.vanish()
        shutil.rmtree(self.folder, ignore_errors=True)

    def vanish(self) -> None:
        """End it and everything that it serves, in the middle of whatever they do."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def account(
        self, user: str = "ana@acme.example", *, security: Security = "tls", password: str | None = None
    ) -> ImapAccount:
        """What opens a user's mailbox."""
        port = self.secure if security == "tls" else self.plain
        return ImapAccount("127.0.0.1", user, password or PASSWORDS[user], security, port)

    def program(self, user: str = "ana@acme.example") -> imaplib.IMAP4:
        """The mail program of a user, logged in."""
        trusting = ssl.create_default_context(cafile=str(self._certificate))
        client = imaplib.IMAP4_SSL("127.0.0.1", self.secure, ssl_context=trusting)
        client.authenticate("PLAIN", lambda _: f"\0{user}\0{PASSWORDS[user]}".encode())
        return client

    def _listens(self) -> bool:
        clock = SystemClock()
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.secure), 1).close()
            except OSError:
                if self.process.poll() is not None:
                    return False
                clock.wait(0.1)
            else:
                return True
        raise AssertionError((self.folder / "log").read_text())


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
