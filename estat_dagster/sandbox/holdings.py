"""What the sandbox holds at a moment: tables, the datasets that clients registered, and catalogues of files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from estat_dagster.sandbox.model import Table, Wire


@dataclass(frozen=True)
class Dataset:
    """A registered part of a table (データセット): its narrowing parameters as they were given."""

    id: str
    table_id: str
    narrowing: Mapping[str, str]
    name: str | None = None
    public: bool = False


class File(NamedTuple):
    """A file of the data catalogue: how answers show it (RESOURCE, without its URL), and its bytes."""

    facts: Wire
    content: bytes

    @property
    def id(self) -> str:
        """The statInfId that its address has."""
        return str(self.facts["@id"])


class Catalog(NamedTuple):
    """Files that belong together (DATA_CATALOG_INF): what is said of all (DATASET), their field in four digits."""

    id: str
    facts: Wire
    field: str
    files: tuple[File, ...]


@dataclass(frozen=True)
class Holdings:
    """What a request may ask for. Registering changes `datasets`; `origin` is how the addresses of files begin."""

    tables: Mapping[str, Table]
    datasets: dict[str, Dataset] = field(default_factory=dict)
    catalogs: tuple[Catalog, ...] = ()
    origin: str = ""
