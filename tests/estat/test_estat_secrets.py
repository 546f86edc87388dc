"""The appId travels in every URL and is written nowhere: no error, no cause of one, no traceback, no log line."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator

import pytest

from estat_dagster.errors import DataLakeError
from estat_dagster.estat.client import EstatClient, Patience
from estat_dagster.estat.secrets import URL_LOGGERS, guard_loggers, scrub
from estat_dagster.telemetry import JsonFormatter
from tests.estat.answers import TABLE_ID, WEB_PAGE, body, refusal, stats_data
from tests.estat.loopback import CUT, RESET, SILENT, STALLED, Loopback, Reply

SECRET = "0123456789abcdefSECRET0123456789abcdef"
LOOP = {"Location": f"?appId={SECRET}"}
FAULTS = {
    "a refusal": Reply(refusal(100)),
    "a web page": Reply(WEB_PAGE, status=503),
    "no such page": Reply(WEB_PAGE, status=404),
    "broken gzip": Reply(b"x", headers={"Content-Encoding": "gzip"}),
    "a body cut short": Reply(body(stats_data([{"$": "1"}])), fault=CUT),
    "a reset connection": Reply(fault=RESET),
    "silence": Reply(fault=SILENT),
    "silence after half of the body": Reply(WEB_PAGE, fault=STALLED),
    "redirections without end": Reply(status=302, headers=LOOP),
    "a redirection to no address": Reply(status=302, headers={"Location": f"nonsense://x?appId={SECRET}"}),
    "a redirection to nowhere": Reply(status=302, headers={"Location": f"http://127.0.0.1:1/?appId={SECRET}"}),
}


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Every error behind an error, those that `from None` hides as well."""
    while error is not None:
        yield error
        yield from chain(error.__cause__)
        error = error.__context__


def check_silent(error: DataLakeError, logs: pytest.LogCaptureFixture) -> None:
    for each in chain(error):
        texts = [str(each), repr(each), repr(each.args), repr(vars(each)), *traceback.format_exception(each)]
        assert not [text for text in texts if SECRET in text]
    assert SECRET not in json.dumps(error.to_dict(), default=str, ensure_ascii=False)
    formatter = JsonFormatter()
    for record in logs.records:
        assert SECRET not in record.getMessage() + repr(record.__dict__) + formatter.format(record)


def ask(base_url: str) -> DataLakeError:
    patience = Patience(tries=2, connect_timeout=1, read_timeout=0.1, sleep=lambda seconds: None)
    with pytest.raises(DataLakeError) as caught:
        EstatClient(SECRET, base_url, patience=patience).get_page({"statsDataId": TABLE_ID})
    return caught.value


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_of_an_answer_brings_it_out(fault: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with Loopback(lambda params: FAULTS[fault]) as server:
        error = ask(server.base_url)
    assert all(seen.params["appId"] == SECRET for seen in server.requests), "the appId was sent"
    assert server.requests
    check_silent(error, caplog)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://{host}", "nonsense://here", "http://", "here", ""])
def test_no_address_that_leads_nowhere_brings_it_out(address: str, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with Loopback([]) as server:
        host = server.base_url.removeprefix("http://")
        check_silent(ask(address.format(host=host)), caplog)


def test_the_http_libraries_still_log_their_requests_without_it(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with Loopback([Reply(body(stats_data([{"$": "1"}])))]) as server:
        EstatClient(SECRET, server.base_url).get_page({"statsDataId": TABLE_ID})
    lines = [record.getMessage() for record in caplog.records if record.name == "urllib3.connectionpool"]
    assert any(f"getStatsData?appId=***&statsDataId={TABLE_ID}" in line for line in lines)
    assert SECRET not in caplog.text


def test_the_client_and_its_settings_do_not_show_it():
    client = EstatClient(SECRET, "http://127.0.0.1:1")
    assert SECRET not in repr(client) + str(client) + client.source + client.base_url


def test_guarding_the_loggers_twice_changes_nothing():
    guard_loggers()
    before = [len(logging.getLogger(name).filters) for name in URL_LOGGERS]
    guard_loggers()
    assert [len(logging.getLogger(name).filters) for name in URL_LOGGERS] == before


@pytest.mark.parametrize(
    ("words", "scrubbed"),
    [
        ("GET /x?appId=abc&limit=1", "GET /x?appId=***&limit=1"),
        ("/x?limit=1&APPID=abc", "/x?limit=1&APPID=***"),
        ("url='/x?appId=abc'", "url='/x?appId=***'"),
        ("(appId=abc)", "(appId=***)"),
        ("next=%2Fx%3FappId%3Dabc", "next=%2Fx%3FappId%3D***"),
        ("appId=a appId=b", "appId=*** appId=***"),
        ("no secret", "no secret"),
    ],
)
def test_scrubbing_leaves_the_rest(words: str, scrubbed: str):
    assert scrub(words) == scrubbed
