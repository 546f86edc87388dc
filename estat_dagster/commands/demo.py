"""`estat demo`: the main job on datasets of several domains, and three questions to their rows."""

from __future__ import annotations

import sys

import click

from estat_dagster.commands.load import COLUMNS, Request, load_all, row_of
from estat_dagster.commands.output import print_result, print_rows, say
from estat_dagster.workbench import Workbench

SANDBOX_EXAMPLES = (
    Request("0000010101", {}),
    Request("0003005798", {}),
    Request("0003109741", {}),
    Request("0003425893", {}),
    Request("9900000006", {}),
    Request("9900000007", {}),
    Request("9900000008", {}),
    Request("9900000014", {}),
)

SOME_AREAS = "00000,01000,13000,23000,27000,40000,47000"
ESTAT_EXAMPLES = (
    Request("0000010101", {"cat01": "A1101"}),
    Request("0003005798", {"area": "00000"}),
    Request("0003109741", {}),
    Request("0000010105", {"area": SOME_AREAS}),
    Request("0000010106", {"area": SOME_AREAS}),
    Request("0000010109", {"area": SOME_AREAS}),
)

QUESTIONS = (
    (
        "Which prefectures grew and which shrank the most since 2000? (総人口, fiscal years)",
        """
WITH population AS (
  SELECT region_code, region_name,
         max(CASE WHEN year = 2000 THEN value END) AS in_2000,
         max_by(value, year) AS latest, max(year) AS latest_year
  FROM population_data
  WHERE dataset_id = '0000010101' AND category_code = 'A1101' AND region_code <> '00000' AND value IS NOT NULL
  GROUP BY region_code, region_name
), change AS (
  SELECT region_name, in_2000, latest, latest_year, round(100.0 * (latest - in_2000) / in_2000, 1) AS percent,
         row_number() OVER (ORDER BY (latest - in_2000) / in_2000 DESC) AS growth,
         row_number() OVER (ORDER BY (latest - in_2000) / in_2000) AS decline
  FROM population
)
SELECT region_name, in_2000, latest, latest_year, percent
FROM change WHERE growth <= 3 OR decline <= 3
ORDER BY percent DESC""",
    ),
    (
        "What share of demand was private consumption, quarter by quarter? (国内総生産, nominal)",
        """
SELECT year, quarter,
       max(CASE WHEN category_code = '11' THEN value END) AS gdp_10oku_yen,
       round(100 * max(CASE WHEN category_code = '12' THEN value END)
                 / max(CASE WHEN category_code = '11' THEN value END), 1) AS consumption_percent
FROM economy_data
WHERE dataset_id = '0003109741' AND time_kind = 'quarter'
GROUP BY year, quarter
ORDER BY year DESC, quarter DESC
LIMIT 6""",
    ),
    (
        "Which cells have no number, and why? (every dataset; a missing cell is NULL with its reason, never 0)",
        """
SELECT i.dataset_id, i.title, d.value_text AS symbol, d.missing_reason, count(*) AS cells
FROM (
  SELECT dataset_id, value, value_text, missing_reason FROM population_data
  UNION ALL SELECT dataset_id, value, value_text, missing_reason FROM labor_data
  UNION ALL SELECT dataset_id, value, value_text, missing_reason FROM education_data
  UNION ALL SELECT dataset_id, value, value_text, missing_reason FROM health_data{general}
) d JOIN dataset_inventory i ON i.dataset_id = d.dataset_id
WHERE d.value IS NULL
GROUP BY i.dataset_id, i.title, d.value_text, d.missing_reason
ORDER BY cells DESC, i.dataset_id
LIMIT 12""",
    ),
)
GENERAL = "\n  UNION ALL SELECT dataset_id, value, value_text, missing_reason FROM general_data"

NEXT = """
Try next:
  .venv/bin/estat search 人口                         find tables
  .venv/bin/estat describe 9900000007                 look at one: axes, codes, size
  .venv/bin/estat load 9900000003                     load it
  .venv/bin/estat query "SHOW TABLES"                 ask, in Athena SQL
  .venv/bin/estat status                              what the lake holds
  make dev                                            the Dagster web UI: every run, check and table of this demo
  export ESTAT_APP_ID=...                             real tables of e-Stat instead of the sandbox's
"""


@click.command()
def command() -> None:
    """Load datasets of several domains through all five layers, then ask three questions in SQL."""
    bench = Workbench()
    sandbox = bench.settings.uses_sandbox
    examples = SANDBOX_EXAMPLES if sandbox else ESTAT_EXAMPLES
    entries, failures = load_all(bench, examples)
    print_rows(COLUMNS, [row_of(entry) for entry in entries], "table")
    if failures:
        for words in failures:
            say(f"error: {words}")
        sys.exit(1)
    for question, sql in QUESTIONS:
        statement = sql.strip().format(general=GENERAL if sandbox else "")
        click.echo(f"\n{question}\n\n{statement}\n")
        result = bench.sql.run(statement)
        print_result(result, "table")
    click.echo(NEXT)
