"""The pure turn of a release's story: build, start, check, ramp as fast as the evidence allows, watch, finish or go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from prodwise.model.gate import GateResult, Verdict, worst
from prodwise.model.rollout import Stage

SHARE_TOLERANCE = 1e-6
SWITCHES_MAX = 4
"""How often one stage's share is set again after the target took it away (a lapsed lease) before the release is given up."""

GAP_S = 5.0
"""A gap between two looks counts at most this long: looks follow each other several times a second while the healer lives."""

UNSEEN_S = 10.0
"""So much longer a process that runs may take to be healthy while its probe has told neither way: a healer that was just started has
not asked it often enough yet, whatever the clock says."""

BOOT_EXITS = 3
"""A new release whose process ended so often before it answered once does not come up: waiting longer shows nothing new."""

BESIDE_S = 1800.0
"""So long what runs in a slot that is to be free may stay there while no other rollout is before: somebody goes back, say, and the old
release still answers its last requests. What is there longer nobody takes away."""

WATCH_EXTENSIONS = 3
"""A watch still on hold at its end is prolonged up to this many times its length; then hold has run out into fail."""


class ShipPhase(StrEnum):
    QUEUED = "queued"
    BUILDING = "building"
    STARTING = "starting"
    CHECKING = "checking"
    RAMPING = "ramping"
    WATCHING = "watching"
    FINISHING = "finishing"
    REVERTING = "reverting"
    DONE = "done"


class ShipOp(StrEnum):
    WAIT = "wait"
    BUILD = "build"
    START = "start"
    CHECK = "check"
    SWITCH = "switch"
    PROMOTE = "promote"  # 100 % reached: workers follow, the watch begins
    FINISH = "finish"
    BACK = "back"
    END = "end"


@dataclass(frozen=True, slots=True)
class ShipCommand:
    op: ShipOp
    share: float = 0.0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ShipRules:
    """stages in rising share; seconds: longest time on one stage, length of the watch, longest start."""

    stages: tuple[Stage, ...]
    stage_s_max: float
    watch_s: float
    start_s: float


@dataclass(frozen=True, slots=True)
class ShipTurn:
    """since: when this phase (or stage) began, Unix seconds; stage: index into the rules' stages, -1 before the ramp."""

    release: str
    phase: ShipPhase
    since: float
    stage: int = -1
    switches: int = 0
    good: bool = False
    reason: str = ""
    watch_until: float = 0.0
    by: str = ""  # the person who asked to go back; "" while it is Prodwise's own decision
    held_since: float | None = None  # since when a stop or a freeze holds it: no clock runs meanwhile
    looked_at: float = 0.0  # Unix seconds of the last look
    refused: str = ""  # the phase in which it was turned down before any user met it

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ShipTurn:
        return cls(**{**data, "phase": ShipPhase(data["phase"])})


@dataclass(frozen=True, slots=True)
class CanarySeen:
    """One service's canary. running/healthy: None is unknown; share: what the target says users get, 0…1.

    placed: its slot is meant to run the release, whether or not a process is there at the moment; exits: how often its process
    has ended by itself.
    """

    service: str
    running: bool
    healthy: bool | None
    share: float
    detail: str = ""
    placed: bool = True
    exits: int = 0


@dataclass(frozen=True, slots=True)
class ShipSeen:
    """One look. ahead: what goes on before it, "" for nothing; beside: what runs in a slot that it needs; built/failure: the
    build's end; checks and gates: answers so far.

    cancelled, cancelled_by: a person's wish to go back, and whose; frozen: why nothing may go forward.
    """

    ahead: str
    built: bool
    failure: str
    canaries: tuple[CanarySeen, ...]
    checks: tuple[GateResult, ...]
    gates: tuple[GateResult, ...]
    cancelled: str
    stopped: bool
    reverted: bool = False  # no user reaches the release any more, and none of its processes runs
    finished: bool = False  # the release is stable
    followed: bool = True  # services that cannot run two side by side run it too (asked once all users have it)
    cancelled_by: str = ""
    frozen: str = ""
    beside: str = ""


def begin(release: str, now: float) -> ShipTurn:
    return ShipTurn(release, ShipPhase.QUEUED, now, looked_at=now)


