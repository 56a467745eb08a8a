"""What outsiders said, over restarts, pauses, clock jumps and storms. Clocks are the test's; the store is real."""

from __future__ import annotations

from dataclasses import replace

import pytest

from prodwise.config import Config, validate
from prodwise.heal import memory, outside
from prodwise.heal.outside import DEAF_S, SHOWN_MAX, Outside
from prodwise.model.change import Change, ChangeKind
from prodwise.model.errors import Refused, Replayed
from prodwise.model.incident import SYMPTOMS_MAX, Incident, IncidentState, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.outside import Alarm, Genuine, Told, Word
from prodwise.store.outside import ALARMS_MAX, DELIVERIES_MAX
from prodwise.store.sql import SqlStore

T = 1_000_000.0
HOUR = 3600.0
CONFIG = validate(
    {
        "services": {"web": {"command": "x"}},
        "heartbeats": {"hourly": {"every": "1 h", "grace": "5 min", "service": "web"}},
        "hooks": {"alertmanager": {}},
    },
    "test",
)


class Clock:
    """wall jumps and pauses by hand; steady never goes back."""

    def __init__(self) -> None:
        self.wall, self.steady = T, 5.0

    def pass_(self, seconds: float) -> None:
        self.wall, self.steady = self.wall + seconds, self.steady + seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(outside, "now", lambda: made.wall)
    monkeypatch.setattr(outside, "monotonic", lambda: made.steady)
    return made


def alarm(number: int = 1, *, firing: bool = True, lasts_s: float = HOUR) -> Alarm:
    return Alarm("alertmanager", f"f{number}", "Slow", "p95 is 2 s", T - number, T, firing, "web", lasts_s=lasts_s)


def listen(heard: Outside, clock: Clock, seconds: float) -> dict[str, list[Symptom]]:
    """As the intake does, in steps that are no pause."""
    for _ in range(int(seconds / 50)):
        clock.pass_(50)
        found = heard.look()
    return found


def test_a_job_is_late_after_a_whole_period_that_was_listened_to(store: SqlStore, clock: Clock) -> None:
    heard = Outside(store, CONFIG)
    assert listen(heard, clock, HOUR) == {}
    assert listen(heard, clock, 400)["web"][0].source == "heartbeat:hourly"
    heard.ping("hourly", Word.OK)
    assert heard.look() == {}


@pytest.mark.parametrize("pause", ["dead", "asleep", "jump", "back"])
def test_our_own_deafness_is_not_its_lateness(store: SqlStore, clock: Clock, pause: str) -> None:
    heard = Outside(store, CONFIG)
    heard.ping("hourly", Word.OK)
    listen(heard, clock, 1000)
    if pause == "dead":
        clock.pass_(3 * HOUR)
        heard = Outside(store, CONFIG)
    elif pause == "asleep":
        clock.pass_(3 * HOUR)
    else:
        clock.wall += 3 * HOUR if pause == "jump" else -3 * HOUR
    assert heard.look() == {}
    assert listen(heard, clock, HOUR) == {}
    assert listen(heard, clock, 400)["web"], "after a whole period it is late all the same"


def test_a_restart_of_seconds_is_no_deafness(store: SqlStore, clock: Clock) -> None:
    """Else a healer that is restarted every day would never notice a daily job's silence."""
    heard = Outside(store, CONFIG)
    for _ in range(4):
        listen(heard, clock, 1000)
        clock.pass_(DEAF_S - 20)
        heard = Outside(store, CONFIG)
    assert heard.look()["web"]


def test_a_delivery_is_taken_once_or_not_at_all(store: SqlStore, clock: Clock) -> None:
    heard = Outside(store, CONFIG)
    heard.hear("alertmanager", Genuine("body:1"), Told((alarm(),)))
    with pytest.raises(Replayed):
        heard.hear("alertmanager", Genuine("body:1"), Told((alarm(2),)))
    many = tuple(alarm(n) for n in range(ALARMS_MAX + 1))
    with pytest.raises(Refused, match="stand already"):
        heard.hear("alertmanager", Genuine("body:2"), Told(many))
    assert [one.subject for one in store.outside.alarms()] == ["f1"]
    assert heard.hear("alertmanager", Genuine("body:2"), Told((alarm(firing=False),))), (
        "what was not taken may come again"
    )
    assert heard.hear("alertmanager", Genuine("body:2", kept_s=0.0), Told()) == "nothing new"


@pytest.mark.parametrize(
    ("text", "about", "said"),
    [
        ("p95 is 2 s", "web", "Slow: p95 is 2 s"),
        ("slow for 5 min", "web", "slow for 5 min"),
        ("", "web", "Slow"),
        ("slow for 5 min", "elsewhere", "slow for 5 min (elsewhere)"),
        ("p95 is 2 s", "elsewhere", "Slow (elsewhere): p95 is 2 s"),
        ("", "elsewhere", "Slow (elsewhere)"),
    ],
)
def test_an_alarm_is_told_by_its_name_once(store: SqlStore, clock: Clock, text: str, about: str, said: str) -> None:
    heard = Outside(store, CONFIG)
    heard.hear("alertmanager", Genuine("body:1"), Told((replace(alarm(), text=text, about=about),)))
    (found,) = (one for some in heard.look().values() for one in some)
    assert found.text == said


