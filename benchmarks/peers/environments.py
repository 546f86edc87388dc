"""A virtual environment for each reader, under data/peers, made when it is first needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.peers.readers import Reader

HOME = Path("data/peers")
_MARK = ".packages"


class NotReadyError(Exception):
    """A reader cannot be installed here; the text says why."""


def interpreter(reader: Reader) -> Path:
    """Return the Python that runs the reader, after installing what is not there yet.

    Raises:
        NotReadyError: there is no Python for it, or a package cannot be had.
    """
    if not reader.packages:
        return Path(sys.executable)
    folder = HOME / re.split(r"\W*==|\[", reader.packages[0])[0]
    python, mark = folder / "bin/python", folder / _MARK
    wanted = "\n".join(reader.packages)
    if not mark.exists() or mark.read_text("utf-8") != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _uv("venv", "--quiet", "--python", _find_python(reader), str(folder))
        _uv("pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *reader.packages)
        mark.write_text(wanted, "utf-8")
    return python


def _find_python(reader: Reader) -> str:
    for candidate in _candidates(reader.python):
        code = f"import sys; sys.exit(sys.version_info[:2] < {reader.python})"
        if subprocess.run([candidate, "-c", code], capture_output=True).returncode == 0:
            return candidate
    raise NotReadyError(f"it needs Python {'.'.join(map(str, reader.python))} or newer, and none is here")


def _candidates(oldest: tuple[int, int]) -> Iterator[str]:
    """Yield this interpreter, then the newer ones on PATH and those that pyenv keeps."""
    yield sys.executable
    for minor in range(oldest[1], oldest[1] + 4):
        if found := shutil.which(f"python3.{minor}"):
            yield found
        kept = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
        yield from map(str, sorted(kept.glob(f"3.{minor}.*/bin/python")))


def _uv(*arguments: str) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise NotReadyError("uv is not here: run `make setup`")
    environment = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", **os.environ}
    done = subprocess.run([uv, *arguments], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise NotReadyError(f"uv {arguments[0]} failed: {' '.join(done.stderr.split())[-300:]}")
