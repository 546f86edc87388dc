"""Plain pandas, as an analyst writes it: json_normalize, a merge for each axis's labels, to_numeric."""

import pandas as pd
import requests
from common import APP_ID, Columns, Door, measure

AXES = ("tab", "cat01", "area", "time")


def read(door: Door) -> pd.DataFrame:
    session, pages, start = requests.Session(), [], 1
    while start:
        params = {"appId": APP_ID, "statsDataId": door.table_id, "startPosition": start}
        answer = session.get(f"{door.json_address}/getStatsData", params=params).json()
        data = answer["GET_STATS_DATA"]["STATISTICAL_DATA"]
        pages.append(pd.json_normalize(data["DATA_INF"]["VALUE"]))
        start = data["RESULT_INF"].get("NEXT_KEY")
    frame = pd.concat(pages, ignore_index=True)
    for axis in data["CLASS_INF"]["CLASS_OBJ"]:
        classes = axis["CLASS"] if isinstance(axis["CLASS"], list) else [axis["CLASS"]]
        labels = pd.DataFrame(classes)[["@code", "@name"]].set_axis([f"@{axis['@id']}", f"{axis['@id']}_name"], axis=1)
        frame = frame.merge(labels, how="left", on=f"@{axis['@id']}")
    frame["value"] = pd.to_numeric(frame["$"], errors="coerce")
    return frame.drop(columns="$")


def show(frame: pd.DataFrame) -> Columns:
    columns = {f"{axis}_code": frame[f"@{axis}"] for axis in AXES}
    columns |= {f"{axis}_name": frame[f"{axis}_name"] for axis in AXES}
    return columns | {"value": frame["value"], "unit": frame["@unit"], "annotation": frame["@annotation"]}


measure(read, show, ("pandas", "requests"))
