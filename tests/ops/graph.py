"""The graph as text: `python -m tests.ops.graph` writes graph.txt anew after a change that is meant."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
from dagster._core.definitions.freshness import TimeWindowFreshnessPolicy

from estat_dagster.definitions import build_defs

FILE = Path(__file__).with_name("graph.txt")


def describe(defs: dg.Definitions) -> str:
    """Return keys, then specs, checks, jobs, schedules and sensors, a line each."""
    graph = defs.resolve_asset_graph()
    keys = sorted(graph.get_all_asset_keys())
    lines = ["# assets", *(key.to_user_string() for key in keys)]
    lines += ["", "# what they are", *(line for key in keys for line in _asset(graph.get(key)))]
    lines += ["", "# checks", *sorted(_check(graph.get_check_spec(key)) for key in graph.asset_check_keys)]
    lines += ["", "# jobs", *(line for job in sorted(defs.resolve_all_job_defs(), key=_name) for line in _job(job))]
    repository = defs.get_repository_def()
    lines += ["", "# schedules", *(_schedule(each) for each in sorted(repository.schedule_defs, key=_name))]
    lines += ["", "# sensors", *(_sensor(each) for each in sorted(repository.sensor_defs, key=_name))]
    return "\n".join(lines) + "\n"


def _name(each: object) -> str:
    return str(each.name)  # type: ignore[attr-defined]


def _asset(node: object) -> Iterator[str]:
    yield f"{node.key.to_user_string()} [{node.group_name}] {node.description}"  # type: ignore[attr-defined]
    parents = ", ".join(sorted(key.to_user_string() for key in node.parent_keys))  # type: ignore[attr-defined]
    facts = {
        "owners": sorted(node.owners),  # type: ignore[attr-defined]
        "kinds": sorted(node.kinds),  # type: ignore[attr-defined]
        "tags": {k: v for k, v in sorted(node.tags.items()) if not k.startswith("dagster/kind")},  # type: ignore[attr-defined]
        "version": node.code_version,  # type: ignore[attr-defined]
        "partitions": getattr(node.partitions_def, "name", None),  # type: ignore[attr-defined]
        "after": parents,
        "metadata": sorted(node.metadata),  # type: ignore[attr-defined]
        "pools": sorted(node.pools or ()),  # type: ignore[attr-defined]
        "freshness": _freshness(node.freshness_policy),  # type: ignore[attr-defined]
    }
    yield "  " + "; ".join(f"{name} {value}" for name, value in facts.items() if value)


def _freshness(policy: object) -> str:
    if not isinstance(policy, TimeWindowFreshnessPolicy):
        return ""
    warn = policy.warn_window.to_timedelta().days if policy.warn_window else None
    return f"warns after {warn} days, fails after {policy.fail_window.to_timedelta().days}"


def _check(spec: object) -> str:
    stops = "stops the run" if spec.blocking else "tells"  # type: ignore[attr-defined]
    return f"{spec.asset_key.to_user_string()}:{spec.name} {stops}: {spec.description}"  # type: ignore[attr-defined]


def _job(job: dg.JobDefinition) -> Iterator[str]:
    tags = {name: value for name, value in job.tags.items() if not name.startswith(".dagster")}
    yield f"{job.name} {tags or ''} {job.description or ''}".rstrip()
    for node in job.nodes_in_topological_order:
        fields = getattr(node.definition, "config_schema", None)
        shown = getattr(getattr(fields, "config_type", None), "fields", None) or {}
        if shown and "__" not in node.name:
            yield f"  {node.name}: " + ", ".join(
                f"{name}={field.default_value!r}" if field.default_provided else name for name, field in shown.items()
            )


def _schedule(schedule: dg.ScheduleDefinition) -> str:
    when = f"{schedule.cron_schedule} {schedule.execution_timezone} {schedule.default_status.value}"
    return f"{schedule.name} -> {schedule.job_name} {when} {schedule.description}"


def _sensor(sensor: dg.SensorDefinition) -> str:
    return f"{sensor.name} {sensor.default_status.value} {sensor.description}"


if __name__ == "__main__":
    FILE.write_text(describe(build_defs()), "utf-8")
