"""The JSON API: shapes, errors, and that what is asked reaches the controls."""

from __future__ import annotations

import json

import pytest

from prodwise import clock
from tests.server import stories
from tests.server.running_server import World, target_seen


def test_status_says_the_same_as_the_page(world: World) -> None:
    stories.bad_release(world)
    with world.local() as client:
        status = client.get("/api/v1/status").json()
    assert status["schema_version"] == 1
    assert status["state"] == "degraded"
    assert status["sentence"] == "checkout fails for about 1 in 3 buyers"
    assert status["users_hit"] == 38
    assert status["stage"] == "auto"
    assert [step["state"] for step in status["stories"][0]["steps"]] == ["done"] * 4 + ["now", "todo"]
    assert {line["id"]: line["level"] for line in status["services"]} == {"web": "degraded", "worker": "ok"}


def test_events_turn_effects_into_actions_and_can_be_followed(world: World) -> None:
    stories.bad_release(world)
    with world.local() as client:
        everything = client.get("/api/v1/events").json()["events"]
        actions = [event for event in everything if event["kind"] == "action"]
        later = client.get("/api/v1/events", params={"after": everything[-2]["seq"]}).json()["events"]
        one = client.get("/api/v1/events", params={"limit": 1}).json()["events"]
        assert client.get("/api/v1/events", params={"limit": 0}).status_code == 422
    assert [event["seq"] for event in everything] == list(range(1, len(everything) + 1))
    assert [action["data"]["state"] for action in actions] == ["intent", "done"]
    assert set(actions[0]["data"]) == {"kind", "target", "state", "actor", "key"}
    assert actions[0]["incident"] == "inc-new"
    assert (later, one) == (everything[-1:], everything[:1])


def test_an_incident_comes_with_everything(world: World) -> None:
    stories.bad_release(world)
    with world.local() as client:
        found = client.get("/api/v1/incidents/inc-new").json()
        assert client.get("/api/v1/incidents/none").status_code == 404
        listed = client.get("/api/v1/incidents", params={"open": True}).json()["incidents"]
    assert found["evidence"][0]["id"].startswith("ev-")
    assert found["decision"]["authority"] == "act"
    assert found["view"]["causes"][0]["likelihood"] == "very likely"
    assert [rung["state"] for rung in found["view"]["decision"]["rungs"]] == ["skipped", "chosen"]
    assert found["view"]["can_undo"] is True
    assert [incident["id"] for incident in listed] == ["inc-new"]


def test_releases_tell_what_serves_in_truth(world: World) -> None:
    release = stories.ramp(world)
    with world.local() as client:
        found = client.get("/api/v1/releases").json()
        assert found["claimed"] == "3-3333333"
        assert found["serving"] == {release: "25 %", "3-3333333": "75 %"}
        assert found["warning"] == ""
        assert client.get("/api/v1/rollouts").json()["rollouts"][0]["state"] == "ramping"
        assert client.get("/api/v1/target").json()["services"][0]["switch"] == {"stable": "a", "share": 0.25}
        assert "c1" in [one["id"] for one in client.get("/api/v1/changes").json()["changes"]]


def test_a_lie_in_the_records_is_pointed_out(world: World) -> None:
    stories.history(world)
    world.target.seen = target_seen(0.0, "1-1111111")
    with world.local() as client:
        warning = client.get("/api/v1/releases").json()["warning"]
    assert warning == "The records say 3-3333333, but users reach 1-1111111."


def test_what_is_asked_reaches_the_controls_with_the_persons_name(world: World) -> None:
    stories.bad_release(world)
    with world.local() as client:
        assert client.post("/api/v1/deploy", json={"ref": "main"}).json()["release"] == "2-bbbbbbb"
        assert client.post("/api/v1/rollback", json={}).json()["release"] == "1-aaaaaaa"
        assert client.post("/api/v1/restart", json={"service": "web"}).json()["ok"] is True
        assert client.post("/api/v1/incidents/inc-new/undo").json()["text"].startswith("put release")
        assert client.post("/api/v1/restart", json={"service": "nope"}).status_code == 404
        assert client.post("/api/v1/incidents/none/undo").status_code == 404
    assert [asked[0] for asked in world.controls.asked] == ["deploy", "rollback", "restart", "undo"]
    assert all(asked[-1].endswith("(terminal)") for asked in world.controls.asked)


