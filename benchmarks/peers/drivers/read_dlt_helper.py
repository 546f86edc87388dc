"""estat-api-dlt-helper: each page through `parse_response`, its Arrow table with labels; the pages put together."""

import pyarrow as pa
from common import APP_ID, Columns, Door, measure
from estat_api_dlt_helper import EstatApiClient, parse_response

AXES = ("tab", "cat01", "area", "time")


def read(door: Door) -> pa.Table:
    client = EstatApiClient(APP_ID, base_url=f"{door.json_address}/")
    pages = client.get_stats_data_generator(door.table_id)
    return pa.concat_tables([parse_response(page) for page in pages], promote_options="default")


def show(table: pa.Table) -> Columns:
    columns = {f"{axis}_code": table.column(axis).to_pylist() for axis in AXES}
    for axis in AXES:
        columns[f"{axis}_name"] = [(item or {}).get("name") for item in table.column(f"{axis}_metadata").to_pylist()]
    for name in ("value", "unit", "annotation"):
        if name in table.column_names:
            columns[name] = [None if text == "" else text for text in table.column(name).to_pylist()]
    return columns


if __name__ == "__main__":
    measure(read, show, ("estat-api-dlt-helper", "dlt", "pyarrow"))
