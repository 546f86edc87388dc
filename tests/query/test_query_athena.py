"""Athena through real HTTP: what is sent, what comes back with its types, and every way in which it can go wrong."""

from __future__ import annotations

import datetime as dt
import os
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from fake_athena import Answer, FakeAthena, serving
from pyiceberg.catalog import Catalog
from query_lake import NAMESPACE

from estat_dagster.errors import (
    DataError,
    DataLakeError,
    NetworkError,
    RequestTimeoutError,
    StorageError,
    UnknownError,
    ValidationError,
)
from estat_dagster.query.athena import executions, workgroup
from estat_dagster.query.athena.client import Client
from estat_dagster.query.athena.engine import AthenaEngine
from estat_dagster.query.athena.prices import cost_usd

GROUP = "estat-datalake"
SELECT = "SELECT year FROM population_data"


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[FakeAthena, Client]]:
    """A server and a client for all tests of this module: botocore takes its time to open one."""
    fake = FakeAthena()
    with serving(fake) as address, pytest.MonkeyPatch.context() as patch:
        configure(patch, address)
        yield fake, Client("ap-northeast-1", attempts=3)


def configure(patch: pytest.MonkeyPatch, address: str) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    patch.setenv("AWS_ENDPOINT_URL", address)
    patch.setenv("AWS_ACCESS_KEY_ID", "testing")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "hidden-key")


@pytest.fixture
def fake(service: tuple[FakeAthena, Client], monkeypatch: pytest.MonkeyPatch) -> FakeAthena:
    monkeypatch.setattr(executions, "FIRST_PAUSE", 0.001)
    service[0].reset()
    return service[0]


@pytest.fixture
def athena(fake: FakeAthena, service: tuple[FakeAthena, Client], lake: Catalog) -> AthenaEngine:
    return AthenaEngine(service[1], lake, NAMESPACE, group=GROUP, seconds=20)


def numbers(count: int) -> Answer:
    return Answer({"n": "bigint"}, [(str(n),) for n in range(count)])


def sent(fake: FakeAthena) -> dict[str, Any]:
    return fake.of("StartQueryExecution")[-1]


# What is sent.


def test_a_query_runs_in_the_workgroup_over_pinned_snapshots(
    fake: FakeAthena, athena: AthenaEngine, lake: Catalog
) -> None:
    athena.run("SELECT p.year FROM population_data p JOIN estat_iceberg_db.labor_data l ON p.year = l.year").close()
    ids = [
        lake.load_table((NAMESPACE, name)).current_snapshot().snapshot_id for name in ("population_data", "labor_data")
    ]
    assert sent(fake) == {
        "QueryString": f"SELECT p.year FROM population_data FOR VERSION AS OF {ids[0]} AS p "
        f"JOIN estat_iceberg_db.labor_data FOR VERSION AS OF {ids[1]} AS l ON p.year = l.year",
        "WorkGroup": GROUP,
        "QueryExecutionContext": {"Catalog": "AwsDataCatalog", "Database": NAMESPACE},
        "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}},
    }


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT now()",
        "SELECT year FROM population_data WHERE period_start < CURRENT_DATE",
        "SELECT rand()",
        "SELECT uuid()",
        'SELECT * FROM "population_data$snapshots"',
        "SELECT * FROM economy_data",  # no snapshot yet
        "SELECT * FROM population_data TABLESAMPLE BERNOULLI (10)",
    ],
)
def test_an_answer_that_may_change_is_never_a_stored_one(sql: str, fake: FakeAthena, athena: AthenaEngine) -> None:
    athena.run(sql).close()
    assert "ResultReuseConfiguration" not in sent(fake)


