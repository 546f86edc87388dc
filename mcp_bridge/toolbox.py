"""How a function becomes a tool: a strict input schema, annotations, and one place where errors become answers.

A tool is a function of a module in `mcp_bridge.tools`, sync or async, whose first parameter is the `Bridge`. It returns
an `Answer` and raises a `DataLakeError` for what the caller can mend. `reading` or `writing` marks it; its docstring is
the description that the model reads, so it says in three or four sentences what it is for and when to use another.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.to_thread
import pydantic
from mcp import MCPError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import FuncMetadata
from mcp.types import CallToolResult, ToolAnnotations
from pydantic import Field

from estat_dagster.errors import DataLakeError, RequestTimeoutError, UnknownError
from mcp_bridge.answers import to_result, with_texts
from mcp_bridge.bridge import Bridge
from mcp_bridge.errors import to_failure, wrong_arguments
from mcp_bridge.following import Call, telling
from mcp_bridge.schemas import arguments_model, input_schema, output_schema

LOGGER = logging.getLogger("mcp_bridge")
CALL_SECONDS = 48.0
"""The most that any call takes: clients give up after 60."""


@dataclass(frozen=True)
class ToolSpec:
    """A function that is a tool, and how clients may treat it."""

    function: Callable[..., Any]
    annotations: ToolAnnotations

    @property
    def read_only(self) -> bool:
        """Whether it changes nothing."""
        return bool(self.annotations.read_only_hint)

    @property
    def starts_runs(self) -> bool:
        """Whether it answers with a run that goes on after the call."""
        return "wait_seconds" in inspect.signature(self.function).parameters and not self.read_only


def reading(title: str, *, open_world: bool = False) -> Callable[[Callable[..., Any]], ToolSpec]:
    """Mark a tool that changes nothing; `open_world` where it asks e-Stat."""
    hints = ToolAnnotations(
        title=title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=open_world
    )
    return lambda function: ToolSpec(function, hints)


def writing(
    title: str, *, destructive: bool = False, idempotent: bool = True, open_world: bool = False
) -> Callable[[Callable[..., Any]], ToolSpec]:
    """Mark a tool that starts or stops work; it is left out with --read-only."""
    hints = ToolAnnotations(
        title=title,
        read_only_hint=False,
        destructive_hint=destructive,
        idempotent_hint=idempotent,
        open_world_hint=open_world,
    )
    return lambda function: ToolSpec(function, hints)


class BridgeTool(Tool):
    """A tool that answers with facts or with an error in the form of the project, never with an exception's text."""

    hide: Callable[[str], str] = Field(default=str, exclude=True)
    can_load: bool = True

    async def run(self, arguments: dict[str, Any], context: Any, convert_result: bool = False) -> CallToolResult:
        """Run the tool, and take secrets and local paths out of its answer."""
        result = await self._run(arguments, context)
        return await anyio.to_thread.run_sync(with_texts, result, self.hide)

    async def _run(self, arguments: dict[str, Any], context: Any) -> CallToolResult:
        try:
            validated = self.fn_metadata.validate_arguments(self._given(arguments))
        except pydantic.ValidationError as error:
            return to_failure(wrong_arguments(self.name, error, self.parameters["properties"]))
        if self.context_kwarg:
            validated[self.context_kwarg] = context
        outcome: CallToolResult | MCPError
        async with telling(context, self.name):
            try:
                outcome = await self._answer(validated)
            except MCPError as error:
                outcome = error
        if isinstance(outcome, MCPError):
            raise outcome
        return outcome

    def _given(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments without null in the place of what may be left out: models send it for nothing."""
        required = self.parameters.get("required", [])
        optional = [name for name in self.parameters["properties"] if name not in required]
        return {name: value for name, value in arguments.items() if value is not None or name not in optional}

    async def _answer(self, arguments: dict[str, Any]) -> CallToolResult:
        """Return the answer or the failure, within the time that a call may take."""
        try:
            with anyio.move_on_after(CALL_SECONDS):
                answer = await self._call(arguments)
                answer._can_load = self.can_load
                return to_result(answer)
            return self._failed(too_slow(self.name))
        except DataLakeError as error:
            return self._failed(error)
        except MCPError:
            raise
        except Exception:
            LOGGER.exception("%s failed unexpectedly", self.name)
            return to_failure(UnknownError(f"{self.name} failed unexpectedly.", hint="The bridge's log says why."))

    def _failed(self, error: DataLakeError) -> CallToolResult:
        LOGGER.info("%s: %s", self.name, error)
        return to_failure(error, can_load=self.can_load)

    async def _call(self, arguments: dict[str, Any]) -> Any:
        if self.is_async:
            return await self.fn(**arguments)
        return await anyio.to_thread.run_sync(functools.partial(self.fn, **arguments), abandon_on_cancel=True)


def too_slow(tool: str) -> RequestTimeoutError:
    """Return the error of a call that was given up."""
    return RequestTimeoutError(
        f"{tool} took longer than the {CALL_SECONDS:.0f} s that a call may take.",
        hint="Ask for less at once, or try again: e-Stat, the lake or Dagster may be busy.",
    )


def build_tools(specs: Iterable[ToolSpec], bridge: Bridge) -> list[Tool]:
    """Return the tools of these functions, which work with the bridge."""
    return [_build(spec, bridge) for spec in specs]


def _build(spec: ToolSpec, bridge: Bridge) -> Tool:
    function, name = spec.function, spec.function.__name__
    signature = inspect.signature(function, eval_str=True)
    _, *parameters = signature.parameters.values()
    call = next((each.name for each in parameters if each.annotation is Call), None)
    arguments = arguments_model(name, [each for each in parameters if each.name != call])
    return BridgeTool(
        fn=functools.partial(function, bridge),
        name=name,
        title=None,  # its annotations have it
        description=inspect.getdoc(function) or "",
        parameters=input_schema(arguments),
        fn_metadata=FuncMetadata(arg_model=arguments, output_schema=output_schema(signature.return_annotation)),
        is_async=inspect.iscoroutinefunction(function),
        context_kwarg=call,
        annotations=spec.annotations,
        hide=bridge.hide,
        can_load=not bridge.read_only,
    )
