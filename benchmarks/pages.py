"""`python -m benchmarks.pages LAKE --records N`: raw pages of a large generated table, as the API sends them.

Compact JSON with escaped texts, 100,000 records a page, gzip; one cell in a hundred is a symbol. They are written by a
process of its own, so that the memory of what is measured holds none of it.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from estat_dagster.estat.client import PAGE_LIMIT
from estat_dagster.estat.manifest import Manifest, PageEntry, content_hash
from estat_dagster.estat.pages import parse_stats_page
from estat_dagster.lake.raw import RawPages
from estat_dagster.lake.store import Store

TABLE_ID = "9900000099"
STAMP = "20260401T000000000000Z"
MEASURES, REGIONS, YEARS = 20, 1_900, 25
UNITS = ("人", "世帯", "件", "千円")
NOTES = {"-": "該当数値がないもの", "***": "調査していないもの", "X": "秘匿したもの"}


def classes(groups: int) -> list[dict[str, Any]]:
    """Return CLASS_OBJ of the table."""
    return [
        {"@id": "tab", "@name": "表章項目", "CLASS": {"@code": "001", "@name": "実数", "@level": "1"}},
        {
            "@id": "cat01",
            "@name": "項目",
            "CLASS": [
                {"@code": f"{n:02d}", "@name": f"項目{n}", "@level": "1", "@unit": UNITS[n % 4]}
                for n in range(MEASURES)
            ],
        },
        {
            "@id": "cat02",
            "@name": "区分",
            "CLASS": [{"@code": f"{n:03d}", "@name": f"区分{n}", "@level": "1"} for n in range(groups)],
        },
        {
            "@id": "area",
            "@name": "市区町村",
            "CLASS": [{"@code": f"{n:05d}", "@name": f"第{n}市", "@level": "2"} for n in range(1_001, 1_001 + REGIONS)],
        },
        {
            "@id": "time",
            "@name": "時間軸(年次)",
            "CLASS": [{"@code": f"{y}000000", "@name": f"{y}年", "@level": "1"} for y in range(2000, 2000 + YEARS)],
        },
    ]


def cell(number: int) -> str:
    """Return the text of a cell: mostly different numbers, one in a hundred a symbol."""
    mixed = number * 2_654_435_761 % 1_000_003
    return list(NOTES)[mixed % 3] if mixed % 100 == 0 else str(mixed)


def records(groups: int) -> Iterator[str]:
    """Return the records one by one, in e-Stat's order: the last axis changes first."""
    units = [json.dumps(unit) for unit in UNITS]
    axes = (range(groups), range(MEASURES), range(1_001, 1_001 + REGIONS), range(2000, 2000 + YEARS))
    for number, (group, measure, region, year) in enumerate(itertools.product(*axes)):
        yield (
            f'{{"@tab":"001","@cat01":"{measure:02d}","@cat02":"{group:03d}","@area":"{region:05d}",'
            f'"@time":"{year}000000","@unit":{units[measure % 4]},"$":"{cell(number)}"}}'
        )


def pages(total: int) -> Iterator[bytes]:
    """Return the bodies of the table's pages."""
    groups = -(-total // (MEASURES * REGIONS * YEARS))
    cells = itertools.islice(records(groups), total)
    for start in range(1, total + 1, PAGE_LIMIT):
        values = list(itertools.islice(cells, PAGE_LIMIT))
        data = {
            "RESULT_INF": {"TOTAL_NUMBER": total, "FROM_NUMBER": start, "TO_NUMBER": start + len(values) - 1},
            "TABLE_INF": {"@id": TABLE_ID, "TITLE": "生成データ", "SURVEY_DATE": 0, "UPDATED_DATE": "2026-04-01"},
            "CLASS_INF": {"CLASS_OBJ": classes(groups)},
            "DATA_INF": {"NOTE": [{"@char": char, "$": words} for char, words in NOTES.items()], "VALUE": []},
        }
        if start > 1:
            del data["CLASS_INF"]
        answer = {"GET_STATS_DATA": {"RESULT": {"STATUS": 0, "ERROR_MSG": "正常"}, "STATISTICAL_DATA": data}}
        frame = json.dumps(answer, separators=(",", ":"))
        yield frame.replace('"VALUE":[]', f'"VALUE":[{",".join(values)}]').encode()


def write(store: Store, total: int) -> None:
    """Store the pages and their manifest, as a fetch leaves them."""
    raw = RawPages(store, TABLE_ID, parse_stats_page)
    entries, start = [], 1
    for number, body in enumerate(pages(total), start=1):
        wire = gzip.compress(body, 6, mtime=0)
        last = min(start + PAGE_LIMIT - 1, total)
        name = f"{TABLE_ID}_chunk_{number:03d}_{STAMP}.json.gz"
        entries.append(PageEntry(name, start, last, len(wire), hashlib.sha256(wire).hexdigest()))
        raw.write(entries[-1].file, wire)
        start = last + 1
    manifest = Manifest(
        dataset_id=TABLE_ID,
        source="benchmark",
        scope={},
        request={"statsDataId": TABLE_ID},
        fetched_at="2026-04-01T00:00:00+00:00",
        result_date="",
        updated_date="2026-04-01",
        total_number=total,
        content_hash=content_hash(raw.read_page(entry.file) for entry in entries),
        pages=tuple(entries),
        stamp=STAMP,
    )
    raw.publish(manifest.name, manifest.to_json())


def main() -> None:
    """Write the pages into a lake."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lake", type=Path)
    parser.add_argument("--records", type=int, required=True)
    arguments = parser.parse_args()
    write(Store.local(arguments.lake), arguments.records)


if __name__ == "__main__":
    main()
