"""Typed questions to a language model, and the deterministic answers used without one."""
