"""Cases with a known cause, drawn from a model of how incidents look: what happens, and how badly it is seen.

The model knows nothing of the weights. 1. A cause is drawn by `PREVALENCE`, and a world in which it happened: which share of
requests fails on which routes, which processes end, what else goes wrong with it. 2. Innocent things happen as well, at rates of
their own: deploys and changes of configuration (`Backdrop`), busy hours, old errors that are reported, deploys elsewhere.
3. Eyes are bad: an onset is seen late, counts are binomial, probes, exit codes, figures of the machine and reports go missing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from prodwise.loop.diagnose.case import (
    Case,
    Contrast,
    Exit,
    GroupFacts,
    LoadFacts,
    ProbeFacts,
    ProcessFacts,
    RequestFacts,
)
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts, MachineUse, ProcessUse
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Symptom
from prodwise.model.service import Service, ServiceKind

NOW = 1_780_000_000.0
OLD, NEW = "7-aaaaaaa", "8-bbbbbbb"
ROUTES = (
    "GET /",
    "GET /cart",
    "GET /product/:id",
    "POST /checkout",
    "GET /search",
    "GET /account",
    "GET /help",
    "POST /login",
)
MIB = 2**20
PREVALENCE = {
    Cause.RELEASE: 24.0,
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


@dataclass(frozen=True)
class Backdrop:
    """How often innocent things happen, as chances per incident; `deploy_s`: mean seconds between innocent deploys, 0 for none."""

    deploy_s: float = 6 * 3600.0
    config: float = 0.06
    elsewhere: float = 0.05
    old_errors: float = 0.15
    missing: float = 0.15


@dataclass
class World:
    """What really happens. fails: route → share of its requests; slow: times the usual latency; told: titles that programs report."""

    rng: Random
    cause: Cause
    subject: str = ""
    onset: float = NOW - 30.0
    fails: dict[str, float] = field(default_factory=dict)
    slow: float = 1.0
    load: float = 1.0
    hung: bool = False
    exits: list[Exit] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    need_down: float | None = None  # when the needed service failed
    machine: dict[str, float] = field(default_factory=dict)
    uses: dict[str, float] = field(default_factory=dict)
    clock: list[ClockSet] = field(default_factory=list)
    inputs: list[InputFacts] = field(default_factory=list)
    contrasts: list[Contrast] = field(default_factory=list)
    alarm_only: bool = False
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """subject: the release that is at fault, the needed service, … ("" = any will do)."""

    case: Case
    cause: Cause
    subject: str = ""

    def right(self, cause: Cause, subject: str) -> bool:
        return cause is self.cause and self.subject in ("", subject)


def draw(seed: int, backdrop: Backdrop | None = None) -> Drawn:
    """One incident. The same seed gives the same one."""
    rng, around = Random(f"incident {seed}"), backdrop or Backdrop()
    cause = rng.choices(list(PREVALENCE), list(PREVALENCE.values()))[0]
    return seen(happen(rng, cause), around)


def happen(rng: Random, cause: Cause) -> World:
    """A world in which that cause is at work."""
    world = World(rng, cause, onset=NOW - rng.uniform(8.0, 90.0))
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


def change(at: float, kind: ChangeKind, before: str, after: str, name: str = "") -> Change:
    return Change(name or f"ch-{after}-{at:.0f}", at, kind, "", before, after, "ana", "rollback")


SERVICES = (
    Service("web", ServiceKind.WEB, "x", needs=("pay",)),
    Service("pay", ServiceKind.WEB, "x", upstream=True),
)


def seen(world: World, around: Backdrop) -> Drawn:
    """What of the world is in the records."""
    rng = world.rng
    onset = world.onset + rng.expovariate(1 / 2.0)
    case = Case(
        service="web",
        now=NOW,
        since=NOW - 600,
        symptoms=tuple(_symptoms(world, onset)),
        services=SERVICES,
        changes=(*world.changes, *_innocent(world, around)),
        exits=tuple(_exits(world, around)),
        processes=(ProcessFacts("web", "a", NEW, True, world.exits[-1].at + 0.2 if world.exits else onset - 5000),),
        probes=tuple(_probes(world, around, onset)),
        requests=tuple(_requests(world, around)),
        loads=tuple(_loads(world, around)),
        contrasts=tuple(world.contrasts),
        groups=tuple(_groups(world, around, onset)),
        uses=tuple(_uses(world, around)),
        machine=tuple(_machine(world, around)),
        clock=tuple(world.clock),
        inputs=tuple(world.inputs),
    )
    return Drawn(case, world.cause, world.subject)


def _symptoms(world: World, onset: float) -> list[Symptom]:
    if world.alarm_only:
        return [Symptom("alarm", "web", "an alarm", onset, NOW, source="alertmanager")]
    kinds = list(world.kinds)
    if world.exits:
        kinds.append("crash")
    if world.hung:
        kinds.append("hang")
    if max(world.fails.values(), default=0.0) > 0.03 or not (kinds or world.slow > 1.8):
        kinds.append("errors")
    if world.slow > 1.8:
        kinds.append("latency")
    route = next(iter(world.fails)) if len(world.fails) == 1 else ""
    return [
        Symptom(kind, "web", f"{kind} of web", onset, NOW, route if kind == "errors" else "", NEW) for kind in kinds
    ]


def _innocent(world: World, around: Backdrop) -> list[Change]:
    """Deploys come at random, changes of configuration and news of deploys elsewhere now and then."""
    rng, found = world.rng, []
    if world.cause is not Cause.RELEASE and around.deploy_s:
        since_s = rng.expovariate(1 / around.deploy_s)
        found.append(change(world.onset - since_s, ChangeKind.RELEASE, OLD, NEW))
    elif around.deploy_s and rng.random() < 0.08:
        found.append(change(world.onset + rng.uniform(5, 30), ChangeKind.RELEASE, NEW, "9-ccccccc"))
    if rng.random() < around.config:
        found.append(change(world.onset - rng.uniform(0, 7200), ChangeKind.CONFIG, "d0", "d1", "ch-innocent"))
    if rng.random() < around.elsewhere:
        found.append(change(world.onset - rng.uniform(0, 7200), ChangeKind.RELEASE, "v1", "v2", "outside-1"))
    return found


def _exits(world: World, around: Backdrop) -> list[Exit]:
    blind = world.rng.random() < around.missing
    return [
        Exit(one.at, one.service, one.slot, one.release, None if blind else one.exit_code, one.lived_s)
        for one in world.exits
    ]


def _probes(world: World, around: Backdrop, onset: float) -> list[ProbeFacts]:
    rng, found = world.rng, []
    if rng.random() >= around.missing:
        sick = world.hung or (world.exits and rng.random() < 0.3)
        found.append(
            ProbeFacts("web", "a", NEW, not sick, onset if sick else None, world.hung, "no answer" if sick else "")
        )
    if world.need_down is not None:
        found.append(ProbeFacts("pay", "a", OLD, False, world.need_down, False, "connection refused"))
    elif rng.random() >= around.missing and world.cause is not Cause.UPSTREAM:
        well = rng.random() >= 0.01
        found.append(ProbeFacts("pay", "a", OLD, well, None if well else onset + rng.uniform(-20, 20)))
    return found


def _requests(world: World, around: Backdrop) -> list[RequestFacts]:
    rng, found = world.rng, []
    if rng.random() < around.missing / 3:
        return []
    for route in ROUTES:
        after = rng.randrange(1, 80)
        share = max(world.fails.get(route, 0.0), rng.choice((0.0, 0.0, 0.01)))
        failed = sum(rng.random() < share for _ in range(after))
        usual = rng.uniform(10, 60)
        found.append(
            RequestFacts(
                "web",
                route,
                500,
                rng.choice((0, 1, 3)),
                after,
                failed,
                usual,
                usual * world.slow * rng.uniform(0.8, 1.3),
            )
        )
    return found


def _loads(world: World, around: Backdrop) -> list[LoadFacts]:
    rng = world.rng
    if rng.random() < around.missing:
        return []
    busy_hour = rng.uniform(1.5, 2.5) if rng.random() < 0.04 else 1.0
    times = world.load * busy_hour * rng.lognormvariate(0, 0.12)
    return [LoadFacts("web", 40.0 * times, 40.0, 25.0 * world.slow * rng.uniform(0.85, 1.2), 25.0)]


def _groups(world: World, around: Backdrop, onset: float) -> list[GroupFacts]:
    rng, found = world.rng, []
    if world.told and rng.random() >= 2.5 * around.missing:
        found.append(_group("g1", rng.choice(world.told), onset + rng.uniform(-1, 5)))
    if rng.random() < around.old_errors:
        title = rng.choice(("ReadTimeout: read timed out", "KeyError: 'x'", "ECONNRESET", "token expired"))
        found.append(_group("g2", title, onset - rng.expovariate(1 / 20_000) if rng.random() < 0.8 else onset + 1))
    return found


def _group(key: str, title: str, first: float) -> GroupFacts:
    return GroupFacts("web", "reports:web", key, title, "shop/cart.py:total", first, NOW, 30, 5)


def _uses(world: World, around: Backdrop) -> list[ProcessUse]:
    rng = world.rng
    if rng.random() < around.missing:
        return []
    grown = world.uses.get("grown", rng.gauss(0, 10)) * MIB
    leaks = rng.random() < 0.03
    size = 200 * MIB + max(0.0, grown)
    limit = int(size / world.uses["limit"]) if "limit" in world.uses else rng.choice((None, int(8 * size)))
    files = world.uses.get("files", rng.uniform(0.01, 0.3))
    watched = rng.random() < 0.9
    grows = (grown > 100 * MIB or leaks) if watched else None
    return [
        ProcessUse(
            "web", "a", NEW, NOW - 7200 if watched else NOW - 200, NOW, int(size), int(grown), grows, limit, files
        )
    ]


def _machine(world: World, around: Backdrop) -> list[MachineUse]:
    rng = world.rng
    if rng.random() < around.missing:
        return []
    free = world.machine.get("disk", rng.uniform(2000, 90_000)) * MIB
    kills = int(world.machine.get("kills", 0)) if rng.random() >= around.missing else None
    left = rng.uniform(0.02, 0.2) if world.cause is Cause.MEMORY else rng.uniform(0.1, 0.8)
    return [MachineUse(NOW, int(free), 100_000 * MIB, 0.8, left, kills, 590.0)]
