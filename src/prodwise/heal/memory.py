"""What was done before, as choices want it: remedies of incidents, respawns by the supervisor, the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import Any

from prodwise.heal import migrated
from prodwise.heal.charge import taken_over
from prodwise.heal.parts import Parts
from prodwise.loop.choose.situation import Past, PastResult, WayBack
from prodwise.loop.choose.told import QUIET_S, Told
from prodwise.model.action import ActionKind
from prodwise.model.autonomy import Autonomy
from prodwise.model.change import ChangeKind
from prodwise.model.diagnosis import Cause
from prodwise.model.incident import Incident, Symptom
from prodwise.model.outcome import Outcome
from prodwise.model.release import Release, ReleaseState

DAY_S = 24 * 3600.0
INCIDENTS_READ = 200
CLOCKS_READ = 50
PUT_BACK = "put-back-"
"""How the id of a change begins that took a return back."""
GOOD = (ReleaseState.VERIFIED_GOOD, ReleaseState.RETIRED)


def past(parts: Parts, now: float) -> tuple[Past, ...]:
    """All actions of the last day, of the whole fleet, oldest first."""
    found: list[Past] = []
    later = _later(parts)
    for incident in parts.records.incidents.list(limit=INCIDENTS_READ):
        if now - later(incident.opened_at) < DAY_S:
            found += _remedies(parts, incident.id)
    for entry in parts.records.ledger.recent(500, kinds=("effect",)):
        if entry.actor == "supervisor" and now - later(entry.at) < DAY_S:
            found.append(
                Past(
                    entry.at,
                    ActionKind.RESTART,
                    entry.service,
                    "",
                    Cause.CRASH,
                    PastResult.HELPED,
                    "",
                    "supervisor",
                    entry.at,
                )
            )
    moved = [replace(one, at=later(one.at), ended_at=later(one.ended_at) if one.ended_at else 0.0) for one in found]
    return tuple(sorted(moved, key=lambda one: one.at))


def _later(parts: Parts) -> Callable[[float], float]:
    """A stamp as it would be had the clock never been set forward: time that was skipped ends no cool-down and frees no budget."""
    told = [entry.data for entry in parts.records.ledger.recent(CLOCKS_READ, kinds=("clock",))]
    skips = [(float(one["at"]), float(one["moved_s"])) for one in told if one["moved_s"] > 0]
    return lambda at: at + sum(skipped_s for set_at, skipped_s in skips if at < set_at)


def _remedies(parts: Parts, incident: str) -> list[Past]:
    row = parts.records.incidents.row(incident)
    hypotheses = (row["diagnosis"] or {}).get("hypotheses") or [{"cause": "unknown"}]
    release = next((s["release"] for s in row["symptoms"] if s.get("release")), "")
    found = []
    for remedy in row["turn"].get("remedies", ()):
        result = PastResult(remedy["result"])
        if result is PastResult.RUNNING and row["closed_at"] is not None:
            result = PastResult.FAILED  # its story ended without evidence that it helped
        ended = row["closed_at"] or (row["opened_at"] + remedy["at"] if result is not PastResult.RUNNING else 0.0)
        found.append(
            Past(row["opened_at"] + remedy["at"], ActionKind(remedy["kind"]), row["service"], release,
                 Cause(hypotheses[0]["cause"]), result, incident, remedy["by"], ended)
        )  # fmt: skip
    return [one for one in found if one.actor != "supervisor"]


def way_back(parts: Parts, running: str) -> WayBack | None:
    """The newest verified-good release before the one that runs; None without one."""
    releases = parts.records.releases.list(1000)
    now_running = next((r for r in releases if r.id == running), None)
    number = now_running.number if now_running else 1 << 30
    earlier = [r for r in releases if r.state in GOOD and r.number < number]
    if not earlier:
        return None
    proven = bool(parts.records.settings.get("undo_proven"))
    findings = migrated.since(parts, earlier[0], releases)
    since = [r for r in releases if earlier[0].number < r.number and (r.id == running or r.state in GOOD)]
    return WayBack(earlier[0].id, warm=False, schema=findings, proven=proven, takes_back=_brought(parts, since))


def _brought(parts: Parts, releases: Sequence[Release]) -> str:
    """What these releases brought, as counts: "3 commits, 1 package"; "" where none of it is known."""
    found = [parts.records.releases.facts(one.id).get("delta") for one in releases]
    deltas = [one for one in found if isinstance(one, Mapping)]
    commits, packages = (sum(int(one.get(name, 0)) for one in deltas) for name in ("commit_count", "package_count"))
    counts = ((commits, "commit"), (packages, "change of a package"), (sum(map(_settings, deltas)), "setting"))
    return ", ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in counts if n)


def _settings(delta: Mapping[str, Any]) -> int:
    return len(delta.get("settings") or ())


def kept_by(parts: Parts, running: str) -> str:
    """The person who took going back from this release back, if that is how it came to serve; else ""."""
    changes = parts.records.changes.own(0.0, INCIDENTS_READ)
    last = next((one for one in changes if one.after == running), None)
    return last.who if last and last.id.startswith(PUT_BACK) and last.kind is ChangeKind.MANUAL else ""


def frozen(parts: Parts, now: float) -> str:
    """Why automation is frozen, or ""."""
    set_by = parts.records.settings.get("freeze")
    if not set_by or (set_by["until"] is not None and set_by["until"] <= now):
        return ""
    return f"by {set_by['who']}: {set_by['reason']}"


def stage(parts: Parts) -> Autonomy:
    """What a person allowed on this instance, lowered by what the repository allows."""
    return Autonomy(parts.records.settings.get("autonomy", Autonomy.OBSERVE.value)).capped(parts.config.stage)


def told(parts: Parts, service: str, seen_at: float) -> Told | None:
    """What a person was called about, if that is the newest that happened to the service. seen_at: see `Told`.

    Of calls in a row all of it counts: else what the last one was not about would be news again, each time by turns.
    """
    mine = [one for one in parts.records.incidents.list(limit=50) if one.service == service]
    calls = list(takewhile(_called, mine))
    if not calls or calls[0].closed_at is None or taken_over(parts.records, calls[0].id):
        return None  # what was taken over was well again when it ended
    row = calls[:1]
    for earlier in calls[1:]:
        if row[-1].opened_at - (earlier.closed_at or 0.0) >= QUIET_S:
            break
        row.append(earlier)
    symptoms = tuple({one.key: one for call in reversed(row) for one in call.symptoms}.values())
    return Told(symptoms, _leading(parts, calls[0].id)[0], calls[0].closed_at, max(calls[0].closed_at, seen_at))


def _called(one: Incident) -> bool:
    return one.closed_at is not None and one.outcome is Outcome.ESCALATED


def without_echoes(parts: Parts, service: str, symptoms: Sequence[Symptom], now: float) -> Sequence[Symptom]:
    """Other monitors notice late that it is over: what they said in an incident that ended just now is not said anew."""
    if all(one.ours for one in symptoms):
        return symptoms
    last = next((one for one in parts.records.incidents.list(limit=50) if one.service == service), None)
    if last is None or last.closed_at is None or now - last.closed_at >= QUIET_S:
        return symptoms
    if last.outcome not in (Outcome.HEALED, Outcome.UNDONE):
        return symptoms
    known = {one.key for one in last.symptoms if not one.ours}
    return [one for one in symptoms if one.key not in known]


def told_elsewhere(parts: Parts, incident: str, now: float) -> str:
    """Why nobody is called once more: the same needed service was the cause of another call lately. "" when it was not."""
    cause, subject = _leading(parts, incident)
    if cause is not Cause.UPSTREAM:
        return ""
    for one in parts.records.incidents.list(limit=50):
        recent = one.outcome is Outcome.ESCALATED and one.closed_at is not None and now - one.closed_at < QUIET_S
        if recent and one.id != incident and _leading(parts, one.id) == (cause, subject):
            return f"a person was called about {subject} already, for {one.id}"
    return ""


def _leading(parts: Parts, incident: str) -> tuple[Cause, str]:
    """The leading hypothesis of an incident: its cause and subject."""
    hypotheses = (parts.records.incidents.row(incident)["diagnosis"] or {}).get("hypotheses") or [{}]
    return Cause(hypotheses[0].get("cause", "unknown")), str(hypotheses[0].get("subject", ""))
