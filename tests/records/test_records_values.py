"""What a cell's text is: a number, a symbol or a text. No symbol and no text ever becomes a number, least of all 0."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from estat_dagster.records.values import is_symbol, parse_number, value_columns
from tests.records.reference import number_of

NUMBERS = {
    "0": 0,
    "00": 0,
    "-0": 0,
    "0.0": 0,
    "1": 1,
    "-1": -1,
    "+1": 1,
    "007": 7,
    "12.50": 12.5,
    ".5": 0.5,
    "-.5": -0.5,
    " 5 ": 5,
    "　5　": 5,
    "- 5": -5,
    "1,234": 1234,
    "-1,234,567.8": -1234567.8,
    "123,456": 123456,
    "１２３": 123,
    "－１，２３４．５": -1234.5,
    "＋５": 5,
    "−5": -5,
    "△5": -5,
    "▲ 1,234": -1234,
    "△０．１": -0.1,
    "△　5": -5,
    "-\u00a05": -5,
    "１ｅ３": 1000,
    "１．５Ｅ－３": 0.0015,
    "1e3": 1000,
    "1.5E-3": 0.0015,
    "1E+2": 100,
    "-2e0": -2,
    "9007199254740993": 9007199254740993.0,
    "0.1": 0.1,
    "123456789012345678901234567890": 123456789012345678901234567890.0,
}

NO_NUMBERS = [
    *("", " ", "　", "-", "－", "--", "---", "***", "*", "…", "‥", "...", ".", ",", "X", "x", "Ｘ", "χ", "△", "▲", "+"),
    *("①", "²", "½", "Ⅳ", "五", "٣", "५", "𝟗", "1²", "①②"),
    *("NaN", "nan", "inf", "-inf", "Infinity", "∞", "-∞", "NA", "N/A", "null", "None", "true"),
    *("0x10", "0b1", "1_000", "1L", "1f", "1d", "1j", "e5", "1e", "1e+", "1e1.5", "1e5e5", "E"),
    *("1,23", "1,2345", "12,34,567", ",123", "1,", "1,,234", "1234,567", "0,123", "00,123", "1,234,56", "1,234,"),
    *("1.", "1.2.3", "1..2", "..5", "1.,2", "1,234.", "1.5,000", "1，２3"),
    *(
        "--5",
        "+-5",
        "△-5",
        "△△5",
        "5-",
        "5△",
        "1-2",
        "1~2",
        "(5)",
        "（5）",
        "<5",
        "5%",
        "5％",
        "5人",
        "約5",
        "p5",
        "5p",
    ),
    *("1 234", "1\n2", "1　2", "1:2", "1/2", "2020年", "ＮＯ", "DZ"),
]

SYMBOLS = [
    *("-", "－", "***", "*", "…", "...", "X", "Ｘ", "ｘ", "χ", "△", "▲", "∞", "_", " ", "x-", "X1", "1-"),
    *("–5", "‐5", "―5", "ー5", "5.", "(1,234)", "1 234", "5%", "②", "0." + "0" * 400 + "1", "1e-400"),
    *("NaN", "nan", "Infinity", "-inf", "NA", "ＮＡ", "N/A", "n.a.", "null", "None"),
]
WORDS = ["", "ＮＯ", "なし", "該当なし", "2020年", "データ", "p", "5人", "Naples"]


def columns(cells: list[str | None], notes: dict[str, str] | None = None) -> dict[str, list]:
    made = value_columns(pa.array(cells, pa.string()), notes or {})
    return {name: column.to_pylist() for name, column in made.items()}


@pytest.mark.parametrize("words", NUMBERS)
def test_every_form_of_a_number_is_read(words: str):
    assert parse_number(words) == NUMBERS[words]
    assert columns([words]) == {"value": [NUMBERS[words]], "value_text": [None], "missing_reason": [None]}


@pytest.mark.parametrize("words", NO_NUMBERS)
def test_what_is_no_number_stays_the_text_that_it_is(words: str):
    assert parse_number(words) is None
    assert columns([words]) == {"value": [None], "value_text": [words], "missing_reason": [None]}


@pytest.mark.parametrize("words", NO_NUMBERS)
def test_a_symbol_with_a_note_is_missing_for_that_reason_and_has_no_value(words: str):
    made = columns([words, "5"], {words: "秘匿"})
    assert made == {"value": [None, 5.0], "value_text": [words, None], "missing_reason": ["秘匿", None]}


def test_a_number_that_note_explains_stays_a_number():
    made = columns(["0", "0.0", "00", "5", " 0", "０"], {"0": "単位に満たないもの"})
    assert made["value"] == [0, 0, 0, 5, 0, 0]
    assert made["value_text"] == [None] * 6
    assert made["missing_reason"] == ["単位に満たないもの", None, None, None, "単位に満たないもの", None]


def test_note_explains_exactly_its_symbol_with_spaces_or_without_and_nothing_like_it():
    cells = ["-", "－", " -", "-　", "--", "X", "Ｘ", "x"]
    made = columns(cells, {"-": "該当なし", "X": "秘匿"})
    assert made["missing_reason"] == ["該当なし", None, "該当なし", "該当なし", None, "秘匿", None, None]
    assert made["value"] == [None] * len(cells)
    assert made["value_text"] == cells


def test_an_absent_cell_is_neither_number_nor_text():
    assert columns([None, "1"]) == {"value": [None, 1], "value_text": [None, None], "missing_reason": [None, None]}
    assert columns([None], {"-": "なし"}) == {"value": [None], "value_text": [None], "missing_reason": [None]}


def test_no_cells_are_no_values():
    assert columns([], {"-": "なし"}) == {"value": [], "value_text": [], "missing_reason": []}


@pytest.mark.parametrize("words", ["1e400", "9" * 400, "１" + "0" * 400])
def test_a_number_beyond_a_double_is_infinite_and_never_another(words: str):
    assert columns([words])["value"] == [math.inf]
    assert columns([f"-{words}"])["value"] == [-math.inf]


def test_repetitions_change_nothing():
    made = value_columns(pa.array(["1", "-", "-", None, "1,000", "1"], pa.string()), {"-": "なし"})
    assert made["value"].to_pylist() == [1, None, None, None, 1000, 1]
    assert made["missing_reason"].to_pylist() == [None, "なし", "なし", None, None, None]


@pytest.mark.parametrize("words", SYMBOLS)
def test_a_symbol_looks_like_one(words: str):
    assert is_symbol(words)


@pytest.mark.parametrize("words", WORDS)
def test_words_are_no_symbol(words: str):
    assert not is_symbol(words)


near_numbers = st.text(alphabet="0123456789００１.,，．-+－−△▲eE 　_xX%*…\n", max_size=9)
grouped = st.integers(-(10**12), 10**12).map("{:,}".format)
plain = st.one_of(st.floats(allow_nan=False, allow_infinity=False).map(repr), st.integers().map(str), grouped)


@given(st.lists(st.one_of(near_numbers, plain, st.text(max_size=6), st.none()), max_size=20))
@example(["1", None, "-", "-", ""])
@example(["1E−324", "0E−324"])
def test_values_are_those_that_a_slow_reading_gives(cells: list[str | None]):
    notes = {"-": "該当なし", "0": "単位未満", "": "空"}
    expected = [None if words is None else number_of(words) for words in cells]
    made = columns(cells, notes)
    assert made["value"] == expected
    assert made["value_text"] == [w if number is None else None for w, number in zip(cells, expected, strict=True)]
    assert made["missing_reason"] == [
        None if words is None else notes[words] if words in notes else notes.get(words.strip()) for words in cells
    ]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_written_out_is_the_same_double_again(number: float):
    assert columns([repr(number)])["value"] == [number]


@given(st.text())
def test_a_text_without_a_digit_is_never_a_number(words: str):
    if not any(char in "0123456789０１２３４５６７８９" for char in words):
        assert columns([words]) == {"value": [None], "value_text": [words], "missing_reason": [None]}


@pytest.mark.parametrize("words", ["1e-400", "-0.1e-330"])
def test_a_number_too_small_for_a_double_is_no_zero(words: str) -> None:
    assert parse_number(words) is None
    assert parse_number("0e-400") == 0


@pytest.mark.parametrize("words", ["0." + "0" * 400 + "1", "-0." + "0" * 330 + "7", "1e-400"])
def test_a_cell_too_small_for_a_double_keeps_its_text(words: str) -> None:
    assert columns([words, "1"]) == {"value": [None, 1], "value_text": [words, None], "missing_reason": [None, None]}
    assert columns(["0." + "0" * 400])["value"] == [0]
