"""One dataset on its way through the steps, and what a step tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from estat_dagster.domains import Domain, get_domain
from estat_dagster.errors import DataError
from estat_dagster.estat.manifest import Manifest
from estat_dagster.estat.models import Metadata
from estat_dagster.estat.pages import StatsPage, parse_stats_page
from estat_dagster.lake.frames import Frames
from estat_dagster.lake.raw import RawPages
from estat_dagster.lake.registry import DatasetEntry
from estat_dagster.records.version import VERSION
from estat_dagster.workbench import Workbench

TRANSFORMED, VALIDATED = "transformed", "validated"
PREVIEW_ROWS = 10


@dataclass(frozen=True)
class StepResult:
    """What a step did: facts for people (all JSON), where its output is, and a few rows of it.

    `quality` is a report in Markdown and `shares` says where the rows went, kind -> rows, where a step judges rows.
    """

    facts: dict[str, Any]
    uri: str
    content_hash: str
    unchanged: bool = False
    rows: int | None = None
    table_name: str | None = None
    preview: list[dict[str, Any]] = field(default_factory=list)
    schema: pa.Schema | None = None
    quality: str = ""
    shares: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class DatasetJob:
    """One dataset on its way: the entry, its domain, and how to run."""

    bench: Workbench
    entry: DatasetEntry
    force: bool = False
    run_id: str | None = None

    @classmethod
    def of(cls, bench: Workbench, dataset_id: str, *, force: bool = False, run_id: str | None = None) -> DatasetJob:
        """Return the job of a registered dataset.

        Raises:
            DataError: it is not registered.
        """
        return cls(bench, bench.lake.registry.get_dataset_info(dataset_id), force, run_id)

    @property
    def domain(self) -> Domain:
        """The dataset's domain."""
        return get_domain(self.entry.domain)

    @property
    def dataset_id(self) -> str:
        """The dataset's id."""
        return self.entry.dataset_id

    @property
    def raw(self) -> RawPages[StatsPage]:
        """The dataset's raw pages."""
        return self.bench.lake.raw(self.dataset_id, parse_stats_page)

    def frames(self, step: str) -> Frames:
        """Return the dataset's staged rows of a step."""
        return self.bench.lake.frames(self.domain, self.dataset_id, step)

    def manifest(self) -> tuple[str, Manifest]:
        """Return where the newest manifest is, and the manifest.

        Raises:
            DataError: nothing was fetched yet.
        """
        found = self.raw.latest()
        if found is None:
            raise DataError(
                f"No raw pages of {self.dataset_id} are in the lake yet.",
                hint="Materialize raw_json first.",
                dataset_id=self.dataset_id,
            )
        return found[0], Manifest.from_json(found[1])

    def version(self) -> str:
        """Return what decides the rows: the mapping's version, the domain and the content."""
        _, manifest = self.manifest()
        return f"{VERSION}:{self.domain.name}:{manifest.content_hash}"

    def kept_report(self, frames: Frames, version: str) -> dict[str, Any] | None:
        """Return the report of frames that need not be made again: whole, of the same content, and not forced."""
        report = None if self.force else frames.report()
        return report if report and report["version"] == version and frames.are_whole(report) else None

    def metadata(self) -> Metadata:
        """Return table and axes, as the raw pages say."""
        _, manifest = self.manifest()
        return manifest.metadata(self.raw.read_checked(manifest.pages[0]))


def preview(frames: Frames) -> list[dict[str, Any]]:
    """Return the first rows of staged frames."""
    rows: list[dict[str, Any]] = [row for run in frames.runs()[:1] for row in run.slice(0, PREVIEW_ROWS).to_pylist()]
    return rows


def is_of_today(version: str) -> bool:
    """Whether what `DatasetJob.version` gave is of today's mapping."""
    return version.partition(":")[0] == VERSION


def content_of(version: str) -> str:
    """Return the content hash in what `DatasetJob.version` gave."""
    return version.rpartition(":")[2]
