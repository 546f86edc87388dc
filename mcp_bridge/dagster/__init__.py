"""Dagster over its GraphQL API: launching, following and cancelling runs. Dagster itself is never imported."""
