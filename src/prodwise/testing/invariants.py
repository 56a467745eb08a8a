"""What must hold over the records of any run, as predicates: each yields a sentence for every breach that it finds.

They read only what a run left behind (ledger, effects, incidents, releases), so that the same predicates serve a simulation,
a property test and an app that ran for real.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prodwise.loop.choose.limits import DAY_S, FLEET_PER_HOUR, HOUR_S, SERVICE_PER_DAY, SERVICE_PER_HOUR
from prodwise.model.action import ActionKind
from prodwise.model.outcome import Outcome
from prodwise.model.record import Effect, EffectState, Entry
from prodwise.model.release import ReleaseState
from prodwise.ports import Records

AUTOMATION = "prodwise"
NEUTRAL = frozenset({"restart", "stop", "undo"})
"""Kinds of effect that need no undo: they change no state, end what nobody reaches, or are an undo themselves."""
READ_MAX = 100_000


@dataclass(frozen=True, slots=True)
class Run:
    """One app's records, oldest first. incidents: whole rows; releases: id → state; inventory: service ids."""

    entries: Sequence[Entry]
    effects: Sequence[Effect]
    incidents: Sequence[Mapping[str, Any]]
    releases: Mapping[str, ReleaseState]
    inventory: frozenset[str]
    chain: str = ""  # what is wrong with the ledger's chain


def recorded(records: Records, inventory: Iterable[str]) -> Run:
    """Reads everything that is there (≤ 100,000 entries)."""
    found = reversed(records.incidents.list(limit=READ_MAX))
    return Run(
        records.ledger.entries(limit=READ_MAX),
        records.ledger.effects(),
        [records.incidents.row(incident.id) for incident in found],
        {release.id: release.state for release in records.releases.list(READ_MAX)},
        frozenset(inventory),
        records.ledger.verify()[1],
    )


def breaches(run: Run) -> list[str]:
    """Every breach of every invariant, as "name: what happened"; empty when all of them hold."""
    return [f"{name}: {breach}" for name, holds in INVARIANTS.items() for breach in holds(run)]


def chain_is_whole(run: Run) -> Iterator[str]:
    """No entry was changed, removed or reordered."""
    if run.chain:
        yield run.chain


def intent_comes_first(run: Run) -> Iterator[str]:
    """No effect is settled that was not intended in an earlier entry, and none is settled as two different things."""
    intended: set[str] = set()
    settled: dict[str, str] = {}
    for entry, key, state in _effect_entries(run):
        if state == EffectState.INTENT:
            intended.add(key)
        elif key not in intended:
            yield f"entry {entry.seq} settles {key}, which nobody intended"
        elif settled.setdefault(key, state) != state:
            yield f"{key} is {settled[key]} and {state}"


def one_at_a_time(run: Run) -> Iterator[str]:
    """While an effect on a service is intended and not settled, no other story intends one there: unknown is looked at first."""
    open_: dict[str, tuple[str, str]] = {}
    for entry, key, state in _effect_entries(run):
        if state != EffectState.INTENT:
            if open_.get(entry.service, ("", ""))[1] == key:
                del open_[entry.service]
            continue
        story, before = open_.get(entry.service, (entry.incident, ""))
        if story != entry.incident:
            yield f"{key} began on {entry.service} while {before} was not settled"
        open_[entry.service] = (entry.incident, key)


def tokens_never_fall(run: Run) -> Iterator[str]:
    """A later intent never carries a lower fencing token."""
    highest = 0
    for entry, key, state in _effect_entries(run):
        token = int(entry.data.get("token", 0))
        if state == EffectState.INTENT and token < highest:
            yield f"{key} has token {token} after {highest}"
        highest = max(highest, token)


def everything_can_be_undone(run: Run) -> Iterator[str]:
    """What automation does has an undo, or is neutral."""
    for effect in run.effects:
        if effect.actor == AUTOMATION and effect.undo is None and effect.kind not in NEUTRAL:
            yield f"{effect.key} ({effect.kind}) has no undo"


def targets_come_from_the_inventory(run: Run) -> Iterator[str]:
    """Services, slots and releases are known ones."""
    for effect in run.effects:
        slot, release = effect.command.get("slot", "a"), effect.command.get("release")
        if effect.service not in run.inventory:
            yield f"{effect.key} is aimed at {effect.service!r}, which is no service"
        if slot not in ("a", "b") or (release is not None and release not in run.releases):
            yield f"{effect.key} is aimed at {slot!r} with {release!r}"


def stop_holds(run: Run) -> Iterator[str]:
    """Between a person's *stop* and *start* nothing that automation began takes effect.

    Counted from when they were said: what a person does past the healer stands in the ledger a moment later.
    """
    said = sorted((float(e.data.get("at") or e.at), e.kind) for e in run.entries if e.kind in ("stop", "start"))

    def stops_at(at: float) -> int:
        """How many times stop was said until then, while it holds; 0 while it does not."""
        until = [kind for moment, kind in said if moment <= at]
        return until.count("stop") if until and until[-1] == "stop" else 0

    begun: dict[str, int] = {}
    for entry, key, state in _effect_entries(run):
        if entry.actor != AUTOMATION:
            continue
        if state == EffectState.INTENT:
            begun[key] = stops_at(entry.at)
        elif state == EffectState.DONE and begun.get(key, 0) and begun[key] == stops_at(entry.at):
            yield f"{key} took effect under stop"


