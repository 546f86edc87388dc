"""A small project for a test: a lake in a temporary folder, a sandbox, and an ephemeral Dagster instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from estat_dagster.assets.registering import register_dataset
from estat_dagster.automation.loading import Outcome, load_registered
from estat_dagster.definitions import build_defs
from estat_dagster.domains import get_domain
from estat_dagster.estat.scope import Filters
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.sandbox.model import Cell, Table
from estat_dagster.sandbox.server import Sandbox
from estat_dagster.settings import Settings
from estat_dagster.workbench import Workbench


@dataclass
class Lakeside:
    """Loads datasets and looks at what became of them."""

    home: Path
    sandbox: Sandbox
    app_id: str = "test-app"
    instance: dg.DagsterInstance = field(default_factory=dg.DagsterInstance.ephemeral)

    def __post_init__(self) -> None:
        self.settings = Settings(app_id=self.app_id, base_url=self.sandbox.base_url, lake_home=self.home)
        self.bench = Workbench(self.settings)
        self.defs = build_defs(settings=self.settings)

    def load(
        self,
        dataset_id: str,
        *,
        scope: Filters | None = None,
        domain: str | None = None,
        force: bool = False,
        fetch: Mapping[str, Any] | None = None,
    ) -> Outcome:
        register_dataset(self.bench, dataset_id, domain=domain, scope=scope)
        entry = self.entry(dataset_id)
        return load_registered(self.defs, self.instance, entry, force=force, fetch=fetch, asked_by="test")

    def carry_out(self) -> list[str]:
        """Run what was requested of the daemon, as it does, and return the ids of the runs."""
        runs = []
        requested = BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])
        for backfill in reversed(self.instance.get_backfills(requested)):
            assert backfill.asset_backfill_data is not None
            subsets = backfill.asset_backfill_data.target_subset.partitions_subsets_by_asset_key
            [partitions] = {tuple(sorted(subset.get_partition_keys())) for subset in subsets.values()}
            for partition in partitions:
                result = self.defs.resolve_implicit_global_asset_job_def().execute_in_process(
                    instance=self.instance,
                    partition_key=partition,
                    asset_selection=sorted(subsets),
                    run_config=backfill.run_config,
                    tags=backfill.tags,
                    raise_on_error=False,
                )
                runs.append(result.run_id)
            self.instance.update_backfill(backfill.with_status(BulkActionStatus.COMPLETED_SUCCESS))
        return runs

    def entry(self, dataset_id: str) -> DatasetEntry:
        return self.bench.lake.registry.get_dataset_info(dataset_id)

    def rows(self, dataset_id: str) -> list[dict[str, Any]]:
        """Return the dataset's rows in its Iceberg table."""
        return self.table(dataset_id).to_pylist()

    def table(self, dataset_id: str) -> pa.Table:
        name = get_domain(self.entry(dataset_id).domain).table_name
        return self.bench.lake.tables.load(name).scan(row_filter=f"dataset_id = '{dataset_id}'").to_arrow()

    def snapshots(self, dataset_id: str) -> int:
        name = get_domain(self.entry(dataset_id).domain).table_name
        return len(self.bench.lake.tables.load(name).snapshots())

    def events(self, outcome: Outcome, kind: dg.DagsterEventType) -> list[Any]:
        records = self.instance.all_logs(outcome.run_id, of_type=kind)
        return [record.dagster_event.event_specific_data for record in records if record.dagster_event]

    def failed_checks(self, outcome: Outcome) -> set[str]:
        found = self.events(outcome, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        return {evaluation.check_name for evaluation in found if not evaluation.passed}

    def facts(self, outcome: Outcome, layer: str) -> dict[str, Any]:
        """Return the metadata of a layer's materialization in a run."""
        for data in self.events(outcome, dg.DagsterEventType.ASSET_MATERIALIZATION):
            if data.materialization.asset_key.path[-1] == layer:
                return {name: value.value for name, value in data.materialization.metadata.items()}
        raise AssertionError(f"{layer} was not materialized")


def columns_of(table: Table) -> list[str]:
    """Return the lake's code column of each axis of a table, in the axes' order."""
    ids = [axis.id for axis in table.axes]
    names = {"tab": "tab_code", "cat01": "category_code", "area": "region_code", "time": "time_code"}
    return [names.get(axis, f"{axis}_code") for axis in ids]


def held_cells(rows: list[dict[str, Any]], table: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the lake's rows by their coordinates on the table's axes."""
    columns = columns_of(table)
    return {tuple(row[name] for name in columns): row for row in rows}


def is_plain_number(cell: Cell) -> bool:
    """Whether a cell of the sandbox is a number: digits, a point, a minus before them."""
    return cell.value.removeprefix("-").replace(".", "", 1).isdecimal()
