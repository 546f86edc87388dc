"""The door: starting and stopping, and the tables and faults that may change meanwhile.

What is answered is `service`'s, what goes wrong `faults`', HTTP `listener`'s.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, NamedTuple

from estat_dagster.errors import ValidationError
from estat_dagster.sandbox import service
from estat_dagster.sandbox.damage import damaged, replacement
from estat_dagster.sandbox.delivery import Delivery, hindered, packed
from estat_dagster.sandbox.faults import Fault, FaultPlan, Kind
from estat_dagster.sandbox.holdings import Catalog, Dataset, Holdings
from estat_dagster.sandbox.listener import Listener
from estat_dagster.sandbox.model import Table

_KEPT_REQUESTS = 10_000


class SeenRequest(NamedTuple):
    """A request that came in: its path, and its parameters without the appId."""

    path: str
    params: Mapping[str, str]


class Sandbox:
    """An e-Stat API on loopback: `with Sandbox() as sandbox: fetch(sandbox.base_url)`.

    Args:
        tables: what it serves; None for the built-in catalogue, and its files.
        host: the address to listen on.
        port: the port, 0 for a free one.
        faults: what goes wrong, and how slow it is; nothing and not at all where it is not given.

    Attributes:
        requests: the last 10,000 requests, the oldest first.
        faults: the plan of what goes wrong, which may change at any time.

    Raises:
        ValidationError: it cannot listen there.
    """

    def __init__(
        self,
        tables: Iterable[Table] | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: FaultPlan | None = None,
    ) -> None:
        catalogs: tuple[Catalog, ...] = ()
        if tables is None:
            from estat_dagster.sandbox.tables import catalogue, files

            tables, catalogs = catalogue.catalogue(), files.catalogs()
        self.requests: deque[SeenRequest] = deque(maxlen=_KEPT_REQUESTS)
        self.faults = faults or FaultPlan()
        self._closing = threading.Event()
        self._tables = {table.id: table for table in tables}
        self._catalogs = catalogs
        self._datasets: dict[str, Dataset] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        try:
            self._http = Listener((host, port), self)
        except (OSError, OverflowError) as error:
            raise ValidationError(
                f"The sandbox cannot listen on {host}:{port}: {error}.",
                hint="Choose another port, or 0 for any that is free.",
            ) from error

    @property
    def base_url(self) -> str:
        """The address that takes the place of https://api.e-stat.go.jp/rest/3.0/app."""
        return f"{self._origin}{service.BASE_PATH}"

    @property
    def tables(self) -> Mapping[str, Table]:
        """What it serves at this moment, by id."""
        with self._lock:
            return dict(self._tables)

    @property
    def holdings(self) -> Holdings:
        """Everything it serves at this moment."""
        return Holdings(self.tables, self._datasets, self._catalogs, self._origin)

    @property
    def _origin(self) -> str:
        host, port = self._http.server_address[:2]
        return f"http://{host!s}:{port}"

    def replace(self, table: Table) -> None:
        """Serve this table from the next request on, in the place of one with the same id."""
        with self._lock:
            self._tables[table.id] = table

    def remove(self, table_id: str) -> None:
        """Serve this table no more, nor the datasets that are parts of it."""
        with self._lock:
            self._tables.pop(table_id, None)
            for dataset in [each for each in self._datasets.values() if each.table_id == table_id]:
                del self._datasets[dataset.id]

    def fail(self, kind: Kind | str, **limits: Any) -> None:
        """Let this go wrong from the next request on; `limits` are those of `Fault`, such as times or page."""
        self.faults.add(Fault(Kind(kind), **limits))

    def heal(self) -> None:
        """Let nothing go wrong any more."""
        self.faults.clear()

    def answer(self, method: str, path: str, app_id: str, params: Mapping[str, str], *, as_gzip: bool) -> Delivery:
        """Return what a request is answered with, when its time has come."""
        self.requests.append(SeenRequest(path, params))
        fault, seconds = self.faults.strike(path, params)
        self.wait(seconds)
        if fault is None:
            return packed(service.respond(method, path, app_id, params, self.holdings), as_gzip=as_gzip)
        table = self.tables.get(params.get("statsDataId", ""))
        if fault.kind is Kind.REPLACED and table is not None:
            self.replace(replacement(table))

        def respond(params: Mapping[str, str]) -> service.Response:
            return service.respond(method, path, app_id, params, self.holdings)

        response = damaged(fault, params, respond)
        return hindered(packed(response, as_gzip=as_gzip), fault)

    def wait(self, seconds: float) -> None:
        """Let time pass, but no more than until it stops."""
        if seconds > 0:
            self._closing.wait(seconds)

    def start(self) -> Sandbox:
        """Serve in a thread that ends with the process."""
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="sandbox", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Stop serving and close the port and every connection."""
        self._closing.set()
        if self._thread is not None:
            self._http.shutdown()
            self._thread.join()
            self._thread = None
        self._http.server_close()

    def serve_forever(self) -> None:
        """Serve in this thread until it is interrupted."""
        try:
            self._http.serve_forever()
        finally:
            self._closing.set()
            self._http.server_close()

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
