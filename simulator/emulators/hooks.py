"""Somebody's webhook on loopback: takes what is posted, counts it, and can refuse like any other server."""

from __future__ import annotations

from simulator.emulators.loopback import Asked, Loopback, Told, tell


class HookEmulator(Loopback):
    """Takes every POST and every ping; what arrived is in `witness.requests`."""

    def act(self, asked: Asked) -> Told:
        """Take it."""
        asked.seen.acted = True
        return tell(200, {"ok": True})

    def error(self, status: int, name: str, message: str) -> object:
        """A failure in plain words."""
        return {"status": status, "error": name, "message": message}
