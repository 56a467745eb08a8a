"""Use of memory and files over time, as the healer keeps it."""

from __future__ import annotations

from prodwise.heal.uses import KILLS_S, SAMPLES_MAX, Uses
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen, TargetSeen
from prodwise.ports.gauges import Machine
from prodwise.testing.fake_gauges import FakeGauges

MIB = 2**20


class Watched:
    def __init__(self) -> None:
        self.pid, self.rss, self.began = 100, 100 * MIB, 0.0
        self.gauges = FakeGauges(Machine(kernel_kills=3), {100: 0.25})
        self.uses = Uses(self.gauges, self.look)

    def look(self) -> TargetSeen:
        process = ProcessSeen(0.0, "web", "a", "1-a", ProcessState.RUNNING, self.pid, self.began, rss_bytes=self.rss)
        return TargetSeen(0.0, (ServiceSeen("web", None, (process,)),), False, "", 0)


def test_a_leak_is_seen_however_long_it_takes_and_with_few_samples() -> None:
    watched = Watched()
    for number in range(4000):
        watched.rss = 100 * MIB + number * MIB
        watched.uses.sample(1000.0 + 30.0 * number)
    (use,) = watched.uses.processes(1000.0 + 30.0 * 4000)
    assert (use.grows, use.files_share) == (True, 0.25)
    assert use.until - use.since > 0.9 * 30 * 4000
    assert len(watched.uses._followed["web", "a"].samples) <= SAMPLES_MAX


def test_a_new_process_begins_anew_and_the_one_before_is_remembered_for_a_while() -> None:
    watched = Watched()
    for number in range(40):
        watched.rss = 100 * MIB + number * 20 * MIB
        watched.uses.sample(30.0 * number)
    watched.pid, watched.began, watched.rss = 200, 1200.0, 50 * MIB
    watched.uses.sample(1200.0)
    assert [(one.grows, one.rss_bytes // MIB) for one in watched.uses.processes(1201.0)] == [(None, 50), (True, 880)]
    watched.uses.sample(1800.0)
    assert [one.grows for one in watched.uses.processes(1800.0)] == [None]


def test_what_the_kernel_killed_is_told_of_the_last_minutes_only() -> None:
    watched = Watched()
    assert watched.uses.machine(0.0)[0].kernel_kills is None, "nothing to compare it with"
    watched.uses.sample(10.0)
    watched.gauges.now = Machine(kernel_kills=4)
    (found,) = watched.uses.machine(40.0)
    assert (found.kernel_kills, found.kills_s) == (1, 30.0)
    watched.uses.sample(10.0 + KILLS_S)
    assert watched.uses.machine(30.0 + KILLS_S)[0].kernel_kills == 0


def test_without_gauges_nothing_is_known() -> None:
    uses = Uses(None, Watched().look)
    uses.start()
    uses.sample(1.0)
    assert (uses.processes(2.0), uses.machine(2.0)) == ((), ())
    uses.stop()
