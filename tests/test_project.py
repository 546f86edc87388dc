"""What the repository promises of itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
import yaml

from estat_dagster.assets.checks import CHECKS
from estat_dagster.assets.layers import LAYERS
from estat_dagster.definitions import build_defs
from estat_dagster.domains import DOMAINS

ROOT = Path(__file__).resolve().parents[1]


def test_the_graph_is_five_layers_of_six_domains_with_their_checks() -> None:
    graph = build_defs().resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    layers = [layer.name for layer in LAYERS]
    assert layers == ["raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table"]
    expected = {f"{domain}/{layer}" for domain in DOMAINS for layer in layers}
    maintenance = {"compacted_files", "expired_snapshots", "removed_orphans"}
    assert keys == expected | {"dataset_inventory", "dataset_dimensions"} | maintenance
    names = {check.name for check in CHECKS}
    assert names == {
        "complete", "rows_conserved", "required_columns", "no_unexplained_nulls", "no_duplicates", "codes_known",
        "periods_parsed", "quarantine_ratio", "parquet_readable", "table_matches", "totals_reconcile",
        "units_consistent",
    }  # fmt: skip
    assert {key.name for key in graph.asset_check_keys} - names == {"no_dataset_left_failed", "every_table_kept"}
    assert len(graph.asset_check_keys) == len(names) * len(DOMAINS) + 1 + len(maintenance)


@pytest.mark.parametrize("domain", DOMAINS.values(), ids=lambda domain: domain.name)
def test_every_asset_says_what_it_is(domain: object) -> None:
    graph = build_defs().resolve_asset_graph()
    for layer in LAYERS:
        node = graph.get(dg.AssetKey([domain.name, layer.name]))  # type: ignore[attr-defined]
        assert node.description
        assert node.owners
        assert node.kinds
        assert node.code_version
        assert node.group_name == domain.name  # type: ignore[attr-defined]
        assert node.partitions_def == dg.DynamicPartitionsDefinition(name=f"{domain.name}_datasets")  # type: ignore[attr-defined]


def test_the_jobs_are_there_under_their_names() -> None:
    jobs = {job.name for job in build_defs().resolve_all_job_defs()}
    assert jobs >= {f"ingest_{domain}" for domain in DOMAINS} | {"register_and_ingest"}


def test_dagster_loads_the_workspace(tmp_path: Path) -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("dagster"), "definitions", "validate", "-w", "workspace.yaml"],
        cwd=ROOT,
        env={**os.environ, "DAGSTER_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_instance_settings_load_and_keep_everything_under_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text("utf-8"), "utf-8")
    monkeypatch.chdir(tmp_path)
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        assert instance.telemetry_enabled is False
        assert instance.get_runs() == []
    assert {path.name for path in tmp_path.iterdir()} == {"dagster.yaml", "data"}
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"dagster"}
    settings = yaml.safe_load((ROOT / "dagster.yaml").read_text("utf-8"))
    assert settings["concurrency"]["pools"]["default_limit"] == 4


def test_the_lock_pins_everything_with_hashes_and_names_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text("utf-8")
    pins = re.split(r"\n(?=[a-z0-9])", lock)
    assert len(pins) > 100
    assert all("==" in pin and "--hash=sha256:" in pin for pin in pins)
    assert "://" not in lock
    assert "index-url" not in lock


def test_every_dependency_has_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    block = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    lines = [line for line in block.splitlines() if line.strip().startswith('"')]
    unexplained = [line for line in lines if "#" not in line and "dagster~=" not in line]
    assert unexplained == []
