"""Records cut by their quotation marks: what is read is what the JSON says, and what is not proven is not read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.records.uniform import MOST_TEMPLATES, read_uniform
from tests.hypothesis_profiles import many_examples
from tests.records.documents import STYLES

TAME = st.text(st.sampled_from("019 .-△人,}[]:x"), max_size=20)
WILD = st.one_of(
    TAME, st.text(max_size=4), st.sampled_from(['"', "\\", "},{", '"},{"$":"0', "\n", "\x00", "🏯", "\\u0041"])
)
NAMES = st.lists(st.sampled_from(["@tab", "@cat01", "@time", "@unit", "$", "人", "a b"]), unique=True, min_size=1)


@st.composite
def records(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> list[dict[str, str]]:
    """Return records with attributes in the same order, the first in all; each lacks one of three sets of others."""
    names = draw(NAMES)
    lacking = draw(st.lists(st.sets(st.sampled_from(names[1:])) if names[1:] else st.just(set()), max_size=3))
    size = draw(st.integers(1, 12))
    pool = draw(st.lists(texts, min_size=1, max_size=6))
    kept = [set(names) - draw(st.sampled_from([set(), *lacking])) for _ in range(size)]
    return [{name: draw(st.sampled_from(pool)) for name in names if name in own} for own in kept]


def found(array: bytes) -> list[dict[str, Any]] | None:
    columns = read_uniform(array)
    if columns is None:
        return None
    texts = {name: column.to_pylist() for name, column in columns.items()}
    rows = zip(*texts.values(), strict=True)
    return [{name: text for name, text in zip(texts, row, strict=True) if text is not None} for row in rows]


@many_examples()
@given(records(TAME), st.sampled_from(STYLES))
def test_tame_records_are_read_as_they_are(rows: list[dict[str, str]], style: dict[str, Any]):
    assert found(json.dumps(rows, **style).encode()) == rows


@given(records(WILD), st.sampled_from(STYLES))
def test_whatever_is_read_is_what_the_json_says(rows: list[dict[str, str]], style: dict[str, Any]):
    assert found(json.dumps(rows, **style).encode()) in (rows, None)


@many_examples()
@given(records(WILD), st.sampled_from(STYLES), st.data())
def test_a_broken_array_is_never_read_as_something_else(
    rows: list[dict[str, str]], style: dict[str, Any], data: st.DataObject
):
    body = bytearray(json.dumps(rows, **style).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(body) - 1))
        change = data.draw(st.sampled_from([b"", b'"', b"\\", b"{", b"}", b",", b"\x0b", b"\n", b"\xff", b"0", b'""']))
        body[place : place + data.draw(st.integers(0, 2))] = change
    read = found(bytes(body))
    assert read is None or read == parsed(bytes(body))


def parsed(body: bytes) -> Any:
    try:
        return json.loads(body.decode())
    except ValueError:
        return "no JSON"


def test_records_as_e_stat_writes_them_are_read():
    rows = [{"@tab": "001", "@time": f"{1990 + n % 30}000000", "@unit": "人", "$": str(n * 7)} for n in range(500)]
    assert found(json.dumps(rows, separators=(",", ":")).encode()) == rows


@pytest.mark.parametrize(
    "other",
    [
        {"$": "1", "@tab": "2"},
        {"@tab": "2", "$": 1},
        {"@tab": "2", "$": None},
        {"@tab": 'say "2"', "$": "1"},
        {},
    ],
)
def test_one_record_of_another_make_proves_nothing(other: dict[str, Any]):
    plain = {"@tab": "1", "$": "5"}
    for rows in ([plain, other, plain], [other, plain], [plain, other], [plain, plain, other, plain]):
        assert found(json.dumps(rows, separators=(",", ":")).encode()) is None


@pytest.mark.parametrize(
    "other", [{"@tab": "2", "$": "1", "@unit": "人"}, {"@tab": "2", "@annotation": "*", "$": "1"}, {"@tab": "2"}]
)
def test_records_with_an_attribute_more_or_less_are_read_too(other: dict[str, str]):
    plain = {"@tab": "1", "$": "5"}
    for rows in ([plain, other, plain], [other, plain], [plain, other], [other, other, plain], [other, plain, other]):
        assert found(json.dumps(rows, separators=(",", ":")).encode()) == rows
        assert found(json.dumps(rows, indent=1).encode()) == rows


def test_records_with_as_many_attributes_of_other_names_or_order_are_read_too():
    rows = [
        {"@tab": "1", "$": "5"},
        {"@tab": "1", "@unit": "人", "$": "5"},
        {"@tab": "2", "@annotation": "*", "$": "6"},
        {"@tab": "3", "$": "7", "@unit": "件"},
        {"@tab": "1", "@unit": "円", "$": "8"},
    ]
    for turned in (rows, rows[::-1], rows * 3):
        assert found(json.dumps(turned, separators=(",", ":")).encode()) == turned


def test_records_of_more_makes_than_e_stat_writes_prove_nothing():
    rows = [{"@tab": "1", f"@cat{n:02d}": "1", "$": "5"} for n in range(MOST_TEMPLATES + 1)]
    assert found(json.dumps(rows[1:], separators=(",", ":")).encode()) == rows[1:]
    assert found(json.dumps(rows, separators=(",", ":")).encode()) is None


@pytest.mark.parametrize("comma", [b"", b",,", b"; "])
def test_a_comma_that_is_missing_behind_a_record_is_seen_in_every_group(comma: bytes):
    plain, longer = b'{"@tab":"1"}', b'{"@tab":"1","$":"5"}'
    for first, second in ((plain, longer), (longer, plain)):
        assert found(b"[" + first + comma + second + b"]") is None
        assert found(b"[" + first + b"," + second + comma + first + b"]") is None
        assert (found(b"[" + first + b"," + second + b"," + first + comma + b"]") is None) == bool(comma)


@pytest.mark.parametrize("end", [b",}", b"5}", b'"}', b"}}", b"]}"])
def test_the_end_of_the_last_record_is_seen(end: bytes):
    for earlier in (b'{"@tab":"1"}', b'{"@tab":"1","$":"5"}'):
        assert found(b"[" + earlier + b',{"@tab":"1"' + end + b"]") is None


@pytest.mark.parametrize("between", [b"},{},{", b"},null,{", b'},{"@tab":5},{', b"} {", b"}\n,{"])
def test_what_stands_between_two_records_is_seen_wherever_it_stands(between: bytes):
    record = b'"@tab":"1","$":"5"'
    alike = [record] * 5
    for place in range(1, 5):
        array = b"},{".join(alike[:place]) + between + b"},{".join(alike[place:])
        assert found(b"[{" + array + b"}]") is None


@pytest.mark.parametrize("name", ["$", "@tab", "@cat01", "@annotation", "0123456789abcdefghijklmnopqrstuvw"])
def test_an_attribute_whose_name_differs_in_one_letter_is_another(name: str):
    for place in range(len(name)):
        other = name[:place] + "?" + name[place + 1 :]
        for first, second in ((name, other), (other, name)):
            rows = [{"@tab1": "1", first: "1", "x": "1"}, {"@tab1": "1", second: "1", "x": "1"}]
            assert found(json.dumps(rows, separators=(",", ":")).encode()) == rows
            assert found(json.dumps([{first: "1"}, {second: "1"}]).encode()) is None


def test_a_control_character_proves_nothing_wherever_it_stands():
    for texts in ((b"1", b"1\x00"), (b"1\x00", b"1"), (b"", b"\x00"), (b"12345678", b"12345678\x00")):
        assert found(b"[" + b",".join(b'{"@tab":"' + text + b'","$":"1"}' for text in texts) + b"]") is None


def test_records_that_begin_with_another_attribute_prove_nothing():
    rows = [{"@tab": "a", "$": "1"}] * 9 + [{"$": "2", "@tab": "b"}] * 9
    assert found(json.dumps(rows, separators=(",", ":")).encode()) is None


def test_texts_of_sixteen_bytes_and_more_and_of_equal_beginnings_stay_apart():
    texts = ["1234567", "12345678", "123456780", "1234567890123456", "12345678901234567", "", "0", "00", "12345678"]
    rows = [{"@cat01": text, "@tab": text[:9], "$": text} for text in texts]
    assert found(json.dumps(rows, separators=(",", ":")).encode()) == rows


def test_one_text_written_in_two_ways_is_one_text():
    array = '[{"@unit":"\\u4eba","$":"1"},{"@unit":"人","$":"2"}]'.encode()
    columns = read_uniform(array)
    assert columns is not None
    assert columns["@unit"].dictionary.to_pylist() == ["人"]


@pytest.mark.parametrize(
    "second",
    [
        b'{"@tab":"a","@x":"c","$":"1"}',  # the first record's value is as long as both of these with their names
        b'{"@tab":"a","@x":"c","$":"1","@unit":"2"}',
        b'{"@tab":"abcdefghi\\","$":"1"}',
        b'{"@tab":"abcdefgh\\"i","$":"1"}',
    ],
)
def test_a_quotation_mark_inside_of_a_place_proves_nothing(second: bytes):
    first = b'{"@tab":"abcdefghij","$":"1"}'
    for records in ([first, second], [first, second, first]):
        assert found(b"[" + b",".join(records) + b"]") is None
