"""The built-in tables: every domain, every shape, labelled for what they are."""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import pytest

from estat_dagster.sandbox.tables import catalogue as module
from estat_dagster.sandbox.tables.catalogue import catalogue

TABLES = {table.id: table for table in catalogue()}
PUBLISHED = {"0000010101", "0003005798", "0003109741", "0003425893"}
GENERATED = sorted(set(TABLES) - PUBLISHED)


def axis(table_id, axis_id):
    return next(axis for axis in TABLES[table_id].axes if axis.id == axis_id)


def times(table_id):
    return {item.code: item.name for item in axis(table_id, "time").items}


def values(table_id):
    return {cell.codes: cell.value for cell in TABLES[table_id].cells}


def test_every_domain_has_tables():
    fields = Counter(table.facts["MAIN_CATEGORY"]["@code"] for table in TABLES.values())
    assert {"02", "03", "07", "12", "15", "99"} <= set(fields)
    assert {"04", "05", "16"} <= set(fields)
    assert len(TABLES) >= 14


@pytest.mark.parametrize("table_id", TABLES)
def test_a_table_is_consistent(table_id):
    table = TABLES[table_id]
    known = [{item.code for item in axis.items} for axis in table.axes]
    assert table.id == table_id
    assert re.fullmatch(r"\d{10}", table_id)
    assert table.table_inf["OVERALL_TOTAL_NUMBER"] == len(table.cells) > 0
    assert len({cell.codes for cell in table.cells}) == len(table.cells)
    assert all(code in codes for cell in table.cells for code, codes in zip(cell.codes, known, strict=True))
    assert {cell.annotation for cell in table.cells} - {None} == {sign for sign, _ in table.annotations}


@pytest.mark.parametrize("table_id", sorted(set(TABLES) - {"9900000009"}))
def test_what_is_no_number_is_explained_by_a_note(table_id):
    table = TABLES[table_id]
    texts = {cell.value for cell in table.cells if not re.fullmatch(r"-?\d+(\.\d+)?", cell.value)}
    assert texts <= {symbol for symbol, _ in table.notes}


@pytest.mark.parametrize("table_id", GENERATED)
def test_generated_figures_are_labelled_and_the_same_every_time(table_id):
    table, again = TABLES[table_id], next(table for table in catalogue() if table.id == table_id)
    title = table.facts["TITLE"]
    assert table_id.startswith("99")
    assert "【生成データ】" in (title if isinstance(title, str) else title["$"])
    assert "【生成データ】" in table.facts["STATISTICS_NAME"]
    assert "【生成データ】" in table.facts["STAT_NAME"]["$"]
    assert table.cells == again.cells


def test_published_figures_are_not_labelled_as_generated():
    assert not any("生成データ" in str(TABLES[table_id].facts) for table_id in PUBLISHED)


def test_the_docstring_lists_every_table_with_its_size():
    rows = re.findall(r"^\| (\d{10}) \| \S+(?: \(\d\d\))? \| ([\d,]+) \| (\w+) \|", module.__doc__, re.MULTILINE)
    listed = {table_id: (int(size.replace(",", "")), figures) for table_id, size, figures in rows}
    expected = {
        table_id: (len(table.cells), "published" if table_id in PUBLISHED else "generated")
        for table_id, table in TABLES.items()
    }
    assert listed == expected


@pytest.mark.parametrize(
    ("table_id", "code", "name"),
    [
        ("0000010101", "1975100000", "1975年度"),
        ("0003005798", "2024000101", "2024年1月"),
        ("0003109741", "2022000406", "2022年4～6月期"),
        ("0003425893", "2020000000", "2020年"),
        ("9900000004", "2021000000", "2021年"),
        ("9900000004", "2021100000", "2021年度"),
        ("9900000004", "2021000709", "2021年7～9月期"),
        ("9900000004", "2021001212", "2021年12月"),
        ("9900000005", "2018010000", "2018年上半期"),
        ("9900000005", "2018020000", "2018年下半期"),
        ("9900000010", "2019001010", "2019年10月～2020年9月"),
        ("9900000010", "2021001010", "2021年10月"),
        ("9900000011", "20190000000", "2019年"),
        ("9900000012", "2018", "2018年"),
    ],
)
def test_every_kind_of_time_code_is_there(table_id, code, name):
    assert times(table_id)[code] == name


@pytest.mark.parametrize(
    ("table_id", "absent"),
    [
        ("0003109741", {"area"}),
        ("0003425893", {"area"}),
        ("9900000005", {"area"}),
        ("9900000006", {"tab"}),
        ("9900000008", {"tab", "time"}),
        ("9900000012", {"cat01"}),
    ],
)
def test_axes_are_absent(table_id, absent):
    assert not absent & {axis.id for axis in TABLES[table_id].axes}


def test_six_categories():
    assert sum(axis.id.startswith("cat") for axis in TABLES["0003425893"].axes) == 6


def test_symbols_stand_in_cells():
    symbols = {table_id: {symbol for symbol, _ in TABLES[table_id].notes} for table_id in TABLES}
    found = {table_id: symbols[table_id] & set(values(table_id).values()) for table_id in TABLES}
    assert found["9900000001"] == {"***", "-", "X"}
    assert found["9900000003"] == {"*", "…", "0"}
    assert found["9900000007"] == {"-", "…"}
    assert found["9900000008"] == {"X"}


def test_text_stands_beside_numbers():
    texts = {codes[0]: value for codes, value in values("9900000009").items() if codes[1] == "870323000"}
    assert texts["100"] == "ＮＯ"
    assert texts["110"].isdecimal()


def test_negative_numbers_and_decimals():
    found = set(values("9900000004").values()) | set(values("9900000005").values())
    assert any(re.fullmatch(r"-\d+\.\d", value) for value in found)
    assert any(re.fullmatch(r"-\d+", value) for value in found)


@pytest.mark.parametrize("table_id", ["0003109741", "0003425893", "9900000007", "9900000014"])
def test_parents_may_be_no_items(table_id):
    dangling = [
        item
        for axis in TABLES[table_id].axes
        for item in axis.items
        if item.parent and item.parent not in {other.code for other in axis.items}
    ]
    assert dangling


@pytest.mark.parametrize("table_id", ["9900000006", "9900000009"])
def test_a_sparse_grid_has_fewer_records_than_combinations(table_id):
    combinations = 1
    for each in TABLES[table_id].axes:
        combinations *= len(each.items)
    assert len(TABLES[table_id].cells) < combinations


@pytest.mark.parametrize("table_id", ["9900000002", "9900000006", "9900000008"])
def test_totals_are_the_sums_of_their_details(table_id):
    """Along every axis with parents that are items, but where a symbol hides a detail."""
    cells, checked = values(table_id), 0
    for place, each in enumerate(TABLES[table_id].axes):
        parents = {item.code: item.parent for item in each.items if item.parent}
        details = defaultdict(list)
        for codes, value in cells.items():
            if (parent := parents.get(codes[place])) is not None:
                details[(*codes[:place], parent, *codes[place + 1 :])].append(value)
        for total, parts in details.items():
            if total in cells and all(part.isdecimal() for part in (cells[total], *parts)):
                assert int(cells[total]) == sum(map(int, parts)), total
                checked += 1
    assert checked > 100


def test_units_are_those_of_the_measure():
    units = {(cell.codes[1], cell.unit) for cell in TABLES["9900000014"].cells}
    assert {("01", "人"), ("03", "組"), ("07", "世帯")} <= units
    assert {cell.unit for cell in TABLES["9900000008"].cells} == {None}
