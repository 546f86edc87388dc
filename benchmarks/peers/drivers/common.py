"""What every driver does: read a small table, then the table with the clock running, and hand over what was read.

Runs with the reader's own interpreter, so it needs nothing but the standard library. A driver is started as
`python read_NAME.py ADDRESS SMALL_ID TABLE_ID RECORDS REPORT [--cells]` and writes one JSON file, REPORT. The small
table takes the first use of everything (imports, connections) off the clock, for every reader alike.
"""

from __future__ import annotations

import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

APP_ID = "benchmark"


@dataclass
class Door:
    """Where the table is, and what there is to say of how it was read."""

    address: str
    table_id: str
    records: int
    remarks: list[str] = field(default_factory=list)

    @property
    def json_address(self) -> str:
        """The address of the functions that answer JSON."""
        return f"{self.address}/json"


Columns = Mapping[str, Iterable[Any]]
"""What was read, by the names of `compare`: tab_code, tab_name ... time_name, value, text, unit, reason, annotation."""


def measure(read: Callable[[Door], Any], show: Callable[[Any], Columns], packages: Iterable[str]) -> None:
    """Read both tables and write the report; `show` names the columns of what was read, outside the clock."""
    address, small_id, table_id, records, report, *options = sys.argv[1:]
    read(Door(address, small_id, 2_000))
    door = Door(address, table_id, int(records))
    wall, busy = time.perf_counter(), time.process_time()
    result = read(door)
    seconds, cpu = time.perf_counter() - wall, time.process_time() - busy
    found = {
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": _peak_mb(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "remarks": door.remarks,
    }
    if "--cells" in options:
        found["cells"] = {name: _packed(column) for name, column in show(result).items()}
    Path(report).write_text(json.dumps(found), "utf-8")


def _packed(column: Iterable[Any]) -> dict[str, list[Any]]:
    """Return a column as its distinct values and where they are; 1, 1.0 and "1" stay three, and NaN is None."""
    places: dict[Any, int] = {}
    at = []
    for value in column:
        plain = _plain(value)
        at.append(places.setdefault((type(plain), plain), len(places)))
    return {"distinct": [plain for _, plain in places], "at": at}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if not isinstance(value, float):
        if type(value).__name__ in ("NAType", "NaTType"):
            return None
        value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return None if math.isnan(value) else value
    return value


def _peak_mb() -> float:
    """Return the most memory that this process held, in MB (Linux)."""
    status = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM"))
