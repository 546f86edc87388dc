"""VALUE as columns of text: whatever the cells hold, and nothing that is no array of flat records."""

from __future__ import annotations

import json
from typing import Any

import pytest

from estat_dagster.errors import DataError
from estat_dagster.records.decode import decode_values

EXPECTED = ["@tab", "@time", "@unit", "@annotation", "@anotation", "$"]


def decoded(values: bytes) -> list[dict[str, Any]]:
    """Return the records as decoded, without their absent attributes."""
    rows = decode_values(values, ["tab", "time"]).to_pylist()
    return [{name: text for name, text in row.items() if text is not None} for row in rows]


@pytest.mark.parametrize(
    "text",
    [
        "},{",
        '"},{"$":"0"}',
        '"',
        "\\",
        "\\u0000",
        "\x00",
        "\n",
        "\r\t\b\f",
        "[",
        "]",
        "{",
        "},",
        "𠮷🏯",
        "é",
        "\u2028",
        "",
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_cell_may_hold_anything(text: str, ascii_only: bool):
    records = [{"$": "1", "@tab": text}, {"@tab": "a", "$": text}, {"$": "3"}]
    assert decoded(json.dumps(records, ensure_ascii=ascii_only).encode()) == records
    records = [{"@elsewhere": text, "$": text}]
    assert decoded(json.dumps(records, ensure_ascii=ascii_only).encode()) == records


@pytest.mark.parametrize(
    ("values", "records"),
    [
        (b"[]", []),
        (b"", []),
        (b'{"$":"1"}', [{"$": "1"}]),
        (b' \n{"$":"1"}\n ', [{"$": "1"}]),
        (b'\n [ {"$" : "1"} ,\n {"@tab":"x"} ] ', [{"$": "1"}, {"@tab": "x"}]),
        (b"[{}]", [{}]),
        (b'[{"$":null,"@tab":"1"}]', [{"@tab": "1"}]),
        (
            b'[{"$":1e-400},{"$":1e400},{"$":1.10},{"$":-0.0}]',
            [{"$": "1e-400"}, {"$": "1e400"}, {"$": "1.10"}, {"$": "-0.0"}],
        ),
        (b'[{"@anotation":"a","$":"1"}]', [{"@anotation": "a", "$": "1"}]),
        (rb'[{"$":"\u6771\u4EAC\uD842\uDFB7\/"}]', [{"$": "東京𠮷/"}]),
        (b'[{"@zone":"1","$":"1"},{"$":"2"}]', [{"@zone": "1", "$": "1"}, {"$": "2"}]),
    ],
)
def test_every_legal_form_of_value_is_read(values: bytes, records: list[dict[str, str]]):
    assert decoded(values) == records


@pytest.mark.parametrize(
    ("number", "text"),
    [(b"5", "5"), (b"-0.5", "-0.5"), (b"0", "0"), (b"12345678901234567890123", "12345678901234567890123")],
)
def test_a_number_without_quotes_is_its_text(number: bytes, text: str):
    assert decoded(b'[{"$":"1"},{"$":' + number + b',"@tab":7}]') == [{"$": "1"}, {"$": text, "@tab": "7"}]


def test_the_columns_are_the_expected_ones_in_their_order_then_the_unexpected():
    assert decode_values(b'[{"$":"1"}]', ["tab", "time"]).column_names == EXPECTED
    assert decode_values(b"[]", ["tab", "time"]).column_names == EXPECTED
    assert decode_values(b'[{"$":"1","@cat01":"x"}]', ["tab", "time"]).column_names == [*EXPECTED, "@cat01"]


def test_a_hundred_thousand_records_keep_their_order():
    records = [{"@time": str(number), "$": str(number * 7)} for number in range(100_000)]
    table = decode_values(json.dumps(records).encode(), ["time"])
    assert table.column("$").to_pylist() == [record["$"] for record in records]
    assert table.column("@time").to_pylist() == [record["@time"] for record in records]


ILLEGAL = [
    *(b"null", b"5", b'"text"', b"true", b"[5]", b"[null]", b'["1"]', b'[[{"$":"1"}]]'),
    *(b'[{"$":"1"},null]', b'[null,{"$":"1"}]', b'[{"$":"1"},5]', b'[{"$":"1"},[]]'),
    *(b'{"$":{}}', b'{"$":{"a":"1"}}', b'{"$":[]}', b'{"$":["1"]}', b'{"$":true}', b'[{"$":"1"},{"$":false}]'),
    *(b'{"@tab":{"$":"1"},"$":"1"}', b'{"@elsewhere":["1"],"$":"1"}', b'{"@elsewhere":true}'),
    *(b"{", b"[", b'[{"$":"1"}', b'{"$":"1"', b'{"$":"1}', b'[{"$":"1"}]]', b'[{"$":"1"},]', b'{"$":}', b"{'$':'1'}"),
    *(b'{"$":"a\nb"}', rb'{"$":"\uD83D"}', rb'{"$":"\x41"}', b'{"$":01}', b'{"$":NaN}', b"{$:1}"),
]


@pytest.mark.parametrize("values", ILLEGAL)
def test_what_is_no_array_of_flat_records_is_a_data_error(values: bytes):
    with pytest.raises(DataError):
        decode_values(values, ["tab", "time"])
