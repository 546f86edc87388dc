"""The looks of an answer: escapes, single objects, numbers, flags that leave parts out."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.model import Axis, Cell, Item, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.sandbox.tables.facts import Title, generated, made_up
from tests.replay import SAMPLES, real_document, table_from_document
from tests.sandbox.client import Client

SINGLE, SYMBOLS, FOOTNOTES = "9900000013", "9900000001", "9900000007"


def test_an_answer_is_written_like_a_real_one_byte_for_byte():
    """The wages sample is in e-Stat's own wire style. The same request gives the same bytes but for the date."""
    name = "getStatsData_wages2020_wire_style.json"
    table = table_from_document(real_document(name))
    real = (SAMPLES / name).read_text("utf-8").rstrip("\n")
    asked = {f"cdCat{number:02d}": code for number, code in ((1, "01"), (2, "01"), (3, "02"), (5, "01"), (6, "02"))}
    asked |= {"cdTab": "33,40", "cdCat04": ",".join(f"{code:02d}" for code in range(2, 14))}
    asked |= {"explanationGetFlg": "Y", "annotationGetFlg": "Y", "replaceSpChars": "0", "cntGetFlg": "N"}
    with Sandbox([table]) as own:
        ours = Client(own.base_url).get("getStatsData", statsDataId=table.id, sectionHeaderFlg="1", **asked).text
    date = r'"DATE":"[^"]+"'
    assert re.sub(date, "", ours) == re.sub(date, "", real)


@given(st.text())
def test_strings_are_plain_ascii_and_mean_the_same(text):
    quoted = wire.quote(text)
    assert json.loads(quoted) == text
    assert quoted.isascii()
    assert not set("<>&='") & set(quoted)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("東京", r'"\u6771\u4EAC"'),
        ("<a&b='c'>", r'"\u003Ca\u0026b\u003D\u0027c\u0027\u003E"'),
        ('"\\\n', r'"\"\\\n"'),
        ("𠮷", r'"\uD842\uDFB7"'),
        ("～/.-", r'"\uFF5E/.-"'),
    ],
)
def test_escapes_are_in_capital_hex(text, written):
    assert wire.quote(text) == written


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("2015", 2015), ("2024000101", 2024000101), ("-5", -5), ("00200521", "00200521"), ("02", "02")]
    + [(text, text) for text in ("202001-202012", "1-1-1", "33,40", "1.5", "1e5", "-", "", "１")],
)
def test_text_that_looks_like_a_whole_number_is_one(text, value):
    assert wire.text(text) == value
    assert type(wire.text(text)) is type(value)


def test_an_answer_has_no_blanks_between_its_parts(client):
    text = client.get("getStatsData", statsDataId=SINGLE).text
    assert text == wire.encode(json.loads(text))
    assert '": ' not in text


def test_everything_of_a_single_cell_is_a_single_object(client):
    data = client.data(SINGLE)
    assert all(isinstance(part["CLASS"], dict) for part in data["CLASS_INF"]["CLASS_OBJ"])
    assert data["DATA_INF"] == {
        "NOTE": {"@char": "-", "$": "該当数値なし"},
        "ANNOTATION": {"@annotation": "J1", "$": "暫定値である。"},
        "VALUE": {
            "@tab": "1",
            "@cat01": "1",
            "@area": "00000",
            "@time": "2020000000",
            "@unit": "か所",
            "@annotation": "J1",
            "$": "42",
        },
    }


def test_a_single_axis_is_a_single_object():
    inf = generated("9900009999", Title("軸がひとつ"), survey=made_up("999", "試し"), field="9999")
    axis = Axis("cat01", "分類", (Item("1", "総数"),), "軸の解説", (("1", "総数の解説"),))
    table = Table(inf, (axis,), lambda: [Cell(("1",), "5")])
    with Sandbox([table]) as own:
        data = Client(own.base_url).data(table.id)
        short = Client(own.base_url).data(table.id, explanationGetFlg="N")
    assert data["CLASS_INF"]["CLASS_OBJ"] == {
        "@id": "cat01",
        "@name": "分類",
        "@description": "軸の解説",
        "CLASS": {"@code": "1", "@name": "総数", "@level": "1"},
        "EXPLANATION": {"@id": "1", "$": "総数の解説"},
    }
    assert data["DATA_INF"] == {"VALUE": {"@cat01": "1", "$": "5"}}
    assert set(short["CLASS_INF"]["CLASS_OBJ"]) == {"@id", "@name", "CLASS"}
    assert "DESCRIPTION" in data["TABLE_INF"]
    assert "DESCRIPTION" not in short["TABLE_INF"]


