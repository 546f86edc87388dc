"""Bytes under names: one class over Arrow's file systems, local or S3. A file appears whole or not at all."""

from __future__ import annotations

import contextlib
import tempfile
import uuid
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from pyarrow import fs

from estat_dagster.lake.problems import explaining

CONNECT_SECONDS, ANSWER_SECONDS = 5, 60


class S3Retries(fs.AwsStandardS3RetryStrategy):  # type: ignore[misc]
    """Throttled or broken requests to S3 are repeated with growing waits, some seconds in all."""

    def __init__(self) -> None:
        super().__init__(max_attempts=6)


S3_PROPERTIES = {
    "s3.connect-timeout": str(CONNECT_SECONDS),
    "s3.request-timeout": str(ANSWER_SECONDS),
    "s3.retry-strategy-impl": f"{S3Retries.__module__}.{S3Retries.__qualname__}",
}
"""The same patience for PyIceberg, which opens S3 by itself."""

DRAFT = ".tmp"
"""How the name of a file ends that is still being written."""


class StoredFile(NamedTuple):
    """A file of the store: its path, its bytes, and when it was written."""

    path: str
    size: int
    written_at: datetime


class Store:
    """The files of a lake.

    Args:
        filesystem: an Arrow file system.
        root: the lake's folder or `bucket/prefix` in it, without a slash at the end.
        scheme: `file://` or `s3://`.
    """

    def __init__(self, filesystem: fs.FileSystem, root: str, scheme: str) -> None:
        self.filesystem, self._root, self._scheme = filesystem, root, scheme
        self._is_local = scheme == "file://"

    @classmethod
    def local(cls, home: Path) -> Store:
        """Return the store of a local folder, which is made when the first file is written."""
        return cls(fs.LocalFileSystem(), str(home), "file://")

    @classmethod
    def s3(cls, bucket: str, region: str | None, endpoint: str | None) -> Store:
        """Return the store of an S3 bucket; credentials are found as AWS's tools find them."""
        filesystem = fs.S3FileSystem(
            region=region,
            endpoint_override=endpoint,
            connect_timeout=CONNECT_SECONDS,
            request_timeout=ANSWER_SECONDS,
            retry_strategy=S3Retries(),
            allow_delayed_open=True,  # a small file is one request, not three
        )
        return cls(filesystem, bucket, "s3://")

    def uri(self, path: str = "") -> str:
        """Return where a path is, for people and other programs."""
        return f"{self._scheme}{self.full(path)}"

    def full(self, path: str = "") -> str:
        """Return the path as the file system knows it."""
        return f"{self._root}/{path}".rstrip("/")

    @contextlib.contextmanager
    def writing(self, path: str) -> Iterator[Any]:
        """Open a new file; it appears under its name when the block ends without an error.

        On S3 too it is written under another name first: closing a stream, which an error does as well, publishes it.

        Raises:
            StorageError: the lake cannot be written.
        """
        with self._explaining("written", path):
            target = self.full(path)
            draft = f"{target}.{uuid.uuid4().hex}{DRAFT}"
            if self._is_local:
                self.filesystem.create_dir(target.rpartition("/")[0], recursive=True)
            try:
                with self.filesystem.open_output_stream(draft, compression=None) as stream:
                    yield stream
            except BaseException:
                with contextlib.suppress(OSError):  # the error before it is the one to tell
                    self._remove_if_there(draft)
                raise
            self.filesystem.move(draft, target)

    def write(self, path: str, body: bytes) -> None:
        """Store bytes under a name, in place of what was there; on S3 in one request, which is whole or did not happen.

        Raises:
            StorageError: the lake cannot be written.
        """
        if self._is_local:
            with self.writing(path) as stream:
                stream.write(body)
        else:
            with (
                self._explaining("written", path),
                self.filesystem.open_output_stream(self.full(path), compression=None) as stream,
            ):
                stream.write(body)

    def read(self, path: str) -> bytes:
        """Return the bytes under a name.

        Raises:
            StorageError: there is no such file, or it cannot be read.
        """
        with self._explaining("read", path), self.filesystem.open_input_stream(self.full(path), compression=None) as s:
            return bytes(s.read())

    def open(self, path: str) -> Any:
        """Open a file for reading at any position."""
        with self._explaining("read", path):
            return self.filesystem.open_input_file(self.full(path))

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[Any]:
        """Open a file for a block that only reads it, at any position.

        Raises:
            DamagedError: what the block read makes no sense.
            StorageError: there is no such file, or it cannot be read.
        """
        with explaining(f"{self.uri(path)} could not be read", reading=True), self.open(path) as file:
            yield file

    def open_whole(self, path: str) -> Any:
        """Open a file that is read in many places: itself where it is local, a copy of it on this machine elsewhere."""
        with self._explaining("read", path):
            if self._is_local:
                return pa.OSFile(self.full(path))
            with tempfile.NamedTemporaryFile() as copy:  # open, it outlives its name
                copy.write(self.read(path))
                copy.flush()
                return pa.OSFile(copy.name)

    def exists(self, path: str) -> bool:
        """Whether there is a file of that name."""
        with self._explaining("read", path):
            return bool(self.filesystem.get_file_info(self.full(path)).type == fs.FileType.File)

    def size(self, path: str) -> int:
        """Return the bytes of a file."""
        with self._explaining("read", path):
            return int(self.filesystem.get_file_info(self.full(path)).size)

    def names(self, folder: str) -> list[str]:
        """Return the names of a folder's files, sorted; none where there is no such folder."""
        with self._explaining("read", folder):
            selector = fs.FileSelector(self.full(folder), allow_not_found=True)
            found = self.filesystem.get_file_info(selector)
            return sorted(info.base_name for info in found if info.type == fs.FileType.File)

    def path_of(self, uri: str) -> str | None:
        """Return the path of a file that is in this store, None where it is elsewhere."""
        root = f"{self.uri()}/"
        return uri.removeprefix(root) if uri.startswith(root) else None

    def walk(self, path: str) -> Iterator[StoredFile]:
        """Return a file, or every file below a folder; none where there is neither."""
        with self._explaining("read", path):
            found = self.filesystem.get_file_info(self.full(path))
            infos = [found]
            if found.type == fs.FileType.Directory:
                infos = self.filesystem.get_file_info(fs.FileSelector(self.full(path), recursive=True))
        for info in infos:
            if info.type == fs.FileType.File:
                yield StoredFile(info.path.removeprefix(f"{self._root}/"), info.size, info.mtime)

    def remove_below(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; one that is not there is no error."""
        with self._explaining("removed", path):
            kind = self.filesystem.get_file_info(self.full(path)).type
            if kind == fs.FileType.File:
                self.filesystem.delete_file(self.full(path))
            elif kind == fs.FileType.Directory:
                self.filesystem.delete_dir(self.full(path))

    def remove(self, path: str) -> None:
        """Remove a file; one that is not there is no error."""
        with self._explaining("removed", path):
            self._remove_if_there(self.full(path))

    def _remove_if_there(self, full: str) -> None:
        if self.filesystem.get_file_info(full).type == fs.FileType.File:
            self.filesystem.delete_file(full)

    def _explaining(self, verb: str, path: str) -> contextlib.AbstractContextManager[None]:
        return explaining(f"{self.uri(path)} could not be {verb}", uri=self.uri(path))
