"""What goes wrong in the corpus, one happening each; some are wrapped around another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bench.incidents.credentials import LIFE_S, address, valid
from bench.incidents.world import NEW, NOW, OLD, ROUTES, World, change, package
from prodwise.loop.detect.certificate import DAY_S
from prodwise.loop.diagnose.case import Contrast, Exit
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts
from prodwise.model.certificate import Credential, Kind
from prodwise.model.change import ChangeKind

Happens = Callable[[World], None]


def some(world: World) -> None:
    world.fails = {"GET /cart": 0.8}


def all_fail(world: World) -> None:
    world.fails = dict.fromkeys(ROUTES, 0.6)


def asked_again(world: World) -> None:
    """Clients that are refused at once come back sooner."""
    world.fails, world.load, world.slow = dict.fromkeys(ROUTES, 0.9), 1.9, 0.4


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


def beside(happens: Happens) -> Happens:
    """The new release is on its way, and fails beside the old one."""

    def more(world: World) -> None:
        happens(world)
        world.contrasts = [Contrast("web", NEW, OLD, 120, 50, 900, 4)]

    return more


def nobody_comes(world: World) -> None:
    world.kinds = ("traffic_loss",)


def looked_at(happens: Happens, *seen: Callable[[World], Credential]) -> Happens:
    """All that the app declares, as it was looked at."""

    def more(world: World) -> None:
        happens(world)
        world.credentials = [one(world) for one in seen]

    return more


def fine(name: str, days: float = 40.0) -> Callable[[World], Credential]:
    return lambda world: valid(address(name), (name,), NOW - 2, NOW + days * DAY_S)


def over(name: str, before_s: float, service: str = "") -> Callable[[World], Credential]:
    """It ended so long before the onset."""

    def seen(world: World) -> Credential:
        ends = world.onset - before_s
        last = valid(address(name), (service or name,), ends - 3600, ends)
        return replace(last, at=NOW - 2, code=10, why="certificate has expired", bad_at=ends + 1)

    return seen


def token_over(before_s: float) -> Callable[[World], Credential]:
    def seen(world: World) -> Credential:
        ends = world.onset - before_s
        return Credential(
            Kind.TOKEN, "PAY_TOKEN", (), NOW - 20, ends - LIFE_S, ends, fine_at=ends - 30, bad_at=ends + 30
        )

    return seen


def exchanged(name: str, before_s: float) -> Callable[[World], Credential]:
    """For one of another name, since it was last looked at, so long before the onset."""
    return lambda world: replace(
        fine(name)(world), code=62, why="Hostname mismatch", fine_at=world.onset - before_s, bad_at=NOW - 2
    )


def never_trusted(name: str) -> Callable[[World], Credential]:
    """By this machine, as it knows nothing of the app's own authority."""
    return lambda world: replace(
        fine(name)(world),
        code=19,
        why="self-signed certificate in certificate chain",
        fine_at=0.0,
        bad_at=NOW - 9 * DAY_S,
    )


def said_over(happens: Happens) -> Happens:
    return told(happens, "SSLCertVerificationError: certificate verify failed: certificate has expired")