def test_values_and_codes_stay_text_and_counts_are_numbers(client):
    answer = client.ask("getStatsData", statsDataId="0003005798", cdTime="2024000101")
    data = answer["STATISTICAL_DATA"]
    assert answer["RESULT"]["STATUS"] == 0
    assert answer["PARAMETER"]["NARROWING_COND"] == {"CODE_TIME_SELECT": 2024000101}
    assert (data["TABLE_INF"]["SURVEY_DATE"], data["TABLE_INF"]["SMALL_AREA"]) == (0, 0)
    assert data["DATA_INF"]["VALUE"][0]["$"] == "10993"
    assert data["TABLE_INF"]["STAT_NAME"]["@code"] == "00200531"
    assert client.data("9900000008")["TABLE_INF"]["SURVEY_DATE"] == "202001-202012"
    assert client.data(FOOTNOTES, limit=1)["TABLE_INF"]["SURVEY_DATE"] == 202010


def test_a_title_is_text_or_has_a_number(client):
    assert isinstance(client.data("0003109741")["TABLE_INF"]["TITLE"], str)
    assert client.data("0003425893")["TABLE_INF"]["TITLE"]["@no"] == "1"


def test_the_axes_are_left_out_on_request(client):
    assert "CLASS_INF" not in client.data("0003005798", metaGetFlg="N")


def test_getmetainfo_shows_all_axes(client):
    meta = client.ask("getMetaInfo", statsDataId="0000010101")["METADATA_INF"]
    data = client.data("0000010101")
    assert meta == {"TABLE_INF": data["TABLE_INF"], "CLASS_INF": data["CLASS_INF"]}


@pytest.mark.parametrize(("how", "shown"), [("0", "***"), ("1", "0"), ("2", ""), ("3", "NA")])
def test_symbols_are_replaced_on_request(client, how, shown):
    data = client.data(SYMBOLS, replaceSpChars=how, cdArea="01000", cdTimeFrom="2020100000", cdCat01="F1101")
    number, symbol = (value["$"] for value in data["DATA_INF"]["VALUE"])
    assert number.isdecimal()
    assert int(number) > 0
    assert symbol == shown


def test_footnotes_are_those_of_the_records_of_the_page_and_left_out_on_request(client):
    before = client.data(FOOTNOTES, cdTime="2017000000", cdArea="07000")["DATA_INF"]
    assert before["ANNOTATION"] == {"@annotation": "J2", "$": "一部の地域を除く。"}
    assert {value["@annotation"] for value in before["VALUE"]} == {"J2"}
    both = client.data(FOOTNOTES, cdArea="07000")["DATA_INF"]
    assert [note["@annotation"] for note in both["ANNOTATION"]] == ["J1", "J2"]
    without = client.data(FOOTNOTES, cdArea="07000", annotationGetFlg="N")["DATA_INF"]
    assert "ANNOTATION" not in without
    assert not any("@annotation" in value for value in without["VALUE"])
    nothing = client.data(FOOTNOTES, cdTime="2017000000", cdArea="01000")["DATA_INF"]
    assert "ANNOTATION" not in nothing


def test_flags_are_repeated_where_they_were_given(client):
    flags = {
        "explanationGetFlg": "Y",
        "annotationGetFlg": "N",
        "replaceSpChars": "0",
        "cntGetFlg": "N",
        "sectionHeaderFlg": "1",
    }
    parameter = client.ask("getStatsData", statsDataId="0003005798", metaGetFlg="N", limit=3, lang="E", **flags)[
        "PARAMETER"
    ]
    assert parameter == {
        "LANG": "E",
        "STATS_DATA_ID": "0003005798",
        "DATA_FORMAT": "J",
        "START_POSITION": 1,
        "LIMIT": 3,
        "METAGET_FLG": "N",
        "EXPLANATION_GET_FLG": "Y",
        "ANNOTATION_GET_FLG": "N",
        "REPLACE_SP_CHARS": 0,
        "CNT_GET_FLG": "N",
        "SECTION_HEADER_FLG": 1,
    }
