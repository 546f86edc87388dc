"""The workgroup that the lake's queries run in: where results go, that they are encrypted, and the most a query scans.

The workgroup's own settings are enforced: no query can choose another place or a higher limit.
"""

from __future__ import annotations

from typing import Any

from estat_dagster.errors import ValidationError
from estat_dagster.query.athena.client import Client

GIGABYTE = 2**30
CUTOFF_BYTES = 10 * GIGABYTE
"""The most bytes that a query may scan unless said otherwise: about 5 US cents."""
LEAST_CUTOFF_BYTES = 10_000_000  # CreateWorkGroup, BytesScannedCutoffPerQuery

_SETUP = "Run `estat athena-setup`, or set ATHENA_WORKGROUP to a workgroup of the lake's own."


def configuration(output: str, cutoff_bytes: int = CUTOFF_BYTES) -> dict[str, Any]:
    """Return the workgroup's settings, as CreateWorkGroup takes them.

    Args:
        output: `s3://` location of the results.
        cutoff_bytes: the most bytes that a query may scan.
    """
    return {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": False,
        "BytesScannedCutoffPerQuery": cutoff_bytes,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        "ResultConfiguration": {
            "OutputLocation": output,
            "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        },
    }


def set_up(client: Client, name: str, output: str, cutoff_bytes: int = CUTOFF_BYTES) -> str:
    """Make the workgroup, or give the one that is there these settings. Returns `created`, `updated` or `unchanged`.

    Raises:
        ValidationError: the limit is lower than Athena takes, or the rights are missing.
    """
    if cutoff_bytes < LEAST_CUTOFF_BYTES:
        raise ValidationError(f"The limit is {cutoff_bytes:,} bytes; Athena takes {LEAST_CUTOFF_BYTES:,} or more.")
    wanted = configuration(output, cutoff_bytes)
    if name not in _names(client):
        client.call("create_work_group", Name=name, Configuration=wanted, Description="Queries of the e-Stat data lake")
        return "created"
    held = client.call("get_work_group", WorkGroup=name)["WorkGroup"]["Configuration"]
    if not shortcomings(held) and all(_value(held, path) == _value(wanted, path) for path in _COMPARED):
        return "unchanged"
    client.call("update_work_group", WorkGroup=name, ConfigurationUpdates=_as_update(wanted))
    return "updated"


def check(client: Client, name: str) -> dict[str, Any]:
    """Return the workgroup's settings if they bound what a query can cost.

    Raises:
        ValidationError: there is no such workgroup, it is switched off, or its settings let a query do more.
    """
    group = client.call("get_work_group", WorkGroup=name).get("WorkGroup")
    if not group:
        raise ValidationError(f"There is no Athena workgroup {name}.", hint=_SETUP, workgroup=name)
    held: dict[str, Any] = group["Configuration"]
    wrong = [*shortcomings(held), *(["it is disabled"] if group.get("State") == "DISABLED" else [])]
    if wrong:
        raise ValidationError(
            f"The Athena workgroup {name} is not safe to use: {'; '.join(wrong)}.",
            hint=_SETUP,
            workgroup=name,
        )
    return held


def shortcomings(held: dict[str, Any]) -> list[str]:
    """Return what a workgroup's settings lack."""
    result = held.get("ResultConfiguration", {})
    managed = held.get("ManagedQueryResultsConfiguration", {}).get("Enabled", False)
    lacks = {
        "queries may override its settings": not held.get("EnforceWorkGroupConfiguration"),
        "it has no limit of bytes a query": not held.get("BytesScannedCutoffPerQuery"),
        "it has no place for results": not result.get("OutputLocation") and not managed,
        "results are not encrypted": not result.get("EncryptionConfiguration") and not managed,
    }
    return [words for words, is_lacking in lacks.items() if is_lacking]


_COMPARED = (
    ("BytesScannedCutoffPerQuery",),
    ("EngineVersion", "SelectedEngineVersion"),
    ("ResultConfiguration", "OutputLocation"),
)


def _value(settings: dict[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = settings
    for part in path:
        value = value.get(part, {})
    return value


def _names(client: Client) -> set[str]:
    names: set[str] = set()
    token: dict[str, str] = {}
    while True:
        answer = client.call("list_work_groups", **token)
        names |= {group["Name"] for group in answer["WorkGroups"]}
        if not answer.get("NextToken"):
            return names
        token = {"NextToken": answer["NextToken"]}


def _as_update(wanted: dict[str, Any]) -> dict[str, Any]:
    """Return settings as UpdateWorkGroup names them."""
    others = {name: value for name, value in wanted.items() if name != "ResultConfiguration"}
    return {**others, "ResultConfigurationUpdates": wanted["ResultConfiguration"]}
