"""The same house under a virtual sky: clock, seeded world, emulators and scenarios."""
