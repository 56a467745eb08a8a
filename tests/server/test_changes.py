"""The page Changes and its answer for programs."""

from __future__ import annotations

import html
import re

from prodwise import clock
from prodwise.heal.aftermath import MEASURED
from prodwise.model.change import Change, ChangeKind
from prodwise.model.measured import Figure, Measured
from tests.server import stories
from tests.server.running_server import World


def text_of(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_the_page_tells_what_each_change_was_brought_did_and_how_it_is_undone(world: World) -> None:
    stories.changes(world)
    with world.person() as client:
        page = client.get("/changes").text
    text = text_of(page)
    for part in (
        "Brought 23 commits, 2 packages, 2 settings, 2 variables, 1 migration file, something is not known",
        "New coupon format Ana Lima", "21 more commits", "flask 3.0.3 3.1.0 uv.lock", "ramp.shares 5, 100 → 5, 25, 100",
        "Changed only web (web, shared)", "COUPON_KEY added", "DATABASE_URL another value", "migrations/0007_coupons.sql",
        "To take it back: prodwise rollback 2-2222222",
        "Side by side: failed requests 0.2 % on the release before, 13 % on this one, worse",
        "Effect: it changes what Prodwise does, not what users get", "To take it back: prodwise unfreeze",
        "Not taken back: a restart leaves nothing behind: there is nothing to put back",
        "Not taken back: it was put in place elsewhere", "no requests reach this service",
    ):  # fmt: skip
        assert part in text, part
    assert 'href="/confirm/rollback?release=2-2222222"' in page


def test_a_kind_of_change_at_a_time(world: World) -> None:
    stories.changes(world)
    with world.person() as client:
        people = text_of(client.get("/changes", params={"show": "people"}).text)
        nothing = text_of(client.get("/changes", params={"show": "<script>"}).text)
    assert "Web was started again" in people
    assert "Brought" not in people
    assert "Brought" in nothing, "an unknown kind shows all"


def test_an_effect_that_was_kept_is_shown_when_its_figures_are_gone(world: World) -> None:
    stories.history(world)
    world.vitals.requests = []
    with world.local() as client:
        before = client.get("/api/v1/changes").json()["changes"]
    assert [one["measured"]["why_not"] for one in before if one["id"] == "c1"] == [
        "not known: no figures are kept from before it"
    ]
    worse = Figure("failed requests", "share", 0.002, 0.031, 0.019, 0.044)
    done = Measured("c1", "web", (worse,), "", False, 1800.0, 5000, 5100, final=True)
    world.store.ledger.append(MEASURED, "c1", actor="prodwise", service="web", data=done.to_json())
    with world.local() as client:
        after = next(one for one in client.get("/api/v1/changes").json()["changes"] if one["id"] == "c1")
    assert after["measured"]["figures"][0]["high"] == 0.044
    assert after["view"]["effect"] == "Effect: failed requests 0.2 % → 3.1 %, worse"
    assert after["view"]["figures"][0]["difference"] == "+1.9 to +4.4 points"
    assert after["view"]["windows"] == "30 min before against 30 min after: 5,000 and 5,100 requests to web"


def test_the_answer_for_programs(world: World) -> None:
    stories.changes(world)
    with world.local() as client:
        answer = client.get("/api/v1/changes").json()
        web = client.get("/api/v1/changes", params={"service": "worker", "limit": 3}).json()
        none = client.get("/api/v1/changes", params={"since": clock.now() + 60}).json()
        assert client.get("/api/v1/changes", params={"limit": 0}).status_code == 422
    found = {one["id"]: one for one in answer["changes"]}
    assert (answer["schema_version"], answer["more"]) == (1, False)
    assert [one["at"] for one in answer["changes"]] == sorted((one["at"] for one in answer["changes"]), reverse=True)
    assert found["c1"]["brought"]["environment"] == {
        "added": ["COUPON_KEY"],
        "removed": [],
        "changed": ["DATABASE_URL"],
    }
    assert found["withdrawn:4-4444444"]["brought"]["commit_count"] == 1
    assert found["c1"]["inverse"] == found["c1"]["undo"]["command"] == "prodwise rollback 2-2222222"
    assert found["respawn-1"]["undo"]["why_none"].startswith("a restart leaves nothing behind")
    assert {one["service"] for one in web["changes"]} <= {"", "worker"}
    assert (len(web["changes"]), web["more"], none["changes"]) == (3, True, [])


def test_odd_facts_and_many_changes_leave_the_page_whole(world: World) -> None:
    ids = stories.history(world)
    world.store.releases.describe(ids[2], digest="d", title="t", author="a", facts={"delta": {"commits": 7}})
    with world.store.unit():
        for number in range(300):
            at = clock.now() - 200 * number
            world.store.changes.record(
                Change(f"r{number}", at, ChangeKind.PLATFORM, "web", "", "2-b", "supervisor", "")
            )
    with world.person() as client:
        page = client.get("/changes")
    assert page.status_code == 200
    assert "Older ones:" in page.text
