"""What makes the process of a run start sooner."""

from __future__ import annotations

import multiprocessing
import sys


def start_lightly() -> None:
    """Keep pyarrow from importing pandas in a run's process, which would cost it a second or two and is of no use.

    pyarrow imports pandas with its first array wherever it is installed, and does without where it cannot be found. It
    asks once. Nothing happens in processes that are not multiprocessing's children, nor where pandas is there already.
    """
    if multiprocessing.parent_process() is None or "pandas" in sys.modules:
        return
    import pyarrow as pa

    sys.modules["pandas"] = None  # type: ignore[assignment] # an import finds nothing now
    try:
        pa.array([0])
    finally:
        del sys.modules["pandas"]
