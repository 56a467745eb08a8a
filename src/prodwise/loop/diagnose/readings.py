"""What the facts of a case amount to, each reading with the evidence that it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from prodwise.loop.diagnose.case import Case, Contrast, Exit, GroupFacts, LoadFacts, ProbeFacts, RequestFacts
from prodwise.loop.diagnose.evidence import Fact, evidence
from prodwise.loop.diagnose.origins import OriginFacts
from prodwise.loop.diagnose.sorts import Sort, sort_of
from prodwise.loop.diagnose.used_up import ClockSet, InputFacts, ProcessUse
from prodwise.loop.diagnose.weights import ONSET_TOLERANCE_S
from prodwise.loop.group.template import printable
from prodwise.model.change import Change, ChangeKind
from prodwise.model.incident import Symptom

LOOP_EXITS, LOOP_WINDOW_S = 3, 120.0
EXIT_BEFORE_ONSET_S = 5.0  # users feel an exit a little after it happened
SEEN_MIN = 5  # requests of a route below which it says nothing
BAD_SHARE = 0.1
TIMES_WORSE = 2.0
SLOW_TIMES = 2.0
NEEDED_SLOW_TIMES = 3.0
KILLS = (-9, -15, 137, 143)
KILLED = (-9, 137)
POISON_MIN, POISON_SHARE, OTHERS_MIN = 3, 0.9, 3
"""Failures of the one path; their share of all its requests, and of all failures of the route; other paths that work."""
REPORTED_BEFORE_S = 120.0
KERNEL_S = 60.0  # the kernel's count is read this often, at least
CLOCK_S, CLOCK_BEFORE_S = 30.0, 600.0
WELL_MIN, WELL_SHARE = 30, 0.02
CONTRAST_MIN = 20
TITLE_CHARS = 100
ANSWERED_MIN = 10

_RELEASES = frozenset({ChangeKind.RELEASE, ChangeKind.DEPENDENCY, ChangeKind.COMMIT})
_DEPLOYS = frozenset({ChangeKind.RELEASE, ChangeKind.DEPENDENCY})
_CONFIGS = frozenset({ChangeKind.CONFIG, ChangeKind.FLAG})


@dataclass(frozen=True, slots=True)
class Sick:
    """A needed service that is not well. first: it failed no later than ours did; None: when it began is not known."""

    service: str
    first: bool | None
    facts: tuple[Fact, ...]


def ids(case: Case, *facts: Fact) -> tuple[str, ...]:
    return tuple(sorted({evidence(case, fact).id for fact in facts}))


def release_changes(case: Case) -> list[Change]:
    """Changes that put another release in the place of one; the very first release replaced nothing that was well."""
    own = [one for one in _ours(case) if not one.outside]
    return [one for one in own if one.before and one.after != one.before and _moves_release(one)]


def config_changes(case: Case) -> list[Change]:
    """Changes of what is no release of ours: configuration, and whatever others put in place elsewhere."""
    return [one for one in _ours(case) if one.kind in _CONFIGS or (one.outside and one.after and one.kind in _DEPLOYS)]


def _moves_release(change: Change) -> bool:
    return change.kind in _RELEASES or (change.kind in (ChangeKind.HEAL, ChangeKind.MANUAL) and bool(change.after))


def _ours(case: Case) -> list[Change]:
    found = [one for one in case.changes if one.service in ("", case.service) and one.at <= case.now]
    return sorted(found, key=lambda one: (one.at, one.id))


def exits(case: Case) -> list[Exit]:
    """Our processes that ended around the onset or since, oldest first."""
    found = {one for one in case.exits if one.service == case.service and one.at >= case.onset - EXIT_BEFORE_ONSET_S}
    return sorted(found, key=lambda one: (one.at, one.slot, one.release, one.exit_code or 0))


def loops(case: Case) -> list[Exit]:
    """The exits of a crash loop: three or more within two minutes, or any when a detector named one."""
    found = sorted({one for one in case.exits if one.service == case.service}, key=lambda one: (one.at, one.slot))
    recent = [one for one in found if one.at >= case.onset - LOOP_WINDOW_S]
    packed = any(
        recent[i + LOOP_EXITS - 1].at - one.at <= LOOP_WINDOW_S for i, one in enumerate(recent[: 1 - LOOP_EXITS])
    )
    return recent if packed or named(case, "crash_loop") else []


def hung(case: Case) -> list[ProbeFacts | Symptom]:
    """Probes that fail while the same process has been running since before the onset, and a hang that a detector named."""
    alive = {
        (one.slot, one.release)
        for one in case.processes
        if one.service == case.service and one.running and one.since <= case.onset + ONSET_TOLERANCE_S
    }
    found: list[ProbeFacts | Symptom] = [
        one
        for one in case.probes
        if one.service == case.service and one.healthy is False and one.timed_out and (one.slot, one.release) in alive
    ]
    return [*found, *named(case, "hang")]


def named(case: Case, *kinds: str) -> list[Symptom]:
    """Symptoms of these kinds, as our own detectors named them."""
    return [one for one in case.symptoms if one.kind in kinds and one.ours]


def failing(case: Case) -> list[Fact]:
    """Facts that say that our requests fail more than before."""
    found: list[Fact] = [one for one in case.requests if one.service == case.service and worse(one)]
    told = [one for one in case.symptoms if one.kind == "errors" and not one.ours]
    return [*found, *named(case, "errors", "probe"), *told]


def slow(case: Case) -> list[Fact]:
    """Facts that say that our requests take longer than usual."""
    load = load_of(case, case.service)
    found: list[Fact] = [load] if load is not None and slower(load, SLOW_TIMES) else []
    return [*found, *named(case, "latency")]


def still_answers(case: Case) -> list[RequestFacts]:
    """Our routes' figures, when at least half of no fewer than ten requests since the onset were answered well."""
    ours = [one for one in case.requests if one.service == case.service and one.after]
    n, failed = sum(one.after for one in ours), sum(one.after_failed for one in ours)
    return ours if n >= ANSWERED_MIN and failed * 2 <= n else []


