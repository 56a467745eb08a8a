"""A person's word on one incident, by page and API: taken over, handed back, its diagnosis called wrong."""

from __future__ import annotations

from prodwise import clock
from prodwise.heal import charge
from prodwise.model.incident import Incident, IncidentState, Symptom
from tests.server import stories
from tests.server.running_server import World
from tests.server.test_pages import form, text_of


def test_taken_over_says_what_is_done_and_what_not_and_can_be_handed_back(world: World) -> None:
    asked = stories.question(world)
    with world.person() as client:
        del client.headers["x-csrf-token"]
        page = client.get("/confirm/takeover/inc-new")
        assert "no restart, no rollback" in page.text
        action = "/act/takeover/inc-new"
        assert client.post(action, data=form(page.text, action)).status_code == 303
        taken, now = text_of(client.get("/incidents/inc-new").text), text_of(client.get("/").text)
        assert "has this one" in taken
        assert "the supervisor starts a dead process again" in taken
        assert "took over" in now
        assert "May I" not in now + taken, "nothing is asked any more"
        yes = form(client.get(f"/approve/{asked}").text, f"/act/approval/{asked}")
        refused = client.post(f"/act/approval/{asked}", data=yes)
        assert (refused.status_code, "has taken" in refused.text) == (409, True)
        page = client.get("/confirm/handback/inc-new")
        assert client.post("/act/handback/inc-new", data=form(page.text, "/act/handback/inc-new")).status_code == 303
        assert "May I" in text_of(client.get("/").text)
        again = client.post("/act/handback/inc-new", data=form(page.text, "/act/handback/inc-new"))
        assert (again.status_code, "obody has taken" in again.text) == (409, True)
    told = [e.text for e in world.store.ledger.entries(incident="inc-new") if e.kind == "setting"]
    assert told == ["took this incident over: Prodwise does nothing more about it", "handed this incident back"]


def test_a_wrong_diagnosis_is_kept_shown_and_not_acted_on(world: World) -> None:
    stories.bad_release(world, IncidentState.CHOSEN)
    with world.person() as client:
        del client.headers["x-csrf-token"]
        fields = form(client.get("/confirm/wrong/inc-new").text, "/act/wrong/inc-new")
        assert client.post("/act/wrong/inc-new", data=fields).status_code == 422, "without a word it helps nobody"
        said = {**fields, "note": "the database is full <b>"}
        assert client.post("/act/wrong/inc-new", data=said).status_code == 303
        html = client.get("/incidents/inc-new").text
        people = text_of(client.get("/incidents/inc-new?show=people").text)
    assert "says that this is wrong" in html
    assert "The database is full &lt;b&gt;" in html
    assert "called the diagnosis wrong (release 4-4444444 broke checkout): the database is full" in people.replace(
        "C", "c"
    )
    assert charge.taken_over(world.store, "inc-new") != ""
    assert charge.doubt(world.store, world.store.incidents.row("inc-new")).endswith("the database is full <b>")
    hypotheses = [{"cause": "overload", "subject": "", "text": "too much traffic"}]
    world.store.incidents.save("inc-new", diagnosis={"hypotheses": hypotheses, "unknown": []})
    assert charge.doubt(world.store, world.store.incidents.row("inc-new")) == "", "another diagnosis is another matter"
    assert world.store.ledger.verify()[1] == ""


def test_closed_incidents_and_releases_on_their_way_back_are_not_taken_over(world: World) -> None:
    stories.history(world)
    seen = Symptom("release", "web", "release 9 is worse", clock.now(), clock.now(), release="9-9999999")
    world.store.incidents.open(Incident("inc-9-9999999", "web", (seen,), clock.now(), IncidentState.APPLYING))
    with world.local() as client:
        for incident, why in (("inc-old", "is closed"), ("inc-9-9999999", "on its way back")):
            refused = client.post(f"/api/v1/incidents/{incident}/takeover")
            assert (refused.status_code, why in refused.json()["error"]) == (409, True)
            assert client.post(f"/api/v1/incidents/{incident}/wrong", json={"note": "it was the disk"}).json()["ok"]
            view = client.get(f"/api/v1/incidents/{incident}").json()["view"]
            assert [note["text"] for note in view["notes"]] == ["it was the disk"]
            assert (view["can_take_over"], view["taken_over"]) == (False, "")
        assert client.post("/api/v1/incidents/none/takeover").status_code == 404
        assert client.post("/api/v1/incidents/inc-old/wrong", json={"note": ""}).status_code == 422


def test_a_yes_to_a_plan_that_is_none_any_more_is_refused(world: World) -> None:
    first = stories.question(world)
    second = world.store.approvals.ask("inc-new", "another", {"action": {"kind": "restart", "service": "web"}}, 600)
    hashed = world.store.approvals.load(first).plan_hash
    with world.local() as client:
        old = client.post(f"/api/v1/approvals/{first}", json={"plan_hash": hashed, "yes": True})
        assert (old.status_code, "changed" in old.json()["error"]) == (409, True)
        assert [card["id"] for card in client.get("/api/v1/status").json()["needs"]] == [second.id]
        world.store.incidents.save("inc-new", state="closed", outcome="abandoned", closed_at=clock.now())
        late = client.post(f"/api/v1/approvals/{second.id}", json={"plan_hash": "another", "yes": True})
        assert (late.status_code, "is closed" in late.json()["error"]) == (409, True)
        assert client.get("/api/v1/status").json()["needs"] == []
