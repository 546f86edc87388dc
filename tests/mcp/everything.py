"""The bridge with what the conformance suite wants to find: tools, resources and prompts of fixed names and answers.

`python -m tests.mcp.everything` serves on a free port of loopback and says the address on stderr.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Annotated, Any

import anyio
from mcp import MCPError
from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    INTERNAL_ERROR,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    CallToolResult,
    CreateMessageRequest,
    CreateMessageRequestParams,
    ElicitRequest,
    ElicitRequestFormParams,
    EmbeddedResource,
    EmptyResult,
    ImageContent,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    SetLevelRequestParams,
    SubscribeRequestParams,
    TextContent,
    TextResourceContents,
    UnsubscribeRequestParams,
)
from pydantic import BaseModel, Field

from mcp_bridge import server as bridge_server
from mcp_bridge.bridge import Bridge
from mcp_bridge.http import Door, serve_http
from mcp_bridge.logs import log_to_stderr
from mcp_bridge.tasks import Proceed, Task, Tasks

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = base64.b64encode(b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0").decode()
Call = Context[Any, Any]


def text(words: str) -> TextContent:
    return TextContent(type="text", text=words)


def embedded(uri: str, words: str, kind: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, text=words, mime_type=kind))


def test_simple_text() -> str:
    """Answer with a text."""
    return "This is a simple text response for testing."


def test_image_content() -> ImageContent:
    """Answer with a picture."""
    return ImageContent(type="image", data=PNG, mime_type="image/png")


def test_audio_content() -> AudioContent:
    """Answer with a sound."""
    return AudioContent(type="audio", data=WAV, mime_type="audio/wav")


def test_embedded_resource() -> EmbeddedResource:
    """Answer with a resource."""
    return embedded("test://embedded-resource", "This is an embedded resource content.")


def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
    """Answer with several kinds of content."""
    resource = embedded("test://mixed-content-resource", json.dumps({"test": "data", "value": 123}), "application/json")
    return [text("Multiple content types test:"), test_image_content(), resource]


def test_error_handling() -> str:
    """Fail."""
    raise ToolError("This tool intentionally returns an error for testing")


async def test_tool_with_logging(ctx: Call) -> str:
    """Send log messages."""
    for words in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        await ctx.info(words)
        await anyio.sleep(0.05)
    return "Logged."


async def test_tool_with_progress(ctx: Call) -> str:
    """Report progress."""
    for done in (0, 50, 100):
        await ctx.report_progress(done, 100)
        await anyio.sleep(0.05)
    return "Done."


async def test_sampling(prompt: str, ctx: Call) -> str:
    """Ask the client's model."""
    message = SamplingMessage(role="user", content=text(prompt))
    answer = await ctx.session.create_message(messages=[message], max_tokens=100, related_request_id=ctx.request_id)
    return f"LLM response: {answer.content}"


class Person(BaseModel):
    username: Annotated[str, Field(description="User's response")]
    email: Annotated[str, Field(description="User's email address")]


async def test_elicitation(message: str, ctx: Call) -> str:
    """Ask the user."""
    answer = await ctx.elicit(message, Person)
    return f"User response: {answer}"


DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
OPTIONS = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{n}", "title": f"Choice {n}"} for n in (1, 2, 3)]
ENUMS = {
    "untitledSingle": {"type": "string", "enum": OPTIONS},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"], "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": OPTIONS}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}


async def ask_form(ctx: Call, properties: dict[str, Any]) -> str:
    schema = {"type": "object", "properties": properties, "required": []}
    answer = await ctx.session.elicit_form("Please fill this in", schema, ctx.request_id)
    return f"Elicitation completed: action={answer.action}, content={answer.content}"


async def test_elicitation_sep1034_defaults(ctx: Call) -> str:
    """Ask with defaults."""
    return await ask_form(ctx, DEFAULTS)


async def test_elicitation_sep1330_enums(ctx: Call) -> str:
    """Ask with choices."""
    return await ask_form(ctx, ENUMS)


def elicit(message: str, name: str, kind: str = "string") -> ElicitRequest:
    schema = {"type": "object", "properties": {name: {"type": kind}}, "required": [name]}
    return ElicitRequest(params=ElicitRequestFormParams(message=message, requested_schema=schema))


def sample(prompt: str, most: int) -> CreateMessageRequest:
    messages = [SamplingMessage(role="user", content=text(prompt))]
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=messages, max_tokens=most))


ROUNDS: dict[str, list[dict[str, Any]]] = {
    "elicitation": [{"user_name": elicit("What is your name?", "name")}],
    "sampling": [{"capital_question": sample("What is the capital of France?", 100)}],
    "list_roots": [{"client_roots": ListRootsRequest()}],
    "request_state": [{"confirm": elicit("Please confirm", "ok", "boolean")}],
    "tampered_state": [{"confirm": elicit("Please confirm", "ok", "boolean")}],
    "multiple_inputs": [
        {
            "user_name": elicit("What is your name?", "name"),
            "greeting": sample("Generate a greeting", 50),
            "client_roots": ListRootsRequest(),
        }
    ],
    "multi_round": [
        {"step1": elicit("Step 1: What is your name?", "name")},
        {"step2": elicit("Step 2: What is your favorite color?", "color")},
    ],
}
STATEFUL = {"request_state", "tampered_state", "multiple_inputs", "multi_round"}


