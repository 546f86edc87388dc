"""Files of the data catalogue: all made up, marked as such, small enough to make when they are asked for.

CSV files are in Shift_JIS, as those of e-Stat mostly are. A table of the database (DB) is listed too, and has no file.
"""

from __future__ import annotations

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.holdings import Catalog, File
from estat_dagster.sandbox.model import Wire
from estat_dagster.sandbox.tables.facts import GENERATED, Survey, made_up

_PRICES, _SCHOOLS = made_up("081", "店頭価格の調査"), made_up("082", "図書室の調査")
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 200]>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
)


def catalogs() -> tuple[Catalog, ...]:
    """Return the catalogues in the order of their ids."""
    return (
        _catalog(
            "990000000001",
            _PRICES,
            "店頭価格",
            field="0703",
            survey_date="2023",
            modified="2024-03-15",
            files=(
                _file(
                    "990000001001", "品目別価格", "CSV", "2024-03-15", _csv("品目,価格（円）\r\n米,2100\r\n卵,…\r\n")
                ),
                _file("990000001002", "調査の概要", "PDF", "2024-03-01", _PDF),
            ),
        ),
        _catalog(
            "990000000002",
            _PRICES,
            "店頭価格",
            field="0703",
            survey_date="2024",
            modified="2025-03-14",
            files=(
                _file(
                    "990000001003", "品目別価格", "CSV", "2025-03-14", _csv("品目,価格（円）\r\n米,3400\r\n卵,290\r\n")
                ),
            ),
        ),
        _catalog(
            "990000000003",
            _SCHOOLS,
            "図書室の本",
            field="1201",
            survey_date="2022",
            modified="2023-08-01",
            collect_area="都道府県",
            files=(
                _file("990000001004", "都道府県別冊数", "CSV", "2023-08-01", _csv("都道府県,冊数\r\n北海道,X\r\n")),
                _file("990000001005", "都道府県別冊数", "DB", "2023-08-01", b""),
            ),
        ),
    )


def _catalog(
    catalog_id: str,
    survey: Survey,
    title: str,
    *,
    field: str,
    survey_date: str,
    modified: str,
    files: tuple[File, ...],
    collect_area: str = "全国",
) -> Catalog:
    subs = {f"TABULATION_SUB_CATEGORY{number}": "" for number in range(1, 6)}
    facts: Wire = {
        "STAT_NAME": {"@code": survey.code, "$": survey.name},
        "ORGANIZATION": {"@code": survey.org_code, "$": survey.org},
        "TITLE": {
            "NAME": f"{title}{GENERATED}_年次_{survey_date}年",
            "TABULATION_CATEGORY": survey.name,
            **subs,
            "CYCLE": "年次",
            "SURVEY_DATE": wire.text(survey_date),
            "COLLECT_AREA": collect_area,
        },
        "DESCRIPTION": "",
        "PUBLISHER": survey.org,
        "CONTACT_POINT": survey.org,
        "CREATOR": survey.org,
        "RELEASE_DATE": min(file.facts["RELEASE_DATE"] for file in files),
        "LAST_MODIFIED_DATE": modified,
        "FREQUENCY_OF_UPDATE": "年次",
        "LANDING_PAGE": f"https://www.e-stat.go.jp/stat-search/files?layout=datalist&toukei={survey.code}",
    }
    return Catalog(catalog_id, facts, field, files)


def _file(file_id: str, name: str, kind: str, released: str, content: bytes) -> File:
    subs = {f"TABLE_SUB_CATEGORY{number}": "" for number in range(1, 4)}
    title = {"NAME": f"1_{name}", "TABLE_CATEGORY": "", "TABLE_NO": "1", "TABLE_NAME": name, "TABLE_EXPLANATION": ""}
    facts: Wire = {
        "@id": file_id,
        "TITLE": title | subs,
        "DESCRIPTION": "",
        "FORMAT": kind,
        "RELEASE_DATE": released,
        "LAST_MODIFIED_DATE": released,
        "RESOURCE_LICENCE_ID": "Government of Japan Standard Terms of Use",
        "LANGUAGE": "J",
    }
    return File(facts, content)


def _csv(text: str) -> bytes:
    return text.encode("cp932")
