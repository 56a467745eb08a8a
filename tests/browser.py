"""A real Chromium, for tests marked `browser`; where there is none they are reported as not run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
PHONE, DESKTOP = (390, 844), (1440, 900)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Skips the test when no Chromium or no Playwright is there."""
    api = pytest.importorskip("playwright.sync_api", reason="not run: no browser (Playwright is missing)")
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("not run: no browser")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield opened
        finally:
            opened.close()


class Tab:
    """One page with its complaints: errors of scripts, refused resources, warnings about the content policy."""

    def __init__(
        self, browser: Browser, size: tuple[int, int] = PHONE, scheme: str = "light", *, javascript: bool = True
    ) -> None:
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,  # type: ignore[arg-type]
            java_script_enabled=javascript,
        )
        self.page: Page = context.new_page()
        self.page.set_default_timeout(10_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)

    def login(self, url: str) -> None:
        self.page.goto(url)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url("**/")

    def shoot(self, path: Path) -> None:
        self.page.screenshot(path=str(path), full_page=True)

    def overflow(self) -> int:
        """Pixels by which the page is wider than the screen."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))
