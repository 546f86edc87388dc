"""Asking Dagster's GraphQL API, and what its refusals mean here."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from estat_dagster.errors import DataLakeError, NetworkError, RequestTimeoutError, UnknownError, ValidationError

SECONDS = 30.0

Facts = dict[str, Any]


class GraphQL:
    """Dagster's API at an address such as http://127.0.0.1:3000.

    Args:
        url: the address of the webserver.
        headers: what every request says besides, such as who asks.
        transport: how requests travel; None for HTTP. Requests to loopback never go through a proxy.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.is_lost = False
        """Whether the last request found nobody there."""
        self._identifies = bool(headers)
        self._http = httpx2.AsyncClient(
            headers=headers, timeout=SECONDS, trust_env=not _is_loopback(url), transport=transport
        )

    async def ask(self, document: str, **variables: Any) -> Facts:
        """Return the one field that the document asks for.

        Raises:
            NetworkError: no Dagster answers.
            RequestTimeoutError: no answer came in time.
            UnknownError: Dagster failed, or something else answers at the address, or something that asks for a token.
            ValidationError: this Dagster is read-only, or the token opens it not, or for reading alone.
        """
        try:
            response = await self._http.post(
                f"{self.url}/graphql", json={"query": document, "variables": variables}, follow_redirects=False
            )
        except httpx2.TimeoutException as error:
            raise RequestTimeoutError(f"Dagster at {self.url} did not answer in {SECONDS:.0f} s.") from error
        except httpx2.HTTPError as error:
            self.is_lost = True
            raise NetworkError(f"No Dagster answers at {self.url}.", hint="Start it with `make dev`.") from error
        if response.status_code in (401, 403):
            raise self._unopened(response.status_code)
        return _field(self.url, response)

    def _unopened(self, status: int) -> DataLakeError:
        """Return the error for a door that stays shut: without a token, any server may stand there."""
        kind = ValidationError if self._identifies else UnknownError
        return kind(
            f"What answers at {self.url} refused (HTTP {status}).",
            hint="Set DAGSTER_TOKEN to the operators' token of the `estat serve` there.",
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


def refused(what: str, answer: Facts) -> UnknownError:
    """Return the error for an answer of a type that says no."""
    words = (
        answer.get("message") or "; ".join(each["message"] for each in answer.get("errors", [])) or "it gave no reason"
    )
    return UnknownError(
        f"Dagster refused to {what}: {first_line(words)}", hint="The web UI shows more.", answer=answer["__typename"]
    )


def first_line(words: str) -> str:
    """Return the first line of a message that may hold a traceback."""
    return words.strip().partition("\n")[0]


def _field(url: str, response: httpx2.Response) -> Facts:
    try:
        body = response.json()
        errors, data = body.get("errors"), body.get("data")
    except (ValueError, AttributeError) as error:
        raise UnknownError(
            f"What answers at {url} is not Dagster (HTTP {response.status_code}).",
            hint="Set DAGSTER_URL to the address of the project's web UI.",
        ) from error
    if errors or not data:
        words = "; ".join(first_line(str(each.get("message"))) for each in errors or []) or "an empty answer"
        raise UnknownError(f"Dagster at {url} failed: {words}", hint="The log of its webserver says why.")
    [field] = data.values()
    if field["__typename"] == "UnauthorizedError":
        raise ValidationError(
            f"The Dagster at {url} is read-only.", hint="Set DAGSTER_URL to a webserver that may start runs."
        )
    return dict(field)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
