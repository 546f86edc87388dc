"""The schemas of a tool, read from its signature once: of its arguments, which are strict, and of its answer.

The SDK builds the same from a function, but twice over where unknown arguments shall be refused, and every start waits
for that.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase
from pydantic import ConfigDict, create_model

from mcp_bridge.answers import Answer

FAILED = {"required": ["error"]}
_KINDS = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    list: "array",
    NoneType: "null",
}


class Arguments(ArgModelBase):
    """The arguments of a tool; one that it does not know is refused."""

    model_config = ConfigDict(extra="forbid")


def arguments_model(name: str, parameters: Sequence[inspect.Parameter]) -> type[Arguments]:
    """Return the model of a tool's arguments."""
    fields: dict[str, Any] = {
        each.name: (each.annotation, ... if each.default is each.empty else each.default) for each in parameters
    }
    return create_model(f"{name}Arguments", __base__=Arguments, **fields)


def input_schema(model: type[Arguments]) -> dict[str, Any]:
    """Return the schema of arguments without the titles that pydantic adds and defaults that are nothing."""
    schema: dict[str, Any] = _compact(model.model_json_schema())
    return schema


def _compact(schema: Any) -> Any:
    """Return a JSON schema without those; a property may be named title."""
    if isinstance(schema, list):
        return [_compact(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _compact(each) for name, each in value.items()}
        if key in ("properties", "$defs")
        else _compact(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str)) and (key, value) != ("default", "")
    }


def output_schema(answer: type[Answer]) -> dict[str, Any]:
    """Return the schema of an answer: names and kinds, without what is inside: every client pays for each word of it.

    Either all that it names are there, or it is an error: clients hold the structured content of errors against it too.
    """
    names = answer.published or tuple(answer.model_fields)
    return {
        "type": "object",
        "properties": {name: _kind(answer.model_fields[name].annotation) for name in names},
        "anyOf": [{"required": list(names)}, FAILED],
    }


def _kind(annotation: Any) -> dict[str, Any]:
    parts = get_args(annotation) if isinstance(annotation, UnionType) else [annotation]
    kinds = [_KINDS.get(get_origin(part) or part, "object") for part in parts]
    return {"type": kinds[0] if len(kinds) == 1 else kinds}