def step(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    """One turn.

    1. Time in which nobody looked (the healer was dead) counts for no deadline.
    2. A person's *cancel* goes back, whatever the phase, also under *stop* (a release that becomes stable just now is gone
       back from afterwards, by the story around this).
    3. A person's *stop* holds everything else; a *freeze* holds all that goes forward. No clock runs meanwhile.
    4. Otherwise the phase decides; each either waits with a reason, commands one thing, or moves on.
    """
    turn = _looked(turn, now)
    if turn.phase is ShipPhase.DONE:
        return turn, ShipCommand(ShipOp.END, reason=turn.reason)
    if seen.cancelled and turn.phase is not ShipPhase.FINISHING:
        turn = replace(turn, by=seen.cancelled_by)
        if turn.phase is not ShipPhase.REVERTING:
            return _back(turn, seen.cancelled, now)
    if held := _held(turn, seen):
        return replace(turn, held_since=now if turn.held_since is None else turn.held_since), _wait(held)
    return _PHASES[turn.phase](_resumed(turn, now), seen, rules, now)


def _held(turn: ShipTurn, seen: ShipSeen) -> str:
    """Why nothing may be done just now, or ""."""
    if seen.stopped and not turn.by:
        return "stopped by a person"
    worse = turn.phase is ShipPhase.RAMPING and worst(seen.gates) is Verdict.FAIL
    return f"frozen {seen.frozen}" if seen.frozen and turn.phase in _FORWARD and not worse else ""


def _resumed(turn: ShipTurn, now: float) -> ShipTurn:
    if turn.held_since is None:
        return turn
    held_s = max(0.0, now - turn.held_since)
    until = turn.watch_until + held_s if turn.watch_until else 0.0
    return replace(turn, since=turn.since + held_s, watch_until=until, held_since=None)


def _looked(turn: ShipTurn, now: float) -> ShipTurn:
    """What a gap has too much moves the phase's begin, and the end of the watch. A hold accounts for its own time."""
    counts = turn.looked_at and turn.held_since is None
    gap_s = max(0.0, now - turn.looked_at - GAP_S) if counts else 0.0
    return replace(
        turn, looked_at=now, since=turn.since + gap_s, watch_until=turn.watch_until and turn.watch_until + gap_s
    )


def _queued(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    if seen.ahead:
        return replace(turn, since=now), _wait(seen.ahead)
    if seen.beside and now - turn.since > BESIDE_S:
        where = f"{seen.beside} has run beside what serves for {BESIDE_S / 60:.0f} min, and nothing ends it"
        return _back(turn, f"there was no room to start it: {where}; `prodwise releases` shows where it runs", now)
    if seen.beside:
        return turn, _wait(f"{seen.beside} still runs beside what serves")
    return _enter(turn, ShipPhase.BUILDING, now), _wait("building")


def _building(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    if seen.failure:
        return _back(turn, seen.failure, now)
    if not seen.built:
        return turn, ShipCommand(ShipOp.BUILD)
    return _enter(turn, ShipPhase.STARTING, now), ShipCommand(ShipOp.START)


def _starting(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    if seen.failure:
        return _back(turn, seen.failure, now)
    if any(not canary.placed for canary in seen.canaries) and turn.switches < SWITCHES_MAX:
        # the order was refused: a stop came between look and order
        return replace(turn, switches=turn.switches + 1), ShipCommand(ShipOp.START)
    late = [c for c in seen.canaries if not (c.running and c.healthy)]
    if not late:
        return _enter(turn, ShipPhase.CHECKING, now), ShipCommand(ShipOp.CHECK)
    said = "; ".join(f"{c.service} {c.detail}".strip() for c in late)
    if any(c.exits >= BOOT_EXITS for c in late):
        return _back(turn, f"it does not come up: {said}", now)
    unseen = all(c.running and c.healthy is None for c in late)
    if now - turn.since > rules.start_s + (UNSEEN_S if unseen else 0.0):
        return _back(turn, f"not healthy within {rules.start_s:g} s: {said}", now)
    return turn, _wait("starting: " + ", ".join(c.service for c in late))


def _checking(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    verdict = worst(seen.checks)
    if verdict is Verdict.PASS:
        return replace(_enter(turn, ShipPhase.RAMPING, now), stage=0), ShipCommand(ShipOp.SWITCH, rules.stages[0].share)
    if verdict is Verdict.FAIL:
        return _back(turn, _said(seen.checks, Verdict.FAIL), now)
    if now - turn.since > rules.start_s:
        return _back(turn, "checks did not finish: " + _said(seen.checks, Verdict.HOLD), now)
    return turn, ShipCommand(ShipOp.CHECK)


def _ramping(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    stage = rules.stages[turn.stage]
    verdict = worst(seen.gates)
    if verdict is Verdict.FAIL:
        return _back(turn, _said(seen.gates, Verdict.FAIL), now)
    if any(abs(c.share - stage.share) > SHARE_TOLERANCE for c in seen.canaries):
        if turn.switches >= SWITCHES_MAX:
            return _back(turn, f"the share of {stage.share:.0%} did not hold", now)
        return replace(turn, switches=turn.switches + 1, since=now), ShipCommand(ShipOp.SWITCH, stage.share)
    if verdict is Verdict.HOLD:
        if now - turn.since > rules.stage_s_max:
            return _back(turn, f"undecided after {rules.stage_s_max:g} s: " + _said(seen.gates, Verdict.HOLD), now)
        return turn, _wait(_said(seen.gates, Verdict.HOLD))
    if turn.stage + 1 < len(rules.stages):
        following = rules.stages[turn.stage + 1]
        moved = replace(turn, stage=turn.stage + 1, since=now, switches=0)
        return moved, ShipCommand(ShipOp.SWITCH, following.share, f"passed {stage.name}")
    watching = replace(_enter(turn, ShipPhase.WATCHING, now), watch_until=now + rules.watch_s)
    return watching, ShipCommand(ShipOp.PROMOTE, 1.0, f"passed {stage.name}")


def _watching(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    verdict = worst(seen.gates)
    if verdict is Verdict.FAIL:
        return _back(turn, _said(seen.gates, Verdict.FAIL), now)
    if any(abs(c.share - 1.0) > SHARE_TOLERANCE for c in seen.canaries):
        if turn.switches >= SWITCHES_MAX:
            return _back(turn, "all of the traffic did not hold", now)
        return replace(turn, switches=turn.switches + 1), ShipCommand(ShipOp.SWITCH, 1.0)
    if not seen.followed:
        if turn.switches >= SWITCHES_MAX:
            return _back(turn, "the services that cannot run two releases side by side did not follow", now)
        return replace(turn, switches=turn.switches + 1), ShipCommand(ShipOp.PROMOTE, 1.0)
    if now < turn.watch_until:
        return turn, _wait(f"watching, {turn.watch_until - now:.0f} s left")
    if verdict is Verdict.PASS:
        return _enter(turn, ShipPhase.FINISHING, now), ShipCommand(ShipOp.FINISH)
    if now > turn.since + (1 + WATCH_EXTENSIONS) * rules.watch_s:
        return _back(turn, "still undecided after its watch: " + _said(seen.gates, Verdict.HOLD), now)
    return turn, _wait(_said(seen.gates, Verdict.HOLD))


def _finishing(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    if not seen.finished:
        return turn, ShipCommand(ShipOp.FINISH)
    return replace(_enter(turn, ShipPhase.DONE, now), good=True, reason="its watch passed"), ShipCommand(ShipOp.END)


def _reverting(turn: ShipTurn, seen: ShipSeen, rules: ShipRules, now: float) -> tuple[ShipTurn, ShipCommand]:
    if not seen.reverted:
        return turn, ShipCommand(ShipOp.BACK, reason=turn.reason)
    return _enter(turn, ShipPhase.DONE, now), ShipCommand(ShipOp.END, reason=turn.reason)


_FORWARD = (
    ShipPhase.QUEUED,
    ShipPhase.BUILDING,
    ShipPhase.STARTING,
    ShipPhase.CHECKING,
    ShipPhase.RAMPING,
)
_BEFORE_USERS = (ShipPhase.BUILDING, ShipPhase.STARTING, ShipPhase.CHECKING)
_PHASES = {
    ShipPhase.QUEUED: _queued,
    ShipPhase.BUILDING: _building,
    ShipPhase.STARTING: _starting,
    ShipPhase.CHECKING: _checking,
    ShipPhase.RAMPING: _ramping,
    ShipPhase.WATCHING: _watching,
    ShipPhase.FINISHING: _finishing,
    ShipPhase.REVERTING: _reverting,
}


def _enter(turn: ShipTurn, phase: ShipPhase, now: float) -> ShipTurn:
    return replace(turn, phase=phase, since=now, switches=0)


def _back(turn: ShipTurn, reason: str, now: float) -> tuple[ShipTurn, ShipCommand]:
    refused = turn.phase.value if turn.phase in _BEFORE_USERS and not turn.by else ""
    back = replace(_enter(turn, ShipPhase.REVERTING, now), reason=reason, refused=refused)
    return back, ShipCommand(ShipOp.BACK, reason=reason)


def _wait(reason: str) -> ShipCommand:
    return ShipCommand(ShipOp.WAIT, reason=reason)


def _said(results: tuple[GateResult, ...], verdict: Verdict) -> str:
    """The reasons behind a verdict, each with the service that its gate is about (gates are named "service: gate")."""
    said = [f"{r.gate.partition(':')[0]}: {r.reason}" for r in results if r.verdict is verdict]
    return "; ".join(said) or "no evidence yet"