def test_as_of_is_put_to_every_table_that_says_nothing_itself(
    fake: FakeAthena, athena: AthenaEngine, lake: Catalog
) -> None:
    snapshots = [snapshot.snapshot_id for snapshot in lake.load_table((NAMESPACE, "population_data")).snapshots()]
    athena.run(
        "WITH w AS (SELECT * FROM population_data) "
        f"SELECT 1 FROM w, population_data FOR VERSION AS OF {snapshots[1]} AS b",
        as_of=snapshots[0],
    ).close()
    assert sent(fake)["QueryString"] == (
        f"WITH w AS (SELECT * FROM population_data FOR VERSION AS OF {snapshots[0]}) "
        f"SELECT 1 FROM w, population_data FOR VERSION AS OF {snapshots[1]} AS b"
    )
    with pytest.raises(ValidationError, match="no snapshot as old"):
        athena.run(SELECT, as_of="2001-01-01")


def test_values_travel_beside_the_sql_in_the_order_that_athena_reads(fake: FakeAthena, athena: AthenaEngine) -> None:
    values = ["it's", "", -5, 1.5, Decimal("1.10"), True, None, dt.date(2020, 4, 1)]
    marks = ", ".join("?" * len(values))
    athena.run(f"SELECT year, 'value_0 ?' FROM population_data WHERE gender IN ({marks}) LIMIT ?", [*values, 7]).close()
    assert sent(fake)["ExecutionParameters"] == [
        "'it''s'", "''", "-5", "DOUBLE '1.5'", "1.10", "TRUE", "NULL", "DATE '2020-04-01'", "7",
    ]  # fmt: skip
    assert sent(fake)["QueryString"].count("?") == len(values) + 2
    tokyo = dt.timezone(dt.timedelta(hours=9))
    athena.run("SELECT ?, ?", [dt.datetime(2020, 4, 1, 9, tzinfo=tokyo), dt.datetime(2020, 4, 1, 9)]).close()
    assert sent(fake)["ExecutionParameters"] == [
        "TIMESTAMP '2020-04-01 00:00:00.000000 UTC'", "TIMESTAMP '2020-04-01 09:00:00'",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "values", "words"),
    [
        (SELECT, [1], "0 \\? and 1 parameters"),
        ("SELECT ?", [], "1 \\? and 0 parameters"),
        ("SELECT ?", ["あ" * 1025], "1,027 characters"),
        ("SELECT ?", [object()], "no literal"),
        ("DELETE FROM population_data", [], "Only SELECT"),
        ("SELECT * FROM elsewhere.t", [], "no database"),
        ("SELECT * FROM populaton_data", [], "populaton_data"),
        ("SELECT * FROM population_data; DROP TABLE population_data", [], "2 statements"),
    ],
)
def test_what_is_wrong_is_refused_before_athena_hears_of_it(
    sql: str, values: list[object], words: str, fake: FakeAthena, athena: AthenaEngine
) -> None:
    with pytest.raises(ValidationError, match=words):
        athena.run(sql, values)
    assert not fake.of("StartQueryExecution")


def test_tables_and_columns_are_told_from_the_catalog(fake: FakeAthena, athena: AthenaEngine) -> None:
    assert athena.run("SHOW TABLES LIKE 'p*'").read_all().to_pydict() == {"tab_name": ["population_data"]}
    with pytest.raises(ValidationError, match="0 \\? and 1 parameters"):
        athena.run("SHOW TABLES", [1])
    described = athena.run("DESCRIBE population_data").read_all().to_pylist()
    assert described[1] == {"column": "year", "type": "integer", "comment": "year!"}
    assert not fake.requests


