"""Texts, ids and errors as they leave the bridge, for whatever comes in."""

from __future__ import annotations

import ast
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from estat_dagster import errors
from estat_dagster.assets import checks
from estat_dagster.query.analyses.plan import analysis_sql
from estat_dagster.settings import Settings
from mcp_bridge import japanese
from mcp_bridge.answers import Answer, to_result, wire_size, with_texts
from mcp_bridge.arguments import DatasetId, OptionalDatasetId
from mcp_bridge.dagster import runs
from mcp_bridge.errors import describe, to_failure
from mcp_bridge.hiding import Hider
from mcp_bridge.phrases import keywords
from mcp_bridge.plain import MARK, clean, clean_lines, cut, data_line

ROOT = Path(__file__).resolve().parents[2]
SECRET = "0123456789abcdef0123456789abcdef"
HOME = "/data/somewhere/lake"
TEXTS = st.text(st.characters(codec=None)) | st.text("a|\n\r\t\x00\x1b\u202e\u2028\u200b\ud800\U000e0041 東｜")


@given(TEXTS)
def test_a_clean_text_is_one_line_that_shows_all_it_holds(words: str) -> None:
    found = clean(words)
    assert len(found.splitlines()) <= 1
    assert not {unicodedata.category(char) for char in found} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean(found) == found
    found.encode()
    if words.isprintable():
        assert found == words


def test_letters_that_only_look_rare_stay() -> None:
    assert clean("葛\U000e0100城市\u3000｜−①㈱\ue000") == "葛\U000e0100城市\u3000｜−①㈱\ue000"


@given(st.lists(TEXTS | st.none() | st.integers() | st.floats(), min_size=1))
def test_a_line_of_data_begins_with_the_mark_and_has_as_many_cells_as_it_was_given(cells: list[Any]) -> None:
    line = data_line(cells)
    assert line.startswith(MARK)
    assert "\n" not in line
    assert len(clean_lines(line).replace("\\|", "").split(" | ")) == len(cells)


@given(st.text(), st.integers(1, 30))
def test_a_cut_text_is_no_longer_than_it_may_be(words: str, most: int) -> None:
    found = cut(words, most)
    assert len(found) <= most
    assert found == words or found.endswith("…")


HIDER = Hider.of(
    Settings(app_id=SECRET, lake_home=Path(HOME)),
    {"AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG", "A_TOKEN": "short", "PATH": "/usr/bin:/some/where"},
)


@given(st.text(), st.text())
def test_a_secret_is_hidden_wherever_it_stands(before: str, after: str) -> None:
    for secret in (SECRET, "wJalrXUtnFEMI/K7MDENG"):
        assert secret not in HIDER.hide(f"{before}{secret}{after}")


def test_places_of_this_machine_become_places_in_the_lake() -> None:
    told = HIDER.hide(f"file://{HOME}/raw/0000010101/a.json.gz and {HOME} and {Path.home()}/x and http://a.jp{HOME}")
    assert told == f"lake:raw/0000010101/a.json.gz and lake: and (local)/x and http://a.jp{HOME}"
    assert HIDER.hide("short words such as /usr/bin stay") == "short words such as /usr/bin stay"
    assert HIDER.hide("?appId=abc&x=1 Bearer abcdefghijkl AKIAABCDEFGHIJKLMNOP") == "?appId=***&x=1 Bearer *** ***"
    assert HIDER.hide("https://s3/x?X-Amz-Signature=aa11&y=2") == "https://s3/x?X-Amz-Signature=***&y=2"


def test_settings_that_cannot_be_read_still_hide_the_environments_secrets() -> None:
    assert Hider.of(None, {"ESTAT_APP_ID": SECRET}).hide(SECRET) == "***"


class Facts(Answer):
    words: str
    inner: dict[str, list[str]]


@given(TEXTS, TEXTS)
def test_an_answer_says_nothing_hidden_in_text_or_structure(words: str, key: str) -> None:
    result = with_texts(to_result(Facts(words=words + SECRET, inner={key: [words, SECRET]})), HIDER.hide)
    told = result.model_dump_json()
    assert SECRET not in told
    assert json.loads(told)
    assert wire_size(Facts(words=words, inner={})) == len(
        to_result(Facts(words=words, inner={})).model_dump_json(by_alias=True, exclude_none=True).encode()
    )


IDS, OPTIONAL = TypeAdapter(DatasetId), TypeAdapter(OptionalDatasetId)


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_an_id_is_read_as_text_and_as_the_number_that_lost_its_zeros(dataset_id: str) -> None:
    assert IDS.validate_python(dataset_id) == IDS.validate_python(int(dataset_id)) == dataset_id
    assert OPTIONAL.validate_python(dataset_id) == dataset_id


@given(st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.integers()))
def test_whatever_is_read_as_an_id_has_ten_digits(value: Any) -> None:
    try:
        found = IDS.validate_python(value)
    except ValidationError:
        assert not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**10)
    else:
        assert len(found) == 10
        assert found.isascii()
        assert found.isdecimal()
        assert found == f"{value:010d}" if isinstance(value, int) else found == value.strip()