def test_what_is_remembered_is_bounded(store: SqlStore) -> None:
    for number in range(50):
        assert store.outside.first("deploy", f"d{number}", T + number, HOUR)
    assert not store.outside.first("deploy", "d0", T + 60, HOUR)
    assert store.outside.first("deploy", "d0", T + HOUR, HOUR), "after its time it may come again"
    assert store.outside.first("github", "d0", T, HOUR), "each way remembers its own"
    assert DELIVERIES_MAX >= 10_000


def test_the_oldest_is_forgotten_first(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("prodwise.store.outside.DELIVERIES_MAX", 3)
    for number in range(5):
        store.outside.first("deploy", f"d{number}", T + number, HOUR)
    assert not store.outside.first("deploy", "d2", T + 9, HOUR)
    assert store.outside.first("deploy", "d1", T + 9, HOUR)


def test_alarms_outlive_a_restart_a_storm_is_one_trouble_and_silence_ends_them(store: SqlStore, clock: Clock) -> None:
    heard = Outside(store, CONFIG)
    heard.hear("alertmanager", Genuine(), Told(tuple(alarm(n) for n in range(1, 201))))
    assert len(heard.look()["web"]) == SHOWN_MAX
    assert heard.look() == Outside(store, CONFIG).look()
    assert heard.standing("web")
    assert not heard.standing("")
    assert len([e for e in store.ledger.entries() if e.kind == "told"]) == 1
    clock.pass_(HOUR + 1)
    assert "web" not in heard.look()
    assert not store.outside.alarms()


def test_a_flood_of_what_others_tell_hides_nothing_of_ours(store: SqlStore, clock: Clock) -> None:
    """Nor does a deploy elsewhere that bears the name of a release of ours stand for it."""
    ours = Change("put-back-x", T - 60, ChangeKind.MANUAL, "", "2-b", "1-a", "ana", "none")
    store.changes.record(ours)
    heard = Outside(store, CONFIG)
    for number in range(250):
        told = Change(f"outside-deploy-{number}", T, ChangeKind.RELEASE, "web", "", "1-a", "a deploy", "none")
        heard.hear("deploy", Genuine(f"id:{number}"), Told(changes=(told,)))
    assert ours not in store.changes.since(0.0, 200)
    assert store.changes.own(0.0) == [ours]
    parts = type("P", (), {"records": store})()
    assert memory.kept_by(parts, "1-a") == "ana"


def test_alarms_of_a_way_that_was_closed_stand_no_more(store: SqlStore, clock: Clock) -> None:
    Outside(store, CONFIG).hear("alertmanager", Genuine(), Told((alarm(),)))
    assert Outside(store, Config()).look() == {}


def test_ids_of_heartbeats_stay_and_stand_in_no_ledger(store: SqlStore, clock: Clock) -> None:
    first = Outside(store, CONFIG).beats()[0]["id"]
    fewer = Outside(store, Config())
    assert fewer.beat(first) == "", "what is not declared any more is unknown"
    again = Outside(store, CONFIG)
    assert again.beat(first) == "hourly"
    again.ping("hourly", Word.FAIL, 3)
    assert first not in str(store.ledger.entries(limit=1000))


def test_what_others_say_never_keeps_out_what_we_see(store: SqlStore) -> None:
    def many(since: int) -> tuple[Symptom, ...]:
        return tuple(
            Symptom("alarm", "web", "Slow", T, T, severity=0.0, source="alertmanager", subject=f"f{since + n}")
            for n in range(SYMPTOMS_MAX)
        )

    store.incidents.open(Incident("inc-1", "web", many(0), T, IncidentState.SEEN))
    own = Symptom("errors", "web", "fails", T, T)
    for found in ((*many(1000), own), many(2000)):
        store.incidents.open(Incident("inc-2", "web", found, T, IncidentState.SEEN))
    kept = store.incidents.load("inc-1").symptoms
    assert own in kept
    assert len(kept) == SYMPTOMS_MAX + 1


def test_an_alarm_that_lags_does_not_open_again_what_was_healed(store: SqlStore) -> None:
    said = Symptom("alarm", "web", "Slow", T, T, source="alertmanager", subject="f1")
    own = Symptom("errors", "web", "fails", T, T)
    parts = type("P", (), {"records": store})()
    assert memory.without_echoes(parts, "web", [said, own], T) == [said, own]
    store.incidents.open(Incident("inc-1", "web", (own, said), T, IncidentState.SEEN))
    store.incidents.save("inc-1", closed_at=T + 60, outcome=Outcome.HEALED.value, state="closed")
    assert memory.without_echoes(parts, "web", [said, own], T + 90) == [own]
    assert memory.without_echoes(parts, "web", [replace(said, subject="f2")], T + 90), "another alarm is news"
    assert memory.without_echoes(parts, "web", [said], T + HOUR), "one that never ends is told"
    store.incidents.save("inc-1", outcome=Outcome.ABANDONED.value)
    assert memory.without_echoes(parts, "web", [said], T + 90), "nobody was told of it"
