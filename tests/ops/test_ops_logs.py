"""Log lines of every process have one form: of Dagster's services, of the runs that they start, of plain texts."""

import json
import logging
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from estat_dagster.services import answers, free_port
from estat_dagster.telemetry import COLOUR, Retold, as_our_line
from tests.hypothesis_profiles import use_profile

use_profile()
ROOT = Path(__file__).resolve().parents[2]
FIELDS = ["timestamp", "level", "operation", "dataset_id", "message", "details"]


def read(line: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line)
    assert list(found) == FIELDS
    assert found["level"] in logging.getLevelNamesMapping()
    moment = datetime.fromisoformat(found["timestamp"])
    assert found["timestamp"] == moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return found


def test_services_that_start_at_once_in_a_new_home_write_our_lines_and_end_by_a_signal(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    estat, port = str(Path(sys.executable).with_name("estat")), free_port()
    asked = {
        "dagster-webserver": ["dagster-webserver", "--empty-workspace", "-p", str(port)],
        "dagster.daemon": ["dagster-daemon", "run", "--empty-workspace"],
    }
    started = {
        name: subprocess.Popen(
            [estat, "service", *words], env={"DAGSTER_HOME": str(tmp_path)}, stdout=subprocess.PIPE, text=True
        )
        for name, words in asked.items()
    }
    for name, service in started.items():
        with service:
            assert service.stdout is not None
            first = read(service.stdout.readline())
            assert (first["operation"], first["level"]) == (name, "INFO")
            while name == "dagster-webserver" and not answers(f"http://127.0.0.1:{port}"):
                assert service.poll() is None
            service.terminate()
            rest = [read(line) for line in service.stdout]
        assert service.returncode == 0, rest


def test_what_is_no_program_of_dagster_s_is_refused() -> None:
    estat = str(Path(sys.executable).with_name("estat"))
    done = subprocess.run([estat, "service", "rm", "-rf", "x"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: rm is no program")


STARTED = "import subprocess, sys; subprocess.Popen(['sleep', '600']); print('left'); sys.exit(3)"
SERVICE = f"""
import sys
from estat_dagster.commands import service

service.REST_SECONDS, service.PROGRAMS["python"] = 1, ()
sys.exit(service.run(["python", "-c", {STARTED!r}]))
"""


def test_a_service_ends_although_what_its_program_started_goes_on(tmp_path: Path) -> None:
    environment = {"DAGSTER_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SERVICE], env=environment, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, read(done.stdout.decode())["message"]) == (3, "left"), done.stderr.decode()


RUN = """
import dagster as dg
from estat_dagster.telemetry import log

@dg.op
def tell(context):
    log("fetch", "one page of 2", dataset_id="0003005798", pages=2)
    context.log.warning("two\\nlines")

@dg.job
def telling():
    tell()
"""


def test_what_a_run_says_on_its_console_is_read_by_its_fields(tmp_path: Path) -> None:
    shutil.copy(ROOT / "dagster.yaml", tmp_path)
    (tmp_path / "telling.py").write_text(RUN, "utf-8")
    command = [str(Path(sys.executable).with_name("dagster")), "job", "execute", "-f", "telling.py"]
    done = subprocess.run(command, cwd=tmp_path, env={"DAGSTER_HOME": str(tmp_path)}, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    lines = [read(as_our_line(line)) for line in (done.stdout + done.stderr).decode().splitlines()]
    [page] = [line for line in lines if line["message"] == "one page of 2"]
    assert (page["level"], page["operation"], page["dataset_id"]) == ("INFO", "fetch", "0003005798")
    assert (page["details"]["job"], page["details"]["step"]) == ("telling", "tell")
    assert len(page["details"]["run_id"]) == 36
    assert [line["message"] for line in lines if line["message"] == "lines"], "a second line is a line of its own"


COLOURED = "\x1b[32m2026-11-26 21:37:19 +0000\x1b[0m - dagster.code_server - \x1b[34mWARNING\x1b[0m - No heartbeat"


def test_a_line_in_colours_is_read_by_its_fields() -> None:
    found = read(as_our_line(COLOURED))
    assert (found["level"], found["operation"], found["message"]) == ("WARNING", "dagster.code_server", "No heartbeat")
    assert found["timestamp"] == "2026-11-26T21:37:19.000+00:00"


ALIVE = {"event": "Still\nalive", "logger": "dagster.daemon", "level": "info", "timestamp": "2026-11-26T21:37:21.896"}


def test_what_the_root_logger_says_once_more_is_left_out() -> None:
    retold = Retold()
    root = "WARNING:root:Retrying failed database connection"
    said = [json.dumps(ALIVE), "another process's", "INFO:dagster.daemon:Still", root, "INFO:dagster.daemon:Else"]
    told = [read(line) for each in said if (line := retold.line(f"{each}\n")) is not None]
    assert [(line["level"], line["operation"], line["message"]) for line in told] == [
        ("INFO", "dagster.daemon", "Still\nalive"),
        ("INFO", "dagster", "another process's"),
        ("WARNING", "root", "Retrying failed database connection"),
        ("INFO", "dagster.daemon", "Else"),
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
MOMENTS = st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)
EVENTS = st.fixed_dictionaries(
    {"event": st.text()},
    optional={"level": st.sampled_from(["info", "error"]), "logger": st.text(), "timestamp": st.text() | MOMENTS},
)


@given(st.text() | JSON.map(json.dumps) | EVENTS.map(json.dumps))
def test_any_line_of_another_program_becomes_one_of_ours_and_stays_one(text: str) -> None:
    line = as_our_line(text)
    assert "\n" not in line
    found = read(line)
    assert as_our_line(line) == line
    try:
        event = json.loads(text)
    except ValueError:
        event = None
    if isinstance(event, dict) and "event" in event:
        assert found["message"] == event["event"]
    elif not isinstance(event, dict) or not {"operation", "message"} <= event.keys():
        assert COLOUR.sub("", text.rstrip("\n")).endswith(found["message"])
        assert found["message"] or not text.strip()
