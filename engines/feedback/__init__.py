"""The feedback engine: of each order its client is asked once what they think, and whoever is dissatisfied is heard."""
