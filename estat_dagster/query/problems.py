"""DuckDB's errors as ours: one line that names what was wrong, in Athena's words, without paths or DuckDB's insides."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from estat_dagster.errors import DataLakeError, StorageError, ValidationError
from estat_dagster.query.budget import too_much_memory
from estat_dagster.query.macros_values import FAILED
from estat_dagster.query.rewrites import RENAMED

_MISSING_COLUMN = re.compile(
    r'Referenced column "(?P<a>[^"]+)" (?:was )?not found|does not have a column named "(?P<b>[^"]+)"', re.IGNORECASE
)
_MISSING_ALIAS = re.compile(r'Referenced table "([^"]+)" not found')
_MISSING_FUNCTION = re.compile(r"Function with name \"?(\w+)\"? does not exist")
_WRONG_TYPES = re.compile(r"argument types '([^']*)'|function call \"([^\"]*)\"")
_WRONG_MACRO = re.compile(r"Macro (\w+)\(\) does not support")
_WHOLE_NUMBERS = {
    "BOOL": "boolean",
    "INT8": "tinyint",
    "INT16": "smallint",
    "INT32": "integer",
    "INT64": "bigint",
    "INT128": "bigint",
}
_CAST = re.compile(
    r"""Could not convert string ['"]+(?P<a>.*?)['"]+ to (?P<kind>\w+)|"""
    r"""invalid (?P<field>\w+) field format: ['"]+(?P<b>.*?)['"]+,"""
)
_FAILED = re.compile(f"Could not convert string '{FAILED}(.*?)' to INT32", re.DOTALL)
_SUBQUERY = re.compile(r"Cannot compare values of type (\S+) and (\S+) in IN/ANY/ALL clause")
_UNNESTED_MAP = "UNNEST() can only be applied to lists"
_COMPARED = re.compile(r"cannot compare (.+) with (.+)")
_OF_DUCKDB = {duckdb: athena for athena, duckdb in RENAMED.items()} | {
    "array_to_string": "array_join",
    "list_has_any": "arrays_overlap",
    "list_zip": "zip_with",
    "str_split": "split",
    "strftime": "date_format",
    "strptime": "date_parse",
}
_OF_FILES = ("IO", "HTTP", "Permission")
_OF_MEMORY = ("OutOfMemory", "Out of Memory")
_LONGEST = 200
_FILE = re.compile(r"([^/\s'\"]+\.parquet)\b")
_PATH = re.compile(r"(?:file:)?/[^\s'\"]*/[^\s'\"]*")


def unreadable(what: str, why: str) -> StorageError:
    """Return the error for a file of the lake that cannot be read: it names the file, without its place."""
    name = _FILE.search(why)
    return StorageError(
        f"{what}: {name[1]}." if name else f"{what}.",
        hint="`estat load ID --force` loads its dataset again; `estat maintain TABLE --repair` mends the whole table.",
    )


def translate(error: str, message: str, hint: str = "", *, columns: Iterable[str] = ()) -> DataLakeError:
    """Return our error for one of DuckDB's.

    Args:
        error: the name of its class.
        message: its words.
        hint: what to do, where the error is ours already.
        columns: names of the columns of the tables that the query names, for a better hint.
    """
    if error == "ValidationError":
        return ValidationError(message, hint=hint)
    if problem := _of_machine(error, message):
        return problem
    message = _words(message)
    if "Division by zero" in message or "inf can't be cast" in message:
        return ValidationError("Division by zero.", hint="Write NULLIF(divisor, 0) to have NULL there.")
    if problem := _of_types(message):
        return problem
    if found := _MISSING_COLUMN.search(message):
        return _missing_column(found["a"] or found["b"], columns)
    if found := _MISSING_ALIAS.search(message):
        return ValidationError(
            f"There is no table or alias {found[1]!r} in FROM.", hint="Qualify columns by the alias."
        )
    if found := _MISSING_FUNCTION.search(message):
        return ValidationError(f"The function {_plain(found[1])} is not available in the embedded engine.")
    if found := _WRONG_MACRO.search(message):
        return _wrong_types(_plain(found[1]))
    if found := _WRONG_TYPES.search(message):
        return _wrong_types(_plain(found[1] or found[2]))
    return ValidationError(_first_line(message), hint="Check the SQL against the tables' columns and types.")


def _of_machine(error: str, message: str) -> DataLakeError | None:
    """Return the error of files or memory. Arrow makes an OSError of any that comes while rows are read."""
    kind = message.partition(" Error: ")[0] if error == "OSError" else error.removesuffix("Exception")
    if kind in _OF_FILES:
        return unreadable("A data file of the lake could not be read", message)
    return too_much_memory() if kind in _OF_MEMORY else None


def _words(message: str) -> str:
    """Return the message of DuckDB, or the words of the macro that failed."""
    found = _FAILED.search(message)
    return found[1] if found else message


def _of_types(message: str) -> ValidationError | None:
    if _UNNESTED_MAP in message:
        return ValidationError(
            "UNNEST takes arrays here, and no maps.", hint="Write UNNEST(map_entries(m)) AS t(k, v); Athena takes both."
        )
    if found := _COMPARED.search(message) or _SUBQUERY.search(message):
        one, other = (_plain(kind.upper()).lower().replace("hugeint", "bigint") for kind in found.groups())
        return ValidationError(
            f"{one} and {other} cannot be compared.",
            hint="Write '01000' for a text, 2020 for a number, DATE '2020-04-01'.",
        )
    if found := _CAST.search(message):
        kind = (found["kind"] or found["field"]).lower()
        return ValidationError(
            f"The text {_plain(found['a'] or found['b'])!r} is no {_WHOLE_NUMBERS.get(kind.upper(), kind)}.",
            hint="TRY_CAST gives NULL there.",
        )
    return None


def _missing_column(name: str, columns: Iterable[str]) -> ValidationError:
    known = sorted(set(columns))
    near = difflib.get_close_matches(name.lower(), known, n=3)
    if near:
        return ValidationError(f"There is no column {name!r}.", hint=f"Did you mean {' or '.join(near)}?")
    hint = f"Columns: {', '.join(known)}." if known else "Name it with AS in the query, or in a table's alias."
    return ValidationError(f"There is no column {name!r}.", hint=hint)


def _wrong_types(what: str) -> ValidationError:
    name, bracket, types = what.partition("(")
    what = f"{_OF_DUCKDB.get(name, name)}{bracket}{types}"
    return ValidationError(f"{what} does not take arguments of these types.", hint="CAST the arguments first.")


def _first_line(message: str) -> str:
    line = message.partition("\n")[0]
    line = re.sub(r"^[A-Z][A-Za-z ]+ (?:Error|ERROR): ", "", line)
    line = re.sub(r" ?Use TRY\(.*| ?Use \"SET .*", "", line)
    line = _plain(_PATH.sub("a file", line)).strip().rstrip(".!")
    return f"{line or 'The query could not be run'}."


def _plain(text: str) -> str:
    """Return a text of DuckDB's in the words that a user knows, and not at any length."""
    text = re.sub(r"\btrino_|_LITERAL\b", "", text).replace("//", "/")
    text = re.sub(r"\bINT(?:8|16|32|64|128)\b", lambda match: _WHOLE_NUMBERS[match[0]], text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
