"""Apps of one service and of several: what of their repository belongs to which, and what a release changes of it.

What is drawn here is drawn from these, our picture of small teams' repositories:"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from prodwise.loop.changes.touched import touched
from prodwise.loop.diagnose.case import TouchFacts
from prodwise.model.change import Change
from prodwise.model.service import Service, ServiceKind

DECLARED = 0.6  # of apps with several services say in prodwise.toml what belongs to each
SHARED = 0.7  # of these name the folder that their services share with each of them; else it belongs to none
LOOSE = 0.1  # of services have no paths of their own: every file is theirs
BESIDE = {"api": 0.5, "worker": 0.8, "admin": 0.4}  # what there is beside web; web needs the api
WORK = {
    "web": 3.0,
    "api": 2.0,
    "worker": 2.0,
    "admin": 1.0,
    "shared": 1.0,
    "top": 1.0,
}  # where a release has work, by weight
PLACES = (0.6, 0.25, 0.15)  # in one place, in two, in three
HIDDEN = 0.15  # of releases bring migrations or other variables, or git does not tell what differs
FAULT = {"own": 0.78, "shared": 0.09, "top": 0.07, "elsewhere": 0.06}
"""Where the fault of a release lies that makes web ill: in its files or those of what it needs, in those that services share, in
none of any service, or in another service's: it fills the database of both, say, or is imported and nobody declared it."""

PAY = Service("pay", ServiceKind.WEB, "x", upstream=True)


@dataclass(frozen=True)
class App:
    """own: as `declared` reads it from a prodwise.toml; {} where no service has paths."""

    services: tuple[Service, ...] = (Service("web", ServiceKind.WEB, "x", needs=("pay",)), PAY)
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def app(rng: Random, several: float) -> App:
    """several: the chance that it has more services than web."""
    beside = [name for name, chance in BESIDE.items() if rng.random() < chance]
    if rng.random() >= several or not beside:
        return App()
    needs = ("api", "pay") if "api" in beside else ("pay",)
    kinds = [(name, ServiceKind.WORKER if name == "worker" else ServiceKind.WEB) for name in beside]
    services = (Service("web", ServiceKind.WEB, "x", needs=needs), *(Service(*one, "x") for one in kinds), PAY)
    if rng.random() >= DECLARED:
        return App(services)
    shared = ("shared",) if rng.random() < SHARED else ()
    own = {name: () if rng.random() < LOOSE else (name, *shared) for name in ("web", *beside)}
    return App(services, own)


def told(rng: Random, changes: Sequence[Change], here: App, guilty: str) -> Iterator[TouchFacts]:
    """Of each release, what is known of the services that it changed. guilty: the one that is at fault, "" for none."""
    for before, after, at in sorted(
        {(one.before, one.after, one.at) for one in changes if one.before and not one.outside}
    ):
        hidden = rng.random() < HIDDEN
        found = touched(
            files(rng, here, after == guilty), here.own, "it brought migrations of the data" if hidden else ""
        )
        if found.services:
            yield TouchFacts(after, before, at, found.services, found.places)


def files(rng: Random, here: App, guilty: bool) -> list[str]:
    """In up to three places, one of which holds the fault of a guilty one."""
    work = {place: weight for place, weight in WORK.items() if place in here.own or place in ("shared", "top")}
    many = rng.choices((1, 2, 3), PLACES)[0]
    places = rng.choices(list(work), list(work.values()), k=many)
    if guilty:
        places[0] = _fault(rng, here)
    return [f"{place}/main.py" if place != "top" else "requirements.lock" for place in places]


def _fault(rng: Random, here: App) -> str:
    lies = rng.choices(list(FAULT), list(FAULT.values()))[0]
    others = [name for name in here.own if name not in ("web", "api")]
    if lies == "elsewhere" and others:
        return rng.choice(others)
    if lies in ("shared", "top"):
        return lies
    return "api" if "api" in here.own and rng.random() < 0.3 else "web"
