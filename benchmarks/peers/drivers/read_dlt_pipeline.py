"""estat-api-dlt-helper as far as it goes: `load_estat_data` into Parquet files, in a folder of its own."""

import os
from pathlib import Path

# It keeps its state, and would send a word home, unless told otherwise before it is imported.
os.environ |= {"DLT_DATA_DIR": str(Path.cwd() / "dlt"), "RUNTIME__DLTHUB_TELEMETRY": "false"}

import dlt
import pyarrow.parquet as pq
from common import APP_ID, Columns, Door, measure
from estat_api_dlt_helper import EstatDltConfig, load_estat_data
from estat_api_dlt_helper.api.endpoints import ESTAT_ENDPOINTS
from read_dlt_helper import show as show_table


def read(door: Door) -> Path:
    ESTAT_ENDPOINTS["base_url"] = f"{door.json_address}/"
    folder = Path.cwd() / "lake" / door.table_id
    source = {"app_id": APP_ID, "statsDataId": door.table_id, "replaceSpChars": "0"}
    destination = {
        "destination": dlt.destinations.filesystem(folder.as_uri()),
        "dataset_name": "data",
        "table_name": "cells",
        "write_disposition": "append",
        "primary_key": None,
    }
    load_estat_data(EstatDltConfig(source=source, destination=destination), loader_file_format="parquet")
    return folder


def show(folder: Path) -> Columns:
    return show_table(pq.read_table(folder / "data" / "cells"))


measure(read, show, ("estat-api-dlt-helper", "dlt", "pyarrow"))
