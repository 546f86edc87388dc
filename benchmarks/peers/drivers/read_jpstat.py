"""jpstat: `estat.get_data`, which gives the table and its NOTE as a second one."""

import pandas as pd
from common import APP_ID, Columns, Door, measure
from jpstat import estat
from jpstat.estat.api import API

NAMES = {"tab": "観測値", "cat01": "市区町村の指標", "area": "地域", "time": "調査年"}


def read(door: Door) -> tuple[pd.DataFrame, pd.DataFrame]:
    API.build_url = lambda self, mode: f"{door.json_address}/{mode}"
    found = estat.get_data(door.table_id, key=APP_ID)
    door.remarks.append("gives NOTE as a second table")
    return found


def show(found: tuple[pd.DataFrame, pd.DataFrame]) -> Columns:
    frame, _ = found
    columns = {f"{axis}_name": frame[name] for axis, name in NAMES.items()}
    columns |= {"value": frame["Value"], "unit": frame["@unit"]}
    return columns | ({"annotation": frame["@annotation"]} if "@annotation" in frame else {})


measure(read, show, ("jpstat", "pandas"))