def test_a_list_of_tables_is_paged_too(athena: AthenaEngine) -> None:
    whole = athena.run("SHOW TABLES").read_all().column(0).to_pylist()
    seen: list[str] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        result = athena.run("SHOW TABLES", limit=2, cursor=cursor)
        seen += result.read_all().column(0).to_pylist()
        cursor, pages = result.cursor, pages + 1
        assert result.truncated == (cursor is not None)
    assert (seen, pages) == (whole, -(-len(whole) // 2))
    first = athena.run("SHOW TABLES", limit=1)
    first.read_all()
    with pytest.raises(ValidationError, match="another query"):
        athena.run("SHOW TABLES 'p*'", cursor=first.cursor)


def test_a_query_is_explained_without_a_price(fake: FakeAthena, athena: AthenaEngine) -> None:
    fake.next.append(Answer({"Query Plan": "varchar"}, [("Fragment 0",), (None,), ("  Output",)], statement="UTILITY"))
    assert athena.explain(f"{SELECT} WHERE year = ?", [2020]) == "Fragment 0\n\n  Output"
    assert sent(fake)["QueryString"].startswith("EXPLAIN SELECT year FROM population_data FOR VERSION AS OF")
    fake.next.append(Answer({"Query Plan": "varchar"}, [("Fragment 0",)], statement="UTILITY"))
    assert athena.run(f"EXPLAIN {SELECT}").cost_usd == 0


# What comes back.


def test_every_type_comes_back_as_itself(fake: FakeAthena, athena: AthenaEngine) -> None:
    columns = {
        "flag": "boolean", "tiny": "tinyint", "small": "smallint", "year": "integer", "big": "bigint", "real": "float",
        "value": "double", "price": "decimal(38,2)", "name": "varchar", "day": "date", "at": "timestamp",
        "then": "timestamp with time zone", "time": "time", "bytes": "varbinary", "list": "array", "json": "json",
    }  # fmt: skip
    rows = [
        ("true", "-128", "32767", "2020", "9223372036854775807", "1.5", "1.0E10", "-123456789012345678901234567890.10",
         "", "2020-02-29", "2020-04-01 09:00:00.123", "2020-04-01 09:00:00.123456 Asia/Tokyo", "23:59:59.000",
         "e6 9d b1", "[a, null]", "null"),
        (None,) * 16,
        ("false", "0", "0", "0", "0", "NaN", "-Infinity", "0.00", "NULL", "0001-01-01", "2020-04-01 09:00:00",
         "2020-04-01 00:00:00.000 UTC", "00:00:00.000", "", "[]", "{}"),
    ]  # fmt: skip
    fake.next.append(Answer(columns, rows))
    result = athena.run(SELECT)
    assert [column.type for column in result.columns] == [
        "boolean", "tinyint", "smallint", "integer", "bigint", "real", "double", "decimal(38,2)", "varchar", "date",
        "timestamp(6)", "timestamp(6) with time zone", "time(6)", "varbinary", "array", "json",
    ]  # fmt: skip
    first, nulls, last = result.read_all().to_pylist()
    assert list(first.values()) == [
        True, -128, 32767, 2020, 2**63 - 1, 1.5, 1e10, Decimal("-123456789012345678901234567890.10"), "",
        dt.date(2020, 2, 29), dt.datetime(2020, 4, 1, 9, 0, 0, 123000),
        dt.datetime(2020, 4, 1, 0, 0, 0, 123456, dt.UTC), dt.time(23, 59, 59), "東".encode(), "[a, null]", "null",
    ]  # fmt: skip
    assert set(nulls.values()) == {None}
    assert last["name"] == "NULL"
    assert last["bytes"] == b""
    assert str(last["real"]) == "nan"
    assert last["value"] == float("-inf")
    assert last["then"] == dt.datetime(2020, 4, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("integer", "1.5"), ("integer", ""), ("tinyint", "128"), ("decimal(3,1)", "1.25"), ("date", "2020-02-30"),
     ("boolean", "yes"), ("timestamp", "2020-04-01 09:00:00.123456789"), ("varbinary", "zz"),
     ("timestamp with time zone", "2020-04-01 09:00:00.000 Nowhere/Land")],
)  # fmt: skip
def test_a_value_that_is_not_of_its_type_is_never_guessed(
    kind: str, text: str, fake: FakeAthena, athena: AthenaEngine
) -> None:
    fake.next.append(Answer({"x": kind}, [(text,)]))
    with pytest.raises(DataError, match="column x"):
        athena.run(SELECT).read_all()


@pytest.mark.parametrize("count", [0, 1, 998, 999, 1000, 1999, 2500])
def test_rows_stream_page_by_page(count: int, fake: FakeAthena, athena: AthenaEngine) -> None:
    fake.next.append(numbers(count))
    result = athena.run(SELECT)
    assert len(fake.of("GetQueryResults")) == 1  # the rest is fetched as it is read
    assert result.read_all().column(0).to_pylist() == list(range(count))
    assert (result.row_count, result.truncated, result.cursor) == (count, False, None)


@pytest.mark.parametrize("limit", [1, 400, 999, 1000, 1300])
def test_a_cursor_goes_on_where_the_limit_cut_also_in_another_process(
    limit: int, fake: FakeAthena, service: tuple[FakeAthena, Client], lake: Catalog
) -> None:
    count = min(3 * limit + 1, 2600)
    fake.next.append(numbers(count))
    seen: list[int] = []
    cursor, pages = None, 0
    while pages == 0 or cursor:
        engine = AthenaEngine(service[1], lake, NAMESPACE, group=GROUP)  # it remembers nothing
        result = engine.run(SELECT, limit=limit, cursor=cursor)
        rows = result.read_all().column(0).to_pylist()
        cursor, pages = result.cursor, pages + 1
        assert result.truncated == (cursor is not None) == (len(seen) + len(rows) < count)
        seen += rows
    assert seen == list(range(count))
    assert pages == -(-count // limit)
    assert len(fake.of("StartQueryExecution")) == 1


def test_a_limit_of_exactly_all_rows_is_not_truncated(fake: FakeAthena, athena: AthenaEngine) -> None:
    for count in (999, 1000):
        fake.next.append(numbers(count))
        result = athena.run(SELECT, limit=count)
        assert result.read_all().num_rows == count
        assert (result.truncated, result.cursor) == (False, None)


def test_a_cursor_is_good_for_its_own_question_only(fake: FakeAthena, athena: AthenaEngine) -> None:
    fake.next.append(numbers(3))
    result = athena.run(SELECT, limit=2)
    result.read_all()
    for sql, words in ((f"{SELECT} WHERE year = 1", "another query"), (SELECT, None)):
        if words:
            with pytest.raises(ValidationError, match=words):
                athena.run(sql, cursor=result.cursor)
    with pytest.raises(ValidationError, match="not one of this engine's"):
        athena.run(SELECT, cursor="bm9uc2Vuc2U=")
    fake.queries[result.query_id].workgroup = "somebody-elses"
    with pytest.raises(ValidationError, match="expired"):
        athena.run(SELECT, cursor=result.cursor)
    fake.queries.clear()
    with pytest.raises(ValidationError, match=r"expired.*Run the query again"):
        athena.run(SELECT, cursor=result.cursor)


def test_the_price_is_five_dollars_a_terabyte_and_ten_megabytes_at_least(
    fake: FakeAthena, athena: AthenaEngine
) -> None:
    assert cost_usd(2**40) == 5.0
    assert cost_usd(0) == cost_usd(1) == cost_usd(10 * 2**20) == pytest.approx(0.0000476837)
    assert cost_usd(10 * 2**20 + 1) == pytest.approx(11 / 2**20 * 5)
    fake.next.extend([Answer(scanned=2**30), Answer(scanned=0, reused=True)])
    result = athena.run(SELECT)
    assert (result.bytes_scanned, result.cost_usd) == (2**30, 5 / 1024)
    assert athena.run(SELECT).cost_usd == 0


# What goes wrong.


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(states=["RUNNING", "FAILED"], reason="COLUMN_NOT_FOUND: line 1:8: Column 'yeer' cannot be resolved",
                failure={"ErrorCategory": 2, "ErrorType": 1100}), ValidationError, "'yeer'.*DESCRIBE"),
        (Answer(states=["FAILED"], reason="Query exhausted resources at this scale factor",
                failure={"ErrorCategory": 1, "ErrorType": 3}), ValidationError, "Narrow it"),
        (Answer(states=["FAILED"], reason="Query timeout", failure={"ErrorCategory": 2, "ErrorType": 210}),
         RequestTimeoutError, "Narrow it"),
        (Answer(states=["FAILED"], reason="HIVE_BAD_DATA: Malformed Parquet file",
                failure={"ErrorCategory": 2, "ErrorType": 1001}), DataError, "doctor"),
        (Answer(states=["FAILED"], reason="Permission denied on S3 path: s3://lake/x (Status Code: 403; AccessDenied)",
                failure={"ErrorCategory": 2, "ErrorType": 1300}), StorageError, "docs/athena.md"),
        (Answer(states=["FAILED"], reason="GENERIC_INTERNAL_ERROR: Slow down",
                failure={"ErrorCategory": 1, "ErrorType": 200}), StorageError, "Try again"),
        (Answer(states=["FAILED"], reason="", failure={"ErrorCategory": 3, "ErrorType": 9999}),
         UnknownError, "gives no reason"),
        (Answer(states=["FAILED"], reason="Something new"), UnknownError, "Something new"),
        (Answer(states=["RUNNING", "CANCELLED"], reason="Query cancelled! : Bytes scanned limit was exceeded"),
         ValidationError, "cut it off"),
        (Answer(states=["QUEUED", "CANCELLED"], reason="Query cancelled by user"), UnknownError, "Run it again"),
    ],
)  # fmt: skip
def test_a_query_that_fails_says_why_with_its_id_bytes_and_price(
    answer: Answer, kind: type[DataLakeError], words: str, fake: FakeAthena, athena: AthenaEngine
) -> None:
    answer.scanned = 5 * 2**30
    fake.next.append(answer)
    with pytest.raises(kind, match=words) as caught:
        athena.run(SELECT)
    assert type(caught.value) is kind
    query_id = next(iter(fake.queries))
    price = 0 if answer.states[-1] == "FAILED" else 25 / 1024
    assert f"{query_id} {answer.states[-1].lower()}" in str(caught.value)
    assert f"5,368,709,120 bytes scanned, about {price:.6f} USD" in str(caught.value)
    facts = {"query_id": query_id, "bytes_scanned": 5 * 2**30, "cost_usd": price, "athena_state": answer.states[-1]}
    assert caught.value.context.items() >= facts.items()


