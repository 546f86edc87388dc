"""What e-Stat's answers say, as typed objects: tables, axes, classes, notes.

e-Stat writes a list of one as a single object, and texts that look like numbers as numbers. Both end here: beyond
this module everything is a tuple and every text a string.
Source: API 3.0 specification, 4.2 メタ情報取得, 4.3 統計データ取得.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class TableInfo:
    """TABLE_INF: what e-Stat says about a table."""

    id: str
    title: str
    stat_name: str = ""
    stat_code: str = ""
    gov_org: str = ""
    statistics_name: str = ""
    cycle: str = ""
    survey_date: str = ""
    open_date: str = ""
    updated_date: str = ""
    collect_area: str = ""
    field_code: str = ""
    field_name: str = ""
    overall_total_number: int | None = None
    subfield_code: str = ""
    subfield_name: str = ""


@dataclass(frozen=True)
class ClassItem:
    """CLASS: one code of an axis."""

    code: str
    name: str
    level: str = ""
    parent_code: str | None = None
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True)
class Axis:
    """CLASS_OBJ: one axis of a table: `tab`, `cat01`...`cat15`, `area` or `time`."""

    id: str
    name: str
    classes: tuple[ClassItem, ...]
    description: str = ""


@dataclass(frozen=True)
class Metadata:
    """TABLE_INF and CLASS_INF together."""

    table: TableInfo
    axes: tuple[Axis, ...]

    def axis(self, axis_id: str) -> Axis | None:
        """Return the axis of that id, or None where the table has none."""
        return next((axis for axis in self.axes if axis.id == axis_id), None)


def as_list(node: Any) -> list[Any]:
    """Return a list of what e-Stat wrote as a list, as a single object, or not at all."""
    if node is None or node == "":
        return []
    return node if isinstance(node, list) else [node]


def text(node: Any) -> str:
    """Return the text of an element: a string, a number that was a text, or an object with `$`."""
    if node is None:
        return ""
    if isinstance(node, dict):
        return text(node.get("$"))
    return str(node)


def parse_table(node: dict[str, Any]) -> TableInfo:
    """Read a TABLE_INF."""
    stat = node.get("STAT_NAME")
    field, subfield = node.get("MAIN_CATEGORY"), node.get("SUB_CATEGORY")
    total = text(node.get("OVERALL_TOTAL_NUMBER"))
    return TableInfo(
        id=text(node.get("@id")),
        title=text(node.get("TITLE")),
        stat_name=text(stat),
        stat_code=_code(stat),
        gov_org=text(node.get("GOV_ORG")),
        statistics_name=text(node.get("STATISTICS_NAME")),
        cycle=text(node.get("CYCLE")),
        survey_date=text(node.get("SURVEY_DATE")),
        open_date=text(node.get("OPEN_DATE")),
        updated_date=text(node.get("UPDATED_DATE")),
        collect_area=text(node.get("COLLECT_AREA")),
        field_code=_code(field),
        field_name=text(field),
        overall_total_number=int(total) if total.isdecimal() else None,
        subfield_code=_code(subfield),
        subfield_name=text(subfield),
    )


def parse_axes(class_inf: Any) -> tuple[Axis, ...]:
    """Read a CLASS_INF; an absent one has no axes."""
    nodes = as_list(class_inf.get("CLASS_OBJ")) if isinstance(class_inf, dict) else []
    return tuple(
        Axis(
            id=text(node.get("@id")),
            name=text(node.get("@name")),
            classes=tuple(_class(item) for item in as_list(node.get("CLASS"))),
            description=text(node.get("@description")),
        )
        for node in nodes
    )


def parse_pairs(nodes: Any, key: str) -> dict[str, str]:
    """Read NOTE (`key` is `@char`) or ANNOTATION (`@annotation`) as symbol -> text; repeated symbols join."""
    pairs: dict[str, str] = {}
    for node in as_list(nodes):
        symbol, meaning = text(node.get(key)), text(node)
        known = pairs.get(symbol)
        pairs[symbol] = meaning if known in (None, meaning) else f"{known} / {meaning}"
    return pairs


def _class(node: dict[str, Any]) -> ClassItem:
    return ClassItem(
        code=text(node.get("@code")),
        name=text(node.get("@name")),
        level=text(node.get("@level")),
        parent_code=_text_or_none(node.get("@parentCode")),
        unit=_text_or_none(node.get("@unit")),
        description=_text_or_none(node.get("@addInf")),
    )


def _text_or_none(node: Any) -> str | None:
    return None if node is None else text(node)


def _code(node: Any) -> str:
    return text(node.get("@code")) if isinstance(node, dict) else ""
