"""Steady state: quiet when nothing is wrong, quick when something is; unknown is neither."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from prodwise.loop.detect.baseline import BaselineBuilder
from prodwise.loop.detect.probe import ProbeDetector
from prodwise.loop.detect.process import ProcessDetector
from prodwise.loop.detect.service import ServiceMonitor
from prodwise.loop.detect.silence import SilenceDetector
from prodwise.model.incident import Symptom
from prodwise.model.signal import ProbeSeen, ProcessSeen, ProcessState, RequestSeen
from tests.loop.traffic import request, steady


def alarms(monitor: ServiceMonitor, requests: Iterable[RequestSeen], until: float) -> tuple[Symptom, ...]:
    """The first symptoms, looked for every second."""
    tick = 1.0
    for seen in requests:
        while tick <= seen.at:
            monitor.tick(tick)
            if found := monitor.symptoms(tick):
                return found
            tick += 1
        monitor.observe(seen)
    while tick <= until:
        monitor.tick(tick)
        if found := monitor.symptoms(tick):
            return found
        tick += 1
    return ()


def test_noisy_app_from_a_cold_start_is_left_alone() -> None:
    for seed in range(25):
        assert not alarms(ServiceMonitor("web"), steady(seed, 180, lambda t: 20, lambda t, r: 0.01), 180)


def test_traffic_that_grows_tenfold_is_left_alone() -> None:
    for seed in range(4):
        found = alarms(ServiceMonitor("web"), steady(seed, 500, lambda t: 4 + 36 * t / 500, lambda t, r: 0.002), 500)
        assert not found


def test_nearly_idle_app_is_left_alone() -> None:
    def rate(t: float) -> float:
        return 0.5 if t % 7200 > 6000 else 0.01

    for seed in range(6):
        assert not alarms(ServiceMonitor("web"), steady(seed, 30_000, rate, lambda t, r: 0.005), 30_000)


def test_not_found_is_no_error() -> None:
    assert not alarms(ServiceMonitor("web"), steady(1, 300, lambda t: 20, lambda t, r: 0.0, missing=0.4), 300)


def test_bursts_that_are_usual_are_left_alone() -> None:
    builder = BaselineBuilder("web")
    for seen in steady(1, 1000, lambda t: 20, lambda t, r: 0.01, burst=5):
        builder.observe(seen)
    for seed in range(5):
        monitor = ServiceMonitor("web", builder.build())
        assert not alarms(monitor, steady(seed, 500, lambda t: 20, lambda t, r: 0.01, burst=5), 500)


@pytest.mark.parametrize("usual", [0.0, 0.001, 0.01])
def test_one_failing_route_is_found(usual: float) -> None:
    """30 % errors on a route with a quarter of the traffic: about 5 of its requests a second."""
    waited = []
    for seed in range(12):
        stream = steady(seed, 400, lambda t: 20, lambda t, r: 0.3 if t > 300 and r == "GET /r1" else usual)
        found = alarms(ServiceMonitor("web"), stream, 400)
        assert found
        assert found[0].kind == "errors"
        assert 295 < found[0].onset_at <= found[0].seen_at
        waited.append(found[0].seen_at - 300)
    assert sum(waited) / len(waited) <= 7


def test_outage_is_found_in_a_handful_of_requests() -> None:
    monitor = ServiceMonitor("web")
    for seen in steady(1, 300, lambda t: 10, lambda t, r: 0.002):
        monitor.observe(seen)
    for n in range(8):
        assert monitor.healthy(300) or n > 3
        monitor.observe(request(300 + n / 10, "GET /r0", ok=False))
        if monitor.symptoms(300 + n / 10):
            break
    assert n <= 6
    assert monitor.healthy(301) is False
    assert monitor.symptoms(301)[0].onset_at == pytest.approx(300, abs=3)


def test_latency_is_found() -> None:
    stream = steady(2, 400, lambda t: 20, lambda t, r: 0.001, slower=lambda t: 10 if t > 300 else 1)
    found = alarms(ServiceMonitor("web"), stream, 400)
    assert {s.kind for s in found} == {"latency"}
    assert 305 <= found[0].seen_at <= 307  # it has to last


def test_a_service_that_stands_still_for_most_of_each_second_is_slow_as_a_whole() -> None:
    monitor, now = ServiceMonitor("web"), 0.0
    for n in range(3_000):
        now = n / 50
        stands = now > 40 and now % 1 < 0.8
        monitor.observe(
            request(now, route="GET /" if n % 2 else "GET /a", ms=850 - 1000 * (now % 1) if stands else 5.0)
        )
        monitor.tick(now)
        if monitor.symptoms(now):
            break
    assert 40 < now < 48
    assert any(s.kind == "latency" and not s.route and s.severity > 0.5 for s in monitor.symptoms(now))


def test_a_slow_moment_is_left_alone() -> None:
    """Something else takes the machine for four seconds, again and again: nothing that is ours to heal."""

    def slower(t: float) -> float:
        return 20 if t > 120 and t % 30 < 4 else 1

    for seed in range(5):
        found = alarms(ServiceMonitor("web"), steady(seed, 400, lambda t: 20, lambda t, r: 0.001, slower=slower), 400)
        assert not found


def test_lost_traffic_is_found_and_unknown_is_not_healthy() -> None:
    monitor = ServiceMonitor("web")
    found = alarms(monitor, steady(3, 300, lambda t: 20, lambda t, r: 0.0), 700)
    assert [s.kind for s in found] == ["traffic_loss"]
    assert 600 <= found[0].seen_at <= 612, "a shorter silence is a pause of the callers"
    assert found[0].onset_at == pytest.approx(300, abs=3)
    idle = ServiceMonitor("web")
    assert idle.healthy(0) is None
    for n in range(30):
        idle.observe(request(n * 0.1))
    assert idle.healthy(4) is True
    assert idle.healthy(60) is None


def test_traffic_that_thins_out_or_pauses_is_left_alone() -> None:
    """Evening comes within a minute, or within ten; a caller pauses for four minutes and comes back."""
    for seed in range(5):
        for seconds in (40, 60, 600):
            stream = steady(
                seed, 900, lambda t, s=seconds: max(0.02, 20 * min(1.0, 1 - (t - 200) / s)), lambda t, r: 0.0
            )
            assert not alarms(ServiceMonitor("web"), stream, 2000), seconds
        paused = steady(seed, 900, lambda t: 0.2 if 200 < t < 440 else 20, lambda t, r: 0.0)
        assert not alarms(ServiceMonitor("web"), paused, 900)


def test_silence_becomes_the_new_usual() -> None:
    monitor = ServiceMonitor("web")
    assert alarms(monitor, steady(3, 300, lambda t: 20, lambda t, r: 0.0), 700)
    for tick in range(700, 4200):
        monitor.tick(tick)
    assert not monitor.symptoms(4200)


def test_a_symptom_ends_only_on_evidence() -> None:
    monitor = ServiceMonitor("web")
    down = steady(4, 330, lambda t: 20, lambda t, r: 0.9999 if t > 300 else 0.001)
    assert alarms(monitor, down, 330)
    for tick in range(331, 600):
        monitor.tick(tick)
    assert "errors" in {s.kind for s in monitor.symptoms(600)}  # time alone heals nothing
    for n in range(200):
        monitor.observe(request(600 + n / 20, f"GET /r{n % 10}"))
        monitor.tick(600 + n / 20)
    assert "errors" not in {s.kind for s in monitor.symptoms(610)}


def test_requests_of_another_service_are_refused() -> None:
    with pytest.raises(ValueError, match="monitor of 'api'"):
        ServiceMonitor("api").observe(request(1))


# -- processes, probes, load ---------------------------------------------------------------------------------------------


def sighting(at: float, state: ProcessState, pid: int = 10, restarts: int = 0, code: int | None = None) -> ProcessSeen:
    return ProcessSeen(at, "web", "a", "1-a", state, pid, exit_code=code, restarts=restarts)


UP, DOWN = ProcessState.RUNNING, ProcessState.EXITED


def test_crash_and_recovery() -> None:
    detector = ProcessDetector("web", "a")
    detector.observe(sighting(1, UP))
    assert not detector.symptoms(1)
    detector.observe(sighting(2, DOWN, 0, code=-9))
    detector.observe(sighting(2, DOWN, 0, code=-9))  # told twice
    (crash,) = detector.symptoms(2)
    assert (crash.kind, crash.onset_at) == ("crash", 2)
    assert "signal 9" in crash.text
    detector.observe(sighting(3, UP, 11, 1))
    detector.observe(sighting(1.5, UP))  # told late
    assert detector.symptoms(4)
    assert detector.symptoms(500)  # not seen since: unknown, not recovered
    detector.observe(sighting(13, UP, 11, 1))
    assert not detector.symptoms(13)


def test_respawn_between_two_looks_is_a_crash() -> None:
    detector = ProcessDetector("web", "a")
    detector.observe(sighting(1, UP))
    detector.observe(sighting(2, UP, 11, 1))
    assert [s.kind for s in detector.symptoms(2)] == ["crash"]


def test_a_process_that_a_signal_stopped_hangs_where_nobody_asks_it() -> None:
    worker, page = ProcessDetector("mailer", "a", probed=False), ProcessDetector("web", "a")
    for n in range(20):
        for detector in (worker, page):
            detector.observe(replace(sighting(n * 0.2, UP), frozen=n >= 5))
    (hang,) = worker.symptoms(4)
    assert (hang.kind, hang.onset_at) == ("hang", 1.0)
    assert not page.symptoms(4), "its probe tells"
    worker.observe(sighting(4.2, UP))
    assert not worker.symptoms(4.2)


def test_a_process_that_is_stopped_for_moments_only_is_slow_and_does_not_hang() -> None:
    worker = ProcessDetector("mailer", "a", probed=False)
    for n in range(100):
        worker.observe(replace(sighting(n * 0.2, UP), frozen=n % 8 != 0))
        assert not worker.symptoms(n * 0.2)


def test_crash_loop_and_flapping() -> None:
    loop = ProcessDetector("web", "a")
    for n in range(4):
        loop.observe(sighting(n * 2, UP, 10 + n, n))
        loop.observe(sighting(n * 2 + 1, DOWN, 0, n, code=1))
    assert [s.kind for s in loop.symptoms(8)] == ["crash_loop"]
    flaps = ProcessDetector("web", "a")
    for n in range(3):
        flaps.observe(sighting(n * 100, UP, 10 + n, n))
        flaps.observe(sighting(n * 100 + 50, DOWN, 0, n, code=1))
    (found,) = flaps.symptoms(260)
    assert (found.kind, found.text) == ("crash_loop", "up and down 5 times in 10 min, last with exit code 1 (slot a)")


def test_stopped_on_purpose_and_unknown_are_no_crash() -> None:
    detector = ProcessDetector("web", "a")
    assert detector.running() is None
    detector.observe(sighting(1, UP))
    detector.observe(sighting(2, ProcessState.UNKNOWN, 0))
    assert detector.running() is True
    detector.observe(sighting(3, ProcessState.STOPPED, 0))
    detector.observe(sighting(4, UP, 12))
    detector.observe(sighting(5, UP, 13))  # stopped and started again, unseen: no respawn was counted
    assert not detector.symptoms(5)


def probe(at: float, ok: bool | None) -> ProbeSeen:
    return ProbeSeen(at, "web", "1-a", "a", ok, 5.0, "" if ok else "timed out")


def test_hang_after_three_failures_in_a_row_and_back_after_two_answers() -> None:
    detector = ProbeDetector("web")
    detector.process(ProcessState.RUNNING)
    assert detector.healthy(0) is None
    for at, ok in ((1, False), (2, False), (3, True), (4, False), (5, None), (6, False)):
        detector.observe(probe(at, ok))
        assert not detector.symptoms(at)
    detector.observe(probe(6, False))  # told twice
    detector.observe(probe(2, False))  # told late
    assert not detector.symptoms(6)
    detector.observe(probe(7, False))
    (hang,) = detector.symptoms(7)
    assert (hang.kind, hang.onset_at) == ("hang", 4)
    detector.observe(probe(8, True))
    assert detector.symptoms(8)
    detector.observe(probe(9, True))
    assert not detector.symptoms(9)
    assert detector.healthy(9) is True
    assert detector.healthy(60) is None


def test_failing_probes_of_a_process_that_does_not_run_are_no_hang() -> None:
    detector = ProbeDetector("web")
    for at in (1, 2, 3):
        detector.observe(probe(at, False))
    assert [s.kind for s in detector.symptoms(3)] == ["probe"]


# -- users who wait ------------------------------------------------------------------------------------------------------


def asked(
    silence: SilenceDetector, seconds: float, answered: bool = True, under_way: int = 0, begin: float = 0.0
) -> None:
    """Ten requests a second, answered after 30 ms or not at all; two counts a second."""
    for n in range(int(seconds * 10)):
        at = begin + n / 10
        if answered:
            silence.observe(request(at))
        if n % 5 == 0:
            silence.count(at, under_way if answered else under_way + n)


def test_users_who_wait_for_nothing_are_a_hang() -> None:
    silence = SilenceDetector("web")
    asked(silence, 60, under_way=4)
    assert not silence.symptoms(60, started_at=0.0)
    asked(silence, 2, answered=False, under_way=4, begin=60)
    assert not silence.symptoms(62, started_at=0.0)
    asked(silence, 2, answered=False, under_way=24, begin=62)
    (found,) = silence.symptoms(64, started_at=0.0)
    assert (found.kind, found.onset_at) == ("hang", pytest.approx(60, abs=0.2))
    assert not silence.symptoms(64, started_at=61.0), "it comes up, and has answered nobody yet"
    silence.observe(request(64, status=502))
    assert silence.silent(64), "the proxy's word is not the service's"
    silence.observe(request(64, ok=False))
    assert not silence.silent(64), "a wrong answer is an answer"


def test_streams_and_single_slow_requests_are_no_hang() -> None:
    silence = SilenceDetector("web")
    asked(silence, 60, under_way=50)
    for half in range(240):
        silence.count(60 + half / 2, 52)
        assert not silence.silent(60 + half / 2), "50 streams, and two that take long"


def test_an_app_that_takes_its_time_is_given_it() -> None:
    silence = SilenceDetector("web")
    for n in range(100):
        silence.observe(request(n, ms=3000))
        silence.count(n, 8)
    silence.count(100, 3)
    silence.count(101, 8)
    assert not silence.silent(116)
    assert silence.silent(118.5)
