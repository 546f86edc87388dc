"""pyestat: `get_stats_data` with its default rule, then `to_flat`, its table form."""

from common import APP_ID, Columns, Door, measure
from pyestat import EstatClient, EstatHttpClient

AXES = ("tab", "cat01", "area", "time")


def read(door: Door) -> tuple:
    client = EstatClient(http=EstatHttpClient(app_id=APP_ID, base_url=door.json_address), project_rules_dir=None)
    return client.get_stats_data(door.table_id).to_flat()


def show(rows: tuple) -> Columns:
    places = {f"{axis}_code": axis for axis in AXES if axis != "time"} | {"time_code": "time_code"}
    places |= {f"{axis}_name": f"{axis}_label" for axis in AXES}
    places |= {name: name for name in ("value", "unit", "annotation")}
    return {name: [row[key] for row in rows] for name, key in places.items() if key in rows[0]}


measure(read, show, ("pyestat", "httpx"))
