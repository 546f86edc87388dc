"""How a table's partitions are written: `year`, `bucket(16, dataset_id)`, `truncate(2, region_code)`, `months(day)`.

The notation is that of Iceberg's DDL in Spark; a plain name is the column's own value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from estat_dagster.errors import ValidationError

SIZED, PERIODS = ("bucket", "truncate"), ("years", "months", "days", "hours")
_FORM = re.compile(
    r"(?:(?P<kind>[a-z]+)\(\s*(?:(?P<size>\d+)\s*,\s*)?)?(?P<column>[A-Za-z_]\w*)\s*(?P<end>\)?)", re.ASCII
)


@dataclass(frozen=True)
class Partition:
    """A partition field: the column, what is made of its value ("" is the value itself), and how many, or how long."""

    column: str
    kind: str = ""
    size: int = 0

    def __str__(self) -> str:
        if not self.kind:
            return self.column
        return f"{self.kind}({self.size}, {self.column})" if self.size else f"{self.kind}({self.column})"

    @property
    def name(self) -> str:
        """The name of the field in the table's spec, as Spark names it."""
        suffix = {"truncate": "trunc"}.get(self.kind, self.kind.removesuffix("s"))
        return f"{self.column}_{suffix}" if suffix else self.column

    @property
    def keeps_order(self) -> bool:
        """Whether rows ordered by the column are ordered by the partition too."""
        return self.kind != "bucket"


def parse(text: str) -> Partition:
    """Return what a partition field says.

    Raises:
        ValidationError: it is not in the notation.
    """
    found = _FORM.fullmatch(text.strip())
    kind, size = (found["kind"] or "", int(found["size"] or 0)) if found else ("", 0)
    is_known = (kind in SIZED and size > 0) or (kind in ("", *PERIODS) and found and found["size"] is None)
    if found is None or not is_known or bool(kind) != bool(found["end"]):
        raise ValidationError(
            f"{text!r} is no partition field.",
            hint="Write a column, bucket(16, column), truncate(2, column), or years, months, days or hours(column).",
        )
    return Partition(found["column"], kind, size)
