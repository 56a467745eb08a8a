"""Faults with a known cause on real git histories: what was deployed when, what else changed, and what of it was seen.

Each is played on a history of `bench/suspects`: a release that is at fault holds the guilty commit, and its error is the one
that was really raised; one that is innocent ends at the commit before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from bench.incidents import draw
from bench.incidents.eyes import seen
from bench.incidents.happens import (
    Happens,
    all_fail,
    asked_again,
    began_in,
    beside,
    busy,
    clock,
    configured,
    dies,
    exchanged,
    expired,
    fine,
    leaks,
    looked_at,
    never_trusted,
    nobody_comes,
    over,
    own,
    pay_down,
    poison,
    said_over,
    slower,
    some,
    token_over,
    told,
    updated,
    used,
)
from bench.incidents.parts import Parts, changed
from bench.incidents.world import NEW, NOW, OLD, Backdrop, Drawn, World, change
from bench.suspects import desk, shop
from bench.suspects.play import History, play
from bench.suspects.project import Project
from prodwise.model.change import ChangeKind
from prodwise.model.diagnosis import Cause

PROJECTS = tuple(one for one in (shop.PROJECT, desk.PROJECT) if one.language == "python")
QUIET = Backdrop(
    deploy_s=0.0,
    config=0.0,
    elsewhere=0.0,
    old_errors=0.05,
    missing=0.04,
    several=0.0,
    watched=0.0,
    tokens=0.0,
    strays=0.0,
)


@dataclass(frozen=True)
class Entry:
    """deployed_s: how long before the onset a release came, None for none lately; guilty: it is the cause; parts: what it
    changed of an app of several services, None where the app has one."""

    name: str
    cause: Cause
    happens: Happens
    deployed_s: float | None = None
    guilty: bool = False
    subject: str = ""
    parts: Parts | None = None


@dataclass(frozen=True)
class Played:
    """An entry on a history. good, bad: the commits of the two releases."""

    entry: Entry
    drawn: Drawn
    history: History
    good: str
    bad: str


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
    yield Entry("a release that refuses at once, and is asked all the more", Cause.RELEASE, asked_again, 240, True, NEW)
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
    yield from valid_for_a_time()
    yield from of_several_services()
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


def valid_for_a_time() -> Iterator[Entry]:
    """Certificates and tokens that we looked at: as the cause, and beside something else."""
    pay, shop_, token = "pay.example:443", "web.example:443", "PAY_TOKEN"
    out = looked_at(said_over(some), over("pay", 20), fine("web"))
    yield Entry("a certificate that we saw run out", Cause.CERTIFICATE, out, subject=pay)
    yield Entry("a certificate that we saw run out, a minute after a deploy", Cause.CERTIFICATE, out, 60, subject=pay)
    yield Entry("a token that ran out, five minutes after a deploy", Cause.CERTIFICATE,
                looked_at(some, token_over(90), fine("pay")), 300, subject=token)  # fmt: skip
    yield Entry("its own certificate ran out, and nobody comes", Cause.CERTIFICATE,
                looked_at(nobody_comes, over("web", 400), fine("pay")), 2 * DAY, subject=shop_)  # fmt: skip
    yield Entry("a certificate that was exchanged for a wrong one, after a deploy", Cause.CERTIFICATE,
                looked_at(all_fail, exchanged("pay", 1800), fine("web")), 90, subject=pay)  # fmt: skip
    yield Entry("a certificate that nobody declared, beside those that are fine", Cause.CERTIFICATE,
                looked_at(said_over(some), fine("pay"), fine("web")))  # fmt: skip
    for name, ended in (("of an address that nobody uses, nine days ago", over("old", 9 * DAY, "web")),
                       ("of what it needs, five hours ago", over("pay", 5 * 3600)),
                       ("of another service, ten minutes ago", over("mail", 600))):  # fmt: skip
        yield Entry(f"a release, and a certificate ended {name}", Cause.RELEASE, looked_at(some, ended), 20, True, NEW)
    yield Entry("a release, while programs report a certificate that is fine", Cause.RELEASE,
                looked_at(said_over(some), fine("pay"), fine("web")), 30, True, NEW)  # fmt: skip
    yield Entry("an outage of what it needs, whose certificate this machine never trusted", Cause.UPSTREAM,
                looked_at(pay_down(some), never_trusted("pay")), 90, subject="pay")  # fmt: skip
    yield Entry("its own errors, and a certificate that ends in two days", Cause.ERRORS,
                looked_at(own, fine("pay", 2.0), fine("web")), 3 * DAY)  # fmt: skip


def of_several_services() -> Iterator[Entry]:
    """A release changed some of the app's services: with the fault in what it changed, or beside a fault elsewhere."""
    for name, whose in (
        ("in its own files", "web"),
        ("in files of two services", "web worker"),
        ("in files of no service", ""),
    ):
        yield Entry(f"a release, {name}", Cause.RELEASE, some, 45, True, NEW, Parts(whose, True))
    hidden = Parts("worker", True)
    yield Entry(
        "a release, in files of another service that it imports", Cause.RELEASE, all_fail, 20, True, NEW, hidden
    )
    yield Entry("a release, in files of another service that it imports, beside the old one", Cause.RELEASE,
                beside(all_fail), 20, True, NEW, hidden)  # fmt: skip
    job = Parts("web", False)
    yield Entry("its own errors, 20 s after a release of the worker", Cause.ERRORS, own, 20, parts=job)
    yield Entry("a crash, 40 s after a release of the worker", Cause.CRASH, dies(-11), 40, parts=job)
    yield Entry("an outage that only errors tell of, a minute after a release of the worker", Cause.UPSTREAM,
                told(some, "ReadTimeout: read timed out"), 60, parts=job)  # fmt: skip
    yield Entry("slow, a minute after a release of the worker", Cause.SLOW, slower, 60, parts=job)


def quiet() -> Iterator[Entry]:
    """Windows in which nothing is wrong, though others say so, some of them just after a deploy."""
    for number, seconds in enumerate((None, 30.0, 90.0, 600.0, 3600.0, None, 45.0, 2 * DAY)):
        yield Entry(f"nothing is wrong, {number}", Cause.NOTHING, draw.well, seconds)
    yield Entry("nothing is wrong, and a certificate ended days ago where nobody asks", Cause.NOTHING,
                looked_at(draw.well, over("old", 9 * DAY, "web"), fine("pay")))  # fmt: skip
    yield Entry("nothing is wrong, and one ended half an hour ago where nobody asks", Cause.NOTHING,
                looked_at(draw.well, over("old", 1800, "web"), fine("pay")))  # fmt: skip


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
        at = world.onset - entry.deployed_s
        world.changes.append(change(at, ChangeKind.RELEASE, OLD, NEW))
        world.touched += changed(history, entry.parts, at) if entry.parts is not None else ()
    drawn = seen(world, QUIET)
    bad = history.bad if entry.guilty else f"{history.guilty}^"
    return Played(entry, drawn, history, history.good, bad)
