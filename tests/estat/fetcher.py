"""A process of its own that fetches a dataset into a lake: to be killed, and to have its memory measured."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path

from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.pages import StatsPage, parse_stats_page
from estat_dagster.lake.raw import RawPages
from estat_dagster.lake.store import Store


def fetch(home: Path, base_url: str, dataset_id: str, chunk_size: int) -> RawPages[StatsPage]:
    """Fetch and publish, as the raw layer does."""
    raw = RawPages(Store.local(home), dataset_id, parse_stats_page)
    client = EstatClient("test", base_url, source="test")
    manifest = fetch_dataset(client, dataset_id, {}, raw, FetchPlan(chunk_size, 2))
    raw.publish(manifest.name, manifest.to_json())
    return raw


if __name__ == "__main__":
    tracemalloc.start()
    fetch(Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
    print(tracemalloc.get_traced_memory()[1])