def worse(facts: RequestFacts) -> bool:
    """At least a tenth fails now, and at least twice as many as before."""
    if facts.after < SEEN_MIN:
        return False
    share, usual = facts.after_failed / facts.after, facts.before_failed / max(1, facts.before)
    return share >= BAD_SHARE and share >= TIMES_WORSE * usual


def routes(case: Case) -> tuple[list[RequestFacts], list[RequestFacts]]:
    """(routes of ours that are hit: failing or slower, all routes with enough requests to tell).

    A route that does not fail, and of which nobody knows how fast it was, tells nothing either way."""
    seen = [one for one in case.requests if one.service == case.service and one.route and one.after >= SEEN_MIN]
    hit = [one for one in seen if worse(one) or _slower_route(one)]
    return hit, [one for one in seen if one in hit or one.before_ms is not None]


def uses(case: Case) -> list[ProcessUse]:
    """Our processes' use of memory and files."""
    return [one for one in case.uses if one.service == case.service]


def killed_for_memory(case: Case) -> list[Fact]:
    """Exits of ours by SIGKILL while the kernel killed for want of memory, with its word for it."""
    ended = [one for one in exits(case) if one.exit_code in KILLED]
    kernel = [one for one in case.machine if one.kernel_kills]
    met = [one for one in ended if any(k.at - k.kills_s - KERNEL_S <= one.at <= k.at + KERNEL_S for k in kernel)]
    return [*met, *kernel] if met else []


def clock_sets(case: Case) -> list[ClockSet]:
    """Times that the clock was set by half a minute or more, around the onset: what follows from it shows at once or never."""
    return [
        one
        for one in case.clock
        if abs(one.moved_s) >= CLOCK_S and case.onset - CLOCK_BEFORE_S <= one.at <= case.onset + abs(one.moved_s) + 60.0
    ]


def poison(case: Case) -> list[InputFacts]:
    """Routes of ours where one path has nearly all failures, over and over, and the others work."""
    return [
        one
        for one in case.inputs
        if one.service == case.service
        and one.failed >= POISON_MIN
        and one.failed >= POISON_SHARE * one.n
        and one.failed >= POISON_SHARE * (one.failed + one.others_failed)
        and one.paths >= OTHERS_MIN
        and one.others >= SEEN_MIN
        and one.others_failed <= BAD_SHARE * one.others
    ]


def told_of(case: Case, sort: Sort) -> list[GroupFacts]:
    """Groups of ours whose words name such trouble, and that are new since about the onset."""
    return [
        one
        for one in case.groups
        if one.service == case.service
        and sort_of(one.title) is sort
        and one.first_seen >= case.onset - REPORTED_BEFORE_S
    ]


