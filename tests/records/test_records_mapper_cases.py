"""What the lake's columns say of a page: one rule of the contract a test, written out by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from estat_dagster.domains import DOMAINS
from estat_dagster.errors import DataError
from estat_dagster.estat.models import Metadata
from estat_dagster.estat.pages import parse_stats_page
from estat_dagster.records.classes import dangling_parents, repeated_classes
from estat_dagster.records.mapper import MappingReport, SchemaMapper
from tests.estat.answers import body, stats_data

CLASSES = {
    "tab": {"t1": ("人口", "人"), "t2": ("世帯", None)},
    "cat01": {"c1": ("総数", None), "c2": ("男", "千人")},
    "cat02": {"x1": ("0～4歳", None)},
    "area": {"13000": ("東京都", None)},
    "time": {"2020000000": ("2020年", None), "2020100000": ("2020年度", None), "odd": ("不明", None)},
}
NAMES = {"tab": "表章項目", "cat01": "男女", "cat02": "年齢", "area": "地域", "time": "時間軸"}


def document(*records: dict[str, str], axes: str = "tab cat01 area time", **parts: Any) -> dict[str, Any]:
    """Return an answer; `parts` are members of TABLE_INF (table) and DATA_INF (inf), and other names of axes."""
    objects = [
        {
            "@id": axis,
            "@name": parts.get(axis, NAMES[axis]),
            "CLASS": [
                {"@code": code, "@name": name, "@level": "1", **({"@unit": unit} if unit else {})}
                for code, (name, unit) in CLASSES[axis].items()
            ],
        }
        for axis in axes.split()
    ]
    table = {"@id": "0000000001", "SURVEY_DATE": 0} | parts.get("table", {})
    inf = {"VALUE": list(records)} | parts.get("inf", {})
    return stats_data(list(records), TABLE_INF=table, CLASS_INF={"CLASS_OBJ": objects}, DATA_INF=inf)


def mapped(answer: dict[str, Any], domain: str = "general") -> tuple[list[dict[str, Any]], MappingReport]:
    page = parse_stats_page(body(answer))
    mapper = SchemaMapper(page.metadata, page.notes, page.annotations, DOMAINS[domain])
    table, report = mapper.map_page(page.values, page=1, from_number=1)
    return table.to_pylist(), report


def row(record: dict[str, str], domain: str = "general", **parts: Any) -> dict[str, Any]:
    [only], _ = mapped(document(record, **parts), domain)
    return only


CELL = {"@tab": "t1", "@cat01": "c1", "@area": "13000", "@time": "2020100000", "$": "5"}


def test_codes_get_their_names_and_times_their_periods():
    assert row(CELL, domain="general") == {
        "dataset_id": "0000000001",
        "year": 2020,
        "quarter": None,
        "month": None,
        "region_code": "13000",
        "region_name": "東京都",
        "category_code": "c1",
        "category_name": "総数",
        "value": 5.0,
        "unit": "人",
        "tab_code": "t1",
        "tab_name": "人口",
        "time_code": "2020100000",
        "time_name": "2020年度",
        "time_kind": "fiscal_year",
        "period_start": date(2020, 4, 1),
        "period_end": date(2021, 3, 31),
        "value_text": None,
        "missing_reason": None,
        "annotation": None,
        "source_page": 1,
        "source_position": 1,
    }


@pytest.mark.parametrize(
    ("symbol", "value", "text", "reason"),
    [
        ("***", None, "***", "調査していない"),
        ("X", None, "X", "秘匿"),
        ("-", None, "-", None),
        ("0", 0.0, None, "単位に満たない"),
        ("0.0", 0.0, None, None),
        ("ＮＯ", None, "ＮＯ", None),
    ],
)
def test_a_symbol_is_null_with_the_reason_of_the_tables_own_note(symbol: str, value: Any, text: Any, reason: Any):
    notes = {"***": "調査していない", "X": "秘匿", "0": "単位に満たない"}
    note = [{"@char": char, "$": meaning} for char, meaning in notes.items()]
    found = row({**CELL, "$": symbol}, inf={"NOTE": note})
    assert (found["value"], found["value_text"], found["missing_reason"]) == (value, text, reason)


def test_without_cat01_the_measure_is_the_category():
    found = row({"@tab": "t2", "$": "5"}, axes="tab")
    assert (found["category_code"], found["category_name"]) == (found["tab_code"], found["tab_name"]) == ("t2", "世帯")


def test_without_cat01_on_the_table_a_cell_that_has_it_all_the_same_is_of_that_category():
    rows, _ = mapped(document({"@tab": "t1", "$": "1"}, {"@tab": "t1", "@cat01": "A", "$": "2"}, axes="tab"))
    assert [(each["category_code"], each["category_name"]) for each in rows] == [("t1", "人口"), ("A", None)]


def test_without_area_and_time_on_the_table_a_cell_that_has_them_all_the_same_is_of_those():
    facts = {"COLLECT_AREA": "全国", "SURVEY_DATE": 2015}
    cells = ({"$": "1"}, {"@area": "99", "@time": "2020000000", "$": "2"})
    rows, _ = mapped(document(*cells, axes="tab", table=facts))
    assert [(each["region_code"], each["region_name"], each["year"], each["time_kind"]) for each in rows] == [
        ("00000", "全国", 2015, "survey_date"),
        ("99", None, 2020, "calendar_year"),
    ]


def test_with_cat01_a_cell_without_it_has_no_category():
    assert row({"@tab": "t2", "$": "5"})["category_code"] is None


def test_without_tab_the_measure_is_null():
    found = row({"@cat01": "c2", "$": "5"}, axes="cat01")
    assert (found["tab_code"], found["category_code"], found["category_name"]) == (None, "c2", "男")


@pytest.mark.parametrize(
    ("collect_area", "code", "name"), [("全国", "00000", "全国"), ("都道府県", None, None), ("該当なし", None, None)]
)
def test_without_area_the_region_is_the_country_only_where_that_was_collected(collect_area: str, code: Any, name: Any):
    found = row({"@tab": "t1", "$": "5"}, axes="tab", table={"COLLECT_AREA": collect_area})
    assert (found["region_code"], found["region_name"]) == (code, name)


def test_with_area_a_cell_without_it_is_not_the_country():
    assert row({"@tab": "t1", "$": "5"}, table={"COLLECT_AREA": "全国"})["region_code"] is None


@pytest.mark.parametrize(
    ("survey_date", "kind", "year"),
    [("2015", "survey_date", 2015), ("202004-202103", "survey_date", None), (0, "none", None), ("x", "unknown", None)],
)
def test_without_time_the_year_is_that_of_the_survey(survey_date: Any, kind: str, year: int | None):
    rows, report = mapped(document({"$": "5"}, {"$": "6"}, axes="tab", table={"SURVEY_DATE": survey_date}))
    assert {(each["time_kind"], each["year"], each["time_code"]) for each in rows} == {(kind, year, None)}
    assert report.doubtful_periods.total() == (2 if kind == "unknown" else 0)


@pytest.mark.parametrize(
    ("record", "unit"),
    [
        ({"@tab": "t1", "@unit": "万人"}, "万人"),
        ({"@tab": "t1"}, "人"),
        ({"@tab": "t1", "@unit": ""}, "人"),
        ({"@tab": "t2", "@unit": " "}, None),
        ({"@tab": "t1", "@cat01": "c2"}, "人"),
        ({"@tab": "t2", "@cat01": "c2"}, "千人"),
        ({"@tab": "t2", "@cat01": "c1"}, None),
        ({"@tab": "gone"}, None),
    ],
)
def test_the_unit_is_the_cells_else_its_classes(record: dict[str, str], unit: str | None):
    assert row({**record, "$": "5"})["unit"] == unit


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({}, None),
        ({"@annotation": "a"}, "最初の注"),
        ({"@anotation": "b"}, "次の注"),
        ({"@annotation": "a,b"}, "最初の注 / 次の注"),
        ({"@annotation": "a b"}, "最初の注 / 次の注"),
        ({"@annotation": "z"}, "z"),
        ({"@annotation": "a z"}, "最初の注 / z"),
        ({"@annotation": ""}, None),
        ({"@annotation": "", "@anotation": "b"}, "次の注"),
        ({"@annotation": ", "}, None),
        ({"@annotation": "e"}, "e"),
    ],
)
def test_footnotes_become_their_texts(record: dict[str, str], words: str | None):
    texts = [{"@annotation": mark, "$": text} for mark, text in (("a", "最初の注"), ("b", "次の注"), ("e", ""))]
    assert row({**CELL, **record}, inf={"ANNOTATION": texts})["annotation"] == words


def test_the_domains_own_columns_hold_names_or_codes_of_the_axes_that_fit():
    found = row({"@cat01": "c2", "@cat02": "x1", "$": "5"}, domain="population", axes="cat01 cat02")
    assert (found["gender"], found["age_group"]) == ("男", "0～4歳")
    assert (found["cat02_code"], found["cat02_name"]) == ("x1", "0～4歳")
    assert "gender" not in row(CELL)
    found = row({"@cat01": "c2", "@cat02": "x1", "$": "5"}, domain="economy", axes="cat01 cat02", cat02="産業分類")
    assert found["industry_code"] == "x1", "a column named *_code holds the code"
    assert found["indicator_type"] is None, "no axis has such a name"


def test_codes_that_class_inf_does_not_name_are_kept_without_a_name_and_counted():
    rows, report = mapped(document({**CELL, "@area": "99999"}, {**CELL, "@area": "99999"}, {**CELL, "@cat03": "n"}))
    assert [(each["region_code"], each["region_name"]) for each in rows[:2]] == [("99999", None)] * 2
    assert (rows[2]["cat03_code"], rows[2]["cat03_name"], rows[0]["cat03_code"]) == ("n", None, None)
    assert report.unknown_codes == {"area 99999": 2, "cat03 n": 1}


def test_what_is_odd_is_counted_and_no_row_is_lost():
    cells = [{**CELL, "@time": "odd"}, {**CELL, "$": "…"}, {**CELL, "$": "語"}, {**CELL, "@extra": "1"}, {}]
    rows, report = mapped(document(*cells))
    assert len(rows) == report.rows == 5
    assert list(report.doubtful_periods.values()) == [1]
    assert report.unexplained_symbols == {"…": 1}
    assert report.unknown_attributes == {"@extra": 1}
    assert rows[0]["time_kind"] == "unknown"
    assert rows[4]["value"] is None
    assert rows[4]["value_text"] is None


def test_pages_number_their_rows_by_page_and_position_in_the_table():
    page = parse_stats_page(body(document(CELL, CELL, CELL)))
    mapper = SchemaMapper(page.metadata, page.notes, page.annotations, DOMAINS["general"])
    mapped = [mapper.map_page(page.values, page=number, from_number=start) for number, start in ((1, 1), (2, 100_001))]
    places = [(each["source_page"], each["source_position"]) for table, _ in mapped for each in table.to_pylist()]
    assert places == [(1, 1), (1, 2), (1, 3), (2, 100_001), (2, 100_002), (2, 100_003)]
    assert [report.rows for _, report in mapped] == [3, 3]


def metadata_of(*axes: tuple[str, list[dict[str, str]]]) -> Metadata:
    """Return the metadata of a table with these axes and classes."""
    objects = [{"@id": axis, "@name": f"{axis}の軸", "CLASS": classes} for axis, classes in axes]
    return parse_stats_page(body(stats_data([], CLASS_INF={"CLASS_OBJ": objects}))).metadata


def test_parents_that_are_not_on_the_axis_are_counted():
    classes = [{"@code": "1", "@parentCode": "gone"}, {"@code": "2", "@parentCode": "1"}, {"@code": "3"}]
    assert dangling_parents(metadata_of(("area", classes))) == {"area gone": 1}
    assert dangling_parents(metadata_of(("area", classes), ("area", [{"@code": "gone"}]))) == {}


def test_of_a_code_that_is_named_twice_the_first_name_counts_and_both_axes_of_one_id_are_one():
    first = [
        {"@code": "1", "@name": "東京", "@unit": "人"},
        {"@code": "1", "@name": "大阪"},
        {"@code": "2", "@name": "京都"},
    ]
    again = [{"@code": "2", "@name": "京都"}, {"@code": "2", "@name": "奈良"}, {"@code": "3", "@name": "兵庫"}]
    metadata = metadata_of(("area", first), ("time", [{"@code": "2020"}, {"@code": "2020"}]), ("area", again))
    assert repeated_classes(metadata) == {"area": 1, "area 1": 1, "area 2": 1}
    mapper = SchemaMapper(metadata, {}, {}, DOMAINS["general"])
    assert mapper.names("area") == {"1": "東京", "2": "京都", "3": "兵庫"}
    assert mapper.units("area") == {"1": "人"}
    rows, _ = mapper.map_page(b'[{"@area":"1","$":"1"},{"@area":"2","$":"1"}]', page=1, from_number=1)
    assert rows.column("region_name").to_pylist() == ["東京", "京都"]


def test_a_measure_is_told_by_tab_the_category_and_the_axes_that_have_units():
    counted, plain = {"@code": "1", "@unit": "人"}, {"@code": "1", "@unit": ""}
    axes = [(axis, [counted]) for axis in ("tab", "cat01", "cat03", "area", "zone")]
    mapper = SchemaMapper(metadata_of(*axes, ("cat02", [plain]), ("time", [plain])), {}, {}, DOMAINS["general"])
    assert mapper.measure() == ["tab_code", "category_code", "cat03_code", "region_code"]


def test_a_table_without_an_id_is_not_mapped():
    page = parse_stats_page(body(document(CELL, table={"@id": ""})))
    with pytest.raises(DataError, match="which table"):
        SchemaMapper(page.metadata, {}, {}, DOMAINS["general"])


def test_what_is_null_without_a_reason_is_counted_unless_it_is_a_word():
    cells = [{**CELL, "$": words} for words in ("–5", "5.", "NaN", "該当なし", "2020年", "X", " X", "（1,234）")]
    _, report = mapped(document(*cells, inf={"VALUE": cells, "NOTE": {"@char": "X", "$": "秘匿"}}))
    assert report.unexplained_symbols == {"–5": 1, "5.": 1, "NaN": 1, "（1,234）": 1}
