"""getDataCatalog: files, and tables of the database beside them.

Specification 3.0, section 3.8: データカタログ情報取得.
"""

from __future__ import annotations

from collections.abc import Callable

from estat_dagster.sandbox import parameters, periods, wire, words
from estat_dagster.sandbox.holdings import Catalog, File, Holdings
from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.parameters import Params
from estat_dagster.sandbox.refusal import DONE, NO_DATA, Status
from estat_dagster.sandbox.table_parts import explained

ROOT = "GET_DATA_CATALOG"
FILE_PATH = "/stat-search/file-download"

_CHECKED = (
    "lang",
    "statsField",
    "statsCode",
    "collectArea",
    "dataType",
    "startPosition",
    "limit",
    "explanationGetFlg",
)
_ECHO = (
    ("surveyYears", "SURVEY_YEARS"),
    ("openYears", "OPEN_YEARS"),
    ("statsField", "STATS_FIELD"),
    ("statsCode", "STATS_CODE"),
    ("searchWord", "SEARCH_WORD"),
    ("collectArea", "COLLECT_AREA"),
    ("explanationGetFlg", "EXPLANATION_GET_FLG"),
    ("dataType", "DATA_TYPE"),
    ("catalogId", "CATALOG_ID"),
    ("resourceId", "RESOURCE_ID"),
    ("startPosition", "START_POSITION"),
    ("limit", "LIMIT"),
    ("updatedDate", "UPDATED_DATE"),
)

Test = Callable[[Catalog], bool]


def parameter(params: Params) -> Wire:
    """Return PARAMETER: what was given, and no more."""
    return {"LANG": params.get("lang", "J"), "DATA_FORMAT": "J", **parameters.echo(params, _ECHO)}


def answer(params: Params, holdings: Holdings) -> tuple[Status, Wire]:
    """Return status and DATA_CATALOG_LIST_INF. A catalogue shows those of its files that are asked for.

    Raises:
        RefusalError: STATUS 102.
    """
    parameters.check(params, _CHECKED)
    tests = [*_code_tests(params), *_date_tests(params), *_word_tests(params)]
    left = [_with_files(catalog, params) for catalog in holdings.catalogs if all(test(catalog) for test in tests)]
    found = [catalog for catalog in left if catalog.files]
    start, limit = parameters.page(params)
    if start > len(found):
        return NO_DATA, {"DATA_CATALOG_LIST_INF": {"NUMBER": len(found), "RESULT_INF": ""}}
    shown = found[start - 1 : start - 1 + limit]
    listed = {
        "NUMBER": len(found),
        "RESULT_INF": parameters.result_inf(len(found), start, limit),
        "DATA_CATALOG_INF": wire.one_or_many([_catalog(each, params, holdings.origin) for each in shown]),
    }
    return DONE, {"DATA_CATALOG_LIST_INF": listed}


def _with_files(catalog: Catalog, params: Params) -> Catalog:
    kinds = params["dataType"].split(",") if "dataType" in params else None
    files = tuple(
        file
        for file in catalog.files
        if (kinds is None or file.facts["FORMAT"] in kinds) and params.get("resourceId", file.id) == file.id
    )
    return catalog._replace(files=files)


def _catalog(catalog: Catalog, params: Params, origin: str) -> Wire:
    explain = explained(params)
    resources = [_resource(file, origin, explain=explain) for file in catalog.files]
    return {
        "@id": catalog.id,
        "DATASET": catalog.facts if explain else _without(catalog.facts, "DESCRIPTION"),
        "RESOURCES": {"RESOURCE": wire.one_or_many(resources)},
    }


def _resource(file: File, origin: str, *, explain: bool) -> Wire:
    url = f"{origin}{FILE_PATH}?&statInfId={file.id}&fileKind=1"
    parts = {"@id": file.id, "TITLE": file.facts["TITLE"], "URL": url, **file.facts}
    return parts if explain else _without(parts, "DESCRIPTION")


def _without(parts: Wire, name: str) -> Wire:
    return {key: value for key, value in parts.items() if key != name}


def _code_tests(params: Params) -> list[Test]:
    tests: list[Test] = []
    if (field := params.get("statsField")) is not None:
        tests.append(lambda catalog: catalog.field.startswith(field))
    if (code := params.get("statsCode")) is not None:
        part = "ORGANIZATION" if len(code) == 5 else "STAT_NAME"
        tests.append(lambda catalog: catalog.facts[part]["@code"] == code)
    if (area := params.get("collectArea")) is not None:
        tests.append(lambda catalog: catalog.facts["TITLE"]["COLLECT_AREA"] == parameters.AREAS[area])
    if (catalog_id := params.get("catalogId")) is not None:
        tests.append(lambda catalog: catalog.id == catalog_id)
    return tests


def _date_tests(params: Params) -> list[Test]:
    facts: dict[str, Callable[[Catalog], object]] = {
        "surveyYears": lambda catalog: catalog.facts["TITLE"]["SURVEY_DATE"],
        "openYears": lambda catalog: catalog.facts["RELEASE_DATE"],
        "updatedDate": lambda catalog: catalog.facts["LAST_MODIFIED_DATE"],
    }
    asked = [(fact, periods.parse(name, params[name])) for name, fact in facts.items() if name in params]
    return [_date_test(fact, period) for fact, period in asked]


def _date_test(fact: Callable[[Catalog], object], period: periods.Period) -> Test:
    return lambda catalog: periods.overlap(periods.span(str(fact(catalog))), period)


def _word_tests(params: Params) -> list[Test]:
    if (text := params.get("searchWord")) is None:
        return []
    query = words.parse(text)
    return [lambda catalog: query.matches(_haystack(catalog))]


def _haystack(catalog: Catalog) -> str:
    files = [file.facts["TITLE"]["NAME"] for file in catalog.files]
    return words.fold("\n".join([catalog.facts["TITLE"]["NAME"], catalog.facts["STAT_NAME"]["$"], *files]))
