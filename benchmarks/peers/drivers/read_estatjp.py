"""estatjp: `get_csv_data`, which follows the pages of CSV."""

import os
from typing import Any

from common import APP_ID, Columns, Door, measure
from estatjp.api import get_csv_data

AXES = {"tab": "観測値", "cat01": "市区町村の指標", "area": "地域", "time": "調査年"}


def read(door: Door) -> Any:
    os.environ["ESTAT_APP_ID"] = APP_ID
    found = get_csv_data(f"{door.address}/getSimpleStatsData?appId=&statsDataId={door.table_id}")
    return found["Main"]


def show(frame: Any) -> Columns:
    columns = {f"{axis}_code": frame[f"{axis}_code"] for axis in AXES}
    columns |= {f"{axis}_name": frame[name] for axis, name in AXES.items()}
    return columns | {name: frame[name] for name in ("value", "unit", "annotation")}


measure(read, show, ("estatjp", "pandas"))
