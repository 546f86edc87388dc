from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.doors.test_web import Web, web  # noqa: F401  the stack of `make dev` as a fixture

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SHOTS = Path(__file__).resolve().parents[2] / "data" / "screenshots"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A real browser; the test is skipped, and says so, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-ui")
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--lang=en-US"])
        yield running
        running.close()


@pytest.fixture(scope="module")
def page(web: Web, browser: Any) -> Any:  # noqa: F811
    return new_page(browser, web.url)


def new_page(browser: Any, url: str) -> Any:
    """Return a page of a browser that knows nothing yet, whose addresses begin with `url`."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=url, locale="en-US")
    context.set_default_timeout(60_000)
    return context.new_page()


def shot(page: Any, name: str) -> None:
    """Leave a picture of a page, when it has come to rest."""
    page.wait_for_timeout(1_500)
    page.screenshot(path=SHOTS / f"{name}.png")
