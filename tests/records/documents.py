"""Hypothesis strategies for documents of getStatsData in every shape that e-Stat may write.

Whatever a part may look like, it does: axes there or not and in any order, lists of one as single objects, keys in any
order, compact or indented, escaped or not, texts that look like JSON, codes and parents that lead nowhere.
Hypothesis chooses the axes, the texts and the number of records; a seeded `Random` puts them together, which is five
times as fast as drawing every attribute.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from estat_dagster.domains import DOMAINS, Domain
from tests.records.reference import AXES

TEXTS = (
    "},{",
    '"',
    "\\",
    'a"},{"$":"0',
    "\n",
    "\t",
    "\\n",
    "\\u0000",
    "\x00",
    "[",
    "]",
    "東京",
    "𠮷野家",
    "🏯",
    "é",
    "<b>&amp;",
)
SYMBOLS = ("-", "***", "X", "Ｘ", "…", "△", "0", "*", "")
NUMBERS = (
    "0",
    "5",
    "-3",
    "12.5",
    "1,234",
    "△7",
    "１２３",
    "1e3",
    "0.0",
    "007",
    "1,23",
    "--",
    "①",
    "²",
    "NaN",
    "∞",
    "ＮＯ",
    "△　5",
    "１ｅ３",
    "–5",
    "ー5",
    "5.",
    "(1,234)",
    "ＮＡ",
    "Infinity",
    "2020年",
    " 0",
    "- ",
)
CODES = ("1", "01", "001", "A1101", "R12", "00000", "13000", "13A01", "総数", " 1", "x,y", '"', "🏯")
TIMES = (
    "2020000000",
    "1980100000",
    "2024000101",
    "1994000103",
    "2019001010",
    "1994010000",
    "2020",
    "20190000000",
    "bad",
)
TIME_NAMES = ("2020年", "1980年度", "2024年1月", "1994年1～3月期", "2019年10月～2020年9月", "令和元年", "不明", "")
NAMES = ("男女", "年齢", "性別", "産業", "指標", "就業状態", "職業", "学校種", "学年", "死因", "施設", "地域", "項目")
MARKS = ("a", "b", "a,b", "a b", "注1", "*", "c", "", ",")
MEANINGS = ("秘匿", "該当なし", "単位に満たないもの", "")
UNITS = ("人", "千円", "％", "10億円", "")
EXTRAS = ("@cat02", "@cat07", "@cat15", "@area", "@time", "@tab", "@cat01", "@foo", "note", "@cat16")
UNQUOTED = (0, 5, -(10**25), 0.5, 1e21)
STYLES: tuple[dict[str, Any], ...] = (
    {"separators": (",", ":")},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"indent": 1},
    {"ensure_ascii": False, "indent": 2},
)
COMMON = ("tab", "cat01", "area", "time")
Node = dict[str, Any]

words = st.one_of(st.sampled_from(TEXTS + NAMES), st.text(max_size=4))
cells = st.one_of(st.sampled_from(NUMBERS + SYMBOLS + TEXTS), st.text(max_size=5), st.integers().map(str))


@dataclass(frozen=True)
class Document:
    """A document, the records of its pages, and how it is written."""

    parsed: Node
    pages: tuple[list[Node], ...]
    domain: Domain
    style: dict[str, Any]
    singles: bool

    def body(self, page: int) -> bytes:
        """Return the bytes of the answer with the records of one page, from 0."""
        data = self.parsed["GET_STATS_DATA"]["STATISTICAL_DATA"]
        records = self.pages[page]
        value = records[0] if self.singles and len(records) == 1 else records
        data = {**data, "DATA_INF": {**data["DATA_INF"], "VALUE": value}}
        answer = {"GET_STATS_DATA": {"RESULT": {"STATUS": 0}, "STATISTICAL_DATA": data}}
        return json.dumps(answer, **self.style).encode()


@dataclass(frozen=True)
class Parts:
    """What a document is put together from.

    `odd` has attributes that CLASS_INF does not name, and bare numbers; in `alike` every record has the same attributes
    in the same order, as e-Stat writes them.
    """

    dice: random.Random
    names: list[str]
    texts: list[str]
    odd: bool
    alike: bool

    def class_obj(self, axis: str) -> Node:
        known, names = (TIMES, TIME_NAMES) if axis == "time" else (CODES, self.names)
        codes = self.dice.sample(known, self.dice.randint(1, 3))
        codes += codes[:1] if self.dice.random() < 0.1 else []
        return {"@id": axis, "@name": self.pick(self.names), "CLASS": [self.item(code, names) for code in codes]}

    def item(self, code: str, names: Sequence[str]) -> Node:
        item = {"@code": code, "@name": self.pick(names), "@level": self.pick(["", "1", "2"])}
        return item | self.some({"@unit": UNITS, "@parentCode": (*CODES, "gone"), "@addInf": TEXTS})

    def records(self, axes: list[Node], size: int) -> list[Node]:
        """Return the records of a page; at times the last is a copy of the first."""
        records = [self.record(axes) for _ in range(size)]
        return [*records[:-1], dict(records[0])] if size > 1 and self.dice.random() < 0.2 else records

    def record(self, axes: list[Node]) -> Node:
        return self.plain_record(axes) if self.alike else self.any_record(axes)

    def plain_record(self, axes: list[Node]) -> Node:
        codes = {f"@{axis['@id']}": self.pick([*(item["@code"] for item in axis["CLASS"]), "missing"]) for axis in axes}
        return {**codes, "@unit": self.pick(UNITS), "$": self.pick(self.texts)}

    def any_record(self, axes: list[Node]) -> Node:
        record = {f"@{axis['@id']}": self.code(axis) for axis in axes}
        record |= self.some({"@unit": UNITS, "@annotation": MARKS, "@anotation": MARKS})
        if self.odd:
            record |= self.some({name: CODES for name in EXTRAS if name not in record})
        if self.dice.random() < 0.95:
            record["$"] = self.pick(UNQUOTED if self.odd and self.dice.random() < 0.2 else [*self.texts, None])
        names = list(record)
        self.dice.shuffle(names)
        return {name: record[name] for name in names}

    def code(self, axis: Node) -> str | None:
        known = [item["@code"] for item in axis["CLASS"]]
        return self.pick([*known * 4, "missing", None])

    def notes(self, key: str, symbols: Sequence[str]) -> list[Node]:
        chosen = self.dice.sample(symbols, self.dice.randint(0, 3))
        return [{key: symbol, "$": self.pick(MEANINGS)} for symbol in chosen]

    def some(self, choices: dict[str, Sequence[Any]]) -> Node:
        return {name: self.pick(values) for name, values in choices.items() if self.dice.random() < 0.3}

    def pick(self, values: Sequence[Any]) -> Any:
        return self.dice.choice(values)


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """Return a document of a page or two."""
    ids = draw(st.lists(st.sampled_from((*AXES, *COMMON * 3)), unique=True, max_size=7))
    parts = Parts(
        random.Random(draw(st.integers(0, 2**32))),
        draw(st.lists(words, min_size=1, max_size=6)),
        draw(st.lists(cells, min_size=1, max_size=8)),
        draw(st.sampled_from([False, False, True])),
        draw(st.booleans()),
    )
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=2))
    singles = draw(st.booleans())
    twice = [axis for axis in ids if parts.dice.random() < 0.05]
    axes = [parts.class_obj(axis) for axis in (*ids, *twice)]
    pages = tuple(parts.records(axes, size) for size in sizes)

    def wrapped(nodes: list[Any]) -> Any:
        return nodes[0] if singles and len(nodes) == 1 else nodes

    data = {
        "RESULT_INF": {"TOTAL_NUMBER": 1},
        "TABLE_INF": {"@id": "0000000001", "COLLECT_AREA": parts.pick(["全国", "全国", "都道府県", ""])},
        "CLASS_INF": {"CLASS_OBJ": wrapped([{**axis, "CLASS": wrapped(axis["CLASS"])} for axis in axes])},
        "DATA_INF": {
            "NOTE": wrapped(parts.notes("@char", SYMBOLS)),
            "ANNOTATION": wrapped(parts.notes("@annotation", MARKS)),
        },
    }
    data["TABLE_INF"]["SURVEY_DATE"] = parts.pick([0, 2015, "201510", "202001-202012", "いつか", ""])
    domain, style = draw(st.sampled_from(list(DOMAINS.values()))), draw(st.sampled_from(STYLES))
    return Document({"GET_STATS_DATA": {"STATISTICAL_DATA": data}}, pages, domain, style, singles)
