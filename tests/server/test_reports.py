"""The API about reports: projects, groups by page, single events, resolved and regressed; and every request that a schema allows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodwise import clock
from prodwise.config import SignalsConfig, validate
from prodwise.model.report import Reason
from prodwise.store.reports.writer import ReportWriter
from tests.server.running_server import World
from tests.store.test_reports import delivery, event

KEY = event().seen.group


@pytest.fixture
def writer(world: World) -> Iterator[ReportWriter]:
    """A receiver's own, beside the server."""
    made = ReportWriter(f"sqlite:///{world.socket.parent}/reports-0.db", 0)
    yield made
    made.close()


def get(world: World, path: str, **asked: Any) -> Any:
    with world.local() as client:
        answer = client.get(f"/api/v1/{path}", params=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


def status(world: World, path: str, **asked: Any) -> int:
    with world.local() as client:
        return int(client.get(f"/api/v1/{path}", params=asked).status_code)


def test_projects_show_their_dsn_what_came_in_and_what_did_not(world: World, writer: ReportWriter) -> None:
    at = clock.now()
    writer.write([delivery(event(1, at=at), at=at, counts={Reason.CLOCK: 3})])
    shop, jobs = get(world, "projects")["projects"]
    assert (shop["dsn"], shop["last"], shop["events"]) == (f"http://{'ab' * 16}@127.0.0.1:7374/1", at, 1)
    assert shop["counts"] == {"clock corrected": 3}
    assert (jobs["last"], jobs["forwarded"], jobs["service"]) == (None, True, "worker")
    assert "sentry.example" not in str(jobs)
    assert get(world, "projects")["listening"] is False
    with world.stranger() as client:
        text = client.get("/metrics").text
    assert 'prodwise_reports_events{project="teashop"} 1' in text
    assert 'prodwise_reports_counted{project="teashop",reason="clock"} 3' in text


def test_a_page_shows_what_came_in_and_what_did_not(world: World, writer: ReportWriter) -> None:
    at = clock.now()
    with world.person() as client:
        before = client.get("/signals").text
        assert before.count("Nothing reported yet.") == 2
        assert "No receiver answers at" in before
        hostile = {Reason.CLOCK: 3, Reason.BOMB: 12_000}
        writer.write([delivery(event(1, "<b>", at=at), at=at, counts=hostile)])
        text = client.get("/signals").text
    assert "1 delivery, 1 error in 1 group" in text
    assert "12,000" in text
    assert "Unpacks to too much" in text
    assert "Fault &lt;b&gt;" in text
    assert "Fault <b>" not in text
    with world.stranger() as client:
        assert client.get("/signals").status_code == 401


def test_groups_come_by_page_and_whole(world: World, writer: ReportWriter) -> None:
    at = clock.now()
    for number in range(5):
        writer.write([delivery(event(number, f"g{number}", at=at + number, detail={"message": "no"}))])
    first = get(world, "groups", limit=3)
    rest = get(world, "groups", limit=3, after=first["next"])
    titles = [one["title"] for one in first["groups"] + rest["groups"]]
    assert (titles, rest["next"]) == ([f"Fault g{number}" for number in (4, 3, 2, 1, 0)], "")
    assert {one["state"] for one in first["groups"]} == {"new"}
    assert get(world, "groups", project=2)["groups"] == []
    whole = get(world, f"groups/{first['groups'][0]['key']}")
    assert (whole["tallies"][0]["count"], whole["events"][0]["detail"]) == (1, None)
    assert get(world, f"events/{whole['events'][0]['id']}")["event"]["detail"] == {"message": "no"}


def test_a_resolved_group_regresses_with_a_new_release_only(world: World, writer: ReportWriter) -> None:
    at = clock.now() - 120
    writer.write([delivery(event(1, at=at), at=at)])
    with world.local() as client:
        resolved = client.post(f"/api/v1/groups/{KEY}/resolve").json()["group"]
    assert resolved["state"] == "resolved"
    later = clock.now() + 60
    writer.write([delivery(event(2, at=later), at=later)])
    assert get(world, f"groups/{KEY}")["group"]["state"] == "resolved", "an old release still says it"
    writer.write([delivery(event(3, at=later, release="r2"), at=later)])
    assert get(world, f"groups/{KEY}")["group"]["state"] == "regressed"
    with world.local() as client:
        assert client.post(f"/api/v1/groups/{KEY}/reopen").json()["group"]["state"] == "new"
    told = [entry.text for entry in world.store.ledger.recent(5, ["setting"])]
    assert told == [f"the errors of group {KEY} are not resolved", f"the errors of group {KEY} are resolved"]


def test_what_does_not_exist_and_what_is_no_id(world: World, writer: ReportWriter) -> None:
    assert [status(world, path) for path in ("groups/" + "0" * 32, "events/" + "0" * 32)] == [404, 404]
    assert [status(world, path) for path in ("groups/x", "events/x")] == [422, 422]
    assert [status(world, "groups", after="x"), status(world, "groups", limit=0)] == [422, 422]
    with world.local() as client:
        assert client.post("/api/v1/groups/" + "0" * 32 + "/resolve").status_code == 404


def test_the_settings_that_the_page_shows_are_valid_and_the_defaults() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reports.md").read_text()
    shown = tomllib.loads(page.split("```toml\n")[1].split("```")[0])
    services = {"web": {"command": "serve"}, "worker": {"command": "work", "kind": "worker"}}
    signals = validate({"version": 1, "services": services, **shown}, "docs/reports.md").signals
    assert signals.model_copy(update={"projects": {}}) == SignalsConfig()


@pytest.mark.full
@pytest.mark.timeout(300)
def test_no_request_of_the_schema_breaks_the_new_routes(world: World, writer: ReportWriter, tmp_path: Path) -> None:
    import schemathesis

    writer.write([delivery(event(number, f"g{number % 7}", detail={"text": "x"})) for number in range(50)])
    schema = schemathesis.openapi.from_dict(get(world, "openapi.json"))
    asked: dict[str, set[int]] = {}
    for result in schema.include(path_regex="^/api/v1/(projects|groups|events/|graph|series)").get_all_operations():
        asked[result.ok().label] = _ask_everything(world, result.ok())
    assert len(asked) == 9
    assert any(200 in statuses for statuses in asked.values())


def _ask_everything(world: World, operation: Any) -> set[int]:
    """The statuses of what the schema lets one operation be asked."""
    from hypothesis import HealthCheck, given, settings

    seen: set[int] = set()

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        with world.local() as client:
            answer = client.request(
                case.method, case.formatted_path, params=case.query, headers=dict(case.headers or {})
            )
        seen.add(answer.status_code)
        assert answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/json"

    ask()
    return seen
