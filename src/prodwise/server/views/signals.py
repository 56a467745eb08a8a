"""What programs report, for people: who may, what came in, what was refused, left out or cleaned, and the newest faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.server.views.words import count

REASONS_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Sender:
    """One project. last: of its newest report, None before any; left: (reason, how often) of what was not taken as it came."""

    name: str
    service: str
    dsn: str
    last: float | None
    taken: str
    forwarded: bool
    left: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Fault:
    """One group of errors."""

    key: str
    title: str
    where: str
    state: str
    events: str
    users: str
    last: float


@dataclass(frozen=True, slots=True)
class SignalsView:
    """address: where receivers listen, "" where no program can report."""

    address: str
    listening: bool
    senders: tuple[Sender, ...]
    faults: tuple[Fault, ...]


def signals_view(projects: Mapping[str, Any], groups: Sequence[Mapping[str, Any]]) -> SignalsView:
    """Of the API's answers about projects and groups."""
    return SignalsView(
        projects["address"],
        projects["listening"],
        tuple(_sender(one) for one in projects["projects"]),
        tuple(_fault(one) for one in groups),
    )


def _sender(project: Mapping[str, Any]) -> Sender:
    left = sorted(project["counts"].items(), key=lambda pair: (-pair[1], pair[0]))
    return Sender(
        project["name"],
        project["service"],
        project["dsn"],
        project["last"],
        taken(project),
        project["forwarded"],
        tuple((reason, number) for reason, number in left if number)[:REASONS_SHOWN],
    )


def taken(project: Mapping[str, Any]) -> str:
    """What came in of one project, in words."""
    kept = project["bytes_kept"] / 1024
    return (
        f"{_many(project['deliveries'], 'delivery', 'deliveries')}, {count(project['events'], 'error')} in "
        f"{count(project['groups'], 'group')}; {kept:,.0f} KiB of details kept"
    )


def _many(number: int, one: str, more: str) -> str:
    return f"{number:,} {one if number == 1 else more}"


def _fault(group: Mapping[str, Any]) -> Fault:
    return Fault(
        group["key"],
        group["title"],
        group["where"],
        group["state"],
        count(group["count"], "event"),
        count(group["users"], "user") if group["users"] else "",
        group["last_seen"],
    )
