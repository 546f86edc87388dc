"""jpy-datareader: `get_data_estat_statsdata` with a limit that lets it read on after the first page."""

import jpy_datareader.estat
import pandas as pd
from common import APP_ID, Columns, Door, measure
from jpy_datareader.data import get_data_estat_statsdata

AXES = {"tab": "観測値", "cat01": "市区町村の指標", "area": "地域", "time": "調査年"}


def read(door: Door) -> pd.DataFrame:
    jpy_datareader.estat._BASE_URL = door.json_address
    return get_data_estat_statsdata(api_key=APP_ID, statsDataId=door.table_id, limit=10 * door.records)


def show(frame: pd.DataFrame) -> Columns:
    columns = {f"{axis}_code": frame[f"{name}コード"] for axis, name in AXES.items()}
    columns |= {f"{axis}_name": frame[name] for axis, name in AXES.items()}
    columns |= {"value": frame["値"], "unit": frame["単位"]}
    marks = [name for name in frame.columns if "注釈" in name or "annotation" in name]
    return columns | ({"annotation": frame[marks[0]]} if marks else {})


measure(read, show, ("jpy-datareader", "pandas"))
