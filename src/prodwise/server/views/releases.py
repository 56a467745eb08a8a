"""What runs where in truth, the release on its way, and what may be gone back to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.model.record import Rollout, RolloutState
from prodwise.model.release import Release, ReleaseState
from prodwise.model.signal import ProcessSeen, ProcessState
from prodwise.model.target import ServiceSeen
from prodwise.server.views.decision import Gate, gates_of
from prodwise.server.views.evidence import figure, label
from prodwise.server.views.facts import Brake, ReleasesFacts, Way
from prodwise.server.views.shipping import headline, ramp_steps
from prodwise.server.views.story import Step, whole
from prodwise.server.views.unmet import fix_words
from prodwise.server.views.words import actor_name, mapping, number, percent, sequence, visible

LIVE = (ReleaseState.VERIFIED_GOOD, ReleaseState.PROMOTED)
GO_BACK_TO = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)


@dataclass(frozen=True, slots=True)
class Place:
    """One slot in truth."""

    service: str
    slot: str
    release: str
    process: str
    well: bool
    share: str


@dataclass(frozen=True, slots=True)
class Arms:
    """One service's figures side by side: (name, stable, canary); against: how near it is to being proven worse."""

    service: str
    rows: tuple[tuple[str, str, str], ...]
    against: str
    routes: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Ramp:
    release: str
    title: str
    headline: str
    previous: str
    share: str
    share_width: str
    began: float
    elapsed: str
    steps: tuple[Step, ...]
    arms: tuple[Arms, ...]
    answered: tuple[Gate, ...]  # gates that say yes or no; those that wait are in `needed`
    needed: tuple[str, ...]
    asked_by: str


@dataclass(frozen=True, slots=True)
class ReleaseRow:
    id: str
    title: str
    author: str
    state: str
    reason: str
    created: float
    serving: str
    can_go_back: bool
    fix: str  # what came of looking for one, where no user met it


@dataclass(frozen=True, slots=True)
class ReleasesView:
    places: tuple[Place, ...]
    claimed: str
    reached: tuple[tuple[str, str], ...]
    warning: str
    ramp: Ramp | None
    queued: tuple[str, ...]
    rows: tuple[ReleaseRow, ...]
    caveats: tuple[str, ...]
    stop: Brake
    freeze: Brake


def releases_view(facts: ReleasesFacts, now: float) -> ReleasesView:
    places = tuple(_places(facts))
    serving = _serving(facts)
    claimed = next((release.id for release in facts.releases if release.state in LIVE), "")
    current = _current(facts.rollouts)
    return ReleasesView(
        places=places,
        claimed=claimed,
        reached=tuple((name, percent(share)) for name, share in sorted(serving.items(), key=lambda pair: -pair[1])),
        warning=_warning(facts, claimed, serving, current),
        ramp=_ramp(current, facts.way, facts.releases, now) if current else None,
        queued=tuple(r.release for r in facts.rollouts if r.state is RolloutState.QUEUED),
        rows=tuple(_row(release, serving, claimed, facts.fixes.get(release.id, "")) for release in facts.releases[:40]),
        caveats=caveats(facts.release_line),
        stop=facts.posture.stop,
        freeze=facts.posture.freeze,
    )


def caveats(release_line: bool) -> tuple[str, ...]:
    """What a rollback does not take back."""
    found = [
        "Code and dependencies go back. Data, uploads and the env file stay as they are now.",
        "Requests in flight are finished by the release that began them.",
    ]
    if release_line:
        found.append("What the `release:` line did (a database migration, say) is not taken back.")
    return tuple(found)


def _places(facts: ReleasesFacts) -> list[Place]:
    found = []
    for seen in facts.target.services if facts.target else ():
        for process in seen.slots:
            if process.release or process.pid:
                found.append(_place(seen, process))
    return found


def _place(seen: ServiceSeen, process: ProcessSeen) -> Place:
    share = _share(seen, process)
    words = {
        ProcessState.RUNNING: "running",
        ProcessState.STARTING: "starting",
        ProcessState.EXITED: "exited",
        ProcessState.STOPPED: "stopped",
    }.get(process.state, "unknown")
    if process.restarts:
        words += f", restarted {process.restarts}×"
    well = process.state is ProcessState.RUNNING
    return Place(seen.service, process.slot, process.release, words, well, percent(share) if share is not None else "–")


def _share(seen: ServiceSeen, process: ProcessSeen) -> float | None:
    """The slot's share of users, 0…1; None for what serves no users (workers)."""
    if seen.switch is None:
        return None
    return 1 - seen.switch.share if process.slot == seen.switch.stable else seen.switch.share


def _serving(facts: ReleasesFacts) -> dict[str, float]:
    """Release → the largest share of users that it has in any service that releases replace, as the target says."""
    found: dict[str, float] = {}
    upstream = {service.id for service in facts.services if service.upstream}
    for seen in facts.target.services if facts.target else ():
        if seen.service in upstream:
            continue
        for process in seen.slots:
            share = _share(seen, process)
            if share and process.release:
                found[process.release] = max(share, found.get(process.release, 0.0))
    return found


