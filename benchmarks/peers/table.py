"""The table that every reader gets, and the truth of each of its cells.

Its shape is that of the 社会・人口統計体系: one 表章項目, measures with units on cat01, municipalities, fiscal
years; codes start with zeros. Most cells are plain numbers. The others are what tables hold besides: symbols that only
the table's NOTE explains, a `0` that stands for less than the unit, words, numbers written for people. The truth is
known because the text of a cell is made from it; nothing here reads a text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import NamedTuple

from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.tables.facts import Title, generated, made_up

TABLE_ID, SMALL_ID = "9900000091", "9900000092"
SMALL = 2_000
"""The records of the small table that every reader reads before the clock runs."""
AXES = ("tab", "cat01", "area", "time")
AREAS = 1_000

NOTES = {
    "***": "調査又は集計していないもの",
    "-": "データが得られないもの",
    "X": "数値が秘匿されているもの",
    "χ": "統計数値を公表しないもの",
    "…": "事実不詳のもの",
    "0": "数値が表章単位に満たないもの",
}
MARK, FOOTNOTE = "注1", "市町村合併があったため、前年までとは比べられない。"
WORDS = "該当なし"

_MEASURES = (
    "総人口/人 男性人口/人 女性人口/人 世帯数/世帯 婚姻件数/組 総面積/ｈａ 可住地面積/ｈａ 財政力指数/ 実質収支比率/％ "
    "課税対象所得/千円 製造品出荷額等/百万円 商品販売額/百万円 有効求人倍率/倍 小学校数/校 病床数/床 一般診療所数/施設 "
    "自家用車数/台 消費支出/円 人口増減率/％ 経常収支/千円"
)


class Fact(NamedTuple):
    """The truth of one cell: `value` is None where it is no number; `reason` is what NOTE says of its text."""

    kind: str
    codes: tuple[str, ...]
    names: tuple[str, ...]
    unit: str | None
    text: str
    value: float | None
    reason: str | None
    annotation: str | None


@dataclass(frozen=True)
class Kind:
    """A kind of cell and how many of a thousand are of it."""

    name: str
    per_mille: float
    symbol: str | None = None


SYMBOLS = (
    Kind("symbol -", 15, "-"),
    Kind("symbol ***", 10, "***"),
    Kind("symbol X", 4, "X"),
    Kind("symbol χ", 2, "χ"),
    Kind("symbol …", 2, "…"),
)
ODD = (
    Kind("0 with a NOTE", 5),
    Kind("words", 1),
    Kind("1,234", 1),
    Kind("full width", 0.5),
    Kind("△ as minus", 0.5),
)
PLAIN = "plain number"
KINDS = (PLAIN, *(kind.name for kind in (*SYMBOLS, *ODD)))
ANNOTATED_PER_MILLE = 5


def axes(records: int) -> tuple[Axis, ...]:
    """Return the axes of a table of at least this many cells."""
    measures = [part.split("/") for part in _MEASURES.split()]
    years = max(1, -(-records // (len(measures) * AREAS)))
    areas = max(1, min(AREAS, -(-records // (len(measures) * years))))
    return (
        Axis("tab", "観測値", (Item("00001", "観測値"),)),
        Axis(
            "cat01",
            "市区町村の指標",
            tuple(Item(f"0{n}10", f"0{n}10_{name}", unit=unit or None) for n, (name, unit) in enumerate(measures, 10)),
        ),
        Axis("area", "地域", tuple(_area(n) for n in range(areas))),
        Axis("time", "調査年", tuple(Item(f"{1950 + n}100000", f"{1950 + n}年度") for n in range(years))),
    )


def _area(number: int) -> Item:
    """Return a municipality with a code where no real one is; its prefecture is no item, as in real tables."""
    prefecture, order = number % 47 + 1, number // 47
    code = f"{prefecture:02d}{800 + order}"
    return Item(code, f"生成市 {code}", "2", parent=f"{prefecture:02d}000")


def facts(records: int) -> Iterator[Fact]:
    """Yield the truth of every cell, in the order of the answer; the same every time."""
    source = Random(TABLE_ID)
    for _, items in zip(range(records), product(*(axis.items for axis in axes(records))), strict=False):
        kind, text, value = _cell(source)
        yield Fact(
            kind,
            tuple(item.code for item in items),
            tuple(item.name for item in items),
            next((item.unit for item in items if item.unit), None),
            text,
            value,
            NOTES.get(text),
            MARK if 1_000 * source.random() < ANNOTATED_PER_MILLE else None,
        )


def _cell(source: Random) -> tuple[str, str, float | None]:
    drawn = 1_000 * source.random()
    for kind in (*SYMBOLS, *ODD):
        drawn -= kind.per_mille
        if drawn < 0:
            return _odd(kind, source)
    return _plain(source)


def _odd(kind: Kind, source: Random) -> tuple[str, str, float | None]:
    number = source.randrange(1_000, 9_000_000)
    match kind.name:
        case "0 with a NOTE":
            return kind.name, "0", 0.0
        case "words":
            return kind.name, WORDS, None
        case "1,234":
            return kind.name, f"{number:,}", float(number)
        case "full width":
            return kind.name, str(number).translate(str.maketrans("0123456789", "０１２３４５６７８９")), float(number)
        case "△ as minus":
            return kind.name, f"△{number}", -float(number)
    return kind.name, str(kind.symbol), None


def _plain(source: Random) -> tuple[str, str, float]:
    number = source.randrange(1, 5_000_000)
    if number % 5 == 0:
        sign = "-" if number % 10 == 0 else ""
        text = f"{sign}{number // 1000}.{number % 10**2:02d}"
        return PLAIN, text, float(text)
    return PLAIN, str(number), float(number)


def table(records: int, table_id: str = TABLE_ID) -> Table:
    """Return the table as the sandbox serves it."""
    inf = generated(
        table_id,
        Title("市区町村の指標", number="1"),
        survey=made_up("091", "読み比べ"),
        field="0201",
        collect_area="市区町村",
        total=records,
    )
    return Table(
        inf,
        axes(records),
        lambda: (Cell(fact.codes, fact.text, fact.unit, fact.annotation) for fact in facts(records)),
        tuple(NOTES.items()),
        ((MARK, FOOTNOTE),),
    )
