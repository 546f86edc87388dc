"""Which measures add up over their parts, told by their words: counts do; rates, means and indices do not.

Regular expressions that Python, Athena and DuckDB read alike.
"""

from __future__ import annotations

NOT_ADDITIVE = "率|割合|比|平均|指数|中位|偏差|密度|単価|[%％‰]"
"""In the unit or the name of a measure or category."""

NOT_ADDITIVE_UNITS = "[歳倍]"
"""In the unit: in a name, 15～19歳 is a group of people."""

PERCENT = "[%％‰]"
"""In the unit: a change of it is told in points, not in percent of it."""

TOTAL = "^(総数|総計|合計|計|全体|全国|男女計|年齢計|産業計|全産業|学歴計)(（.*）)?$"
"""A class's name that says it is the total of its axis, where the table gives no parents."""
