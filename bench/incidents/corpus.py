"""Faults with a known cause on real git histories: what was deployed when, what else changed, and what of it was seen.

Each is played on a history of `bench/suspects`: a release that is at fault holds the guilty commit, and its error is the one
that was really raised; one that is innocent ends at the commit before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.incidents import draw
from bench.incidents.eyes import seen
from bench.incidents.world import NEW, NOW, OLD, ROUTES, Backdrop, Drawn, World, change, package
from bench.suspects import desk, shop
from bench.suspects.play import History, play
from bench.suspects.project import Project
from prodwise.loop.diagnose.case import Exit
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts
from prodwise.model.change import ChangeKind
from prodwise.model.diagnosis import Cause

PROJECTS = tuple(one for one in (shop.PROJECT, desk.PROJECT) if one.language == "python")
QUIET = Backdrop(deploy_s=0.0, config=0.0, elsewhere=0.0, old_errors=0.05, missing=0.04)
Happens = Callable[[World], None]


@dataclass(frozen=True)
class Entry:
    """deployed_s: how long before the onset a release came, None for none lately; guilty: it is the cause."""

    name: str
    cause: Cause
    happens: Happens
    deployed_s: float | None = None
    guilty: bool = False
    subject: str = ""


@dataclass(frozen=True)
class Played:
    """An entry on a history. good, bad: the commits of the two releases."""

    entry: Entry
    drawn: Drawn
    history: History
    good: str
    bad: str


def some(world: World) -> None:
    world.fails = {"GET /cart": 0.8}


def all_fail(world: World) -> None:
    world.fails = dict.fromkeys(ROUTES, 0.6)


def slower(world: World) -> None:
    world.slow = 8.0


def dies(code: int, times: int = 1, kernel: float | None = None) -> Happens:
    def happens(world: World) -> None:
        world.exits = [Exit(world.onset + 6.0 * n, "web", "a", NEW, code, 40.0) for n in range(times)]
        if kernel is not None:
            world.machine["kills"] = kernel

    return happens


def told(happens: Happens, *titles: str) -> Happens:
    def more(world: World) -> None:
        happens(world)
        world.told = list(titles)

    return more


def configured(happens: Happens, seconds: float) -> Happens:
    def more(world: World) -> None:
        happens(world)
        world.changes.append(change(world.onset - seconds, ChangeKind.CONFIG, "d1", "d2", "ch-config"))

    return more


def pay_down(happens: Happens, first_s: float = 2.0) -> Happens:
    def more(world: World) -> None:
        happens(world)
        world.need_down = world.onset - first_s
        world.told = ["ConnectionRefusedError: connection refused (pay:8443)"]

    return more


def leaks(happens: Happens, limit: float | None = None) -> Happens:
    def more(world: World) -> None:
        happens(world)
        world.uses["grown"] = 700.0
        if limit is not None:
            world.uses["limit"] = limit

    return more


def used(happens: Happens, *, disk: float | None = None, files: float | None = None) -> Happens:
    def more(world: World) -> None:
        happens(world)
        if disk is not None:
            world.machine["disk"] = disk
        if files is not None:
            world.uses["files"] = files

    return more


def busy(times: float) -> Happens:
    def happens(world: World) -> None:
        world.load, world.slow = times, 12.0

    return happens


def poison(world: World) -> None:
    world.fails = {"GET /product/:id": 0.1}
    world.inputs.append(InputFacts("web", "GET /product/:id", "/product/41", 20, 20, 160, 0, 14))
    world.told = ["ValueError: cannot convert 'NaN'"]


def clock(world: World) -> None:
    some(world)
    world.clock.append(ClockSet(world.onset - 20.0, -3600.0))
    world.told = ["ImmatureSignatureError: The token is not yet valid"]


def expired(world: World) -> None:
    world.fails = {"POST /checkout": 1.0}
    world.told = ["SSLCertVerificationError: certificate verify failed: certificate has expired"]


def updated(happens: Happens, *, sure: bool = True) -> Happens:
    def more(world: World) -> None:
        happens(world)
        world.packages = [package(sure, world.onset + 1.0), package(False, world.onset + 1.0, "webframe")]

    return more


def began_in(happens: Happens, service: str, *, reported: bool = False) -> Happens:
    def more(world: World) -> None:
        happens(world)
        ranked = ((service, 0.9, "latency"), ("web" if service == "pay" else "pay", 0.1, "latency"))
        world.origins = [
            OriginFacts("web", world.onset, NOW, service, ranked, ("latency 430, usually 30",), "", reported)
        ]

    return more


def own(world: World) -> None:
    some(world)
    world.told = ["AttributeError: 'NoneType' object has no attribute 'id'"]


DAY = 86_400.0


def entries() -> Iterator[Entry]:
    """At least forty, each by a name of its own."""
    shapes: tuple[tuple[str, Happens], ...] = (("one route", some), ("all routes", all_fail), ("slow", slower),
                                               ("dies", dies(1)), ("keeps dying", dies(1, 5)))  # fmt: skip
    for seconds in (5.0, 45.0, 280.0):
        for name, happens in shapes:
            yield Entry(f"a release, {name}, {seconds:.0f} s", Cause.RELEASE, happens, seconds, True, NEW)
    yield Entry(
        "a release beside a change of configuration an hour before",
        Cause.RELEASE,
        configured(all_fail, 3600),
        20,
        True,
        NEW,
    )
    yield Entry("a release that eats its memory at once", Cause.RELEASE, dies(-9, 3, kernel=3), 40, True, NEW)
    yield Entry(
        "a configuration, with a deploy an hour before",
        Cause.CONFIG,
        configured(all_fail, 30),
        3600,
        subject="ch-config",
    )
    yield Entry(
        "a configuration, with a deploy ten minutes before",
        Cause.CONFIG,
        configured(some, 15),
        640,
        subject="ch-config",
    )
    yield Entry("a configuration, and nothing else", Cause.CONFIG, configured(all_fail, 60), subject="ch-config")
    yield from dependencies()
    yield from origins()
    yield from red_herrings()
    yield from plain()
    for days in (2, 5):
        yield Entry(
            f"a slow leak {days} days after its release, killed by the kernel",
            Cause.MEMORY,
            leaks(dies(-9, 1, 1.0)),
            days * DAY,
        )
        yield Entry(
            f"a slow leak {days} days after its release, near its limit", Cause.MEMORY, leaks(slower, 0.97), days * DAY
        )


def dependencies() -> Iterator[Entry]:
    for name, happens in (("one route", some), ("all routes", all_fail), ("keeps dying", dies(1, 5))):
        for seconds in (20.0, 240.0):
            yield Entry(
                f"a package that a release moved, {name}, {seconds:.0f} s",
                Cause.DEPENDENCY,
                updated(happens),
                seconds,
                True,
                NEW,
            )
    yield Entry("a release whose errors pass through a package that it moved", Cause.RELEASE,
                updated(some, sure=False), 30, True, NEW)  # fmt: skip
    yield Entry("an outage of what it needs, raised in a package that an innocent deploy moved", Cause.UPSTREAM,
                updated(pay_down(some)), 90, subject="pay")  # fmt: skip


def origins() -> Iterator[Entry]:
    """By the figures of all services, where no probe says anything."""
    slow = began_in(slower, "pay")
    yield Entry("slow, and it began in what it calls", Cause.UPSTREAM, slow, subject="pay")
    yield Entry(
        "slow, and it began in what it calls, two days after a deploy", Cause.UPSTREAM, slow, 2 * DAY, subject="pay"
    )
    yield Entry("failing, and it began in what it calls", Cause.UPSTREAM, began_in(all_fail, "pay"), subject="pay")
    yield Entry("slow, and it began in itself", Cause.SLOW, began_in(slower, "web"), 3 * DAY)
    yield Entry("a release beside figures of traces that accuse another", Cause.RELEASE,
                began_in(all_fail, "pay", reported=True), 20, True, NEW)  # fmt: skip


def red_herrings() -> Iterator[Entry]:
    """An innocent deploy just before something else."""
    for seconds in (20.0, 90.0, 400.0):
        yield Entry(
            f"an outage of what it needs, {seconds:.0f} s after a deploy",
            Cause.UPSTREAM,
            pay_down(some),
            seconds,
            subject="pay",
        )
    yield Entry("an outage that only errors tell of, half an hour after a deploy", Cause.UPSTREAM,
                told(some, "ReadTimeout: read timed out"), 1800)  # fmt: skip
    yield Entry(
        "a full disk a minute after a deploy", Cause.DISK, told(used(some, disk=3.0), "No space left on device"), 60
    )
    yield Entry("too much traffic a minute after a deploy", Cause.OVERLOAD, busy(5.0), 60)
    yield Entry("one input, two minutes after a deploy", Cause.INPUT, poison, 130)
    yield Entry("one input, half a minute after a deploy", Cause.INPUT, poison, 30)
    yield Entry("a certificate, an hour after a deploy", Cause.CERTIFICATE, expired, 3600)
    yield Entry("a certificate, a minute after a deploy", Cause.CERTIFICATE, expired, 60)
    yield Entry("a clock set back, five minutes after a deploy", Cause.CLOCK, clock, 320)
    yield Entry("somebody kills the process just after a deploy", Cause.CRASH, dies(-9, 1, kernel=0), 40)


def plain() -> Iterator[Entry]:
    def hangs(world: World) -> None:
        draw.hung(world)

    yield Entry("an outage of what it needs", Cause.UPSTREAM, pay_down(all_fail), subject="pay")
    yield Entry("a hang", Cause.HANG, hangs, 2 * DAY)
    yield Entry("a hang, and no deploy", Cause.HANG, hangs)
    yield Entry("a crash", Cause.CRASH, dies(-11), 3 * DAY)
    yield Entry("a crash, and no deploy", Cause.CRASH, dies(1))
    yield Entry("a crash loop", Cause.CRASH_LOOP, dies(1, 6), 3 * DAY)
    yield Entry("too much traffic", Cause.OVERLOAD, busy(3.0), DAY)
    yield Entry("no files left", Cause.DESCRIPTORS, told(used(all_fail, files=0.99), "Too many open files"), 2 * DAY)
    yield Entry("a full disk", Cause.DISK, told(used(all_fail, disk=0.0), "No space left on device"), DAY)
    yield Entry("an expired certificate", Cause.CERTIFICATE, expired)
    yield Entry("one input", Cause.INPUT, poison)
    yield Entry("its own errors, from bad data", Cause.ERRORS, own, 3 * DAY)
    yield Entry("slow, and nothing near", Cause.SLOW, slower, 3 * DAY)


def quiet() -> Iterator[Entry]:
    """Windows in which nothing is wrong, though others say so, some of them just after a deploy."""
    for number, seconds in enumerate((None, 30.0, 90.0, 600.0, 3600.0, None, 45.0, 2 * DAY)):
        yield Entry(f"nothing is wrong, {number}", Cause.NOTHING, draw.well, seconds)


def played(entry: Entry, seed: int, place: Path) -> Played | None:
    """None where the fault could not be built into a history."""
    rng = Random(f"{entry.name} {seed}")
    project: Project = rng.choice(PROJECTS)
    history = play(project, rng.choice(project.faults), seed, place)
    if history is None:
        return None
    world = World(rng, entry.cause, entry.subject, NOW - rng.uniform(15.0, 60.0))
    entry.happens(world)
    if entry.guilty and not world.exits and world.slow == 1.0:
        last = history.event.chain[-1]
        world.told = [f"{last.kind}: {last.message}"]
    if entry.deployed_s is not None:
        world.changes.append(change(world.onset - entry.deployed_s, ChangeKind.RELEASE, OLD, NEW))
    drawn = seen(world, QUIET)
    bad = history.bad if entry.guilty else f"{history.guilty}^"
    return Played(entry, drawn, history, history.good, bad)
