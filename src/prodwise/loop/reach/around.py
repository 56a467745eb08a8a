"""Who calls whom and who is used how much, from what is declared, what traces tell and what the proxy saw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict

from prodwise.model.evidence import Evidence
from prodwise.model.reach import Link, Surroundings, Use
from prodwise.model.service import Service, ServiceKind, front_service
from prodwise.model.telemetry import CallGraph

DECLARED, TRACED = "declared", "traces"
STORES_MAX = 50


def surroundings(
    inventory: Sequence[Service],
    uses: Iterable[Use],
    graph: CallGraph,
    shared: Sequence[str],
    since: float,
    until: float,
) -> Surroundings:
    """Names that traces use are taken for services where they are equal; what else is called is a store, or lies outside."""
    known = {one.id for one in inventory}
    declared = {(one.id, name) for one in inventory for name in one.needs if name in known}
    traced = {(one.caller, one.callee) for one in graph.edges if one.caller in known}
    links = [Link(*pair, DECLARED) for pair in sorted(declared)]
    links += [Link(*pair, TRACED) for pair in sorted(traced - declared) if pair[1] in known]
    stores = [Link(*pair, TRACED) for pair in sorted(traced) if pair[1] not in known]
    return Surroundings(
        since=since,
        until=until,
        front=front_service(inventory),
        services=tuple(sorted(known)),
        workers=tuple(sorted(one.id for one in inventory if one.kind is ServiceKind.WORKER)),
        outside=tuple(sorted(one.id for one in inventory if one.upstream)),
        uses=tuple(sorted((one for one in uses if one.service in known), key=lambda one: one.service)),
        links=tuple(links),
        stores=tuple(stores[:STORES_MAX]),
        shared=tuple(shared),
    )


def unmeasured(inventory: Sequence[Service], now: float) -> Surroundings:
    """What is declared alone: how anything is used is not known, so that every reach is large."""
    return surroundings(inventory, (), CallGraph(), (), now, now)


def evidence(around: Surroundings) -> Evidence:
    """The fact that a measured reach rests on."""
    users = around.users
    used = f"{_n(users.requests, 'request')} on {_n(len(users.routes), 'route')}" if users else "no request was seen"
    people = f" by {_n(users.people, 'person', 'people')}" if users and users.people is not None else ""
    calls = ", ".join(f"{one.caller} → {one.callee} ({one.told_by})" for one in around.links[:8]) or "none is known of"
    text = f"{around.front or 'the app'}: {used}{people} in the last {_minutes(around)} min; calls between services: {calls}"
    return Evidence("reach", "proxy", around.since, around.until, text, asdict(around))


def _n(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _minutes(around: Surroundings) -> int:
    return max(1, round((around.until - around.since) / 60))