def _warning(facts: ReleasesFacts, claimed: str, serving: Mapping[str, float], current: Rollout | None) -> str:
    if facts.target is None:
        return facts.target_error or "Prodwise cannot see the app right now."
    others = sorted(release for release in serving if release != claimed)
    if claimed and others and current is None:
        return f"The records say {claimed}, but users reach {', '.join(others)}."
    return ""


def _current(rollouts: Sequence[Rollout]) -> Rollout | None:
    """The one under way, if any."""
    active = [r for r in rollouts if not r.state.settled and r.state is not RolloutState.QUEUED]
    return active[-1] if active else None


def _ramp(rollout: Rollout, way: Way, releases: Sequence[Release], now: float) -> Ramp:
    title = next((release.title for release in releases if release.id == rollout.release), "")
    gates = tuple(gates_of(rollout.gates))
    return Ramp(
        release=rollout.release,
        title=visible(title, 120),
        headline=headline(rollout, now),
        previous=rollout.previous,
        share=percent(rollout.share),
        share_width=f"{rollout.share * 100:.1f}%",
        began=rollout.began_at,
        elapsed=whole(now - rollout.began_at),
        steps=ramp_steps(rollout, way, now),
        arms=arms(rollout.numbers),
        answered=tuple(gate for gate in gates if gate.verdict != "hold"),
        needed=_needed(rollout.numbers, gates),
        asked_by=visible(actor_name(rollout.asked_by), 60),
    )


def arms(numbers: Mapping[str, Any]) -> tuple[Arms, ...]:
    """One per service that the story gives figures for; figures without a service stand under ""."""
    if "stable" in numbers or "canary" in numbers:
        return (_arms("", numbers, numbers),)
    found = ((visible(name, 40), mapping(value)) for name, value in numbers.items())
    return tuple(_arms(name, mapping(figures["arms"]), figures) for name, figures in found if "arms" in figures)[:10]


def _arms(service: str, sides: Mapping[str, Any], figures: Mapping[str, Any]) -> Arms:
    stable, canary = mapping(sides.get("stable")), mapping(sides.get("canary"))
    names = list(dict.fromkeys([*canary, *stable]))[:10]
    rows = tuple(
        (label(name), figure(name, stable.get(name)), figure(name, canary.get(name)))
        for name in names
        if stable.get(name) is not None or canary.get(name) is not None
    )
    return Arms(service, rows, _against(mapping(figures.get("evidence"))), tuple(_routes(figures.get("routes"))))


def _against(evidence: Mapping[str, Any]) -> str:
    """How near the release is to being proven worse, by its worst test; "" without figures."""
    done = {name: number(mapping(value).get("done")) for name, value in evidence.items()}
    known = {name: value for name, value in done.items() if value is not None}
    if not known:
        return ""
    worst = max(known, key=lambda name: known[name])
    named = f" ({visible(worst, 30)})" if known[worst] > 0 else ""
    return f"{percent(known[worst])} of the proof that it is worse{named}"


def _routes(routes: object) -> list[tuple[str, str, str]]:
    """(route, failed of requests on stable, the same on the new release); those that the new release served."""
    found = []
    for row in (mapping(entry) for entry in sequence(routes)[:12]):
        if row.get("canary_n"):
            stable = f"{row.get('stable_errors', 0)} of {row.get('stable_n', 0)}"
            found.append(
                (visible(row.get("route", ""), 80), stable, f"{row.get('canary_errors', 0)} of {row['canary_n']}")
            )
    return found


def _needed(numbers: Mapping[str, Any], gates: Sequence[Gate]) -> tuple[str, ...]:
    """Evidence still needed: the reasons of the gates that hold, else what the story says it waits for."""
    holding = tuple(f"{gate.name}: {gate.reason}" for gate in gates if gate.verdict == "hold")
    told = numbers.get("needed") or numbers.get("waiting_for")
    return holding or ((visible(told, 240),) if isinstance(told, str) and told else ())


def _short(reason: str) -> str:
    """Of what a program printed the first line and the one that says what is wrong: its last, before the path of the log."""
    lines = [line.strip() for line in reason.splitlines() if line.strip() and not line.startswith("the whole log: ")]
    return f"{lines[0].rstrip(':')}: {lines[-1]}" if len(lines) > 1 else "".join(lines)


def _row(release: Release, serving: Mapping[str, float], claimed: str, fix: str) -> ReleaseRow:
    share = serving.get(release.id)
    return ReleaseRow(
        id=release.id,
        title=visible(release.title or f"Commit {release.commit[:7]}", 120),
        author=visible(release.author, 60),
        state=release.state.value.replace("_", "-"),
        reason=visible(_short(release.reason), 240),
        created=release.created_at,
        serving=percent(share) if share else "",
        can_go_back=release.state in GO_BACK_TO and release.id != claimed,
        fix=fix_words(fix),
    )
