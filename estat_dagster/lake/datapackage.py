"""`datapackage.json`: what a file holds, for people and programs, as a Frictionless Data Package, version 2."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from estat_dagster.lake.registry import DatasetEntry, held_release, held_scope

DESCRIPTOR = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
TABLE_PROFILE = "https://datapackage.org/profiles/2.0/tableschema.json"
TERMS = {
    "path": "https://www.e-stat.go.jp/terms-of-use",
    "title": "政府統計の総合窓口(e-Stat)利用規約: free to use with credit, compatible with CC BY 4.0",
}
ESTAT = "https://www.e-stat.go.jp"
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True)
class Subject:
    """What an export is about.

    Args:
        name: of the file, without its ending.
        title: for people.
        columns: a column's meaning as its comment in the lake says it: `値 / the number; null where ...`.
        sources: the datasets whose rows these are.
        credit: the text to show with them.
        provenance: where exactly the rows come from: snapshot, content hash, or the SQL.
    """

    name: str
    title: str
    columns: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[Mapping[str, Any]] = ()
    credit: str = ""
    provenance: Mapping[str, Any] = field(default_factory=dict)


def source(entry: DatasetEntry) -> dict[str, Any]:
    """Return what is said of a dataset as a source."""
    held = held_release(entry)
    return {
        "title": f"{entry.stat_name} {held.title}".strip(),
        "path": f"{ESTAT}/dbview?sid={entry.dataset_id}",
        "statsDataId": entry.dataset_id,
        "survey": entry.stat_name,
        "surveyCode": entry.stat_code,
        "organization": entry.gov_org,
        "surveyDate": held.survey_date,
        "updated": held.updated_date,
        "scope": held_scope(entry),
        "contentHash": entry.content_hash,
        "origin": entry.source,
    }


def describe(
    subject: Subject, schema: pa.Schema, *, file: str, form: str, rows: int, size: int, sha256: str
) -> dict[str, Any]:
    """Return the descriptor of a file with these columns."""
    resource: dict[str, Any] = {
        "name": _slug(subject.name),
        "path": file,
        "type": "table",
        "title": subject.title,
        "format": form,
        "mediatype": MEDIA[form],
        "bytes": size,
        "hash": f"sha256:{sha256}",
        "rowCount": rows,
        "schema": {
            "$schema": TABLE_PROFILE,
            "fields": [_field(column, subject.columns.get(column.name, "")) for column in schema],
            "missingValues": [""],
        },
    }
    if form == "csv":
        resource["encoding"] = "utf-8"
        resource["dialect"] = {"delimiter": ",", "lineTerminator": "\r\n", "quoteChar": '"', "doubleQuote": True}
    package = {
        "$schema": PROFILE,
        "name": _slug(subject.name),
        "title": subject.title,
        "created": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "licenses": [TERMS],
        "credit": subject.credit,
        "sources": [dict(one) for one in subject.sources],
        "provenance": dict(subject.provenance),
        "resources": [resource],
    }
    return {name: value for name, value in package.items() if value not in ("", [], {})}


def _field(column: pa.Field, comment: str) -> dict[str, Any]:
    ja, slash, en = comment.partition(" / ")
    made = {"name": column.name, "type": _type(column.type)}
    if slash:
        made |= {"title": ja, "description": en}
    if not column.nullable:
        made["constraints"] = {"required": True}
    return made


def _type(type_: pa.DataType) -> str:
    kinds = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_nested, "any"),
    )
    return next((name for holds, name in kinds if holds(type_)), "string")


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "data"
