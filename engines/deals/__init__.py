"""The deals engine: no deal is left without its next word, and none moves without a reason."""
