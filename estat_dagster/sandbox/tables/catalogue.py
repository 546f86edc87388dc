"""The built-in tables: at least one of every domain and of every shape that e-Stat's tables take.

The published figures are excerpts under the ids of the real tables, small enough to carry. Source: e-Stat, Japan's
portal of official statistics, and the surveys named in `figures/*.tsv`. Its terms ask users of the API to show:
「このサービスは、政府統計総合窓口(e-Stat)のAPI機能を使用していますが、サービスの内容は国によって保証されたものではありません。」
Their notes to symbols are given without the cross-references that follow them.

The generated figures are made up, the same every time. Their ids start with 99, as no id of e-Stat does; their titles,
statistics and surveys say 【生成データ】. OVERALL_TOTAL_NUMBER is the number of records here, for every table.

| id | domain | records | figures | shape |
|---|---|---|---|---|
| 0000010101 | population | 672 | published | 「Ａ　人口・世帯」 of category 99; fiscal years; 48 areas |
| 0003005798 | labor | 15 | published | one month; "0" is a marker; four axes of one item |
| 0003109741 | economy | 240 | published | quarters, their parents not items; no area; a title without number |
| 0003425893 | labor | 24 | published | six categories; no area; one symbol; parents that are not items |
| 9900000001 | labor | 720 | generated | 「Ｆ　労働」 of category 99; fiscal years; cells of `***`, `-`, `X` |
| 9900000002 | population | 5,472 | generated | calendar years; totals that add up over sex, age and area |
| 9900000003 | labor | 960 | generated | months; decimals; cells of `*`, `…`, and "0" as a marker |
| 9900000004 | economy | 592 | generated | years, fiscal years, quarters and months in one axis; negative rates; `-` |
| 9900000005 | economy | 108 | generated | half-years; no area; negative numbers; a title without number |
| 9900000006 | education | 3,744 | generated | no tab; sparse; totals that add up; cells of `…` |
| 9900000007 | health | 3,840 | generated | footnotes on cells; parents that are not items; cells of `-` and `…` |
| 9900000008 | general (05) | 960 | generated | no tab, no time; totals on two levels that add up, but for `X` |
| 9900000009 | general (16) | 51 | generated | text in cells (ＮＯ, ＫＧ); countries as areas; sparse; no symbols |
| 9900000010 | general (04) | 15 | generated | October to September under October's code, beside a real October |
| 9900000011 | general (11) | 10 | generated | time codes of eleven digits |
| 9900000012 | general (08) | 96 | generated | time codes of four digits; no category |
| 9900000013 | general (13) | 1 | generated | a single cell: every list is a single object |
| 9900000014 | population | 250,000 | generated | three pages; 1,000 municipalities, parents not items |
"""

from __future__ import annotations

from estat_dagster.sandbox.model import Table
from estat_dagster.sandbox.tables import economy, education, general, health, labor, large, population

_MODULES = (population, labor, economy, education, health, general, large)


def catalogue() -> list[Table]:
    """Return the built-in tables in the order of their ids. Their cells are made when they are first asked for."""
    return sorted((table for module in _MODULES for table in module.tables()), key=lambda table: table.id)
