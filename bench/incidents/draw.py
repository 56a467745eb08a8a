"""Cases with a known cause, drawn from a model of how incidents look: what happens, and how badly it is seen.

The model knows nothing of the weights. 1. A cause is drawn by `PREVALENCE`, and a world in which it happened: which share of
requests fails on which routes, which processes end, what else goes wrong with it. 2. Innocent things happen as well, at rates of
their own: deploys and changes of configuration (`Backdrop`), busy hours, old errors that are reported, deploys elsewhere,
certificates that ended and hurt nobody (`credentials.py`). Apps have one service or several (`layout.py`).
3. Eyes are bad: an onset is seen late, counts are binomial, probes, exit codes, figures of the machine and reports go missing.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from bench.incidents.credentials import ran_out
from bench.incidents.eyes import seen
from bench.incidents.world import NEW, NOW, OLD, ROUTES, Backdrop, Drawn, World, change, package
from prodwise.loop.diagnose.case import (
    Contrast,
    Exit,
)
from prodwise.loop.diagnose.sorts import about_token
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts
from prodwise.model.change import ChangeKind
from prodwise.model.diagnosis import Cause

PREVALENCE = {
    Cause.RELEASE: 21.0,
    Cause.DEPENDENCY: 3.0,
    Cause.CONFIG: 6.0,
    Cause.CRASH: 9.0,
    Cause.CRASH_LOOP: 4.0,
    Cause.HANG: 8.0,
    Cause.OVERLOAD: 7.0,
    Cause.UPSTREAM: 10.0,
    Cause.MEMORY: 6.0,
    Cause.DISK: 4.0,
    Cause.DESCRIPTORS: 2.0,
    Cause.CERTIFICATE: 3.0,
    Cause.INPUT: 4.0,
    Cause.CLOCK: 1.0,
    Cause.ERRORS: 5.0,
    Cause.SLOW: 3.0,
    Cause.NOTHING: 4.0,
    Cause.UNKNOWN: 6.0,
}


def draw(seed: int, backdrop: Backdrop | None = None) -> Drawn:
    """One incident. The same seed gives the same one."""
    rng, around = Random(f"incident {seed}"), backdrop or Backdrop()
    cause = rng.choices(list(PREVALENCE), list(PREVALENCE.values()))[0]
    return seen(happen(rng, cause, Random(f"aside {seed}")), around)


def happen(rng: Random, cause: Cause, aside: Random) -> World:
    """A world in which that cause is at work."""
    world = World(rng, cause, onset=NOW - rng.uniform(8.0, 90.0), aside=aside)
    _HAPPENS[cause](world)
    return world


def _all_routes(world: World, low: float, high: float) -> None:
    share = world.rng.uniform(low, high)
    world.fails = {route: min(1.0, share * world.rng.uniform(0.7, 1.2)) for route in ROUTES}


def _some_routes(world: World, low: float = 0.3, high: float = 1.0) -> None:
    many = world.rng.choice((1, 1, 2, 3))
    world.fails = {route: world.rng.uniform(low, high) for route in world.rng.sample(ROUTES, many)}


def _ended(world: World, code: int, times: int = 1, every_s: float = 8.0) -> None:
    first = world.onset + world.rng.uniform(-1.0, 0.5)
    world.exits = [
        Exit(first + n * every_s * world.rng.uniform(0.5, 1.5), "web", "a", NEW, code, 30.0) for n in range(times)
    ]


def released(world: World) -> None:
    """Most show within a minute, some when a rare request comes, a few days later."""
    rng = world.rng
    kind = rng.random()
    late_s = (
        rng.expovariate(1 / 35) if kind < 0.72 else rng.expovariate(1 / 700) if kind < 0.92 else rng.uniform(3600, 2e5)
    )
    world.changes.append(change(world.onset - late_s, ChangeKind.RELEASE, OLD, NEW))
    world.subject = NEW
    how = rng.random()
    if how < 0.45:
        _some_routes(world)
    elif how < 0.65:
        _all_routes(world, 0.2, 1.0)
    elif how < 0.8:
        world.slow = rng.uniform(2.0, 20.0)
    elif how < 0.92:
        _ended(world, rng.choice((1, 1, 1, -11, -6)), rng.choice((1, 3, 5)))
    else:
        hung(world)
    if rng.random() < 0.15 and world.fails:
        n = rng.randrange(40, 300)
        world.contrasts.append(
            Contrast("web", NEW, OLD, n, int(n * rng.uniform(0.1, 0.6)), 9 * n, int(n * rng.uniform(0, 0.05)))
        )
    world.told = [
        rng.choice(("KeyError: 'price'", "TypeError: total is not a function", "NameError: name 'fee' is not defined"))
    ]


def updated(world: World) -> None:
    """A package that the release moved; four in five errors are raised in its code or ask for what it lacks."""
    released(world)
    at = world.onset + world.rng.uniform(0, 5)
    world.packages = [package(world.rng.random() < 0.8, at)]
    if world.rng.random() < 0.3:
        world.packages.append(package(False, at, "webframe"))


def configured(world: World) -> None:
    world.changes.append(
        change(world.onset - world.rng.expovariate(1 / 60), ChangeKind.CONFIG, "d1", "d2", "ch-config")
    )
    world.subject = "ch-config"
    if world.rng.random() < 0.3:  # a deploy goes with it
        world.changes.append(change(world.onset - world.rng.uniform(30, 4000), ChangeKind.RELEASE, OLD, NEW))
    _all_routes(world, 0.2, 1.0) if world.rng.random() < 0.6 else _some_routes(world)
    world.told = ["ValueError: bad setting"]


def crashed(world: World) -> None:
    _ended(world, world.rng.choice((1, -11, -9, -9, -6, 137, 143)))
    world.machine["kills"] = 0.0


def looping(world: World) -> None:
    _ended(world, world.rng.choice((1, 1, -11, 134)), world.rng.randrange(3, 8))
    _all_routes(world, 0.1, 0.6)


def hung(world: World) -> None:
    """It answers nobody, or a few whose requests take another way."""
    world.hung = True
    world.fails = {route: world.rng.uniform(0.6, 1.0) for route in ROUTES}
    for route in world.rng.sample(ROUTES, world.rng.choice((0, 0, 0, 1, 2))):
        world.fails[route] = 0.0


def overloaded(world: World) -> None:
    rng = world.rng
    world.load = rng.uniform(1.5, 8.0)
    world.slow = rng.uniform(3.0, 30.0)
    if rng.random() < 0.5:
        _all_routes(world, 0.1, 0.7)
    world.hung = rng.random() < 0.3


def upstream(world: World) -> None:
    """Two in three are watched; of the others only the errors tell."""
    rng = world.rng
    _some_routes(world, 0.5) if rng.random() < 0.7 else _all_routes(world, 0.2, 0.8)
    world.told = [rng.choice(("ConnectionRefusedError: connection refused (pay:8443)", "ReadTimeout: pay timed out: read timed out",
                              "getaddrinfo ENOTFOUND pay.internal"))]  # fmt: skip
    if rng.random() < 0.67:
        world.need_down, world.subject = world.onset + rng.gauss(-2.0, 2.0), "pay"
    world.slow = rng.choice((1.0, 1.0, 5.0))


def memory(world: World) -> None:
    rng = world.rng
    world.uses["grown"] = rng.uniform(100, 900) if rng.random() < 0.75 else rng.uniform(0, 30)
    if rng.random() < 0.65:
        _ended(world, rng.choice((-9, -9, 137)), rng.choice((1, 1, 2)))
        world.machine["kills"] = rng.choice((1.0, 1.0, 2.0))
    else:
        world.slow, world.uses["limit"] = rng.uniform(1.5, 8.0), rng.uniform(0.85, 0.99)
        _all_routes(world, 0.02, 0.4)
    world.told = ["MemoryError"]
    if rng.random() < 0.35:  # days after the release that brought it
        world.changes.append(change(world.onset - rng.uniform(5e4, 3e5), ChangeKind.RELEASE, OLD, NEW))


def disk(world: World) -> None:
    world.machine["disk"] = world.rng.uniform(0.0, 60.0)
    _some_routes(world, 0.6) if world.rng.random() < 0.6 else _all_routes(world, 0.3, 0.9)
    world.told = ["OSError: [Errno 28] No space left on device"]


def descriptors(world: World) -> None:
    world.uses["files"] = world.rng.uniform(0.88, 1.0)
    _all_routes(world, 0.2, 0.9)
    world.told = ["OSError: [Errno 24] Too many open files"]


def certificate(world: World) -> None:
    _some_routes(world, 0.7) if world.rng.random() < 0.7 else _all_routes(world, 0.5, 1.0)
    world.told = [world.rng.choice(("SSLCertVerificationError: certificate verify failed: certificate has expired",
                                    "Error: CERT_HAS_EXPIRED", "ExpiredTokenException: token has expired"))]  # fmt: skip
    world.ran_out = ran_out(world.aside, about_token(world.told[0]))
    if world.ran_out.services == ("web",):  # its own: users turn away, and nothing here fails
        world.fails, world.told, world.kinds = {}, [], ("traffic_loss",)


def poisoned(world: World) -> None:
    rng, route = world.rng, "GET /product/:id"
    n, others = rng.randrange(4, 60), rng.randrange(20, 400)
    share = rng.uniform(0.9, 1.0)
    world.inputs.append(
        InputFacts(
            "web",
            route,
            "/product/41",
            n,
            max(3, round(n * share)),
            others,
            rng.choice((0, 0, 1)),
            rng.randrange(4, 40),
        )
    )
    world.fails = {route: n / (n + others)}
    world.told = ["ValueError: cannot convert 'NaN'"]


def clock_set(world: World) -> None:
    world.clock.append(
        ClockSet(world.onset - world.rng.uniform(0, 60), world.rng.choice((-1, 1)) * world.rng.uniform(40, 9000))
    )
    _some_routes(world, 0.4)
    world.told = ["ImmatureSignatureError: The token is not yet valid"]


def own_errors(world: World) -> None:
    """Data went bad, a rare path was taken: nothing near tells why."""
    _some_routes(world) if world.rng.random() < 0.7 else _all_routes(world, 0.1, 0.6)
    world.told = ["AttributeError: 'NoneType' object has no attribute 'id'"]


def slow(world: World) -> None:
    world.slow = world.rng.uniform(2.2, 12.0)


def beyond(world: World) -> None:
    """What no eye of ours sees: the network before it, a host that stood still, a probe that is wrong."""
    how = world.rng.random()
    world.kinds = ("traffic_loss",) if how < 0.5 else ("probe",)
    world.hung = how >= 0.5 and world.rng.random() < 0.3


def well(world: World) -> None:
    world.alarm_only = True


_HAPPENS: dict[Cause, Callable[[World], None]] = {
    Cause.RELEASE: released,
    Cause.DEPENDENCY: updated,
    Cause.CONFIG: configured,
    Cause.CRASH: crashed,
    Cause.CRASH_LOOP: looping,
    Cause.HANG: hung,
    Cause.OVERLOAD: overloaded,
    Cause.UPSTREAM: upstream,
    Cause.MEMORY: memory,
    Cause.DISK: disk,
    Cause.DESCRIPTORS: descriptors,
    Cause.CERTIFICATE: certificate,
    Cause.INPUT: poisoned,
    Cause.CLOCK: clock_set,
    Cause.ERRORS: own_errors,
    Cause.SLOW: slow,
    Cause.NOTHING: well,
    Cause.UNKNOWN: beyond,
}
