"""The columns of a domain table that every domain has, with their meaning in Japanese and English.

A domain's own columns are declared in `domains`. Types are named as Iceberg names them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pyarrow as pa

ColumnType = Literal["string", "int", "long", "double", "date", "timestamptz"]


@dataclass(frozen=True)
class Column:
    """A column of a lake table: its name, Iceberg type and meaning."""

    name: str
    type: ColumnType
    ja: str
    en: str
    required: bool = False

    @property
    def comment(self) -> str:
        """The column comment that Glue, Athena and DESCRIBE show."""
        return f"{self.ja} / {self.en}"


LEADING = (
    Column("dataset_id", "string", "統計表ID", "statsDataId of the table in e-Stat", required=True),
    Column("year", "int", "年(年度)", "calendar or fiscal year of the period, see time_kind"),
    Column("quarter", "int", "四半期", "quarter 1-4; null where the period is not a quarter"),
    Column("month", "int", "月", "month 1-12; null where the period is not a month"),
    Column("region_code", "string", "地域コード", "area code; 00000 is the whole country"),
    Column("region_name", "string", "地域名", "area name"),
    Column("category_code", "string", "分類コード", "code on cat01, or on tab where there is no cat01"),
    Column("category_name", "string", "分類名", "name on cat01, or on tab where there is no cat01"),
    Column("value", "double", "値", "the number; null where the cell holds none, never 0 in its place"),
    Column("unit", "string", "単位", "unit of the value as e-Stat names it"),
    Column("updated_at", "timestamptz", "格納日時", "when the rows were loaded (UTC)", required=True),
)

FOLLOWING = (
    Column("tab_code", "string", "表章項目コード", "code of the measure"),
    Column("tab_name", "string", "表章項目", "name of the measure"),
    Column("time_code", "string", "時間軸コード", "time code as e-Stat gives it"),
    Column("time_name", "string", "時間軸", "time name as e-Stat gives it"),
    Column("time_kind", "string", "期間の種類", "calendar_year, fiscal_year, half_year, quarter, month, range, ..."),
    Column("period_start", "date", "期首日", "first day of the period"),
    Column("period_end", "date", "期末日", "last day of the period"),
    Column("value_text", "string", "値(文字)", "the cell's text where it is not a number"),
    Column("missing_reason", "string", "記号の意味", "what the table's own NOTE says of the cell's symbol"),
    Column("annotation", "string", "注釈", "the cell's annotation texts"),
)

EXTRA_AXES = tuple(f"cat{number:02d}" for number in range(2, 16))
"""The axes whose columns a table gets when the first dataset that has them arrives."""


def axis_columns(axis: str) -> tuple[Column, Column]:
    """Return the two columns of an extra axis, such as `cat02_code` and `cat02_name`."""
    number = int(axis[3:])
    return (
        Column(f"{axis}_code", "string", f"分類事項{number:02d}コード", f"code on {axis}"),
        Column(f"{axis}_name", "string", f"分類事項{number:02d}", f"name on {axis}"),
    )


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of the columns, in their order."""
    import pyarrow as pa

    return pa.schema([pa.field(c.name, arrow_type(c.type), nullable=not c.required) for c in columns])


def frame_schema(columns: Iterable[Column]) -> pa.Schema:
    """Return the Arrow schema of staged frames: texts are dictionary-encoded, and null where a row has none."""
    return encoded(arrow_schema(columns))


def encoded(schema: pa.Schema) -> pa.Schema:
    """Return a schema with its texts dictionary-encoded."""
    import pyarrow as pa

    texts = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([f.with_type(texts) if f.type == pa.string() else f for f in schema], schema.metadata)


def arrow_type(name: str) -> pa.DataType:
    """Return the Arrow type of an Iceberg type's name."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int": pa.int32(),
        "long": pa.int64(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamptz": pa.timestamp("us", tz="UTC"),
    }[name]
