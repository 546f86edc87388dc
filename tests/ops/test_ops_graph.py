"""Nothing of the graph changes unseen: the text beside this file says what it is."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from estat_dagster.assets.advice import ADVICE
from estat_dagster.definitions import build_defs
from estat_dagster.errors import DataLakeError
from estat_dagster.settings import automation_is_on
from tests.ops.graph import FILE, describe


def test_the_graph_is_the_one_that_is_written_down() -> None:
    assert describe(build_defs()) == FILE.read_text("utf-8"), "Meant? Then: python -m tests.ops.graph"


def test_every_asset_says_what_it_is_and_where() -> None:
    graph = build_defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description
        assert node.owners
        assert node.kinds
        assert node.code_version
        assert node.tags["layer"]
        assert {"in_the_lake", "dagster/table_name"} & set(node.metadata) or node.group_name == "maintenance"
    assert all(graph.get_check_spec(key).description for key in graph.asset_check_keys)


def test_every_alarm_is_explained_where_operators_look() -> None:
    text = Path("docs/operations.md").read_text("utf-8")
    checks = {key.name for key in build_defs().resolve_asset_graph().asset_check_keys}
    assert checks == set(ADVICE)
    alarms = checks | {kind.kind for kind in DataLakeError.__subclasses__()} | {"run broke off", "RuntimeError"}
    assert [name for name in alarms if name not in text] == []


def test_every_field_of_a_form_is_explained_and_has_a_default() -> None:
    forms = [job for job in build_defs().resolve_all_job_defs() if not job.asset_layer.executable_asset_keys]
    seen = set()
    for job in forms:
        for node in job.nodes_in_topological_order:
            fields = getattr(node.definition.config_schema.config_type, "fields", {})  # type: ignore[union-attr]
            for name, field in fields.items():
                seen.add(name)
                assert field.description, (job.name, name)
                assert field.default_provided or name == "dataset_ids", (job.name, name)
    assert {"dataset_ids", "keep_days", "keep_fetches", "only_look", "force"} <= seen


@pytest.mark.parametrize(("word", "on"), [("on", True), ("1", True), ("TRUE", True), ("", False), ("off", False)])
def test_a_setting_lets_schedules_and_sensors_run(word: str, on: bool) -> None:
    assert automation_is_on({"ESTAT_AUTOMATION": word}) is on
    repository = build_defs(automation=on).get_repository_def()
    expected = dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED
    assert {each.default_status for each in repository.schedule_defs} == {expected}
    sensors = dg.DefaultSensorStatus.RUNNING if on else dg.DefaultSensorStatus.STOPPED
    assert [each.default_status for each in repository.sensor_defs if each.name == "alerts"] == [sensors]