@pytest.mark.parametrize(
    ("status", "code", "message", "kind", "words"),
    [
        (400, "AccessDeniedException", "User is not authorized", ValidationError, "docs/athena.md"),
        (400, "UnrecognizedClientException", "The security token is invalid", ValidationError, "credentials"),
        (400, "ExpiredTokenException", "hidden-key", ValidationError, "Renew"),
        (400, "InvalidRequestException", "WorkGroup x is not found", ValidationError, "athena-setup"),
        (400, "InvalidRequestException", "line 1:8: mismatched input", ValidationError, "mismatched"),
    ],
)
def test_a_refused_request_says_why(
    status: int, code: str, message: str, kind: type[DataLakeError], words: str, fake: FakeAthena, athena: AthenaEngine
) -> None:
    fake.refusals.append((status, code, message))
    with pytest.raises(kind, match=words) as caught:
        athena.run(SELECT)
    assert "hidden-key" not in str(caught.value)


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_throttling_is_waited_out_and_given_up_on_in_the_end(
    code: str, fake: FakeAthena, athena: AthenaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_: 0)
    refusal = (400, code, "Rate exceeded")
    fake.refusals.extend([refusal] * 2)
    assert athena.run(SELECT).read_all().num_rows == 1
    fake.refusals.extend([refusal] * 3)
    with pytest.raises(StorageError, match="too much at once"):
        athena.run(SELECT)


