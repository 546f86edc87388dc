"""The domain of a table, from its field and under 99 (その他) from its words."""

from __future__ import annotations

import pytest

from estat_dagster.domains import DOMAINS, check_dataset_id, get_domain, infer_domain
from estat_dagster.errors import ValidationError
from tests.estat.answers import real_metadata


@pytest.mark.parametrize(
    ("name", "domain", "reason"),
    [
        ("getStatsData_ssds_prefecture_A1101.json", "population", "人口"),
        ("getMetaInfo_ssds_prefecture_0000010101.json", "population", "人口"),
        ("getStatsList_single_table.json", "population", "人口"),
        ("getStatsData_ssds_municipality_B_limit10.json", "general", "neither title"),
        ("getStatsData_lfs_monthly_202401.json", "labor", "03"),
        ("getStatsData_wages2020_wire_style.json", "labor", "03"),
        ("derived_getStatsData_gdp_quarterly_0003109741.json", "economy", "07"),
        ("getMetaInfo_six_categories_0003457313.json", "education", "12"),
        ("getMetaInfo_no_tab_no_time_0003448099.json", "general", "05"),
    ],
)
def test_the_domain_of_a_real_table(name: str, domain: str, reason: str):
    found = real_metadata(name)
    table, axes = found.table, [axis.name for axis in found.axes]
    inferred, why = infer_domain(
        field_code=table.field_code,
        field_name=table.field_name,
        title=table.title,
        survey=table.stat_name,
        axis_names=axes,
    )
    assert inferred.name == domain
    assert reason in why


@pytest.mark.parametrize(
    ("field", "title", "survey", "axes", "domain"),
    [
        ("01", "国土面積", "", [], "general"),
        ("02", "労働力", "", [], "population"),  # the field decides, not the title
        ("15", "", "", [], "health"),
        ("99", "Ｆ　労働", "社会・人口統計体系", [], "labor"),
        ("99", "Ｅ　教育", "社会・人口統計体系", [], "education"),
        ("99", "Ｃ　経済基盤", "社会・人口統計体系", [], "economy"),
        ("99", "Ｉ　健康・医療", "社会・人口統計体系", [], "health"),
        ("99", "Ｊ　福祉・社会保障", "社会・人口統計体系", [], "health"),
        ("99", "Ｋ　安全", "社会・人口統計体系", ["地域", "Ｋ　安全"], "general"),
        ("99", "表1", "社会・人口統計体系", ["地域", "Ｇ　文化・スポーツ"], "education"),
        ("99", "表1", "就業構造基本調査", ["世帯"], "labor"),
        ("99", "世帯の所得", "", [], "population"),  # the first word of the title
        ("", "人口", "", [], "general"),
    ],
)
def test_the_domain_comes_from_the_field_and_under_99_from_the_words(
    field: str, title: str, survey: str, axes: list[str], domain: str
):
    inferred, why = infer_domain(field_code=field, field_name="分野", title=title, survey=survey, axis_names=axes)
    assert inferred.name == domain
    assert why


def test_the_reason_names_the_field_or_the_word():
    _, why = infer_domain(field_code="03", field_name="労働・賃金", title="", survey="")
    assert why == "統計分野 03 労働・賃金"
    _, why = infer_domain(field_code="99", field_name="その他", title="Ｆ　労働", survey="")
    assert "「Ｆ　労働」" in why


def test_own_columns_are_found_by_the_names_of_the_axes():
    axes = [("tab", "男女"), ("cat01", "年齢5歳階級"), ("cat02", "性別_基本"), ("cat03", "男女別"), ("area", "地域")]
    found = {own.name: own.find_axis(axes) for domain in DOMAINS.values() for own in domain.own}
    assert {name: axis for name, axis in found.items() if axis} == {"age_group": "cat01", "gender": "cat02"}


@pytest.mark.parametrize(
    ("column", "names", "axis"),
    [
        ("school_type", ["学校の設置者", "学校種"], "cat02"),
        ("occupation", ["職業訓練の有無", "職業"], "cat02"),
        ("industry_code", ["産業用財・消費財", "産業大分類"], "cat01"),
        ("gender", ["年齢", "性　別"], "cat02"),
        ("age_group", ["年　齢", "性別"], "cat01"),
        ("age_group", ["性別"], None),
    ],
)
def test_an_axis_of_just_that_name_comes_before_one_that_holds_it(column: str, names: list[str], axis: str | None):
    [own] = {own.name: own for domain in DOMAINS.values() for own in domain.own if own.name == column}.values()
    assert own.find_axis([(f"cat{number:02d}", name) for number, name in enumerate(names, start=1)]) == axis


def test_a_domain_is_known_by_its_name():
    assert [get_domain(name).table_name for name in DOMAINS] == [f"{name}_data" for name in DOMAINS]
    with pytest.raises(ValidationError, match="no domain 'tourism'"):
        get_domain("tourism")


@pytest.mark.parametrize(
    "words", ["", "1", "00000101010", "000001010a", "０００００１０１０１", "0000010101\n", " 0000010101"]
)
def test_an_id_that_is_not_ten_digits_is_refused(words: str):
    with pytest.raises(ValidationError, match="ten digits"):
        check_dataset_id(words)


def test_an_id_keeps_its_zeros():
    assert check_dataset_id("0000010101") == "0000010101"
