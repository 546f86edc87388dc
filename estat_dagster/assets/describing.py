"""How a step's result looks in Dagster: metadata of a materialization, under the standard names that the UI knows."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import dagster as dg
import pyarrow as pa

from estat_dagster.assets.steps.job import StepResult
from estat_dagster.columns import Column
from estat_dagster.records.report import table

MARKDOWN_ROWS = 15
UNCHANGED = "Nothing: the content is the one that this was made from before (same content_hash). `force` makes it anew."


def to_result(
    step: StepResult, seconds: float, *, title: str = "", retries: int = 0, picture: bytes = b""
) -> dg.MaterializeResult[Any]:
    """Return the materialization of a step, with the hash of the content as its data version.

    Args:
        step: what was done.
        seconds: how long it took.
        title: the dataset's title.
        retries: requests to e-Stat that were sent again.
        picture: a PNG of the data or of their quality.
    """
    return dg.MaterializeResult(
        metadata=to_metadata(step, seconds, title=title, retries=retries, picture=picture),
        data_version=dg.DataVersion(step.content_hash),
    )


def to_metadata(
    step: StepResult, seconds: float, *, title: str = "", retries: int = 0, picture: bytes = b""
) -> dict[str, Any]:
    """Return a step's facts as Dagster metadata, in the order in which a person asks for them."""
    metadata: dict[str, Any] = {"dataset": title, "what_it_did": UNCHANGED if step.unchanged else "Made anew."}
    metadata |= _shown(step, picture)
    metadata |= {name: _value(fact) for name, fact in step.facts.items()}
    metadata |= _measured(step, seconds)
    if "requests" in step.facts:
        metadata["retries"] = retries
    if step.table_name:
        metadata["dagster/table_name"] = step.table_name
    metadata |= {"dagster/uri": step.uri, "content_hash": step.content_hash, "unchanged": step.unchanged}
    if step.schema is not None:
        metadata["dagster/column_schema"] = dg.MetadataValue.table_schema(_table_schema(step.schema))
    return metadata


def _shown(step: StepResult, picture: bytes) -> dict[str, Any]:
    """Return what is looked at: the picture, the quality report, and some rows."""
    shown: dict[str, Any] = {}
    if picture:
        encoded = base64.b64encode(picture).decode()
        alt = "one series of the data" if step.table_name else "what the rows hold"
        shown["picture"] = dg.MetadataValue.md(f"![{alt}](data:image/png;base64,{encoded})")
    if step.quality:
        shown["quality_report"] = dg.MetadataValue.md(step.quality)
    if step.preview:
        shown["preview"] = dg.MetadataValue.md(preview_table(step.preview))
    return shown


def _measured(step: StepResult, seconds: float) -> dict[str, Any]:
    """Return numbers that Dagster plots over time."""
    measured: dict[str, Any] = {"seconds": round(seconds, 3)}
    if step.rows is not None:
        measured["dagster/partition_row_count"] = step.rows
        measured["rows_per_second"] = round(step.rows / seconds) if seconds and not step.unchanged else 0
        if step.rows and isinstance(size := step.facts.get("bytes"), int):
            measured["bytes_per_row"] = round(size / step.rows, 2)
    return measured


def column_schema(columns: Sequence[Column]) -> dg.TableSchema:
    """Return declared columns as Dagster shows them."""
    return dg.TableSchema([dg.TableColumn(c.name, c.type, description=c.comment) for c in columns])


def preview_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as a Markdown table of the columns that hold anything."""
    shown = rows[:MARKDOWN_ROWS]
    names = [name for name in shown[0] if any(row[name] is not None for row in shown)]
    return table(names, [[row[name] for name in names] for row in shown])


def _value(fact: Any) -> Any:
    if isinstance(fact, dict):
        return dg.MetadataValue.json(fact)
    return "" if fact is None else fact


def _table_schema(schema: pa.Schema) -> dg.TableSchema:
    return dg.TableSchema([dg.TableColumn(field.name, str(field.type)) for field in schema])
