"""The pages in a real browser: live without a reload, usable without JavaScript, readable in both schemes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prodwise import clock
from prodwise.heal import charge
from prodwise.model.incident import IncidentState
from tests.browser import DESKTOP, PHONE, Tab, chromium
from tests.server import stories
from tests.server.running_server import World, start_world

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

CONTRAST = """() => {
  const parse = (c) => { const m = c.match(/[\\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const lum = (c) => { const [r, g, b] = c.map((v) => { v /= 255; return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const low = [];
  for (const el of document.querySelectorAll("body *")) {
    const own = [...el.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own || el.closest("svg") || !el.checkVisibility() || getComputedStyle(el).clipPath !== "none") continue;
    let back = el; while (back && parse(getComputedStyle(back).backgroundColor)[3] === 0) back = back.parentElement;
    const style = getComputedStyle(el);
    const a = lum(parse(style.color).slice(0, 3)), b = lum(parse(getComputedStyle(back || document.body).backgroundColor).slice(0, 3));
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && +style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${el.className || el.tagName} ${ratio.toFixed(2)} ${el.textContent.trim().slice(0, 30)}`);
  }
  return low;
}"""
SMALL = """() => [...document.querySelectorAll("button, a.button, nav a")].filter((e) => e.checkVisibility())
  .filter((e) => { const r = e.getBoundingClientRect(); return r.height < 24 || r.width < 24; }).map((e) => e.textContent)"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_every_page_fits_and_can_be_read(
    world: World, browser: Browser, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    asked = stories.question(world)
    stories.changes(world)
    tab = Tab(browser, size, scheme)
    tab.login(world.url + world.login_path())
    paths = (
        "/", "/incidents", "/incidents/inc-new", "/incidents/inc-new/prompt", "/releases", "/changes", "/signals", f"/approve/{asked}",
        "/confirm/rollback", "/confirm/wrong/inc-new",
    )  # fmt: skip
    for number, path in enumerate(paths):
        tab.page.goto(world.url + path)
        tab.page.evaluate("document.querySelectorAll('.change details').forEach((one) => { one.open = true; })")
        tab.shoot(tmp_path / f"{number}-{size[0]}-{scheme}.png")
        assert tab.overflow() <= 0, path
        assert tab.page.evaluate(CONTRAST) == [], path
        assert tab.page.evaluate(SMALL) == [], path
        assert tab.page.locator("h1").count() == 1, path
    assert tab.complaints == []


def test_now_follows_a_rollback_without_a_reload(world: World, browser: Browser) -> None:
    stories.history(world)
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    tab.page.evaluate("window.same = true")
    tab.page.locator("#broken").get_by_text("All good.").wait_for()
    tab.page.locator("#t-day summary").click()
    found = stories.bad_release(World(**vars(world)), IncidentState.CHOSEN)
    tab.page.get_by_text("Checkout fails for about 1 in 3 buyers").first.wait_for()
    doing = tab.page.locator("#doing")
    doing.get_by_text("About to go back to release").wait_for()
    world.store.incidents.save(found.id, state="applying")
    doing.get_by_text("Doing it now: go back to release").wait_for()
    assert tab.page.locator('li[aria-current="step"] .name').inner_text().startswith("applying")
    assert tab.page.locator("#t-day").get_attribute("open") is not None, "an opened table stays open"
    world.store.incidents.save(found.id, state="closed", outcome="healed", closed_at=found.opened_at + 200)
    world.vitals.well["web"] = True
    world.vitals.figures["web"]["failed_share"] = 0.0
    tab.page.locator("#broken").get_by_text("All good.").wait_for()
    assert tab.page.title().startswith("● OK")
    assert tab.page.evaluate("window.same") is True
    assert tab.complaints == []


def test_a_page_that_is_reached_no_more_says_since_when_and_finds_back(tmp_path: Path, browser: Browser) -> None:
    world = start_world(tmp_path)
    stories.history(world)
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    tab.page.locator("#live").get_by_text("live").wait_for(state="attached")
    late = tab.page.get_by_text("Nothing was heard from Prodwise since")
    assert not late.is_visible()
    cookies = tab.page.context.cookies()
    tab.page.route("**/live?*", lambda route: route.fulfill(status=502))
    world.server.config.app.state.live.close()  # type: ignore[union-attr]
    late.wait_for()
    assert re.search(r"since \d\d:\d\d: what stands here may be old", late.inner_text())
    assert tab.overflow() <= 0
    assert tab.page.context.cookies() == cookies
    world.server.config.app.state.live._closed = False  # type: ignore[union-attr]
    tab.page.unroute("**/live?*")
    late.wait_for(state="hidden")
    stories.bad_release(world)
    tab.page.locator("#broken").get_by_text("Checkout fails for about 1 in 3 buyers").wait_for()
    world.close()


def test_stop_works_from_a_fragment_that_was_swapped_in(world: World, browser: Browser) -> None:
    stories.history(world)
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    stories.bad_release(world)
    tab.page.locator("#doing").get_by_text("Doing it now").wait_for()
    tab.page.get_by_role("button", name="Stop", exact=True).click()
    tab.page.get_by_text("a person stopped me").first.wait_for()
    assert world.target.stopped
    assert tab.complaints == []


def test_all_of_it_works_without_javascript(world: World, browser: Browser) -> None:
    asked = stories.question(world)
    tab = Tab(browser, javascript=False)
    tab.login(world.url + world.login_path())
    tab.page.get_by_role("link", name="Look closer").click()
    tab.page.get_by_role("button", name="Approve").click()
    tab.page.get_by_text("Nothing. You can go.").wait_for()
    assert world.store.approvals.load(asked).state.value == "approved"
    tab.page.get_by_role("link", name="Releases").click()
    tab.page.get_by_role("link", name="Roll back to this").first.click()
    tab.page.get_by_role("button", name="Roll back").click()
    tab.page.wait_for_url("**/releases")
    assert world.controls.asked[0][:2] == ("rollback", "2-2222222")
    tab.page.goto(world.url)
    tab.page.get_by_role("button", name="Stop").click()
    assert world.target.stopped


def test_a_diagnosis_is_called_wrong_and_handed_back_without_javascript(world: World, browser: Browser) -> None:
    found = stories.bad_release(world, IncidentState.CHOSEN)
    tab = Tab(browser, javascript=False)
    tab.login(world.url + world.login_path())
    tab.page.goto(f"{world.url}/incidents/{found.id}")
    tab.page.get_by_role("link", name="Wrong diagnosis").click()
    tab.page.get_by_label("What speaks against it").fill("the disk is full")
    tab.page.get_by_role("button", name="Yes, it is wrong").click()
    tab.page.get_by_text("says that this is wrong").wait_for()
    assert charge.taken_over(world.store, found.id)
    tab.page.get_by_role("link", name="Hand it back").click()
    tab.page.get_by_role("button", name="Hand it back").click()
    tab.page.get_by_role("link", name="Take over").wait_for()
    assert not charge.taken_over(world.store, found.id)
    tab.page.get_by_role("link", name="Copy prompt for a coding agent").click()
    assert "outside-data-" in tab.page.get_by_label("The prompt").input_value()
    assert not tab.page.get_by_role("button", name="Copy").is_visible()


def test_the_prompt_is_copied_with_one_press(world: World, browser: Browser) -> None:
    found = stories.bad_release(world)
    tab = Tab(browser)
    tab.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    tab.login(world.url + world.login_path())
    tab.page.goto(f"{world.url}/incidents/{found.id}/prompt")
    tab.page.get_by_role("button", name="Copy").click()
    tab.page.get_by_role("button", name="Copied").wait_for()
    assert tab.page.evaluate("navigator.clipboard.readText()") == tab.page.get_by_label("The prompt").input_value()
    assert tab.complaints == []


def test_what_changes_is_said_aloud_and_a_countdown_is_not(world: World, browser: Browser) -> None:
    found = stories.bad_release(world, IncidentState.UNDERSTOOD)
    turn = {"wall": clock.now(), "clock": 3.0, "since": 1.0, "entered": [["seen", 0.0], ["understood", 1.0]]}
    world.store.incidents.save(found.id, turn=turn)
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    said = tab.page.locator("#said[aria-live=polite]")
    before = tab.page.locator("#doing .why").inner_text()
    tab.page.wait_for_function("(was) => document.querySelector('#doing .why').innerText !== was", arg=before)
    assert said.inner_text() == "", "only times changed"
    world.store.incidents.save("inc-new", state="applying")
    tab.page.wait_for_function("() => document.querySelector('#said').textContent.includes('Doing it now')")
    assert tab.page.locator("[aria-live]").count() == 1


def test_a_ramp_is_followed_live(world: World, browser: Browser) -> None:
    release = stories.ramp(world)
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    tab.page.goto(world.url + "/releases")
    tab.page.evaluate("window.same = true")
    tab.page.locator("#ramp li[aria-current=step]").get_by_text("25 %").wait_for()
    moved = world.store.rollouts.load(release)
    assert moved is not None
    numbers = {"web": {"arms": {"stable": {"n": 2000, "errors": 4}, "canary": {"n": 1999, "errors": 5}}}}
    world.store.rollouts.put(replace(moved, stage="50 %", share=0.5, gates=(), numbers=numbers))
    tab.page.locator("#ramp li[aria-current=step]").get_by_text("50 %").wait_for()
    tab.page.locator("#ramp").get_by_text("1,999").wait_for()
    assert tab.page.evaluate("window.same") is True


def test_no_script_of_outside_text_runs(world: World, browser: Browser) -> None:
    found = stories.bad_release(world)
    attack = "<img src=x onerror=\"document.body.id='owned'\"><script>document.body.id='owned'</script>"
    world.store.incidents.save(found.id, title=attack, turn={"note": attack})
    tab = Tab(browser)
    tab.login(world.url + world.login_path())
    for path in ("/", f"/incidents/{found.id}", "/incidents"):
        tab.page.goto(world.url + path)
        world.store.incidents.save(found.id, users_hit=len(path), title=attack + path)
        if path != "/incidents":  # also when it arrives as a live fragment
            tab.page.get_by_text(attack + path).first.wait_for()
        assert tab.page.evaluate("document.body.id") == ""
    assert tab.complaints == []


def test_keyboard_reaches_stop_with_a_visible_focus(world: World, browser: Browser) -> None:
    tab = Tab(browser, DESKTOP)
    tab.login(world.url + world.login_path())
    for _ in range(30):
        tab.page.keyboard.press("Tab")
        focused = tab.page.evaluate(
            "[document.activeElement.textContent, getComputedStyle(document.activeElement).outlineWidth]"
        )
        assert focused[1] != "0px", focused
        if focused[0] == "Stop":
            break
    else:
        pytest.fail("Stop was not reached")
    tab.page.keyboard.press("Enter")
    tab.page.get_by_text("a person stopped me").first.wait_for()
    assert world.target.stopped
