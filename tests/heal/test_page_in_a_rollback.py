"""The pages of the whole product during a real rollback: real app, proxy, users, healer and browser."""

from __future__ import annotations

import contextlib
import itertools
import threading
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from prodwise.testing import apps
from tests.browser import Tab, chromium
from tests.heal.running_healer import SETTINGS, House

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

FEW, MANY = 30, 600
RAMP = SETTINGS.replace("shares = [50, 100]", "shares = [30, 100]")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@contextlib.contextmanager
def users(address: str, count: int = FEW) -> Iterator[threading.Event]:
    """Browsers that keep their lanes; they look around, and buy once the event is set. Only buying breaks."""
    buying, done = threading.Event(), threading.Event()

    def come() -> None:
        for n in itertools.count():
            if done.wait(0.015):
                return
            lane = str(uuid.UUID(int=(n % count << 128) // count + 1))
            apps.get(address, "/pid", lane=lane)
            if buying.is_set():
                apps.get(address, "/buy", lane=lane, data=b"tea")

    thread = threading.Thread(target=come, daemon=True)
    thread.start()
    try:
        yield buying
    finally:
        done.set()
        thread.join(15)


def press(page: Page, link: str, button: str) -> None:
    """A person's two presses: the link to the question, and the answer."""
    page.get_by_role("link", name=link, exact=True).first.click()
    page.wait_for_url("**/confirm/**")
    page.get_by_role("button", name=button, exact=True).click()


def test_a_bad_release_is_seen_live_and_buttons_act(browser: Browser, open_house: Callable[..., House]) -> None:
    """The ramp, the fault, the way back and calm arrive without a reload; then Roll back, Undo and Stop by hand."""
    house = open_house(settings=RAMP)
    house.prove()
    good = house.serving().release
    tab = Tab(browser)
    tab.login(str(house.api.post("login-link")["url"]))
    page = tab.page
    page.set_default_timeout(20_000)
    with users(house.address) as buying:
        page.locator("#broken").get_by_text("All good.").wait_for()
        page.evaluate("window.same = true")
        apps.commit(house.dir, apps.BAD)
        bad = str(house.api.post("deploy", ref="HEAD")["release"])
        page.locator("#doing").get_by_text(f"Shipping release {bad}: 30 % of users have it.").wait_for()
        assert page.locator("#broken").get_by_text("No incident.").is_visible(), (
            "a release on trial is not called good yet"
        )
        buying.set()
        page.locator("#broken").get_by_text(f"POST /buy fails on release {bad}").wait_for()
        page.locator("#doing").get_by_text("Watching. Nothing to do.").wait_for()
        page.locator("#broken").get_by_text("All good.").wait_for()
        assert page.locator(".lately").inner_text().count("hit · ") == 1, page.locator(".lately").inner_text()
        assert page.locator("#t-quarter").count() == 1, "the last minutes are shown"
        assert page.evaluate("window.same") is True, "nobody reloaded"
        assert tab.overflow() <= 0
        assert house.serves(good)
        row = house.incident()
        assert row is not None
        assert 1 <= row["users_hit"] <= 12, "only browsers on the bad release, each once"
        assert row["requests_failed"] >= row["users_hit"]
        reached = house.api.get(f"incidents/{row['id']}")["view"]["reach"]
        assert reached["chosen"]["about"] == "go back"
        assert [one["about"] for one in reached["steps"]] == ["go back", "hand over to a person"]
        assert reached["fault"]["services"] == "web"

        press_roll_back_of_the_next_release(house, page)
    page.goto(page.url.partition("/releases")[0])
    page.get_by_role("button", name="Stop", exact=True).click()
    page.get_by_text("a person stopped me").first.wait_for()
    assert house.target.observe().stopped
    assert tab.complaints == []


def press_roll_back_of_the_next_release(house: House, page: Page) -> None:
    before = house.serving().release
    apps.commit(house.dir, apps.GOOD)
    release = str(house.api.post("deploy", ref="HEAD")["release"])
    page.get_by_role("link", name="Releases").click()
    page.locator("#ramp").get_by_text(release).first.wait_for()
    press(page, "Roll back", "Roll back")
    apps.until(lambda: house.state_of(release) == "failed" and house.serves(before), 20, "the way back")
    page.locator("#ramp").get_by_text("No release is on its way.").wait_for()


@pytest.mark.full
def test_a_fault_that_shows_late_is_followed_live_and_taken_back_by_hand(
    browser: Browser, open_house: Callable[..., House]
) -> None:
    """A verified release breaks: the stepper walks to watching, the release before serves; Undo puts the other one back."""
    house = open_house()
    house.prove()
    good = house.serving().release
    tab = Tab(browser)
    tab.login(str(house.api.post("login-link")["url"]))
    page = tab.page
    page.set_default_timeout(40_000)
    with users(house.address, MANY) as buying:
        apps.commit(house.dir, apps.BAD)
        bad = str(house.api.post("deploy", ref="HEAD")["release"])
        apps.until(lambda: house.state_of(bad) == "verified_good", 60, "the release is called good")
        page.evaluate("window.same = true")
        buying.set()
        page.locator("#broken .badge.degraded, #broken .badge.down").wait_for()
        page.get_by_text(f"go back to release {good}").first.wait_for()
        page.locator('li[aria-current="step"]', has_text="watching").wait_for()
        assert page.evaluate("window.same") is True, "nobody reloaded"
        apps.until(house.outcome, 40, "the incident's end")
        assert house.outcome() == "healed"
        assert house.serves(good)
        buying.clear()
        page.locator(".lately a").click()
        press(page, "Undo", "Undo")
        apps.until(lambda: house.serves(bad), 20, "the undo")
        apps.until(lambda: house.state_of(bad) == "verified_good", 10, "the record of the undo")
    assert tab.complaints == []
    house.whole()
