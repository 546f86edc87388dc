"""Loading a dataset again: unchanged, forced, revised, filtered; and what stays when a load fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from estat_dagster.assets.inventories import dataset_dimensions, dataset_inventory
from estat_dagster.assets.steps.job import DatasetJob
from estat_dagster.assets.steps.quarantine import write_quarantine
from estat_dagster.domains import get_domain
from estat_dagster.errors import ApiError, DataError, StorageError, ValidationError
from estat_dagster.lake import paths
from estat_dagster.records.quality import CONFLICTING
from estat_dagster.records.texts import TEXTS
from estat_dagster.sandbox.model import Cell, Table
from estat_dagster.sandbox.server import Sandbox
from tests.doors.lakeside import Lakeside

LABOR, OTHER = "0003005798", "0003425893"


def served(sandbox: Sandbox, dataset_id: str) -> Table:
    return sandbox.tables[dataset_id]


def test_loading_twice_leaves_the_rows_once_and_makes_no_new_snapshot(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    rows, snapshots = lakeside.rows(LABOR), lakeside.snapshots(LABOR)
    again = lakeside.load(LABOR)
    assert again.success
    assert lakeside.rows(LABOR) == rows
    assert lakeside.snapshots(LABOR) == snapshots
    for layer in ("raw_json", "transformed_frame", "validated_records", "parquet_file", "iceberg_table"):
        assert lakeside.facts(again, layer)["unchanged"] is True
    assert len(list((lakeside.home / "raw" / LABOR).glob("*.json.gz"))) == 1


def test_a_forced_load_writes_the_same_rows_again(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    rows, snapshots = lakeside.rows(LABOR), lakeside.snapshots(LABOR)
    assert lakeside.load(LABOR, force=True).success
    assert lakeside.snapshots(LABOR) == snapshots + 1
    assert [row | {"updated_at": None} for row in lakeside.rows(LABOR)] == [r | {"updated_at": None} for r in rows]


def test_a_revised_table_replaces_its_own_rows_and_no_others(lakeside: Lakeside, sandbox: Sandbox) -> None:
    lakeside.load(LABOR)
    lakeside.load(OTHER)
    others = lakeside.rows(OTHER)
    table = served(sandbox, LABOR)
    first, *rest = table.cells
    sandbox.replace(table.revised(updated="2024-09-30", cells=[first._replace(value="1"), *rest[:-1]]))
    assert lakeside.load(LABOR).success
    rows = lakeside.rows(LABOR)
    assert len(rows) == len(table.cells) - 1
    assert [row["value"] for row in rows if (row["cat02_code"], row["cat03_code"]) == ("00", "0")] == [1.0]
    assert lakeside.rows(OTHER) == others
    assert lakeside.entry(LABOR).updated_date == "2024-09-30"


def test_a_filter_holds_a_part_and_the_whole_table_replaces_it(lakeside: Lakeside) -> None:
    assert lakeside.load(LABOR, scope={"cat02": "08", "cat03": "1,2"}).success
    assert [row["value"] for row in lakeside.rows(LABOR)] == [92.0, 70.0]
    assert lakeside.entry(LABOR).loaded_scope == {"cat02": "08", "cat03": "1,2"}
    assert lakeside.load(LABOR).success
    assert len(lakeside.rows(LABOR)) == 2
    assert lakeside.load(LABOR, scope={}).success
    assert len(lakeside.rows(LABOR)) == 15


@pytest.mark.parametrize(
    ("scope", "words"),
    [({"cat09": "1"}, "has no axis"), ({"cat02": "08,99"}, "has no code 99"), ({"place": "1"}, "no axis")],
)
def test_a_filter_that_the_table_does_not_know_changes_nothing(
    lakeside: Lakeside, scope: dict[str, str], words: str
) -> None:
    lakeside.load(LABOR)
    entry = lakeside.entry(LABOR)
    with pytest.raises(ValidationError, match=words):
        lakeside.load(LABOR, scope=scope)
    assert lakeside.entry(LABOR) == entry


def test_an_unknown_table_leaves_no_trace(lakeside: Lakeside) -> None:
    with pytest.raises(ApiError, match="STATUS 300"):
        lakeside.load("0009999999")
    assert not (lakeside.home / "registry").exists()


def test_a_table_without_data_is_refused_and_said_in_the_registry(lakeside: Lakeside, sandbox: Sandbox) -> None:
    sandbox.replace(served(sandbox, LABOR).revised(updated="2024-09-30", cells=[]))
    outcome = lakeside.load(LABOR)
    assert not outcome.success
    assert "no data" in outcome.reason
    assert lakeside.entry(LABOR).status == "failed"
    assert not list((lakeside.home / "raw").rglob("*.json*"))


def conflicting(table: Table, copies: int) -> list[Cell]:
    """Return the table's cells, and some again with another value."""
    return [*table.cells, *(cell._replace(value="7") for cell in table.cells[:copies])]


