"""Raw records read back for a look: cells as e-Stat sent them, and what their codes and symbols mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from estat_dagster.errors import DataError, ValidationError
from mcp_bridge.plain import cut

if TYPE_CHECKING:
    from estat_dagster.estat.manifest import Manifest
    from estat_dagster.estat.models import Metadata, TableInfo
    from estat_dagster.estat.pages import StatsPage
    from estat_dagster.lake.raw import RawPages

PAGE, MANIFEST = ".json.gz", ".manifest.json"
_FILE = re.compile(r"raw/(\d{10})/(\1_\w+(?:\.json\.gz|\.manifest\.json))", re.ASCII)
_MOST_CELL = 300
_VALUE, _UNIT, _ANNOTATION = "$", "@unit", "@annotation"

Row = list[str | None]


def parse_place(uri: str, bucket: str | None) -> tuple[str, str]:
    """Return dataset id and file name of a raw file inside the lake: `raw/ID/FILE`, or `s3://BUCKET/raw/ID/FILE`.

    Raises:
        ValidationError: it is anything else, such as a path of this machine or of another bucket.
    """
    inside = uri.strip().removeprefix("lake:").removeprefix(f"s3://{bucket}/" if bucket else "\0")
    found = _FILE.fullmatch(inside)
    if not found:
        raise ValidationError(
            "The uri names no raw file of this lake; nothing else is opened.",
            hint="Write raw/DATASET_ID/FILE as an answer of this tool shows it, or give dataset_id.",
        )
    return found[1], found[2]


def find_manifest(raw: RawPages[StatsPage], names: list[str], dataset_id: str, file: str) -> Manifest:
    """Return the manifest that is meant: the newest, the one named, or the newest that lists the page named.

    Args:
        names: the files of the dataset's raw folder, sorted.

    Raises:
        DataError: there is no such fetch.
    """
    from estat_dagster.estat.manifest import Manifest

    wanted = [name for name in reversed(names) if name.endswith(MANIFEST)]
    for name in [file] if file in wanted else wanted:
        manifest = Manifest.from_json(raw.read(name) or b"{}")
        if file in ("", name) or file in [page.file for page in manifest.pages]:
            return manifest
    raise DataError(
        f"The lake has no complete fetch of {dataset_id}{f' with the file {file}' if file else ''}.",
        hint=f"Fetch it first: `estat load {dataset_id}`.",
        dataset_id=dataset_id,
    )


class Preview:
    """Some records of a fetch: their columns, and a row a record.

    Args:
        raw: the dataset's raw pages.
        manifest: the fetch.
        position: the first record, counted from 1 through all pages.
        most: the most records; the end of a page ends them too.
    """

    def __init__(self, raw: RawPages[StatsPage], manifest: Manifest, position: int, most: int) -> None:
        self.entry = next((page for page in manifest.pages if page.to_number >= position), None)
        self.table: TableInfo | None = None
        self.columns: list[str] = []
        self.rows: list[Row] = []
        if self.entry:
            first = raw.read_checked(manifest.pages[0])
            page = first if self.entry is manifest.pages[0] else raw.read_checked(self.entry)
            at = position - self.entry.from_number
            self._read(manifest.metadata(first), page, first.notes | page.notes, slice(at, at + most))

    def _read(self, metadata: Metadata, page: StatsPage, notes: dict[str, str], part: slice) -> None:
        self.table = metadata.table
        names = {axis.id: {item.code: item.name for item in axis.classes} for axis in metadata.axes}
        for axis in metadata.axes:
            self.columns += [axis.id, f"{axis.id} {axis.name}"]
        self.columns += ["value", "value の記号の意味", "unit", "annotation"]
        for record in _records(page.values, part):
            cells = [cell for axis, known in names.items() for cell in _code_and_name(record.get(f"@{axis}"), known)]
            value = _text(record.get(_VALUE))
            cells += [value, notes.get(value or ""), _text(record.get(_UNIT)), _text(record.get(_ANNOTATION))]
            self.rows.append([None if cell is None else cut(cell, _MOST_CELL) for cell in cells])


def _code_and_name(code: Any, names: dict[str, str]) -> tuple[str | None, str | None]:
    return _text(code), names.get(str(code))


def _text(cell: Any) -> str | None:
    return None if cell is None else str(cell)


def _records(values: bytes, part: slice) -> list[dict[str, Any]]:
    import msgspec

    if not values.startswith(b"["):
        values = b"[" + values + b"]"
    return [
        msgspec.json.decode(raw, type=dict[str, Any])
        for raw in msgspec.json.decode(values, type=list[msgspec.Raw])[part]
    ]
