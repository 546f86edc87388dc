"""The web UI as a person sees it, in a real browser: load a dataset from the launchpad, and look at what came of it.

Screenshots are left in data/screenshots to be looked at.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.doors.test_web import Web
from tests.ui.conftest import shot

pytestmark = pytest.mark.ui

POPULATION = "0000010101"
CHECK = [{"assetKey": {"path": ["population", "raw_json"]}, "name": "complete"}]


def test_a_dataset_is_registered_and_loaded_from_the_launchpad(web: Web, page: Any) -> None:
    page.goto("/locations/estat/jobs/register_and_ingest/playground")
    editor = page.locator(".CodeMirror").first
    editor.wait_for()
    text = f"ops:\n  register_and_load:\n    config:\n      dataset_ids: '{POPULATION}'\n"
    editor.evaluate("(node, text) => node.CodeMirror.setValue(text)", text)
    shot(page, "1-launchpad")
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("RUN_SUCCESS").first.wait_for(timeout=150_000)
    shot(page, "2-run")
    assert web.wait_for_load(POPULATION)["status"] == "SUCCESS"


def test_the_asset_shows_rows_metadata_and_the_picture(web: Web, page: Any) -> None:
    page.goto(f"/assets/population/iceberg_table?view=partitions&partition={POPULATION}")
    page.get_by_text("table_rows").first.wait_for()
    shot(page, "3-partition")
    page.get_by_text("[Show Markdown]").first.click()
    shown = page.locator("img[alt='one series of the data']")
    shown.wait_for()
    assert shown.evaluate("image => image.naturalWidth") > 300
    shot(page, "4-picture")


def test_the_overview_and_the_plots(web: Web, page: Any) -> None:
    page.goto("/assets/population/iceberg_table?view=overview")
    page.get_by_text("estat_iceberg_db.population_data").or_(page.get_by_text("population_data")).first.wait_for()
    shot(page, "5-overview")
    page.get_by_role("button", name="Plots").click()
    for fact in ("rows", "seconds", "table_bytes"):
        plot = page.get_by_text(fact, exact=True).first
        plot.scroll_into_view_if_needed()
        plot.wait_for()
    drawn = page.locator("canvas")
    drawn.nth(2).wait_for(state="attached")
    drawn.first.scroll_into_view_if_needed()
    inked = "canvas => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)"
    page.wait_for_function(inked, arg=drawn.first.element_handle())
    shot(page, "5-plots")


def test_the_checks_of_an_asset_and_why_one_failed(web: Web, page: Any) -> None:
    [raw] = (web.home / "data" / "lake" / "raw" / POPULATION).glob("*.json.gz")
    kept = raw.read_bytes()
    raw.write_bytes(kept + b"\n")
    run = web.launch(
        "ingest_population", {}, {"dagster/partition": POPULATION}, assetSelection=[], assetCheckSelection=CHECK
    )
    web.wait(run)
    raw.write_bytes(kept)
    page.goto("/assets/population/raw_json?view=checks&checkDetail=complete")
    page.get_by_text("is not the one that was fetched").first.wait_for()
    shot(page, "6-failing-check")


def test_a_domain_fits_one_screen(web: Web, page: Any) -> None:
    page.goto("/locations/estat/asset-groups/population")
    names = ["raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table"]
    for name in names:
        page.get_by_text(name, exact=True).first.wait_for()
    page.wait_for_timeout(3_000)
    shot(page, "7-domain")
    for name in names:
        box = page.get_by_text(name, exact=True).first.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < 1440
        assert 0 <= box["y"] < 1000


def test_the_schedules_and_the_alert_sensor_are_there_and_off(web: Web, page: Any) -> None:
    page.goto("/automation")
    page.get_by_text("refresh_daily").first.wait_for()
    names = ("refresh_daily", "look_over_daily", "maintain_weekly", "clean_up_monthly", "forget_runs_daily", "alerts")
    for name in names:
        page.get_by_text(name).first.wait_for()
    # The page draws its switches more than once: all are looked at in one moment.
    switches = "[...document.querySelectorAll('label[class*=formatSwitch] input[type=checkbox]')]"
    page.wait_for_function(f"count => {switches}.filter(one => !one.checked).length === count", arg=len(names))
    assert page.evaluate(f"() => {switches}.every(one => !one.checked)")
    shot(page, "8-automation")
