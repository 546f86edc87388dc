"""The Dagster assets and checks, and the steps that they run. `steps` knows nothing of Dagster; the rest is thin."""
