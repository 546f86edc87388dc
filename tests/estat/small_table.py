"""A table of 21 records for the sandbox, a place in memory for its pages, and both as they are seen from a test."""

from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable, Iterable
from typing import Any

from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.manifest import Manifest
from estat_dagster.estat.pages import StatsPage, parse_stats_page
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from tests.estat.answers import TABLE_ID
from tests.replay import as_list

YEARS = tuple(f"{year}000000" for year in range(2015, 2022))
AREAS = ("00000", "13000", "27000")
RECORDS = len(YEARS) * len(AREAS)
VALUES = ("***", "0", '"},{"', "-", "1,234", "東京\n", "1e3")


def small_table(updated: str = "2026-01-01", **changes: Any) -> Table:
    """Return the table; `changes` replace parts of it."""
    axes = (
        Axis("area", "地域", tuple(Item(code, f"地域{code}", unit="人") for code in AREAS)),
        Axis("time", "年", tuple(Item(code, f"{code[:4]}年") for code in YEARS)),
    )
    parts: dict[str, Any] = {
        "facts": {"@id": TABLE_ID, "UPDATED_DATE": updated, "OVERALL_TOTAL_NUMBER": None, "TITLE_SPEC": {}},
        "axes": axes,
        "produce": small_cells,
        "notes": (("***", "調査していない"), ("-", "該当なし")),
        "annotations": (("a", "最初の注"), ("b", "最後の注")),
    }
    return Table(**(parts | changes))


def small_cells(first: str = "1") -> list[Cell]:
    """Return the cells: odd texts, footnotes on the first and the last alone."""
    texts = itertools.cycle(VALUES)
    cells = [Cell((area, time), next(texts)) for area in AREAS for time in YEARS]
    cells[0] = Cell(cells[0].codes, first, "人", "a")
    cells[-1] = Cell(cells[-1].codes, "9", None, "b")
    return cells


class MemorySink:
    """Pages in memory; `on_write` is called before a page is kept."""

    def __init__(self, on_write: Callable[[str], None] = lambda name: None) -> None:
        self.pages: dict[str, bytes] = {}
        self.removed: list[str] = []
        self.record: bytes | None = None
        self._on_write = on_write

    def write(self, name: str, wire: bytes) -> None:
        self._on_write(name)
        self.pages[name] = wire

    def remove(self, name: str) -> None:
        self.removed.append(name)
        self.pages.pop(name, None)

    def read(self, name: str) -> bytes | None:
        return self.pages.get(name)

    def names(self, containing: str) -> list[str]:
        return [name for name in self.pages if containing in name]

    def write_record(self, record: bytes | None) -> None:
        self.record = record

    def read_record(self) -> bytes | None:
        return self.record

    def read_page(self, name: str) -> StatsPage:
        return parse_stats_page(gzip.decompress(self.pages[name]))

    def records(self, manifest: Manifest) -> list[dict[str, str]]:
        """Return the records of all pages, in the order of the manifest."""
        values = (json.loads(self.read_page(entry.file).values) for entry in manifest.pages)
        return list(itertools.chain.from_iterable(map(as_list, values)))


def client_of(base_url: str, source: str | None = None) -> EstatClient:
    """Return a client that waits for nothing."""
    return EstatClient("id", base_url, source=source, patience=Patience(read_timeout=10, sleep=lambda seconds: None))


def records_of(cells: Iterable[Cell]) -> list[dict[str, str]]:
    """Return cells of the small table as an answer shows them."""
    return [
        {"@area": cell.codes[0], "@time": cell.codes[1]}
        | ({"@unit": cell.unit} if cell.unit else {})
        | ({"@annotation": cell.annotation} if cell.annotation else {})
        | {"$": cell.value}
        for cell in cells
    ]