def test_an_optional_id_may_be_empty_and_nothing_else() -> None:
    assert OPTIONAL.validate_python("") == ""
    for value in ("1", None, " "):
        with pytest.raises(ValidationError):
            OPTIONAL.validate_python(value)


KINDS = [
    errors.ApiError,
    errors.NetworkError,
    errors.RequestTimeoutError,
    errors.StorageError,
    errors.DataError,
    errors.ValidationError,
    errors.UnknownError,
]


@given(st.sampled_from(KINDS), TEXTS, TEXTS, st.dictionaries(st.from_regex("[a-g]{1,3}", fullmatch=True), TEXTS))
def test_every_error_has_the_five_fields_and_is_small(
    kind: type[errors.DataLakeError], message: str, hint: str, context: dict[str, str]
) -> None:
    facts = describe(kind(message * 500, hint=hint, **context))
    assert list(facts) == ["success", "error", "error_message", "context", "message"]
    assert (facts["success"], facts["error"]) == (False, kind.kind)
    assert facts["message"].endswith("。")
    assert len(json.dumps(facts, ensure_ascii=False)) < 30_000
    assert isinstance(facts["context"]["retryable"], bool)


@pytest.mark.parametrize(
    ("hint", "tool", "told"),
    [
        ("Find one with `estat search WORDS`; keep zeros.", "search_estat_data", "Find one with search_estat_data;"),
        ("Load it: `estat load 0000010101 --force`.", "ingest_dataset_complete", "Load it: ingest_dataset_complete."),
        ("`estat history 1` lists; `estat delete 1` removes.", "analyze_with_athena", "$snapshots"),
        ("Tables: a, b.", "list_tables", "Tables: a, b."),
        ("the codes without `--children-of` tell", None, "the codes without children_of tell"),
        ("Write --filter area=13000, or --sql.", None, "Write filters area=13000, or custom_query."),
        ("Check the network; `estat doctor` tells more.", None, "the operator's command doctor tells more"),
    ],
)
def test_hints_for_the_command_become_hints_for_the_tools(hint: str, tool: str | None, told: str) -> None:
    facts = describe(errors.ValidationError("Wrong.", hint=hint))
    assert told in facts["context"]["hint"]
    assert facts["context"].get("next_tool") == tool
    assert not tool or tool in facts["message"]


def texts_of_the_code() -> set[str]:
    """Return every text in the code that tools run which names a command or an option, as far as it is fixed."""
    found = set()
    for path in (ROOT / "estat_dagster").rglob("*.py"):
        if path.relative_to(ROOT / "estat_dagster").parts[0] in ("commands", "sandbox", "serving", "cli.py"):
            continue
        nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
        parts = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in nodes:
            match node:
                case ast.JoinedStr():
                    words = "".join(str(each.value) if isinstance(each, ast.Constant) else "1" for each in node.values)
                case ast.Constant(value=str() as words) if "\n" not in words and id(node) not in parts:
                    pass
                case _:
                    continue
            if re.search(r"`estat |(?<![\w-])--[a-z]", words):
                found.add(words)
    return found


def test_no_hint_of_the_code_sends_a_model_to_the_command_line() -> None:
    hints = texts_of_the_code()
    assert len(hints) > 20
    for hint in hints:
        facts = describe(errors.ValidationError("Wrong.", hint=hint))
        assert not re.search(r"`estat|(?<![\w-])--[a-z]", json.dumps(facts, ensure_ascii=False)), hint


def test_what_may_work_later_says_so() -> None:
    facts = to_failure(errors.ApiError("Busy.", status=200, retry=True)).structured_content or {}
    assert facts["context"] == {"status": 200, "retryable": True}
    assert "もう一度" in facts["message"]


@given(st.text() | st.text("東京都人口推移のをはがとに教えて AND", max_size=30))
def test_the_keywords_of_a_question_are_parts_of_it(question: str) -> None:
    words = keywords(question)
    assert words == question or all(word in question for word in words.split())
    assert bool(words.strip()) == bool(question.strip())
    assert keywords(words) == words or len(keywords(words)) < len(words)


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("子どもの数", "子ども 数"),
        ("ひとり親世帯の収入を教えて", "ひとり親世帯 収入"),
        ("大阪における失業率の変化", "大阪 失業率"),
        ("消費者物価指数と賃金", "消費者物価指数 賃金"),
        ("人口 AND 世帯の数", "人口 AND 世帯の数"),
        ("ものづくり", "ものづくり"),
        ("population of Tokyo", "population of Tokyo"),
        ("の", "の"),
    ],
)
def test_a_question_becomes_the_words_of_titles(question: str, words: str) -> None:
    assert keywords(question) == words


def test_every_state_layer_check_and_analysis_has_its_japanese_name() -> None:
    assert {check.name for check in checks.CHECKS} == set(japanese.CHECKS)
    assert tuple(japanese.LAYERS) == runs.LAYERS
    assert {*runs.LIVE, *runs.FINISHED} <= set(japanese.STATES)
    for kind in ("basic", "advanced"):
        columns = ("region_code", "region_name", "category_code", "category_name", "cat02_code", "cat02_name")
        for analysis in analysis_sql(kind, columns, table="population_data"):  # type: ignore[arg-type]
            assert japanese.meaning_of(analysis.name), analysis.name
