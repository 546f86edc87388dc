"""Loads from the command line: the Dagster instance of the project, opened once, and each load as a run in it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from estat_dagster.errors import DataError, StorageError
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.settings import project_root
from estat_dagster.workbench import Workbench

if TYPE_CHECKING:
    import dagster as dg


class Runner:
    """Registers and loads datasets; the runs, their logs and checks are in the web UI afterwards."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def load(
        self,
        dataset_id: str,
        *,
        force: bool,
        domain: str | None,
        scope: Mapping[str, str] | None,
        fetch: Mapping[str, Any] | None = None,
    ) -> DatasetEntry:
        """Load one dataset and return its entry; `fetch` is run configuration of the raw layer.

        Raises:
            DataLakeError: it could not be registered, or its run failed; the message says why.
        """
        from estat_dagster.assets.registering import register_dataset

        self._bench.lake.tables  # noqa: B018  a lake that cannot be written is told before anything is asked
        entry = register_dataset(self._bench, dataset_id, domain=domain, scope=scope)
        from estat_dagster.automation.loading import load_registered

        outcome = load_registered(
            self._definitions, self.instance, entry, force=force, fetch=fetch, asked_by="estat load"
        )
        if not outcome.success:
            raise DataError(outcome.reason, hint=f"Its run is {outcome.run_id} in the web UI (`make dev`).")
        return self._bench.lake.registry.get_dataset_info(dataset_id)

    @cached_property
    def _definitions(self) -> dg.Definitions:
        from estat_dagster.definitions import build_defs

        return build_defs(settings=self._bench.settings)

    @cached_property
    def instance(self) -> dg.DagsterInstance:
        """The instance of the project's dagster.yaml, whose paths are relative to its folder."""
        import dagster as dg

        home = project_root()
        os.environ["DAGSTER_HOME"] = str(home)
        os.chdir(home)
        warnings.filterwarnings("ignore", category=dg.PreviewWarning)
        try:
            return dg.DagsterInstance.get()
        except OSError as error:
            raise StorageError(
                f"Dagster's storage under {home} cannot be opened: {error}.",
                hint="Set DAGSTER_HOME to a folder that you can write.",
            ) from error
