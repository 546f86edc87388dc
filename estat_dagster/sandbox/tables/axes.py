"""Items that many tables share: Japan and its prefectures, and periods in e-Stat's time codes."""

from __future__ import annotations

from collections.abc import Iterable

from estat_dagster.sandbox.model import Axis, Item

NATION = Item("00000", "全国")

_PREFECTURES = (
    "北海道 青森県 岩手県 宮城県 秋田県 山形県 福島県 茨城県 栃木県 群馬県 埼玉県 千葉県 東京都 神奈川県 新潟県 富山県 "
    "石川県 福井県 山梨県 長野県 岐阜県 静岡県 愛知県 三重県 滋賀県 京都府 大阪府 兵庫県 奈良県 和歌山県 鳥取県 島根県 "
    "岡山県 広島県 山口県 徳島県 香川県 愛媛県 高知県 福岡県 佐賀県 長崎県 熊本県 大分県 宮崎県 鹿児島県 沖縄県"
)
PREFECTURE_NAMES = tuple(_PREFECTURES.split())


def axis(axis_id: str, name: str, items: Iterable[Item]) -> Axis:
    """Return an axis."""
    return Axis(axis_id, name, tuple(items))


def items(pairs: str, *, level: str = "1", parent: str | None = None, unit: str | None = None) -> tuple[Item, ...]:
    """Return items written as "code name" pairs between commas, all of one level, parent and unit."""
    split = (pair.partition(" ") for pair in pairs.split(","))
    return tuple(Item(code, name, level, unit, parent) for code, _, name in split)


def prefectures(parent: str | None = None) -> tuple[Item, ...]:
    """Return the 47 prefectures, 01000 to 47000, level 2."""
    return tuple(
        Item(f"{number:02d}000", name, level="2", parent=parent)
        for number, name in enumerate(PREFECTURE_NAMES, start=1)
    )


def nation_and_prefectures(parent: str | None = None) -> tuple[Item, ...]:
    """Return 00000 and the prefectures; `parent` is their parent code, where the table gives one."""
    return (NATION, *prefectures(parent))


def years(numbers: Iterable[int]) -> tuple[Item, ...]:
    """Return calendar years."""
    return tuple(Item(f"{year}000000", f"{year}年") for year in numbers)


def fiscal_years(numbers: Iterable[int]) -> tuple[Item, ...]:
    """Return fiscal years, which start in April."""
    return tuple(Item(f"{year}100000", f"{year}年度") for year in numbers)


def half_years(numbers: Iterable[int]) -> tuple[Item, ...]:
    """Return half-years: the sixth digit says which."""
    return tuple(
        Item(f"{year}0{half}0000", f"{year}年{name}")
        for year in numbers
        for half, name in ((1, "上半期"), (2, "下半期"))
    )


def quarters(numbers: Iterable[int], *, level: str = "1") -> tuple[Item, ...]:
    """Return quarters, each with its year as parent."""
    return tuple(
        Item(f"{year}00{first:02d}{first + 2:02d}", f"{year}年{first}～{first + 2}月期", level, parent=f"{year}000000")
        for year in numbers
        for first in (1, 4, 7, 10)
    )


def months(numbers: Iterable[int], *, level: str = "1", in_quarters: bool = False) -> tuple[Item, ...]:
    """Return months, with their quarter as parent where asked."""
    return tuple(
        Item(
            f"{year}00{month:02d}{month:02d}",
            f"{year}年{month}月",
            level,
            parent=f"{year}00{quarter:02d}{quarter + 2:02d}" if in_quarters else None,
        )
        for year in numbers
        for month in range(1, 13)
        for quarter in [(month - 1) // 3 * 3 + 1]
    )