def test_errors_say_what_happened_and_what_to_do(world: World) -> None:
    with world.local() as client:
        missing = client.post("/api/v1/deploy", json={"ref": "missing"})
        assert missing.status_code == 422
        assert missing.json() == {
            "error": "there is no commit 'missing'",
            "code": "usage",
            "hint": "did you mean 'main'?",
        }
        world.controls.refuse = "prodwise is stopped"
        refused = client.post("/api/v1/rollback", json={})
        assert (refused.status_code, refused.json()["code"]) == (409, "refused")
        world.target.seen = None
        unseen = client.get("/api/v1/target")
        assert (unseen.status_code, unseen.json()["code"]) == (502, "target")
        assert client.get("/api/v1/status").json()["state"] == "unknown"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deploy", {"ref": ""}),
        ("deploy", {"ref": "x" * 300}),
        ("deploy", {"reff": "main"}),
        ("freeze", {"until": 1.0}),
        ("freeze", {"until": "soon"}),
        ("stage", {"autonomy": "godmode"}),
        ("approvals/x", {"plan_hash": "x", "yes": "perhaps"}),
        ("approvals/none", {"plan_hash": "x", "yes": True}),
        ("stop", []),
    ],
)
def test_malformed_requests_change_nothing(world: World, path: str, body: object) -> None:
    with world.local() as client:
        answer = client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 422
        assert set(answer.json()) == {"error", "code", "hint"}
        assert client.post(f"/api/v1/{path}", content=b"{not json").status_code == 422
        assert client.get("/api/v1/settings").json()["settings"]["freeze"] is None
    assert (world.controls.asked, world.target.stopped) == ([], False)


def test_stop_freeze_and_stage_are_seen_at_once(world: World) -> None:
    with world.local() as client:
        client.post("/api/v1/stop", json={"reason": "looking into it"})
        assert client.get("/api/v1/status").json()["stop"]["reason"].endswith(": looking into it")
        client.post("/api/v1/start")
        until = clock.now() + 600
        client.post("/api/v1/freeze", json={"until": until, "reason": "sale"})
        status = client.get("/api/v1/status").json()
        assert (status["stop"]["on"], status["freeze"]["on"], status["freeze"]["until"]) == (False, True, until)
        client.post("/api/v1/unfreeze")
        assert client.get("/api/v1/status").json()["freeze"]["on"] is False
        assert client.post("/api/v1/stage", json={"autonomy": "auto"}).json()["stage"] == "auto"


def test_an_approval_is_bound_to_its_plan_and_counts_once(world: World) -> None:
    asked = stories.question(world)
    hashed = world.store.approvals.load(asked).plan_hash
    with world.local() as client:
        assert client.post(f"/api/v1/approvals/{asked}", json={"plan_hash": "x", "yes": True}).status_code == 409
        right = {"plan_hash": hashed, "yes": True}
        assert client.post(f"/api/v1/approvals/{asked}", json=right).json()["approval"]["state"] == "approved"
        assert client.post(f"/api/v1/approvals/{asked}", json=right).status_code == 409


def test_openapi_lists_every_api_route(world: World) -> None:
    with world.local() as client:
        paths = client.get("/api/v1/openapi.json").json()["paths"]
    assert {"/api/v1/status", "/api/v1/deploy", "/api/v1/login-link"} <= set(paths)
    assert all(path.startswith("/api/v1/") for path in paths)


def test_health_and_metrics(world: World) -> None:
    stories.bad_release(world)
    with world.stranger() as client:
        assert client.get("/health/live").text == "ok\n"
        assert (client.head("/health/live").status_code, client.head("/health/live").content) == (200, b"")
        assert client.get("/health/ready").json() == {"ready": True, "store": True, "target": True, "receivers": False}
        world.target.seen = None
        assert client.get("/health/ready").status_code == 503
        lines = client.get("/metrics").text.splitlines()
    assert "prodwise_incidents_open 1" in lines
    assert 'prodwise_actions{kind="rollback",state="done"} 1' in lines
    assert "prodwise_recovery_seconds_count 1" in lines
    assert any(line.startswith("prodwise_process_resident_bytes ") for line in lines)


def test_answers_are_json_even_for_hostile_text(world: World) -> None:
    world.store.ledger.append("note", "\x1b[31m\u202egnp.exe", actor="prodwise", data={"x": "</script>"})
    with world.local() as client:
        raw = client.get("/api/v1/events").content
    assert b"\x1b" not in raw
    assert json.loads(raw)["events"][0]["text"].startswith("\x1b")