def title_of(told: Sequence[GroupFacts]) -> str:
    """Of the one that was reported most."""
    most = max(told, key=lambda one: (one.count, one.subject))
    return printable(most.title)[:TITLE_CHARS]


def all_well(case: Case) -> list[Fact]:
    """What says that nothing is wrong: its requests are answered as before, and its probe, where that is known. Empty where
    anything says otherwise, or nothing says so."""
    mine = [one for one in case.probes if one.service == case.service and one.healthy is not None]
    ours = [one for one in case.requests if one.service == case.service and one.after]
    n, failed = sum(one.after for one in ours), sum(one.after_failed for one in ours)
    seen = any(one.ours for one in case.symptoms) or exits(case) or failing_now(case) or slow(case) or routes(case)[0]
    if seen or not all(one.healthy for one in mine) or n < WELL_MIN or failed > WELL_SHARE * n:
        return []
    return [*mine, *ours]


def failing_now(case: Case) -> list[RequestFacts]:
    return [one for one in case.requests if one.service == case.service and worse(one)]


def _slower_route(facts: RequestFacts) -> bool:
    before, after = facts.before_ms, facts.after_ms
    return before is not None and after is not None and after >= SLOW_TIMES * max(before, 1.0)


def load_of(case: Case, service: str) -> LoadFacts | None:
    found = [one for one in case.loads if one.service == service]
    return min(found, key=repr) if found else None


def traffic_times(load: LoadFacts | None) -> float | None:
    """The rate as a multiple of the usual one; None while either is not known."""
    if load is None or load.rate_now is None or not load.rate_usual:
        return None
    return load.rate_now / load.rate_usual


def slower(load: LoadFacts, times: float) -> bool:
    now, usual = load.p95_now_ms, load.p95_usual_ms
    return now is not None and usual is not None and now >= times * max(usual, 1.0)


def as_fast(load: LoadFacts) -> bool:
    """Whether answers take no longer than usual."""
    now, usual = load.p95_now_ms, load.p95_usual_ms
    return now is not None and usual is not None and now <= max(usual, 1.0)


def sick_needed(case: Case) -> list[Sick]:
    """Needed services that fail their probe, have a dead process, fail their own requests or are far slower than usual."""
    found = []
    for name in case.needed():
        facts = _sick_facts(case, name)
        if facts:
            found.append(Sick(name, _first(case, facts), tuple(facts)))
    return found


def _sick_facts(case: Case, name: str) -> list[Fact]:
    probes = [one for one in case.probes if one.service == name]
    found: list[Fact] = [one for one in probes if one.healthy is False] if not any(p.healthy for p in probes) else []
    running = [one for one in case.processes if one.service == name and one.running is not None]
    if running and not any(one.running for one in running):
        found += running
    found += [one for one in case.requests if one.service == name and worse(one)]
    load = load_of(case, name)
    if load is not None and slower(load, NEEDED_SLOW_TIMES):
        found.append(load)
    if found:
        found += [one for one in case.exits if one.service == name and one.at >= case.onset - LOOP_WINDOW_S]
    return found


def _first(case: Case, facts: list[Fact]) -> bool | None:
    times = [one.failing_since for one in facts if isinstance(one, ProbeFacts) and one.failing_since is not None]
    times += [one.at for one in facts if isinstance(one, Exit)]
    return min(times) <= case.onset + ONSET_TOLERANCE_S if times else None


def unknown_needed(case: Case) -> list[str]:
    """Needed services of which nothing says whether they are well."""
    known = {one.service for one in case.probes if one.healthy is not None}
    return [name for name in case.needed() if name not in known]


def origins(case: Case) -> list[OriginFacts]:
    return [one for one in case.origins if one.service == case.service]


def contrasts(case: Case) -> list[Contrast]:
    found = [one for one in case.contrasts if one.service == case.service]
    return sorted(found, key=repr)


def canary_worse(contrast: Contrast) -> bool | None:
    """True: the canary fails and stable does not; False: both fail alike; None: too little to tell."""
    if min(contrast.canary_n, contrast.stable_n) < CONTRAST_MIN:
        return None
    canary, stable = contrast.canary_failed / contrast.canary_n, contrast.stable_failed / contrast.stable_n
    if canary >= 0.05 and canary >= 3 * stable and contrast.canary_failed >= 3:
        return True
    return False if stable >= 0.05 and canary < 2 * stable else None
