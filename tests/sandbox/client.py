"""A client that asks a sandbox through HTTP and hands the answer on as it is."""

from __future__ import annotations

from typing import Any

import requests

from tests.replay import as_list

APP_ID = "any-application-id"


class Client:
    """Asks a sandbox through HTTP and returns the answer below its root: RESULT, PARAMETER and the data."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.session = requests.Session()

    def get(self, function: str, **params: Any) -> requests.Response:
        return self.session.get(f"{self.base_url}/json/{function}", params={"appId": APP_ID, **params}, timeout=30)

    def ask(self, function: str, **params: Any) -> dict[str, Any]:
        response = self.get(function, **params)
        assert response.status_code == 200
        [answer] = response.json().values()
        return answer

    def data(self, table_id: str, **params: Any) -> dict[str, Any]:
        return self.ask("getStatsData", statsDataId=table_id, **params)["STATISTICAL_DATA"]

    def values(self, table_id: str, **params: Any) -> list[dict[str, str]]:
        return as_list(self.data(table_id, **params).get("DATA_INF", {}).get("VALUE"))

    def ids(self, **params: Any) -> list[str]:
        listed = self.ask("getStatsList", **params)["DATALIST_INF"]
        return [table["@id"] for table in as_list(listed.get("TABLE_INF"))]

    def status(self, function: str, **params: Any) -> tuple[int, str]:
        result = self.ask(function, **params)["RESULT"]
        return result["STATUS"], result["ERROR_MSG"]
