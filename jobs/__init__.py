"""What runs: one recipe per file, and one page that lists everything recurring."""
