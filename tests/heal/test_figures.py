"""The figures that a diagnosis rests on: what came before the onset, what since, and how much traffic that is."""

from __future__ import annotations

import json
from random import Random

import pytest

from prodwise.heal.casebook import rate_now, rate_usual
from prodwise.heal.harm import Harm, more
from prodwise.heal.vitals import MINUTES_SAVED, Window
from prodwise.loop.changes.latency import bucket
from prodwise.model.incident import USERS_COUNTED_MAX
from prodwise.model.signal import Arm, RequestSeen

ONSET = 1000.55


def request(at: float, ms: float = 20.0, status: int = 200, route: str = "GET /") -> RequestSeen:
    return RequestSeen(at, "web", "1-a", Arm.STABLE, 0.0, route, status, ms, f"{at}")


def poisson(rng: Random, rate: float, seconds: int) -> list[int]:
    counts = [0] * seconds
    at = rng.expovariate(rate)
    while at < seconds:
        counts[int(at)] += 1
        at += rng.expovariate(rate)
    return counts


def test_good_answers_just_before_a_hang_do_not_pass_for_answers_since() -> None:
    window = Window()
    for n in range(600):
        window.observe(request(ONSET - 10 + n / 60))
    (route,) = window.routes.facts("web", 0.0, ONSET)
    assert route.after == 0
    assert route.before >= 560


def test_answers_since_the_onset_count_from_the_first_on() -> None:
    window = Window()
    for n in range(60):
        window.observe(request(ONSET - 1 + n / 60))
    for n in range(12):
        window.observe(request(ONSET + n / 60, 900.0, 200 if n % 2 else 500))
    (route,) = window.routes.facts("web", 0.0, ONSET)
    assert (route.after, route.after_failed) == (12, 6)
    assert (route.before_ms, route.after_ms) == (20.0, 900.0)


def test_what_came_just_before_an_onset_is_not_taken_for_usual() -> None:
    """Eight times the traffic makes everything slow a second or two before a probe has failed three times."""
    window = Window()
    for n in range(200):
        window.observe(request(ONSET - 10 + n / 25))
    for n in range(400):
        window.observe(request(ONSET - 1.9 + n / 220, 500.0))
    (route,) = window.routes.facts("web", 0.0, ONSET)
    assert route.before_ms == 500.0, "nothing older is remembered"
    window = Window()
    for n in range(200):
        window.observe(request(ONSET - 10 + n / 25))
    for n in range(60):
        window.observe(request(ONSET - 1.9 + n / 32, 500.0))
    (route,) = window.routes.facts("web", 0.0, ONSET)
    assert route.before_ms == 20.0


def test_arrivals_are_counted_by_when_they_came() -> None:
    """Stuck for five seconds and let go: 200 answers in one second are no rise of traffic."""
    window = Window()
    for n in range(800):
        came = 1000 + n / 40
        window.observe(
            request(max(came, 1020.0 if came > 1015 else came), 1000 * max(0.0, 1020.0 - came) if came > 1015 else 0.0)
        )
    assert window.arrivals(1002.0, 1020.0) == [40] * 18
    assert window.arrivals(0.0, 1003.0) == [40] * 3
    assert Window().arrivals(0.0, 1003.0) == []


def test_a_rise_is_seen_after_seconds_of_usual_traffic() -> None:
    usual, now = rate_usual([38, 41, 40]), rate_now([35, 160, 170, 40, 0, 0])
    assert usual is not None
    assert now is not None
    assert usual == pytest.approx(40, abs=1)
    assert now / usual > 2  # the last seconds are not answered yet


def test_too_little_is_unknown() -> None:
    assert rate_usual([40, 41]) is None
    assert rate_usual([1] * 20) is None
    assert rate_now([]) is None
    assert rate_now([5, 5, 5]) is None


@pytest.mark.parametrize("rate", [2.0, 5.0, 40.0])
def test_chance_alone_is_hardly_ever_a_rise(rate: float) -> None:
    """Half as many again is what speaks for overload; and by itself it is not enough to act on."""
    rng, rises = Random(7), 0
    for _ in range(300):
        usual, now = rate_usual(poisson(rng, rate, 30)), rate_now(poisson(rng, rate, 8))
        rises += usual is not None and now is not None and now >= 1.5 * usual
    assert rises <= 30