def asking_tool(kind: str) -> Any:
    """Return a tool that asks the client round by round; what came before is in the sealed state."""

    async def ask(ctx: Call) -> Any:
        given = ctx.input_responses or {}
        for number, wanted in enumerate(ROUNDS[kind], start=1):
            done = int((ctx.request_state or "0").rpartition(" ")[2])
            if done >= number or wanted.keys() <= given.keys():
                continue
            state = f"before {number - 1}" if kind in STATEFUL else None
            return InputRequiredResult(input_requests=wanted, request_state=state)
        return CallToolResult(content=[text(f"state-ok {sorted(given)} {given}")])

    ask.__name__ = f"test_input_required_result_{kind}"
    ask.__doc__ = "Ask the client before answering."
    return ask


async def test_input_required_result_capabilities(ctx: Call) -> Any:
    """Ask only what the client can answer."""
    capabilities = ctx.session.client_capabilities
    wanted: dict[str, Any] = {}
    if capabilities and capabilities.elicitation:
        wanted["user_name"] = elicit("What is your name?", "name")
    if capabilities and capabilities.sampling:
        wanted["greeting"] = sample("Generate a greeting", 50)
    if not wanted or ctx.input_responses:
        return CallToolResult(content=[text("Nothing to ask.")])
    return InputRequiredResult(input_requests=wanted)


async def test_missing_capability(ctx: Call) -> str:
    """Refuse a client that has no model."""
    capabilities = ctx.session.client_capabilities
    if not (capabilities and capabilities.sampling):
        wanted = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "The client has no model to ask.", wanted)
    return "It has one."


def greet(name: str) -> str:
    """Greet somebody."""
    return f"Hello, {name}!"


async def slow_compute(seconds: float = 0, label: str = "") -> str:
    """Take a while."""
    await anyio.sleep(seconds)
    return f"computed {label}"


async def failing_job() -> str:
    """Fail after a while."""
    await anyio.sleep(1)
    raise ToolError("The job failed.")


async def protocol_error_job() -> str:
    """Break."""
    raise MCPError(INTERNAL_ERROR, "The server broke.")


TOOLS = (
    test_simple_text, test_image_content, test_audio_content, test_embedded_resource, test_multiple_content_types,
    test_error_handling, test_tool_with_logging, test_tool_with_progress, test_sampling, test_elicitation,
    test_elicitation_sep1034_defaults, test_elicitation_sep1330_enums, test_input_required_result_capabilities,
    test_missing_capability, greet, slow_compute, failing_job, protocol_error_job,
)  # fmt: skip


class Background:
    """Tasks that run in this process."""

    def __init__(self) -> None:
        self.tasks: dict[str, Task] = {}
        self._scopes: dict[str, anyio.CancelScope] = {}
        self.group: anyio.abc.TaskGroup | None = None

    async def create(self, proceed: Proceed) -> Task:
        task_id, now = secrets.token_urlsafe(24), datetime.now(UTC)
        self.tasks[task_id] = task = Task(task_id, "working", now, now)
        self._scopes[task_id] = anyio.CancelScope()
        assert self.group
        self.group.start_soon(self._work, task_id, proceed)
        return task

    async def find(self, task_id: str) -> Task | None:
        return self.tasks.get(task_id)

    async def cancel(self, task_id: str) -> None:
        self._scopes[task_id].cancel()

    async def _work(self, task_id: str, proceed: Proceed) -> None:
        outcome: dict[str, Any] = {"status": "cancelled"}
        with self._scopes[task_id]:
            try:
                outcome = {"status": "completed", "result": await proceed()}
            except MCPError as error:
                outcome = {"status": "failed", "error": {"code": error.code, "message": error.message}}
        before = self.tasks[task_id]
        self.tasks[task_id] = Task(task_id, created=before.created, updated=datetime.now(UTC), **outcome)


def furnish(server: MCPServer[Any]) -> None:
    """Add what the suite asks for."""
    for tool in (*TOOLS, *map(asking_tool, ROUNDS)):
        server.add_tool(tool, structured_output=False)
    add_resources(server)
    add_prompts(server)
    low = server._lowlevel_server  # requests that the bridge itself has no use for
    low.add_request_handler("logging/setLevel", SetLevelRequestParams, accept)
    low.add_request_handler("resources/subscribe", SubscribeRequestParams, accept)
    low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, accept)


async def accept(ctx: Any, params: Any) -> EmptyResult:
    return EmptyResult()


def add_resources(server: MCPServer[Any]) -> None:
    @server.resource("test://static-text", description="A text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", description="A picture", mime_type="image/png")
    def static_binary() -> bytes:
        return base64.b64decode(PNG)

    @server.resource("test://template/{id}/data", description="A template", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def add_prompts(server: MCPServer[Any]) -> None:
    @server.prompt(description="Simple")
    def test_simple_prompt() -> str:
        return "This is a simple prompt for testing."

    @server.prompt(description="With arguments")
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt(description="With a resource")
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
        resource = embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt(description="With a picture")
    def test_prompt_with_image() -> list[UserMessage]:
        return [UserMessage(test_image_content()), UserMessage("Please analyze the image above.")]

    @server.prompt(description="Asks before it answers")
    async def test_input_required_result_prompt(ctx: Call) -> Any:
        if ctx.input_responses:
            return "Thank you."
        return InputRequiredResult(input_requests={"user_context": elicit("What context?", "context")})


async def main() -> None:
    store = Background()
    tasks = Tasks(["slow_compute", "failing_job", "protocol_error_job"], store, required=["failing_job"])
    bridge_server.tasks_of = lambda specs, bridge: tasks
    bridge = Bridge()  # a read-only one has no tasks
    log_to_stderr(bridge.hide)
    server = bridge_server.build_server(bridge)
    furnish(server)
    async with anyio.create_task_group() as group:
        store.group = group
        await serve_http(server, Door(port=0))
        group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main)
