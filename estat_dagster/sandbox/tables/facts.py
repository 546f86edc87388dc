"""TABLE_INF in few words. Texts that e-Stat writes twice, as one and in parts, are written once here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from estat_dagster.sandbox import wire
from estat_dagster.sandbox.model import Wire

GENERATED = "【生成データ】"
"""What marks a table whose figures are made up, in its title, its STATISTICS_NAME and its survey."""

_FIELDS = {
    "0201": ("人口・世帯", "人口"),
    "0203": ("人口・世帯", "人口動態"),
    "0301": ("労働・賃金", "労働力"),
    "0302": ("労働・賃金", "賃金・労働条件"),
    "0401": ("農林水産業", "農業"),
    "0502": ("鉱工業", "製造業"),
    "0701": ("企業・家計・経済", "企業活動"),
    "0703": ("企業・家計・経済", "物価"),
    "0705": ("企業・家計・経済", "国民経済計算"),
    "0801": ("住宅・土地・建設", "住宅・土地"),
    "1101": ("情報通信・科学技術", "情報通信・放送"),
    "1201": ("教育・文化・スポーツ・生活", "学校教育"),
    "1301": ("行財政", "行政"),
    "1504": ("社会保障・衛生", "保健衛生"),
    "1601": ("国際", "貿易・国際収支"),
    "9999": ("その他", "その他"),
}


class Survey(NamedTuple):
    """A survey with its maker: codes of 8 and 5 digits, and names."""

    code: str
    name: str
    org_code: str
    org: str


class Title(NamedTuple):
    """A title: its number, if it has one, and its parts."""

    name: str
    number: str | None = None
    category: str | None = None
    sub_category: str | None = None


def made_up(code: str, name: str) -> Survey:
    """Return a survey that exists nowhere: e-Stat has no code that starts with 99900, and the name says it."""
    return Survey(f"99900{code}", f"{name}{GENERATED}", "99900", "生成データ")


def facts(
    table_id: str,
    title: Title,
    *,
    survey: Survey,
    categories: Sequence[str],
    field: str,
    cycle: str,
    opened: str,
    updated: str,
    collect_area: str = "全国",
    survey_date: str = "0",
    total: int | None = None,
) -> Wire:
    """Return TABLE_INF.

    Args:
        table_id: ten digits.
        title: the title.
        survey: STAT_NAME and GOV_ORG.
        categories: 提供統計名 and the 提供分類名 below it: STATISTICS_NAME.
        field: the four digits of MAIN_CATEGORY and SUB_CATEGORY.
        cycle: 提供周期: 年次, 月次 ...
        opened: OPEN_DATE, yyyy-mm-dd.
        updated: UPDATED_DATE, yyyy-mm-dd.
        collect_area: 全国, 都道府県, 市区町村 or 該当なし.
        survey_date: "0", "yyyymm" or "yyyymm-yyyymm".
        total: the number of records, where counting them would take long.
    """
    main, sub = _FIELDS[field]
    name = " ".join(part for part in (title.category, title.name, title.sub_category) if part)
    spec = {"TABLE_CATEGORY": title.category, "TABLE_NAME": title.name, "TABLE_SUB_CATEGORY1": title.sub_category}
    names = ["TABULATION_CATEGORY", *(f"TABULATION_SUB_CATEGORY{number}" for number in range(1, len(categories)))]
    return {
        "@id": table_id,
        "STAT_NAME": {"@code": survey.code, "$": survey.name},
        "GOV_ORG": {"@code": survey.org_code, "$": survey.org},
        "STATISTICS_NAME": " ".join(categories),
        "TITLE": name if title.number is None else {"@no": title.number, "$": name},
        "CYCLE": cycle,
        "SURVEY_DATE": wire.text(survey_date),
        "OPEN_DATE": opened,
        "SMALL_AREA": 0,
        "COLLECT_AREA": collect_area,
        "MAIN_CATEGORY": {"@code": field[:2], "$": main},
        "SUB_CATEGORY": {"@code": field[2:], "$": sub},
        "OVERALL_TOTAL_NUMBER": total,
        "UPDATED_DATE": updated,
        "STATISTICS_NAME_SPEC": dict(zip(names, categories, strict=True)),
        "DESCRIPTION": "",
        "TITLE_SPEC": {key: part for key, part in spec.items() if part},
    }


def generated(
    table_id: str,
    title: Title,
    *,
    survey: Survey,
    field: str,
    cycle: str = "年次",
    collect_area: str = "全国",
    survey_date: str = "0",
    total: int | None = None,
) -> Wire:
    """Return TABLE_INF of a table whose figures are made up, marked as such."""
    return facts(
        table_id,
        title._replace(name=f"{title.name}{GENERATED}"),
        survey=survey,
        categories=(survey.name,),
        field=field,
        cycle=cycle,
        opened="2024-04-01",
        updated="2024-10-01",
        collect_area=collect_area,
        survey_date=survey_date,
        total=total,
    )
