"""Holding on to a Dagster that the bridge keeps for itself (`keeper`): started at the first need, let go at the end."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from estat_dagster.errors import StorageError, UnknownError, ValidationError
from estat_dagster.settings import project_root

if TYPE_CHECKING:
    from anyio.abc import SocketStream

    from estat_dagster.settings import Settings

LOG = Path("data/dagster/bridge.log")


class Lease:
    """A connection to the keeper; while it is open, Dagster runs."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stream: SocketStream | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._url = ""
        self.keeper = ""

    @property
    def is_held(self) -> bool:
        """Whether a Dagster runs, or starts, because of this lease."""
        return bool(self._stream or self._process)

    async def hold(self) -> str:
        """Return the address of the Dagster, which is started where it does not run.

        A call that is cancelled goes on holding; the next one waits further. Whoever finds that it does not answer
        releases it.

        Raises:
            UnknownError: it could not start.
            ValidationError: the one that runs works on another lake.
        """
        if self.keeper:
            return self._url
        facts: dict[str, str] = {}
        while not facts:
            self._stream = self._stream or await self._connect()
            try:
                facts = json.loads(await self._stream.receive())
            except (anyio.EndOfStream, anyio.BrokenResourceError, OSError):
                await self.release()  # that keeper was about to end; the next one waits for it
        if "error" in facts or facts["lake"] != self._lake:
            await self.release()
            raise self._failed() if "error" in facts else self._of_another_lake()
        self.keeper, self._url = facts["keeper"], str(facts["url"])
        return self._url

    async def release(self) -> None:
        """Let go; the keeper ends Dagster when nobody else holds on."""
        stream, self._stream, self.keeper = self._stream, None, ""
        if stream:
            await stream.aclose()

    async def _connect(self) -> SocketStream:
        """Connect to the keeper, which is started where none listens."""
        path = self._socket()
        while True:
            try:
                stream = await anyio.connect_unix(path)
            except (FileNotFoundError, ConnectionRefusedError):
                self._process = self._running() or self._start(path)
                await anyio.sleep(0.05)
            else:
                self._process = None
                return stream

    def _running(self) -> subprocess.Popen[bytes] | None:
        """Return the keeper that was started and does not listen yet, also by a call that was cancelled meanwhile."""
        process, self._process = self._process, None
        if process and process.poll():
            raise self._failed()
        return process if process and process.poll() is None else None

    def _start(self, path: Path) -> subprocess.Popen[bytes]:
        home = project_root()
        environment = {**os.environ, "DAGSTER_HOME": str(home), "DATALAKE_HOME": str(self._settings.lake_home)}
        try:
            (home / LOG).parent.mkdir(parents=True, exist_ok=True)
            with (home / LOG).open("ab") as log:
                return subprocess.Popen(
                    [sys.executable, "-m", "mcp_bridge.dagster.keeper", str(path), str(home), self._lake],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
        except OSError as error:
            raise StorageError(
                f"The bridge's own Dagster cannot be started: {error.strerror}.",
                hint="Set DAGSTER_HOME to a folder that you can write.",
            ) from error

    def _socket(self) -> Path:
        """Return where the keeper of this project listens: in a folder of this user alone."""
        folder = Path(tempfile.gettempdir(), f"estat-datalake-{os.getuid()}", "bridge")
        for each in (folder.parent, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            if each.lstat().st_uid != os.getuid():  # of a link too: who owns it could lead it elsewhere
                raise StorageError(f"{each} belongs to another user.", hint="Remove it, or set another TMPDIR.")
            each.chmod(0o700)
        return folder / f"{hashlib.sha256(str(project_root()).encode()).hexdigest()[:16]}.sock"

    @property
    def _lake(self) -> str:
        """What the Dagster works on: the lake and where its data come from, as a fingerprint without secrets."""
        lake = self._settings.s3_bucket or str(self._settings.lake_home)
        names = f"{lake} {self._settings.base_url} {self._settings.uses_sandbox}"
        return hashlib.sha256(names.encode()).hexdigest()[:16]

    def _failed(self) -> UnknownError:
        return UnknownError(
            "The bridge's own Dagster could not start.",
            hint=f"{LOG} in the project's folder says why; `make dev` starts one by hand.",
        )

    def _of_another_lake(self) -> ValidationError:
        return ValidationError(
            "Another bridge keeps a Dagster of this project for another lake.",
            hint="Close it, or set another DAGSTER_HOME for this one.",
        )
