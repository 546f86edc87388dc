"""On which day each dataset was last compared with e-Stat, so that a refresh need not look further back than that.

A load knows the day on which it saw a table; a comparison that found it unchanged is as good, and it is kept here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec

from estat_dagster.lake import paths
from estat_dagster.lake.store import Store
from estat_dagster.telemetry import log

PATH = f"{paths.registry()}/compared.json"


class Compared(msgspec.Struct, frozen=True):
    """What a comparison found: UPDATED_DATE of what is held, the day in Japan, and whether e-Stat has no such table."""

    updated_date: str
    on: str
    is_gone: bool = False


_COMPARED = msgspec.json.Decoder(dict[str, Compared])


def read_compared(store: Store) -> dict[str, Compared]:
    """Return what is known, by dataset; nothing where the file cannot be read: then more is asked for once."""
    if not store.exists(PATH):
        return {}
    try:
        return _COMPARED.decode(store.read(PATH))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        log("refresh", f"{store.uri(PATH)} is damaged: {error}. It is written again.", level=logging.WARNING)
        return {}


def write_compared(store: Store, found: Mapping[str, Compared]) -> None:
    """Store what was found, beside what is known of other datasets."""
    store.write(PATH, msgspec.json.format(msgspec.json.encode({**read_compared(store), **found}), indent=1))
