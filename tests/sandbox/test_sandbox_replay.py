"""Real answers, taken apart into tables and served again, come out as they were."""

from __future__ import annotations

import pytest

from estat_dagster.sandbox.server import Sandbox
from tests.replay import WHOLE_TABLES, as_list, real_document, table_from_document
from tests.sandbox.client import Client


@pytest.mark.parametrize("name", WHOLE_TABLES)
def test_a_real_answer_comes_out_again(name):
    document = real_document(name)
    real = document["GET_STATS_DATA"]["STATISTICAL_DATA"]
    table = table_from_document(document)
    with Sandbox([table]) as own:
        ours = Client(own.base_url).data(table.id)
    values = as_list(real["DATA_INF"]["VALUE"])
    assert ours["DATA_INF"] == real["DATA_INF"]
    assert ours["TABLE_INF"] == real["TABLE_INF"]
    assert ours["CLASS_INF"] == real["CLASS_INF"]
    assert ours["RESULT_INF"] == {"TOTAL_NUMBER": len(values), "FROM_NUMBER": 1, "TO_NUMBER": len(values)}


def test_narrowing_shows_the_axes_as_the_real_answer_to_the_same_request_does():
    """The sample was asked for with cdCat01=A1101: that axis has one code, the others all of theirs."""
    document = real_document("getStatsData_ssds_prefecture_A1101.json")
    real = document["GET_STATS_DATA"]
    table = table_from_document(document)
    with Sandbox([table]) as own:
        ours = Client(own.base_url).ask("getStatsData", statsDataId=table.id, cdCat01="A1101")
    assert ours["PARAMETER"] == real["PARAMETER"]
    assert ours["STATISTICAL_DATA"]["CLASS_INF"] == real["STATISTICAL_DATA"]["CLASS_INF"]


@pytest.mark.parametrize(
    ("table_id", "name"),
    [
        ("0000010101", "getStatsData_ssds_prefecture_A1101.json"),
        ("0003005798", "getStatsData_lfs_monthly_202401.json"),
        ("0003425893", "getStatsData_wages2020_wire_style.json"),
        ("0003109741", "derived_getStatsData_gdp_quarterly_0003109741.json"),
    ],
)
def test_the_figures_that_are_carried_are_the_published_ones(client, table_id, name):
    real = real_document(name)["GET_STATS_DATA"]["STATISTICAL_DATA"]
    ours = client.data(table_id)
    published = {tuple(sorted(value.items())) for value in as_list(real["DATA_INF"]["VALUE"])}
    carried = [tuple(sorted(value.items())) for value in as_list(ours["DATA_INF"]["VALUE"])]
    assert set(carried) <= published
    assert len(set(carried)) == len(carried)
    differing = {"OVERALL_TOTAL_NUMBER", "DESCRIPTION"}
    assert {key: part for key, part in ours["TABLE_INF"].items() if key not in differing} == {
        key: part for key, part in real["TABLE_INF"].items() if key not in differing
    }
    for axis, real_axis in zip(ours["CLASS_INF"]["CLASS_OBJ"], real["CLASS_INF"]["CLASS_OBJ"], strict=True):
        assert (axis["@id"], axis["@name"]) == (real_axis["@id"], real_axis["@name"])
        published_items = as_list(real_axis["CLASS"])
        assert all(item in published_items for item in as_list(axis["CLASS"]))
    symbols = {note["@char"] for note in as_list(real["DATA_INF"]["NOTE"])}
    assert {note["@char"] for note in as_list(ours["DATA_INF"]["NOTE"])} == symbols
