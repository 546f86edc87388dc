"""A transaction whose cost does not grow with what it asks of its table.

PyIceberg 0.12 copies the table's metadata, with every snapshot in them, each time that a step of a commit asks for one
of their facts: about fifteen times a commit. Its steps only read the copy, so one for each change is enough.
"""

from __future__ import annotations

from typing import Any

from pyiceberg import table
from pyiceberg.table.metadata import TableMetadata


class Transaction(table.Transaction):
    """A transaction that copies the metadata only after they changed."""

    _copied_of: tuple[Any, Any] = (None, None)

    @property
    def table_metadata(self) -> TableMetadata:
        """The metadata as they would be if the transaction were committed now; not to be changed."""
        base, updates = self._table.metadata, self._updates
        if self._copied_of[0] is not base or self._copied_of[1] is not updates:
            self._copy = super().table_metadata
            self._copied_of = base, updates
        return self._copy
