"""The orders engine: each order is checked, corrected where that is safe, and asked about where it is not whole."""