def test_an_athena_that_cannot_be_reached_is_a_network_error(lake: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeAthena()
    with serving(fake) as address:
        pass
    configure(monkeypatch, address)
    engine = AthenaEngine(Client("ap-northeast-1", attempts=1), lake, NAMESPACE, group=GROUP)
    with pytest.raises(NetworkError, match="cannot be reached"):
        engine.run(SELECT)


def test_a_query_that_takes_too_long_is_stopped(
    fake: FakeAthena, service: tuple[FakeAthena, Client], lake: Catalog
) -> None:
    fake.next.append(Answer(states=["QUEUED", "RUNNING"]))
    engine = AthenaEngine(service[1], lake, NAMESPACE, group=GROUP, seconds=0.05)
    with pytest.raises(RequestTimeoutError, match=r"took longer than 0\.05 s and was stopped"):
        engine.run(SELECT)
    assert fake.stopped == list(fake.queries)


@pytest.mark.parametrize("gone", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_query_is_stopped_when_its_caller_goes_away(
    gone: type[BaseException], fake: FakeAthena, athena: AthenaEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.next.append(Answer(states=["RUNNING"]))

    def interrupt(_: float) -> None:
        raise gone

    monkeypatch.setattr(time, "sleep", interrupt)
    with pytest.raises(gone):
        athena.run(SELECT)
    assert fake.stopped == list(fake.queries)


def test_a_query_is_cancelled_from_another_thread(fake: FakeAthena, athena: AthenaEngine) -> None:
    fake.next.append(Answer(states=["RUNNING"], reason="Query cancelled by user"))
    started: list[str] = []
    met: list[BaseException] = []

    def ask() -> None:
        try:
            athena.run(SELECT, on_start=started.append)
        except UnknownError as error:
            met.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert fake.asked.wait(20)
    assert athena.cancel(started[0])
    thread.join(20)
    assert "cancelled" in str(met[0])
    assert athena.cancel(started[0]) is False


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"EnforceWorkGroupConfiguration": False}, "override"),
        ({"BytesScannedCutoffPerQuery": None}, "limit of bytes"),
        ({"ResultConfiguration": {"OutputLocation": "s3://x/"}}, "not encrypted"),
        ({"ResultConfiguration": {}}, "no place for results"),
    ],
)
def test_no_query_runs_in_a_workgroup_that_does_not_bound_it(
    change: dict[str, Any], words: str, fake: FakeAthena, athena: AthenaEngine
) -> None:
    fake.workgroup = {name: value for name, value in ((fake.workgroup or {}) | change).items() if value is not None}
    with pytest.raises(ValidationError, match=words):
        athena.run(SELECT)
    assert not fake.of("StartQueryExecution")


