"""One answer from its bytes: e-Stat's or not, which STATUS, and VALUE cut out untouched."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.errors import ApiError, DataError, DataLakeError
from estat_dagster.estat.models import parse_axes
from estat_dagster.estat.pages import ForeignAnswerError, parse_document, parse_stats_page
from estat_dagster.records.decode import decode_values
from tests.estat.answers import ERRORS, WEB_PAGE, body, refusal, stats_data
from tests.replay import WHOLE_TABLES, as_list, real_document


def page_of(data: dict[str, Any]):
    return parse_stats_page(body(data))


@pytest.mark.parametrize("name", WHOLE_TABLES)
def test_a_real_answer_is_read_whole_and_its_values_are_untouched(name: str):
    document = real_document(name)
    data = document["GET_STATS_DATA"]["STATISTICAL_DATA"]
    page = page_of(document)
    assert page.values == body(data["DATA_INF"]["VALUE"])
    assert json.loads(page.class_inf) == data["CLASS_INF"]
    assert page.count_values() == len(data["DATA_INF"]["VALUE"])
    assert (page.from_number, page.to_number) == (1, page.count_values())
    assert page.next_key == data["RESULT_INF"].get("NEXT_KEY")
    assert page.date == document["GET_STATS_DATA"]["RESULT"]["DATE"]
    assert page.table.id == data["TABLE_INF"]["@id"]
    assert page.notes == {note["@char"]: note["$"] for note in as_list(data["DATA_INF"]["NOTE"])}
    assert [len(axis.classes) for axis in page.axes] == [
        len(as_list(x["CLASS"])) for x in data["CLASS_INF"]["CLASS_OBJ"]
    ]


@given(st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=4), max_size=5), st.booleans())
def test_values_come_out_byte_for_byte_whatever_they_hold(records: list[dict[str, str]], pretty: bool):
    written = json.dumps(records, indent=1 if pretty else None, ensure_ascii=pretty).encode()
    marked = body(stats_data("VALUES", total=len(records)))
    page = parse_stats_page(marked.replace(b'"VALUES"', written))
    assert page.values == written
    assert page.count_values() == len(records)


def test_a_single_object_is_as_good_as_a_list_everywhere():
    record = {"@tab": "1", "$": "5"}
    one = {"@code": "1", "@name": "人口", "@level": ""}
    note, mark = {"@char": "-", "$": "なし"}, {"@annotation": "a", "$": "注"}

    def page(wrap):
        axis = {"@id": "tab", "@name": "項目", "CLASS": wrap(one)}
        inf = {"NOTE": wrap(note), "ANNOTATION": wrap(mark), "VALUE": wrap(record)}
        return page_of(stats_data(wrap(record), CLASS_INF={"CLASS_OBJ": wrap(axis)}, DATA_INF=inf))

    single, listed = page(lambda part: part), page(lambda part: [part])
    assert single.axes == listed.axes
    assert len(single.axes[0].classes) == 1
    assert (single.notes, single.annotations) == (listed.notes, listed.annotations) == ({"-": "なし"}, {"a": "注"})
    assert single.count_values() == listed.count_values() == 1


@pytest.mark.parametrize("empty", ["", None])
@pytest.mark.parametrize("part", ["DATA_INF", "CLASS_INF", "RESULT_INF", "TABLE_INF"])
def test_an_empty_part_is_as_good_as_an_absent_one(part: str, empty: Any):
    page = page_of(stats_data([{"$": "1"}], **{part: empty}))
    assert page.status == 0
    assert (page.count_values(), len(page.axes), page.total_number, bool(page.table.id)) == (
        (int(part != "DATA_INF"), int(part != "CLASS_INF"), int(part != "RESULT_INF"), part != "TABLE_INF")
    )


@pytest.mark.parametrize("data", [{}, "", None])
def test_no_data_is_not_an_error(data: Any):
    answer = {"RESULT": {"STATUS": 1, "ERROR_MSG": "該当データはありませんでした。"}, "STATISTICAL_DATA": data}
    page = page_of({"GET_STATS_DATA": answer})
    assert (page.status, page.total_number, page.count_values(), page.axes, page.values) == (1, 0, 0, (), b"")


def test_a_page_without_metadata_has_no_axes():
    data = stats_data([{"$": "1"}])
    del data["GET_STATS_DATA"]["STATISTICAL_DATA"]["CLASS_INF"]
    assert page_of(data).axes == ()


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_value_holds_no_records(value: Any):
    page = page_of(stats_data([], DATA_INF={"VALUE": value}))
    assert (page.count_values(), page.values) == (0, b"")
    assert not len(decode_values(page.values, ["time"]))


@pytest.mark.parametrize("value", [5, "1", True])
def test_a_value_that_is_no_record_is_never_counted(value: Any):
    with pytest.raises(DataError):
        page_of(stats_data(value, DATA_INF={"VALUE": value})).count_values()


@pytest.mark.parametrize(
    "parts",
    [{"RESULT_INF": 5}, {"RESULT_INF": []}, {"TABLE_INF": [1]}, {"DATA_INF": []}, {"DATA_INF": {"NOTE": "x"}}],
)
def test_a_part_of_the_wrong_shape_is_a_data_error(parts: dict[str, Any]):
    with pytest.raises(DataError, match="lacks what every answer has"):
        page_of(stats_data([{"$": "1"}], **parts))


def test_statuses_0_to_2_are_answers_written_as_numbers_or_texts():
    for status in (0, 1, 2, "0", "1", "2"):
        assert parse_stats_page(refusal(status)).status == int(status)


STATUSES = [
    (100, False, "ESTAT_APP_ID"),
    (101, False, "parameters"),
    (102, False, "parameters"),
    (3, False, "parameters"),
    (200, True, "again"),
    (299, True, "again"),
    (300, False, "estat search"),
    (401, False, "parameters"),
]


@pytest.mark.parametrize(("status", "retry", "hint"), STATUSES)
def test_a_status_of_3_or_more_is_an_error_with_its_own_words(status: int, retry: bool, hint: str):
    for raise_it in (
        lambda: parse_stats_page(refusal(status, "理由")),
        lambda: parse_document(refusal(str(status), "理由", "GET_META_INFO"), "GET_META_INFO"),
    ):
        with pytest.raises(ApiError) as caught:
            raise_it()
        assert (caught.value.status, caught.value.can_retry) == (status, retry)
        assert f"STATUS {status}): 理由" in str(caught.value)
        assert hint in caught.value.hint


def test_a_result_without_its_root_is_read_too():
    refused = body({"RESULT": {"STATUS": 100, "ERROR_MSG": "認証に失敗しました。"}})
    for read in (parse_stats_page, lambda answer: parse_document(answer, "GET_META_INFO")):
        with pytest.raises(ApiError) as caught:
            read(refused)
        assert (caught.value.status, caught.value.can_retry) == (100, False)


def test_a_result_without_a_status_is_an_error():
    with pytest.raises(ApiError):
        page_of({"GET_STATS_DATA": {"RESULT": {}}})


OFFICIAL = [
    ("getStatsData_badrequest.json", "GET_STATS_DATA", 101),
    ("getStatsData_forbidden.json", "GET_STATS_DATA", 100),
    ("getStatsData_servererror.json", "GET_STATS_DATA", 299),
    ("getStatsData_http400.xml", "GET_STATS_DATA", 101),
    ("getStatsData_http403.xml", "GET_STATS_DATA", 100),
    ("getStatsData_http500.xml", "GET_STATS_DATA", 299),
    ("getMetaInfo_badrequest.json", "GET_META_INFO", 101),
    ("getMetaInfo_forbidden.json", "GET_META_INFO", 100),
    ("getMetaInfo_servererror.json", "GET_META_INFO", 299),
    ("getStatsList_badrequest.json", "GET_STATS_LIST", 102),
    ("getStatsList_forbidden.json", "GET_STATS_LIST", 100),
    ("getStatsList_servererror.json", "GET_STATS_LIST", 299),
]


@pytest.mark.parametrize(("name", "root", "status"), OFFICIAL)
def test_the_official_error_bodies_are_understood_in_json_and_xml(name: str, root: str, status: int):
    if not ERRORS.exists():
        pytest.skip(f"the folder {ERRORS} is not here")
    answer = (ERRORS / name).read_bytes()
    with pytest.raises(ApiError) as caught:
        parse_stats_page(answer) if root == "GET_STATS_DATA" else parse_document(answer, root)
    assert caught.value.status == status
    assert caught.value.can_retry is (status == 299)
    assert not isinstance(caught.value, ForeignAnswerError)


FOREIGN = [
    b"",
    b" \n",
    b"null",
    b"[]",
    b"5",
    b'"text"',
    b"{}",
    WEB_PAGE,
    b"\xff\xfe",
    b'{"message":"Too Many Requests"}',
]


@pytest.mark.parametrize("answer", FOREIGN)
def test_a_body_that_e_stat_did_not_write_can_be_asked_for_again(answer: bytes):
    for read in (parse_stats_page, lambda answer: parse_document(answer, "GET_META_INFO")):
        with pytest.raises(ForeignAnswerError) as caught:
            read(answer)
        assert caught.value.can_retry


def test_an_answer_cut_short_anywhere_is_foreign():
    whole = body(stats_data([{"@time": "2020", "$": "<html>"}]))
    for length in range(len(whole)):
        with pytest.raises(ForeignAnswerError):
            parse_stats_page(whole[:length])


def test_bytes_that_are_no_utf_8_are_foreign():
    with pytest.raises(ForeignAnswerError):
        parse_stats_page(body(stats_data([{"$": "@@"}])).replace(b"@@", b"\xff"))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PARTS = ("RESULT_INF", "TABLE_INF", "CLASS_INF", "DATA_INF")


@given(st.sampled_from(PARTS), json_values)
def test_any_shape_of_a_part_is_read_or_an_error_of_ours(part: str, shape: Any):
    try:
        page = page_of(stats_data([{"$": "1"}], **{part: shape}))
        page.count_values()
    except DataLakeError:
        pass


def test_an_absent_class_inf_has_no_axes():
    assert parse_axes(None) == ()
