"""A browser: opens the address that it is given, goes where it is sent, and ends."""

from __future__ import annotations

import sys
import urllib.request

if __name__ == "__main__":
    with urllib.request.urlopen(sys.argv[1], timeout=60) as page:
        page.read()
