"""Codes and names: which code a name has on any axis of a table, what a code means, and where it stands in its tree.

Names are compared without width, case and kind of kana; prefectures are known in kanji, kana and romaji.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from estat_dagster.errors import ValidationError
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.credit import table_credit
from estat_dagster.estat.models import Axis, ClassItem, Metadata
from estat_dagster.estat.prefectures import by_name, by_part
from estat_dagster.estat.words import fold_kana
from estat_dagster.prefectures import by_code

AREA = "area"


@dataclass(frozen=True)
class Parent:
    """A code above another. The axis may lack it; its name is then None, or the prefecture's."""

    code: str
    name: str | None


@dataclass(frozen=True)
class CodeMatch:
    """A class of an axis that was asked for: `why` says what matched, `path` is the way down to it from the top."""

    axis: str
    axis_name: str
    code: str
    name: str
    level: str
    path: tuple[Parent, ...]
    children: int
    unit: str | None
    description: str | None
    why: str


@dataclass(frozen=True)
class Codes:
    """A page of the classes that match, and how many there are."""

    dataset_id: str
    title: str
    total: int
    offset: int
    matches: tuple[CodeMatch, ...]
    credit: str


def find_codes(
    client: EstatClient,
    dataset_id: str,
    words: str = "",
    *,
    axis: str | None = None,
    children_of: str | None = None,
    offset: int = 0,
    most: int = 50,
) -> Codes:
    """Return the classes of a table that match, exact ones first, then those that begin with the words.

    Args:
        client: asks e-Stat for the table's metadata, in one request.
        dataset_id: statsDataId.
        words: a code, a name, or a part of a name; empty for all.
        axis: tab, cat01 to cat15, area or time; None looks on every axis.
        children_of: only what stands directly below this code, or the code of this name: `13000`, `東京都`, `tokyo`.
        offset: how many matches to skip.
        most: how many matches to return.

    Raises:
        ValidationError: the table has no such axis, or no code below `children_of`.
        DataLakeError: as every request.
    """
    metadata = client.get_metadata(dataset_id)
    matches = match_codes(metadata, words, axis=axis, children_of=children_of)
    return Codes(
        dataset_id=dataset_id,
        title=metadata.table.title,
        total=len(matches),
        offset=offset,
        matches=matches[offset : offset + most],
        credit=table_credit(metadata.table, client.source, processed=False),
    )


def match_codes(
    metadata: Metadata, words: str = "", *, axis: str | None = None, children_of: str | None = None
) -> tuple[CodeMatch, ...]:
    """Return all classes that match, as `find_codes` does, from metadata that is there already.

    Raises:
        ValidationError: the table has no such axis, or no code below `children_of`.
    """
    trees = [_Tree(found) for found in _axes(metadata, axis)]
    if children_of is not None:
        pairs = _below(trees, children_of)
    else:
        pairs = [(tree, item) for tree in trees for item in tree.axis.classes]
    wanted = _Wanted(words)
    found = ((wanted.match(tree.axis, item), tree, item) for tree, item in pairs)
    ranked = sorted(((hit, tree, item) for hit, tree, item in found if hit), key=lambda match: match[0][0])
    return tuple(tree.describe(item, why) for (_, why), tree, item in ranked)


def _axes(metadata: Metadata, axis_id: str | None) -> list[Axis]:
    found = [axis for axis in metadata.axes if axis_id in (None, axis.id)]
    if not found:
        names = ", ".join(f"{axis.id} {axis.name}" for axis in metadata.axes)
        raise ValidationError(f"{metadata.table.id} has no axis {axis_id!r}.", hint=f"Its axes are {names}.")
    return found


class _Tree:
    """An axis with the ways between its codes; parents may be missing from the axis."""

    def __init__(self, axis: Axis) -> None:
        self.axis = axis
        self._items = {item.code: item for item in axis.classes}
        self._children: dict[str, list[ClassItem]] = {}
        for item in axis.classes:
            if item.parent_code:
                self._children.setdefault(item.parent_code, []).append(item)

    def below(self, code: str) -> list[ClassItem]:
        """Return what stands directly below a code."""
        return self._children.get(code, [])

    def codes_of(self, name: str) -> Iterator[str]:
        """Return the codes that a code or a whole name means."""
        wanted, prefecture = fold_kana(name), by_name(name)
        if name in self._items or name in self._children:
            yield name
        yield from (item.code for item in self.axis.classes if fold_kana(item.name) == wanted)
        if prefecture and self.axis.id == AREA:
            yield prefecture.code

    def describe(self, item: ClassItem, why: str) -> CodeMatch:
        """Return a class with its way from the top."""
        return CodeMatch(
            axis=self.axis.id,
            axis_name=self.axis.name,
            code=item.code,
            name=item.name,
            level=item.level,
            path=tuple(reversed(list(self._parents(item)))),
            children=len(self.below(item.code)),
            unit=item.unit,
            description=item.description,
            why=why,
        )

    def _parents(self, item: ClassItem) -> Iterator[Parent]:
        seen = {item.code}
        above: ClassItem | None = item
        while above and above.parent_code and above.parent_code not in seen:
            code = above.parent_code
            seen.add(code)
            above = self._items.get(code)
            yield Parent(code, above.name if above else self._known_name(code))

    def _known_name(self, code: str) -> str | None:
        prefecture = by_code(code) if self.axis.id == AREA else None
        return prefecture.kanji if prefecture else None


def _below(trees: Iterable[_Tree], name: str) -> list[tuple[_Tree, ClassItem]]:
    pairs: list[tuple[_Tree, ClassItem]] = []
    for tree in trees:
        codes = dict.fromkeys(tree.codes_of(name))
        pairs += [(tree, item) for code in codes for item in tree.below(code)]
    if not pairs:
        raise ValidationError(
            f"Nothing stands below {name!r} in this table.",
            hint="Give a code or a whole name that has children; the codes without `--children-of` tell which do.",
        )
    return pairs


class _Wanted:
    """The words that codes and names are compared with."""

    def __init__(self, words: str) -> None:
        self._words = fold_kana(words)
        self._prefecture = by_name(words)
        self._parts = set(by_part(words))

    def match(self, axis: Axis, item: ClassItem) -> tuple[int, str] | None:
        """Return how good a match is (0 is best) and why, None where it is none."""
        name, wanted = fold_kana(item.name), self._words
        prefecture = (by_code(item.code) if axis.id == AREA else None) or by_name(item.name)
        reading = f"{prefecture.kanji} ({prefecture.kana}, {prefecture.romaji})" if prefecture else ""
        asked = self._prefecture
        grades = (
            (not wanted, ""),
            (wanted == fold_kana(item.code), "the code"),
            (wanted == name, "the name"),
            (asked is not None and prefecture == asked, reading),
            (name.startswith(wanted), "begins the name"),
            (wanted in name, "in the name"),
            (asked is not None and asked.kanji in item.name, f"{asked.kanji if asked else ''} in the name"),
            (prefecture in self._parts, f"in {reading}"),
            (item.description is not None and wanted in fold_kana(item.description), "in the description"),
        )
        return next(((grade, why) for grade, (is_so, why) in enumerate(grades) if is_so), None)
