"""pandas-estat: `read_statsdata`, which reads one page of CSV; the caller goes on to the next page by hand."""

import pandas as pd
import pandas_estat
from common import APP_ID, Columns, Door, measure
from pandas_estat.base import BaseReader

AXES = {"tab": "観測値", "cat01": "市区町村の指標", "area": "地域", "time": "調査年"}


def read(door: Door) -> pd.DataFrame:
    BaseReader.url = property(lambda self: f"{door.address}/{self.QUERY}")
    pages, start = [], 1
    while start <= door.records:
        pages.append(pandas_estat.read_statsdata(door.table_id, start_position=start, appid=APP_ID))
        start += len(pages[-1])
    if len(pages) > 1:
        door.remarks.append("cannot page: the driver asks for each page")
    return pd.concat(pages, ignore_index=True)


def show(frame: pd.DataFrame) -> Columns:
    columns = {f"{axis}_code": frame[f"{axis}_code"] for axis in AXES}
    columns |= {f"{axis}_name": frame[name] for axis, name in AXES.items()}
    return columns | {name: frame[name] for name in ("value", "unit", "annotation")}


measure(read, show, ("pandas-estat", "pandas"))
