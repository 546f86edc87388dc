from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.test_web import Web, web  # noqa: F401  the stack of `make dev` as a fixture

CHROMIUM = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")
SHOTS = Path(__file__).resolve().parents[2] / "data" / "screenshots"


@pytest.fixture(scope="module")
def page(web: Web) -> Iterator[object]:  # noqa: F811
    """A page of a real browser; the test is skipped, and says so, where there is none."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make test-ui")
    found = next((path for path in CHROMIUM if Path(path).exists()), None)
    if found is None:
        pytest.skip("no Chromium is installed: apt-get install chromium")
    SHOTS.mkdir(parents=True, exist_ok=True)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--lang=en-US"])
        context = browser.new_context(viewport={"width": 1440, "height": 1000}, base_url=web.url, locale="en-US")
        context.set_default_timeout(60_000)
        yield context.new_page()
        browser.close()
