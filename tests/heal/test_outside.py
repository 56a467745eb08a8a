"""What outsiders say, in a real house: it opens incidents and calls people, and is acted on only when our own eyes agree."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from prodwise.testing import apps
from tests.heal.conftest import Open
from tests.heal.running_healer import SETTINGS, House, traffic

pytestmark = pytest.mark.timeout(180)

WAYS = """
[heartbeats.minutely]
every = "4 s"
grace = "1 s"

[hooks.alertmanager]
services = { shop = "web" }

[hooks.deploy]
"""


def ways(house: House) -> dict[str, Any]:
    return dict(house.api.get("ways-in"))


def send(house: House, way: str, body: Mapping[str, Any]) -> None:
    one = next(one for one in ways(house)["hooks"] if one["way"] == way)
    token = (house.dir / ".prodwise" / "secrets" / way).read_text().strip()
    assert one["secret"].endswith(f".prodwise/secrets/{way}")
    answer = httpx2.post(one["url"], json=body, headers={"authorization": f"Bearer {token}"}, timeout=10)
    assert answer.status_code == 200, answer.text


def alert(status: str, service: str = "shop") -> Mapping[str, Any]:
    labels, notes = {"alertname": "HighErrorRate", "service": service}, {"summary": "one in three fails"}
    return {"version": "4", "alerts": [{"status": status, "labels": labels, "annotations": notes, "fingerprint": "a1"}]}


def of(house: House, service: str) -> list[Mapping[str, Any]]:
    """Rows of the service's incidents, newest first."""
    found = house.store.incidents.list(limit=20)
    return [house.store.incidents.row(one.id) for one in found if one.service == service]


def acted(house: House, after: int) -> list[str]:
    entries = house.store.ledger.entries(after, 2000)
    return [e.text for e in entries if e.kind == "effect" and e.actor == "prodwise"]


@pytest.fixture
def house(open_house: Open) -> House:
    made = open_house(settings=SETTINGS + WAYS)
    made.prove()
    return made


@pytest.mark.full
def test_a_person_is_told_and_nothing_is_done_until_our_own_eyes_agree(house: House) -> None:
    last = house.last_entry
    send(house, "alertmanager", alert("firing"))
    apps.until(lambda: of(house, "web"), 10, "the alarm's incident")
    apps.until(lambda: of(house, ""), 20, "the late heartbeat's incident")
    apps.until(lambda: "minutely is late" in house.told(), 10, "a person is told of the heartbeat")
    beat = ways(house)["heartbeats"][0]
    assert beat["state"] == "late"
    (late,) = of(house, "")
    assert (late["outcome"], late["symptoms"][0]["source"]) == ("escalated", "heartbeat:minutely")
    assert house.api.get(f"incidents/{late['id']}")["view"]["symptoms"][0].startswith("minutely is late")
    assert httpx2.get(beat["url"], timeout=10).text == "OK"
    assert ways(house)["heartbeats"][0]["state"] == "well"
    apps.until(lambda: of(house, "web")[0]["outcome"], 40, "the end of the wait for our own eyes")
    alone = of(house, "web")[0]
    assert alone["outcome"] == "escalated"
    apps.until(lambda: "only alertmanager says so" in house.told(), 10, "a person is told why nothing was done")
    assert not acted(house, last), "nothing is done on the word of others"
    with traffic(house.address):
        pid = house.hang()
        apps.until(lambda: of(house, "web")[0]["outcome"] == "healed", 60, "the restart that helps")
    assert house.serving().pid != pid
    agreed = of(house, "web")[0]
    assert {s["source"] for s in agreed["symptoms"]} == {"", "alertmanager"}
    assert any("restart" in text for text in acted(house, last))
    send(house, "alertmanager", alert("resolved"))
    assert not house.store.outside.alarms()
    assert len(of(house, "web")) == 2, "what is over is not opened again by an alarm that lags"
    house.whole()


@pytest.mark.full
def test_a_deploy_elsewhere_is_a_change_that_nothing_of_ours_takes_back(house: House) -> None:
    """It stands in the ledger and in the diagnosis, is no remedy of an incident, and is never rolled back to or from."""
    send(house, "deploy", {"version": "cdn-41", "who": "ana"})
    send(house, "deploy", {"version": "cdn-42", "who": "ana"})
    send(house, "alertmanager", alert("firing"))
    apps.until(lambda: of(house, "web"), 10, "the alarm's incident")
    send(house, "deploy", {"version": "cdn-43", "who": "ana"})
    apps.until(lambda: (of(house, "web")[0]["diagnosis"] or {}).get("hypotheses"), 10, "a diagnosis")
    leading = of(house, "web")[0]["diagnosis"]["hypotheses"][0]
    assert leading["cause"] == "config"
    assert "release change by ana" in leading["text"]
    apps.until(lambda: of(house, "web")[0]["outcome"], 40, "its end")
    assert of(house, "web")[0]["outcome"] == "escalated"
    assert json.dumps(of(house, "web")[0]["turn"]).count("rollback") == 0
    house.whole()
