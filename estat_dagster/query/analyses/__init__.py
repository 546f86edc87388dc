"""Analyses of a dataset or a table, each a readable query in Athena's SQL: `analysis_sql` writes them, `answer` asks.

What every one of them keeps to: a number is compared with its like only (same measure, unit, kind of period, and the
same class on every other axis); a total is never added to its parts, nor the whole country ranked among its regions; a
missing value stays NULL.
"""

from estat_dagster.query.analyses.asking import Answered, answer
from estat_dagster.query.analyses.plan import KINDS, Analysis, Kind, analysis_sql

__all__ = ["KINDS", "Analysis", "Answered", "Kind", "analysis_sql", "answer"]
