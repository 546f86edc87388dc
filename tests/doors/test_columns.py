"""Every column of a domain table is filled as the table of columns says."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from estat_dagster.domains import DOMAINS
from tests.doors.lakeside import Lakeside

LEADING = [
    "dataset_id", "year", "quarter", "month", "region_code", "region_name", "category_code", "category_name",
    "value", "unit", "updated_at",
]  # fmt: skip


def one(lakeside: Lakeside, dataset_id: str, **codes: str) -> dict[str, object]:
    assert lakeside.load(dataset_id).success
    rows = [row for row in lakeside.rows(dataset_id) if all(row[name] == code for name, code in codes.items())]
    assert len(rows) == 1
    return rows[0]


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.name)
def test_the_first_eleven_columns_come_first_in_their_order(lakeside: Lakeside, domain: object) -> None:
    table = lakeside.bench.lake.tables.create_domain_table(domain.name)  # type: ignore[attr-defined]
    assert table.schema().column_names[:11] == LEADING
    assert [field.name for field in table.spec().fields] == ["year"]
    assert all(field.doc for field in table.schema().fields)


def test_a_month_without_a_number_of_its_own_kind(lakeside: Lakeside) -> None:
    before = datetime.now(UTC)
    row = one(lakeside, "0003005798", cat02_code="08", cat03_code="0")
    assert before <= row.pop("updated_at") <= datetime.now(UTC)  # type: ignore[operator]
    assert row == {
        "dataset_id": "0003005798",
        "year": 2024,
        "quarter": None,
        "month": 1,
        "region_code": "00000",
        "region_name": "全国",
        "category_code": "000",
        "category_name": "全産業",
        "value": 163.0,
        "unit": "万人",
        "tab_code": "01",
        "tab_name": "実数(人口)",
        "time_code": "2024000101",
        "time_name": "2024年1月",
        "time_kind": "month",
        "period_start": date(2024, 1, 1),
        "period_end": date(2024, 1, 31),
        "value_text": None,
        "missing_reason": None,
        "annotation": None,
        "employment_status": "完全失業者",
        "occupation": None,
        "cat02_code": "08",
        "cat02_name": "完全失業者",
        "cat03_code": "0",
        "cat03_name": "総数",
    }


def test_a_fiscal_year_begins_in_april(lakeside: Lakeside) -> None:
    row = one(lakeside, "0000010101", region_code="13000", time_code="2000100000")
    assert (row["year"], row["time_kind"]) == (2000, "fiscal_year")
    assert (row["period_start"], row["period_end"]) == (date(2000, 4, 1), date(2001, 3, 31))
    assert (row["region_name"], row["unit"]) == ("東京都", "人")


def test_without_an_area_axis_the_whole_country_is_named_only_where_the_table_says_so(lakeside: Lakeside) -> None:
    assert lakeside.load("0003425893").success
    assert {(row["region_code"], row["region_name"]) for row in lakeside.rows("0003425893")} == {("00000", "全国")}
    assert lakeside.load("0003109741").success
    assert {row["region_code"] for row in lakeside.rows("0003109741")} == {None}


def test_without_a_time_axis_the_survey_date_gives_the_year(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000008").success
    found = {(r["year"], r["time_kind"], r["time_code"], r["period_end"]) for r in lakeside.rows("9900000008")}
    assert found == {(2020, "survey_date", None, date(2020, 12, 31))}


def test_without_cat01_the_measure_is_the_category(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000012").success
    rows = lakeside.rows("9900000012")
    assert all((row["category_code"], row["category_name"]) == (row["tab_code"], row["tab_name"]) for row in rows)


def test_the_year_from_october_is_not_october(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000010").success
    kinds = {row["time_name"]: row["time_kind"] for row in lakeside.rows("9900000010")}
    assert {kind for name, kind in kinds.items() if "～" in str(name)} == {"range"}
    assert {kind for name, kind in kinds.items() if "～" not in str(name)} == {"month"}


def test_a_zero_that_the_note_explains_stays_a_zero_and_keeps_its_note(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000003").success
    rows = lakeside.rows("9900000003")
    zeros = [row for row in rows if row["value"] == 0 and row["unit"] == "万人"]
    assert zeros
    assert {row["missing_reason"] for row in zeros} == {"数値が表章単位に満たないもの"}


def test_a_text_stays_a_text_and_the_report_and_the_picture_tell_of_it(lakeside: Lakeside) -> None:
    outcome = lakeside.load("9900000009")
    facts = lakeside.facts(outcome, "validated_records")
    assert "no number: a text that NOTE does not explain" in facts["quality_report"]
    assert facts["picture"].startswith("![what the rows hold](data:image/png;base64,iVBOR")
    texts = [row for row in lakeside.rows("9900000009") if row["value_text"] is not None]
    assert {row["value_text"] for row in texts} == {"ＮＯ", "ＫＧ"}
    assert all(row["value"] is None and row["missing_reason"] is None for row in texts)


def test_annotations_are_the_texts_behind_the_marks(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000007").success
    texts = {row["annotation"] for row in lakeside.rows("9900000007")} - {None}
    assert texts
    assert not texts & {"J1", "J2"}


def test_the_domain_columns_come_from_the_axes_of_that_name(lakeside: Lakeside) -> None:
    assert lakeside.load("9900000002").success
    assert {row["gender"] for row in lakeside.rows("9900000002")} == {"総数", "男", "女"}
    assert "0～4歳" in {row["age_group"] for row in lakeside.rows("9900000002")}
    assert lakeside.load("9900000006").success
    assert all(row["school_type"] and row["grade_level"] for row in lakeside.rows("9900000006"))
    assert lakeside.load("9900000007").success
    assert "A15" in {row["disease_code"] for row in lakeside.rows("9900000007")}
    assert all(row["facility_type"] for row in lakeside.rows("9900000007"))