def test_those_who_wait_for_an_answer_are_traffic_too() -> None:
    """A stuck service logs nothing: what came since is seen in what is under way, and what always is does not count."""
    window = Window()
    for second in range(1000, 1010):
        for n in range(60):
            window.observe(request(second + n / 60, 0.0))
        window.count(second + 0.9, 200)
    assert window.arrivals(1000.0, 1010.0) == [60] * 10
    for half in range(10):
        window.count(1010 + half / 2, 230 + 30 * half)
    assert window.arrivals(1005.0, 1015.0) == [60] * 10, "a hang under the usual traffic"
    window.count(1015.2, 1100)
    assert window.arrivals(1014.0, 1016.0) == [60, 600]


def failure(at: float, lane: str, *, returning: bool = True, release: str = "1-a", status: int = 500) -> RequestSeen:
    return RequestSeen(
        at, "web", release, Arm.STABLE, 0.0, "GET /", status, 20.0, lane, returning=returning
    )  # fmt: skip


def test_people_hit_are_counted_once_each_and_only_when_their_request_failed() -> None:
    harm = Harm()
    for n in range(100):
        harm.observe(failure(1000 + n, f"lane-{n % 7}"))
        harm.observe(failure(1000 + n, f"well-{n}", status=200))
    assert harm.people(1000.0) == 7
    assert harm.people(1097.0) == 3
    assert harm.people(1200.0) == 0
    assert harm.requests("1-a") == 100


def test_clients_that_keep_no_cookies_are_not_taken_for_people() -> None:
    harm = Harm()
    for n in range(50):
        harm.observe(failure(1000 + n, f"request-{n}", returning=False))
    assert harm.people(1000.0) is None, "unknown, not nobody, and not fifty"
    harm.observe(failure(1060.0, "lane"))
    assert harm.people(1000.0) == 1


def test_people_of_one_release_are_told_from_those_of_another() -> None:
    harm = Harm()
    for n in range(10):
        harm.observe(failure(1000 + n, f"old-{n}", release="1-a"))
        harm.observe(failure(1000 + n, f"new-{n % 4}", release="2-b"))
    assert (harm.people(0.0, "2-b"), harm.requests("2-b")) == (4, 10)
    assert (harm.people(0.0, "3-c"), harm.requests("3-c")) == (0, 0)


def test_memory_of_people_is_bounded_and_holds_no_lane() -> None:
    harm = Harm()
    for n in range(USERS_COUNTED_MAX + 500):
        harm.observe(failure(1000 + n, f"lane-{n}", release=f"{n}-x"))
    assert harm.people(0.0) == USERS_COUNTED_MAX
    assert harm.requests("0-x") == 0, "the oldest releases are forgotten"
    assert "lane-" not in repr(vars(harm)), "only keyed hashes are kept"


def test_what_was_counted_before_is_never_lost() -> None:
    assert (more(None, None), more(3, None), more(None, 3), more(5, 3)) == (None, 3, 3, 5)


def test_minutes_keep_what_tells_before_from_after() -> None:
    window = Window()
    for n in range(90):
        window.observe(request(1200.0 + n, 10.0 if n < 60 else 100.0, 500 if n == 5 else 200))
    first, second = window.minutes()
    assert (first.at, first.requests, first.failed) == (1200.0, 60, 1)
    assert (second.at, second.requests, second.failed) == (1260.0, 30, 0)
    assert first.slow == {bucket(10.0): 59}, "a failure's latency says nothing"
    assert second.slow == {bucket(100.0): 30}


def test_minutes_survive_the_healer_as_json_and_count_on() -> None:
    before, after = Window(), Window()
    for n in range(90):
        before.observe(request(1200.0 + n, 10.0, 500 if n == 5 else 200))
    after.restore(json.loads(json.dumps(before.to_keep())))
    assert after.minutes() == before.minutes()
    for window in (before, after):
        window.observe(request(1295.0, 100.0))
    assert after.minutes() == before.minutes()
    for minute in range(200):
        before.observe(request(3000.0 + 60 * minute))
    assert len(before.to_keep()) == MINUTES_SAVED
    assert before.to_keep()[-1][0] == (3000 + 60 * 199) // 60
