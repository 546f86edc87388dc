"""getStatsData by pages, over the table of 250,000 records."""

from __future__ import annotations

import time

from estat_dagster.sandbox.tables import large

TOTAL = 250_000


def test_the_large_table_comes_in_three_pages_that_join_without_gap_or_overlap(client, sandbox):
    start, records, pages = 1, [], []
    while start:
        data = client.data(large.TABLE_ID, startPosition=start, metaGetFlg="N")
        page, inf = data["DATA_INF"]["VALUE"], data["RESULT_INF"]
        assert inf["TOTAL_NUMBER"] == TOTAL
        assert inf["TO_NUMBER"] - inf["FROM_NUMBER"] + 1 == len(page)
        records += page
        pages.append((inf["FROM_NUMBER"], inf["TO_NUMBER"], inf.get("NEXT_KEY")))
        start = inf.get("NEXT_KEY")
    assert pages == [(1, 100_000, 100_001), (100_001, 200_000, 200_001), (200_001, TOTAL, None)]
    coordinates = {(each["@cat01"], each["@area"], each["@time"]) for each in records}
    assert len(coordinates) == TOTAL
    cells = sandbox.tables[large.TABLE_ID].cells
    assert [each["$"] for each in records] == [cell.value for cell in cells]
    assert sum(int(each["$"]) for each in records) == sum(int(cell.value) for cell in cells) > 0


def test_a_page_that_was_served_before_comes_in_well_under_a_second(client):
    durations = []
    for _ in range(3):
        before = time.perf_counter()
        client.get("getStatsData", statsDataId=large.TABLE_ID)
        durations.append(time.perf_counter() - before)
    assert min(durations) < 0.8


def test_limit_and_start_position_cut_a_page_out(client):
    everything = client.values("0000010101")
    data = client.data("0000010101", startPosition=8, limit=5)
    assert data["RESULT_INF"] == {"TOTAL_NUMBER": 672, "FROM_NUMBER": 8, "TO_NUMBER": 12, "NEXT_KEY": 13}
    assert data["DATA_INF"]["VALUE"] == everything[7:12]


def test_the_last_page_has_no_next_key(client):
    data = client.data("0000010101", startPosition=668, limit=5)
    assert data["RESULT_INF"] == {"TOTAL_NUMBER": 672, "FROM_NUMBER": 668, "TO_NUMBER": 672}


def test_a_page_of_one_record_is_a_single_object(client):
    value = client.data("0000010101", limit=1)["DATA_INF"]["VALUE"]
    assert value == {
        "@tab": "00001",
        "@cat01": "A1101",
        "@area": "00000",
        "@time": "1975100000",
        "@unit": "人",
        "$": "111939643",
    }


def test_a_start_beyond_the_end_is_no_data(client):
    answer = client.ask("getStatsData", statsDataId="0000010101", startPosition=673)
    assert answer["RESULT"]["STATUS"] == 1
    assert answer["STATISTICAL_DATA"]["RESULT_INF"] == {"TOTAL_NUMBER": 672}
    assert "DATA_INF" not in answer["STATISTICAL_DATA"]


def test_counting_gives_the_number_and_no_records(client):
    data = client.data(large.TABLE_ID, cntGetFlg="Y", cdCat01="01", metaGetFlg="N")
    assert data["RESULT_INF"] == {"TOTAL_NUMBER": 25_000}
    assert set(data) == {"RESULT_INF", "TABLE_INF"}


def test_counting_keeps_the_axes_unless_they_are_not_asked_for(client):
    assert "CLASS_INF" in client.data("0000010101", cntGetFlg="Y")


def test_the_list_of_tables_comes_by_pages_too(client):
    number = len(client.ids())
    ids, start = [], 1
    while start:
        listed = client.ask("getStatsList", startPosition=start, limit=5)["DATALIST_INF"]
        assert listed["NUMBER"] == number
        ids += [table["@id"] for table in listed["TABLE_INF"]]
        start = listed["RESULT_INF"].get("NEXT_KEY")
    assert ids == client.ids()
