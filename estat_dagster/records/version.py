"""The version of the mapping from pages to rows."""

VERSION = "4"
"""Raise it when the same pages would give other rows: unchanged datasets are then transformed again."""
