"""What e-Stat's answers say, as typed objects: tables, axes, classes, notes.

e-Stat writes a list of one as a single object, and texts that look like numbers as numbers. Both end here: beyond
this module everything is a tuple and every text a string.
Source: API 3.0 specification, 4.2 メタ情報取得, 4.3 統計データ取得.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from estat_dagster.errors import DataError


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

    @property
    def is_named(self) -> bool:
        """Whether the table, every axis and every class has a name; some have none in English."""
        return bool(self.table.title) and all(
            axis.name and all(item.name for item in axis.classes) for axis in self.axes
        )


def with_names_of(metadata: Metadata, other: Metadata) -> Metadata:
    """Return the metadata, with the other's names of the table, axes and classes that have none."""
    axes = []
    for axis in metadata.axes:
        known = other.axis(axis.id) or axis
        names = {item.code: item for item in known.classes}
        classes = tuple(_filled(item, names.get(item.code, item)) for item in axis.classes)
        axes.append(replace(axis, name=axis.name or known.name, classes=classes))
    blanks = {name: value for name, value in asdict(other.table).items() if getattr(metadata.table, name) in ("", None)}
    return Metadata(replace(metadata.table, **blanks), tuple(axes))


def _filled(item: ClassItem, known: ClassItem) -> ClassItem:
    return replace(item, name=item.name or known.name, unit=item.unit or known.unit)


def as_list(node: Any) -> list[Any]:
    """Return a list of what e-Stat wrote as a list, as a single object, or not at all."""
    if node is None or node == "":
        return []
    return node if isinstance(node, list) else [node]


def as_nodes(node: Any, what: str) -> list[dict[str, Any]]:
    """Return the objects of a list, or the single one.

    Raises:
        DataError: something else stands among them.
    """
    nodes = as_list(node)
    if not all(isinstance(each, dict) for each in nodes):
        raise DataError(f"e-Stat's answer is malformed: a {what} is no object.", hint="Report the table to e-Stat.")
    return nodes


def as_node(node: Any, what: str) -> dict[str, Any]:
    """Return the object that stands alone, an empty one where there is none.

    Raises:
        DataError: it is something else, or several.
    """
    nodes = as_nodes(node, what)
    if len(nodes) > 1:
        raise DataError(f"e-Stat's answer is malformed: {what} is there more than once.")
    return nodes[0] if nodes else {}


def text(node: Any) -> str:
    """Return the text of an element: a string, a number that was a text, an object with `$`, or a list of one.

    Raises:
        DataError: it is a list of several.
    """
    if node is None:
        return ""
    if isinstance(node, dict):
        return text(node.get("$"))
    if isinstance(node, list):
        if len(node) > 1:
            raise DataError(f"e-Stat's answer is malformed: {node!r} stands where one text belongs.")
        return text(node[0]) if node else ""
    return str(node)


def number(node: dict[str, Any], key: str, default: int = 0) -> int:
    """Return the whole number of an element, the default where it is none."""
    found = text(node.get(key))
    return int(found) if found.isdecimal() else default


def parse_table(node: Any) -> TableInfo:
    """Read a TABLE_INF.

    Raises:
        DataError: it is no object.
    """
    node = as_node(node, "TABLE_INF")
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
    """Read a CLASS_INF; an absent one has no axes.

    Raises:
        DataError: an axis or a class is no object.
    """
    return tuple(
        Axis(
            id=text(node.get("@id")),
            name=text(node.get("@name")),
            classes=tuple(_class(item) for item in as_nodes(node.get("CLASS"), "CLASS")),
            description=text(node.get("@description")),
        )
        for node in as_nodes(as_node(class_inf, "CLASS_INF").get("CLASS_OBJ"), "CLASS_OBJ")
    )


def parse_metadata(node: dict[str, Any], dataset_id: str) -> Metadata:
    """Read a GET_META_INFO.

    Raises:
        DataError: its table or axes are malformed.
    """
    inf = as_node(node.get("METADATA_INF"), "METADATA_INF")
    return Metadata(parse_table(inf.get("TABLE_INF") or {"@id": dataset_id}), parse_axes(inf.get("CLASS_INF")))


def parse_pairs(nodes: Any, key: str) -> dict[str, str]:
    """Read NOTE (`key` is `@char`) or ANNOTATION (`@annotation`) as symbol -> text; repeated symbols join."""
    pairs: dict[str, str] = {}
    for node in as_nodes(nodes, "NOTE or ANNOTATION"):
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