def test_rows_that_contradict_one_another_are_quarantined_with_their_reason(
    lakeside: Lakeside, sandbox: Sandbox
) -> None:
    table = served(sandbox, "0000010101")
    sandbox.replace(table.revised(updated="2025-12-01", cells=conflicting(table, 2)))
    outcome = lakeside.load(table.id)
    assert outcome.success, outcome.reason
    assert "units_consistent" not in lakeside.failed_checks(outcome)
    rates = lakeside.facts(outcome, "validated_records")["rates"]
    assert sum(rates.values()) == pytest.approx(1)
    assert rates[f"quarantined: {CONFLICTING}"] == 4 / 674
    entry = lakeside.entry(table.id)
    assert (entry.record_count, entry.valid_count, entry.quarantined_count) == (674, 670, 4)
    quarantine = paths.quarantine(get_domain(lakeside.entry(table.id).domain), table.id)
    with lakeside.bench.lake.store.open(quarantine) as file:
        rejected = pq.read_table(file).to_pylist()
    assert [(row["reason"], row["source_page"]) for row in rejected] == [(CONFLICTING, 1)] * 4
    assert {row["source_position"] for row in rejected} == {1, 2, 673, 674}
    sandbox.replace(table)
    assert lakeside.load(table.id).success
    assert not lakeside.bench.lake.store.exists(quarantine)


