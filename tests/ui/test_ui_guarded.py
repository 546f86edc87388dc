"""The guarded web UI as a viewer and an operator see it, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.ops.serving import OPERATOR, VIEWER, Server, guarded
from tests.ui.conftest import new_page, shot

pytestmark = pytest.mark.ui

LAUNCHPAD = "/locations/estat/jobs/greet/playground"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with guarded(tmp_path_factory.mktemp("guarded") / "home") as running:
        yield running


def log_in(browser: Any, server: Server, token: str, refused: list[str]) -> Any:
    """Return a page of somebody who gave the token; what the server refuses from then on is added to `refused`."""
    page = new_page(browser, server.url)
    page.goto("/assets/thing")
    page.get_by_label("Token").fill(token)
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    page.get_by_role("button", name="Open").click()
    page.get_by_text("Catalog").first.wait_for()
    return page


def test_a_viewer_sees_the_assets_and_can_launch_nothing(browser: Any, server: Server) -> None:
    refused: list[str] = []
    page = log_in(browser, server, VIEWER, refused)
    page.goto("/assets/thing?view=overview")
    page.get_by_text("Never materialized").first.wait_for()
    assert page.get_by_role("button", name="Materialize").first.is_disabled()
    shot(page, "9-viewer-asset")
    page.goto(LAUNCHPAD)
    page.get_by_text("No description provided").wait_for()
    assert page.get_by_role("button", name="Launch Run").count() == 0
    shot(page, "9-viewer-job")
    assert refused == []


def test_an_operator_launches_a_run(browser: Any, server: Server) -> None:
    refused: list[str] = []
    page = log_in(browser, server, OPERATOR, refused)
    page.goto(LAUNCHPAD)
    page.get_by_role("button", name="Launch Run").click()
    page.wait_for_url("**/runs/*")
    page.get_by_text("Run queued").wait_for()
    shot(page, "9-operator-run")
    assert refused == []


def test_a_link_of_an_alert_opens_what_it_names(browser: Any, server: Server) -> None:
    page = log_in(browser, server, VIEWER, [])
    page.goto(f"{server.url.replace('127.0.0.1', 'localhost')}/login")
    page.evaluate("url => document.body.innerHTML = `<a href='${url}'>a message elsewhere</a>`", f"{server.url}/runs")
    page.get_by_text("a message elsewhere").click()
    page.wait_for_url(f"{server.url}/runs**")


def test_a_wrong_token_is_told(browser: Any, server: Server) -> None:
    page = new_page(browser, server.url)
    page.goto("/")
    page.get_by_label("Token").fill("not-the-token-0123456789")
    page.get_by_role("button", name="Open").click()
    page.get_by_text("That is not the token.").wait_for()
    shot(page, "9-login")
