"""Records, and the only functions that change them; every change leaves an event in the same transaction."""
