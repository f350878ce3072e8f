"""A well-behaved Claude in a process of its own, so that its processor time is nobody's here."""

from __future__ import annotations

from simulator.emulators import commandline
from simulator.emulators.anthropic import AnthropicEmulator
from tests.brain.thinking import answer


def main() -> None:
    """Run as `python -m tests.bench.claude`; its address is told as one JSON line."""
    options = commandline.options("A well-behaved Claude on loopback", None)
    with AnthropicEmulator(clock=options.clock, port=options.port, log=options.log) as claude:
        claude.answers(answer)
        commandline.announce_and_wait({"url": claude.url})


if __name__ == "__main__":
    main()
