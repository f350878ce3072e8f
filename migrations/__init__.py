"""Alembic: the schema, its roles and its walls, applied by `hourhand db upgrade` and at every start."""
