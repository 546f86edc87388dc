r"""The statements that the tests put to the guard, kept as text: one a line, `# ` for a heading.

`\n`, `\r` and `\t` stand for those characters, `\\` for a backslash, `<U+200B>` for a character that cannot be seen.
"""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parent / "statements"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\"}
_ESCAPE = re.compile(r"\\([nrt\\])|<U\+([0-9A-F]{4,6})>")


def read(name: str) -> list[str]:
    """Return the statements of a file."""
    lines = (_FOLDER / f"{name}.txt").read_text("utf-8").split("\n")
    return [_ESCAPE.sub(_character, line) for line in lines if line and not line.startswith("# ")]


def _character(match: re.Match[str]) -> str:
    return _ESCAPES[match[1]] if match[1] else chr(int(match[2], 16))
