"""Vendors on loopback: what they answer, what they count, and every way in which they can misbehave."""
