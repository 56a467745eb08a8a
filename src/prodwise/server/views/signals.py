"""What programs, jobs and other tools report, for people: who may, what came in, what was refused or left out, the newest faults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.server.views.words import count, duration, tally

REASONS_SHOWN = 12
SAID = {
    "well": ("pass", "ran when it should"),
    "running": ("hold", "runs now"),
    "unknown": ("hold", "was not heard of yet"),
    "late": ("fail", "is late"),
    "failed": ("fail", "failed"),
    "stuck": ("fail", "began and does not end"),
}
"""State of a heartbeat → its sign, and how it is told."""


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
class Job:
    """One heartbeat. sign: pass, hold or fail; ran: when it last ran well, None before that. Its address is its key: not shown."""

    name: str
    service: str
    sign: str
    said: str
    asked: str
    ran: float | None


@dataclass(frozen=True, slots=True)
class Tool:
    """One hook. last: of its newest delivery, None before any; refused: what was, and why the last one was, "" for nothing."""

    way: str
    taken: str
    said: str
    last: float | None
    refused: str


@dataclass(frozen=True, slots=True)
class SignalsView:
    """address: where receivers listen, "" where no program can report."""

    address: str
    listening: bool
    senders: tuple[Sender, ...]
    faults: tuple[Fault, ...]
    jobs: tuple[Job, ...]
    tools: tuple[Tool, ...]


def signals_view(
    projects: Mapping[str, Any], groups: Sequence[Mapping[str, Any]], ways: Mapping[str, Any]
) -> SignalsView:
    """Of the API's answers about projects, groups and ways in."""
    return SignalsView(
        projects["address"],
        projects["listening"],
        tuple(_sender(one) for one in projects["projects"]),
        tuple(_fault(one) for one in groups),
        tuple(_job(one) for one in ways["heartbeats"]),
        tuple(_tool(one) for one in ways["hooks"]),
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


def _job(beat: Mapping[str, Any]) -> Job:
    sign, said = SAID[beat["state"]]
    code = "" if beat["exit_code"] is None or beat["state"] != "failed" else f" with exit code {beat['exit_code']}"
    asked = f"every {duration(beat['every_s'])}, {duration(beat['grace_s'])} late at most"
    return Job(beat["name"], beat["service"], sign, said + code, asked, beat["ok_at"] or None)


def _tool(hook: Mapping[str, Any]) -> Tool:
    reasons = tally(hook["refused"])
    refused = f"Refused: {reasons}. The last one: {hook['refusal']}" if reasons else ""
    return Tool(hook["way"], _many(hook["taken"], "delivery", "deliveries"), hook["last"], hook["last_at"], refused)
