"""Finding tables: which come first, why, page by page, and what is asked of e-Stat and what is not."""

from __future__ import annotations

from datetime import date

import pytest

from estat_dagster.errors import ApiError, ValidationError
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.credit import SANDBOX_CREDIT, SERVICE_CREDIT
from estat_dagster.estat.criteria import Criteria
from estat_dagster.estat.search import Found, search_tables
from estat_dagster.sandbox.faults import Fault, FaultPlan, Kind
from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import SANDBOX
from tests.estat.shelf import WAGES, shelf_table
from tests.estat.small_table import client_of


def search(tables: list[Table], words: str = "", **options: object) -> Found:
    paging = {name: options.pop(name) for name in ("offset", "most", "today") if name in options}
    with Sandbox(tables) as sandbox:
        return search_tables(client_of(sandbox.base_url), Criteria(words, **options), **paging)  # type: ignore[arg-type]


def ids(found: Found) -> list[str]:
    return [hit.id for hit in found.hits]


def points(found: Found) -> dict[str, dict[str, int]]:
    return {hit.id: {reason.what: reason.points for reason in hit.reasons} for hit in found.hits}


def test_the_title_counts_more_than_the_statistics_and_these_more_than_the_items():
    found = search(
        [
            shelf_table("0000000001", "世帯数", item="通勤", field="0701"),
            shelf_table("0000000002", "世帯数", statistics="通勤に関する集計", field="0701"),
            shelf_table("0000000003", "通勤する人", field="0701"),
        ],
        "通勤",
    )
    assert ids(found) == ["0000000003", "0000000002", "0000000001"]
    assert points(found)["0000000003"]["title"] == 40
    assert points(found)["0000000002"]["statistics"] == 20
    assert points(found)["0000000001"]["items"] == 0
    assert all(hit.score == sum(reason.points for reason in hit.reasons) for hit in found.hits)
    assert "title +40: holds 通勤" in found.hits[0].why


def test_a_title_with_all_of_the_words_comes_before_one_with_half_of_them():
    found = search(
        [shelf_table("0000000001", "人口", item="世帯"), shelf_table("0000000002", "人口と世帯")], "人口 世帯"
    )
    assert ids(found) == ["0000000002", "0000000001"]
    assert [points(found)[table]["title"] for table in ids(found)] == [40, 20]
    assert found.words == "人口 AND 世帯"


def test_the_best_alternative_counts_and_what_is_not_wanted_does_not():
    tables = [shelf_table("0000000001", "人口と世帯"), shelf_table("0000000002", "賃金", survey=WAGES, field="0302")]
    found = search(tables, "人口 AND 世帯 OR 賃金")
    assert {points(found)[table]["title"] for table in ids(found)} == {40}
    [hit] = search(tables, "賃金 NOT 人口").hits
    assert hit.id == "0000000002"
    assert {reason.what: reason.points for reason in hit.reasons}["title"] == 40


def test_words_are_found_in_titles_of_another_width_and_case():
    [hit] = search([shelf_table("0000000001", "ＧＤＰ速報値", field="0705")], "gdp").hits
    assert "title +40: holds gdp" in hit.why


def test_the_newest_come_first_where_all_else_is_equal_and_then_the_lower_id():
    dates = {"0000000001": "2024-05-01", "0000000002": "2024-06-01", "0000000003": "2024-05-01"}
    found = search([shelf_table(table, updated=updated) for table, updated in dates.items()], "人口")
    assert ids(found) == ["0000000002", "0000000001", "0000000003"]
    assert len({hit.score for hit in found.hits}) == 1


def test_fresh_complete_and_final_tables_are_better():
    found = search(
        [
            shelf_table("0000000001", updated="2001-05-01"),
            shelf_table("0000000002", "人口 速報"),
            shelf_table("0000000003", cycle="-", area="該当なし", records=0),
            shelf_table("0000000004", survey_date="202010"),
        ],
        "人口",
    )
    got = points(found)
    assert ids(found)[0] == "0000000004"
    assert got["0000000001"]["freshness"] == 0 < got["0000000004"]["freshness"]
    assert got["0000000002"]["preliminary"] == -10
    assert (got["0000000003"]["completeness"], got["0000000004"]["completeness"]) == (3, 15)


def test_a_hit_tells_everything_that_a_choice_needs():
    table = shelf_table("0000000001", "賃金", survey=WAGES, field="0302", survey_date="201901-202012", records=77)
    [hit] = search([table], "賃金").hits
    assert (hit.title, hit.survey, hit.survey_code, hit.organisation) == (
        "賃金", "賃金構造基本統計調査", "00450091", "厚生労働省",
    )  # fmt: skip
    assert (hit.cycle, hit.years, hit.area_level, hit.records) == ("年次", "2019-2020", "都道府県", 77)
    assert (hit.updated, hit.opened, hit.field) == ("2024-05-01", "2020-01-01", "03 労働・賃金")


def test_a_count_that_e_stat_has_not_made_yet_is_none_and_never_0():
    [hit] = search([shelf_table("0000000001", records=0)], "人口").hits
    assert hit.records is None
    assert hit.years is None


