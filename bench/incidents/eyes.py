"""What of a world is in the records: seen late, counted by chance, and now and then missing."""

from __future__ import annotations

from bench.incidents import layout
from bench.incidents.credentials import looked_at
from bench.incidents.world import MIB, NEW, NOW, OLD, ROUTES, Backdrop, Drawn, World, change, package
from prodwise.loop.diagnose.case import (
    Case,
    Exit,
    GroupFacts,
    LoadFacts,
    ProbeFacts,
    ProcessFacts,
    RequestFacts,
)
from prodwise.loop.diagnose.dependencies import PackageFacts
from prodwise.loop.diagnose.used_up import MachineUse, ProcessUse
from prodwise.model.change import Change, ChangeKind
from prodwise.model.diagnosis import BY_RELEASE, Cause
from prodwise.model.incident import Symptom

STRAY = "SSLCertVerificationError: certificate verify failed: certificate has expired (old.example)"


def seen(world: World, around: Backdrop) -> Drawn:
    """What of the world is in the records."""
    rng = world.rng
    onset = world.onset + rng.expovariate(1 / 2.0)
    here, changes = layout.app(world.aside, around.several), (*world.changes, *_innocent(world, around))
    known = looked_at(world, around)
    guilty = world.subject if world.cause in BY_RELEASE else ""
    case = Case(
        service="web",
        now=NOW,
        since=NOW - 600,
        symptoms=tuple(_symptoms(world, onset)),
        services=here.services,
        changes=changes,
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
        packages=tuple(_packages(world, around)),
        origins=tuple(world.origins),
        credentials=tuple(known),
        touched=(*world.touched, *layout.told(world.aside, changes, here, guilty)),
    )
    innocent = {one.subject for one in known} - {world.subject, *([world.ran_out.subject] if world.ran_out else ())}
    return Drawn(case, world.cause, world.subject, frozenset(innocent))


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
    if world.cause not in BY_RELEASE and around.deploy_s:
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
    if world.aside.random() < around.strays:
        found.append(_group("g3", STRAY, onset + world.aside.uniform(-3600, 5)))
    if rng.random() < around.old_errors:
        title = rng.choice(("ReadTimeout: read timed out", "KeyError: 'x'", "ECONNRESET", "token expired"))
        found.append(_group("g2", title, onset - rng.expovariate(1 / 20_000) if rng.random() < 0.8 else onset + 1))
    return found


def _group(key: str, title: str, first: float) -> GroupFacts:
    return GroupFacts("web", "reports:web", key, title, "shop/cart.py:total", first, NOW, 30, 5)


def _packages(world: World, around: Backdrop) -> list[PackageFacts]:
    """Where the release moved packages, errors pass through one now and then, and are seldom raised in one that is innocent."""
    rng = world.rng
    if world.packages:
        return world.packages if rng.random() >= around.missing else []
    if not world.told or rng.random() >= around.updates:
        return []
    return [package(rng.random() < 0.1, world.onset)] if rng.random() < 0.4 else []


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
