"""How far it reaches, on the pages: a map with its words and a table, escaped, and as wide as a phone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from prodwise.loop import reach
from prodwise.model.action import ActionKind
from prodwise.model.incident import Incident, IncidentState
from prodwise.model.reach import Link
from prodwise.server.views.facts import Case
from prodwise.server.views.reach import BOX, WIDTH, reaches, spoken
from tests.browser import DESKTOP, PHONE, Tab, chromium
from tests.server import stories
from tests.server.running_server import World
from tests.server.test_browser import CONTRAST
from tests.server.test_pages import text_of

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = tuple(f"a-service-with-a-long-name-{n:02}" for n in range(7))
EVIL = '<script>alert(1)</script>"\u202e'
SMALL_PHONE = (320, 640)


def case_of(told: object) -> Case:
    incident = Incident("inc", "web", (), 0.0, IncidentState.SEEN)
    return Case(incident, decision={"reach": told, "plan": {"action": {"kind": "restart"}}})


def test_a_large_map_keeps_inside_its_width_and_says_how_many_more() -> None:
    links = tuple(Link(name, "web", "traces") for name in NAMES)
    around = replace(stories.AROUND, services=("web", *NAMES), links=links)
    step = reach.step(around, ActionKind.RESTART, ("web",))
    found = reaches(case_of({"fault": asdict(step), "steps": [asdict(step)], "front": "web"}))
    assert found is not None
    assert found.chosen is not None
    drawn = found.chosen.map
    assert all(box.x >= 0 and box.x + box.width <= WIDTH for box in drawn.boxes)
    assert all(box.y + BOX <= drawn.height for box in drawn.boxes)
    assert [box.name for box in drawn.boxes if box.kind == "caller"][-1] == "and 4 more"
    assert [box.title for box in drawn.boxes if box.kind == "about"] == ["web"]
    places = [(box.x, box.y) for box in drawn.boxes]
    assert len(set(places)) == len(places)
    assert found.chosen.text.startswith("web (100 % of requests")
    assert "map" not in str(spoken(found))


def test_what_was_stored_otherwise_is_left_out() -> None:
    for odd in (None, {}, {"fault": {"what": "fault", "unheard": 1}}, {"fault": 7}, {"fault": {}, "steps": 3}):
        assert reaches(case_of(odd)) is None


def test_a_person_sees_how_far_before_they_approve(world: World) -> None:
    asked = stories.question(world)
    with world.person() as client:
        approve, incident, now = (client.get(path).text for path in (f"/approve/{asked}", "/incidents/inc-new", "/"))
    for page in (approve, incident, now):
        assert "web, worker (100 % of requests, 2 routes, ~340 people); no other service calls it" in text_of(page)
    assert approve.index('class="map"') < approve.index(">Approve<")
    assert "Go back reaches: web, worker" in approve, "the map says the same to those who do not see it"
    assert "32 % of requests, 1 route, ~122 people" in text_of(incident), "the fault is on checkout only"
    assert "Goes with it: 3 commits" not in approve
    assert "goes with it: 3 commits" in text_of(approve)


def test_names_are_escaped(world: World) -> None:
    found = stories.bad_release(world)
    around = replace(stories.AROUND, links=(Link(EVIL, "web", "traces"),))
    told = {"fault": asdict(reach.fault(around, "web", found.symptoms)), "steps": [], "front": "web"}
    row = world.store.incidents.row(found.id)
    world.store.incidents.save(found.id, decision={**row["decision"], "reach": told})
    with world.person() as client:
        page = client.get(f"/incidents/{found.id}").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    assert "\u202e" not in page


def test_the_api_tells_it_without_geometry(world: World) -> None:
    stories.question(world)
    with world.local() as client:
        answer = client.get("/api/v1/incidents/inc-new").json()
    assert answer["decision"]["reach"]["fault"]["share"] == 0.32
    told = answer["view"]["reach"]
    assert told["chosen"]["text"].startswith("web, worker (100 %")
    assert [one["about"] for one in told["steps"]] == ["hand over to a person", "restart", "go back"]
    assert "map" not in told["fault"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [SMALL_PHONE, PHONE, DESKTOP], ids=["320", "phone", "desktop"])
def test_the_map_fits_and_can_be_read(
    world: World, browser: Browser, tmp_path: Path, size: tuple[int, int], scheme: str
) -> None:
    asked = stories.question(world)
    tab = Tab(browser, size, scheme)
    tab.login(world.url + world.login_path())
    for path, maps in (("/incidents/inc-new", 2), (f"/approve/{asked}", 1)):
        tab.page.goto(world.url + path)
        tab.page.evaluate("document.querySelectorAll('#t-reach').forEach((one) => { one.open = true; })")
        tab.shoot(tmp_path / f"reach-{path.split('/')[1]}-{size[0]}-{scheme}.png")
        assert tab.overflow() <= 0
        assert tab.page.evaluate(CONTRAST) == []
        assert tab.page.locator("svg.map").count() == maps
        assert tab.page.evaluate(OUTSIDE) == [], "every text lies inside its box"
    assert tab.complaints == []


OUTSIDE = """() => [...document.querySelectorAll("svg.map g")].flatMap((g) => {
  const box = g.querySelector("rect").getBoundingClientRect();
  return [...g.querySelectorAll("text")].filter((t) => t.getBoundingClientRect().right > box.right + 1).map((t) => t.textContent);
})"""
