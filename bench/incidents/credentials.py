"""Certificates and tokens: what an app declares of them, how each stands, and when it was last looked at.

What is drawn here is drawn from these, our picture of small teams' certificates: most of those that ran out and nobody renewed
are of addresses that nobody asks any more, and some that this machine refuses are trusted by the app that calls them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Final

from bench.incidents.world import NOW, Backdrop, RanOut, World
from prodwise.loop.detect.certificate import DAY_S
from prodwise.model.certificate import Credential, Kind

DECLARED: Final = 0.7  # of certificates that an app cannot do without stand among the addresses that it declares
READABLE: Final = 0.6  # of tokens are JSON Web Tokens, which say when they end
OWN, SPARE, UNUSED = 0.6, 0.3, 0.2  # its own address, one of another service, one that nobody asks any more
STANDING: Final = {"fine": 0.84, "waning": 0.06, "untrusted": 0.05, "other name": 0.02, "lapsed": 0.01, "unseen": 0.02}
"""Of addresses that are in use, where nothing came of it. lapsed: it ran out within the last week, and is not asked now, or by
clients that do not check."""
OVER: Final = 0.5  # of those that nobody asks any more; they ended within a hundred days
LEFT_BEHIND, LAPSED = 0.08, 0.01  # of tokens ended long ago, or within a week, and nobody uses them
NOTICED: Final = 0.8  # of ends are seen when they come; what fails at once opens an incident before the look
SINCE_ONSET: Final = 0.6  # of those that are not due are looked at between the onset and the diagnosis
LOOK_S, LIFE_S, PORT = 3 * 3600.0, 90 * DAY_S, 443
EXCHANGED: Final = 0.15  # of those that are no longer accepted were exchanged for a wrong one


def ran_out(rng: Random, token: bool) -> RanOut:
    """Most are missed at once, some when a connection is opened anew or a job comes round."""
    how = rng.random()
    late_s = (
        rng.expovariate(1 / 120)
        if how < 0.75
        else rng.expovariate(1 / 2400)
        if how < 0.92
        else rng.uniform(3600, DAY_S)
    )
    if token:
        return RanOut(Kind.TOKEN, "PAY_TOKEN", (), late_s)
    name = "web" if rng.random() < 0.2 else "pay"
    return RanOut(Kind.CERTIFICATE, address(name), (name,), late_s, rng.random() < EXCHANGED)


def address(name: str) -> str:
    return f"{name}.example:{PORT}"


def looked_at(world: World, around: Backdrop) -> list[Credential]:
    """All that the healer knows, the one among them that is at fault where it is declared."""
    return [*world.credentials, *_certificates(world, around), *_tokens(world, around)]


def _certificates(world: World, around: Backdrop) -> Iterator[Credential]:
    rng, out = world.aside, world.ran_out
    if rng.random() >= around.watched:
        return
    guilty = out if out is not None and out.kind is Kind.CERTIFICATE else None
    if guilty is not None and rng.random() < DECLARED:
        yield at_fault(world, guilty)
    asked = [("pay", 1.0), ("web", OWN), ("mail", SPARE)]
    for name in (name for name, chance in asked if rng.random() < chance):
        if guilty is None or guilty.services != (name,):
            yield _standing(world, name, rng.choices(list(STANDING), list(STANDING.values()))[0])
    if rng.random() < UNUSED:
        yield _standing(world, "old", "over" if rng.random() < OVER else "fine")


def _tokens(world: World, around: Backdrop) -> Iterator[Credential]:
    """They are read each minute."""
    rng, out = world.aside, world.ran_out
    if out is not None and out.kind is Kind.TOKEN and rng.random() < READABLE:
        yield at_fault(world, out)
    if rng.random() < around.tokens:
        how = rng.random()
        ago_s = rng.uniform(7, 100) * DAY_S if how < LEFT_BEHIND else rng.uniform(0, 7 * DAY_S)
        ends = NOW - ago_s if how < LEFT_BEHIND + LAPSED else NOW + rng.uniform(0, LIFE_S)
        seen = Credential(Kind.TOKEN, "MAP_TOKEN", (), NOW - rng.uniform(0, 60), None, ends)
        yield replace(seen, bad_at=seen.at) if ends <= seen.at else replace(seen, fine_at=seen.at)


def at_fault(world: World, out: RanOut) -> Credential:
    """The one that is the cause, as it is known: refused, or not known where nobody looked since."""
    rng, ended = world.aside, world.onset - out.late_s
    before, after = ended - rng.uniform(1, LOOK_S), min(NOW, ended + rng.uniform(0.5, 5))
    if out.exchanged:
        seen = valid(out.subject, out.services, before, before + 60 * DAY_S)
        looked = rng.random() < SINCE_ONSET
        return replace(seen, at=after, code=62, why="Hostname mismatch", bad_at=after) if looked else seen
    seen = replace(valid(out.subject, out.services, before, ended), kind=out.kind)
    if rng.random() >= NOTICED:
        return seen
    return replace(
        seen, at=after, code=None if out.kind is Kind.TOKEN else 10, why="certificate has expired", bad_at=after
    )


def _standing(world: World, name: str, how: str) -> Credential:
    rng, since = world.aside, world.aside.random() < SINCE_ONSET
    at = rng.uniform(world.onset, NOW) if since else world.onset - rng.uniform(0, LOOK_S)
    services = (name,) if name != "old" else ("web",)
    if how == "unseen" or (name == "pay" and world.need_down is not None and at >= world.need_down):
        return Credential(Kind.CERTIFICATE, address(name), services, at, why="no answer within 5 s")
    if how in ("over", "lapsed"):
        ended = NOW - rng.uniform(0, (7 if how == "lapsed" else 100) * DAY_S)
        seen = valid(address(name), services, min(at, ended - rng.uniform(1, LOOK_S)), ended)
        at = max(at, ended + 1)
        return replace(seen, at=at, code=10, why="certificate has expired", bad_at=at)
    seen = valid(
        address(name), services, at, NOW + (rng.uniform(0, 14) if how == "waning" else rng.uniform(15, 90)) * DAY_S
    )
    if how in ("untrusted", "other name"):
        code, why = (
            (19, "self-signed certificate in certificate chain") if how == "untrusted" else (62, "Hostname mismatch")
        )
        return replace(seen, code=code, why=why, fine_at=0.0, bad_at=at - rng.uniform(0, 100) * DAY_S)
    return seen


def valid(subject: str, services: tuple[str, ...], at: float, ends: float) -> Credential:
    return Credential(Kind.CERTIFICATE, subject, services, at, ends - LIFE_S, ends, 0, fine_at=at)
