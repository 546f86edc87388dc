"""The five steps of a dataset, from e-Stat to the Iceberg table. No Dagster here.

Each step reads what the one before left in the lake, writes its own, and returns facts. A step whose output was already
made from the same content does nothing, unless forced.
"""
