"""Pings and deliveries over real HTTP: who is let in, what is taken, what is refused, and what survives."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import stat
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest

from prodwise.clock import now
from prodwise.heal.outside import Outside
from prodwise.loop.detect.heartbeat import KIND
from prodwise.model.incident import Incident, IncidentState, Symptom
from prodwise.model.outside import Pings
from prodwise.server.doorkeeper import BURST
from prodwise.wiring.ways import hooks
from tests.server.running_server import CONFIG, World, start_world

SENTRY = "https://sentry.io/api/0/projects/acme"
SECRET = "a-secret-of-the-test-alone"
WAYS = {
    **CONFIG,
    "heartbeats": {"nightly-backup": {"every": "1 day", "grace": "10 min", "service": "worker"}},
    "hooks": {
        "alertmanager": {"services": {"shop": "web"}},
        "deploy": {},
        "github": {"secret_env": "TEST_GITHUB_SECRET"},
        "healthchecks": {},
        "sentry": {"secret_env": "TEST_GITHUB_SECRET"},
        "uptime-kuma": {},
    },
}


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("TEST_GITHUB_SECRET", SECRET)
    made = start_world(tmp_path, WAYS)
    yield made
    made.close()


def secret(house: World, way: str) -> str:
    return (house.socket.parent / "secrets" / way).read_text().strip()


def post(house: World, way: str, body: Any, **headers: str) -> httpx2.Response:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"content-type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
    with house.stranger() as client:
        return client.post(f"/hooks/{way}", content=raw, headers=sent)


def with_token(house: World, way: str, body: Any, **headers: str) -> httpx2.Response:
    return post(house, way, body, authorization=f"Bearer {secret(house, way)}", **headers)


def signed(house: World, event: str, body: Any, key: str = SECRET) -> httpx2.Response:
    raw = json.dumps(body).encode()
    mac = hmac.new(key.encode(), raw, hashlib.sha256).hexdigest()
    return post(house, "github", raw, x_github_event=event, x_hub_signature_256=f"sha256={mac}")


def standard(house: World, body: Any, message: str = "msg_1", at: float | None = None) -> httpx2.Response:
    raw, stamp = json.dumps(body).encode(), str(int(now() if at is None else at))
    key = base64.b64decode(secret(house, "deploy").removeprefix("whsec_"))
    mac = base64.b64encode(hmac.new(key, f"{message}.{stamp}.".encode() + raw, hashlib.sha256).digest()).decode()
    return post(
        house, "deploy", raw, webhook_id=message, webhook_timestamp=stamp, webhook_signature=f"v1,{'A' * 44} v1,{mac}"
    )


def listed(house: World) -> dict[str, Any]:
    with house.local() as client:
        found: dict[str, Any] = client.get("/api/v1/ways-in").json()
        return found


def hook(house: World, way: str) -> dict[str, Any]:
    return next(dict(one) for one in listed(house)["hooks"] if one["way"] == way)


def beat(house: World) -> dict[str, Any]:
    return dict(listed(house)["heartbeats"][0])


def alert(fingerprint: str = "a1", status: str = "firing", **labels: str) -> dict[str, Any]:
    return {
        "status": status,
        "labels": {"alertname": "HighErrorRate", "service": "shop", **labels},
        "annotations": {"summary": "one in three requests fails"},
        "startsAt": "2026-01-01T10:00:00.123456789Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": fingerprint,
    }


def alerts(*found: dict[str, Any]) -> dict[str, Any]:
    return {"version": "4", "status": "firing", "groupKey": "{}", "truncatedAlerts": 0, "alerts": list(found)}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_job_pings(house: World, method: str) -> None:
    path = f"/ping/{beat(house)['id']}"
    with house.stranger() as client:
        assert client.request(method, f"{path}/start").status_code == 200
        assert beat(house)["state"] == "running"
        assert client.request(method, path).status_code == 200
        assert beat(house)["state"] == "well"
        assert client.request(method, f"{path}/fail").status_code == 200
        assert beat(house)["state"] == "failed"
        assert client.request(method, f"{path}/0").status_code == 200
        assert beat(house)["state"] == "well"
        assert client.request(method, f"{path}/137").status_code == 200
        assert (beat(house)["state"], beat(house)["exit_code"]) == ("failed", 137)
        for wrong in ("256", "-1", "1e3", "9999", "log", "start/x", "٣"):
            assert client.request(method, f"{path}/{wrong}").status_code == 404, wrong
    (said,) = house.parts.outsiders.look()["worker"]  # type: ignore[attr-defined]
    assert (said.kind, said.source) == (KIND, "heartbeat:nightly-backup")
    assert "exit code 137" in said.text


def test_ids_are_unguessable_unknown_ones_look_like_nothing_and_only_the_machine_itself_lists_them(
    house: World,
) -> None:
    known = beat(house)
    assert uuid.UUID(known["id"]).version == 4
    assert known["url"].endswith(f"/ping/{known['id']}")
    with house.stranger() as client:
        nothing = client.get("/ping")
        for path in (f"/ping/{uuid.uuid4()}", "/ping/nightly-backup", f"/ping/{known['id'][:-1]}", "/ping/%00"):
            assert client.get(path).status_code == 404
            assert client.get(path).json()["code"] == "not_found"
        assert nothing.status_code == 404
        assert client.get("/api/v1/ways-in").status_code == 404
    with house.person() as client:
        assert client.get("/api/v1/ways-in").status_code == 404
        assert known["id"] not in client.get("/api/v1/events?limit=2000").text
    assert beat(house)["count"] == 0


def test_a_jobs_log_may_come_along_and_is_not_kept(house: World) -> None:
    path = f"/ping/{beat(house)['id']}"
    with house.stranger() as client:
        assert client.post(path, content=b"line of a backup\n" * 20_000).status_code == 200
    assert beat(house)["state"] == "well"


def test_pings_are_bounded_and_say_when_to_come_again(house: World) -> None:
    path = f"/ping/{beat(house)['id']}"
    with house.stranger() as client:
        codes = [client.get(path).status_code for _ in range(BURST + 20)]
        last = client.get(path)
    assert codes[:BURST] == [200] * BURST
    assert 429 in codes[BURST:]
    if last.status_code == 429:
        assert int(last.headers["retry-after"]) >= 1


def test_pings_and_ids_outlive_a_restart(house: World) -> None:
    before = beat(house)
    with house.stranger() as client:
        client.get(f"/ping/{before['id']}/7")
    (again,) = Outside(house.store, house.config).beats()
    assert (again["id"], again["state"], again["exit_code"]) == (before["id"], "failed", 7)
    (kept,) = [k for k in [house.store.settings.get("heartbeat:nightly-backup")] if k]
    assert Pings(**kept["pings"]).count == 1


def test_alarms_are_taken_once_placed_and_ended(house: World) -> None:
    assert with_token(house, "alertmanager", alerts(alert(), alert("b2", service="billing"))).status_code == 200
    again = with_token(house, "alertmanager", alerts(alert()))
    assert again.json()["text"] == "1 as before"
    web, whole = house.store.outside.alarms()
    assert (web.subject, web.service, web.name) == ("a1", "web", "HighErrorRate")
    assert (whole.subject, whole.service, whole.about) == ("b2", "", "billing")
    said = house.parts.outsiders.look()  # type: ignore[attr-defined]
    assert [s.source for s in said["web"]] == ["alertmanager"]
    assert "billing" in said[""][0].text
    assert with_token(house, "alertmanager", alerts(alert(status="resolved"))).json()["text"].endswith("is over")
    assert [one.subject for one in house.store.outside.alarms()] == ["b2"]
    kinds = [e.kind for e in house.store.ledger.entries()]
    assert kinds.count("told") == 2, "what changes nothing is no news"


def test_quiet_alerts_and_strange_ones(house: World) -> None:
    assert with_token(house, "alertmanager", alerts(alert(severity="none"))).json()["text"].startswith("left out: 1")
    for body in (
        {"version": "5", "alerts": []},
        {"alerts": []},
        [],
        b"{",
        b"\xff",
        b"[" * 20_000,
        alerts() | {"alerts": 3},
    ):
        assert with_token(house, "alertmanager", body).status_code == 422, body
    hostile = alert(alertname="\x1b[31m<script>alert(1)</script>\u202e", service="x" * 5000)
    hostile |= {
        "annotations": {"summary": "token ghp_" + "a" * 36},
        "startsAt": "9999-01-01T00:00:00Z",
        "fingerprint": {"a": 1},
    }
    assert with_token(house, "alertmanager", alerts(hostile, {}, "no", None)).status_code == 200  # type: ignore[arg-type]
    stored = house.store.outside.alarms()
    assert len(stored) == 2
    named = next(one for one in stored if "script" in one.name)
    assert "\x1b" not in named.name
    assert "\u202e" not in named.name
    assert len(named.about) <= 100
    assert "ghp_" not in named.text
    assert named.began_at <= now()


def test_wrong_keys_wrong_types_and_closed_ways(house: World, tmp_path: Path) -> None:
    good = alerts(alert())
    assert post(house, "alertmanager", good).status_code == 401
    assert post(house, "alertmanager", good, authorization="Bearer wrong").status_code == 401
    assert post(house, "alertmanager", good, authorization=f"Bearer {secret(house, 'deploy')}").status_code == 401
    basic = base64.b64encode(f"prodwise:{secret(house, 'alertmanager')}".encode()).decode()
    assert post(house, "alertmanager", good, authorization=f"Basic {basic}").status_code == 200
    assert with_token(house, "alertmanager", good, content_type="text/plain").status_code == 415
    assert with_token(house, "alertmanager", good, content_type="application/x-www-form-urlencoded").status_code == 415
    with house.stranger() as client:
        for path in ("/hooks/gitlab", "/hooks/", "/hooks/alertmanager/x"):
            assert client.post(path, json=good).status_code in (404, 401), path
        assert client.get("/hooks/alertmanager").status_code == 405
    facts = hook(house, "alertmanager")
    assert facts["refused"] == {"not_signed": 3, "wrong_type": 2}
    assert facts["taken"] == 1
    (tmp_path / "secrets" / "alertmanager").write_text("short")
    assert post(house, "alertmanager", good, authorization="Bearer short").status_code == 401, (
        "a guessable key opens nothing"
    )
    (tmp_path / "secrets" / "alertmanager").write_text("")
    assert post(house, "alertmanager", good, authorization="Bearer").status_code == 401


def test_secrets_are_private_files_and_stand_nowhere_else(house: World, tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "deploy"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    before = secret(house, "deploy")
    hooks(house.config, tmp_path, tmp_path / "secrets")
    assert secret(house, "deploy") == before, "it is made once"
    assert with_token(house, "deploy", {"version": "v1"}).status_code == 200
    post(house, "deploy", {"version": "v1"}, authorization="Bearer wrong")
    with house.local() as client:
        shown = client.get("/api/v1/ways-in").text + client.get("/api/v1/events?limit=2000").text
    with house.person() as person:
        shown += person.get("/releases").text + person.get("/").text
    assert before not in shown
    assert before.removeprefix("whsec_") not in shown
    assert SECRET not in shown
    assert str(path) in shown


def test_bodies_are_bounded(house: World) -> None:
    huge = alerts(alert(x="y" * 1_200_000))
    assert with_token(house, "alertmanager", huge).status_code == 413
    big = alerts(*(alert(f"f{n}", x="y" * 300) for n in range(500)))
    assert with_token(house, "alertmanager", big).status_code == 200
    assert len(house.store.outside.alarms()) == 200
    host, port = house.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 5) as raw:  # says 2 MiB, and is refused without sending them
        head = ("POST /hooks/alertmanager HTTP/1.1", "host: localhost", "content-type: application/json")
        raw.sendall("\r\n".join((*head, f"content-length: {2**21}", "", "")).encode())
        assert raw.recv(200).split()[1] in (b"401", b"413")


def test_the_name_that_a_tool_uses_for_us_does_not_matter_to_machines_alone(house: World) -> None:
    with house.stranger() as client:
        path, headers = f"/ping/{beat(house)['id']}", {"host": "prodwise.internal:7373"}
        assert client.get(path, headers=headers).status_code == 200
        assert client.get("/", headers=headers).status_code == 421


def test_a_deploy_is_a_change(house: World) -> None:
    assert with_token(house, "deploy", {"version": "v12", "who": "ana", "service": "web"}).status_code == 200
    body = {"type": "deploy", "data": {"version": "v13", "service": "web", "text": "the new cart"}}
    assert standard(house, body).status_code == 200
    assert (
        with_token(house, "deploy", {"version": "flags-2", "kind": "flag", "service": "elsewhere"}).status_code == 200
    )
    flag, second, first = house.store.changes.since(0)
    assert (first.kind, first.service, first.before, first.after, first.who) == ("release", "web", "", "v12", "ana")
    assert (second.before, second.after, second.text) == ("v12", "v13", "the new cart")
    assert (flag.kind, flag.service) == ("flag", "")
    assert all(change.outside for change in (flag, second, first))
    with house.person() as client:
        page = client.get("/changes").text
        assert "The new cart" in page
        assert [c["after"] for c in client.get("/api/v1/changes").json()["changes"]] == ["flags-2", "v13", "v12"]
    for wrong in (
        {},
        {"version": ""},
        {"version": "v1", "versoin": 1},
        {"version": "v1", "kind": "heal"},
        {"version": [1]},
    ):
        assert with_token(house, "deploy", wrong).status_code == 422, wrong


def test_replays_are_refused_also_after_a_restart(house: World, tmp_path: Path) -> None:
    body = {"version": "v1"}
    assert standard(house, body, "msg_7").status_code == 200
    assert standard(house, body, "msg_7").status_code == 409
    assert standard(house, body, "msg_8", now() - 400).status_code == 401
    assert standard(house, body, "msg_9", now() + 400).status_code == 401
    assert with_token(house, "deploy", body).status_code == 200
    assert with_token(house, "deploy", body).status_code == 409, "the same deploy, sent again"
    push = {"ref": "refs/heads/main", "after": "a" * 40, "repository": {"default_branch": "main", "name": "shop"}}
    assert signed(house, "push", push).status_code == 200
    assert signed(house, "push", push).status_code == 409
    (tmp_path / "again").mkdir()
    house.close()
    again = start_world(tmp_path, WAYS)
    try:
        assert signed(again, "push", push).status_code == 409
        assert signed(again, "deployment", push).status_code == 409, "the header that names the event is not signed"
        assert standard(again, body, "msg_7").status_code == 409
        assert hook(again, "github")["taken"] == 1
        assert hook(again, "github")["refused"] == {"replayed": 2}
    finally:
        again.close()


def test_signatures_are_of_the_raw_body(house: World) -> None:
    raw = b'{"zen":"Keep it logically awesome.",  "hook_id":1}'
    mac = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"x_github_event": "ping", "x_hub_signature_256": f"sha256={mac}"}
    assert post(house, "github", raw.replace(b"  ", b" "), **headers).status_code == 401
    assert post(house, "github", raw, **headers).status_code == 200
    assert post(house, "github", raw, x_github_event="ping").status_code == 401
    assert post(house, "github", raw, x_github_event="ping", x_hub_signature_256=f"sha1={mac[:40]}").status_code == 401
    assert post(house, "github", raw, x_github_event="ping", x_hub_signature_256=mac).status_code == 401
    assert signed(house, "push", {}, key="another secret of 16").status_code == 401


def test_what_github_tells(house: World) -> None:
    sha, repository = "c" * 40, {"default_branch": "main", "name": "shop"}
    push = {"ref": "refs/heads/main", "after": sha, "repository": repository, "pusher": {"name": "ana"}}
    assert signed(house, "push", push | {"head_commit": {"message": "Faster cart\n\nbody"}}).status_code == 200
    assert "left out" in signed(house, "push", push | {"ref": "refs/heads/wip"}).json()["text"]
    made = {"id": 7, "sha": sha, "environment": "production", "creator": {"login": "ana"}}
    status = {"deployment": made, "repository": repository}
    assert signed(house, "deployment", status).status_code == 200
    for state in ("in_progress", "success"):
        assert signed(house, "deployment_status", status | {"deployment_status": {"state": state}}).status_code == 200
    staging = status | {"deployment": made | {"environment": "staging"}, "deployment_status": {"state": "success"}}
    assert "left out: a deployment to staging" in signed(house, "deployment_status", staging).json()["text"]
    run = {"id": 9, "name": "Deploy shop", "conclusion": "success", "head_branch": "main", "head_sha": "d" * 40}
    done = {"action": "completed", "workflow_run": run, "repository": repository}
    assert signed(house, "workflow_run", done).status_code == 200
    assert (
        "does not deploy" in signed(house, "workflow_run", done | {"workflow_run": run | {"name": "CI"}}).json()["text"]
    )
    assert "left out" in signed(house, "star", {"action": "created"}).json()["text"]
    found = [(c.kind.value, c.after[:7], c.text) for c in reversed(house.store.changes.since(0))]
    assert found == [
        ("commit", "ccccccc", "pushed to main: Faster cart"),
        ("release", "", "a deployment of ccccccc to production was asked for"),
        ("release", "ccccccc", "ccccccc was deployed to production"),
        ("release", "ddddddd", "Deploy shop put ddddddd in place"),
    ]


def test_our_own_release_told_back_to_us_is_no_second_one(house: World) -> None:
    sha = "e" * 40
    mine = house.store.releases.create(sha, "ana")
    status = {"deployment": {"id": 1, "sha": sha, "environment": "prod"}, "deployment_status": {"state": "success"}}
    assert f"own release {mine.id}" in signed(house, "deployment_status", status).json()["text"]
    assert not house.store.changes.since(0)


def test_other_monitors(house: World) -> None:
    def told(way: str, body: Any) -> str:
        answer = with_token(house, way, body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["text"])

    monitor = {"monitor": {"id": 3, "name": "web"}, "msg": "[web] down"}
    assert told("uptime-kuma", {"heartbeat": {"status": 0, "msg": "timeout"}, **monitor}) == "web (web) fires"
    assert told("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": "Testing"}).startswith("left out")
    (down,) = house.store.outside.alarms()
    assert (down.service, down.text) == ("web", "timeout")
    assert told("uptime-kuma", {"heartbeat": {"status": 1}, **monitor}).endswith("is over")
    assert told("healthchecks", {"name": "backup", "code": "abc", "status": "down"}) == "backup (backup) fires"
    (late,) = house.store.outside.alarms()
    assert late.text == "Healthchecks says that it did not run well in time"
    assert told("healthchecks", {"name": "backup", "code": "abc", "status": "up"}).endswith("is over")

    def from_sentry(resource: str, body: Any, at: float = 0.0) -> httpx2.Response:
        raw = json.dumps(body).encode()
        mac = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        stamp = str(int(now() + at))
        return post(
            house, "sentry", raw, sentry_hook_resource=resource, sentry_hook_signature=mac, sentry_hook_timestamp=stamp
        )

    event = {
        "event": {"title": "KeyError: cart", "issue_id": "11", "project": 1, "url": f"{SENTRY}/web/events/e4/"},
        "triggered_rule": "many",
    }
    assert from_sentry("event_alert", {"action": "triggered", "data": event}, -400).status_code == 401
    assert (
        from_sentry("event_alert", {"action": "triggered", "data": event}).json()["text"]
        == "KeyError: cart (web) fires"
    )
    assert house.store.outside.alarms()[0].service == "web"
    assert from_sentry("event_alert", {"action": "triggered", "data": event}).status_code == 409
    issue = {"action": "resolved", "data": {"issue": {"id": "11", "title": "KeyError: cart"}}}
    assert from_sentry("issue", issue).json()["text"].endswith("is over")
    metric = {"metric_alert": {"id": 5, "projects": ["web"]}, "description_title": "Critical: too many errors"}
    assert from_sentry("metric_alert", {"action": "critical", "data": metric}).json()["text"].endswith("fires")
    assert from_sentry("metric_alert", {"action": "resolved", "data": metric}).json()["text"].endswith("is over")
    assert from_sentry("comment", {"action": "created", "data": {}}).json()["text"].startswith("left out")
    assert not house.store.outside.alarms()


@pytest.mark.full
def test_rate_limits_hold_for_who_is_genuine_and_nobody_else_can_use_them_up(house: World) -> None:
    for _ in range(BURST + 5):
        assert post(house, "alertmanager", alerts(), authorization="Bearer wrong").status_code == 401
    codes = [with_token(house, "alertmanager", alerts()).status_code for _ in range(BURST + 30)]
    assert codes[0] == 200
    assert 429 in codes
    assert hook(house, "alertmanager")["refused"]["too_many"] >= 1


def test_what_only_others_say_stands_on_the_pages_as_such(house: World) -> None:
    """Also when it is about no service of ours, and while our own eyes see nothing wrong."""
    said = Symptom("alarm", "", "Billing is down: <b>now</b>", now(), now(), severity=0.0, source="alertmanager")
    for number, service in enumerate(("", "web")):
        found = Incident(
            f"inc-{number}", service, (replace(said, service=service),), now(), IncidentState.SEEN, title=said.text
        )
        house.store.incidents.open(found)
    with house.person() as client:
        assert "Billing is down: &lt;b&gt;now" in client.get("/").text
        for number in range(2):
            house.store.incidents.save(f"inc-{number}", state="closed", outcome="escalated", closed_at=now())
        page = client.get("/").text
        assert page.count("Others say so, and I see nothing of it myself.") == 2
        assert "the app as a whole" in client.get("/incidents/inc-0").text
        view = client.get("/api/v1/incidents/inc-0").json()["view"]
        assert view["service"] == "the app as a whole"


def test_a_page_shows_jobs_and_tools_without_their_keys(house: World) -> None:
    at = beat(house)
    with house.person() as client, house.stranger() as outside:
        before = client.get("/signals").text
        assert "was not heard of yet" in before
        assert before.count("has not told anything yet") == len(WAYS["hooks"])
        outside.get(f"/ping/{at['id']}/137")
        with_token(house, "alertmanager", alerts(alert(alertname="<b>Slow</b>")))
        post(house, "alertmanager", alerts(alert()), authorization="Bearer wrong")
        text = client.get("/signals").text
    for said in ("nightly-backup", "failed with exit code 137", "Every 24 h, 10 min late at most", "never ran well so far",
                 "1 delivery, the last one", "&lt;b&gt;Slow&lt;/b&gt;", "Refused: 1 "):  # fmt: skip
        assert said in text, said
    assert "<b>Slow" not in text
    assert at["id"] not in text
    assert secret(house, "alertmanager") not in text
