"""Dagster's web server behind a guard: who may come in, from where, and who may change something."""
