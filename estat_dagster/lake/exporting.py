"""Rows for others: one CSV or Parquet file and `datapackage.json` in a folder, which appears whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from estat_dagster.errors import ValidationError
from estat_dagster.lake.csvtext import CsvWriter
from estat_dagster.lake.datapackage import DESCRIPTOR, Subject, describe
from estat_dagster.lake.problems import explaining

Form = Literal["csv", "parquet"]
PLACE = "Make space on the disk, or name a folder elsewhere that this user can write."


@dataclass(frozen=True)
class Exported:
    """What an export left: the data file, its rows and bytes."""

    file: Path
    rows: int
    size: int


def export(batches: pa.RecordBatchReader, subject: Subject, folder: Path, form: Form = "csv") -> Exported:
    """Write rows and their description into a folder, in place of an earlier export there.

    Rows pass through batch by batch.

    Args:
        batches: the rows.
        subject: what they are.
        folder: holds nothing but the export; made if it is not there.
        form: in CSV an absent value is nothing between two commas, and an empty text is "".

    Raises:
        ValidationError: the folder holds something else or is none of this machine's, or a column has no place there.
        StorageError: the folder cannot be written; what was there is as before.
    """
    name = f"{subject.name}.{form}"
    with explaining(f"{folder} could not be written", hint=PLACE):
        folder = _ours(folder)
        draft = folder.with_name(f".{folder.name}.{uuid.uuid4().hex[:12]}.tmp")
        draft.mkdir(parents=True)
        try:
            rows = _write(draft / name, batches, form)
            size, sha256 = _measure(draft / name)
            document = describe(subject, batches.schema, file=name, form=form, rows=rows, size=size, sha256=sha256)
            (draft / DESCRIPTOR).write_text(json.dumps(document, ensure_ascii=False, indent=2) + "\n", "utf-8")
            _put_in_place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return Exported(folder / name, rows, size)


def _ours(folder: Path) -> Path:
    """Return the folder itself where it is given by a link; refuse one where anything but an export stands."""
    if re.match(r"\w+:/", str(folder)):
        address = str(folder).replace(":/", "://", 1)  # as it was before Path made one slash of two
        raise ValidationError(f"{address} is no folder of this machine.", hint="Write it here, and copy it there.")
    folder = folder.resolve()
    if folder == Path.cwd():
        raise ValidationError(f"{folder} is the working folder.", hint="Name a new folder in it: --to export.")
    if not folder.exists():
        return folder
    held = {path.name for path in folder.iterdir()} if folder.is_dir() else {folder.name}
    data = {name for name in held if name.endswith((".csv", ".parquet"))}
    if held and not (DESCRIPTOR in held and len(data) == 1 and len(held) == 2):
        raise ValidationError(f"{folder} holds other files.", hint="Name a new folder, or one of an earlier export.")
    return folder


def _write(path: Path, batches: pa.RecordBatchReader, form: Form) -> int:
    rows = 0
    try:
        with _opened(path, batches.schema, form) as write:
            for batch in batches:
                write(batch)
                rows += len(batch)
    except pa.ArrowNotImplementedError as error:
        raise ValidationError(
            f"A column has a type that {form} does not have: {error}.", hint="CAST it to varchar in the SQL."
        ) from error
    return rows


@contextlib.contextmanager
def _opened(path: Path, schema: pa.Schema, form: Form) -> Iterator[Callable[[pa.RecordBatch], Any]]:
    if form == "csv":
        with path.open("wb") as stream:
            yield CsvWriter(stream, schema).write
    else:
        with pq.ParquetWriter(path, schema, compression="zstd") as writer:
            yield writer.write_batch


def _measure(path: Path) -> tuple[int, str]:
    with path.open("rb") as stream:
        return path.stat().st_size, hashlib.file_digest(stream, "sha256").hexdigest()


def _put_in_place(draft: Path, folder: Path) -> None:
    before = draft.with_name(f"{draft.name}.before")
    if folder.exists():
        folder.rename(before)
    try:
        draft.rename(folder)
    except OSError:
        if before.exists():
            before.rename(folder)
        raise
    shutil.rmtree(before, ignore_errors=True)
