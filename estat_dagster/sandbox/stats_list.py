"""getStatsList: which tables there are. Specification 3.0, section 3.2: 統計表情報取得.

Tables come in the order of their ids, surveys in the order of their codes.
"""

from __future__ import annotations

from collections.abc import Callable

from estat_dagster.sandbox import parameters, periods, wire, words
from estat_dagster.sandbox.english import spoken
from estat_dagster.sandbox.holdings import Holdings
from estat_dagster.sandbox.model import Table, Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import DONE, NO_DATA, Status
from estat_dagster.sandbox.table_parts import explained, table_inf

ROOT = "GET_STATS_LIST"

_CHECKED = (
    "lang",
    "statsField",
    "statsCode",
    "collectArea",
    "searchKind",
    "explanationGetFlg",
    "startPosition",
    "limit",
)
_FIRST = (
    ("surveyYears", "SURVEY_YEARS"),
    ("openYears", "OPEN_YEARS"),
    ("statsField", "STATS_FIELD"),
    ("statsCode", "STATS_CODE"),
    ("searchWord", "SEARCH_WORD"),
    ("searchKind", "SEARCH_KIND"),
    ("collectArea", "COLLECT_AREA"),
    ("explanationGetFlg", "EXPLANATION_GET_FLG"),
    ("statsNameList", "STATS_NAME_LIST"),
)
_LAST = (("startPosition", "START_POSITION"), ("limit", "LIMIT"), ("updatedDate", "UPDATED_DATE"))

Test = Callable[[Table], bool]


def parameter(params: Params) -> Wire:
    """Return PARAMETER: what was given, and no more."""
    first, last = parameters.echo(params, _FIRST), parameters.echo(params, _LAST)
    return {"LANG": params.get("lang", "J"), **first, "DATA_FORMAT": "J", **last}


def answer(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and DATALIST_INF.

    Raises:
        RefusalError: STATUS 102.
    """
    parameters.check(params, _CHECKED)
    tables = holdings.tables
    tests = [*_code_tests(params), *_area_tests(params), *_date_tests(params), *_word_tests(params)]
    found = [tables[table_id] for table_id in sorted(tables) if all(test(tables[table_id]) for test in tests)]
    found = [spoken(table, params) for table in found]
    names = params.get("statsNameList") == "Y"
    rows = _surveys(found) if names else found
    start, limit = parameters.page(params)
    if start > len(rows):
        return NO_DATA, {"DATALIST_INF": {"NUMBER": len(rows), "RESULT_INF": ""}}
    shown = rows[start - 1 : start - 1 + limit]
    parts = [row if isinstance(row, dict) else table_inf(row, explain=explained(params)) for row in shown]
    listed = {
        "NUMBER": len(rows),
        "RESULT_INF": parameters.result_inf(len(rows), start, limit),
        "LIST_INF" if names else "TABLE_INF": wire.one_or_many(parts),
    }
    return DONE, {"DATALIST_INF": listed}


def _surveys(tables: list[Table]) -> list[Wire]:
    """Return LIST_INF: the surveys of these tables, each once."""
    surveys = {
        table.facts["STAT_NAME"]["@code"]: {
            "@id": table.facts["STAT_NAME"]["@code"],
            "STAT_NAME": table.facts["STAT_NAME"],
            "GOV_ORG": table.facts["GOV_ORG"],
        }
        for table in tables
    }
    return [surveys[code] for code in sorted(surveys)]


def _code_tests(params: Params) -> list[Test]:
    tests: list[Test] = []
    if (field := params.get("statsField")) is not None:
        tests.append(lambda table: _field(table).startswith(field))
    if (code := params.get("statsCode")) is not None:
        part = "GOV_ORG" if len(code) == 5 else "STAT_NAME"
        tests.append(lambda table: table.facts[part]["@code"] == code)
    return tests


def _area_tests(params: Params) -> list[Test]:
    small = params.get("searchKind") == "2"
    tests: list[Test] = [lambda table: (table.facts["SMALL_AREA"] != 0) is small]
    if (area := params.get("collectArea")) is not None and not small:
        tests.append(lambda table: table.facts.get("COLLECT_AREA") == parameters.AREAS[area])
    return tests


def _date_tests(params: Params) -> list[Test]:
    dates = (("surveyYears", "SURVEY_DATE"), ("openYears", "OPEN_DATE"), ("updatedDate", "UPDATED_DATE"))
    return [_date_test(fact, periods.parse(name, params[name])) for name, fact in dates if name in params]


def _date_test(fact: str, period: periods.Period) -> Test:
    """A SURVEY_DATE of 0 names no period, so it is in none."""
    return lambda table: table.facts[fact] != 0 and periods.overlap(periods.span(str(table.facts[fact])), period)


def _word_tests(params: Params) -> list[Test]:
    if (text := params.get("searchWord")) is None:
        return []
    query = words.parse(text)
    return [lambda table: query.matches(words.haystack(spoken(table, params)))]


def _field(table: Table) -> str:
    return f"{table.facts['MAIN_CATEGORY']['@code']}{table.facts['SUB_CATEGORY']['@code']}"