def test_rejected_rows_are_stored_part_by_part_and_whole_or_not_at_all(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    job = DatasetJob.of(lakeside.bench, LABOR)
    path = lakeside.home / paths.quarantine(job.domain, LABOR)
    names = ["dataset_id", "cat02_code", "value", "source_page"]

    def parts(count: int) -> Iterator[pa.Table]:
        yield pa.table({"dataset_id": pa.array([], TEXTS), "reason": pa.array([], pa.string())})
        yield pa.table({"dataset_id": pa.array(["1"], TEXTS), "value": [1.0], "reason": ["a"]})
        yield pa.table({"dataset_id": pa.array(["2"], TEXTS), "cat02_code": pa.array(["x"], TEXTS), "reason": ["b"]})
        if count > 2:
            raise OSError("no more")

    write_quarantine(job, names, parts(2))
    rows = [
        {"dataset_id": "1", "value": 1.0, "cat02_code": None, "source_page": None, "reason": "a"},
        {"dataset_id": "2", "value": None, "cat02_code": "x", "source_page": None, "reason": "b"},
    ]
    assert pq.read_table(path).to_pylist() == rows
    with pytest.raises(StorageError, match="no more"):
        write_quarantine(job, names, parts(3))
    assert pq.read_table(path).to_pylist() == rows
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    write_quarantine(job, names, [])
    assert not path.exists()


def test_cells_of_a_measure_in_different_units_are_told(lakeside: Lakeside, sandbox: Sandbox) -> None:
    table = served(sandbox, LABOR)
    first, *rest = table.cells
    sandbox.replace(table.revised(updated="2024-09-30", cells=[first._replace(unit="億人"), *rest]))
    outcome = lakeside.load(LABOR)
    assert outcome.success, outcome.reason
    assert "units_consistent" in lakeside.failed_checks(outcome)


def test_too_many_bad_rows_stop_the_run_before_anything_is_published(lakeside: Lakeside, sandbox: Sandbox) -> None:
    lakeside.load(LABOR)
    rows = lakeside.rows(LABOR)
    table = served(sandbox, LABOR)
    sandbox.replace(table.revised(updated="2024-09-30", cells=conflicting(table, 3)))
    outcome = lakeside.load(LABOR)
    assert not outcome.success
    assert "quarantine_ratio" in outcome.reason
    assert lakeside.rows(LABOR) == rows
    entry = lakeside.entry(LABOR)
    assert (entry.status, entry.valid_count) == ("failed", 15)
    assert "quarantine_ratio" in str(entry.error)


def test_a_raw_page_that_was_changed_stops_what_is_made_of_it_and_the_next_load_fetches_it_again(
    lakeside: Lakeside,
) -> None:
    lakeside.load(LABOR)
    [page] = (lakeside.home / "raw" / LABOR).glob("*.json.gz")
    page.write_bytes(page.read_bytes()[:-1] + b"x")
    layer = dg.AssetKey(["labor", "transformed_frame"])
    result = lakeside.defs.resolve_job_def("ingest_labor").execute_in_process(
        instance=lakeside.instance,
        partition_key=LABOR,
        asset_selection=[layer],
        run_config={"ops": {"labor__transformed_frame": {"config": {"force": True}}}},
        raise_on_error=False,
    )
    [failed] = [event for event in result.all_events if event.is_step_failure]
    assert "SHA-256" in str(failed.step_failure_data.user_failure_data)
    again = lakeside.load(LABOR)
    assert again.success
    assert lakeside.facts(again, "raw_json")["unchanged"] is False
    assert lakeside.facts(again, "iceberg_table")["unchanged"] is True


def test_a_dataset_stays_in_the_domain_that_it_was_loaded_into(lakeside: Lakeside) -> None:
    lakeside.load(LABOR, domain="general")
    assert lakeside.entry(LABOR).domain == "general"
    assert lakeside.load(LABOR).success
    assert lakeside.entry(LABOR).domain == "general"
    with pytest.raises(ValidationError, match="already loaded as general"):
        lakeside.load(LABOR, domain="labor")
    (lakeside.home / f"registry/{LABOR}.json").unlink()
    with pytest.raises(ValidationError, match="are in general_data already"):
        lakeside.load(LABOR, domain="labor")
    assert lakeside.load(LABOR).success, "after the registry was lost"
    assert (lakeside.entry(LABOR).domain, lakeside.entry(LABOR).domain_reason) == (
        "general",
        "its rows are in general_data",
    )
    assert "labor_data" not in lakeside.bench.lake.tables.names()


def test_a_layer_can_be_redone_from_the_one_before_without_asking_estat(lakeside: Lakeside, sandbox: Sandbox) -> None:
    lakeside.load(LABOR)
    asked = len(sandbox.requests)
    job = lakeside.defs.resolve_job_def("ingest_labor")
    keys = [f"labor/{layer}" for layer in ("transformed_frame", "validated_records", "parquet_file", "iceberg_table")]
    result = job.execute_in_process(
        instance=lakeside.instance,
        partition_key=LABOR,
        asset_selection=[dg.AssetKey(key.split("/")) for key in keys],
        run_config={"ops": {key.replace("/", "__"): {"config": {"force": True}} for key in keys}},
    )
    assert result.success
    assert len(sandbox.requests) == asked
    assert len(lakeside.rows(LABOR)) == 15


def test_the_registry_that_cannot_be_read_says_which_file(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    Path(lakeside.home, "registry", f"{LABOR}.json").write_text("{", "utf-8")
    with pytest.raises(DataError, match=LABOR):
        lakeside.entry(LABOR)


def test_the_inventory_can_be_made_again_from_registry_and_raw_pages(lakeside: Lakeside) -> None:
    lakeside.load(LABOR)
    lakeside.load(OTHER)
    tables = lakeside.bench.lake.tables
    before = {name: sorted_rows(tables.load(name).scan().to_arrow()) for name in INVENTORIES}
    assert [row["dataset_id"] for row in before["dataset_inventory"]] == [LABOR, OTHER]
    assert len(before["dataset_dimensions"]) == sum(
        len(axis.items) for table_id in (LABOR, OTHER) for axis in lakeside.sandbox.tables[table_id].axes
    )
    for name in INVENTORIES:
        tables.load(name).delete(f"dataset_id = '{LABOR}'")
    result = dg.materialize(
        [dataset_inventory, dataset_dimensions], resources={"bench": lakeside.bench}, instance=lakeside.instance
    )
    assert result.success
    for asset in (dataset_inventory, dataset_dimensions):
        [found] = result.asset_materializations_for_node(asset.node_def.name)
        facts = {name: value.value for name, value in found.metadata.items()}
        assert (facts["datasets"], facts["table_rows"]) == (2, facts["dagster/row_count"])
        assert facts["table_snapshots"] >= 2
        assert facts["table_bytes"] > facts["table_files"] > 0
        assert facts["dagster/uri"].startswith(f"file://{lakeside.home}")
    after = {name: sorted_rows(tables.load(name).scan().to_arrow()) for name in INVENTORIES}
    assert after == before


def test_the_inventory_row_tells_what_was_loaded_and_whom_to_credit(lakeside: Lakeside) -> None:
    lakeside.load(LABOR, scope={"cat02": "08"})
    [row] = lakeside.bench.lake.tables.load("dataset_inventory").scan().to_arrow().to_pylist()
    assert row["scope"] == '{"cat02": "08"}'
    assert (row["status"], row["total_number"], row["record_count"], row["valid_count"]) == ("loaded", 3, 3, 3)
    assert row["table_name"] == "labor_data"
    assert row["snapshot_id"] == lakeside.bench.lake.tables.load("labor_data").current_snapshot().snapshot_id
    assert "労働力調査" in row["credit"]
    assert "国によって保証されたものではありません" in row["credit"]


INVENTORIES = ("dataset_inventory", "dataset_dimensions")


def sorted_rows(table: object) -> list[dict[str, object]]:
    rows = table.to_pylist()  # type: ignore[attr-defined]
    return sorted(rows, key=lambda row: (row["dataset_id"], row.get("axis_id", ""), row.get("position", 0)))