def test_pages_join_to_the_whole_without_gap_or_repetition():
    tables = [shelf_table(f"{number:010}", updated=f"2024-01-{number:02}") for number in range(1, 8)]
    whole = ids(search(tables, "人口", most=100))
    assert len(whole) == 7
    offset, joined = 0, []
    while offset is not None:
        page = search(tables, "人口", offset=offset, most=3)
        assert (page.total, page.offset) == (7, offset)
        joined += ids(page)
        offset = page.next_offset
    assert joined == whole
    assert search(tables, "人口", offset=4, most=3).next_offset is None
    beyond = search(tables, "人口", offset=50, most=3)
    assert (beyond.hits, beyond.total, beyond.next_offset) == ((), 7, None)


def test_nothing_found_is_said_and_terms_are_offered_but_not_applied():
    found = search([shelf_table("0000000001")], "収入 AND 格差")
    assert (found.total, found.hits, found.words) == (0, (), "収入 AND 格差")
    assert [suggestion.word for suggestion in found.suggestions] == ["収入", "格差"]
    assert "所得" in found.suggestions[0].terms
    assert search([shelf_table("0000000001", "収入")], "収入").suggestions == ()


def test_what_e_stat_can_filter_is_asked_of_it():
    with Sandbox([shelf_table("0000000001")]) as sandbox:
        criteria = Criteria("ＧＤＰ　成長", "07", "00100409", "prefecture", None, "2015..2020", "2024-02..")
        search_tables(client_of(sandbox.base_url), criteria, today=date(2024, 6, 3))
        params = dict(sandbox.requests[0].params)
    assert params == {
        "searchWord": "GDP AND 成長",
        "statsField": "07",
        "statsCode": "00100409",
        "collectArea": "2",
        "surveyYears": "201501-202012",
        "updatedDate": "20240201-20240603",
        "explanationGetFlg": "N",
        "limit": "100000",
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"field": "02"}, {"1", "2", "3"}),
        ({"field": "0302"}, {"4"}),
        ({"survey": "00450091"}, {"4"}),
        ({"survey": "00200"}, {"1", "2", "3"}),
        ({"area": "municipality"}, {"2"}),
        ({"area": "全国"}, {"3"}),
        ({"years": "2020"}, {"3"}),
        ({"years": "2019-01..2020-09"}, set()),
        ({"updated": "2023"}, {"4"}),
        ({"updated": "2023-12-30..2024-05-01"}, {"1", "2", "3", "4"}),
        ({"field": "02", "cycle": "monthly"}, {"1"}),
        ({"field": "02", "cycle": "年次"}, {"2"}),
        ({"field": "02", "cycle": "fiscal"}, {"3"}),
        ({"small_areas": True, "field": "02"}, {"5"}),
    ],
)
def test_every_filter_keeps_its_tables(options: dict[str, object], expected: set[str]):
    tables = [
        shelf_table("0000000001", cycle="月次"),
        shelf_table("0000000002", area="市区町村"),
        shelf_table("0000000003", area="全国", survey_date="202010", cycle="年度次"),
        shelf_table("0000000004", survey=WAGES, field="0302", updated="2023-12-31"),
        shelf_table("0000000005", small_area=2),
    ]
    assert {table[-1] for table in ids(search(tables, **options))} == expected


def test_how_many_were_left_out_here_is_told():
    tables = [shelf_table("0000000001", cycle="月次"), shelf_table("0000000002")]
    found = search(tables, "人口", cycle="monthly")
    assert (found.total, found.listed) == (1, 2)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({}, "Nothing is asked"),
        ({"cycle": "年次"}, "Nothing is asked"),
        ({"words": "人口 AND"}, "AND"),
        ({"field": "labor"}, "03 労働・賃金"),
        ({"field": "123"}, "no field"),
        ({"survey": "2005"}, "eight digits"),
        ({"area": "village"}, "municipality"),
        ({"years": "2020-10-01"}, "months"),
        ({"years": "20"}, "2015..2020"),
        ({"years": "2020..2015"}, "2015..2020"),
        ({"updated": "2024-02-30"}, "update window"),
        ({"updated": "..2024"}, "update window"),
        ({"updated": "2024..2023"}, "update window"),
        ({"words": "人口", "most": 0}, "1 or more"),
        ({"words": "人口", "offset": -1}, "Begin at 0"),
    ],
)
def test_what_cannot_be_asked_is_told_before_e_stat_is_asked(options: dict[str, object], says: str):
    with pytest.raises(ValidationError, match=says):
        search([], **options)


def test_a_failing_e_stat_is_an_error_and_not_nothing_found():
    plan = FaultPlan([Fault(Kind.HTTP_503)])
    with Sandbox([shelf_table("0000000001")], faults=plan) as sandbox, pytest.raises(ApiError, match="HTTP 503"):
        search_tables(client_of(sandbox.base_url), Criteria("人口"))


def test_an_answer_carries_the_credit_that_the_terms_require_and_says_whose_data_it_is():
    found = search([shelf_table("0000000001")], "人口")
    assert SERVICE_CREDIT in found.credit
    assert SANDBOX_CREDIT not in found.credit
    assert found.source.startswith("http://127.0.0.1")
    with Sandbox([shelf_table("0000000001")]) as sandbox:
        found = search_tables(EstatClient("id", sandbox.base_url, source=SANDBOX), Criteria("人口"))
    assert found.credit == SANDBOX_CREDIT + SERVICE_CREDIT
