"""`python -m worker` is `hourhand`."""

from __future__ import annotations

from worker.cli import main

main()
