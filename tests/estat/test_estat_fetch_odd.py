"""Answers that are legal and that the sandbox does not give: nothing beyond the end, a part without data or table."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Mapping
from typing import Any, cast

import pytest

from estat_dagster.errors import ApiError, DataError
from estat_dagster.estat.client import EstatClient
from estat_dagster.estat.fetch import FetchPlan, fetch_dataset
from estat_dagster.estat.manifest import merge_class_inf
from estat_dagster.estat.models import text
from estat_dagster.estat.pages import StatsPage, parse_stats_page
from estat_dagster.estat.transport import Answer
from tests.estat.answers import TABLE_ID
from tests.estat.small_table import MemorySink

CODES = [f"{number:05d}" for number in range(150)]
NO_TABLE, NO_TOTAL, REFUSED = "without TABLE_INF", "TOTAL_NUMBER 0", "STATUS 102"


class Scripted:
    """Answers with the first so many areas; `empty` is how it answers where there are no records.

    The first page's answer waits until one beyond the end was given, so that a guess is asked for before it is known
    to be wrong.
    """

    source = "script"

    def __init__(self, held: int, empty: str, *, waits: bool = False) -> None:
        self._held, self._empty = CODES[:held], empty
        self._beyond = threading.Event()
        if not waits:
            self._beyond.set()

    def get_page(self, parameters: Mapping[str, Any]) -> tuple[Answer, StatsPage]:
        wanted = str(parameters.get("cdArea", "")).split(",")
        areas = [code for code in self._held if code in wanted or wanted == [""]]
        start, limit = int(parameters.get("startPosition", 1)), int(parameters.get("limit", 100_000))
        records = [{"@area": code, "$": "1"} for code in areas[start - 1 : start - 1 + limit]]
        if records:
            self._beyond.wait(10)
            body = _body(records, len(areas), start)
        else:
            body = _body([], 0, 1, status=1, table=self._empty != NO_TABLE)
            self._beyond.set()
            if self._empty == REFUSED:
                raise ApiError("e-Stat refused the request (STATUS 102)", status=102)
        return Answer(gzip.compress(body), body), parse_stats_page(body)


def _body(
    records: list[dict[str, str]], total: int, start: int, *, status: int = 0, table: bool = True, axes: bool = True
) -> bytes:
    classes = [{"@code": code, "@name": f"地域{code}"} for code in CODES]
    data: dict[str, Any] = {
        "RESULT_INF": {"TOTAL_NUMBER": total, "FROM_NUMBER": start, "TO_NUMBER": start + len(records) - 1},
        "TABLE_INF": {"@id": TABLE_ID, "TITLE": "表", "UPDATED_DATE": "2020-01-01"},
        "CLASS_INF": {"CLASS_OBJ": [{"@id": "area", "@name": "地域", "CLASS": classes}]} if axes else "",
        "DATA_INF": {"VALUE": records} if records else "",
    }
    answer = {"RESULT": {"STATUS": status, "ERROR_MSG": "", "DATE": "2026-01-01"}}
    return json.dumps({"GET_STATS_DATA": {**answer, "STATISTICAL_DATA": data if table else {}}}).encode()


def fetch(client: Any, plan: FetchPlan | None = None, scope: dict[str, str] | None = None) -> tuple[int, MemorySink]:
    sink = MemorySink()
    manifest = fetch_dataset(cast(EstatClient, client), TABLE_ID, scope or {}, sink, plan)
    assert sum(page.to_number - page.from_number + 1 for page in manifest.pages) == manifest.total_number
    return manifest.total_number, sink


@pytest.mark.parametrize("empty", [NO_TABLE, NO_TOTAL, REFUSED])
def test_a_table_that_became_smaller_than_the_guess_is_loaded(empty: str) -> None:
    client = Scripted(100, empty, waits=True)
    assert fetch(client, FetchPlan(chunk_size=60, expected=130))[0] == 100


@pytest.mark.parametrize("empty", [NO_TABLE, NO_TOTAL])
def test_a_part_of_a_filter_without_data_is_no_error(empty: str) -> None:
    assert fetch(Scripted(100, empty), scope={"area": ",".join(CODES)})[0] == 100


def test_records_without_class_inf_are_refused() -> None:
    class Bare(Scripted):
        def get_page(self, parameters: Mapping[str, Any]) -> tuple[Answer, StatsPage]:
            body = _body([{"@area": "00000", "$": "1"}], 1, 1, axes=False)
            return Answer(gzip.compress(body), body), parse_stats_page(body)

    with pytest.raises(DataError, match="without CLASS_INF"):
        fetch(Bare(1, NO_TABLE))


@pytest.mark.parametrize("class_inf", [b"", b"{}", b'{"CLASS_OBJ":""}', b'{"CLASS_OBJ":null}', b'{"CLASS_OBJ":[]}'])
def test_a_part_without_classes_adds_none(class_inf: bytes) -> None:
    known = b'{"CLASS_OBJ":{"@id":"tab","@name":"x","CLASS":{"@code":"1","@name":"y"}}}'
    assert merge_class_inf([known, class_inf]) == merge_class_inf([known])


def test_the_text_of_a_list_is_its_only_element() -> None:
    assert (text(["人口"]), text([]), text([{"$": "人口"}])) == ("人口", "", "人口")
    with pytest.raises(DataError, match="one text belongs"):
        text(["人口", "世帯"])


@pytest.mark.parametrize("written", ["1E5", "1.10", "1e400", "12"])
def test_names_that_are_not_quoted_stay_as_they_are_written(written: str) -> None:
    body = _body([{"@area": "00000", "$": "1"}], 1, 1).replace(json.dumps("地域00000").encode(), written.encode())
    [axis] = parse_stats_page(body).axes
    assert axis.classes[0].name == written
