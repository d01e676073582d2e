"""A real browser for tests: the machine's own Chromium, driven by Playwright. Nothing is downloaded for it."""

import shutil
from typing import Final

from playwright.sync_api import Browser, Playwright

from tests.servers.wishes import Wishes

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS: Final = (
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str | None:
    """Return the path of the machine's Chromium; None when it has none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


def check_browser(wishes: Wishes) -> None:
    """Fail when real servers were required and there is no Chromium."""
    if wishes.require_real and not chromium():
        raise AssertionError("INGEST_TEST_REQUIRE=real, but no chromium is on PATH: apt-get install chromium")


def launch(playwright: Playwright) -> Browser:
    """Start it without a window."""
    return playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