def test_a_workgroup_that_is_not_there_is_told(fake: FakeAthena, athena: AthenaEngine) -> None:
    fake.workgroup = None
    with pytest.raises(ValidationError, match="athena-setup"):
        athena.run(SELECT)


def test_the_workgroup_is_made_checked_and_mended(fake: FakeAthena, service: tuple[FakeAthena, Client]) -> None:
    client, output = service[1], "s3://lake/athena-results/"
    fake.workgroup = None
    assert workgroup.set_up(client, GROUP, output) == "created"
    assert workgroup.check(client, GROUP)["BytesScannedCutoffPerQuery"] == 10 * 2**30
    assert workgroup.set_up(client, GROUP, output) == "unchanged"
    assert workgroup.set_up(client, GROUP, output, 2**30) == "updated"
    assert fake.workgroup
    fake.workgroup["EngineVersion"] = {"SelectedEngineVersion": "Athena engine version 2"}
    assert workgroup.set_up(client, GROUP, output, 2**30) == "updated"
    assert workgroup.set_up(client, GROUP, output, 2**30) == "unchanged"
    assert workgroup.check(client, GROUP)["BytesScannedCutoffPerQuery"] == 2**30
    for path in ("s3://elsewhere/", output):
        assert workgroup.set_up(client, GROUP, path, 2**30) == "updated"
        assert fake.workgroup["ResultConfiguration"]["OutputLocation"] == path
    fake.workgroup["EnforceWorkGroupConfiguration"] = False
    assert workgroup.set_up(client, GROUP, output, 2**30) == "updated"
    assert workgroup.check(client, GROUP)["EnforceWorkGroupConfiguration"] is True
    with pytest.raises(ValidationError, match="10,000,000 or more"):
        workgroup.set_up(client, GROUP, output, 9_999_999)