def budgets_hold(run: Run) -> Iterator[str]:
    """No service is acted on more often than its budget allows, nor all of them together."""
    times = [(row["service"], row["opened_at"] + one["at"]) for row, one in _remedies(run) if one["by"] == AUTOMATION]
    for service in sorted(run.inventory):
        own = [at for name, at in times if name == service]
        for most, window_s in ((SERVICE_PER_HOUR, HOUR_S), (SERVICE_PER_DAY, DAY_S)):
            if _most_within(own, window_s) > most:
                yield f"more than {most} actions on {service} within {window_s / HOUR_S:g} h"
    if _most_within([at for _, at in times], HOUR_S) > FLEET_PER_HOUR:
        yield f"more than {FLEET_PER_HOUR} actions within an hour"


def what_failed_is_not_repeated(run: Run) -> Iterator[str]:
    """Within an incident each kind of remedy is tried once."""
    for row in run.incidents:
        kinds = [one["kind"] for one in row["turn"].get("remedies", ()) if one["by"] == AUTOMATION]
        for kind in {kind for kind in kinds if kinds.count(kind) > 1}:
            yield f"{row['id']} tried {kind} {kinds.count(kind)} times"


def smallest_first(run: Run) -> Iterator[str]:
    """A rollback says of the restart, which is smaller, that it was tried or why it was not."""
    for row, remedy in _remedies(run):
        if remedy["by"] != AUTOMATION or remedy["kind"] != ActionKind.ROLLBACK:
            continue
        tried = any(one["kind"] == ActionKind.RESTART for one in row["turn"]["remedies"])
        skipped = [one for one in (row["decision"] or {}).get("skipped", ()) if one["reason"]]
        if not tried and not any(one["action"] == ActionKind.RESTART for one in skipped):
            yield f"{row['id']} went back without a word about the restart"


def decisions_cite_evidence(run: Run) -> Iterator[str]:
    """Automation acts on a hypothesis that names what it rests on."""
    for row, remedy in _remedies(run):
        hypotheses = (row["diagnosis"] or {}).get("hypotheses") or [{}]
        if remedy["by"] == AUTOMATION and not any(one.get("supports") for one in hypotheses):
            yield f"{row['id']}: {remedy['kind']} rests on no evidence"


def nothing_rests_on_hearsay(run: Run) -> Iterator[str]:
    """Automation begins no effect for an incident before our own eyes saw one of its symptoms."""
    told: set[str] = set()  # incidents of which only others have said anything so far
    for entry in run.entries:
        if entry.kind == "incident_opened" and entry.data.get("symptoms"):
            if all(one.get("source") for one in entry.data["symptoms"]):
                told.add(entry.incident)
        elif entry.kind == "symptom" and not entry.data.get("source"):
            told.discard(entry.incident)
        elif entry.incident in told and entry.kind == "effect" and entry.actor == AUTOMATION:
            yield f"{entry.data['key']} rests on the word of others alone"


def every_end_is_one(run: Run) -> Iterator[str]:
    """A closed incident has one outcome and one closing entry; one that was escalated says so before."""
    for row in run.incidents:
        own = [entry.kind for entry in run.entries if entry.incident == row["id"]]
        closings = own.count("incident_closed")
        if (row["closed_at"] is None) != (closings == 0) or closings > 1:
            yield f"{row['id']} was closed {closings} times"
        if (row["closed_at"] is None) != (row["outcome"] is None):
            yield f"{row['id']} has the outcome {row['outcome']}"
        if row["outcome"] == Outcome.ESCALATED and "escalated" not in own:
            yield f"{row['id']} was handed to nobody"


def _effect_entries(run: Run) -> Iterator[tuple[Entry, str, str]]:
    """(entry, key, state) of what went through the executor; the supervisor's own respawns are none of these."""
    for entry in run.entries:
        if entry.kind == "effect" and entry.actor != "supervisor":
            yield entry, str(entry.data["key"]), str(entry.data["state"])


def _remedies(run: Run) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for row in run.incidents:
        for remedy in row["turn"].get("remedies", ()):
            yield row, remedy


def _most_within(times: Sequence[float], window_s: float) -> int:
    return max((sum(1 for other in times if at <= other < at + window_s) for at in times), default=0)


INVARIANTS: Mapping[str, Callable[[Run], Iterator[str]]] = {
    holds.__name__.replace("_", " "): holds
    for holds in (
        chain_is_whole,
        intent_comes_first,
        one_at_a_time,
        tokens_never_fall,
        everything_can_be_undone,
        targets_come_from_the_inventory,
        stop_holds,
        budgets_hold,
        what_failed_is_not_repeated,
        smallest_first,
        decisions_cite_evidence,
        nothing_rests_on_hearsay,
        every_end_is_one,
    )
}
