"""Types of parameters that several tools share."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

DIGITS = 10


def read_id(value: object) -> object:
    """Return a dataset's id of ten digits.

    A JSON number has lost its leading zeros and nothing else, so a whole number of at most ten digits is filled up with
    them: 10101 can only be 0000010101. A text is taken as it is, for a text with fewer digits may have lost others.

    Raises:
        ValueError: it is no id.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**DIGITS:
        return f"{value:0{DIGITS}d}"
    if not isinstance(value, str) or not re.fullmatch(rf"\d{{{DIGITS}}}", value.strip(), re.ASCII):
        raise ValueError(f"a dataset id (statsDataId) has ten digits{_nearly(value)}")
    return value.strip()


def read_optional_id(value: object) -> object:
    """Return an id as `read_id` does, or "" where none is given."""
    return "" if value == "" else read_id(value)


def _nearly(value: object) -> str:
    is_short = isinstance(value, str) and re.fullmatch(r"\d{1,9}", value.strip(), re.ASCII)
    return f"; if its zeros were lost it is {str(value).strip():0>{DIGITS}}" if is_short else ""


_SCHEMA = WithJsonSchema({"type": ["string", "integer"]})
DatasetId = Annotated[str, BeforeValidator(read_id), _SCHEMA]
"""The parameter type of a dataset's id: a string, or a number."""
OptionalDatasetId = Annotated[str, BeforeValidator(read_optional_id), _SCHEMA]
"""The same where the id may be left out: default ""."""
Cursor = Annotated[str, Field(description="a next_cursor")]
