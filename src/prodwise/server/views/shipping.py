"""A release on its way to its users, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import Release
from prodwise.server.views.facts import Way
from prodwise.server.views.story import Step, whole
from prodwise.server.views.words import duration, gate_reason, left, percent, visible


@dataclass(frozen=True, slots=True)
class Shipping:
    """A release on its way."""

    release: str
    title: str
    headline: str
    share: str
    began: float
    elapsed: str
    steps: tuple[Step, ...]
    gates: tuple[str, ...]


_ON_ITS_WAY = {
    RolloutState.QUEUED: "Queued: release {r}.",
    RolloutState.BUILDING: "Building release {r}. No user sees it yet.",
    RolloutState.CHECKING: "Checking release {r} before any user sees it.",
    RolloutState.RAMPING: "Shipping release {r}: {s} of users have it.",
    RolloutState.WATCHING: "Release {r} serves everyone; watching that it holds{left}.",
}


def shipping(rollout: Rollout | None, way: Way, releases: Sequence[Release], now: float) -> Shipping | None:
    if rollout is None or rollout.state.settled:
        return None
    gates = () if goes_back(rollout) else tuple(_gate(gate) for gate in rollout.gates[:3])
    return Shipping(
        release=rollout.release,
        title=visible(next((release.title for release in releases if release.id == rollout.release), ""), 100),
        headline=headline(rollout, now),
        share=f"{rollout.share * 100:.1f}%",
        began=rollout.began_at,
        elapsed=whole(now - rollout.began_at),
        steps=ramp_steps(rollout, way, now),
        gates=gates,
    )


def goes_back(rollout: Rollout) -> bool:
    return any(gate.get("verdict") == "fail" for gate in rollout.gates)


def headline(rollout: Rollout, now: float) -> str:
    """One sentence about a rollout that is under way."""
    remaining = f" ({left(rollout.watch_until - now)} left)" if rollout.watch_until else ""
    told = "Taking release {r} back." if goes_back(rollout) else _ON_ITS_WAY[rollout.state]
    return told.format(r=rollout.release, s=percent(rollout.share), left=remaining)


def _gate(gate: Mapping[str, str]) -> str:
    return visible(f"{gate.get('gate', '')}: {gate_reason(gate)}".removeprefix(": "), 160)


def ramp_steps(rollout: Rollout, way: Way, now: float) -> tuple[Step, ...]:
    """Building, checking, each share of the ramp, watching; with the time that each took, as the ledger has it."""
    names = (RolloutState.BUILDING.value, RolloutState.CHECKING.value, *way.stages, RolloutState.WATCHING.value)
    present = _name(rollout.state.value, rollout.stage)
    at = names.index(present) if present in names else -1
    entered: dict[str, float] = {}
    for entry in way.entries:
        if entry.kind == "rollout_stage":
            entered.setdefault(_name(str(entry.data.get("state", "")), str(entry.data.get("stage", ""))), entry.at)
    return tuple(
        Step(
            name,
            "done" if index < at else "now" if index == at else "todo",
            _time(names, index, at, entered, rollout, now),
        )
        for index, name in enumerate(names)
    )


def _name(state: str, stage: str) -> str:
    return stage if state == RolloutState.RAMPING.value else state


def _time(names: Sequence[str], index: int, at: int, entered: dict[str, float], rollout: Rollout, now: float) -> str:
    begun = entered.get(names[index])
    if index > at or begun is None:
        return ""
    if index < at:
        ended = next((entered[name] for name in names[index + 1 :] if name in entered), None)
        return duration(round(max(0.0, ended - begun), 1)) if ended is not None else ""
    rest = f", {left(rollout.watch_until - now)} left" if rollout.watch_until and names[index] == "watching" else ""
    return whole(now - begun) + rest
